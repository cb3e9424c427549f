//! Spans of time as a document writes them: `30s`, `15m`, `4h`, `21d`, or ISO 8601 as `P3DT4H`.

use crate::clock::Span;

/// The longest span: a hundred years, so that no sum of an instant and a span leaves the calendar.
const DAYS_MAX: i64 = 36_525;

/// Why a text is no span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// `8bh` or `2bd`, where only elapsed time can stand.
    #[error("business hours and days (`bh`, `bd`) stand where something waits, not in a value")]
    Business,
    /// More than a hundred years, 20,000 business hours or 2,500 business days.
    #[error("a duration is at most {DAYS_MAX} days, 20000 business hours or 2500 business days")]
    TooLong,
    /// Anything else.
    #[error("not a duration")]
    Malformed,
}

/// Read a span. It is longer than nothing.
pub fn parse(text: &str) -> Result<Span, DurationError> {
    let millis = match text.strip_prefix('P') {
        Some(rest) => iso(rest)?,
        None => simple(text)?,
    };
    match millis {
        0 => Err(DurationError::Malformed),
        millis if millis > DAYS_MAX * 86_400_000 => Err(DurationError::TooLong),
        millis => Ok(Span::from_millis(millis)),
    }
}

fn simple(text: &str) -> Result<i64, DurationError> {
    let unit = text.find(|c: char| !c.is_ascii_digit()).ok_or(DurationError::Malformed)?;
    let factor = match &text[unit..] {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "bh" | "bd" if unit > 0 => return Err(DurationError::Business),
        _ => return Err(DurationError::Malformed),
    };
    times(&text[..unit], factor)
}

/// What follows the `P`: days, then `T` and hours, minutes and seconds, each at most once and in this order.
fn iso(text: &str) -> Result<i64, DurationError> {
    let (days, time) = match text.split_once('T') {
        Some((_, "")) => return Err(DurationError::Malformed),
        Some((days, time)) => (days, time),
        None => (text, ""),
    };
    let mut total = parts(days, &[('D', 86_400_000)])?;
    total += parts(time, &[('H', 3_600_000), ('M', 60_000), ('S', 1_000)])?;
    Ok(total)
}

fn parts(mut text: &str, units: &[(char, i64)]) -> Result<i64, DurationError> {
    let mut total: i64 = 0;
    for (unit, factor) in units {
        if let Some((digits, rest)) = text.split_once(*unit) {
            total = total.checked_add(times(digits, *factor)?).ok_or(DurationError::TooLong)?;
            text = rest;
        }
    }
    if text.is_empty() { Ok(total) } else { Err(DurationError::Malformed) }
}

fn times(digits: &str, factor: i64) -> Result<i64, DurationError> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DurationError::Malformed);
    }
    digits.parse::<i64>().ok().and_then(|n| n.checked_mul(factor)).ok_or(DurationError::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_read() {
        for (text, millis) in
            [("30s", 30_000), ("15m", 900_000), ("4h", 14_400_000), ("21d", 1_814_400_000), ("P3DT4H", 273_600_000)]
        {
            assert_eq!(parse(text), Ok(Span::from_millis(millis)), "{text}");
        }
        assert_eq!(parse("PT1H30M"), parse("90m"));
        assert_eq!(parse("P2D"), parse("48h"));
    }

    #[test]
    fn anything_else_is_refused_and_never_guessed() {
        for text in ["", "4", "h", "4 h", "4w", "-4h", "1.5h", "0s", "P", "PT", "P3DT", "PT4M3H", "P1Y", "4H", "PT1H1H"]
        {
            assert_eq!(parse(text), Err(DurationError::Malformed), "{text}");
        }
        assert_eq!(parse("8bh"), Err(DurationError::Business));
        assert_eq!(parse("99999999999999999999d"), Err(DurationError::TooLong));
        assert_eq!(parse("36526d"), Err(DurationError::TooLong));
    }
}
