//! `redress event tell`: what happened outside, told to whichever workflow wants it.

use serde_json::{Map, Value as Json, json};

use crate::cli::Global;
use crate::cli::door::Door;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::words::{clean, pair, typed};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress event tell parcel_found --source wms --id 4711 --field order=1001 --field weight=2 --tenant shop --data data
  redress event tell stock_low --source erp --id 2026-03-02/A7 --field sku=A7 --server http://127.0.0.1:7373 --key-file erp.key
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// What happened, as a workflow declares it.
    name: String,
    /// Which system tells it.
    #[arg(long, value_name = "SYSTEM")]
    source: String,
    /// The event's id there: it opens one case, however often it is told.
    #[arg(long, value_name = "ID")]
    id: String,
    /// What it carries, as NAME=VALUE; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    field: Vec<(String, String)>,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let door = at.door()?;
    let fields = carried(&door, &args.name, &args.field)?;
    let body = json!({ "source": args.source, "id": args.id, "name": args.name, "fields": fields });
    let case = door.post("/v1/events", &body)?;
    if at.format() == Format::Json {
        return out.json(&case);
    }
    let text = |name: &str| clean(case[name].as_str().unwrap_or_default());
    out.say(&format!("case {} is {}", text("number"), text("status")));
    Ok(())
}

/// Each field as what the workflow that comes first declares. What none declares goes as it is: the host says so.
fn carried(door: &Door, event: &str, given: &[(String, String)]) -> Result<Map<String, Json>, Error> {
    if given.is_empty() {
        return Ok(Map::new());
    }
    let workflows = door.all("/v1/workflows")?;
    let triggers = workflows.iter().filter_map(|one| one["triggers"].as_array()).flatten();
    let declared: Vec<&Json> = triggers.filter(|one| one["event"] == event).collect();
    let kind = |name: &str| {
        let mut inputs = declared.iter().filter_map(|one| one["inputs"].as_array()).flatten();
        inputs.find(|input| input["name"] == name).and_then(|input| input["type"].as_str()).map(str::to_owned)
    };
    Ok(given.iter().map(|(name, text)| (name.clone(), typed(text, kind(name).as_deref()))).collect())
}
