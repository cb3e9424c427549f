//! `redress key`: who may come in, and what they may do.

mod create;
mod list;
mod revoke;

use clap::Subcommand;

use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::{Global, HELP};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a key. It is shown once.
    #[command(help_template = HELP, before_help = create::EXAMPLES)]
    Create(create::Args),
    /// Show all keys, without their secrets.
    #[command(help_template = HELP, before_help = list::EXAMPLES)]
    List(list::Args),
    /// Take a key back: it opens nothing any more.
    #[command(help_template = HELP, before_help = revoke::EXAMPLES)]
    Revoke(revoke::Args),
}

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::Create(args) => create::run(args, at, out),
        Verb::List(args) => list::run(args, at, out),
        Verb::Revoke(args) => revoke::run(args, at, out),
    }
}
