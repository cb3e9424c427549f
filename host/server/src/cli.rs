//! The command line `redress`: noun, verb. Data goes to standard output, talk to standard error.
//!
//! One folder per noun, one file per verb, each with its arguments and then `run`. A command opens the data folder itself.

mod audit;
mod calendar;
mod case;
mod completion;
mod connector;
mod doctor;
mod effect;
mod event;
mod import;
mod key;
mod plugin;
mod replay;
mod serve;
mod task;
mod tenant;
mod workflow;

mod answered;
mod cursor;
mod door;
mod error;
mod json;
mod listing;
mod logs;
mod output;
mod session;
mod shown;
mod words;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use error::Exit;
use error::{Error, report};
use output::Format;
pub use output::Out;
use redress_sandbox::{Compiler, Wall, cell, compiler};

use crate::telemetry::Form;

/// Examples come first: they are what is looked for.
const HELP: &str = "\
{about-with-newline}
{before-help}{usage-heading} {usage}

{all-args}{after-help}";

const EXIT_CODES: &str = "\
Exit codes:
  0  it was done
  1  it failed
  2  the command line is not as it must be
  3  a workflow, a plugin or a mapping is not valid; nothing was changed
  4  what was named does not exist
  5  the key does not allow it
  6  it conflicts with what is there: the data folder is in use, the name is taken
  7  it took too long";

/// Redress runs a merchant's after-sales as durable cases.
#[derive(Debug, Parser)]
#[command(name = "redress", version, help_template = HELP, after_help = EXIT_CODES, before_help = "\
Examples:
  redress tenant create shop --zone Europe/London --currency GBP --locale en --jurisdiction UK --data data
  redress workflow check return.yaml
  redress workflow publish return.yaml --tenant shop --data data
  redress import --map import.yaml orders.csv.gz --tenant shop --data data
  redress case show C536379 --tenant shop --data data
")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    noun: Noun,
}

/// Options of every command.
#[derive(Debug, Args)]
struct Global {
    /// The data folder.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "REDRESS_DATA",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    data: Option<PathBuf>,
    /// A running host, in place of a data folder.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "REDRESS_SERVER",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    server: Option<String>,
    /// The file that holds the key for it.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "REDRESS_KEY_FILE",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    key_file: Option<PathBuf>,
    /// The tenant.
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "REDRESS_TENANT",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    tenant: Option<String>,
    /// The form of the data; `json` and `csv` are for programs and stay as they are.
    #[arg(long, global = true, value_name = "FORM", value_enum, help_heading = "Global options")]
    output: Option<Format>,
    /// Tell what happens on standard error; twice for more. REDRESS_LOG or RUST_LOG say it module by module.
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Global options")]
    verbose: u8,
    /// Where strangers' plugins are compiled; no option, since who starts the process decides.
    #[arg(skip)]
    compiler: Compiler,
    /// Where plugins run when `serve` is told to have processes for them.
    #[arg(skip)]
    processes: Option<Wall>,
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// Serve what is in the data folder: the API, timers, figures.
    #[command(help_template = HELP, before_help = serve::EXAMPLES)]
    Serve(serve::Args),
    /// Merchants of this host.
    #[command(subcommand, help_template = HELP)]
    Tenant(tenant::Verb),
    /// The rules: which steps a case takes.
    #[command(subcommand, help_template = HELP)]
    Workflow(workflow::Verb),
    /// Tables of days off, which business time is counted by.
    #[command(subcommand, help_template = HELP)]
    Calendar(calendar::Verb),
    /// Components that workflows call.
    #[command(subcommand, help_template = HELP)]
    Plugin(plugin::Verb),
    /// Bring in orders and cases of the past.
    #[command(help_template = HELP)]
    Import(import::Args),
    /// What is decided, and why.
    #[command(subcommand, help_template = HELP)]
    Case(case::Verb),
    /// What waits for a person.
    #[command(subcommand, help_template = HELP)]
    Task(task::Verb),
    /// What leaves the host, and what became of it.
    #[command(subcommand, help_template = HELP)]
    Effect(effect::Verb),
    /// Where refunds, goods and messages go.
    #[command(subcommand, help_template = HELP)]
    Connector(connector::Verb),
    /// What happens, as it happens.
    #[command(subcommand, help_template = HELP)]
    Event(event::Verb),
    /// Who may come in.
    #[command(subcommand, help_template = HELP)]
    Key(key::Verb),
    /// Whether what was decided would be decided again: the same rules, plugins and facts.
    #[command(help_template = HELP, before_help = replay::EXAMPLES)]
    Replay(replay::Args),
    /// Whether the records are as they were written.
    #[command(subcommand, help_template = HELP)]
    Audit(audit::Verb),
    /// Whether all is as it must be, and what to do where it is not.
    #[command(help_template = HELP, before_help = doctor::EXAMPLES)]
    Doctor(doctor::Args),
    /// Completion for a shell.
    #[command(help_template = HELP, before_help = completion::EXAMPLES)]
    Completion(completion::Args),
}

