//! Moments as text: an instant with the offset at which its day and second are counted.

use serde_json::{Value as Json, json};

const DAY_SECONDS: i64 = 86_400;

/// `2026-01-15T09:30:00+01:00` as a moment: the instant, and the day and second as they are written.
pub(super) fn of(text: &str) -> Option<Json> {
    let (date, rest) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let at = rest.find(['Z', '+', '-'])?;
    let (time, offset) = rest.split_at(at);
    let [hour, minute, second] = numbers(time, ':')?;
    let offset_seconds = match offset {
        "Z" => 0,
        _ if offset.len() == "+00:00".len() => {
            let [hours, minutes, _] = numbers(&format!("{}:0", &offset[1..]), ':')?;
            let seconds = hours * 3_600 + minutes * 60;
            if offset.starts_with('-') { -seconds } else { seconds }
        }
        _ => return None,
    };
    let is_time = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    if !is_time || offset_seconds.abs() >= DAY_SECONDS {
        return None;
    }
    let local_day = day_of(year, month, day)?;
    let local_second = hour * 3_600 + minute * 60 + second;
    let unix_ms = (local_day * DAY_SECONDS + local_second - offset_seconds) * 1_000;
    Some(json!({ "unix_ms": unix_ms, "local_day": local_day, "local_second": local_second }))
}

/// The text of a moment, where it has one: whole seconds, an offset of whole minutes, a year of four digits.
pub(super) fn text(held: &Json) -> Option<String> {
    let field = |name: &str| held[name].as_i64();
    let (unix_ms, local_day, local_second) = (field("unix_ms")?, field("local_day")?, field("local_second")?);
    let offset = local_day * DAY_SECONDS + local_second - unix_ms.div_euclid(1_000);
    if unix_ms % 1_000 != 0 || offset % 60 != 0 || offset.abs() >= DAY_SECONDS || local_second >= DAY_SECONDS {
        return None;
    }
    let (year, month, day) = date_of(local_day);
    if !(0..=9_999).contains(&year) {
        return None;
    }
    let (hour, minute, second) = (local_second / 3_600, local_second / 60 % 60, local_second % 60);
    let zone = match offset {
        0 => "Z".to_owned(),
        _ => {
            let sign = if offset < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", offset.abs() / 3_600, offset.abs() / 60 % 60)
        }
    };
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}"))
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let parts: Vec<i64> = text
        .split(between)
        .map(|part| Some(part).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok())
        .collect::<Option<_>>()?;
    parts.try_into().ok()
}

/// Days since 1970-01-01, none for a day that the calendar does not have. Years begin in March here, so that the leap day is the last.
fn day_of(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(0..=9_999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let (from_march, years) = if month > 2 { (month - 3, year) } else { (month + 9, year - 1) };
    let (era, of_era) = (years.div_euclid(400), years.rem_euclid(400));
    let days =
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * from_march + 2) / 5 + day - 1 - 719_468;
    (date_of(days) == (year, month, day)).then_some(days)
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = years + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_the_same_in_both_directions() {
        for (written, unix_ms, day, second) in [
            ("1970-01-01T00:00:00Z", 0_i64, 0, 0),
            ("2024-02-29T23:59:59-05:30", 1_709_270_999_000, 19_782, 86_399),
            ("2026-01-15T09:30:00+01:00", 1_768_465_800_000, 20_468, 34_200),
            ("1899-12-31T12:00:00Z", -2_209_032_000_000, -25_568, 43_200),
        ] {
            let held = json!({ "unix_ms": unix_ms, "local_day": day, "local_second": second });
            assert_eq!((of(written), text(&held).as_deref()), (Some(held.clone()), Some(written)));
        }
        for wrong in [
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-15",
            "2026-01-15T24:00:00Z",
            "2026-01-15T09:30:00",
            "2026-01-00T00:00:00Z",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        assert_eq!(text(&json!({ "unix_ms": i64::MAX, "local_day": i32::MIN, "local_second": 0 })), None);
    }
}
