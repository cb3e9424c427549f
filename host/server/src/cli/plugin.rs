//! `redress plugin`: components that workflows call, and the tools of those who write them.

mod bench;
mod build;
mod cases;
mod check;
mod diff;
mod inspect;
mod kit;
mod list;
mod new;
mod opened;
mod push;
mod run;
mod stages;

use clap::Subcommand;

use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::{Global, HELP};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Write a new plugin: a folder that builds, with a rule to change, a test and a case.
    #[command(help_template = HELP, before_help = new::EXAMPLES)]
    New(new::Args),
    /// Build a plugin with its language's tools, into build/NAME.wasm.
    #[command(help_template = HELP, before_help = build::EXAMPLES)]
    Build(build::Args),
    /// Ask a plugin everything that a host asks before it takes it, and your own cases.
    #[command(help_template = HELP, before_help = check::EXAMPLES)]
    Check(check::Args),
    /// Ask a plugin about one case: its answer, its fuel, its log.
    #[command(help_template = HELP, before_help = run::EXAMPLES)]
    Run(run::Args),
    /// Tell what a case costs, over many calls.
    #[command(help_template = HELP, before_help = bench::EXAMPLES)]
    Bench(bench::Args),
    /// Show what a plugin says about itself and what it is made of, without running it.
    #[command(help_template = HELP, before_help = inspect::EXAMPLES)]
    Inspect(inspect::Args),
    /// Tell which cases two plugins answer differently.
    #[command(help_template = HELP, before_help = diff::EXAMPLES)]
    Diff(diff::Args),
    /// Check, compile and activate a component; workflows that call it get a new revision.
    #[command(help_template = HELP, before_help = push::EXAMPLES)]
    Push(push::Args),
    /// Show the merchant's own plugins and the stock ones.
    #[command(help_template = HELP, before_help = list::EXAMPLES)]
    List(list::Args),
    /// Show one plugin: what calls it, what is staged beside it, and how that compares.
    #[command(help_template = HELP, before_help = stages::SHOW)]
    Show(stages::Named),
    /// Put a component beside the active one: as a shadow it is compared, as a canary it decides a share of the new cases.
    #[command(help_template = HELP, before_help = stages::STAGE)]
    Stage(stages::StageArgs),
    /// Make a component active that is staged or was active before.
    #[command(help_template = HELP, before_help = stages::ACTIVATE)]
    Activate(stages::ActivateArgs),
    /// Go back to the component that was active before.
    #[command(help_template = HELP, before_help = stages::ROLLBACK)]
    Rollback(stages::RollbackArgs),
    /// Take away what is staged.
    #[command(help_template = HELP, before_help = stages::STOP)]
    Stop(stages::EndArgs),
    /// Keep cases that every upload of a plugin is asked before it is taken.
    #[command(subcommand, help_template = HELP, before_help = cases::EXAMPLES)]
    Cases(cases::Verb),
    /// Say what a plugin may be told beside the case.
    #[command(help_template = HELP, before_help = stages::GRANT)]
    Grant(stages::GrantArgs),
    /// Show or say whose signatures of plugins count.
    #[command(help_template = HELP, before_help = stages::SIGNERS)]
    Signers(stages::SignersArgs),
    /// Remove a plugin that no workflow calls.
    #[command(help_template = HELP, before_help = stages::REMOVE)]
    Remove(stages::EndArgs),
}

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::New(args) => new::run(args, at, out),
        Verb::Build(args) => build::run(args, at, out),
        Verb::Check(args) => check::run(args, at, out),
        Verb::Run(args) => run::run(args, at, out),
        Verb::Bench(args) => bench::run(args, at, out),
        Verb::Inspect(args) => inspect::run(args, at, out),
        Verb::Diff(args) => diff::run(args, at, out),
        Verb::Push(args) => push::run(args, at, out),
        Verb::List(args) => list::run(args, at, out),
        Verb::Show(args) => stages::show(args, at, out),
        Verb::Stage(args) => stages::stage(args, at, out),
        Verb::Activate(args) => stages::activate(args, at, out),
        Verb::Rollback(args) => stages::rollback(args, at, out),
        Verb::Stop(args) => stages::stop(args, at, out),
        Verb::Cases(verb) => cases::run(verb, at, out),
        Verb::Grant(args) => stages::grant(args, at, out),
        Verb::Signers(args) => stages::signers(args, at, out),
        Verb::Remove(args) => stages::remove(args, at, out),
    }
}
