//! Answers of a host as rows: which column shows which part of an object.

use redress_domain::clock::{Instant, Zone};
use serde_json::Value as Json;

use super::error::Error;
use super::listing::{Cell, Listing};
use super::output::{Format, Out};

/// A column, and the part of an object that it shows.
pub(super) struct Column {
    name: &'static str,
    pointer: &'static str,
    kind: Kind,
}

enum Kind {
    Text,
    Time,
    Flag,
    Digest,
    Count,
}

impl Column {
    pub(super) const fn text(name: &'static str, pointer: &'static str) -> Self {
        Self { name, pointer, kind: Kind::Text }
    }

    pub(super) const fn time(name: &'static str, pointer: &'static str) -> Self {
        Self { name, pointer, kind: Kind::Time }
    }

    pub(super) const fn flag(name: &'static str, pointer: &'static str) -> Self {
        Self { name, pointer, kind: Kind::Flag }
    }

    pub(super) const fn digest(name: &'static str, pointer: &'static str) -> Self {
        Self { name, pointer, kind: Kind::Digest }
    }

    pub(super) const fn count(name: &'static str, pointer: &'static str) -> Self {
        Self { name, pointer, kind: Kind::Count }
    }

    fn cell(&self, row: &Json) -> Cell {
        let Some(part) = row.pointer(self.pointer).filter(|part| !part.is_null()) else { return Cell::Absent };
        match self.kind {
            Kind::Flag => Cell::Bool(part.as_bool().unwrap_or_default()),
            Kind::Time => part.as_str().and_then(instant).map_or_else(|| text(part), Cell::Time),
            Kind::Digest => part.as_str().and_then(|hash| hash.parse().ok()).map_or_else(|| text(part), Cell::Digest),
            Kind::Count => part.as_u64().map_or_else(|| text(part), Cell::Count),
            Kind::Text => text(part),
        }
    }
}

/// Objects as rows. Times in a table are in UTC: a host may be anywhere.
pub(super) fn rows(columns: &[Column], rows: &[Json]) -> Listing {
    Listing {
        columns: columns.iter().map(|column| column.name).collect(),
        hidden: &[],
        zone: Zone::UTC,
        rows: rows.iter().map(|row| columns.iter().map(|column| column.cell(row)).collect()).collect(),
    }
}

/// A page of a longer list, with where the next one begins.
pub(super) fn page(
    columns: &[Column],
    name: &str,
    page: &Json,
    format: Format,
    out: &mut Out<'_>,
) -> Result<(), Error> {
    let data = page["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    rows(columns, data).print_page(name, page["next_cursor"].as_str(), format, out)
}

fn text(part: &Json) -> Cell {
    match part {
        Json::String(text) => Cell::text(text),
        Json::Array(parts) => Cell::Words(parts.iter().map(word).collect()),
        // Money reads as people write it.
        Json::Object(object) if object.contains_key("currency") => {
            let word = |name: &str| object.get(name).and_then(Json::as_str).unwrap_or_default();
            Cell::text(format!("{} {}", word("amount"), word("currency")))
        }
        other => Cell::text(other),
    }
}

fn word(part: &Json) -> String {
    let code = part.get("code").unwrap_or(part);
    code.as_str().map_or_else(|| code.to_string(), str::to_owned)
}

fn instant(text: &str) -> Option<Instant> {
    let parsed = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(Instant::from_unix_ms(parsed.timestamp_millis()))
}
