//! How a command ends, for each error of each part.

use redress_store::error::OpenError;
use redress_store::host::HostError;

use super::Exit;
use crate::import::FileError;
use crate::publish::watch;
use crate::{app, backtest, engine, import, publish, replay, serve};

/// Exhaustive, so that a new error is given a class by somebody.
pub(super) fn app_exit(error: &app::Error) -> Exit {
    match error {
        app::Error::Host(HostError::Open(OpenError::DataInUse { .. } | OpenError::Exists { .. })) => Exit::Conflict,
        app::Error::Host(HostError::Open(OpenError::Missing { .. }) | HostError::NoTenant { .. }) => Exit::NotFound,
        app::Error::TenantExists(_) | app::Error::Host(HostError::SlugTaken { .. }) => Exit::Conflict,
        app::Error::Host(HostError::Open(_) | HostError::Key(_) | HostError::Read(_) | HostError::Write(_)) => {
            Exit::Failure
        }
        app::Error::Sandbox(_) | app::Error::Workers(_) | app::Error::Stock(_) => Exit::Failure,
        app::Error::NotOpened { .. } => Exit::Failure,
        app::Error::NoTenant(_) => Exit::NotFound,
        app::Error::Engine(error) => engine_exit(error),
    }
}

pub(super) fn engine_exit(error: &engine::Error) -> Exit {
    use engine::Error as E;
    match error {
        E::Conflict(_) | E::OrderBelowReturned { .. } | E::Stale { .. } | E::OrderMoved => Exit::Conflict,
        E::Paused { .. } | E::OnHold { .. } => Exit::Conflict,
        E::Rejected(_) | E::Order(_) | E::Amount(_) => Exit::Invalid,
        E::Full | E::Read(_) | E::Append(_) | E::Damaged { .. } => Exit::Failure,
        E::Revision { .. } | E::Stopped | E::Internal => Exit::Failure,
    }
}

pub(super) fn serve_exit(error: &serve::Error) -> Exit {
    use serve::Error as E;
    match error {
        E::App(error) => app_exit(error),
        E::Listen { source, .. } if source.kind() == std::io::ErrorKind::AddrInUse => Exit::Conflict,
        E::Doors(watch::Error::Folder { source, .. }) => read_exit(source),
        E::Doors(watch::Error::Thread(_)) => Exit::Failure,
        E::Decisions { .. } => Exit::Conflict,
        E::Keys(_) | E::KeyFile { .. } | E::Heartbeat(_) | E::Machine(_) | E::Outbox(_) | E::Listen { .. } => {
            Exit::Failure
        }
    }
}

pub(super) fn backtest_exit(error: &backtest::Error) -> Exit {
    use backtest::Error as E;
    match error {
        E::Engine(error) => engine_exit(error),
        E::Publish(error) => publish_exit(error),
        E::NotCalled(_) | E::Nothing => Exit::Usage,
        E::Scratch(_) | E::Thread(_) => Exit::Failure,
    }
}

pub(super) fn replay_exit(error: &replay::Error) -> Exit {
    use replay::Error as E;
    match error {
        E::Engine(error) => engine_exit(error),
        E::NoCase(_) => Exit::NotFound,
        E::File(_) => Exit::Invalid,
        E::Thread(_) => Exit::Failure,
    }
}

pub(super) fn publish_exit(error: &publish::Error) -> Exit {
    use publish::Error as E;
    match error {
        E::Bundle(files) => files.first().map_or(Exit::Invalid, |(_, error)| publish_exit(error)),
        E::Refused(refusal) if refusal.is_infrastructure() => Exit::Failure,
        E::Invalid(_)
        | E::NoPart(_)
        | E::Tests(_)
        | E::Refused(_)
        | E::Name(_)
        | E::Breaks { .. }
        | E::CanaryUnfit { .. }
        | E::DraftUnfit { .. }
        | E::MigrationUnfit { .. } => Exit::Invalid,
        E::Moved { .. } | E::Overtaken | E::OlderFile | E::NothingBefore(_) | E::OnHold { .. } => Exit::Conflict,
        E::DraftsFull(_) => Exit::Conflict,
        E::NoHold { .. } | E::NoDraft(_) | E::NoPlugin(_) | E::NotStaged(_) => Exit::NotFound,
        E::InUse { .. } | E::NotGranted { .. } | E::CasesFull(_) => Exit::Conflict,
        E::CaseInvalid { .. } | E::CasesDiffer { .. } => Exit::Invalid,
        E::NoCase { .. } => Exit::NotFound,
        E::CasesUnasked { .. } => Exit::Failure,
        E::StageUnfit { .. } | E::UnknownFacts(_) | E::SignerUnfit(_) => Exit::Invalid,
        E::SignatureMissing | E::SignatureInvalid(_) => Exit::Invalid,
        E::NoWorkflow(_) | E::NoRevision { .. } | E::NoSuchRevision { .. } | E::NoCanary(_) | E::NeverPushed { .. } => {
            Exit::NotFound
        }
        E::Object(_) => Exit::Failure,
        E::Engine(error) => engine_exit(error),
    }
}

pub(super) fn import_code(error: &import::Error) -> &'static str {
    use import::Error as E;
    match error {
        E::File(FileError::Read { .. }) => "file_not_read",
        E::File(FileError::Empty { .. } | FileError::Columns { .. } | FileError::LongRow { .. }) => {
            "import_file_invalid"
        }
        E::TooManyRows => "import_too_large",
        E::Order { source, .. } | E::Case { source, .. } | E::Record(source) => source.code(),
    }
}

pub(super) fn import_exit(error: &import::Error) -> Exit {
    use import::Error as E;
    match error {
        E::File(FileError::Read { source, .. }) => read_exit(source),
        E::File(FileError::Empty { .. } | FileError::Columns { .. } | FileError::LongRow { .. }) => Exit::Invalid,
        E::TooManyRows => Exit::Invalid,
        E::Order { source, .. } | E::Case { source, .. } | E::Record(source) => engine_exit(source),
    }
}

pub(super) fn read_exit(error: &std::io::Error) -> Exit {
    if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failure }
}
