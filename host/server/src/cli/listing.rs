//! Rows of equal shape: written once, shown as a table, as JSON or as CSV.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use redress_domain::clock::{Instant, Zone};
use redress_domain::ids::Digest;
use serde_json::{Map, Value as Json, json};

use super::error::Error;
use super::output::{Format, Out};
use super::words::clean;

/// Rows of equal shape.
pub(super) struct Listing {
    /// Names of the columns; keys in JSON, the first row in CSV.
    pub(super) columns: Vec<&'static str>,
    /// Columns that a table leaves out: too wide, and nobody reads them.
    pub(super) hidden: &'static [&'static str],
    /// The zone of times in a table; programs get UTC.
    pub(super) zone: Zone,
    /// A cell per column.
    pub(super) rows: Vec<Vec<Cell>>,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// Somebody's words: in CSV never a formula.
    Text(String),
    /// An exact decimal.
    Decimal(String),
    /// A whole number.
    Count(u64),
    /// Yes or no.
    Bool(bool),
    /// An instant.
    Time(Instant),
    /// A hash; a table shows its beginning.
    Digest(Digest),
    /// Several words.
    Words(Vec<String>),
    /// Nothing.
    Absent,
}

impl Cell {
    pub(super) fn text(text: impl ToString) -> Self {
        Self::Text(text.to_string())
    }

    /// What may be absent.
    pub(super) fn maybe(text: Option<impl ToString>) -> Self {
        text.map_or(Self::Absent, Self::text)
    }

    fn json(&self) -> Json {
        match self {
            Self::Text(text) | Self::Decimal(text) => Json::from(text.as_str()),
            Self::Count(count) => Json::from(*count),
            Self::Bool(yes) => Json::from(*yes),
            Self::Time(at) => Json::from(at.to_string()),
            Self::Digest(digest) => Json::from(digest.to_string()),
            Self::Words(words) => Json::from(words.as_slice()),
            Self::Absent => Json::Null,
        }
    }

    fn csv(&self) -> String {
        match self {
            Self::Text(text) => no_formula(text),
            Self::Words(words) => no_formula(&words.join("|")),
            Self::Decimal(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Bool(yes) => yes.to_string(),
            Self::Time(at) => at.to_string(),
            Self::Digest(digest) => digest.to_string(),
            Self::Absent => String::new(),
        }
    }

    fn table(&self, zone: Zone) -> String {
        match self {
            Self::Text(text) => clean(text),
            Self::Words(words) => clean(&words.join(", ")),
            Self::Time(at) => at.display(zone),
            Self::Digest(digest) => digest.short(),
            Self::Bool(yes) => (if *yes { "yes" } else { "" }).to_owned(),
            Self::Decimal(_) | Self::Count(_) | Self::Absent => self.csv(),
        }
    }
}

impl Listing {
    /// Print it.
    pub(super) fn print(&self, format: Format, out: &mut Out<'_>) -> Result<(), Error> {
        match format {
            Format::Table => out.data(&self.table()),
            Format::Json => out.json(&Json::Array(self.objects())),
            Format::Csv => {
                let mut csv = Csv::begin(&self.columns, out)?;
                self.rows.iter().try_for_each(|row| csv.row(row))
            }
        }
    }

    /// Print a page of a longer list: programs find the cursor in it, people are told of it.
    pub(super) fn print_page(
        &self,
        name: &str,
        next: Option<&str>,
        format: Format,
        out: &mut Out<'_>,
    ) -> Result<(), Error> {
        if format == Format::Json {
            return out.json(&json!({ name: self.objects(), "next": next }));
        }
        self.print(format, out)?;
        if let Some(next) = next {
            // The list stands before what is said of it.
            out.flush().map_err(Error::Write)?;
            out.say(&format!("there is more: --after {next}"));
        }
        Ok(())
    }

    /// A row is an object of its columns.
    pub(super) fn objects(&self) -> Vec<Json> {
        let object = |row: &Vec<Cell>| {
            let fields = self.columns.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), cell.json()));
            Json::Object(fields.collect::<Map<_, _>>())
        };
        self.rows.iter().map(object).collect()
    }

    /// As a table.
    pub(super) fn table(&self) -> String {
        let shown = |(_, name): &(usize, &&str)| !self.hidden.contains(*name);
        let shown: Vec<usize> = self.columns.iter().enumerate().filter(shown).map(|(place, _)| place).collect();
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(shown.iter().map(|&place| self.columns[place]));
        for row in &self.rows {
            table.add_row(shown.iter().map(|&place| row[place].table(self.zone)));
        }
        let lines = table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned() + "\n");
        lines.collect()
    }
}

/// Rows as CSV, one after the other.
pub(super) struct Csv<'a, 'b> {
    out: &'a mut Out<'b>,
}

impl<'a, 'b> Csv<'a, 'b> {
    /// Write the names of the columns.
    pub(super) fn begin(columns: &[&str], out: &'a mut Out<'b>) -> Result<Self, Error> {
        let csv = Self { out };
        csv.out.data(&record(columns.iter().map(|name| (*name).to_owned())))?;
        Ok(csv)
    }

    /// Write a row.
    pub(super) fn row(&mut self, row: &[Cell]) -> Result<(), Error> {
        self.out.data(&record(row.iter().map(Cell::csv)))
    }
}

fn record(fields: impl Iterator<Item = String>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory has no way to fail.
    let written = writer.write_record(fields).ok().and_then(|()| writer.into_inner().ok());
    String::from_utf8(written.unwrap_or_default()).unwrap_or_default()
}

/// Spreadsheets compute what begins so; an apostrophe makes it text again.
fn no_formula(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(format: Format) -> String {
        let rows = vec![
            vec![Cell::text("=HYPERLINK(\"x\")"), Cell::Decimal("-1.50".to_owned()), Cell::Digest(Digest::of(b"a"))],
            vec![Cell::text("a, \"b\"\u{1b}[31m"), Cell::Absent, Cell::Absent],
        ];
        let listing = Listing { columns: vec!["name", "amount", "digest"], hidden: &[], zone: Zone::UTC, rows };
        let (mut data, mut talk) = (Vec::new(), Vec::new());
        listing.print(format, &mut Out::new(&mut data, &mut talk)).unwrap();
        String::from_utf8(data).unwrap()
    }

    #[test]
    fn in_csv_text_is_never_a_formula_and_an_amount_below_zero_stays_one() {
        let digest = Digest::of(b"a");
        assert_eq!(
            shown(Format::Csv),
            format!("name,amount,digest\n\"'=HYPERLINK(\"\"x\"\")\",-1.50,{digest}\n\"a, \"\"b\"\"\u{1b}[31m\",,\n")
        );
        for first in ['=', '+', '-', '@'] {
            assert_eq!(no_formula(&format!("{first}1")), format!("'{first}1"));
        }
    }

    #[test]
    fn a_table_stands_in_columns_and_sends_the_terminal_no_commands() {
        assert_eq!(
            shown(Format::Table),
            "name             amount  digest\n\
             =HYPERLINK(\"x\")  -1.50   ca978112ca1b\n\
             a, \"b\"\u{fffd}[31m\n"
        );
    }

    #[test]
    fn json_names_every_column_and_says_what_is_absent() {
        let rows: Vec<Json> = serde_json::from_str(&shown(Format::Json)).unwrap();
        assert_eq!(rows[0]["amount"], "-1.50");
        assert_eq!(rows[1]["amount"], Json::Null);
        assert_eq!(rows[0]["digest"], Digest::of(b"a").to_string());
    }
}
