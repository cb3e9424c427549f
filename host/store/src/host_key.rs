//! The host's key: 32 secret bytes in a file of their own, for the MAC of what this host writes and must trust again.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::Fault;
use crate::file;

/// How many bytes the key has.
const KEY_BYTES: usize = 32;

/// The host's key. It shows itself to nobody but `bytes`.
#[derive(Clone)]
pub struct HostKey([u8; KEY_BYTES]);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// The file is not a key.
    #[error("{} is not a key of 32 bytes", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read or change the file.
    #[error("{} is open to others, its mode must be 0600", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be read or written.
    #[error("{} could not be {attempt}", path.display())]
    Io {
        /// What was attempted, in the past tense.
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Fault,
    },
}

impl HostKey {
    /// A key of these random bytes that no file holds: for what lives and dies in memory.
    pub fn unkept(random: [u8; KEY_BYTES]) -> Self {
        Self(random)
    }

    /// The 32 bytes.
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Read the key, or make the given random bytes the key if there is none yet.
    pub(crate) fn read_or_create(path: &Path, random: [u8; KEY_BYTES]) -> Result<Self, HostKeyError> {
        match write(path, &random) {
            // There is a key, perhaps since a moment ago.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => result.map_err(|error| io_error("created", path, error))?,
        }
        Self::read(path)
    }

    /// Read the key; one that others may read is refused.
    pub(crate) fn read(path: &Path) -> Result<Self, HostKeyError> {
        let file = File::open(path).map_err(|error| io_error("opened", path, error))?;
        if exposed(&file).map_err(|error| io_error("examined", path, error))? {
            return Err(HostKeyError::Exposed { path: path.to_owned() });
        }
        let mut bytes = Vec::with_capacity(KEY_BYTES + 1);
        file.take(KEY_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|error| io_error("read", path, error))?;
        bytes.try_into().map(Self).map_err(|_| HostKeyError::Malformed { path: path.to_owned() })
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostKey(..)")
    }
}

/// Write the key under a temporary name that is closed to others from its first moment.
fn write(path: &Path, key: &[u8]) -> io::Result<()> {
    let temporary = file::temporary(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&temporary)?.write_all(key)?;
    file::publish_new(&temporary, path)
}

#[cfg(unix)]
fn exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn exposed(_: &File) -> io::Result<bool> {
    Ok(false)
}

fn io_error(attempt: &'static str, path: &Path, error: io::Error) -> HostKeyError {
    HostKeyError::Io { attempt, path: path.to_owned(), source: error.into() }
}
