//! Why a command did not do what it was told: its code, its exit code, and what to do about it. All chosen here.

mod exits;
mod help;

use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use redress_domain::workflow::diagnostic::{self, Diagnostic};
use redress_store::audit::AuditFault;
use redress_store::error::{OpenError, ReadError};
use redress_store::host::HostError;

use super::answered::Answered;
use super::output::Out;
use super::words;
use crate::publish::suite::Failed;
use crate::{app, backtest, engine, import, keys, publish, replay, serve};
use exits::{
    app_exit, backtest_exit, engine_exit, import_code, import_exit, publish_exit, read_exit, replay_exit, serve_exit,
};

/// How a command ends, for whoever started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It was done.
    Done = 0,
    /// It failed.
    Failure = 1,
    /// The command line is not as it must be.
    Usage = 2,
    /// A workflow, a plugin or a mapping is not valid; nothing was changed.
    Invalid = 3,
    /// What was named does not exist.
    NotFound = 4,
    /// The key does not allow it.
    NotAllowed = 5,
    /// It conflicts with what is there.
    Conflict = 6,
    /// It took too long.
    Timeout = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The host.
    #[error(transparent)]
    App(#[from] app::Error),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// Publishing.
    #[error(transparent)]
    Publish(publish::Error),
    /// An import.
    #[error(transparent)]
    Import(#[from] import::Error),
    /// A backtest.
    #[error(transparent)]
    Backtest(backtest::Error),
    /// A replay.
    #[error(transparent)]
    Replay(replay::Error),
    /// What was decided would be decided otherwise now.
    #[error("{} different", words::count(usize::try_from(*.0).unwrap_or(usize::MAX), "decision"))]
    Different(u64),
    /// A host that serves.
    #[error(transparent)]
    Serve(serve::Error),
    /// A document with problems.
    #[error("{file} has {}", words::count(*count, "problem"))]
    Document {
        /// What the document is: the code.
        code: &'static str,
        /// The file.
        file: String,
        /// How many problems.
        count: usize,
        /// The problems, each with its place; none where they were printed as data.
        problems: Vec<String>,
        /// What to do.
        help: &'static str,
    },
    /// A file could not be read.
    #[error("{} could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The data could not be written.
    #[error("output could not be written")]
    Write(#[source] std::io::Error),
    /// Something that every command of this kind must be told.
    #[error("{what} is not given")]
    Missing {
        /// The option.
        what: &'static str,
        /// How to give it.
        help: &'static str,
    },
    /// The command does not come in this form.
    #[error("{command} cannot be written as {form}")]
    Form {
        /// The command.
        command: &'static str,
        /// The form.
        form: &'static str,
        /// Which forms there are.
        help: &'static str,
    },
    /// Something is there already.
    #[error("{} is not empty", path.display())]
    Taken {
        /// Where.
        path: PathBuf,
        /// What to do.
        help: &'static str,
    },
    /// A tool of another maker is not there.
    #[error("{tool} is not installed")]
    Tool {
        /// The tool.
        tool: String,
        /// How to install it.
        help: String,
    },
    /// A tool of another maker failed. What it said was shown.
    #[error("{tool} failed, nothing was built")]
    NotBuilt {
        /// The tool.
        tool: String,
    },
    /// No such thing.
    #[error("{what} {name:?} does not exist")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// As it was named.
        name: String,
        /// Where to look.
        help: String,
    },
    /// The beginning of a hash names several things.
    #[error("{what} {beginning:?} is the beginning of several")]
    Ambiguous {
        /// The kind of thing.
        what: &'static str,
        /// As it was named.
        beginning: String,
    },
    /// A cursor of another listing, or one that was cut.
    #[error("cursor {0:?} is not one of this listing")]
    Cursor(String),
    /// The host answered that it did not do it.
    #[error("{0}")]
    Answered(Box<Answered>),
    /// The host did not answer.
    #[error("host at {server} could not be reached")]
    Unreachable {
        /// Its address.
        server: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// An address that no request can have.
    #[error("address {address:?} could not be asked: {why}")]
    Address {
        /// The address.
        address: String,
        /// Why.
        why: String,
    },
    /// The keys of the host.
    #[error(transparent)]
    Keys(keys::Error),
    /// Something was found that is not as it must be.
    #[error("{} not as it must be", words::count(*.0, "thing"))]
    Unwell(usize),
    /// Tests did not pass.
    #[error("{failed} of {} failed", words::count(*.all, "test"))]
    Tests {
        /// How many failed.
        failed: usize,
        /// How many there were.
        all: usize,
    },
    /// The machine gives no threads.
    #[error("runtime could not be started")]
    Runtime(#[source] std::io::Error),
    /// The chain of records is broken.
    #[error("record {n} {}", fault_words(*fault))]
    Audit {
        /// The first number that is wrong.
        n: u64,
        /// What is wrong with it.
        fault: AuditFault,
    },
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<HostError> for Error {
    fn from(error: HostError) -> Self {
        Self::App(error.into())
    }
}

impl From<serve::Error> for Error {
    fn from(error: serve::Error) -> Self {
        match error {
            serve::Error::App(error) => Self::App(error),
            other => Self::Serve(other),
        }
    }
}

impl From<publish::Error> for Error {
    fn from(error: publish::Error) -> Self {
        match error {
            publish::Error::Engine(error) => Self::Engine(error),
            other => Self::Publish(other),
        }
    }
}

impl From<backtest::Error> for Error {
    fn from(error: backtest::Error) -> Self {
        match error {
            backtest::Error::Engine(error) => Self::Engine(error),
            backtest::Error::Publish(error) => error.into(),
            other => Self::Backtest(other),
        }
    }
}

impl From<replay::Error> for Error {
    fn from(error: replay::Error) -> Self {
        match error {
            replay::Error::Engine(error) => Self::Engine(error),
            other => Self::Replay(other),
        }
    }
}

impl Error {
    /// A document that was refused, with every problem at its place.
    pub(super) fn document(
        code: &'static str,
        file: &Path,
        text: &str,
        problems: &[Diagnostic],
        help: &'static str,
    ) -> Self {
        let file = file.display().to_string();
        let told = |problem: &Diagnostic| diagnostic::render(&file, text, problem);
        let (count, problems) = (problems.len(), problems.iter().map(told).collect());
        Self::Document { code, file, count, problems, help }
    }

    /// A workflow whose tests did not pass, with every failure at its place.
    pub(super) fn failed_tests(file: &Path, text: &str, failed: &[Failed]) -> Self {
        let told = |failed: &Failed| {
            let name = failed.file.as_ref().map_or_else(|| file.display().to_string(), |beside| beside.name.clone());
            let source = failed.file.as_ref().map_or(text, |beside| &beside.source).to_owned();
            let render = move |problem: &Diagnostic| diagnostic::render(&name, &source, problem);
            failed.problems.iter().map(render).collect::<Vec<_>>()
        };
        let problems: Vec<String> = failed.iter().flat_map(told).collect();
        let (count, help) = (problems.len(), "nothing was changed: the active revision stays");
        Self::Document { code: "tests_failed", file: file.display().to_string(), count, problems, help }
    }

    /// A host that did not answer.
    pub(super) fn unreachable(server: &str, source: reqwest::Error) -> Self {
        Self::Unreachable { server: server.to_owned(), source }
    }

    /// The stable code.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::App(error) => error.code(),
            Self::Engine(error) => error.code(),
            Self::Publish(error) => error.code(),
            Self::Import(error) => import_code(error),
            Self::Backtest(error) => error.code(),
            Self::Replay(error) => error.code(),
            Self::Different(_) => "replay_differs",
            Self::Serve(error) => error.code(),
            Self::Document { code, .. } => code,
            Self::Read { .. } => "file_not_read",
            Self::Write(_) => "output_not_written",
            Self::Missing { .. } => "option_missing",
            Self::Form { .. } => "form_not_offered",
            Self::NotFound { what, .. } => match *what {
                "case" => "case_not_found",
                "import" => "import_not_found",
                "workflow" => "workflow_not_found",
                "revision" => "revision_not_found",
                "canary" => "canary_not_found",
                _ => "not_found",
            },
            Self::Taken { .. } => "folder_not_empty",
            Self::Tool { .. } => "tool_missing",
            Self::NotBuilt { .. } => "plugin_not_built",
            Self::Ambiguous { what: "component", .. } => "component_ambiguous",
            Self::Ambiguous { .. } => "revision_ambiguous",
            Self::Cursor(_) => "cursor_invalid",
            Self::Audit { .. } => "audit_broken",
            Self::Answered(answered) => &answered.code,
            Self::Unreachable { .. } => "host_unreachable",
            Self::Address { .. } => "address_invalid",
            Self::Keys(_) => "store_failed",
            Self::Runtime(_) => "host_not_started",
            Self::Tests { .. } => "tests_failed",
            Self::Unwell(_) => "not_well",
        }
    }

    /// How the command ends.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::App(error) => app_exit(error),
            Self::Engine(error) => engine_exit(error),
            Self::Publish(error) => publish_exit(error),
            Self::Import(error) => import_exit(error),
            Self::Backtest(error) => backtest_exit(error),
            Self::Replay(error) => replay_exit(error),
            Self::Serve(error) => serve_exit(error),
            Self::Document { .. } | Self::Tests { .. } | Self::NotBuilt { .. } => Exit::Invalid,
            Self::Taken { .. } => Exit::Conflict,
            Self::Tool { .. } => Exit::Failure,
            Self::Read { source, .. } => read_exit(source),
            Self::Answered(answered) => answered.exit(),
            Self::Unreachable { source, .. } if source.is_timeout() => Exit::Timeout,
            Self::Unreachable { .. } | Self::Keys(_) | Self::Runtime(_) => Exit::Failure,
            Self::Address { .. } => Exit::Usage,
            Self::Write(_) | Self::Audit { .. } | Self::Unwell(_) | Self::Different(_) => Exit::Failure,
            Self::Missing { .. } | Self::Form { .. } | Self::Ambiguous { .. } | Self::Cursor(_) => Exit::Usage,
            Self::NotFound { .. } => Exit::NotFound,
        }
    }

    /// What to do about it, where that is known.
    fn help(&self) -> Option<String> {
        let help = match self {
            Self::App(app::Error::Host(HostError::Open(OpenError::DataInUse { .. }))) => {
                "a running host has it: stop it, or speak to it with --server URL --key-file FILE"
            }
            Self::App(app::Error::Host(HostError::Open(OpenError::Missing { .. }))) => {
                "make a tenant first: redress tenant create NAME --data DIR ..."
            }
            Self::App(app::Error::TenantExists(_)) => "choose another name",
            Self::App(app::Error::NoTenant(_)) => "redress tenant list shows the tenants",
            Self::Engine(engine::Error::Full | engine::Error::Conflict(_)) => "try again",
            Self::Publish(error) => return help::publish(error).map(str::to_owned),
            Self::Import(import::Error::File(_) | import::Error::TooManyRows) => "nothing was handed in",
            Self::Import(_) => "what was handed in before stays; run the same import again to go on",
            Self::Serve(serve::Error::Listen { source, .. }) => help::listen(source),
            Self::Serve(serve::Error::KeyFile { .. }) => "make the data folder writable for the user that serves",
            Self::Serve(serve::Error::Decisions { .. }) => {
                "go back to the program before, and compare: redress replay --all; or serve with --accept-decisions"
            }
            Self::Ambiguous { .. } => "give more digits",
            Self::Cursor(_) => "take what the page before ended with, for the same command",
            Self::Audit { .. } => {
                "compare with the last backup; the records before this number are as they were written"
            }
            Self::Missing { help, .. } | Self::Form { help, .. } | Self::Document { help, .. } => help,
            Self::NotFound { help, .. } | Self::Tool { help, .. } => help.as_str(),
            Self::Taken { help, .. } => help,
            Self::NotBuilt { .. } => "what the tool said stands above",
            Self::Answered(answered) => return answered.help(),
            Self::Unreachable { .. } => "is it running, and is this its address? redress serve says where it listens",
            Self::Tests { .. } => "each failure says what was expected, what was found, and which way the case went",
            Self::Unwell(_) => "the last column says what to do",
            Self::Different(_) => {
                "a record was changed, a plugin is not deterministic, or this program decides otherwise: docs/replay.md"
            }
            Self::Replay(replay::Error::File(_)) => "redress replay CASE --export FILE writes one",
            Self::Address { .. } | Self::Keys(_) | Self::Runtime(_) => return None,
            Self::Backtest(backtest::Error::NotCalled(_)) => {
                "name the plugin as the workflow does, without its version; redress workflow show tells what it calls"
            }
            Self::App(_) | Self::Engine(_) | Self::Serve(_) | Self::Backtest(_) => return None,
            Self::Replay(_) => return None,
            Self::Read { path, source } => return help::read(path, source).map(str::to_owned),
            Self::Write(_) => return None,
        };
        Some(help.to_owned())
    }

    /// What stands before the error: the problems of a document.
    fn problems(&self) -> Vec<String> {
        match self {
            Self::Document { problems, .. } => problems.clone(),
            Self::Publish(publish::Error::Breaks { problems, .. }) => {
                let told = |one: &Diagnostic| format!("{}: {} [{}]", one.path, one.message, one.code);
                problems.iter().map(told).collect()
            }
            Self::Publish(publish::Error::CasesDiffer { differing, .. }) => {
                differing.iter().map(|one| format!("{}: {}", one.case, words::clean(&one.detail))).collect()
            }
            Self::Answered(answered) => answered.places.clone(),
            _ => Vec::new(),
        }
    }
}

