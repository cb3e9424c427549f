//! `redress audit`: whether the records are as they were written.

mod verify;

use clap::Subcommand;

use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::{Global, HELP};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Check the whole chain of records, and name the first one that is wrong.
    #[command(help_template = HELP, before_help = verify::EXAMPLES)]
    Verify(verify::Args),
}

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::Verify(args) => verify::run(args, at, out),
    }
}
