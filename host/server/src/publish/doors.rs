//! Watched folders: a second door to publishing, a folder for each tenant.
//!
//! A folder is a door, not a state. A file is handed in when its bytes differ from what this door handed in last under its path, and
//! when two looks in a row found the same bytes, so that nothing half-written gets in. So a restart with an unchanged folder changes
//! nothing and never undoes what came in by the API; a file that is deleted retires nothing.
//!
//! What was handed in is a row of the tenant's file, written in the same commit as what became active. A file that was refused has a
//! second row that tells what the tenant had, and is tried again when it has something else: a workflow when a plugin came or a
//! file with tests changed, a plugin when another workflow became active. Then it counts only where nothing came in another way
//! under its name since: a third row tells what had become active when its bytes were refused first.
//!
//! Files with tests (`*.test.yaml`) are never handed in themselves: they are read with the workflow beside them that they test.

mod document;
mod files;
mod limits;
mod tests;
mod together;
mod visit;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redress_domain::ids::{Digest, Slug};

use super::diagnostics::Located;
use super::{plugins, workflows};
use crate::app::{self, App};
use crate::engine::{self, Engine};
use document::Says;
use visit::Visit;

/// The folders that are watched; in each, a folder for each tenant, named after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folders {
    /// Workflows: `<tenant>/**.yaml` and `.yml`.
    pub workflows: Option<PathBuf>,
    /// Plugins: `<tenant>/<name>.wasm`.
    pub plugins: Option<PathBuf>,
}

/// What one look found. What was told in an earlier look and has not changed is not told again, except what failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Files that were handed in and taken, each with its revision or component.
    pub accepted: Vec<(String, Digest)>,
    /// Files that were handed in and refused.
    pub refused: Vec<String>,
    /// What lies there for no tenant.
    pub strangers: Vec<String>,
    /// Tenants and files that could not be looked at or handed in, and why; they are tried again.
    pub failed: Vec<(String, String)>,
    /// Files that have changed and want another look soon.
    pub pending: usize,
}

/// A file of a watched folder, as it was found last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorStatus {
    /// The tenant's folder and the path in it.
    pub path: String,
    /// The digest of its bytes; none where they could not be read.
    pub digest: Option<Digest>,
    /// What became of it.
    pub state: DoorState,
    /// The workflow that it is, where it says so.
    pub workflow: Option<Slug>,
    /// Whether what is active under its name is something else: it was refused, or something came in another way since.
    pub differs_from_active: bool,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoorState {
    /// It was handed in since the start, and is this revision or component.
    Published(Digest),
    /// It was handed in before the start and has not changed.
    Same,
    /// It has changed, and is handed in when it rests.
    Changing,
    /// It was refused; what was active stays.
    Refused(Refused),
    /// It could not be read or handed in; it is tried again.
    Unreadable(String),
}

/// Why a file was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The stable code.
    pub code: &'static str,
    /// The problems of a workflow, each with its place.
    pub problems: Vec<Located>,
    /// The same for a terminal.
    pub text: String,
}

/// What the doors of a host remember between two looks. It is all found again after a restart.
#[derive(Debug, Default)]
pub struct Memory {
    /// Held during a look: there is one at a time.
    look: Mutex<()>,
    tenants: Mutex<BTreeMap<Slug, Tenant>>,
    told: Mutex<Told>,
}

/// What the doors remember of one tenant.
#[derive(Debug, Clone, Default)]
struct Tenant {
    /// Of its files, by path.
    files: BTreeMap<String, Seen>,
    /// Of its files with tests, by path: what they held.
    tests: BTreeMap<String, Digest>,
}

/// A file as the last look found it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    content: Option<Digest>,
    state: DoorState,
    says: Option<Says>,
}

/// What was logged, so that it is logged once.
#[derive(Debug, Default)]
struct Told {
    strangers: BTreeSet<String>,
    failed: BTreeMap<String, String>,
}

/// Look at the folders once: plugins before workflows, one tenant after the other. A changed file is handed in when the look before
/// found the same bytes; `Report::pending` tells that another look is wanted.
pub fn scan(app: &App, folders: &Folders) -> Report {
    let memory = app.doors();
    let _alone = lock(&memory.look);
    let mut report = Report::default();
    for name in names(folders, &mut report) {
        let look = AssertUnwindSafe(|| look_at(app, folders, &name, &mut report));
        // A fault of ours at one tenant's files is no reason to leave out the others.
        if catch_unwind(look).is_err() {
            report.failed.push((name, "the look ended with a fault of ours, it is in the log".to_owned()));
        }
    }
    lock(&memory.told).tell(&mut report);
    report
}

