//! Cases that are started by the name of their workflow: by somebody who names it, or by an event that no case is named for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use redress_domain::case::child::Pin;
use redress_domain::case::command::{Open, Rejection};
use redress_domain::case::{Arrived, External};
use redress_domain::clock::Instant;
use redress_domain::ids::{CaseId, Digest, Slug};
use redress_domain::value::{Fields, Type};
use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::definition::start::Manual;
use redress_domain::workflow::run::start;

use super::{Engine, Error};

/// Something that happened outside, told without a case.
#[derive(Debug)]
pub struct Told {
    /// What happened.
    pub name: String,
    /// When.
    pub at: Instant,
    /// Which system told it, under which id.
    pub external: External,
    /// What it carries, whatever types it is read by: another event under the same id has another one.
    pub content: Digest,
}

/// What is to become of an event.
#[derive(Debug)]
pub enum Wanted<E> {
    /// It opens this case, under this id.
    Opens(CaseId, Box<Open>),
    /// It opened this case before.
    Before(CaseId),
    /// Another event came under its id, and opened this case.
    Other(CaseId),
    /// The first workflow that awaits such an event cannot read what it carries.
    Unreadable(E),
    /// The first workflow that wants it cannot open a case of what it carries.
    Unfit(Rejection),
    /// No workflow wants it; these events start cases.
    Nothing {
        /// Their names.
        known: BTreeSet<String>,
    },
}

impl Engine {
    /// How somebody starts a case under this workflow by naming it; none where nobody does.
    pub fn startable(&self, workflow: &Slug) -> Option<Manual> {
        self.registry().pinned(workflow, &Pin::Active)?.starts.manual.clone()
    }

    /// What is to become of an event. `read` makes values of what it carries, by the types that a workflow declares.
    ///
    /// Of the workflows that want it the one with the highest priority takes it, then by name, as cases are taken. Where the canary of
    /// a workflow does not want it, the active revision may.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn wanted<E>(
        &self,
        told: &Told,
        read: impl Fn(&BTreeMap<String, Type>) -> Result<Fields, E>,
    ) -> Result<Wanted<E>, Error> {
        let External { source, id } = &told.external;
        if let Some((case, content)) = self.store().read()?.case_by_external(source, id)? {
            return Ok(if content == told.content { Wanted::Before(case) } else { Wanted::Other(case) });
        }
        let case = CaseId::mint(self.clock().now(), self.clock().random());
        let active = self.registry().active();
        let mut definitions = self.registry().offered(case);
        definitions.extend(active.iter().filter(|one| is_new(one, &definitions)).cloned().collect::<Vec<_>>());
        // The revision that is offered stands before the active one of its workflow: the order is kept among equals.
        definitions.sort_by(|a, b| (b.priority, &a.workflow).cmp(&(a.priority, &b.workflow)));
        let mut unreadable = None;
        for definition in definitions.iter().filter(|one| starts_at(one, &told.name)) {
            let Some(declared) = definition.events.get(&told.name) else { continue };
            let fields = match read(declared) {
                Ok(fields) => fields,
                Err(error) => {
                    unreadable = unreadable.or(Some(error));
                    continue;
                }
            };
            let event = Arrived { name: told.name.clone(), at: told.at, fields };
            match start::opens(definition, &event, &told.external, told.content) {
                Ok(Some(open)) => return Ok(Wanted::Opens(case, Box::new(open))),
                Ok(None) => {}
                Err(rejection) => return Ok(Wanted::Unfit(rejection)),
            }
        }
        let known = active.iter().flat_map(|one| &one.starts.events).map(|start| start.event.clone()).collect();
        Ok(unreadable.map_or(Wanted::Nothing { known }, Wanted::Unreadable))
    }
}

fn is_new(definition: &Arc<Definition>, others: &[Arc<Definition>]) -> bool {
    others.iter().all(|other| other.revision != definition.revision)
}

fn starts_at(definition: &Definition, event: &str) -> bool {
    definition.starts.events.iter().any(|start| start.event == event)
}
