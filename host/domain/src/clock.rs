//! Time as a value: instants, spans and days in a zone. Nothing here reads a clock.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike, Utc};
use serde::{Deserialize, Serialize};

pub use chrono_tz::Tz as Zone;

/// An instant, to the millisecond. Recorded as milliseconds since 1970-01-01T00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(i64);

impl Instant {
    /// The instant so many milliseconds after 1970-01-01T00:00Z, held to what the calendar can name (years 1 to 9999).
    pub fn from_unix_ms(millis: i64) -> Self {
        Self(millis.clamp(-62_135_596_800_000, 253_402_300_799_999))
    }

    /// Milliseconds since 1970-01-01T00:00Z.
    pub fn unix_ms(self) -> i64 {
        self.0
    }

    /// The same instant, as chrono has it.
    pub fn utc(self) -> DateTime<Utc> {
        // In range by construction; the fallback is never taken.
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// The instant that clocks in this zone show as `local`; the earlier one where it occurs twice, none where it is skipped.
    pub fn from_local(local: NaiveDateTime, zone: Zone) -> Option<Self> {
        zone.from_local_datetime(&local).earliest().map(|at| Self::from_unix_ms(at.timestamp_millis()))
    }

    /// The calendar day in this zone.
    pub fn date(self, zone: Zone) -> NaiveDate {
        self.utc().with_timezone(&zone).date_naive()
    }

    /// Days since 1970-01-01 and the second of that day, both in this zone.
    pub fn local(self, zone: Zone) -> (i32, u32) {
        let local = self.utc().with_timezone(&zone).naive_local();
        (days_from_epoch(local.date()), local.num_seconds_from_midnight())
    }

    /// This much later.
    pub fn after(self, span: Span) -> Self {
        Self::from_unix_ms(self.0.saturating_add(span.millis()))
    }

    /// Written with the zone's offset, to the second.
    pub fn display(self, zone: Zone) -> String {
        let local = self.utc().with_timezone(&zone);
        let offset = local.offset().fix();
        format!("{} {offset}", local.format("%Y-%m-%d %H:%M:%S"))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<DateTime<Utc>> for Instant {
    fn from(at: DateTime<Utc>) -> Self {
        Self::from_unix_ms(at.timestamp_millis())
    }
}

/// Days since 1970-01-01.
pub fn days_from_epoch(date: NaiveDate) -> i32 {
    const EPOCH_FROM_CE: i32 = 719_163;
    date.num_days_from_ce() - EPOCH_FROM_CE
}

/// A span of elapsed time, to the millisecond; a day is 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(i64);

impl Span {
    /// So many milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// So many days of 24 hours.
    pub const fn from_days(days: i64) -> Self {
        Self(days * 86_400_000)
    }

    /// Milliseconds.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The same span, as chrono has it.
    pub fn delta(self) -> TimeDelta {
        TimeDelta::milliseconds(self.0)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, unit) = match self.0 {
            n if n % 86_400_000 == 0 => (n / 86_400_000, "d"),
            n if n % 3_600_000 == 0 => (n / 3_600_000, "h"),
            n if n % 60_000 == 0 => (n / 60_000, "m"),
            n if n % 1_000 == 0 => (n / 1_000, "s"),
            n => (n, "ms"),
        };
        write!(f, "{n}{unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
    }

    #[test]
    fn half_past_midnight_in_summer_is_the_new_day_in_london_and_the_old_one_in_utc() {
        let at = Instant::from_local(local("2011-05-31 00:30:00"), Zone::Europe__London).unwrap();
        assert_eq!(at.date(Zone::Europe__London).to_string(), "2011-05-31");
        assert_eq!(at.date(Zone::UTC).to_string(), "2011-05-30");
        assert_eq!(at.local(Zone::Europe__London).1, 1_800);
    }

    #[test]
    fn an_hour_that_occurs_twice_is_the_first_and_one_that_is_skipped_is_none() {
        let zone = Zone::Europe__London;
        assert_eq!(
            Instant::from_local(local("2011-10-30 01:30:00"), zone).unwrap().to_string(),
            "2011-10-30T00:30:00.000Z"
        );
        assert_eq!(Instant::from_local(local("2011-03-27 01:30:00"), zone), None);
    }

    #[test]
    fn the_epoch_is_day_zero() {
        assert_eq!(Instant::from_unix_ms(0).local(Zone::UTC), (0, 0));
        assert_eq!(Instant::from_unix_ms(-1).local(Zone::UTC), (-1, 86_399));
    }
}
