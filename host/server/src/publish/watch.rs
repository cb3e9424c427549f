//! The thread that looks at watched folders: soon after something has changed, and from time to time anyway.
//!
//! What the system tells of a folder is only a reason to look: it is late on some file systems, silent on others, and different for
//! each way of saving. So every event means the same, and looking from time to time finds what no event told, among it a folder
//! that was put in the place of the watched one.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, after, bounded, never, select};
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::doors::{self, Folders, Report};
use crate::app::App;

/// How long a folder must be quiet before it is looked at: an editor that saves does several things in a row.
const QUIET: Duration = Duration::from_millis(150);
/// How long a folder that is never quiet is waited for.
const QUIET_WAIT_MAX: Duration = Duration::from_secs(1);
/// Between two looks at a file that has changed, so that what is being written is seen to change.
const REST: Duration = Duration::from_millis(100);
/// Between two looks when nothing was told. A look reads all files, which for a hundred merchants takes some ten milliseconds.
const POLL: Duration = Duration::from_secs(2);
/// Looks at the start, until what still changes is left to the thread: two find what rests.
const FIRST_LOOKS: usize = 20;

/// Folders that are watched, until it is stopped or dropped.
#[derive(Debug)]
pub struct Doors {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Why folders could not be watched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder is not there, or is none.
    #[error("folder {} could not be opened", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The machine gives no thread.
    #[error("thread that watches folders could not be started")]
    Thread(#[source] std::io::Error),
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "folder_not_opened",
            Self::Thread(_) => "host_not_started",
        }
    }
}

impl Doors {
    /// Watch the folders. What lies in them at the start has been handed in when this answers, if it rests.
    ///
    /// # Errors
    /// A folder is not there, or there is no thread to be had.
    pub fn start(app: &App, folders: Folders) -> Result<Self, Error> {
        for folder in folders.all() {
            let failed = |source| Error::Folder { folder: folder.to_owned(), source };
            std::fs::read_dir(folder).map_err(failed)?;
        }
        let (told, events) = bounded(1);
        let watches = Watches::new(told);
        let (stop, stopped) = bounded(0);
        let mut watching = Watching { app: app.clone(), folders, watches, events, stopped };
        // Watched first: what changes during the first look is told.
        watching.first_looks();
        let thread = std::thread::Builder::new().name("doors".to_owned());
        let thread = thread.spawn(move || watching.run()).map_err(Error::Thread)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Stop watching. A look that is under way ends first.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of a look was caught and logged there.
            drop(thread.join());
        }
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        self.end();
    }
}

struct Watching {
    app: App,
    folders: Folders,
    watches: Watches,
    events: Receiver<()>,
    /// Nothing is ever sent: it is closed.
    stopped: Receiver<()>,
}

/// Why the thread woke up.
enum Woken {
    Event,
    Time,
    Stop,
}

impl Watching {
    fn first_looks(&mut self) {
        for _ in 0..FIRST_LOOKS {
            if self.look().pending == 0 {
                return;
            }
            if let Woken::Stop = self.wait(REST, &never()) {
                return;
            }
        }
    }

    fn run(mut self) {
        let mut pause = REST;
        loop {
            match self.wait(pause, &self.events) {
                Woken::Stop => return,
                Woken::Event if self.wait_for_quiet().is_none() => return,
                Woken::Event | Woken::Time => {}
            }
            pause = if self.look().pending > 0 { REST } else { POLL };
        }
    }

    fn look(&mut self) -> Report {
        self.watches.renew(&self.folders);
        let look = AssertUnwindSafe(|| doors::scan(&self.app, &self.folders));
        catch_unwind(look).unwrap_or_else(|_| {
            tracing::error!("a look at the watched folders panicked");
            Report::default()
        })
    }

    /// Until nothing was told for a while. `None` when it is stopped.
    fn wait_for_quiet(&self) -> Option<()> {
        let enough = after(QUIET_WAIT_MAX);
        loop {
            select! {
                recv(self.events) -> _ => {}
                recv(self.stopped) -> _ => return None,
                recv(enough) -> _ => return Some(()),
                default(QUIET) => return Some(()),
            }
        }
    }

    fn wait(&self, pause: Duration, events: &Receiver<()>) -> Woken {
        select! {
            recv(self.stopped) -> _ => Woken::Stop,
            recv(events) -> _ => Woken::Event,
            default(pause) => Woken::Time,
        }
    }
}

/// What the system is asked to tell of.
struct Watches {
    /// None where the system has nothing to offer: then there is only looking from time to time.
    watcher: Option<RecommendedWatcher>,
    watched: BTreeMap<PathBuf, Identity>,
    /// Keeps the channel open where there is no watcher to do it.
    _told: Sender<()>,
}

/// Which folder lies at a path: another one may be put in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    real: PathBuf,
    file: Option<(u64, u64)>,
}

impl Watches {
    fn new(told: Sender<()>) -> Self {
        // One reason to look is as good as many: what does not fit into the channel is not missed.
        let kept = told.clone();
        let tell = move |event: notify::Result<Event>| {
            if is_reason(&event) {
                let _full = told.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(tell).inspect_err(warn);
        Self { watcher: watcher.ok(), watched: BTreeMap::new(), _told: kept }
    }

    /// Watch what lies at the paths now.
    fn renew(&mut self, folders: &Folders) {
        let Some(watcher) = &mut self.watcher else { return };
        for folder in folders.all() {
            let now = identity(folder);
            if self.watched.get(folder) == now.as_ref() {
                continue;
            }
            if let Some(before) = self.watched.remove(folder) {
                // It fails where the folder has gone, and its watches with it.
                drop(watcher.unwatch(&before.real));
            }
            if let Some(now) = now {
                // A folder that cannot be watched is looked at all the same; it is not asked for again until it is another one.
                watcher.watch(&now.real, RecursiveMode::Recursive).unwrap_or_else(|error| warn(&error));
                self.watched.insert(folder.to_owned(), now);
            }
        }
    }
}

fn warn(error: &notify::Error) {
    tracing::warn!(
        "the system does not tell of changes in watched folders, they are looked at every two seconds: {error}"
    );
}

/// Opening and reading change nothing, and looking does both.
fn is_reason(event: &notify::Result<Event>) -> bool {
    let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
    event.as_ref().map_or(true, |event| !event.kind.is_access() || event.kind == written)
}

fn identity(folder: &Path) -> Option<Identity> {
    let real = folder.canonicalize().ok()?;
    let file = file_number(&real);
    Some(Identity { real, file })
}

#[cfg(unix)]
fn file_number(folder: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = folder.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn file_number(_: &Path) -> Option<(u64, u64)> {
    None
}
