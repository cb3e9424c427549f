//! Compiled components on disk, so that a start does not compile every plugin again.
//!
//! Loading an artifact runs what is in it as machine code, and wasmtime checks for honest mistakes only. So each
//! artifact carries an HMAC under a key that lies elsewhere; it is checked before anything else looks at the bytes,
//! and the checked bytes themselves are loaded, not the file once more. The key of an artifact covers the plugin's
//! digest and everything that decides whether the code fits this engine. A wrong MAC means a disk that fails or a
//! person who writes here: the plugin is compiled again and a person is called.
//!
//! The folder belongs to the host alone (mode 0700). Artifacts of earlier versions are not removed by this module;
//! deleting the folder while the host is stopped is always safe.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::Digest;
use crate::engine::WASMTIME_VERSION;
use crate::failure::Error;

/// The layout of an artifact: 32 bytes of MAC, then the code. A change of layout is a new number.
const FORMAT: u32 = 1;

const MAC_BYTES: usize = 32;

/// Where artifacts lie and how they are sealed.
#[derive(Clone)]
pub struct Config {
    /// The folder; made if it is missing. Nothing that users upload may reach it.
    pub dir: PathBuf,
    /// The key of the MAC. It must not lie in `dir`.
    pub key: [u8; 32],
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// What the cache holds for a plugin.
pub(crate) enum Found {
    /// Nothing that fits this engine.
    Nothing,
    /// An artifact whose MAC is right.
    Artifact(Vec<u8>),
    /// A file that this host did not write as it is now.
    Forged(PathBuf),
}

/// The artifact cache of one engine.
pub(crate) struct Cache {
    config: Config,
    compatibility: [u8; 32],
    written: AtomicU64,
}

impl Cache {
    pub(crate) fn open(config: Config, compatibility: [u8; 32]) -> Result<Self, Error> {
        prepare(&config.dir).map_err(|source| Error::CacheDir { dir: config.dir.clone(), source })?;
        Ok(Self { config, compatibility, written: AtomicU64::new(0) })
    }

    /// Reads and checks the artifact of a plugin.
    pub(crate) fn find(&self, digest: &Digest) -> Found {
        let path = self.path(digest);
        let mut bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
            Err(error) => {
                tracing::warn!(cache.path = %path.display(), %error, "could not read a cached artifact");
                return Found::Nothing;
            }
        };
        let Some((mac, code)) = bytes.split_at_checked(MAC_BYTES) else { return Found::Forged(path) };
        // Compared in constant time.
        if self.mac(digest, code).verify_slice(mac).is_err() {
            return Found::Forged(path);
        }
        bytes.drain(..MAC_BYTES);
        Found::Artifact(bytes)
    }

    /// Writes the artifact of a plugin, whole or not at all.
    pub(crate) fn put(&self, digest: &Digest, code: &[u8]) -> io::Result<()> {
        let path = self.path(digest);
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_extension(format!("{}-{number}.tmp", std::process::id()));
        let written = self.write(&temporary, digest, code).and_then(|()| fs::rename(&temporary, &path));
        if written.is_err() {
            // The file may never have been made; what matters is the first error.
            let _ = fs::remove_file(&temporary);
        }
        written?;
        File::open(&self.config.dir)?.sync_all()
    }

    fn write(&self, path: &Path, digest: &Digest, code: &[u8]) -> io::Result<()> {
        let mac = self.mac(digest, code).finalize().into_bytes();
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(&mac)?;
        file.write_all(code)?;
        file.sync_all()
    }

    fn mac(&self, digest: &Digest, code: &[u8]) -> Hmac<Sha256> {
        // Every part before the code has a fixed length but the version, which is preceded by its own.
        // HMAC itself fills a short key up to its block of 64 bytes with zeros.
        let mut block = [0; 64];
        block[..self.config.key.len()].copy_from_slice(&self.config.key);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        mac.update(&FORMAT.to_be_bytes());
        mac.update(digest);
        mac.update(&self.compatibility);
        mac.update(&(WASMTIME_VERSION.len() as u64).to_be_bytes());
        mac.update(WASMTIME_VERSION.as_bytes());
        mac.update(code);
        mac
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let engine = hex(&self.compatibility[..8]);
        self.config.dir.join(format!("{}-{WASMTIME_VERSION}-{engine}-{FORMAT}.artifact", hex(digest)))
    }
}

/// Makes the folder and closes it to everyone but the host's user.
fn prepare(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Bytes as lower case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Cache, Config, Found};

    const DIGEST: [u8; 32] = [9; 32];

    #[test]
    fn an_artifact_of_another_configuration_is_not_found_and_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let of = |compatibility: u8| {
            let config = Config { dir: dir.path().to_owned(), key: [1; 32] };
            Cache::open(config, [compatibility; 32]).unwrap()
        };
        let (ours, theirs) = (of(1), of(2));
        theirs.put(&DIGEST, b"code").unwrap();
        assert!(matches!(theirs.find(&DIGEST), Found::Artifact(code) if code == b"code"));
        assert!(matches!(ours.find(&DIGEST), Found::Nothing));
        // Even under our name its MAC covers the other configuration.
        std::fs::copy(theirs.path(&DIGEST), ours.path(&DIGEST)).unwrap();
        assert!(matches!(ours.find(&DIGEST), Found::Forged(path) if path == ours.path(&DIGEST)));
    }
}
