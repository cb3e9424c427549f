//! `redress task list`: open tasks, the oldest first.

use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::shown::{self, Column};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress task list --tenant shop --data data
  redress task list --queue returns --limit 10 --server http://127.0.0.1:7373 --key-file desk1.key
  redress task list --assignee none --tenant shop --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only the tasks of this queue.
    #[arg(long)]
    queue: Option<String>,
    /// Only those that this actor has taken; `none` for those that nobody has.
    #[arg(long, value_name = "ID")]
    assignee: Option<String>,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
    /// Behind this cursor, which the page before ended with.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

const COLUMNS: &[Column] = &[
    Column::text("case", "/number"),
    Column::text("queue", "/queue"),
    Column::text("title", "/title"),
    Column::text("about", "/about"),
    Column::text("step", "/step"),
    Column::text("reasons", "/reasons"),
    Column::time("opened_at", "/opened_at"),
    Column::time("due", "/due"),
    Column::flag("overdue", "/overdue"),
    Column::text("assignee", "/assignee"),
    Column::flag("imported", "/imported"),
    Column::text("id", "/id"),
    Column::text("case_id", "/case"),
];

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let mut address = format!("/v1/tasks?limit={}", args.limit);
    for (name, value) in [("queue", &args.queue), ("assignee", &args.assignee), ("cursor", &args.after)] {
        if let Some(value) = value {
            address.push_str(&format!("&{name}={}", part(value)));
        }
    }
    let page = at.door()?.get(&address)?;
    shown::page(COLUMNS, "tasks", &page, at.format(), out)
}
