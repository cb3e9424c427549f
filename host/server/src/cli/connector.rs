//! `redress connector`: where refunds, goods and messages go.

mod list;
mod remove;
mod set;
mod test;

use clap::Subcommand;

use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::{Global, HELP};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Show where effects go, without secrets.
    #[command(help_template = HELP, before_help = list::EXAMPLES)]
    List(list::Args),
    /// Say where the effects of a kind go; what waited for a connector is sent then.
    #[command(help_template = HELP, before_help = set::EXAMPLES)]
    // Boxed: it has many more options than the others.
    Set(Box<set::Args>),
    /// Take a connector away; effects of its kind wait from then on.
    #[command(help_template = HELP, before_help = remove::EXAMPLES)]
    Remove(remove::Args),
    /// Try a connector: a signed request that asks for nothing, a login at a mail server, a file in a folder.
    #[command(help_template = HELP, before_help = test::EXAMPLES)]
    Test(test::Args),
}

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::List(args) => list::run(args, at, out),
        Verb::Set(args) => set::run(args, at, out),
        Verb::Remove(args) => remove::run(args, at, out),
        Verb::Test(args) => test::run(args, at, out),
    }
}
