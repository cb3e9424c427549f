//! The files of one tenant behind one door: which there are, and their bytes.
//!
//! A tenant's folder is not trusted. It may be a link, as a mounted ConfigMap makes it, as long as it leads to a place inside the
//! watched folder; whatever is in it must really lie in it. A link that leads elsewhere, be it to the folder of another tenant, is
//! not followed. Every folder is entered once, so that links in a circle end.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::limits::{DEPTH_MAX, ENTRIES_MAX, PATH_BYTES_MAX, TENANT_FILES_MAX};
use crate::engine::tenant::RESERVED;

/// What a door takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// `.yaml` and `.yml`, in folders as deep as one likes.
    Workflows,
    /// `.wasm`, directly in the tenant's folder: the file's name is the plugin's.
    Plugins,
}

/// A file that may be handed in.
#[derive(Debug)]
pub(super) struct Found {
    /// The tenant's folder and the path in it, with `/`.
    pub(super) path: String,
    /// Where it lies, or why it is not read.
    pub(super) file: Result<PathBuf, String>,
}

impl Wanted {
    fn takes(self, name: &str, depth: usize) -> bool {
        match self {
            Self::Workflows => name.ends_with(".yaml") || name.ends_with(".yml"),
            Self::Plugins => name.ends_with(".wasm") && depth == 0,
        }
    }
}

/// The names in a folder of folders, one for each tenant, in order.
pub(super) fn names(root: &Path) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root).map_err(told)?.take(ENTRIES_MAX) {
        let name = entry.map_err(told)?.file_name().to_string_lossy().into_owned();
        let is_misplaced = Wanted::Workflows.takes(&name, 0) || Wanted::Plugins.takes(&name, 0);
        if !is_ignored(&name) && !RESERVED.contains(&name.as_str()) && (is_misplaced || root.join(&name).is_dir()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The files of a tenant's folder, by path; none where there is no such folder.
///
/// # Errors
/// The folder cannot be read, leads out of the watched one, or has more in it than is looked at.
pub(super) fn find(root: &Path, tenant: &str, wanted: Wanted) -> Result<Vec<Found>, String> {
    let real = match root.join(tenant).canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(told)?,
    };
    if !real.starts_with(root.canonicalize().map_err(told)?) {
        return Err("it leads out of the watched folder".to_owned());
    }
    let mut walk = Walk { home: real.clone(), wanted, found: Vec::new(), entered: BTreeSet::new(), entries: 0 };
    let mut waiting = vec![(real, tenant.to_owned(), 0)];
    while let Some((folder, path, depth)) = waiting.pop() {
        waiting.extend(walk.enter(&folder, &path, depth)?);
    }
    walk.found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(walk.found)
}

/// The bytes of a file; `None` when it has gone meanwhile.
///
/// # Errors
/// Why it is not read: the system's word, or it is longer than `max`.
pub(super) fn read(file: &Path, max: usize) -> Result<Option<Vec<u8>>, String> {
    let open = match fs::File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(told)?,
    };
    let mut bytes = Vec::new();
    open.take(max as u64 + 1).read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() > max {
        return Err(format!("it has more than {max} bytes"));
    }
    Ok(Some(bytes))
}

struct Walk {
    /// Where the tenant's folder really is.
    home: PathBuf,
    wanted: Wanted,
    found: Vec<Found>,
    entered: BTreeSet<PathBuf>,
    entries: usize,
}

type Folder = (PathBuf, String, usize);

impl Walk {
    /// Take the files of a folder. Answers the folders in it.
    fn enter(&mut self, folder: &Path, path: &str, depth: usize) -> Result<Vec<Folder>, String> {
        let mut folders = Vec::new();
        if !self.entered.insert(folder.to_owned()) {
            return Ok(folders);
        }
        for entry in fs::read_dir(folder).map_err(|error| format!("{path}: {}", told(error)))? {
            let entry = entry.map_err(told)?;
            self.entries += 1;
            if self.entries > ENTRIES_MAX {
                return Err(format!("it has more than {ENTRIES_MAX} entries"));
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_ignored(&name) {
                continue;
            }
            let (file, path) = (entry.path(), format!("{path}/{name}"));
            match self.real(&file, &path) {
                Ok(None) => {}
                Ok(Some(real)) if real.is_dir() && depth < DEPTH_MAX => folders.push((real, path, depth + 1)),
                Ok(Some(real)) if real.is_file() && self.wanted.takes(&name, depth) => self.take(path, Ok(real))?,
                Err(why) if self.wanted.takes(&name, depth) => self.take(path, Err(why))?,
                // Neither a file nor a folder, or none that is wanted.
                Ok(Some(_)) | Err(_) => {}
            }
        }
        Ok(folders)
    }

    fn take(&mut self, path: String, file: Result<PathBuf, String>) -> Result<(), String> {
        if self.found.len() == TENANT_FILES_MAX {
            return Err(format!("it has more than {TENANT_FILES_MAX} files"));
        }
        self.found.push(Found { path, file });
        Ok(())
    }

    /// Where an entry really lies; `None` when it has gone meanwhile.
    fn real(&self, file: &Path, path: &str) -> Result<Option<PathBuf>, String> {
        if path.len() > PATH_BYTES_MAX {
            return Err(format!("its path has more than {PATH_BYTES_MAX} bytes"));
        }
        match file.canonicalize() {
            Ok(real) if real.starts_with(&self.home) => Ok(Some(real)),
            Ok(_) => Err("it is a link that leads out of its tenant's folder".to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !file.is_symlink() => Ok(None),
            Err(error) => Err(told(error)),
        }
    }
}

/// What editors, file systems and people leave beside what is meant.
fn is_ignored(name: &str) -> bool {
    name.starts_with(['.', '_']) || name.ends_with('~')
}

/// The system's word without the path on this machine.
fn told(error: io::Error) -> String {
    error.kind().to_string()
}
