//! `redress task show`: one task, with all that is needed to answer it.

use serde_json::Value as Json;

use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::words::clean;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress task show task_01jn1x3q5w9s8m2k4b6c7d8e9f --server http://127.0.0.1:7373 --key-file desk1.key
  redress task show task_01jn1x3q5w9s8m2k4b6c7d8e9f --tenant shop --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The task.
    task: String,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let task = at.door()?.get(&format!("/v1/tasks/{}", part(&args.task)))?;
    if at.format() == Format::Json {
        return out.json(&task);
    }
    out.data(&told(&task))
}

fn told(task: &Json) -> String {
    let text = |name: &str| clean(task[name].as_str().unwrap_or_default());
    let mut lines = vec![text("title"), format!("case       {} ({})", text("number"), text("case"))];
    for name in ["queue", "about", "step", "opened_at", "due", "assignee"] {
        if task[name].is_string() {
            lines.push(format!("{name:<10} {}", text(name)));
        }
    }
    let outcomes = task["outcomes"].as_array().into_iter().flatten().filter_map(Json::as_str).map(clean);
    lines.push(format!("outcomes   {}", outcomes.collect::<Vec<_>>().join(", ")));
    for (name, kind) in task["form"].as_object().into_iter().flatten() {
        lines.push(format!("fill in    {}: {}", clean(name), clean(kind.as_str().unwrap_or_default())));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}
