//! `redress workflow`: the rules, which steps a case takes.

mod backtest;
mod check;
mod diff;
mod graph;
mod list;
mod live;
mod publish;
mod rebase;
mod schema;
mod show;
mod test;
mod text;

use clap::Subcommand;
use redress_domain::clock::Zone;
use redress_domain::ids::{Digest, Slug};

use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::Out;
use crate::cli::{Global, HELP};
use crate::publish::workflows::Revision;

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
        Verb::Show(args) => show::run(args, at, out),
        Verb::Diff(args) => diff::run(args, at, out),
        Verb::Rebase(args) => rebase::run(args, at, out),
        Verb::Graph(args) => graph::run(args, at, out),
        Verb::Schema => schema::run(at, out),
    }
}

/// Revisions as rows; `actives` are those that new cases take.
fn listing(revisions: &[Revision], actives: &[(Slug, Digest)], zone: Zone) -> Listing {
    let row = |revision: &Revision| {
        let is_active = actives.iter().any(|(name, active)| *name == revision.workflow && *active == revision.revision);
        vec![
            Cell::Count(revision.number),
            Cell::text(&revision.workflow),
            Cell::Digest(revision.revision),
            Cell::Bool(is_active),
            Cell::Time(revision.published_at),
            Cell::text(&revision.by.id),
            Cell::text(&revision.note),
        ]
    };
    Listing {
        columns: vec!["number", "workflow", "revision", "active", "published_at", "by", "note"],
        hidden: &[],
        zone,
        rows: revisions.iter().map(row).collect(),
    }
}
