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
    /// A field of the form, as NAME=TEXT; may be given several times. Whole numbers, true and false are taken as such.
    #[arg(long, value_name = "NAME=TEXT", value_parser = field)]
    form: Vec<(String, Json)>,
    /// Why, in words.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Of an imported case: what follows is paid for real.
    #[arg(long)]
    live: bool,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let form: Map<String, Json> = args.form.iter().cloned().collect();
    let mut body = json!({ "outcome": args.outcome, "form": form, "live": args.live });
    if let Some(reason) = &args.reason {
        body["reason"] = Json::from(reason.as_str());
    }
    let case = at.door()?.post(&format!("/v1/tasks/{}/complete", part(&args.task)), &body)?;
    if at.format() == Format::Json {
        return out.json(&case);
    }
    let text = |name: &str| clean(case[name].as_str().unwrap_or_default());
    let end = if case["result"].is_string() { format!(": {}", text("result")) } else { String::new() };
    out.say(&format!("case {} is {}{end}", text("number"), text("status")));
    Ok(())
}

fn field(text: &str) -> Result<(String, Json), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is no NAME=TEXT"))?;
    let typed = match value {
        "true" => Json::from(true),
        "false" => Json::from(false),
        text => text.parse::<i64>().map_or_else(|_| Json::from(text), Json::from),
    };
    Ok((name.to_owned(), typed))
}
