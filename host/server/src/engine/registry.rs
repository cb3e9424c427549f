//! The workflows of a tenant, checked and ready to run: by revision for cases that are pinned, by name for new ones.
//!
//! One resolver, one truth: what is active is what the store says, and publishing changes both in one place.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use redress_domain::case::child::Pin;
use redress_domain::ids::{CaseId, Digest, Slug};
use redress_domain::workflow::canary::{self, Percent};
use redress_domain::workflow::definition::Definition;

use super::error::Error;

/// Checked workflows, in memory.
#[derive(Debug, Default)]
pub struct Registry(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    revisions: BTreeMap<Digest, Arc<Definition>>,
    active: BTreeMap<Slug, Arc<Definition>>,
    /// What a share of the new cases takes instead.
    canaries: BTreeMap<Slug, (Arc<Definition>, Percent)>,
    /// What people call revisions; the store knows the rest.
    numbers: BTreeMap<Digest, u64>,
}

impl Registry {
    /// Make a revision known to cases that are pinned to it.
    pub fn know(&self, definition: Arc<Definition>) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.revisions.insert(definition.revision, definition);
    }

    /// Make a known revision the one that new cases take.
    pub fn activate(&self, workflow: &Slug, revision: Digest) -> bool {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Some(definition) = state.revisions.get(&revision).cloned() else { return false };
        state.active.insert(workflow.clone(), definition);
        true
    }

    /// Make several known revisions the ones that new cases take, all at the same moment.
    pub fn activate_all(&self, definitions: impl IntoIterator<Item = Arc<Definition>>) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for definition in definitions {
            state.revisions.insert(definition.revision, definition.clone());
            state.active.insert(definition.workflow.clone(), definition);
        }
    }

    /// The revision that a case is pinned to.
    ///
    /// # Errors
    /// It is not known: its plugins or its text could not be loaded at the start.
    pub fn definition(&self, revision: Digest) -> Result<Arc<Definition>, Error> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let missing = || Error::Revision { revision, detail: "it was not loaded at the start".to_owned() };
        state.revisions.get(&revision).cloned().ok_or_else(missing)
    }

    /// Let a share of the new cases take a known revision instead of the active one.
    pub fn try_canary(&self, workflow: &Slug, revision: Digest, percent: Percent) -> bool {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Some(definition) = state.revisions.get(&revision).cloned() else { return false };
        state.canaries.insert(workflow.clone(), (definition, percent));
        true
    }

    /// The revisions that a share of the new cases takes.
    pub fn canaries(&self) -> Vec<Arc<Definition>> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        state.canaries.values().map(|(definition, _)| definition.clone()).collect()
    }

    /// Let every new case take the active revision again.
    pub fn end_canary(&self, workflow: &Slug) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.canaries.remove(workflow);
    }

    /// The revisions that this new case may take, one of each workflow.
    pub fn offered(&self, case: CaseId) -> Vec<Arc<Definition>> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let of = |(workflow, active): (&Slug, &Arc<Definition>)| match state.canaries.get(workflow) {
            Some((canary, percent)) if canary::takes(workflow, case, *percent) => canary.clone(),
            _ => active.clone(),
        };
        state.active.iter().map(of).collect()
    }

    /// A revision is deleted: no case needs it.
    pub fn forget(&self, revision: Digest) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.revisions.remove(&revision);
        state.numbers.remove(&revision);
    }

    /// The revision of a workflow that a pin names; none where it is not known, or where several are meant.
    pub fn pinned(&self, workflow: &Slug, pin: &Pin) -> Option<Arc<Definition>> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if *pin == Pin::Active {
            return state.active.get(workflow).cloned();
        }
        let number = |one: &Definition| state.numbers.get(&one.revision).copied().unwrap_or_default();
        let is_meant = |one: &&Arc<Definition>| one.workflow == *workflow && pin.names(one.revision, number(one));
        match state.revisions.values().filter(is_meant).collect::<Vec<_>>()[..] {
            [one] => Some(one.clone()),
            _ => None,
        }
    }

    /// The number of a revision, where somebody has looked it up before.
    pub fn number(&self, revision: Digest) -> Option<u64> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        state.numbers.get(&revision).copied()
    }

    /// Remember the number of a revision; it never changes.
    pub fn number_is(&self, revision: Digest, number: u64) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.numbers.insert(revision, number);
    }

    /// The revision that new cases of a workflow take.
    pub fn active_of(&self, workflow: &Slug) -> Option<Digest> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        state.active.get(workflow).map(|definition| definition.revision)
    }

    /// The revisions that new cases take.
    pub fn active(&self) -> Vec<Arc<Definition>> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        state.active.values().cloned().collect()
    }
}
