//! A workflow says how what it sends is sent again: how often, after which pauses, and after what no more.

use redress::outbox::delivery::Outcome;
use redress_domain::clock::Span;
use redress_tests::delivery::{PAY, Trial};
use redress_tests::provider::Trick;
use redress_tests::shop::{stands, the_task};

use super::{counted, last, outcomes};

fn paying(retry: &str) -> String {
    PAY.replace("refund: { quote: =quote }", &format!("refund: {{ quote: =quote }}, retry: {retry}"))
}

#[test]
fn after_so_many_requests_a_person_is_asked_and_may_begin_anew() {
    let (trial, provider) = Trial::paid(&paying("{ attempts: 3, first: 2s, factor: 3, jitter: 0% }")).unwrap();
    let (case, key) = trial.refund().unwrap();
    for (pause, left) in [(0, 0), (1_999, 0), (1, 1), (5_999, 0), (1, 1)] {
        provider.next(Trick::HangUp);
        let before = outcomes(&trial, key).len();
        trial.send_after(Span::from_millis(pause)).unwrap();
        let sent = outcomes(&trial, key).len() - before;
        assert_eq!(sent, if before == 0 { 1 } else { left }, "{pause} ms later");
    }
    assert_eq!(outcomes(&trial, key), [Outcome::Retry, Outcome::Retry, Outcome::Unknown]);
    let asked = trial.shop.case(&case).unwrap();
    assert_eq!((stands(&asked), the_task(&asked).1.reasons[0].code.as_str()), ("pay", "outcome_unknown"));
    while provider.has_tricks() {
        provider.next_is_honest();
    }
    trial.shop.answer(&case, "resend", &[]).unwrap();
    trial.send().unwrap();
    assert_eq!(stands(&trial.shop.case(&case).unwrap()), "refunded");
    assert_eq!(counted(&provider), (1, 1, 1), "one key, and money that left once");
}

#[test]
fn after_a_code_that_it_names_nothing_is_sent_again() {
    let (trial, provider) = Trial::paid(&paying("{ unless: [status_503] }")).unwrap();
    let (case, key) = trial.refund().unwrap();
    provider.next(Trick::Refuse(500));
    provider.next(Trick::Refuse(503));
    trial.send().unwrap();
    trial.send_after(Span::from_millis(3_600_000)).unwrap();
    assert_eq!((outcomes(&trial, key), last(&trial, key).status), (vec![Outcome::Retry, Outcome::Unknown], Some(503)));
    assert_eq!(the_task(&trial.shop.case(&case).unwrap()).1.reasons[0].code, "outcome_unknown");
}
