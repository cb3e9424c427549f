//! In which order cases are handed in: by the time of their first line, then by number; those that could meet, one after the other.
//!
//! Two cases can meet where they are of one customer or name one order: then they may take from the same purchases. All others
//! may run at the same time, and the result is the same whatever the interleaving.

use std::collections::{BTreeMap, BTreeSet};

use super::gather::CaseDraft;

/// The cases in their order.
pub(super) fn sorted(mut cases: Vec<CaseDraft>) -> Vec<CaseDraft> {
    cases.sort_by(|a, b| (a.opened_at, &a.id).cmp(&(b.opened_at, &b.id)));
    cases
}

/// Which case may be handed in next.
#[derive(Debug)]
pub(super) struct Schedule {
    /// For each case, how many earlier ones it waits for.
    waits_for: Vec<usize>,
    /// For each case, the later ones that wait for it.
    followers: Vec<Vec<usize>>,
    /// Cases that wait for nothing; the earliest goes first.
    ready: BTreeSet<usize>,
}

impl Schedule {
    /// A schedule for cases that stand in their order.
    pub(super) fn new(cases: &[CaseDraft]) -> Self {
        let mut schedule =
            Self { waits_for: vec![0; cases.len()], followers: vec![Vec::new(); cases.len()], ready: BTreeSet::new() };
        let mut last = BTreeMap::new();
        for (case, draft) in cases.iter().enumerate() {
            let before: BTreeSet<usize> = meets(draft).into_iter().filter_map(|key| last.insert(key, case)).collect();
            // A case that names an order twice is before itself.
            let before: Vec<usize> = before.into_iter().filter(|earlier| *earlier != case).collect();
            schedule.waits_for[case] = before.len();
            if before.is_empty() {
                schedule.ready.insert(case);
            }
            for earlier in before {
                schedule.followers[earlier].push(case);
            }
        }
        schedule
    }

    /// A schedule for so many things that never meet.
    pub(super) fn free(count: usize) -> Self {
        Self { waits_for: vec![0; count], followers: vec![Vec::new(); count], ready: (0..count).collect() }
    }

    /// The next case that may be handed in; none while all that are left wait.
    pub(super) fn next(&mut self) -> Option<usize> {
        self.ready.pop_first()
    }

    /// A case could not be taken now: it comes again.
    pub(super) fn again(&mut self, case: usize) {
        self.ready.insert(case);
    }

    /// Whether nothing is left that could be handed in before another answer.
    pub(super) fn is_finished(&self) -> bool {
        self.ready.is_empty()
    }

    /// A case was answered: those that waited for it alone may go.
    pub(super) fn answered(&mut self, case: usize) {
        for follower in std::mem::take(&mut self.followers[case]) {
            self.waits_for[follower] -= 1;
            if self.waits_for[follower] == 0 {
                self.ready.insert(follower);
            }
        }
    }
}

/// What a case may meet others at.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Meeting<'c> {
    Customer(&'c str),
    Order(&'c str),
}

fn meets(case: &CaseDraft) -> Vec<Meeting<'_>> {
    let customer = case.open.customer.iter().map(|customer| Meeting::Customer(customer.as_str()));
    let named = case.open.lines.iter().filter_map(|line| line.bought.as_ref()).map(|bought| &bought.order);
    customer.chain(case.open.order.iter().chain(named).map(|order| Meeting::Order(order.as_str()))).collect()
}
