//! `redress calendar`: tables of days off.

mod import;

use clap::Subcommand;

use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::{Global, HELP};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Print the days off of an iCalendar file as a table.
    #[command(help_template = HELP, before_help = import::EXAMPLES)]
    Import(import::Args),
}

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::Import(args) => import::run(args, at, out),
    }
}
