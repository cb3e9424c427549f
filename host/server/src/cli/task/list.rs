//! `redress task list`: open tasks, the oldest first.

use redress_domain::case::{About, Task};
use redress_domain::codec;
use redress_store::scan::{Direction, Scan};

use crate::cli::Global;
use crate::cli::cursor::Paging;
use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::Out;
use crate::engine;
use crate::engine::listing::TaskListing;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress task list --tenant shop --data data
  redress task list --queue returns --limit 10 --tenant shop --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only the tasks of this queue.
    #[arg(long)]
    queue: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let session = at.session()?;
    let snapshot = session.engine.store().read()?;
    let page = args.paging.read(&snapshot, &Scan::Tasks, Direction::Forward, |row| {
        let listed: TaskListing = codec::decode(&row.value).map_err(engine::Error::damaged("task"))?;
        let wanted = args.queue.as_ref().is_none_or(|queue| *queue == listed.task.queue);
        Ok(wanted.then(|| cells(&listed)))
    })?;
    let listing = Listing {
        columns: vec!["case", "queue", "title", "about", "reasons", "opened_at", "imported", "id", "case_id"],
        hidden: &["id", "case_id"],
        zone: session.engine.record().zone,
        rows: page.rows,
    };
    listing.print_page("tasks", page.next.as_deref(), at.format(), out)
}

fn cells(listed: &TaskListing) -> Vec<Cell> {
    let task: &Task = &listed.task;
    vec![
        Cell::text(&listed.number),
        Cell::text(&task.queue),
        Cell::text(&task.title),
        Cell::text(about(&task.about)),
        Cell::Words(task.reasons.iter().map(|reason| reason.code.clone()).collect()),
        Cell::Time(task.opened_at),
        Cell::Bool(task.imported),
        Cell::text(listed.id),
        Cell::text(listed.case),
    ]
}

fn about(about: &About) -> String {
    match about {
        About::Review { step } => format!("review {step}"),
        About::Inspection { step } => format!("inspect {step}"),
        About::Failure { step, code } => format!("{step} failed: {code}"),
        About::Effect { key } => format!("effect {}", key.short()),
        About::Unrouted => "no workflow took the case".to_owned(),
        About::TooLong => "the case is open too long".to_owned(),
    }
}
