//! How a workflow wants something sent again travels with the effect, so that it is as the case's revision says.

use super::*;
use crate::case::Retry;

const STEPS: &str = "
  - { id: tell, notify: { template: t, to: customer } }
  - { id: label, http: { target: carrier }, retry: { attempts: 2, unless: [timeout] } }
  - { id: done, finish: { result: done } }
";

#[test]
fn an_effect_has_the_retry_of_its_step_else_that_of_its_document_else_none() {
    let of = |desk: &Desk, name| desk.effect(0, name).1.retry.clone();
    let mut desk = Desk::with(STEPS);
    desk.open(1);
    let own = Retry { attempts: Some(2), unless: vec!["timeout".to_owned()], ..Retry::default() };
    assert_eq!((of(&desk, "tell"), of(&desk, "label")), (None, Some(own.clone())));
    let mut desk = Desk::beside("defaults: { retry: { attempts: 6, first: 2s, factor: 1.5, jitter: 0% } }\n", STEPS);
    desk.open(1);
    let usual = Retry {
        attempts: Some(6),
        first: Some(Span::from_millis(2_000)),
        factor: "1.5".parse().ok(),
        jitter: Some(0),
        ..Retry::default()
    };
    assert_eq!((of(&desk, "tell"), of(&desk, "label")), (Some(usual), Some(own)));
}
