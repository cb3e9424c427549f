//! Objects: plugin binaries and evidence, each a file named after its SHA-256.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use redress_domain::ids::Digest;

use crate::error::Fault;
use crate::file;
use crate::limits::OBJECT_BYTES_MAX;

/// A folder of objects. What is read is always what its name says, or an error.
#[derive(Debug, Clone)]
pub struct Objects {
    folder: PathBuf,
}

/// Why an object could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// There is no such object.
    #[error("object {digest} is missing")]
    Missing {
        /// The object.
        digest: Digest,
    },
    /// The file is not what its name says: damaged, or changed by someone.
    #[error("object {digest} is damaged, its bytes have another digest")]
    Damaged {
        /// The object.
        digest: Digest,
    },
    /// It is larger than an object may be.
    #[error("object has more than {max} bytes")]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// The folder could not be read or written.
    #[error("object {digest} could not be {attempt}")]
    Io {
        /// What was attempted, in the past tense.
        attempt: &'static str,
        /// The object.
        digest: Digest,
        /// What the system said.
        #[source]
        source: Fault,
    },
}

impl Objects {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Keep an object; it is on disk when its digest is answered. One that is there already, undamaged, is left alone.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, ObjectError> {
        if bytes.len() as u64 > OBJECT_BYTES_MAX {
            return Err(ObjectError::TooLarge { max: OBJECT_BYTES_MAX });
        }
        let digest = Digest::of(bytes);
        match self.get(digest) {
            Ok(_) => return Ok(digest),
            Err(ObjectError::Missing { .. } | ObjectError::Damaged { .. } | ObjectError::TooLarge { .. }) => {}
            Err(error) => return Err(error),
        }
        self.write(&self.path(digest), bytes).map_err(|error| io_error("kept", digest, error))?;
        Ok(digest)
    }

    /// Read an object and check that it is what its name says.
    pub fn get(&self, digest: Digest) -> Result<Vec<u8>, ObjectError> {
        let file = match File::open(self.path(digest)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ObjectError::Missing { digest }),
            Err(error) => return Err(io_error("opened", digest, error)),
        };
        let mut bytes = Vec::new();
        file.take(OBJECT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| io_error("read", digest, error))?;
        if bytes.len() as u64 > OBJECT_BYTES_MAX {
            return Err(ObjectError::TooLarge { max: OBJECT_BYTES_MAX });
        }
        if Digest::of(&bytes) != digest {
            return Err(ObjectError::Damaged { digest });
        }
        Ok(bytes)
    }

    /// Where an object lies: a folder for each first byte keeps folders small.
    fn path(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        self.folder.join(&name[..2]).join(&name[2..])
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        static ATTEMPT: AtomicU64 = AtomicU64::new(0);
        if let Some(shelf) = path.parent() {
            fs::create_dir_all(shelf)?;
            file::sync_folder(shelf)?;
        }
        // Two threads may keep the same object at once: each writes its own file, and both rename it to the same bytes.
        let temporary = path.with_extension(format!("new{}", ATTEMPT.fetch_add(1, Ordering::Relaxed)));
        File::create(&temporary)?.write_all(bytes)?;
        file::publish(&temporary, path)
    }
}

fn io_error(attempt: &'static str, digest: Digest, error: io::Error) -> ObjectError {
    ObjectError::Io { attempt, digest, source: error.into() }
}
