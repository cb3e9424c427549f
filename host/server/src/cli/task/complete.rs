//! `redress task complete`: a person's answer.

use serde_json::{Map, Value as Json, json};

use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::words::clean;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress task complete task_01jn1x3q5w9s8m2k4b6c7d8e9f approve --server http://127.0.0.1:7373 --key-file desk1.key
  redress task complete task_01jn1x3q5w9s8m2k4b6c7d8e9f refuse --reason \"seal broken\" --form note=\"box was open\" --tenant shop --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The task.
    task: String,
    /// The choice: one of those that the task offers.
    outcome: String,
    /// A field of the form, as NAME=TEXT; may be given several times, and with one name several times where a list is asked for.
    #[arg(long, value_name = "NAME=TEXT", value_parser = field)]
    form: Vec<(String, String)>,
    /// Why, in words.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Of an imported case: what follows is paid for real.
    #[arg(long)]
    live: bool,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let door = at.door()?;
    let form = match args.form.as_slice() {
        [] => Map::new(),
        given => typed(given, &door.get(&format!("/v1/tasks/{}", part(&args.task)))?["form"]),
    };
    let mut body = json!({ "outcome": args.outcome, "form": form, "live": args.live });
    if let Some(reason) = &args.reason {
        body["reason"] = Json::from(reason.as_str());
    }
    let case = door.post(&format!("/v1/tasks/{}/complete", part(&args.task)), &body)?;
    if at.format() == Format::Json {
        return out.json(&case);
    }
    let text = |name: &str| clean(case[name].as_str().unwrap_or_default());
    let end = if case["result"].is_string() { format!(": {}", text("result")) } else { String::new() };
    out.say(&format!("case {} is {}{end}", text("number"), text("status")));
    Ok(())
}

/// Each text as what the task asks for. What it does not ask for goes as it is: the host says so.
fn typed(given: &[(String, String)], asked: &Json) -> Map<String, Json> {
    let mut form = Map::new();
    for (name, text) in given {
        let kind = asked[name].as_str().unwrap_or("text").trim_end_matches('?');
        if let Some(of) = kind.strip_prefix("list(").and_then(|rest| rest.strip_suffix(')')) {
            let list = form.entry(name.clone()).or_insert_with(|| Json::Array(Vec::new()));
            if let Json::Array(items) = list {
                items.push(one(text, of));
            }
        } else {
            form.insert(name.clone(), one(text, kind));
        }
    }
    form
}

/// A number goes as it is written: the host reads it exactly.
fn one(text: &str, kind: &str) -> Json {
    match kind {
        "bool" => text.parse::<bool>().map_or_else(|_| Json::from(text), Json::from),
        "number" => text.parse::<i64>().map_or_else(|_| Json::from(text), Json::from),
        _ => Json::from(text),
    }
}

fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is no NAME=TEXT"))?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_read_as_what_the_task_asks_for() {
        let asked = json!({ "note": "text?", "count": "number", "sealed": "bool", "photos": "list(text)" });
        let given =
            [("note", "2024"), ("count", "3"), ("sealed", "true"), ("photos", "sha256:a"), ("photos", "sha256:b")];
        let given = given.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let form = Json::Object(typed(&given, &asked));
        assert_eq!(form, json!({ "note": "2024", "count": 3, "sealed": true, "photos": ["sha256:a", "sha256:b"] }));
    }
}
