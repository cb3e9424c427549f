//! Components on their way to become active: a shadow is asked what the active component is asked, and what it would have answered is
//! compared and not used; a canary decides a share of the new cases.
//!
//! A shadow is asked after the turn is stored, when the threads have time for it, so that no case waits for it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redress_domain::ask::{Answer, Answered, Ask, Failure};
use redress_domain::case::command::Actor;
use redress_domain::codec;
use redress_domain::ids::{CaseId, Digest, Slug};
use redress_domain::workflow::canary::Percent;
use redress_domain::workflow::definition::Hook;
use redress_store::row::{Row, RowKey};
use redress_store::scan::{Direction, Scan};
use serde::{Deserialize, Serialize};

use super::log::{self, Record, Since};
use super::question::Question;
use super::{Engine, Error, stay};

/// Names of staged components in the store's pointers begin with this.
const POINTER: &str = "staged/";
/// Rows that are read at once.
const PAGE: usize = 1_000;
/// Questions to a shadow that wait; further ones are left out.
const WAITING_MAX: usize = 256;
/// Different answers that are kept to be looked at.
pub const EXAMPLES_MAX: usize = 10;
/// Most characters of each side of an example.
const SIDE_CHARS: usize = 2_000;
/// Answers that are compared before what came of it is stored again.
const STORED_EVERY: u64 = 64;

/// A component that is not active yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Staged {
    /// Name and major version.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The component.
    pub digest: Digest,
    /// The active component, which it is compared with.
    pub beside: Digest,
    /// Whose signature it came with, by the name of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// How far it is.
    pub stage: Stage,
    /// Since when, by whom and why.
    pub since: Since,
    /// What its answers as a shadow came to.
    #[serde(default)]
    pub compared: Compared,
}

/// How far a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is asked beside the active component, and its answers are not used.
    Shadow,
    /// It decides a share of the new cases.
    Canary(Percent),
}

impl Stage {
    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::Canary(_) => "canary",
        }
    }

    /// The share of the new cases, of a canary.
    pub fn percent(self) -> Option<Percent> {
        match self {
            Self::Shadow => None,
            Self::Canary(percent) => Some(percent),
        }
    }
}

/// What the answers of a shadow came to, beside those of the active component.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Questions that it was asked.
    pub asked: u64,
    /// Answers that were the same to the byte.
    pub equal: u64,
    /// Answers that were others; failures among them.
    pub different: u64,
    /// Questions at which it failed and the active component did not.
    pub failed: u64,
    /// Questions that it was not asked, because too many waited.
    pub left_out: u64,
    /// Fuel of the active component for the questions that were asked.
    pub fuel_active: u64,
    /// Fuel of the shadow.
    pub fuel: u64,
    /// The first answers that were others.
    pub examples: Vec<Example>,
}

/// An answer that was another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The case.
    pub case: CaseId,
    /// The turn.
    pub turn: u64,
    /// The step that asked.
    pub step: Slug,
    /// What was decided, as JSON.
    pub active: String,
    /// What it would have been.
    pub shadow: String,
}

impl Staged {
    /// The row that makes it so.
    pub(crate) fn row(&self) -> Row {
        Row::Put(key(&self.plugin), codec::encode(self))
    }
}

/// The row of what is staged under a name.
pub(crate) fn key(plugin: &str) -> RowKey {
    RowKey::pointer(&format!("{POINTER}{plugin}"))
}

/// The shadows of a tenant, by the name of the plugin.
#[derive(Debug, Default)]
pub(super) struct Shadows(Mutex<BTreeMap<String, Shadow>>);

#[derive(Debug)]
struct Shadow {
    staged: Staged,
    waiting: usize,
}

impl Shadows {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Shadow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shadow of a plugin, where this component of it is the one that the shadow is compared with.
    pub(super) fn of(&self, plugin: &str, asked: Digest) -> Option<Digest> {
        self.lock().get(plugin).filter(|shadow| shadow.staged.beside == asked).map(|shadow| shadow.staged.digest)
    }
}

/// A question that a shadow is to be asked, with what was answered.
#[derive(Debug)]
pub(super) struct Shadowed {
    plugin: String,
    shadow: Digest,
    step: Slug,
    hook: Hook,
    question: Question,
    answered: Answered,
}

impl Shadowed {
    pub(super) fn new(shadow: Digest, ask: &Ask, question: Question, answered: &Answered) -> Self {
        let (plugin, step) = (ask.plugin.clone(), ask.step.clone());
        Self { plugin, shadow, step, hook: ask.hook, question, answered: answered.clone() }
    }
}

/// What is done once a turn is stored.
#[derive(Debug, Default)]
pub(super) struct After {
    /// What it changed of the stay of its case.
    pub(super) change: Option<stay::Change>,
    /// The questions that shadows are to be asked.
    pub(super) shadowed: Vec<Shadowed>,
}