/// Say what went wrong: the problems of a document, one line, the causes below it, and what to do.
pub(super) fn report(error: &Error, out: &mut Out<'_>) {
    for problem in error.problems() {
        out.say(problem.trim_end());
    }
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let label = out.styled(false, red, &format!("error[{}]", error.code()));
    out.say(&format!("{label}: {error}"));
    let mut cause = error.source();
    while let Some(deeper) = cause {
        out.say(&format!("  because: {deeper}"));
        cause = deeper.source();
    }
    if let Some(help) = error.help() {
        let label = out.styled(false, Style::new().bold(), "help");
        out.say(&format!("{label}: {help}"));
    }
}

fn fault_words(fault: AuditFault) -> &'static str {
    match fault {
        AuditFault::Missing => "is missing: it was deleted",
        AuditFault::Repeated => "is there twice: it was copied",
        AuditFault::Changed => "does not fit its hash: it was edited or moved",
        AuditFault::Head => "does not fit the end of the chain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(error: &Error) -> String {
        let (mut data, mut talk) = (Vec::new(), Vec::new());
        report(error, &mut Out::new(&mut data, &mut talk));
        assert!(data.is_empty());
        String::from_utf8(talk).unwrap()
    }

    #[test]
    fn an_error_is_one_line_with_its_code_then_the_causes_then_what_to_do() {
        let missing = OpenError::Missing { path: "data/system.redb".into() };
        let error = Error::from(HostError::from(missing));
        assert_eq!(
            said(&error),
            "error[data_not_found]: data folder could not be opened\n  \
             because: store could not be opened\n  \
             because: data/system.redb does not exist\n\
             help: make a tenant first: redress tenant create NAME --data DIR ...\n"
        );
        assert_eq!(error.exit(), Exit::NotFound);
    }

    #[test]
    fn a_data_folder_in_use_and_a_name_that_is_taken_are_conflicts() {
        let in_use = Error::from(HostError::from(OpenError::DataInUse { path: "d".into() }));
        assert_eq!((in_use.code(), in_use.exit()), ("data_in_use", Exit::Conflict));
        let taken = Error::from(app::Error::TenantExists("shop".to_owned()));
        assert_eq!((taken.code(), taken.exit()), ("tenant_exists", Exit::Conflict));
    }
}
