//! Days off out of an iCalendar file (RFC 5545), as the YAML of a table. Whole days only: what has hours, or comes again by a rule,
//! is told and left out.

use std::fmt::Write as _;

use chrono::{Datelike, Days, NaiveDate};

/// The longest file.
pub const BYTES_MAX: usize = 1024 * 1024;
/// The most days of one entry; a table takes no longer ones.
const ENTRY_DAYS_MAX: i64 = 31;
/// Words in what an entry is called that make it a day that is worked in exchange.
pub const WORKED: &[&str] = &["上班", "补班", "调休上班"];

/// Some days in a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The first.
    pub from: NaiveDate,
    /// The last.
    pub to: NaiveDate,
    /// What people call them.
    pub name: String,
    /// Whether they are worked in exchange for others.
    pub worked: bool,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// Its days, in order, each entry once.
    pub entries: Vec<Entry>,
    /// What was left out, and why.
    pub left_out: Vec<String>,
}

/// Read a file. `worked` are words that make an entry a day that is worked; an entry over the turn of a year becomes two.
pub fn read(text: &str, worked: &[&str]) -> Read {
    let mut found = Read::default();
    let mut event: Option<Event> = None;
    for line in unfolded(text) {
        let Some((name, value)) = line.split_once(':') else { continue };
        let property = name.split(';').next().unwrap_or_default().to_ascii_uppercase();
        match (property.as_str(), value.trim(), &mut event) {
            ("BEGIN", "VEVENT", _) => event = Some(Event::default()),
            ("END", "VEVENT", _) => {
                if let Some(event) = event.take() {
                    match event.entry(worked) {
                        Ok(entry) => found.entries.extend(by_year(entry)),
                        Err(why) => found.left_out.push(format!("{}: {why}", event.named())),
                    }
                }
            }
            ("SUMMARY", value, Some(event)) => event.summary = unescaped(value),
            ("DTSTART", value, Some(event)) => event.start = Some(value.to_owned()),
            ("DTEND", value, Some(event)) => event.end = Some(value.to_owned()),
            ("DURATION", value, Some(event)) => event.duration = Some(value.to_owned()),
            ("RRULE" | "RDATE", _, Some(event)) => event.repeats = true,
            _ => {}
        }
    }
    found.entries.sort();
    found.entries.dedup();
    found
}

/// The table of one year, as a file of the repository.
pub fn table(name: &str, year: i32, source: &str, entries: &[Entry]) -> String {
    let mut out = format!("format: 1\ncalendar: {name}\nyear: {year}\nsource: {}\n", quoted(source));
    out += "verified: 'not yet; say here against what, and how far'\n";
    let of_year =
        |worked: bool| entries.iter().filter(move |entry| entry.worked == worked && entry.from.year() == year);
    for (list, worked) in [("holidays", false), ("works", true)] {
        let lines: String = of_year(worked).map(line).collect();
        if lines.is_empty() && worked {
            continue;
        }
        // Writing to a text never fails.
        _ = if lines.is_empty() { writeln!(out, "{list}: []") } else { write!(out, "{list}:\n{lines}") };
    }
    out
}

fn line(entry: &Entry) -> String {
    let days = if entry.from == entry.to {
        format!("on: {}", entry.from)
    } else {
        format!("from: {}, to: {}", entry.from, entry.to)
    };
    format!("  - {{ {days}, name: {} }}\n", quoted(&entry.name))
}

/// A text that YAML reads back as it is.
fn quoted(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("'{}'", plain.replace('\'', "''"))
}

#[derive(Debug, Default)]
struct Event {
    summary: String,
    start: Option<String>,
    end: Option<String>,
    duration: Option<String>,
    repeats: bool,
}

