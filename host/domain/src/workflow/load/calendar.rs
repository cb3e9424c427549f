//! `calendar: { zone: Europe/Berlin, hours: "Mon-Fri 08:00-17:00", holidays: de }`, and the spans that are counted by it.

use std::sync::Arc;

use crate::clock::Zone;
use crate::workflow::calendar::delay::Delay;
use crate::workflow::calendar::holidays::Holidays;
use crate::workflow::calendar::hours::Hours;
use crate::workflow::calendar::{Calendar, stock};
use crate::workflow::diagnostic::suggest;
use crate::workflow::duration::DurationError;
use crate::workflow::help;
use crate::workflow::load::Environment;
use crate::workflow::load::document::zone_of;
use crate::workflow::load::step::optional;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema;

/// The calendar of a document.
pub(super) enum Written {
    /// There is none.
    None,
    /// It was refused, so that nothing more is said about what needs it.
    Broken,
    /// This one.
    Of(Arc<Calendar>),
}

impl Written {
    /// What expressions count by; any calendar where the document's own was refused, so that nothing more is said about it.
    pub(super) fn for_expressions(&self) -> Option<Arc<Calendar>> {
        match self {
            Self::None => None,
            Self::Broken => Hours::parse("Mon-Fri 09:00-17:00")
                .ok()
                .map(|hours| Arc::new(Calendar { zone: Zone::UTC, hours, holidays: None })),
            Self::Of(calendar) => Some(Arc::clone(calendar)),
        }
    }

    /// The calendar, where there is a good one.
    pub(super) fn get(&self) -> Option<&Arc<Calendar>> {
        if let Self::Of(calendar) = self { Some(calendar) } else { None }
    }
}

/// Read the calendar of a document; `lent` is the zone of the document, for one that names none.
pub(super) fn calendar(fields: &Fields<'_>, lent: Option<Zone>, environment: &Environment) -> Written {
    if !fields.has("calendar") {
        return Written::None;
    }
    let read = fields.get("calendar").and_then(|at| {
        let fields = at.fields(&schema::CALENDAR)?;
        let zone = match fields.get("zone") {
            Some(at) => zone_of(&at),
            None => lent,
        };
        let hours = fields.require("hours").and_then(|at| hours(&at));
        let holidays = optional(fields.get("holidays"), |at| holidays(at, environment));
        Some(Calendar { zone: zone?, hours: hours?, holidays: holidays? })
    });
    read.map_or(Written::Broken, |calendar| Written::Of(Arc::new(calendar)))
}

fn hours(at: &At<'_>) -> Option<Hours> {
    let text = at.text()?;
    Hours::parse(text)
        .map_err(|error| {
            let help = "as `Mon-Fri 09:00-17:30`, or several parts: `Mon-Thu 09:00-17:00, Fri 09:00-13:00`";
            at.refuse_with::<()>("bad_literal", error.to_string(), help);
        })
        .ok()
}

/// The table of this name: the one that a stored revision is pinned to, else the one that comes with the program.
fn holidays(at: &At<'_>, environment: &Environment) -> Option<Arc<Holidays>> {
    let name = at.slug()?;
    if let Some(pinned) = environment.holidays.as_ref().filter(|table| table.name == name.as_str()) {
        return Some(Arc::clone(pinned));
    }
    if let Some(table) = stock::find(name.as_str()) {
        return Some(Arc::new(table));
    }
    let known = stock::names();
    let help = match suggest(name.as_str(), known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there is {}", known.join(", ")),
    };
    at.refuse_with("unknown_calendar", format!("there is no table of holidays `{name}`"), help)
}

/// How long something takes; what is counted in business time needs a calendar.
pub(super) fn delay(at: &At<'_>, calendar: &Written) -> Option<Delay> {
    delay_by(at, !matches!(calendar, Written::None))
}

/// The same, where it is known whether there is a calendar.
pub(in crate::workflow) fn delay_by(at: &At<'_>, has_calendar: bool) -> Option<Delay> {
    let text = &at.scalar("a duration")?.text;
    match Delay::parse(text) {
        Ok(delay) if delay.is_business() && !has_calendar => {
            let message = format!("`{delay}` is counted by a calendar, and the document has none");
            at.refuse_with(
                "missing_calendar",
                message,
                "as `calendar: { hours: \"Mon-Fri 09:00-17:00\", holidays: de }`",
            )
        }
        Ok(delay) => Some(delay),
        Err(error @ (DurationError::TooLong | DurationError::Business)) => at.refuse("bad_literal", error.to_string()),
        Err(DurationError::Malformed) => {
            let help = "as `30s`, `15m`, `4h`, `21d`, `P3DT4H`, `8bh` or `2bd`, longer than nothing".to_owned();
            at.refuse_with("bad_literal", format!("{text:?} is not a duration"), help::duration(text).unwrap_or(help))
        }
    }
}
