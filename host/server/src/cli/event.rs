//! `redress event`: what happens, as it happens.

mod tail;
mod tell;

use clap::Subcommand;

use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::{Global, HELP};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Show what happened, and with `--follow` what happens next.
    #[command(help_template = HELP, before_help = tail::EXAMPLES)]
    Tail(tail::Args),
    /// Tell what happened outside where no case is known that it is of: a workflow that wants it opens one.
    #[command(help_template = HELP, before_help = tell::EXAMPLES)]
    Tell(tell::Args),
}

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::Tail(args) => tail::run(args, at, out),
        Verb::Tell(args) => tell::run(args, at, out),
    }
}
