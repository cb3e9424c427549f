//! Which tests belong to which workflow: by what the files say, and by the folder that they lie in.

use std::fs;
use std::path::{Path, PathBuf};

use redress_domain::ids::Slug;

use crate::cli::error::Error;
use crate::cli::session::{read_bytes, read_text};
use crate::publish::suite::{self, TestFile};

/// Files that one command looks at.
const FILES_MAX: usize = 10_000;
/// Folders inside each other.
const DEPTH_MAX: usize = 16;

/// A text with its file's name.
pub(super) type Text = TestFile;

/// A workflow with its tests.
pub(in crate::cli) struct Suite {
    /// The workflow.
    pub(super) workflow: Text,
    /// Whether the tests inside it are wanted.
    pub(super) takes_inside: bool,
    /// The files with tests.
    pub(super) beside: Vec<TestFile>,
}

/// A file that is a workflow or holds tests of one.
struct Found {
    path: PathBuf,
    text: Text,
    what: What,
}

enum What {
    Workflow(Slug),
    Tests(Slug),
}

/// The workflows that are named, or whose tests are, each with its tests.
pub(super) fn suites(paths: &[PathBuf]) -> Result<Vec<Suite>, Error> {
    let (mut suites, mut left): (Vec<(PathBuf, Slug, Suite)>, Vec<Found>) = Default::default();
    for found in named(paths)? {
        match &found.what {
            What::Workflow(name) => {
                let beside = tests_beside(&found.path, name)?;
                let (path, name) = (found.path.clone(), name.clone());
                suites.push((path, name, Suite { workflow: found.text, takes_inside: true, beside }));
            }
            What::Tests(_) => left.push(found),
        }
    }
    for found in left {
        let What::Tests(name) = &found.what else { continue };
        let folder = folder(&found.path);
        let known = suites.iter_mut().find(|(path, of, _)| of == name && self::folder(path) == folder);
        if let Some((_, _, suite)) = known {
            if suite.beside.iter().all(|beside| beside.name != found.text.name) {
                suite.beside.push(found.text);
            }
            continue;
        }
        let workflow = workflow_beside(&folder, name)?.ok_or_else(|| Error::NotFound {
            what: "workflow",
            name: name.to_string(),
            help: format!("{} tests it, and no file beside that one is it", found.path.display()),
        })?;
        let suite = Suite { workflow: workflow.text, takes_inside: false, beside: vec![found.text] };
        suites.push((workflow.path, name.clone(), suite));
    }
    if suites.is_empty() {
        let name = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ");
        let help = "give workflows, *.test.yaml, or folders that hold them".to_owned();
        return Err(Error::NotFound { what: "workflow", name, help });
    }
    Ok(suites.into_iter().map(|(_, _, suite)| suite).collect())
}

/// The files with tests of a workflow that lie beside it.
pub(in crate::cli) fn beside(file: &Path, source: &str) -> Result<Vec<TestFile>, Error> {
    match what(source) {
        Some(What::Workflow(name)) => tests_beside(file, &name),
        _ => Ok(Vec::new()),
    }
}

/// The workflows and tests of a folder and of the folders in it, or a workflow with the tests beside it, by the names that they have
/// there.
pub(in crate::cli) fn together(path: &Path) -> Result<Vec<TestFile>, Error> {
    if !path.is_dir() {
        let text = text(path)?;
        let beside = beside(path, &text.source)?;
        return Ok(std::iter::once(text).chain(beside).collect());
    }
    let found = named(&[path.to_owned()])?;
    let own = |found: Found| {
        let name = found.path.strip_prefix(path).unwrap_or(&found.path).display().to_string();
        TestFile { name, ..found.text }
    };
    Ok(found.into_iter().map(own).collect())
}

/// The plugins in a folder, with their names.
pub(super) fn plugins(folder: &Path, bytes_max: u64) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut plugins = Vec::new();
    for path in entries(folder)? {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        let failed = |source| Error::Read { path: path.clone(), source };
        if fs::metadata(&path).map_err(failed)?.len() > bytes_max {
            return Err(failed(std::io::Error::other(format!("it has more than {bytes_max} bytes"))));
        }
        plugins.push((name, read_bytes(&path)?));
    }
    Ok(plugins)
}

fn tests_beside(file: &Path, name: &Slug) -> Result<Vec<TestFile>, Error> {
    let mut tests = Vec::new();
    for path in entries(&folder(file))? {
        if !TestFile::is_named(&self::name(&path)) {
            continue;
        }
        let text = text(&path)?;
        match text.tests_for() {
            Some(of) if of == *name => tests.push(text),
            Some(_) => {}
            None => return Err(of_nothing(text)),
        }
    }
    Ok(tests)
}

fn workflow_beside(folder: &Path, name: &Slug) -> Result<Option<Found>, Error> {
    for path in entries(folder)?.into_iter().filter(|path| is_yaml(path)) {
        let text = text(&path)?;
        if let Some(what @ What::Workflow(_)) = what(&text.source)
            && matches!(&what, What::Workflow(of) if of == name)
        {
            return Ok(Some(Found { path, text, what }));
        }
    }
    Ok(None)
}

/// Every workflow and every file with tests that is named, or lies in a folder that is.
fn named(paths: &[PathBuf]) -> Result<Vec<Found>, Error> {
    let (mut found, mut looked_at) = (Vec::new(), 0);
    let mut waiting: Vec<(PathBuf, usize)> = paths.iter().rev().map(|path| (path.clone(), 0)).collect();
    while let Some((path, depth)) = waiting.pop() {
        looked_at += 1;
        if looked_at > FILES_MAX {
            let source = std::io::Error::other(format!("there are more than {FILES_MAX} files"));
            return Err(Error::Read { path, source });
        }
        if path.is_dir() {
            if depth < DEPTH_MAX {
                let inner = entries(&path)?.into_iter().filter(|path| path.is_dir() || is_yaml(path));
                let mut inner: Vec<_> = inner.map(|path| (path, depth + 1)).collect();
                inner.reverse();
                waiting.extend(inner);
            }
            continue;
        }
        let text = text(&path)?;
        match what(&text.source) {
            Some(what) => found.push(Found { path, text, what }),
            // Whoever names a file wants to know why nothing of it is run.
            None if depth == 0 => {
                let help =
                    "a workflow begins with `format: 1` and `workflow:`, tests with `format: 1` and `tests_for:`";
                return Err(Error::NotFound { what: "workflow", name: text.name, help: help.to_owned() });
            }
            None if TestFile::is_named(&name(&path)) => return Err(of_nothing(text)),
            None => {}
        }
    }
    Ok(found)
}

/// A file that is named like tests and does not say of what: its author believes that they are run.
fn of_nothing(text: Text) -> Error {
    let help = "it is named like tests, and does not say of which workflow: add `tests_for: NAME`".to_owned();
    Error::NotFound { what: "workflow", name: text.name, help }
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What a text says that it is.
fn what(source: &str) -> Option<What> {
    let tests = suite::named(source, "tests_for").map(What::Tests);
    tests.or_else(|| suite::named(source, "workflow").map(What::Workflow))
}

fn text(path: &Path) -> Result<Text, Error> {
    Ok(Text { name: path.display().to_string(), source: read_text(path)? })
}

fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// What lies in a folder, by name; without what editors and people leave there.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Read { path: folder.to_owned(), source };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = name(&path);
        if !name.starts_with(['.', '_']) && !name.ends_with('~') {
            entries.push(path);
        }
    }
    entries.sort();
    Ok(entries)
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}
