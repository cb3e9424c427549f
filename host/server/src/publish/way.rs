//! How something is handed in: through which door, and as the answer to which request.

use redress_domain::clock::Instant;
use redress_domain::ids::{Digest, Slug};
use redress_store::batch::Idem;
use redress_store::row::{Row, RowKey};

use super::draft;
use crate::engine;
use crate::engine::log::Origin;
use crate::engine::repeat::{Given, Repeat};

/// The way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// The API.
    Api,
    /// The command line, on the data folder itself.
    Cli,
    /// A watched folder.
    Door(Door),
    /// A draft that was kept before, which is none from then on.
    Draft(Slug),
}

/// A file of a watched folder, as it is handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// The tenant's folder and the path in it, with `/`.
    pub path: String,
    /// The digest of the file's bytes.
    pub content: Digest,
    /// Whether the same bytes were handed in before.
    pub tried: Tried,
}

/// Whether the bytes of a file were handed in before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// They were not: who saved the file wants what it says.
    Never,
    /// Nothing was ever handed in under this path: nobody knows how old the file is. One that says what was active before, where
    /// something else is active since, is none that somebody saved to go back.
    First,
    /// They were, and were refused. They count only where nothing came in another way since, for who did that wants what is active.
    /// Here is what had become active by then, where that was kept.
    Before(Option<Digest>),
}

/// The answer to a request that may come again: it is committed with what the request does.
pub struct Answer<'a, T> {
    /// The request.
    pub repeat: Repeat,
    /// The document that is answered, now and when the request comes again.
    pub document: &'a dyn Fn(&T) -> String,
}

impl Way {
    /// How records name it.
    pub(super) fn origin(&self) -> Origin {
        match self {
            Self::Api => Origin::Api,
            Self::Cli => Origin::Cli,
            Self::Door(door) => Origin::File(door.path.clone()),
            Self::Draft(_) => Origin::Draft,
        }
    }

    /// What is committed with what came in this way, so that a door never hands the same bytes in twice.
    pub(super) fn accepted(&self) -> Vec<Row> {
        match self {
            Self::Api | Self::Cli => Vec::new(),
            Self::Draft(workflow) => vec![draft::gone(workflow)],
            Self::Door(door) => {
                let own = [refused_name(&door.path), past_name(&door.path)];
                let gone = own.iter().map(|name| Row::Delete(RowKey::door(name)));
                std::iter::once(Row::door(&door.path, door.content)).chain(gone).collect()
            }
        }
    }

    /// Whether it is a file that was refused before, and something else became active under its name since.
    pub(super) fn is_overtaken(
        &self,
        past: impl FnOnce() -> Result<Digest, engine::Error>,
    ) -> Result<bool, engine::Error> {
        match self {
            Self::Door(Door { tried: Tried::Before(then), .. }) => Ok(*then != Some(past()?)),
            Self::Api | Self::Cli | Self::Draft(_) | Self::Door(_) => Ok(false),
        }
    }
}

impl Way {
    /// Whether it is a file that this door never saw before.
    pub(super) fn is_first(&self) -> bool {
        matches!(self, Self::Door(Door { tried: Tried::First, .. }))
    }
}

impl Door {
    /// What is committed when the bytes were refused: they are not handed in again while the tenant has what it has now. `past` is
    /// what had become active under the file's name, where the bytes were handed in for the first time.
    pub(super) fn refused(&self, has: Digest, past: Option<Digest>) -> Vec<Row> {
        let mut rows = vec![Row::door(&self.path, self.content), Row::door(&refused_name(&self.path), has)];
        rows.extend(past.map(|past| Row::door(&past_name(&self.path), past)));
        rows
    }
}

/// The name of a door's second row, which is there while what was handed in last is refused, and holds what the refusal went by.
/// A path begins with a slug, which has no colon.
pub(super) fn refused_name(path: &str) -> String {
    format!("refused:{path}")
}

/// The name of a door's third row, which is there with the second, and holds what had become active under the file's name when its
/// bytes were refused first.
pub(super) fn past_name(path: &str) -> String {
    format!("past:{path}")
}

impl<T> Answer<'_, T> {
    /// The record of the request.
    pub(super) fn record(&self, at: Instant, given: &T) -> Idem {
        self.repeat.clone().record(at, Given::Document((self.document)(given)))
    }
}

impl<T> std::fmt::Debug for Answer<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({:?})", self.repeat)
    }
}
