//! `redress task`: what waits for a person.

mod claim;
mod complete;
mod list;
mod show;

use clap::Subcommand;

use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::{Global, HELP};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Show open tasks, the oldest first.
    #[command(help_template = HELP, before_help = list::EXAMPLES)]
    List(list::Args),
    /// Show a task: what it is about, what may be answered and what is to be filled in.
    #[command(help_template = HELP, before_help = show::EXAMPLES)]
    Show(show::Args),
    /// Take a task: the others see whose it is.
    #[command(help_template = HELP, before_help = claim::EXAMPLES)]
    Claim(claim::Args),
    /// Give a task back.
    #[command(help_template = HELP, before_help = claim::RELEASE_EXAMPLES)]
    Release(claim::Args),
    /// Answer a task: the case goes on.
    #[command(help_template = HELP, before_help = complete::EXAMPLES)]
    Complete(complete::Args),
}

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::List(args) => list::run(args, at, out),
        Verb::Show(args) => show::run(args, at, out),
        Verb::Claim(args) => claim::claim(args, at, out),
        Verb::Release(args) => claim::release(args, at, out),
        Verb::Complete(args) => complete::run(args, at, out),
    }
}