/// The first argument of a process that compiles one plugin for another process of this program. No help tells of it: it speaks
/// to nobody else.
const SANDBOX_COMPILE: &str = "sandbox-compile";

/// The first argument of a process that runs plugins for another process of this program.
const SANDBOX_RUN: &str = "sandbox-run";

/// Run the command that a process was started with. Plugins are compiled by processes of the same program, which also can run them.
pub fn run_process(args: impl IntoIterator<Item = OsString>, out: &mut Out<'_>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if args.get(1).is_some_and(|first| first == SANDBOX_COMPILE) {
        return compiler::answer();
    }
    if args.get(1).is_some_and(|first| first == SANDBOX_RUN) {
        return cell::serve();
    }
    run_with(args, Compiler::this_program(SANDBOX_COMPILE), Some(Wall::this_program(SANDBOX_RUN)), out).into()
}

/// Run one command inside of a process that is not this program: plugins are compiled in it.
pub fn run(args: impl IntoIterator<Item = OsString>, out: &mut Out<'_>) -> Exit {
    run_with(args, Compiler::InProcess, None, out)
}

fn run_with(
    args: impl IntoIterator<Item = OsString>,
    compiler: Compiler,
    processes: Option<Wall>,
    out: &mut Out<'_>,
) -> Exit {
    let mut cli = match read(args) {
        Ok(cli) => cli,
        Err(help) => return not_a_command(&help, out),
    };
    cli.global.compiler = compiler;
    cli.global.processes = processes;
    match &cli.noun {
        Noun::Serve(args) => logs::serve(args.log, cli.global.verbose),
        _ => logs::start(Form::Human, cli.global.verbose),
    }
    let done = dispatch(&cli, out).and_then(|()| out.flush().map_err(Error::Write));
    match done {
        Ok(()) => Exit::Done,
        // Who reads has seen enough, as `head` has.
        Err(Error::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            // What was found stands before what is said of it.
            drop(out.flush());
            report(&error, out);
            error.exit()
        }
    }
}

fn dispatch(cli: &Cli, out: &mut Out<'_>) -> Result<(), Error> {
    let at = &cli.global;
    match &cli.noun {
        Noun::Serve(args) => serve::run(args, at, out),
        Noun::Tenant(verb) => tenant::run(verb, at, out),
        Noun::Workflow(verb) => workflow::run(verb, at, out),
        Noun::Calendar(verb) => calendar::run(verb, at, out),
        Noun::Plugin(verb) => plugin::run(verb, at, out),
        Noun::Import(args) => import::run(args, at, out),
        Noun::Case(verb) => case::run(verb, at, out),
        Noun::Task(verb) => task::run(verb, at, out),
        Noun::Replay(args) => replay::run(args, at, out),
        Noun::Audit(verb) => audit::run(verb, at, out),
        Noun::Effect(verb) => effect::run(verb, at, out),
        Noun::Connector(verb) => connector::run(verb, at, out),
        Noun::Event(verb) => event::run(verb, at, out),
        Noun::Key(verb) => key::run(verb, at, out),
        Noun::Doctor(_) => doctor::run(at, out),
        Noun::Completion(args) => completion::run(args, out),
    }
}

