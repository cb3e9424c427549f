//! The demo's orders: written as if the day in the file were today, and moved to the real one, because windows are counted from it.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use chrono::{DateTime, Days, NaiveDate};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::shell;

/// A file of orders.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Orders {
    /// The day that the file was written for.
    day: NaiveDate,
    /// The bodies of `PUT /v1/orders/{id}`, by id.
    orders: Map<String, Json>,
}

/// Fields that hold a moment.
const MOMENTS: [&str; 3] = ["placed_at", "at", "delivered_at"];

impl Orders {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no file of orders", path.display()))
    }

    /// As if they had been written today.
    pub(super) fn moved_to(mut self, today: NaiveDate) -> anyhow::Result<Map<String, Json>> {
        let days = u64::try_from((today - self.day).num_days()).unwrap_or(0);
        self.orders.values_mut().try_for_each(|order| move_all(order, Days::new(days)))?;
        Ok(self.orders)
    }
}

fn move_all(json: &mut Json, by: Days) -> anyhow::Result<()> {
    match json {
        Json::Object(fields) => fields.iter_mut().try_for_each(|(name, value)| match value {
            Json::String(text) if MOMENTS.contains(&name.as_str()) => move_one(text, by),
            other => move_all(other, by),
        }),
        Json::Array(items) => items.iter_mut().try_for_each(|item| move_all(item, by)),
        _ => Ok(()),
    }
}

fn move_one(text: &mut String, by: Days) -> anyhow::Result<()> {
    let moment = DateTime::parse_from_rfc3339(text).with_context(|| format!("{text:?} is no moment"))?;
    *text = moment.checked_add_days(by).context("a moment that far away")?.to_rfc3339();
    Ok(())
}

/// The day in UTC, as the machine's own `date` tells it: a demo is about today.
pub(super) fn today() -> anyhow::Result<NaiveDate> {
    let told = shell::output(Command::new("date").args(["-u", "+%F"]))?;
    let told = String::from_utf8(told)?;
    told.trim().parse().with_context(|| format!("{told:?} is no day"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_move_with_the_day_and_expiry_days_stay() {
        let orders: Orders = serde_json::from_str(
            r#"{"day":"2026-03-02","orders":{"1":{"placed_at":"2026-02-25T10:20:00+08:00","lines":[
                {"delivered_at":"2026-02-27T15:05:00+08:00","units":[{"expiry":"2028-01-14"}]}]}}}"#,
        )
        .unwrap();
        let moved = orders.moved_to(NaiveDate::from_ymd_opt(2026, 3, 12).unwrap()).unwrap();
        let order = &moved["1"];
        assert_eq!(order["placed_at"], "2026-03-07T10:20:00+08:00");
        assert_eq!(order["lines"][0]["delivered_at"], "2026-03-09T15:05:00+08:00");
        assert_eq!(order["lines"][0]["units"][0]["expiry"], "2028-01-14");
    }
}