/// The files of a tenant behind all doors, by path, as the last look found them.
///
/// # Errors
/// There is no such tenant, or its file cannot be read.
pub fn status(app: &App, tenant: &str) -> Result<Vec<DoorStatus>, app::Error> {
    let engine = app.engine(tenant)?;
    let seen = lock(&app.doors().tenants).get(&engine.record().slug).cloned().unwrap_or_default();
    let mut active = Active::of(&engine)?;
    let mut all = Vec::new();
    for (path, Seen { content, state, says, .. }) in seen.files {
        let differs_from_active = !match (&says, content) {
            (Some(says), _) => active.says(&engine, &says.workflow)? == Some(says.content),
            (None, Some(content)) => active.is_plugin(&path, content),
            (None, None) => false,
        };
        let workflow = says.map(|says| says.workflow);
        all.push(DoorStatus { path, digest: content, state, workflow, differs_from_active });
    }
    Ok(all)
}

/// Every name that stands in a folder for a tenant.
fn names(folders: &Folders, report: &mut Report) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for folder in [&folders.plugins, &folders.workflows].into_iter().flatten() {
        match files::names(folder) {
            Ok(names) => all.extend(names),
            Err(why) => report.failed.push((folder.display().to_string(), why)),
        }
    }
    all
}

fn look_at(app: &App, folders: &Folders, name: &str, report: &mut Report) {
    let engine = match app.engine(name) {
        Ok(engine) => engine,
        Err(app::Error::NoTenant(_)) => return report.strangers.push(name.to_owned()),
        Err(error) => return report.failed.push((name.to_owned(), super::chain(&error))),
    };
    let slug = engine.record().slug.clone();
    let tenants = &app.doors().tenants;
    // A copy, so that nobody who asks for the status waits for a compilation.
    let before = lock(tenants).get(&slug).cloned().unwrap_or_default();
    let objects = app.host().objects();
    let mut visit = Visit::new(&engine, &objects, before, report);
    visit.look(folders);
    let after = visit.end();
    lock(tenants).insert(slug, after);
}

/// What is active, read once for all files of a tenant.
struct Active {
    plugins: Vec<plugins::Active>,
    says: BTreeMap<Slug, Option<Digest>>,
}

impl Active {
    fn of(engine: &Engine) -> Result<Self, engine::Error> {
        Ok(Self { plugins: plugins::list(engine)?, says: BTreeMap::new() })
    }

    /// What the active revision of a workflow says.
    fn says(&mut self, engine: &Engine, workflow: &Slug) -> Result<Option<Digest>, engine::Error> {
        if let Some(known) = self.says.get(workflow) {
            return Ok(*known);
        }
        let revision = workflows::active(engine, workflow)?.map(|active| workflows::find(engine, active));
        let revision = revision.transpose()?.flatten();
        let says = revision.and_then(|revision| document::says(&revision.source, engine.record()));
        Ok(*self.says.entry(workflow.clone()).or_insert(says.map(|says| says.content)))
    }

    /// Whether a component is the active one of the name that its file has.
    fn is_plugin(&self, path: &str, content: Digest) -> bool {
        let is_named = |plugin: &&plugins::Active| {
            visit::plugin_name(path).is_some_and(|name| plugin.plugin.split('@').next() == Some(name))
        };
        self.plugins.iter().filter(is_named).any(|plugin| plugin.digest == content)
    }
}

impl Told {
    /// Log what is new, and leave in the report what is to be told.
    fn tell(&mut self, report: &mut Report) {
        let strangers: BTreeSet<String> = report.strangers.drain(..).collect();
        for stranger in strangers.difference(&self.strangers) {
            tracing::warn!("{stranger:?} lies in a watched folder and is no tenant's: it is ignored");
            report.strangers.push(stranger.clone());
        }
        self.strangers = strangers;
        let failed: BTreeMap<String, String> = report.failed.iter().cloned().collect();
        for (path, why) in failed.iter().filter(|(path, why)| self.failed.get(*path) != Some(why)) {
            tracing::warn!("{path} could not be looked at, it is tried again: {why}");
        }
        self.failed = failed;
    }
}

impl Folders {
    /// Those that are given.
    pub(super) fn all(&self) -> impl Iterator<Item = &Path> {
        [&self.workflows, &self.plugins].into_iter().flatten().map(PathBuf::as_path)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
