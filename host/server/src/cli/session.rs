//! Opening what a command works on, and who it works for.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use redress_domain::case::command::{Actor, ActorKind};
use redress_domain::workflow::yaml::SOURCE_BYTES_MAX;
use redress_sandbox::Wall;

use super::Global;
use super::error::Error;
use super::output::Format;
use crate::app::App;
use crate::clock::SystemClock;
use crate::config::Limits;
use crate::engine::Engine;

/// An open tenant. The engine stops before the host that it runs on.
pub(super) struct Session {
    /// The tenant's engine.
    pub(super) engine: Engine,
    /// The host.
    pub(super) app: App,
}

impl Global {
    /// The data folder that was given.
    pub(super) fn folder(&self) -> Result<&Path, Error> {
        let help = match self.server {
            Some(_) => {
                "this command opens the data folder itself, beside no running host: give --data DIR in place of --server"
            }
            None => "give --data DIR, or set REDRESS_DATA",
        };
        self.data.as_deref().ok_or(Error::Missing { what: "data folder", help })
    }

    /// Open the data folder; none is made by looking.
    pub(super) fn host(&self) -> Result<App, Error> {
        Ok(App::open_existing(self.folder()?, Arc::new(SystemClock), self.limits())?)
    }

    /// What this process allows itself.
    pub(super) fn limits(&self) -> Limits {
        Limits { plugin_compiler: self.compiler.clone(), ..Limits::default() }
    }

    /// Processes that run plugins.
    pub(super) fn processes(&self) -> Result<Wall, Error> {
        let help = "this command runs inside of another program, which has none: start the binary `redress`";
        self.processes.clone().ok_or(Error::Missing { what: "processes for plugins", help })
    }

    /// Open the tenant that was given.
    pub(super) fn session(&self) -> Result<Session, Error> {
        let help = "give --tenant NAME, or set REDRESS_TENANT; redress tenant list shows the tenants";
        let tenant = self.tenant.as_deref().ok_or(Error::Missing { what: "tenant", help })?;
        let app = self.host()?;
        Ok(Session { engine: app.engine(tenant)?, app })
    }

    /// The form of the data.
    pub(super) fn format(&self) -> Format {
        self.output.unwrap_or_default()
    }
}

/// Who gives the commands of the command line: it opens the files itself, so it may do everything.
pub(super) fn actor() -> Actor {
    Actor { kind: ActorKind::Key, id: "cli".to_owned(), role: "admin".to_owned() }
}

/// The text of a document. Of a file that is larger than any document no more is read than tells so.
pub(super) fn read_text(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(SOURCE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > SOURCE_BYTES_MAX {
        return Err(Error::Document {
            code: "document_too_large",
            file: path.display().to_string(),
            count: 1,
            problems: vec![format!("the file has more than {SOURCE_BYTES_MAX} bytes [too_large]")],
            help: "nothing was read; a document is 256 KiB at most",
        });
    }
    String::from_utf8(bytes).map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))
}

/// The bytes of a file.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}
