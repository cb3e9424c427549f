//! The moments of a commit, for whoever tries what a crash leaves behind.

/// The two moments between which a crash makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Everything is written and nothing of it is kept yet.
    BeforeCommit,
    /// It is kept, and nobody has been answered.
    AfterCommit,
}

/// Who is told of each commit while it is made.
pub(crate) type Watcher = Box<dyn Fn(Moment) + Send + Sync>;
