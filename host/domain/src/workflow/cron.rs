//! When something is due again and again: five fields, minute, hour, day, month and weekday, as `0 9 * * Mon-Fri`. Computed from
//! a text and an instant; nothing here reads a clock.
//!
//! Fields name local minutes. One that clocks skip is due at the first moment after the gap; one that comes twice is due the first time.
//! Where the hour is `*` it is time that is counted and not its names: then what is skipped is not due, and what comes twice is due twice.

use chrono::offset::LocalResult;
use chrono::{Datelike, Days, NaiveDate, TimeDelta, TimeZone};

use crate::clock::{Instant, Zone};
use crate::workflow::diagnostic::Range;

/// Days that are looked at: 29 February comes after eight years at the latest.
const SEARCH_DAYS: u64 = 8 * 366 + 1;
/// Minutes that clocks may skip at once: an island on the date line skipped a day.
const SKIPPED_MINUTES_MAX: i64 = 26 * 60;
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 8] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// The fields, with the least and the most that each may say.
const FIELDS: [(&str, u32, u32); 5] =
    [("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7)];

/// The local minutes at which something is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    weekday: Field,
}

/// The numbers that a field takes, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field {
    taken: u64,
    /// It begins with `*`: it restricts nothing, or only by steps.
    star: bool,
}

impl Field {
    fn takes(self, number: u32) -> bool {
        self.taken & (1 << number) != 0
    }

    fn numbers(self) -> impl Iterator<Item = u32> {
        (0..60).filter(move |number| self.takes(*number))
    }
}

/// What is wrong with a text, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub range: Range,
    /// What.
    pub message: String,
    /// What to write instead.
    pub help: &'static str,
}

const SHAPE: &str = "five fields: minute, hour, day, month, weekday, as `0 9 * * Mon-Fri`";
const ITEM: &str = "a number, a range `1-5`, `*`, steps `*/15`, or several with commas between them";

const NAMED: &str =
    "a number, or the first three letters of a name, as `Mon` or `Jan`; ranges `Mon-Fri`, lists `Mon,Wed`";

