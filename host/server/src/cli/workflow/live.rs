//! `redress workflow live`: what is live, and on which revisions cases run.

use serde_json::{Value as Json, json};

use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::shown::{self, Column};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow live --tenant shop --data data
  redress workflow live online-retail-return --tenant shop --data data
  redress workflow live --output json --server http://127.0.0.1:7373
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The workflow; all of them where it is left out.
    name: Option<String>,
}

const COLUMNS: [Column; 10] = [
    Column::text("workflow", "/name"),
    Column::text("number", "/number"),
    Column::digest("revision", "/revision"),
    Column::text("state", "/state"),
    Column::text("open_cases", "/open_cases"),
    Column::text("starts", "/starts"),
    Column::time("since", "/since/at"),
    Column::text("by", "/since/by/id"),
    Column::text("from", "/since/from"),
    Column::text("note", "/since/note"),
];

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let door = at.door()?;
    let workflows = match &args.name {
        Some(name) => vec![door.get(&format!("/v1/workflows/{}", part(name)))?],
        None => door.all("/v1/workflows")?,
    };
    if at.format() == Format::Json {
        return out.json(&Json::Array(workflows));
    }
    let rows: Vec<Json> = workflows.iter().flat_map(rows).collect();
    shown::rows(&COLUMNS, &rows).print(at.format(), out)
}

/// A row for each revision; how the active one became so stands in its own.
fn rows(workflow: &Json) -> Vec<Json> {
    let revisions = workflow["revisions"].as_array().map(Vec::as_slice).unwrap_or_default();
    revisions.iter().map(|one| row(workflow, one)).collect()
}

fn row(workflow: &Json, one: &Json) -> Json {
    let more = if one["more"] == true { "+" } else { "" };
    let mut row = json!({
        "name": workflow["name"], "number": one["number"], "revision": one["revision"], "state": one["state"],
        "open_cases": format!("{}{more}", one["open_cases"]),
    });
    if !one["on_hold"].is_null() {
        row["state"] = json!(format!("{}, on hold", one["state"].as_str().unwrap_or_default()));
    }
    let since = match one["state"].as_str() {
        Some("active") => &workflow["since"],
        Some("canary") => &workflow["canary"]["since"],
        _ => return row,
    };
    if one["state"] == "active" {
        row["starts"] = json!(starts(workflow));
    }
    row["since"] = since.clone();
    row["since"]["from"] = since["from"].get("path").unwrap_or(&since["from"]["kind"]).clone();
    if let Some(percent) = one["percent"].as_u64() {
        row["state"] = json!(format!("canary {percent} %"));
    }
    row
}

/// What starts a case on it: `case_opened return, exchange; manual count by agent`.
fn starts(workflow: &Json) -> String {
    let words = |list: &Json| -> Vec<String> {
        let all = list.as_array().map(Vec::as_slice).unwrap_or_default();
        all.iter().filter_map(Json::as_str).map(str::to_owned).collect()
    };
    let told = |trigger: &Json| {
        let mut told = trigger["by"].as_str().unwrap_or_default().to_owned();
        if let Some(event) = trigger["event"].as_str().or(trigger["cron"].as_str()) {
            told += &format!(" {event}:");
        }
        for (before, list) in [(" ", words(&trigger["types"])), (" by ", words(&trigger["roles"]))] {
            if !list.is_empty() {
                told += &format!("{before}{}", list.join(", "));
            }
        }
        told
    };
    let triggers = workflow["triggers"].as_array().map(Vec::as_slice).unwrap_or_default();
    triggers.iter().map(told).collect::<Vec<_>>().join("; ")
}
