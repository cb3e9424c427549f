//! Cases that a schedule opens: what they begin with, and that a revision with other times takes them too.

use super::{Desk, Open, by, named};
use crate::case::start::{By, Start, Started};
use crate::clock::{Instant, Zone};
use crate::ids::Slug;

const COUNT: &str = "vars: { level: { type: number, default: 3 } }
steps:
  - { id: pick, decide: [{ when: 'level == 3 && now == case.opened_at', then: right }, { else: wrong }] }
  - { id: right, finish: { result: right } }
  - { id: wrong, finish: { result: wrong } }
";

fn due(kind: &str) -> Open {
    let by = By::Schedule { at: Instant::from_unix_ms(1_000) };
    let start = Start { workflow: Slug::from_static("tried"), by };
    Open { start: Some(Box::new(start)), ..named(kind, &[]) }
}

#[test]
fn a_case_of_a_schedule_is_nobody_s_and_knows_which_time_it_is() {
    let mut desk = Desk::started("  - schedule: { cron: 0 9 * * *, type: count }\n", COUNT);
    let case = desk.start(&by("host"), due("count")).unwrap();
    assert_eq!(desk.stands(case), "right");
    assert_eq!(desk.cases[case].started, Some(Started::Schedule { at: Instant::from_unix_ms(1_000) }));
    assert_eq!((&desk.cases[case].customer, desk.cases[case].lines.len()), (&None, 0));
    assert_eq!(desk.routed(due("count")).as_deref(), Some("tried"));
}

#[test]
fn a_revision_takes_it_that_has_a_schedule_of_the_type_whatever_its_times() {
    let mut other = Desk::started("  - schedule: { cron: 30 17 1 * *, zone: Asia/Tokyo, type: count }\n", COUNT);
    other.start(&by("host"), due("count")).unwrap();
    for triggers in ["  - schedule: { cron: 0 9 * * *, type: audit }\n", "  - manual: { roles: agent, type: count }\n"]
    {
        let refused = Desk::started(triggers, COUNT).start(&by("host"), due("count")).unwrap_err();
        assert_eq!((refused.code, &refused.fields[..]), ("not_startable", &["kind".to_owned()][..]));
    }
}

#[test]
fn times_are_local_to_the_schedule_s_zone_else_the_calendar_s_else_the_document_s() {
    let zone = |more: &str, head: &str| {
        let triggers = format!("  - schedule: {{ cron: 0 9 * * *, {more}type: count }}\n");
        Desk::started(&triggers, &format!("{head}{COUNT}")).definition.starts.schedules[0].zone
    };
    let calendar = "zone: Asia/Tokyo\ncalendar: { zone: Europe/Berlin, hours: 'Mon-Fri 08:00-17:00' }\n";
    assert_eq!(zone("", ""), Zone::UTC);
    assert_eq!(zone("", "zone: Asia/Tokyo\n"), Zone::Asia__Tokyo);
    assert_eq!(zone("", calendar), Zone::Europe__Berlin);
    assert_eq!(zone("zone: America/New_York, ", calendar), Zone::America__New_York);
}
