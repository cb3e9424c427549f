//! A calendar of business hours: when people work in a week, on which days they do not, and on which days they do although the
//! week says otherwise.
//!
//! A business day is one with business hours. A day off has none; a day that is worked in exchange has those of its day of the
//! week, or, where it has none, those of the first day of the week that has some. Hours are local: a day on which clocks are put
//! on or back is as much shorter or longer as its hours are.

mod arithmetic;
pub mod delay;
pub mod holidays;
pub mod hours;
pub mod ical;
pub mod stock;

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};

use crate::clock::Zone;
use crate::ids::Digest;
use holidays::Holidays;
use hours::{Hours, Stretch};

/// When people work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// The zone of the hours.
    pub zone: Zone,
    /// The hours of a week.
    pub hours: Hours,
    /// Days off and days that are worked in exchange, where the document names a table.
    pub holidays: Option<Arc<Holidays>>,
}

impl Calendar {
    /// The business hours of a day; none on a day off.
    pub fn of_day(&self, day: NaiveDate) -> &[Stretch] {
        let named =
            |named: &fn(&Holidays, NaiveDate) -> bool| self.holidays.as_ref().is_some_and(|table| named(table, day));
        if named(&(Holidays::is_off as _)) {
            return &[];
        }
        let own = self.hours.of(day.weekday());
        if own.is_empty() && named(&(Holidays::is_worked as _)) { self.hours.first() } else { own }
    }

    /// Whether people work on this day.
    pub fn is_business_day(&self, day: NaiveDate) -> bool {
        !self.of_day(day).is_empty()
    }

    /// The version of the table of days off, where there is one: part of the revision, and kept with what was computed by it.
    pub fn version(&self) -> Option<Digest> {
        self.holidays.as_ref().map(|table| table.version())
    }

    /// Which years the table of days off knows, for people; nothing is known of others but the week.
    pub fn known_years(&self) -> Option<String> {
        let table = self.holidays.as_ref()?;
        let years: Vec<String> = table.years().map(|year| year.to_string()).collect();
        Some(format!("{} of {}; in other years only the week counts", table.name, years.join(", ")))
    }

    /// The years of these in which only the week counts, although the document names a table.
    pub fn unknown_years(&self, years: impl IntoIterator<Item = i32>) -> Vec<i32> {
        let Some(table) = &self.holidays else { return Vec::new() };
        years.into_iter().filter(|year| !table.covers(*year)).collect()
    }

    /// The files of the table of days off, where there is one.
    pub fn texts(&self) -> Vec<String> {
        self.holidays.as_ref().map(|table| table.texts().to_vec()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
