//! `redress task`: what waits for a person.

mod list;

use clap::Subcommand;

use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::{Global, HELP};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Show open tasks, the oldest first.
    #[command(help_template = HELP, before_help = list::EXAMPLES)]
    List(list::Args),
}

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::List(args) => list::run(args, at, out),
    }
}