impl Event {
    fn entry(&self, worked: &[&str]) -> Result<Entry, &'static str> {
        if self.repeats {
            return Err("it comes again by a rule; write its days out");
        }
        let from = day(self.start.as_deref().ok_or("it has no beginning")?)?;
        let to = match (&self.end, &self.duration) {
            (Some(end), _) => day(end)?.pred_opt().ok_or("it ends before the calendar")?.max(from),
            (None, Some(span)) => {
                let days = span.strip_prefix('P').and_then(|span| span.strip_suffix('D'));
                let days: u64 = days.and_then(|days| days.parse().ok()).ok_or("its length is not whole days")?;
                from.checked_add_days(Days::new(days.saturating_sub(1))).ok_or("it ends after the calendar")?
            }
            (None, None) => from,
        };
        if (to - from).num_days() >= ENTRY_DAYS_MAX {
            return Err("it is longer than 31 days");
        }
        let worked = worked.iter().any(|word| self.summary.contains(word));
        Ok(Entry { from, to, name: self.summary.clone(), worked })
    }

    fn named(&self) -> String {
        if self.summary.is_empty() { "an entry without a name".to_owned() } else { format!("{:?}", self.summary) }
    }
}

/// `20260101`; with a time only where that is midnight.
fn day(text: &str) -> Result<NaiveDate, &'static str> {
    let (date, time) = text.split_once('T').unwrap_or((text, "000000"));
    if !time.starts_with("000000") {
        return Err("it has hours and is no whole day");
    }
    NaiveDate::parse_from_str(date, "%Y%m%d").map_err(|_| "its day is not one of the calendar")
}

/// An entry that goes on in the next year belongs to the tables of both.
fn by_year(entry: Entry) -> Vec<Entry> {
    let turn = NaiveDate::from_ymd_opt(entry.to.year(), 1, 1);
    match turn.filter(|turn| entry.from < *turn) {
        Some(turn) => {
            let last = turn.pred_opt().unwrap_or(entry.from);
            vec![Entry { to: last, ..entry.clone() }, Entry { from: turn, ..entry }]
        }
        None => vec![entry],
    }
}

/// Lines that begin with a blank go on with the one before.
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some(last)) => last.push_str(more),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push(' '),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::calendar::holidays::Holidays;

    const FILE: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\n\
        SUMMARY:Christmas\\, both da\r\n ys of it's\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260214\r\n\
        SUMMARY:春节 补班\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261230\r\nDURATION:P4D\r\nSUMMARY:Turn\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nDTSTART:20260501T090000Z\r\nSUMMARY:Breakfast\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART:20260601\r\n\
        RRULE:FREQ=YEARLY\r\nSUMMARY:Every year\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn whole_days_become_a_table_that_can_be_read() {
        let found = read(FILE, WORKED);
        assert_eq!(found.left_out.len(), 2, "{:?}", found.left_out);
        let text = table("own", 2026, "our calendar", &found.entries);
        let expected = "format: 1\ncalendar: own\nyear: 2026\nsource: 'our calendar'\n\
            verified: 'not yet; say here against what, and how far'\nholidays:\n  \
            - { from: 2026-12-25, to: 2026-12-26, name: 'Christmas, both days of it''s' }\n  \
            - { from: 2026-12-30, to: 2026-12-31, name: 'Turn' }\nworks:\n  - { on: 2026-02-14, name: '春节 补班' }\n";
        assert_eq!(text, expected);
        let next = table("own", 2027, "our calendar", &found.entries);
        let read = Holidays::read([text.as_str(), next.as_str()]).unwrap();
        let day = |text: &str| text.parse().unwrap();
        assert!(read.is_off(day("2026-12-26")) && read.is_off(day("2027-01-02")) && !read.is_off(day("2027-01-03")));
        assert!(read.is_worked(day("2026-02-14")));
    }

    #[test]
    fn anything_else_is_no_day_off() {
        assert_eq!(read("", WORKED), Read::default());
        assert_eq!(read("SUMMARY:x\nDTSTART:20260101\nEND:VEVENT\n", WORKED), Read::default());
        for wrong in
            ["DTSTART:2026-01-01", "DTSTART:20260230", "SUMMARY:only a name", "DTSTART:20260101\nDTEND:20260401"]
        {
            let found = read(&format!("BEGIN:VEVENT\n{wrong}\nEND:VEVENT\n"), WORKED);
            assert_eq!((found.entries.len(), found.left_out.len()), (0, 1), "{wrong}");
        }
    }
}
