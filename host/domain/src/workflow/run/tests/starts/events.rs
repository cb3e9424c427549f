//! Cases that an event opens which no case is named for.

use super::{Desk, by};
use crate::case::command::{Open, Rejection};
use crate::case::start::{By, Started};
use crate::case::{Arrived, External};
use crate::clock::Instant;
use crate::ids::Digest;
use crate::value::{Fields, Value};
use crate::workflow::run::start::opens;

const FOUND: &str = "events: { parcel_found: { order: text, customer: text?, kind: [whole, open], weight: number } }
vars: { weight: number, kind: { type: text, default: none }, seen: instant }
steps:
  - { id: pick, decide: [{ when: 'weight > 20', then: heavy }, { else: light }] }
  - { id: heavy, finish: { result: heavy } }
  - { id: light, finish: { result: light } }
";

fn found() -> Desk {
    let triggers = "  - event: { name: parcel_found, match: 'event.kind == \"open\"', type: damage, set: { weight: =event.weight, kind: open, seen: =now } }
  - event:
      name: parcel_found
      match: event.weight == 30
      type: return
      order: =event.order
      customer: '=orElse(event.customer, \"somebody\")'
      reason: '=\"parcel_\" + event.kind'
      set: { weight: =event.weight, seen: =event.at }
";
    Desk::started(triggers, FOUND)
}

fn parcel(kind: &str, weight: i64) -> Arrived {
    let fields = [("order", Value::text("1001")), ("kind", Value::text(kind)), ("weight", Value::whole(weight))];
    let fields = fields.map(|(name, value)| (name.to_owned(), value)).into();
    Arrived { name: "parcel_found".to_owned(), at: Instant::from_unix_ms(1_000), fields }
}

impl Desk {
    fn happens(&self, event: &Arrived) -> Result<Option<Open>, Rejection> {
        let external = External { source: "event:wms".to_owned(), id: "77".to_owned() };
        opens(&self.definition, event, &external, Digest::of(b"77"))
    }
}

#[test]
fn the_first_trigger_that_matches_says_what_the_case_is_and_what_its_variables_hold() {
    let mut desk = found();
    let open = desk.happens(&parcel("whole", 30)).unwrap().unwrap();
    assert_eq!((open.kind.as_str(), open.order.as_ref().unwrap().as_str()), ("return", "1001"));
    assert_eq!((open.customer.as_ref().unwrap().as_str(), open.reason.as_deref()), ("somebody", Some("parcel_whole")));
    assert_eq!(open.external.as_ref().map(|one| (&*one.source, &*one.id)), Some(("event:wms", "77")));
    let case = desk.start(&by("integrator"), open).unwrap();
    assert_eq!(
        (desk.stands(case), &desk.cases[case].vars["seen"]),
        ("heavy", &Value::Instant(Instant::from_unix_ms(1_000)))
    );
    assert_eq!(desk.cases[case].vars["kind"], Value::text("none"), "a default holds where the trigger sets nothing");
    assert_eq!(desk.cases[case].started, Some(Started::Event { name: "parcel_found".to_owned() }));
    let open = desk.happens(&parcel("open", 30)).unwrap().unwrap();
    assert_eq!((open.kind.as_str(), &open.order, &open.reason), ("damage", &None, &None));
    let case = desk.start(&by("viewer"), open).unwrap();
    assert_eq!(desk.cases[case].vars["kind"], Value::text("open"), "what is set counts more than a default");
}

#[test]
fn an_event_that_no_trigger_matches_or_that_is_not_as_declared_opens_nothing() {
    let desk = found();
    for event in [
        parcel("whole", 3),
        parcel("shut", 30),
        Arrived { name: "parcel_lost".to_owned(), ..parcel("open", 30) },
        Arrived { fields: Fields::new(), ..parcel("open", 30) },
    ] {
        assert_eq!(desk.happens(&event), Ok(None), "{event:?}");
    }
}

#[test]
fn what_the_event_carries_must_be_a_name_where_one_is_wanted() {
    let desk = found();
    for (field, text) in [("order", ""), ("customer", "a\nb")] {
        let mut event = parcel("whole", 30);
        event.fields.insert(field.to_owned(), Value::text(text));
        let refused = desk.happens(&event).unwrap_err();
        assert_eq!((refused.code, &refused.fields[..]), ("wrong_event", &["fields".to_owned()][..]));
        assert!(refused.message.contains(&format!("`{field}`")), "{}", refused.message);
    }
}

#[test]
fn a_workflow_that_does_not_want_the_event_any_more_does_not_open_its_case() {
    let open = found().happens(&parcel("whole", 30)).unwrap().unwrap();
    let others = [
        "  - event: { name: parcel_found, match: event.weight == 31, type: return, set: { weight: 1, seen: =now } }\n",
        "  - event: { name: parcel_found, type: damage, set: { weight: 1, seen: =now } }\n",
        "  - case_opened: { type: return }\n",
    ];
    for triggers in others {
        let steps = FOUND.replace("vars: { weight: number", "vars: { weight: { type: number, default: 1 }");
        let mut desk = Desk::started(triggers, &steps);
        let refused = desk.start(&by("agent"), open.clone()).unwrap_err();
        assert_eq!(refused.code, "event_not_wanted", "{triggers}");
    }
    // One that sets another value does: that is what a backtest asks.
    let other = "  - event: { name: parcel_found, type: return, set: { weight: 2, seen: =now } }\n";
    let mut desk = Desk::started(other, FOUND);
    let case = desk.start(&by("agent"), open.clone()).unwrap();
    assert_eq!(desk.stands(case), "light");
    let Some(By::Event { event, .. }) = open.start.map(|start| start.by) else { panic!("an event starts it") };
    assert_eq!(*event, parcel("whole", 30));
}
