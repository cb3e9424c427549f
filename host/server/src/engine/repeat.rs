//! Requests that may come again: the first answer is committed with what the request did, and given once more.

use redress_domain::clock::{Instant, Span};
use redress_domain::codec;
use redress_domain::ids::{CaseId, Digest};
use redress_store::batch::{Batch, Idem};
use redress_store::host::{Host, HostError, Setting};
use redress_store::row::{Row, RowKey};
use redress_store::scan::{Cursor, Direction, Scan};
use serde::{Deserialize, Serialize};

use super::{Engine, Error};

/// How long a request may come again: longer than any client tries, and than most outages last.
pub const KEPT_FOR: Span = Span::from_days(7);
/// Answers that are looked through at once: a commit of so many rows holds nobody up.
const SWEPT_MAX: usize = 1_000;

/// Names of the settings that hold the host's own answers begin with this.
const OF_HOST: &str = "answered/";

/// A request that may come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// Who may repeat it: the same key of another caller is another request.
    pub scope: String,
    /// The caller's name for it.
    pub key: String,
    /// The digest of the request.
    pub body: Digest,
}

/// What was answered to a request. It holds no text of people: a case is told by its turn and read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// When.
    pub at: Instant,
    /// What.
    pub given: Given,
}

/// What an answer showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// A case as it stood after a turn.
    Turn {
        /// The case.
        case: CaseId,
        /// The turn.
        turn: u64,
    },
    /// A case that was opened before, as it stood after its last turn.
    Seen {
        /// The case.
        case: CaseId,
        /// The turn.
        turn: u64,
    },
    /// An effect as it stood after a turn of its case.
    Effect {
        /// The effect.
        key: Digest,
        /// The case.
        case: CaseId,
        /// The turn.
        turn: u64,
    },
    /// A document of the merchant's own matters: a revision, a plugin, a key without its secret. As JSON, with the status and
    /// the headers that it came with.
    Document(String),
}

/// Whether a request came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// It did not, or nothing came of it.
    Never,
    /// It did.
    Answered(Answered),
    /// Another request came under this name.
    Other,
}

impl Repeat {
    /// The record of this request.
    pub(crate) fn record(self, at: Instant, given: Given) -> Idem {
        let answer = codec::encode(&Answered { at, given });
        Idem { scope: self.scope, key: self.key, body: self.body, answer }
    }

    /// The record of this request where it is the host's and no tenant's: written together with what it did.
    pub(crate) fn setting(&self, at: Instant, given: Given) -> Setting {
        let record = OfHost { body: self.body, answered: Answered { at, given } };
        Setting { name: self.name(), value: codec::encode(&record) }
    }

    /// Whether a request to the host came before, and what it was answered.
    ///
    /// # Errors
    /// The system file cannot be read.
    pub fn answered_by(&self, host: &Host) -> Result<Before, HostError> {
        let Some(value) = host.setting(&self.name())? else { return Ok(Before::Never) };
        Ok(match codec::decode::<OfHost>(&value) {
            Ok(record) if record.body == self.body => Before::Answered(record.answered),
            _ => Before::Other,
        })
    }

    fn name(&self) -> String {
        format!("{OF_HOST}{}/{}", self.scope, self.key)
    }
}

/// Look through some answers of the host, behind a name, and delete those that are older than they need be. Answers how many are
/// deleted, and behind which name to go on.
///
/// # Errors
/// The system file failed.
pub fn forget_answers_of_host(
    host: &Host,
    now: Instant,
    behind: Option<&str>,
) -> Result<(usize, Option<String>), HostError> {
    let page = host.settings(OF_HOST, behind, SWEPT_MAX)?;
    // One that cannot be read back stays: it was perhaps written by a newer program, and must not be done again.
    let is_old =
        |value: &[u8]| codec::decode::<OfHost>(value).is_ok_and(|record| record.answered.at.after(KEPT_FOR) < now);
    let old: Vec<String> = page.iter().filter(|one| is_old(&one.value)).map(|one| one.name.clone()).collect();
    if !old.is_empty() {
        host.remove_settings(&old)?;
    }
    let next = (page.len() == SWEPT_MAX).then(|| page.into_iter().next_back().map(|last| last.name)).flatten();
    Ok((old.len(), next))
}

/// The record of a request to the host.
#[derive(Serialize, Deserialize)]
struct OfHost {
    body: Digest,
    answered: Answered,
}

impl Engine {
    /// Whether a request came before, and what it was answered.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn answered(&self, repeat: &Repeat) -> Result<Before, Error> {
        let Some(idem) = self.store().read()?.idem(&repeat.scope, &repeat.key)? else { return Ok(Before::Never) };
        if idem.body != repeat.body {
            return Ok(Before::Other);
        }
        Ok(Before::Answered(codec::decode(&idem.answer).map_err(Error::damaged("answer"))?))
    }

    /// Look through some answers, from a place on, and delete those that are older than they need be. Answers how many are
    /// deleted, and from where to go on.
    ///
    /// # Errors
    /// The store failed.
    pub fn forget_answers(&self, now: Instant, from: Option<&Cursor>) -> Result<(usize, Option<Cursor>), Error> {
        let snapshot = self.store().read()?;
        let page = snapshot.scan(&Scan::Idempotency, Direction::Forward, from, SWEPT_MAX)?;
        let mut rows = Vec::new();
        for (scope, key) in page.rows.iter().filter_map(|row| row.idem()) {
            let Some(idem) = snapshot.idem(&scope, &key)? else { continue };
            let answered: Answered = codec::decode(&idem.answer).map_err(Error::damaged("answer"))?;
            if answered.at.after(KEPT_FOR) < now {
                rows.push(Row::Delete(RowKey::idempotency(&scope, &key)));
            }
        }
        drop(snapshot);
        let deleted = rows.len();
        if deleted > 0 {
            self.store().append(Batch { rows, ..Batch::default() })?;
        }
        Ok((deleted, page.next))
    }
}
