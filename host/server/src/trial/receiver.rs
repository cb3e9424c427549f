//! The provider of a test: does what it is asked, unless the test says that something goes wrong, and keeps count.

use std::collections::{BTreeMap, BTreeSet};

use redress_domain::case::{Case, What};
use redress_domain::ids::Slug;
use redress_domain::workflow::trial::{Call, Does, Fault, FaultKind, System, Trial};

use crate::outbox::bench::{Received, Said, Sent};

/// The provider.
pub(super) struct Receiver {
    faults: Vec<Fault>,
    systems: BTreeMap<Slug, System>,
    /// Steps whose effects the test settles itself: they are accepted, and nothing more is said.
    told_later: BTreeSet<Slug>,
    /// The requests that reached it.
    pub(super) calls: Vec<Call>,
}

impl Receiver {
    pub(super) fn of(trial: &Trial) -> Self {
        let told_later = trial.play.iter().filter_map(|act| match &act.does {
            Does::Settle { step, .. } => Some(step.clone()),
            _ => None,
        });
        let (faults, systems) = (trial.faults.clone(), trial.systems.clone());
        Self { faults, systems, told_later: told_later.collect(), calls: Vec::new() }
    }

    /// Whether the effects of this step are settled by the test.
    pub(super) fn tells_later(&self, step: &Slug) -> bool {
        self.told_later.contains(step)
    }

    /// Take a request for an effect of this case.
    pub(super) fn receive(&mut self, sent: &Sent<'_>, case: Option<&Case>) -> Received {
        let effect = case.and_then(|case| case.effects.get(&sent.key));
        let fault = effect.and_then(|effect| self.next_fault(&effect.step));
        let (kind, code) = fault.unzip();
        if kind == Some(FaultKind::CrashBeforeSend) {
            return Received::Died;
        }
        self.calls.push(Call { key: sent.key });
        match kind {
            Some(FaultKind::CrashAfterSend | FaultKind::CrashBeforeSend) => Received::Died,
            Some(FaultKind::LostAnswer | FaultKind::Timeout) => Received::Lost,
            Some(FaultKind::Declined) => Received::Declined(code.flatten()),
            None if effect.is_some_and(|effect| self.tells_later(&effect.step)) => Received::Accepted,
            None => effect.map_or(Received::Confirmed(Said::default()), |effect| self.done(&effect.what)),
        }
    }

    /// A receiver that does what it is asked; a system says what the test lets it say.
    fn done(&self, what: &What) -> Received {
        let system = if let What::Http(request) = what { self.systems.get(&request.target) } else { None };
        let Some(system) = system else { return Received::Confirmed(Said::default()) };
        match &system.declines {
            Some(code) => Received::Declined(Some(code.to_string())),
            None => Received::Confirmed(Said { reference: system.reference.clone(), reply: system.reply(what) }),
        }
    }

    /// What goes wrong with the next request of this step; each fault as often as it says, one after the other.
    fn next_fault(&mut self, step: &Slug) -> Option<(FaultKind, Option<String>)> {
        let fault = self.faults.iter_mut().find(|fault| fault.step == *step && fault.times > 0)?;
        fault.times -= 1;
        Some((fault.kind, fault.code.clone()))
    }
}
