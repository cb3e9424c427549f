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
pub(crate) struct Schedule {
    /// For each case, how many earlier ones it waits for.
    waits_for: Vec<usize>,
    /// For each case, the later ones that wait for it.
    followers: Vec<Vec<usize>>,
    /// Cases that wait for nothing; the earliest goes first.
    ready: BTreeSet<usize>,
}

impl Schedule {
    /// A schedule for cases that stand in their order.
    pub(crate) fn new(cases: &[CaseDraft]) -> Self {
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
    pub(crate) fn free(count: usize) -> Self {
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

#[cfg(test)]
mod tests {
    use redress_domain::case::command::Open;
    use redress_domain::case::{Bought, Line};
    use redress_domain::clock::Instant;
    use redress_domain::ids::{CustomerId, OrderId, Sku, Slug};
    use redress_domain::money::Currency;
    use redress_domain::value::Fields;

    use super::*;

    /// A case of a customer, with lines that name these orders; no customer and no order where the text is empty.
    fn case(id: &str, at: i64, customer: &str, orders: &[&str]) -> CaseDraft {
        let line = |order: &&str| Line {
            sku: Sku::new("A1").unwrap(),
            quantity: 1,
            reason: None,
            bought: Some(Bought { order: OrderId::new(order).unwrap(), line: 0 }),
            unit: None,
            attributes: Fields::new(),
            outcome: None,
        };
        let open = Open {
            kind: Slug::new("return").unwrap(),
            external: None,
            history: true,
            customer: CustomerId::new(customer).ok(),
            order: None,
            currency: Currency::EUR,
            reason: None,
            claim: None,
            attributes: Fields::new(),
            lines: orders.iter().map(line).collect(),
            called: None,
            start: None,
        };
        CaseDraft { id: id.to_owned(), opened_at: Instant::from_unix_ms(at), open }
    }

    /// The places that may be handed in now.
    fn ready(schedule: &mut Schedule) -> Vec<usize> {
        std::iter::from_fn(|| schedule.next()).collect()
    }

    #[test]
    fn cases_go_by_time_and_those_of_one_time_by_number() {
        let cases = vec![case("C2", 5, "", &[]), case("C10", 5, "", &[]), case("C3", 4, "", &[])];
        let ids: Vec<_> = sorted(cases).into_iter().map(|case| case.id).collect();
        assert_eq!(ids, ["C3", "C10", "C2"]);
    }

    #[test]
    fn a_customers_cases_go_one_after_the_other_and_those_of_others_beside_them() {
        let cases: Vec<_> = ["ann", "ann", "bob", "", "", "ann"].iter().map(|who| case("C", 0, who, &[])).collect();
        let mut schedule = Schedule::new(&cases);
        assert_eq!(ready(&mut schedule), [0, 2, 3, 4]);
        schedule.answered(2);
        assert_eq!(ready(&mut schedule), [0; 0]);
        schedule.answered(0);
        assert_eq!(ready(&mut schedule), [1]);
        schedule.answered(1);
        assert_eq!(ready(&mut schedule), [5]);
        assert!(schedule.is_finished());
    }

    #[test]
    fn cases_that_name_one_order_meet_whoever_opened_them() {
        let cases =
            [case("C1", 0, "ann", &["o1", "o2", "o1"]), case("C2", 1, "", &["o2"]), case("C3", 2, "bob", &["o1"])];
        let mut schedule = Schedule::new(&cases);
        assert_eq!(ready(&mut schedule), [0]);
        schedule.answered(0);
        assert_eq!(ready(&mut schedule), [1, 2]);
    }

    #[test]
    fn what_could_not_be_taken_comes_again_before_what_waits_for_it() {
        let mut schedule = Schedule::new(&[case("C1", 0, "ann", &[]), case("C2", 1, "ann", &[])]);
        assert_eq!(ready(&mut schedule), [0]);
        schedule.again(0);
        assert!(!schedule.is_finished());
        assert_eq!(ready(&mut schedule), [0]);
        let mut free = Schedule::free(3);
        assert_eq!(ready(&mut free), [0, 1, 2]);
    }
}
