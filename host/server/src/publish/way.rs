//! How something is handed in: through which door, and as the answer to which request.

use redress_domain::clock::Instant;
use redress_domain::ids::Digest;
use redress_store::batch::Idem;
use redress_store::row::{Row, RowKey};

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
}

/// A file of a watched folder, as it is handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// The tenant's folder and the path in it, with `/`.
    pub path: String,
    /// The digest of the file's bytes.
    pub content: Digest,
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
        }
    }

    /// What is committed with what came in this way, so that a door never hands the same bytes in twice.
    pub(super) fn accepted(&self) -> Vec<Row> {
        match self {
            Self::Api | Self::Cli => Vec::new(),
            Self::Door(door) => {
                vec![Row::door(&door.path, door.content), Row::Delete(RowKey::door(&refused_name(&door.path)))]
            }
        }
    }
}

impl Door {
    /// What is committed when the bytes were refused: they are not handed in again while the tenant has what it has now.
    pub(super) fn refused(&self, has: Digest) -> Vec<Row> {
        vec![Row::door(&self.path, self.content), Row::door(&refused_name(&self.path), has)]
    }
}

/// The name of a door's second row, which is there while what was handed in last is refused, and holds what the refusal went by.
/// A path begins with a slug, which has no colon.
pub(super) fn refused_name(path: &str) -> String {
    format!("refused:{path}")
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
