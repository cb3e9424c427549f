//! The story of a case, from its journal. Every turn is computed again from what it recorded: that gives the steps that it took, and
//! shows that the journal says all that a decision rests on.

use redress_domain::ask::Ask;
use redress_domain::case::entry::Entry;
use redress_domain::case::{About, Case};
use redress_domain::codec;
use redress_domain::decision::{Decision, Turn};
use redress_domain::ids::{CaseId, Digest, Slug};
use redress_domain::replay::{self, Revisions, Rules};
use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::run::Run;
use redress_domain::workflow::trial::{Call, Seen};
use redress_store::batch::Version;

use super::Stuck;
use super::stage::Broken;
use crate::engine::{self, Engine};

/// Turns of one test: far more than its limits let it take.
const TURNS_MAX: usize = 10_000;

/// What happened to a case.
pub(super) struct Story {
    /// The case in the end.
    pub(super) case: Case,
    /// The steps that were taken.
    pub(super) path: Vec<Slug>,
    /// The entries of all turns.
    pub(super) entries: Vec<Entry>,
    /// The effects in the order in which they were wanted.
    effects: Vec<Digest>,
    /// The steps that were undone, in the order in which they were.
    undone: Vec<Slug>,
}

impl Story {
    /// Read the story of a case.
    pub(super) fn read(engine: &Engine, definition: &Definition, id: CaseId) -> Result<Self, Broken> {
        let rows = engine.store().journal(id, Version(1), TURNS_MAX).map_err(engine::Error::from)?;
        let (mut case, mut path, mut entries) = (None, Vec::new(), Vec::new());
        for row in rows {
            let turn: Turn = codec::decode(&row.record).map_err(engine::Error::damaged("turn"))?;
            let decision = again(engine, definition, case.take(), &turn)?;
            if decision.turn.entries != turn.entries {
                return Err(Broken::Replay { turn: turn.number });
            }
            path.extend(decision.path);
            entries.extend(turn.entries);
            case = Some(decision.case);
        }
        let case = case.ok_or(Broken::NoCase)?;
        let effects = entries.iter().filter_map(|entry| match entry {
            Entry::Intended { key, .. } => Some(*key),
            _ => None,
        });
        let undone = entries.iter().filter_map(|entry| match entry {
            Entry::Undone { place } => case.compensations.get(*place as usize).map(|one| one.step.clone()),
            _ => None,
        });
        Ok(Self { path, effects: effects.collect(), undone: undone.collect(), case, entries })
    }

    /// Why people were asked whom the workflow does not ask, each reason once.
    pub(super) fn stuck(&self) -> Vec<Stuck> {
        let mut stuck = Vec::new();
        let mut failed = None;
        for entry in &self.entries {
            let found = match entry {
                Entry::Failed { detail, .. } => {
                    failed = Some(detail.clone());
                    continue;
                }
                Entry::Held => Stuck { step: None, code: "unrouted".to_owned(), detail: String::new() },
                Entry::TaskOpened { task, .. } => match &task.about {
                    About::Failure { step, code } => {
                        let detail = failed.take().unwrap_or_default();
                        Stuck { step: Some(step.clone()), code: code.clone(), detail }
                    }
                    About::Effect { key } => {
                        let Some(effect) = self.case.effects.get(key) else { continue };
                        let code = task.reasons.first().map_or_else(String::new, |reason| reason.code.clone());
                        Stuck { step: Some(effect.step.clone()), code, detail: String::new() }
                    }
                    _ => continue,
                },
                _ => continue,
            };
            if !stuck.contains(&found) {
                stuck.push(found);
            }
        }
        stuck
    }

    /// What expectations are compared with.
    pub(super) fn seen<'a>(&'a self, calls: &'a [Call]) -> Seen<'a> {
        let is_reminder = |entry: &&Entry| matches!(entry, Entry::TaskReminded { .. } | Entry::WaitReminded { .. });
        let reminders = self.entries.iter().filter(is_reminder).count();
        let (path, effects, undone) = (&self.path, &self.effects, &self.undone);
        Seen { case: &self.case, path, effects, undone, calls, reminders }
    }
}

/// Compute a turn again from its record.
fn again(engine: &Engine, definition: &Definition, case: Option<Case>, turn: &Turn) -> Result<Decision, Broken> {
    let pinned = Revisions::of(case.as_ref(), turn).pinned;
    let rules = Rules {
        pinned: (pinned == Some(definition.revision)).then_some(definition),
        moved_to: None,
        tenant: engine.record().id,
        jurisdiction: &engine.record().jurisdiction,
    };
    let mut recorded = turn.asks.iter();
    let mut answers = |_: &Definition, _: &Ask, _: &Run| recorded.next().map(|asked| asked.answered.clone());
    replay::again(rules, case, turn, &mut answers).map_err(|_| Broken::Replay { turn: turn.number })
}
