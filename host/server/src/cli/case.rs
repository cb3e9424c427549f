//! `redress case`: what is decided, and why.

pub(super) mod asked;
mod explain;
mod export;
mod list;
mod open;
pub(super) mod show;

use clap::Subcommand;

use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::{Global, HELP};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Open a case: its workflow is found by its type, or named.
    #[command(help_template = HELP, before_help = open::EXAMPLES)]
    Open(open::Args),
    /// Show cases page by page, the newest first.
    #[command(help_template = HELP, before_help = list::EXAMPLES)]
    List(list::Args),
    /// Show everything about a case: what was read, asked and decided, and why each line came out as it did.
    #[command(help_template = HELP, before_help = show::EXAMPLES)]
    Show(show::Args),
    /// Tell which conditions decided a case, and the value of each of their parts.
    #[command(help_template = HELP, before_help = explain::EXAMPLES)]
    Explain(explain::Args),
    /// Write all cases, ordered by the time of their opening and then by external id.
    #[command(help_template = HELP, before_help = export::EXAMPLES)]
    Export(export::Args),
}

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::Open(args) => open::run(args, at, out),
        Verb::List(args) => list::run(args, at, out),
        Verb::Show(args) => show::run(args, at, out),
        Verb::Explain(args) => explain::run(args, at, out),
        Verb::Export(args) => export::run(args, at, out),
    }
}
