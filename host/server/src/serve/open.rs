//! Opening what a host serves: the data folder, its time, its keys, its tenants.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redress_store::host::Host;

use super::{Error, heart};
use crate::app::{self, App};
use crate::clock::machine::Machine;
use crate::clock::random_bytes;
use crate::clock::steady::{SteadyClock, Trust};
use crate::config::Limits;
use crate::keys::{Keys, NewKey, Role};
use crate::publish;

/// The file with the operator's first key.
const KEY_FILE: &str = "operator.key";
/// The setting that says that the file was written: who deletes it later means it.
const KEY_WRITTEN: &str = "operator_key.written";

/// A host that is open and does not serve yet.
pub struct Opened {
    /// The host.
    pub app: App,
    /// Its time.
    pub clock: Arc<SteadyClock>,
    /// Who may come in.
    pub keys: Keys,
    /// Where the operator's first key was written, when this was the first start.
    pub operator_key: Option<PathBuf>,
}

/// Open a data folder, or make one.
///
/// # Errors
/// Another process uses the folder, or it cannot be read or written.
pub fn open(folder: &Path, machine: Arc<dyn Machine>, trust: Trust, limits: Limits) -> Result<Opened, Error> {
    let host = Host::open_or_create(folder, random_bytes())?;
    let clock = Arc::new(SteadyClock::start(machine, heart::read(&host)?, trust));
    let app = App::on(host, clock.clone(), limits)?;
    let keys = Keys::load(app.host())?;
    let operator_key = first_key(&app, &keys, folder)?;
    Ok(Opened { app, clock, keys, operator_key })
}

/// Open every tenant, so that its timers run; `told` hears how far it is. One that does not open is told of in the log, in
/// `/readyz` and in the figures; the others are served. Answers how many are open.
///
/// # Errors
/// The list of tenants cannot be read.
pub fn tenants(app: &App, mut told: impl FnMut(usize, usize)) -> Result<usize, Error> {
    let (all, mut open) = (app.host().tenants().map_err(app::Error::from)?, 0);
    for (done, tenant) in all.iter().enumerate() {
        told(done, all.len());
        match app.engine(tenant.slug.as_str()) {
            Ok(_) => open += 1,
            Err(error) => tracing::error!(
                tenant = %tenant.slug,
                code = error.code(),
                "tenant {} could not be opened, its requests are refused while the others are served: {}",
                tenant.slug,
                publish::chain(&error)
            ),
        }
    }
    Ok(open)
}

/// The operator's first key, in a file that only its owner reads. A crash in between leaves a key that nobody knows.
fn first_key(app: &App, keys: &Keys, folder: &Path) -> Result<Option<PathBuf>, Error> {
    if app.host().setting(KEY_WRITTEN)?.is_some() {
        return Ok(None);
    }
    let new = NewKey { tenant: None, role: Role::Operator, backdate: true, name: "first".to_owned() };
    let minted = keys.create(app.host(), app.clock(), new)?;
    let path = folder.join(KEY_FILE);
    write_secret(&path, &minted.secret).map_err(|source| Error::KeyFile { path: path.clone(), source })?;
    app.host().put_setting(KEY_WRITTEN, minted.record.id.as_bytes())?;
    Ok(Some(path))
}

/// Under a temporary name that is closed to others from its first moment; then under its own.
fn write_secret(path: &Path, secret: &str) -> io::Result<()> {
    let temporary = path.with_extension("key.new");
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    writeln!(file, "{secret}")?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}
