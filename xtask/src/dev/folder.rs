//! The demo's folder: what is kept where, from one start to the next.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::merchants::MERCHANTS;

/// Says that the folder is ours: only such a folder is ever deleted.
const MARK: &str = "redress-dev";
/// Random bytes of the secret that requests to the provider are signed with.
const SECRET_BYTES: usize = 24;

/// The folder.
pub(super) struct Folder {
    path: PathBuf,
    /// As people type it: relative to the repository where it lies in it.
    shown: String,
}

impl Folder {
    /// Open it, or make it; a fresh one is deleted first.
    pub(super) fn open(root: &Path, folder: &Path, fresh: bool) -> anyhow::Result<Self> {
        let path = root.join(folder);
        let mark = path.join(MARK);
        let is_used = path.read_dir().is_ok_and(|mut entries| entries.next().is_some());
        if is_used && !mark.exists() {
            bail!("{} holds something else than a demo: choose another with --folder", path.display());
        }
        if fresh && is_used {
            fs::remove_dir_all(&path).with_context(|| format!("could not delete {}", path.display()))?;
        }
        for name in ["keys", "mail", "log", "made", "plugins"] {
            let inner = path.join(name);
            fs::create_dir_all(&inner).with_context(|| format!("could not make {}", inner.display()))?;
        }
        fs::write(&mark, "Made by `cargo xtask dev`; `--fresh` deletes it.\n")?;
        // The host runs elsewhere and is given whole paths.
        let path = path.canonicalize()?;
        let shown = root.canonicalize().ok().and_then(|root| path.strip_prefix(root).ok().map(Path::to_owned));
        let shown = shown.unwrap_or_else(|| path.clone()).display().to_string();
        Ok(Self { path, shown })
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The host's data.
    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// The key of the host's operator; the host writes it at its first start.
    pub(super) fn operator_key(&self) -> PathBuf {
        self.data().join("operator.key")
    }

    /// The key of a role.
    pub(super) fn key(&self, merchant: &str, role: &str) -> PathBuf {
        self.path.join("keys").join(format!("{merchant}-{role}.key"))
    }

    /// The merchant's plugins: a folder that the host watches.
    pub(super) fn plugins(&self) -> PathBuf {
        self.path.join("plugins")
    }

    /// Where the merchant's mails go.
    pub(super) fn mail(&self, merchant: &str) -> anyhow::Result<PathBuf> {
        let folder = self.path.join("mail").join(merchant);
        fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
        Ok(folder)
    }

    /// What a process says on standard error.
    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.path.join("log").join(format!("{name}.log"))
    }

    /// What the provider did.
    pub(super) fn book(&self) -> PathBuf {
        self.path.join("provider.book")
    }

    /// There once a merchant was made as a whole: a start that was stopped in between is made again.
    pub(super) fn made(&self, merchant: &str) -> PathBuf {
        self.path.join("made").join(merchant)
    }

    /// Stock plugins under the names that workflows call them by. What stands there already is the user's.
    pub(super) fn put_plugins(&self, stock: &Path) -> anyhow::Result<()> {
        for merchant in &MERCHANTS {
            for plugin in merchant.plugins {
                let file = format!("{plugin}.wasm");
                let (from, to) = (stock.join(&file), self.plugins().join(merchant.name).join(&file));
                fs::create_dir_all(to.parent().context("a merchant's plugins have a folder")?)?;
                if !to.exists() {
                    fs::copy(&from, &to).with_context(|| format!("could not copy {}", from.display()))?;
                }
            }
        }
        Ok(())
    }

    /// What requests to the provider are signed with; made once.
    pub(super) fn secret(&self) -> anyhow::Result<String> {
        let path = self.path.join("keys/provider.secret");
        if let Ok(secret) = fs::read_to_string(&path) {
            return Ok(secret.trim().to_owned());
        }
        let mut bytes = [0; SECRET_BYTES];
        fs::File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes))?;
        let secret = format!("whsec_{}", base64(&bytes));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        writeln!(file, "{secret}")?;
        Ok(secret)
    }
}

/// Three bytes at a time: the secret has a multiple of three, so that nothing is filled up.
fn base64(bytes: &[u8; SECRET_BYTES]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| char::from(LETTERS[(bits & 63) as usize]);
    let three = |bytes: &[u8]| bytes.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
    let four = |bits: u32| [18, 12, 6, 0].map(|by| letter(bits >> by));
    bytes.chunks(3).flat_map(|bytes| four(three(bytes))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_something_else_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("mine");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("thesis.txt"), "years of work").unwrap();
        let error = Folder::open(root.path(), Path::new("mine"), true).err().unwrap().to_string();
        assert!(error.contains("--folder"), "{error}");
        assert!(folder.join("thesis.txt").exists());
    }

    #[test]
    fn a_fresh_start_forgets_what_a_kept_one_remembers() {
        let root = tempfile::tempdir().unwrap();
        let open = |fresh| Folder::open(root.path(), Path::new("dev"), fresh).unwrap();
        let first = open(false).secret().unwrap();
        assert_eq!((first.len(), open(false).secret().unwrap()), (38, first.clone()));
        assert_ne!(open(true).secret().unwrap(), first);
        assert_eq!(open(false).shown(), "dev");
    }

    #[test]
    fn base64_is_as_the_standard_has_it() {
        assert_eq!(base64(b"any carnal pleasure. abc"), "YW55IGNhcm5hbCBwbGVhc3VyZS4gYWJj");
    }
}
