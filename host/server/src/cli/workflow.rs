//! `redress workflow`: the rules, which steps a case takes.

mod asked;
mod backtest;
mod canary;
mod check;
mod diff;
mod draft;
mod gc;
mod graph;
mod hold;
mod list;
mod live;
mod migrate;
mod publish;
mod rebase;
mod schema;
mod show;
mod test;
mod text;

use clap::Subcommand;
use redress_domain::ids::{Digest, Slug};

use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::Out;
use crate::cli::{Global, HELP};
use crate::engine::Engine;
use crate::publish::workflows::{self, Revision};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Check a file; every problem is shown at once.
    #[command(help_template = HELP, before_help = check::EXAMPLES)]
    Check(check::Args),
    /// Try a candidate on the cases of the past: what would flip, and what it would cost.
    #[command(help_template = HELP, before_help = backtest::EXAMPLES)]
    Backtest(backtest::Args),
    /// Make a file the workflow that new cases take.
    #[command(help_template = HELP, before_help = publish::EXAMPLES)]
    Publish(publish::Args),
    /// Run the tests of workflows, and tell what they do not reach.
    #[command(help_template = HELP, before_help = test::EXAMPLES)]
    Test(test::Args),
    /// Show all revisions, the newest first.
    #[command(help_template = HELP, before_help = list::EXAMPLES)]
    List(list::Args),
    /// Show what is live: which revision new cases take, since when and by whom, and on which revisions cases run.
    #[command(help_template = HELP, before_help = live::EXAMPLES)]
    Live(live::Args),
    /// Try a revision on a share of the new cases, make it active, or stop it.
    #[command(help_template = HELP, before_help = canary::EXAMPLES)]
    Canary(canary::Args),
    /// Let cases of one revision go on with another, or say what would become of them.
    #[command(help_template = HELP, before_help = migrate::EXAMPLES)]
    Migrate(migrate::Args),
    /// Delete revisions that no case ever ran on and that are out of use for long.
    #[command(help_template = HELP, before_help = gc::EXAMPLES)]
    Gc(gc::Args),
    /// Keep a text before it is published, also one with problems.
    #[command(subcommand, before_help = draft::EXAMPLES)]
    Draft(draft::Verb),
    /// Pause all cases of a revision: nothing of them moves or leaves until it is resumed.
    #[command(help_template = HELP, before_help = hold::HOLD_EXAMPLES)]
    Hold(hold::Args),
    /// Show the revisions that are on hold, and how many cases they pause.
    #[command(help_template = HELP, before_help = hold::HELD_EXAMPLES)]
    Held(hold::HeldArgs),
    /// Let the cases of a revision that is on hold go on.
    #[command(help_template = HELP, before_help = hold::RESUME_EXAMPLES)]
    Resume(hold::Args),
    /// Show the text of a revision, with the plugins that it is pinned to.
    #[command(help_template = HELP, before_help = show::EXAMPLES)]
    Show(show::Args),
    /// Show what differs between two workflows by meaning, step by step and field by field.
    #[command(help_template = HELP, before_help = diff::EXAMPLES)]
    Diff(diff::Args),
    /// Put an overlay on another edition of its base.
    #[command(help_template = HELP, before_help = rebase::EXAMPLES)]
    Rebase(rebase::Args),
    /// Draw the process: SVG, Mermaid or Graphviz.
    #[command(help_template = HELP, before_help = graph::EXAMPLES)]
    Graph(graph::Args),
    /// Write the JSON Schema that editors complete and explain workflows with.
    #[command(help_template = HELP, before_help = schema::EXAMPLES)]
    Schema,
}

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::Check(args) => check::run(args, at, out),
        Verb::Backtest(args) => backtest::run(args, at, out),
        Verb::Publish(args) => publish::run(args, at, out),
        Verb::Test(args) => test::run(args, at, out),
        Verb::List(args) => list::run(args, at, out),
        Verb::Live(args) => live::run(args, at, out),
        Verb::Migrate(args) => migrate::run(args, at, out),
        Verb::Canary(args) => canary::run(args, at, out),
        Verb::Gc(args) => gc::run(args, at, out),
        Verb::Draft(verb) => draft::run(verb, at, out),
        Verb::Hold(args) => hold::hold(args, at, out),
        Verb::Held(args) => hold::held(args, at, out),
        Verb::Resume(args) => hold::resume(args, at, out),
        Verb::Show(args) => show::run(args, at, out),
        Verb::Diff(args) => diff::run(args, at, out),
        Verb::Rebase(args) => rebase::run(args, at, out),
        Verb::Graph(args) => graph::run(args, at, out),
        Verb::Schema => schema::run(at, out),
    }
}

/// Revisions as rows; `actives` are those that new cases take.
fn listing(engine: &Engine, revisions: &[Revision], actives: &[(Slug, Digest)]) -> Listing {
    let zone = engine.record().zone;
    let row = |revision: &Revision| {
        let is_active = actives.iter().any(|(name, active)| *name == revision.workflow && *active == revision.revision);
        let canary = engine.canary(&revision.workflow).map(|watched| watched.canary.revision);
        let state = workflows::state(revision.revision, is_active.then_some(revision.revision), canary);
        vec![
            Cell::Count(revision.number),
            Cell::text(&revision.workflow),
            Cell::Digest(revision.revision),
            Cell::Bool(is_active),
            Cell::text(state),
            Cell::Time(revision.published_at),
            Cell::text(&revision.by.id),
            Cell::text(&revision.note),
        ]
    };
    Listing {
        columns: vec!["number", "workflow", "revision", "active", "state", "published_at", "by", "note"],
        hidden: &[],
        zone,
        rows: revisions.iter().map(row).collect(),
    }
}
