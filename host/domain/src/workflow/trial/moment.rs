//! Times of a test: a day, a local time, an instant, or so long before the case is opened.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::clock::{Instant, Span, Zone};
use crate::workflow::duration;
use crate::workflow::reader::At;

/// A day without a time is noon: far from both midnights.
const NOON: (u32, u32, u32) = (12, 0, 0);
const HELP: &str = "as `2026-02-28`, `2026-02-28 09:30`, `2026-02-28T09:30:00+01:00`";

/// An instant: of a day it is noon in the workflow's zone.
pub(super) fn instant(at: &At<'_>, zone: Zone) -> Option<Instant> {
    let text = at.text()?;
    match read(text, zone) {
        Read::At(instant) => Some(instant),
        Read::Skipped => at.refuse("bad_literal", format!("{text:?} does not occur in {zone}: clocks skip it")),
        Read::Malformed => at.refuse_with("bad_literal", format!("{text:?} is not a time"), HELP),
    }
}

/// An instant, or so long before another one: `10d ago`.
pub(super) fn before(at: &At<'_>, zone: Zone, opened_at: Instant) -> Option<Instant> {
    let text = at.text()?;
    let Some(span) = text.strip_suffix(" ago") else { return instant(at, zone) };
    match duration::parse(span.trim()) {
        Ok(span) => Some(opened_at.after(Span::from_millis(-span.millis()))),
        Err(_) => {
            let message = format!("{text:?} is not a time");
            at.refuse_with("bad_literal", message, "as `10d ago` or `36h ago`, counted from `opened_at`")
        }
    }
}

enum Read {
    At(Instant),
    Skipped,
    Malformed,
}

fn read(text: &str, zone: Zone) -> Read {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Read::At(Instant::from(instant.to_utc()));
    }
    let (hour, minute, second) = NOON;
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| day.to_string() == text);
    let noon = day.and_then(|day| day.and_hms_opt(hour, minute, second));
    let forms = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"];
    let local = noon.or_else(|| forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()));
    match local {
        Some(local) => Instant::from_local(local, zone).map_or(Read::Skipped, Read::At),
        None => Read::Malformed,
    }
}
