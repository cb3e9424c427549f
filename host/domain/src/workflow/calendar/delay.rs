//! How long something takes, in elapsed time or by the calendar: `4h`, `21d`, `8bh`, `2bd`.

use std::fmt;

use super::Calendar;
use crate::clock::{Instant, Span};
use crate::workflow::duration::{self, DurationError};

/// The most business hours: ten years of weeks of forty.
const BUSINESS_HOURS_MAX: u32 = 20_000;
/// The most business days.
const BUSINESS_DAYS_MAX: u32 = 2_500;

/// How long something takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// Elapsed time.
    Span(Span),
    /// Hours while people work.
    BusinessHours(u32),
    /// Days on which people work.
    BusinessDays(u32),
}

impl Delay {
    /// Read `4h`, `21d`, `P3DT4H`, `8bh` or `2bd`.
    ///
    /// # Errors
    /// The text is none, or longer than anybody waits.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        let whole =
            |unit: &str| text.strip_suffix(unit).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let bounded = |digits: &str, most: u32| match digits.parse::<u32>() {
            Ok(0) => Err(DurationError::Malformed),
            Ok(number) if number <= most => Ok(number),
            _ if digits.is_empty() => Err(DurationError::Malformed),
            _ => Err(DurationError::TooLong),
        };
        match (whole("bh"), whole("bd")) {
            (Some(hours), _) => bounded(hours, BUSINESS_HOURS_MAX).map(Self::BusinessHours),
            (_, Some(days)) => bounded(days, BUSINESS_DAYS_MAX).map(Self::BusinessDays),
            _ => duration::parse(text).map(Self::Span),
        }
    }

    /// Whether it is counted by a calendar.
    pub fn is_business(self) -> bool {
        !matches!(self, Self::Span(_))
    }

    /// When it is over, counted from an instant. The checker saw to a calendar where one is needed.
    pub fn after(self, from: Instant, calendar: Option<&Calendar>) -> Instant {
        match (self, calendar) {
            (Self::Span(span), _) => from.after(span),
            (Self::BusinessHours(hours), Some(calendar)) => {
                calendar.after_hours(from, Span::from_millis(i64::from(hours) * 3_600_000))
            }
            (Self::BusinessDays(days), Some(calendar)) => calendar.instant_after_days(from, days.into()),
            (Self::BusinessHours(hours), None) => from.after(Span::from_millis(i64::from(hours) * 3_600_000)),
            (Self::BusinessDays(days), None) => from.after(Span::from_days(days.into())),
        }
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span(span) => write!(f, "{span}"),
            Self::BusinessHours(hours) => write!(f, "{hours}bh"),
            Self::BusinessDays(days) => write!(f, "{days}bd"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn business_hours_and_days_are_whole_and_bounded() {
        assert_eq!(Delay::parse("8bh"), Ok(Delay::BusinessHours(8)));
        assert_eq!(Delay::parse("2bd"), Ok(Delay::BusinessDays(2)));
        assert_eq!(Delay::parse("2d"), Ok(Delay::Span(Span::from_days(2))));
        for text in ["0bh", "bh", "bd", "1.5bh", "-1bd", "8 bh", "8BH", "8b", ""] {
            assert_eq!(Delay::parse(text), Err(DurationError::Malformed), "{text}");
        }
        for text in ["20001bh", "2501bd", "99999999999999bd"] {
            assert_eq!(Delay::parse(text), Err(DurationError::TooLong), "{text}");
        }
    }
}
