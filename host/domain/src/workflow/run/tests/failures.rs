//! Where failures lead: what a step says of them, then what the document says, then a person.

use super::*;

const HEAD: &str = "on_error: [{ match: declined, then: by_hand }, { match: any, then: lost }]\nvars: { figure: { type: text, default: none }, n: { type: number, default: 0 } }\n";
const STEPS: &str = "  - { id: quote, call: { plugin: quote@0 }, as: quote }
  - { id: read, set: { n: '=number(figure)' } }
  - { id: pay, refund: { quote: =quote }, then: done }
  - { id: by_hand, review: { queue: money, title: Pay by hand, next: { paid: done }, timeout: { never: it is owed } } }
  - { id: done, finish: { result: done } }
  - { id: lost, finish: { result: lost } }
";

impl Desk {
    /// Every refund of the case comes to this.
    fn settle_all(&mut self, case: Nth, outcome: Settled) {
        let is_money = |effect: &&Effect| matches!(effect.what, What::Refund(_));
        let effects = &self.cases[case].effects;
        let keys: Vec<Digest> = effects.iter().filter(|(_, effect)| is_money(effect)).map(|(key, _)| *key).collect();
        assert!(!keys.is_empty());
        keys.into_iter().for_each(|key| self.settle(case, key, outcome));
    }
}

/// A case whose text can be read as a number or cannot.
fn opened(steps: &str, figure: &str) -> (Desk, Nth) {
    let mut desk = Desk::beside(&HEAD.replace("none", figure), steps);
    let case = desk.open(2);
    (desk, case)
}

#[test]
fn given_a_step_fails_that_says_nothing_of_it_then_the_document_says_where_it_leads() {
    let (desk, case) = opened(STEPS, "none");
    assert_eq!(desk.stands(case), "lost");
}

#[test]
fn given_a_code_that_the_document_names_then_the_case_goes_where_that_leads() {
    let (mut desk, case) = opened(STEPS, "'26'");
    desk.settle_all(case, Settled::Declined);
    assert_eq!(desk.stands(case), "by_hand");
    desk.answer(case, "paid").unwrap();
    assert_eq!(desk.stands(case), "done");
}

#[test]
fn given_the_step_says_it_itself_then_that_comes_first() {
    let own = STEPS.replace("'=number(figure)' }", "'=number(figure)' }, on_error: [{ match: any, then: done }]");
    let (desk, case) = opened(&own, "none");
    assert_eq!(desk.stands(case), "done");
}

#[test]
fn given_a_step_below_the_one_that_is_named_fails_then_a_person_is_asked() {
    let below = STEPS.replace(
        "  - { id: lost, finish: { result: lost } }\n",
        "  - { id: lost, set: { n: 7 } }\n  - { id: more, set: { n: '=number(figure)' } }\n  - { id: end, finish: { result: lost } }\n",
    );
    let (desk, case) = opened(&below, "none");
    assert_eq!(desk.stands(case), "more");
    assert!(matches!(&desk.task(case).1.about, About::Failure { step, .. } if step.as_str() == "more"));
}

#[test]
fn the_goods_are_told_with_the_lot_that_was_read_off_them() {
    let head = "vars: { lot: { type: text, default: L-7 } }\n";
    let steps = "  - { id: quote, call: { plugin: quote@0 }, as: quote }
  - { id: pay, refund: { quote: =quote } }
  - { id: shelf, restock: { to: quarantine, lot: =lot, serial: =case.reason } }
  - { id: done, finish: { result: done } }
";
    for (reason, serial) in [(None, None), (Some("S-1"), Some("S-1"))] {
        let mut desk = Desk::beside(head, steps);
        let case = desk.open_as(2, |open| open.reason = reason.map(str::to_owned));
        desk.settle_all(case, Settled::Confirmed);
        assert_eq!(desk.stands(case), "shelf", "{:?}", desk.cases[case].tasks);
        let What::Restock { lot, serial: told, .. } = &desk.effect(case, "shelf").1.what else { panic!() };
        assert_eq!((lot.as_deref(), told.as_deref()), (Some("L-7"), serial));
    }
}
