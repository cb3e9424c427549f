//! The provider of a test: does what it is asked, unless the test says that something goes wrong, and keeps count.

use std::collections::BTreeSet;

use redress_domain::case::Case;
use redress_domain::ids::Slug;
use redress_domain::workflow::trial::{Call, Does, Fault, FaultKind, Trial};

use crate::outbox::bench::{Received, Sent};

/// The provider.
pub(super) struct Receiver {
    faults: Vec<Fault>,
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
        Self { faults: trial.faults.clone(), told_later: told_later.collect(), calls: Vec::new() }
    }

    /// Whether the effects of this step are settled by the test.
    pub(super) fn tells_later(&self, step: &Slug) -> bool {
        self.told_later.contains(step)
    }

    /// Take a request for an effect of this case.
    pub(super) fn receive(&mut self, sent: &Sent<'_>, case: Option<&Case>) -> Received {
        let step = case.and_then(|case| case.effects.get(&sent.key)).map(|effect| effect.step.clone());
        let fault = step.as_ref().and_then(|step| self.next_fault(step));
        if fault == Some(FaultKind::CrashBeforeSend) {
            return Received::Died;
        }
        self.calls.push(Call { key: sent.key });
        match fault {
            Some(FaultKind::CrashAfterSend | FaultKind::CrashBeforeSend) => Received::Died,
            Some(FaultKind::LostAnswer | FaultKind::Timeout) => Received::Lost,
            Some(FaultKind::Declined) => Received::Declined,
            None if step.is_some_and(|step| self.tells_later(&step)) => Received::Accepted,
            None => Received::Confirmed,
        }
    }

    /// What goes wrong with the next request of this step; each fault as often as it says, one after the other.
    fn next_fault(&mut self, step: &Slug) -> Option<FaultKind> {
        let fault = self.faults.iter_mut().find(|fault| fault.step == *step && fault.times > 0)?;
        fault.times -= 1;
        Some(fault.kind)
    }
}