impl Engine {
    /// What is staged, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn staged(&self) -> Result<Vec<Staged>, Error> {
        let snapshot = self.store().read()?;
        let page = snapshot.scan(&Scan::Pointers(POINTER.to_owned()), Direction::Forward, None, PAGE)?;
        let read = |bytes: &[u8]| codec::decode::<Staged>(bytes).map_err(Error::damaged("staged component"));
        let mut staged: Vec<Staged> = page.rows.iter().map(|row| read(&row.value)).collect::<Result<_, _>>()?;
        // What was compared since it was stored last is here.
        let shadows = self.0.shadows.lock();
        for one in &mut staged {
            if let Some(shadow) = shadows.get(&one.plugin).filter(|shadow| shadow.staged.digest == one.digest) {
                one.compared.clone_from(&shadow.staged.compared);
            }
        }
        Ok(staged)
    }

    /// What is staged under a name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn staged_of(&self, plugin: &str) -> Result<Option<Staged>, Error> {
        Ok(self.staged()?.into_iter().find(|one| one.plugin == plugin))
    }

    /// From here on a staged component, whose record is stored, is asked as a shadow; or is not any more.
    pub(crate) fn stage_is(&self, plugin: &str, staged: Option<&Staged>) {
        let mut shadows = self.0.shadows.lock();
        match staged.filter(|staged| staged.stage == Stage::Shadow) {
            Some(staged) => drop(shadows.insert(plugin.to_owned(), Shadow { staged: staged.clone(), waiting: 0 })),
            None => drop(shadows.remove(plugin)),
        }
    }

    /// Take the shadows up again after a start.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) fn restore_staged(&self) -> Result<(), Error> {
        self.staged()?.iter().for_each(|staged| self.stage_is(&staged.plugin, Some(staged)));
        Ok(())
    }

    /// A turn was stored: what came of it counts, and shadows are asked what it asked.
    pub(super) fn after(&self, after: &mut After, case: CaseId, turn: u64) {
        if let Some(change) = &after.change {
            self.observe(change);
        }
        for shadowed in std::mem::take(&mut after.shadowed) {
            if self.takes(&shadowed) {
                let engine = self.clone();
                let ask = move || engine.ask_shadow(&shadowed, case, turn);
                // Accepted here, where it is bounded, and behind the cases of the tenant that wait already.
                self.0.workers.queue_again(self.0.record.id, Box::new(ask));
            }
        }
    }

    /// Whether a shadow can be asked one more question.
    fn takes(&self, shadowed: &Shadowed) -> bool {
        let mut shadows = self.0.shadows.lock();
        let Some(shadow) = shadows.get_mut(&shadowed.plugin) else { return false };
        if shadow.waiting >= WAITING_MAX {
            shadow.staged.compared.left_out += 1;
            return false;
        }
        shadow.waiting += 1;
        true
    }

    fn ask_shadow(&self, shadowed: &Shadowed, case: CaseId, turn: u64) {
        let put = shadowed.question.put(&self.0.sandbox, shadowed.shadow, shadowed.hook);
        self.0.workers.spent(self.0.record.id, put.fuel);
        let is_due = {
            let mut shadows = self.0.shadows.lock();
            let Some(shadow) = shadows.get_mut(&shadowed.plugin) else { return };
            shadow.waiting = shadow.waiting.saturating_sub(1);
            // Another component was staged meanwhile, or the host failed and not the component: nothing to compare.
            if shadow.staged.digest != shadowed.shadow || put.is_hosts {
                return;
            }
            let compared = &mut shadow.staged.compared;
            compared.count(shadowed, &put.outcome, put.fuel, case, turn);
            compared.asked.is_multiple_of(STORED_EVERY) || compared.different == 1 && compared.examples.len() == 1
        };
        if is_due {
            self.store_compared(&shadowed.plugin);
        }
    }

    /// Keep what came of a shadow so far, for who looks after a restart.
    fn store_compared(&self, plugin: &str) {
        // Who ends it has the same right: what was ended is not written again. Where somebody has it, the next time is soon enough.
        let Some(_alone) = self.publishing_unless_busy() else { return };
        let Some(staged) = self.0.shadows.lock().get(plugin).map(|shadow| shadow.staged.clone()) else { return };
        let row = || Record { rows: vec![staged.row()], ..Record::default() };
        if let Err(error) = log::record(self, &Actor::host(), |_| row()) {
            tracing::warn!(code = error.code(), "what the shadow of plugin {plugin} came to was not stored: {error}");
        }
    }
}

impl Compared {
    fn count(&mut self, shadowed: &Shadowed, outcome: &Result<Answer, Failure>, fuel: u64, case: CaseId, turn: u64) {
        let active = &shadowed.answered;
        self.asked += 1;
        self.fuel_active = self.fuel_active.saturating_add(active.fuel);
        self.fuel = self.fuel.saturating_add(fuel);
        if codec::encode(&active.outcome) == codec::encode(outcome) {
            self.equal += 1;
            return;
        }
        self.different += 1;
        self.failed += u64::from(outcome.is_err() && active.outcome.is_ok());
        if self.examples.len() < EXAMPLES_MAX {
            let (active, shadow) = (side(&active.outcome), side(outcome));
            self.examples.push(Example { case, turn, step: shadowed.step.clone(), active, shadow });
        }
    }
}

/// One side of an example, as far as a person reads it.
fn side(outcome: &Result<Answer, Failure>) -> String {
    let text = match outcome {
        Ok(answer) => serde_json::to_string(answer),
        Err(failure) => serde_json::to_string(&BTreeMap::from([("failure", failure)])),
    };
    let text = text.unwrap_or_default();
    match text.char_indices().nth(SIDE_CHARS) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text,
    }
}
