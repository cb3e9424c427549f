//! `redress plugin`: components that workflows call.

mod list;
mod push;

use clap::Subcommand;

use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::{Global, HELP};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Check, compile and activate a component; workflows that call it get a new revision.
    #[command(help_template = HELP, before_help = push::EXAMPLES)]
    Push(push::Args),
    /// Show the merchant's own plugins and the stock ones.
    #[command(help_template = HELP, before_help = list::EXAMPLES)]
    List(list::Args),
}

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::Push(args) => push::run(args, at, out),
        Verb::List(args) => list::run(args, at, out),
    }
}
