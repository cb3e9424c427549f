//! `redress event`: what happens, as it happens.

mod tail;

use clap::Subcommand;

use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::{Global, HELP};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Show what happened, and with `--follow` what happens next.
    #[command(help_template = HELP, before_help = tail::EXAMPLES)]
    Tail(tail::Args),
}

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::Tail(args) => tail::run(args, at, out),
    }
}