/// What was written, with what variables say where nothing was.
fn read(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(args)?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    let is_written = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    match (is_written("data"), is_written("server")) {
        // A folder by its name, and a host by a variable that was set for other commands: the folder is meant.
        (true, false) => cli.global.server = None,
        (false, true) if !matches!(cli.noun, Noun::Serve(_)) => cli.global.data = None,
        (true, true) => {
            let message =
                "a data folder and a running host were both named, by --data and --server: name the one that is meant";
            return Err(command.error(ErrorKind::ArgumentConflict, message));
        }
        _ => {}
    }
    Ok(cli)
}

/// Help and the version are data; anything else that is no command is a mistake in the usage.
fn not_a_command(help: &clap::Error, out: &mut Out<'_>) -> Exit {
    let text = help.render();
    let to_data = !help.use_stderr();
    let text = if out.is_colored(to_data) { text.ansi().to_string() } else { text.to_string() };
    // Nobody is left to hear that this could not be said.
    drop(out.stream(to_data).write_all(text.as_bytes()).and_then(|()| out.flush()));
    if to_data { Exit::Done } else { Exit::Usage }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn ran(words: &[&str]) -> (Exit, String, String) {
        let (mut data, mut talk) = (Vec::new(), Vec::new());
        let words = std::iter::once(&"redress").chain(words).map(OsString::from);
        let exit = run(words, &mut Out::new(&mut data, &mut talk));
        (exit, String::from_utf8(data).unwrap(), String::from_utf8(talk).unwrap())
    }

    #[test]
    fn a_data_folder_and_a_host_are_not_both_named() {
        let (exit, data, talk) = ran(&["case", "list", "--data", "a", "--server", "http://127.0.0.1:9"]);
        assert_eq!((exit, data.as_str()), (Exit::Usage, ""));
        assert!(talk.contains("a data folder and a running host were both named"), "{talk}");
        assert!(read(["redress", "case", "list", "--data", "a"].map(OsString::from)).unwrap().global.server.is_none());
    }

    #[test]
    fn the_definition_of_the_arguments_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_is_data_and_begins_with_examples() {
        let (exit, data, talk) = ran(&["--help"]);
        assert_eq!((exit, talk.as_str()), (Exit::Done, ""));
        assert!(data.find("Examples:").unwrap() < data.find("Usage:").unwrap(), "{data}");
        assert!(data.contains("Exit codes:"), "{data}");
    }

    #[test]
    fn every_verb_shows_examples_before_its_usage() {
        let command = Cli::command();
        for noun in command.get_subcommands() {
            let verbs: Vec<_> = noun.get_subcommands().collect();
            let leaves = if verbs.is_empty() || ["import", "serve"].contains(&noun.get_name()) {
                [vec![noun], verbs].concat()
            } else {
                verbs
            };
            for leaf in leaves {
                let examples = leaf.get_before_help().map(ToString::to_string).unwrap_or_default();
                assert!(examples.starts_with("Examples:\n  redress "), "{} {}", noun.get_name(), leaf.get_name());
            }
        }
    }

    #[test]
    fn what_is_no_command_is_a_mistake_in_the_usage() {
        let (exit, data, talk) = ran(&["case", "lst"]);
        assert_eq!((exit, data.as_str()), (Exit::Usage, ""));
        assert!(talk.contains("list"), "{talk}");
    }

    #[test]
    fn a_reader_who_has_seen_enough_is_no_failure() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("return.yaml");
        std::fs::write(&file, "format: 1\n").unwrap();
        let mut talk = Vec::new();
        let words = ["redress", "workflow", "check"].map(OsString::from).into_iter().chain([file.into()]);
        let exit = run(words, &mut Out::new(&mut Closed, &mut talk));
        assert_eq!((exit, talk), (Exit::Done, Vec::new()));
    }
}