impl Cron {
    /// Read a text.
    ///
    /// # Errors
    /// It is no five fields, or never due.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let whole = Range::new(0, text.len());
        let words = words(text);
        let [minute, hour, day, month, weekday] = words[..] else {
            let message = format!("expected five fields, found {}", words.len());
            return Err(Fault { range: whole, message, help: SHAPE });
        };
        let read = |word: Range, of: usize| field(&text[word.start..word.end], word.start, FIELDS[of]);
        let mut weekday = read(weekday, 4)?;
        // Sunday is 0 and 7.
        weekday.taken |= weekday.taken >> 7 & 1;
        let cron = Self {
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
            minute: read(minute, 0)?,
            hour: read(hour, 1)?,
            day: read(day, 2)?,
            month: read(month, 3)?,
            weekday,
        };
        if cron.is_ever_due() {
            return Ok(cron);
        }
        let message = "no such day ever comes".to_owned();
        let help = "the day and the month name no date, as 31 February";
        Err(Fault { range: Range::new(day.start, month.end), message, help })
    }

    /// The fields as written, with one space between them.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The first time after an instant.
    pub fn next(&self, after: Instant, zone: Zone) -> Option<Instant> {
        // What the day before skips may be due today.
        let first = after.date(zone).pred_opt()?;
        let days = (0..=SEARCH_DAYS).map_while(|days| first.checked_add_days(Days::new(days)));
        days.filter(|day| self.is_of(*day)).find_map(|day| self.on(day, zone).into_iter().find(|at| *at > after))
    }

    /// The last time from an instant up to another one, both counting.
    pub fn last(&self, from: Instant, until: Instant, zone: Zone) -> Option<Instant> {
        let last = until.date(zone);
        let days = (0..=SEARCH_DAYS).map_while(|days| last.checked_sub_days(Days::new(days)));
        let mut days = days.take_while(|day| day.succ_opt().is_none_or(|next| next >= from.date(zone)));
        let found = days.find_map(|day| {
            let due = if self.is_of(day) { self.on(day, zone) } else { Vec::new() };
            due.into_iter().rev().find(|at| *at <= until)
        });
        found.filter(|at| *at >= from)
    }

    /// Whether there is a day on which it is due. Where both day and weekday are named, either counts, as everywhere.
    fn is_ever_due(&self) -> bool {
        if !self.weekday.star {
            return true;
        }
        let longest = |month: u32| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        self.month.numbers().any(|month| self.day.numbers().any(|day| day <= longest(month)))
    }

    fn is_of(&self, day: NaiveDate) -> bool {
        let (of_month, of_week) = (self.day.takes(day.day()), self.weekday.takes(day.weekday().num_days_from_sunday()));
        let is_day = if self.day.star || self.weekday.star { of_month && of_week } else { of_month || of_week };
        self.month.takes(day.month()) && is_day
    }

    /// The instants of a day, in their order.
    fn on(&self, day: NaiveDate, zone: Zone) -> Vec<Instant> {
        let mut all = Vec::new();
        // The gap is looked through once: what it skips is due at its end.
        let mut gap_end = None;
        for (hour, minute) in
            self.hour.numbers().flat_map(|hour| self.minute.numbers().map(move |minute| (hour, minute)))
        {
            let Some(local) = day.and_hms_opt(hour, minute, 0) else { continue };
            match zone.from_local_datetime(&local) {
                LocalResult::Single(at) => all.push(Instant::from_unix_ms(at.timestamp_millis())),
                LocalResult::Ambiguous(first, second) => {
                    all.push(Instant::from_unix_ms(first.timestamp_millis()));
                    if self.hour.star {
                        all.push(Instant::from_unix_ms(second.timestamp_millis()));
                    }
                }
                LocalResult::None if self.hour.star => {}
                LocalResult::None => {
                    let later = (1..=SKIPPED_MINUTES_MAX).map(|minutes| local + TimeDelta::minutes(minutes));
                    let end = || later.into_iter().find_map(|local| Instant::from_local(local, zone));
                    gap_end = gap_end.or_else(end);
                    all.extend(gap_end);
                }
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The words of a text and where each stands.
fn words(text: &str) -> Vec<Range> {
    let begin = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    text.split_whitespace().map(|word| Range::new(begin(word), begin(word) + word.len())).collect()
}

fn field(text: &str, at: usize, (name, least, most): (&str, u32, u32)) -> Result<Field, Fault> {
    let (mut taken, mut place) = (0, at);
    for item in text.split(',') {
        let range = Range::new(place, place + item.len());
        place = range.end + 1;
        let fault = |message: String, help| Fault { range, message, help };
        let (span, step) = item.split_once('/').map_or((item, None), |(span, step)| (span, Some(step)));
        let step = match step.map(|step| (step, step.parse::<u32>())) {
            None => 1,
            Some((_, Ok(step))) if (1..=most).contains(&step) => step,
            Some((step, _)) => {
                return Err(fault(format!("steps of `{step}` in the {name}"), "a step is a whole number, as `*/15`"));
            }
        };
        let number = |word: &str| match named(word, name).or_else(|| word.parse().ok()) {
            Some(number) if (least..=most).contains(&number) => Ok(number),
            Some(number) => Err(fault(format!("the {name} {number} does not exist: it is {least} to {most}"), ITEM)),
            None => Err(fault(format!("`{word}` is no {name}"), if most == 12 || most == 7 { NAMED } else { ITEM })),
        };
        let (first, last) = match span.split_once('-') {
            _ if span == "*" => (least, most),
            Some((first, last)) => (number(first)?, number(last)?),
            None if item.contains('/') => {
                return Err(fault(format!("steps need a range in the {name}"), "as `*/15`, or `5-59/15`"));
            }
            None => (number(span)?, number(span)?),
        };
        // `Sat-Sun` ends with the Sunday that is 7.
        let last = if name == "weekday" && last == 0 && first > 0 { 7 } else { last };
        if last < first {
            return Err(fault(
                format!("the range of the {name} goes backwards"),
                "write two ranges, as `Fri-Sun,Mon` or `17-23,0-9`",
            ));
        }
        taken |= (first..=last).step_by(step as usize).fold(0, |bits, number| bits | 1_u64 << number);
    }
    Ok(Field { taken, star: text.starts_with('*') })
}

/// The number of a month or a weekday that is written as a word.
fn named(word: &str, field: &str) -> Option<u32> {
    let lower = word.to_ascii_lowercase();
    let place =
        |names: &[&str]| names.iter().position(|name| *name == lower).and_then(|place| u32::try_from(place).ok());
    match field {
        "month" => place(&MONTHS).map(|place| place + 1),
        "weekday" => place(&WEEKDAYS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cron(text: &str) -> Cron {
        Cron::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
    }

    fn at(text: &str) -> Instant {
        Instant::from(chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc())
    }

    /// The times after an instant, as clocks in the zone show them.
    fn times(text: &str, after: &str, zone: Zone, n: usize) -> Vec<String> {
        let next = |at: &Instant| cron(text).next(*at, zone);
        std::iter::successors(next(&at(after)), next).take(n).map(|at| at.display(zone)).collect()
    }

    /// Without the offset.
    fn utc(text: &str, after: &str, n: usize) -> Vec<String> {
        times(text, after, Zone::UTC, n).into_iter().map(|at| at[..16].to_owned()).collect()
    }

    #[test]
    fn fields_name_minutes_in_lists_ranges_and_steps() {
        assert_eq!(
            utc("0 9 * * Mon-Fri", "2026-03-06T08:59:59Z", 3),
            ["2026-03-06 09:00", "2026-03-09 09:00", "2026-03-10 09:00"]
        );
        assert_eq!(utc("0 9 * * *", "2026-03-06T09:00:00Z", 1), ["2026-03-07 09:00"], "strictly after");
        assert_eq!(
            utc("*/20 8-9,23 1 jan *", "2026-01-01T08:30:00Z", 5)[..],
            ["08:40", "09:00", "09:20", "09:40", "23:00"].map(|time| format!("2026-01-01 {time}"))
        );
        assert_eq!(
            utc("5-59/25 0 * * *", "2026-01-01T00:00:00Z", 3),
            ["2026-01-01 00:05", "2026-01-01 00:30", "2026-01-01 00:55"]
        );
        for sunday in ["0 0 * * 0", "0 0 * * 7", "0 0 * * SUN", "0 0 * * sun"] {
            assert_eq!(utc(sunday, "2026-03-02T00:00:00Z", 2), ["2026-03-08 00:00", "2026-03-15 00:00"]);
        }
        assert_eq!(
            utc("0 0 * * Sat-Sun", "2026-03-02T00:00:00Z", 3),
            ["2026-03-07 00:00", "2026-03-08 00:00", "2026-03-14 00:00"]
        );
        assert_eq!(
            utc("0 0 29 2 *", "2096-03-01T00:00:00Z", 1),
            ["2104-02-29 00:00"],
            "1900 and 2100 are no leap years"
        );
        assert_eq!(utc("0 0 31 * *", "2026-01-31T00:00:00Z", 2), ["2026-03-31 00:00", "2026-05-31 00:00"]);
        assert_eq!(
            utc("0 0 13 * Fri", "2026-02-01T00:00:00Z", 3),
            ["2026-02-06 00:00", "2026-02-13 00:00", "2026-02-20 00:00"],
            "either"
        );
    }

    #[test]
    fn what_is_no_time_is_told_at_its_place() {
        for (text, place, message) in [
            ("", "", "expected five fields, found 0"),
            ("0 9 * *", "0 9 * *", "expected five fields, found 4"),
            ("0 0 9 * * *", "0 0 9 * * *", "expected five fields, found 6"),
            ("@daily", "@daily", "expected five fields, found 1"),
            ("60 9 * * *", "60", "the minute 60 does not exist: it is 0 to 59"),
            ("0 24 * * *", "24", "the hour 24 does not exist: it is 0 to 23"),
            ("0 9 0 * *", "0", "the day 0 does not exist: it is 1 to 31"),
            ("0 9 * 13 *", "13", "the month 13 does not exist: it is 1 to 12"),
            ("0 9 * * 8", "8", "the weekday 8 does not exist: it is 0 to 7"),
            ("0 9 * * Mo", "Mo", "`Mo` is no weekday"),
            ("0 Mon * * *", "Mon", "`Mon` is no hour"),
            ("0 9 L * *", "L", "`L` is no day"),
            ("0 1,x,3 * * *", "x", "`x` is no hour"),
            ("0 -1 * * *", "-1", "`` is no hour"),
            ("0 1, * * *", "", "`` is no hour"),
            ("0 9-8 * * *", "9-8", "the range of the hour goes backwards"),
            ("0 9 * * Fri-Mon", "Fri-Mon", "the range of the weekday goes backwards"),
            ("*/0 9 * * *", "*/0", "steps of `0` in the minute"),
            ("*/x 9 * * *", "*/x", "steps of `x` in the minute"),
            ("*/4294967296 9 * * *", "*/4294967296", "steps of `4294967296` in the minute"),
            ("5/15 9 * * *", "5/15", "steps need a range in the minute"),
            ("0 9 31 2 *", "31 2", "no such day ever comes"),
            ("0 9 31 4,6,9,11 *", "31 4,6,9,11", "no such day ever comes"),
            ("0 9 30-31 feb *", "30-31 feb", "no such day ever comes"),
        ] {
            let fault = Cron::parse(text).expect_err(text);
            assert_eq!((&text[fault.range.start..fault.range.end], &*fault.message), (place, message), "{text}");
        }
        assert!(Cron::parse("0 9 31 2 Mon").is_ok(), "the Mondays of February");
    }

    #[test]
    fn a_local_time_that_is_skipped_is_due_at_the_end_of_the_gap() {
        let berlin = Zone::Europe__Berlin;
        assert_eq!(
            times("30 2 * * *", "2026-03-28T00:00:00Z", berlin, 3),
            ["2026-03-28 02:30:00 +01:00", "2026-03-29 03:00:00 +02:00", "2026-03-30 02:30:00 +02:00"]
        );
        assert_eq!(
            times("0,30 2,3 29 3 *", "2026-03-28T00:00:00Z", berlin, 2),
            ["2026-03-29 03:00:00 +02:00", "2026-03-29 03:30:00 +02:00"],
            "two that fall on one moment are one"
        );
        // Samoa left out the 30th of December 2011.
        assert_eq!(
            times("0 9 * * *", "2011-12-29T18:00:00Z", Zone::Pacific__Apia, 3),
            ["2011-12-29 09:00:00 -10:00", "2011-12-31 00:00:00 +14:00", "2011-12-31 09:00:00 +14:00"]
        );
    }

    #[test]
    fn a_local_time_that_comes_twice_is_due_once_unless_every_hour_is_meant() {
        let berlin = Zone::Europe__Berlin;
        assert_eq!(
            times("30 2 * * *", "2026-10-24T22:00:00Z", berlin, 2),
            ["2026-10-25 02:30:00 +02:00", "2026-10-26 02:30:00 +01:00"]
        );
        assert_eq!(
            times("30 * * * *", "2026-10-24T23:45:00Z", berlin, 3),
            ["2026-10-25 02:30:00 +02:00", "2026-10-25 02:30:00 +01:00", "2026-10-25 03:30:00 +01:00"]
        );
        assert_eq!(
            times("30 * * * *", "2026-03-28T23:45:00Z", berlin, 3),
            ["2026-03-29 01:30:00 +01:00", "2026-03-29 03:30:00 +02:00", "2026-03-29 04:30:00 +02:00"],
            "an hour after the other"
        );
    }

    #[test]
    fn the_newest_of_those_that_were_missed_is_found() {
        let daily = cron("0 9 * * Mon-Fri");
        let last = |from: &str, until: &str| {
            daily.last(at(from), at(until), Zone::UTC).map(|at| at.display(Zone::UTC)[..16].to_owned())
        };
        assert_eq!(last("2026-03-02T09:00:00Z", "2026-03-06T12:00:00Z").as_deref(), Some("2026-03-06 09:00"));
        assert_eq!(
            last("2026-03-02T09:00:00Z", "2026-03-08T12:00:00Z").as_deref(),
            Some("2026-03-06 09:00"),
            "over a weekend"
        );
        assert_eq!(
            last("2026-03-06T09:00:00Z", "2026-03-06T09:00:00Z").as_deref(),
            Some("2026-03-06 09:00"),
            "both ends count"
        );
        assert_eq!(last("2026-03-06T09:00:01Z", "2026-03-09T08:59:59Z"), None);
        assert_eq!(last("2026-03-09T09:00:00Z", "2026-03-06T09:00:00Z"), None, "a clock that was put back");
        let gap = cron("30 2 29 3 *");
        let from = at("2026-01-01T00:00:00Z");
        let newest = gap.last(from, at("2026-03-29T01:00:00Z"), Zone::Europe__Berlin).unwrap();
        assert_eq!(newest.display(Zone::Europe__Berlin), "2026-03-29 03:00:00 +02:00");
    }

    proptest::proptest! {
        /// Whatever is read: the next time lies after, nothing lies between, and the newest up to it is itself.
        #[test]
        fn next_and_last_agree(
            minute in "(\\*|[0-9]|\\*/[1-9]|[1-5][0-9])", hour in "(\\*|[0-9]|1[0-9]|\\*/[2-9])",
            day in "(\\*|[1-9]|[12][0-9]|3[01])", month in "(\\*|[1-9]|1[0-2])", weekday in "(\\*|[0-7]|1-5)",
            start in 1_500_000_000_000_i64..2_500_000_000_000,
            zone in proptest::sample::select(vec![Zone::UTC, Zone::Europe__Berlin, Zone::America__St_Johns, Zone::Australia__Lord_Howe]),
        ) {
            let Ok(cron) = Cron::parse(&format!("{minute} {hour} {day} {month} {weekday}")) else { return Ok(()) };
            let start = Instant::from_unix_ms(start);
            let next = cron.next(start, zone).expect("what is ever due is due in eight years");
            proptest::prop_assert!(next > start);
            proptest::prop_assert_eq!(cron.last(start, next, zone), Some(next));
            let before = Instant::from_unix_ms(next.unix_ms() - 1);
            proptest::prop_assert_eq!(cron.last(Instant::from_unix_ms(start.unix_ms() + 1), before, zone), None);
        }
    }
}
