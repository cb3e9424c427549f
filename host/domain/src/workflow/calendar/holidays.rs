//! Tables of days off by year, as files of the repository write them: `workflows/calendars/cn-2026.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};

use crate::codec;
use crate::ids::{Digest, Slug};
use crate::value::{Type, Value};
use crate::workflow::diagnostic::Diagnostic;
use crate::workflow::literal::literal;
use crate::workflow::problems::Problems;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema::{Field, Shape, Table};
use crate::workflow::yaml;

/// The most days of one entry.
const ENTRY_DAYS_MAX: i64 = 31;

/// The fields of a table.
pub const TABLE: Table = Table::new(&[
    Field::required("format", Shape::Whole, "The version of the language: 1."),
    Field::required("calendar", Shape::Name, "The name that documents use."),
    Field::required("year", Shape::Whole, "The year."),
    Field::required("source", Shape::Text, "Who said so, where and when."),
    Field::required("verified", Shape::Text, "How far the source was verified, and when."),
    Field::required("holidays", Shape::List(&Shape::Map(&ENTRY)), "Days off."),
    Field::optional("works", Shape::List(&Shape::Map(&ENTRY)), "Days that are worked in exchange."),
]);

/// The fields of an entry.
pub const ENTRY: Table = Table::new(&[
    Field::optional("on", Shape::Value("date"), "The day."),
    Field::optional("from", Shape::Value("date"), "Instead: the first of several days."),
    Field::optional("to", Shape::Value("date"), "The last of them."),
    Field::optional("name", Shape::Words, "What people call it."),
]);

/// Days off and days that are worked in exchange, of the years that a table knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holidays {
    /// The name that documents use.
    pub name: String,
    years: BTreeMap<i32, Year>,
    texts: Vec<String>,
}

/// One year of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
struct Year {
    off: BTreeSet<NaiveDate>,
    worked: BTreeSet<NaiveDate>,
}

impl Holidays {
    /// Read the files of one table, each of another year.
    ///
    /// # Errors
    /// What is wrong with the first file that is wrong.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, Vec<Diagnostic>> {
        let mut read = Self { name: String::new(), years: BTreeMap::new(), texts: Vec::new() };
        for text in texts {
            let problems = Problems::new();
            let found = yaml::parse(text, &problems).and_then(|tree| file(&At::root(&tree, text, &problems)));
            let problems = problems.into_sorted();
            match found {
                Some((name, number, year)) if problems.is_empty() => {
                    read.name = name.as_str().to_owned();
                    read.years.insert(number, year);
                    read.texts.push(text.to_owned());
                }
                _ => return Err(problems),
            }
        }
        Ok(read)
    }

    /// Whether this is a day off.
    pub fn is_off(&self, day: NaiveDate) -> bool {
        self.years.get(&day.year()).is_some_and(|year| year.off.contains(&day))
    }

    /// Whether this day is worked in exchange for another.
    pub fn is_worked(&self, day: NaiveDate) -> bool {
        self.years.get(&day.year()).is_some_and(|year| year.worked.contains(&day))
    }

    /// Whether the table knows a year; in others only the week says when people work.
    pub fn covers(&self, year: i32) -> bool {
        self.years.contains_key(&year)
    }

    /// The years that the table knows.
    pub fn years(&self) -> impl Iterator<Item = i32> {
        self.years.keys().copied()
    }

    /// The files, so that a revision can be read again by the table that it was checked with.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// A hash of its days. What they are called and where they come from does not change it.
    pub fn version(&self) -> Digest {
        Digest::of(&codec::encode(&(&self.name, &self.years)))
    }

    /// All days that it names behind one day up to another.
    pub fn days_within(&self, from: NaiveDate, to: NaiveDate) -> BTreeSet<NaiveDate> {
        let years = self.years.range(from.year()..=to.year().max(from.year()));
        let named = years.flat_map(|(_, year)| year.off.iter().chain(&year.worked));
        named.copied().filter(|day| *day > from && *day <= to).collect()
    }
}

fn file(root: &At<'_>) -> Option<(Slug, i32, Year)> {
    let fields = root.fields(&TABLE)?;
    let format = fields.require("format").and_then(|at| at.whole(1, 1));
    let name = fields.require("calendar").and_then(|at| at.slug());
    let number = fields.require("year").and_then(|at| at.whole(1970, 9_998)).and_then(|year| i32::try_from(year).ok());
    for said in ["source", "verified"] {
        fields.require(said).and_then(|at| at.text());
    }
    let number = number?;
    let off = days(&fields, "holidays", number, &BTreeSet::new());
    let worked = days(&fields, "works", number, &off);
    format?;
    Some((name?, number, Year { off, worked }))
}

/// The days of a list of entries, each in the year and named once.
fn days(fields: &Fields<'_>, list: &str, year: i32, taken: &BTreeSet<NaiveDate>) -> BTreeSet<NaiveDate> {
    let mut all = BTreeSet::new();
    let at = if list == "works" { fields.get(list) } else { fields.require(list) };
    for entry in at.and_then(|at| at.list()).unwrap_or_default() {
        for day in entry_days(&entry).unwrap_or_default() {
            if day.year() != year {
                entry.refuse::<()>("bad_literal", format!("{day} is not in {year}"));
            } else if taken.contains(&day) || !all.insert(day) {
                entry.refuse::<()>("duplicate_day", format!("{day} is named twice"));
            }
        }
    }
    all
}

fn entry_days(entry: &At<'_>) -> Option<Vec<NaiveDate>> {
    let fields = entry.fields(&ENTRY)?;
    let date = |name: &str| -> Option<NaiveDate> {
        match literal(&fields.get(name)?, &Type::Date, crate::money::Currency::EUR)? {
            Value::Date(date) => Some(date),
            _ => None,
        }
    };
    if fields.has("on") {
        return date("on").map(|day| vec![day]);
    }
    if !fields.has("from") || !fields.has("to") {
        return entry.refuse_with("missing_field", "the entry names no day", "`on`, or `from` and `to`");
    }
    let (from, to) = (date("from")?, date("to")?);
    let count = (to - from).num_days();
    if !(0..ENTRY_DAYS_MAX).contains(&count) {
        return entry.refuse("bad_literal", format!("from {from} to {to} are not 1 to {ENTRY_DAYS_MAX} days"));
    }
    Some((0..=count.unsigned_abs()).filter_map(|day| from.checked_add_days(Days::new(day))).collect())
}
