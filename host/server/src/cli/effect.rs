//! `redress effect`: what leaves the host, and what became of it.

mod list;
mod redeliver;
mod settle;
mod show;

use clap::Subcommand;

use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::{Global, HELP};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Show effects: first those that a person must settle, then those on their way, then the others.
    #[command(help_template = HELP, before_help = list::EXAMPLES)]
    List(list::Args),
    /// Show one effect with every attempt to deliver it.
    #[command(help_template = HELP, before_help = show::EXAMPLES)]
    Show(show::Args),
    /// Say what became of an effect.
    #[command(help_template = HELP, before_help = settle::EXAMPLES)]
    Settle(settle::Args),
    /// Deliver an effect again, under the same key.
    #[command(help_template = HELP, before_help = redeliver::EXAMPLES)]
    Redeliver(redeliver::Args),
}

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::List(args) => list::run(args, at, out),
        Verb::Show(args) => show::run(args, at, out),
        Verb::Settle(args) => settle::run(args, at, out),
        Verb::Redeliver(args) => redeliver::run(args, at, out),
    }
}
