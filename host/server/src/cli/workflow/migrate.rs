//! `redress workflow migrate`: let cases of one revision go on with another.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::cli::Global;
use crate::cli::door::{Door, part};
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::shown::{self, Column};
use crate::import::progress::{Progress, Unit};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow migrate online-retail-return --from 3 --to 4 --dry-run --server http://127.0.0.1:7373
  redress workflow migrate online-retail-return --from 3 --to 4 --where look,goods --map look=check --server http://127.0.0.1:7373
  redress workflow migrate online-retail-return --from 3 --to 4 --var window_days=default --var route==slow --timers recompute --tenant shop --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The workflow.
    name: String,
    /// The revision to leave: its number, its hash, or at least 8 digits of that.
    #[arg(long, value_name = "REVISION")]
    from: String,
    /// The revision to go to.
    #[arg(long, value_name = "REVISION")]
    to: String,
    /// Only cases that wait at these steps.
    #[arg(long = "where", value_name = "STEP,...", value_delimiter = ',')]
    at: Vec<String>,
    /// A step that is called otherwise there.
    #[arg(long, value_name = "OLD=NEW", value_parser = pair)]
    map: Vec<(String, String)>,
    /// What a variable holds there: keep, default, or = and a value.
    #[arg(long, value_name = "NAME=keep|default|=VALUE", value_parser = pair)]
    var: Vec<(String, String)>,
    /// keep: a wait ends when it would have ended; recompute: when it would have ended had it begun there.
    #[arg(long, default_value = "keep", value_parser = ["keep", "recompute"])]
    timers: String,
    /// Only say what would become of them.
    #[arg(long)]
    dry_run: bool,
    /// Why, in a few words.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

/// Names with something behind an equals sign.
fn pair(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    parts
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "two names with = between them".to_owned())
}

const STEPS: [Column; 4] = [
    Column::text("what", "/what"),
    Column::text("step", "/step"),
    Column::text("cases", "/cases"),
    Column::text("detail", "/detail"),
];

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let door = at.door()?;
    let total = all(&door, args)?;
    if at.format() == Format::Json {
        return out.json(&total);
    }
    let verb = if args.dry_run { "would move" } else { "moved" };
    let mut rows: Vec<Json> = Vec::new();
    for step in total["steps"].as_array().into_iter().flatten() {
        let detail = if step["step"] == step["to"] {
            Json::Null
        } else {
            json!(format!("to {}", step["to"].as_str().unwrap_or_default()))
        };
        rows.push(json!({ "what": verb, "step": step["step"], "cases": step["cases"], "detail": detail }));
    }
    for refusal in total["refusals"].as_array().into_iter().flatten() {
        let examples: Vec<&str> =
            refusal["examples"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let detail = format!("{}; {}", refusal["detail"].as_str().unwrap_or_default(), examples.join(", "));
        rows.push(
            json!({ "what": refusal["code"], "step": refusal["step"], "cases": refusal["cases"], "detail": detail }),
        );
    }
    shown::rows(&STEPS, &rows).print(at.format(), out)?;
    let count = |name: &str| total[name].as_u64().unwrap_or_default();
    let (moved, refused, left_out) = (count("moved"), count("refused"), count("left_out"));
    out.say(&format!(
        "{verb} {moved} of {} cases; {refused} refused, {left_out} wait at other steps",
        count("examined")
    ));
    Ok(())
}

/// Call by call, until all cases were looked at.
fn all(door: &Door, args: &Args) -> Result<Json, Error> {
    let address = format!("/v1/workflows/{}", part(&args.name));
    let pairs = |pairs: &[(String, String)]| pairs.iter().cloned().collect::<BTreeMap<_, _>>();
    let mut body = json!({
        "from": args.from, "to": args.to, "steps": args.at, "map": pairs(&args.map), "vars": pairs(&args.var),
        "timers": args.timers, "dry_run": args.dry_run, "note": args.note,
    });
    let mut progress = Progress::to_stderr();
    let mut total = Json::Null;
    loop {
        let report = door.post(&format!("{address}/migrations"), &body)?;
        let next = report["next"].clone();
        if !next.is_null() && total.is_null() {
            progress.begin("migrate", open_cases(door, &address, &report)?, Unit::Things);
        }
        total = if total.is_null() { report } else { added(total, &report) };
        progress.reached(total["examined"].as_u64().unwrap_or_default());
        if next.is_null() {
            break;
        }
        body["after"] = next;
    }
    progress.end();
    if let Some(object) = total.as_object_mut() {
        object.remove("next");
    }
    Ok(total)
}

/// How many cases there are to look at, as far as they are counted.
fn open_cases(door: &Door, address: &str, report: &Json) -> Result<u64, Error> {
    let live = door.get(address)?;
    let of = live["revisions"].as_array().into_iter().flatten().find(|one| one["number"] == report["from"]);
    let left = of.and_then(|one| one["open_cases"].as_u64()).unwrap_or_default();
    Ok(left + report["moved"].as_u64().unwrap_or_default())
}

/// Two reports as one: counts by step and by reason add up.
fn added(mut total: Json, more: &Json) -> Json {
    for name in ["examined", "moved", "left_out", "refused"] {
        total[name] = json!(total[name].as_u64().unwrap_or_default() + more[name].as_u64().unwrap_or_default());
    }
    for (list, keys) in [("steps", ["step", "to"]), ("refusals", ["code", "step"])] {
        for row in more[list].as_array().into_iter().flatten() {
            let rows = total[list].as_array_mut();
            let Some(rows) = rows else { continue };
            match rows.iter_mut().find(|one| keys.iter().all(|key| one[*key] == row[*key])) {
                Some(same) => {
                    same["cases"] =
                        json!(same["cases"].as_u64().unwrap_or_default() + row["cases"].as_u64().unwrap_or_default())
                }
                None => rows.push(row.clone()),
            }
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_several_calls_add_up_by_step_and_reason() {
        let one = json!({
            "examined": 3, "moved": 2, "left_out": 0, "refused": 1,
            "steps": [{ "step": "look", "to": "look", "cases": 2 }],
            "refusals": [{ "code": "not_waiting", "step": "", "cases": 1, "examples": ["00017"] }],
        });
        let two = json!({
            "examined": 4, "moved": 2, "left_out": 1, "refused": 1,
            "steps": [{ "step": "look", "to": "look", "cases": 1 }, { "step": "goods", "to": "goods", "cases": 1 }],
            "refusals": [{ "code": "not_waiting", "step": "", "cases": 1, "examples": ["00024"] }],
        });
        let total = added(one, &two);
        assert_eq!((&total["examined"], &total["moved"], &total["left_out"]), (&json!(7), &json!(4), &json!(1)));
        assert_eq!(total["steps"][0]["cases"], 3);
        assert_eq!(total["steps"][1]["step"], "goods");
        assert_eq!((total["refusals"].as_array().unwrap().len(), &total["refusals"][0]["cases"]), (1, &json!(2)));
    }

    #[test]
    fn a_pair_has_a_name_and_something_behind_it() {
        assert_eq!(pair("route==slow"), Ok(("route".to_owned(), "=slow".to_owned())));
        assert!(["route", "=x", "route="].iter().all(|text| pair(text).is_err()));
    }
}
