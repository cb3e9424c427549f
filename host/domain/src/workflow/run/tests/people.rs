//! Reviews and inspections: what happens while nobody answers, two people who must agree, evidence, and goods that are sold again.

use super::*;
use crate::case::deadline::AlarmKind;
use crate::value::Value;

const LOOK: &str = r#"
calendar: { hours: "Mon-Fri 09:00-17:00", holidays: gb }
steps:
  - id: look
    review:
      queue: desk
      title: Look
      ask: { ok: bool, note: text? }
      next: { accept: done, refuse: refused }
      sla:
        due: 8bh
        remind: [4bh, 7bh]
        escalate: [{ after: 10bh, to: leads }, { after: 3bd, to: chiefs }]
      timeout: { after: 30d, then: late }
  - { id: done, finish: { result: accepted } }
  - { id: refused, finish: { result: refused } }
  - { id: late, finish: { result: late } }
"#;

/// A moment of UTC, the zone of the desk.
fn at(text: &str) -> Instant {
    Instant::from_local(chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap(), Zone::UTC).unwrap()
}

/// A case that is opened at this moment.
fn opened(document: &str, text: &str) -> (Desk, Nth) {
    let mut desk = Desk::of(document);
    desk.now = at(text);
    let case = desk.open(1);
    (desk, case)
}

/// The names of all entries of a case after the first turn, without those that tell of effects.
fn told(desk: &Desk, case: Nth) -> Vec<&'static str> {
    let entries = desk.journals[case].iter().skip(1).flat_map(|(_, entries)| entries);
    entries.map(Entry::name).filter(|name| *name != "effect.intended.1").collect()
}

/// Template and receiver of each message, in the order of the journal.
fn notices(desk: &Desk, case: Nth) -> Vec<String> {
    let entries = desk.journals[case].iter().flat_map(|(_, entries)| entries);
    let notice = |entry: &Entry| match entry {
        Entry::Intended { effect, .. } => match &effect.what {
            What::Notice { template, to, channel, .. } => {
                assert_eq!(channel == "email", to == "customer", "mail goes to the customer, whomever it is for");
                Some(format!("{template} to {to}"))
            }
            _ => None,
        },
        _ => None,
    };
    entries.filter_map(notice).collect()
}

fn complete(desk: &mut Desk, case: Nth, who: &str, outcome: &str, form: &[(&str, Value)]) -> Result<(), Rejection> {
    let form = form.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let complete =
        Complete { task: desk.task(case).0, outcome: outcome.to_owned(), form, live: false, lines: Vec::new() };
    desk.turn(case, &agent(who), Body::Complete(complete))
}

#[test]
fn reminders_deadline_and_escalations_come_in_business_time_and_end_nothing() {
    // A Thursday afternoon before Good Friday and Easter Monday.
    let (mut desk, case) = opened(LOOK, "2026-04-02 15:00");
    assert_eq!(desk.task(case).1.deadline.as_ref().unwrap().due, at("2026-04-07 15:00"));
    desk.pass_to(at("2026-04-07 10:59"));
    assert!(told(&desk, case).is_empty(), "four days passed and only three hours and 59 minutes of work");
    desk.pass_to(at("2026-04-07 11:00"));
    assert_eq!(told(&desk, case), ["task.reminded.1"]);
    desk.pass_to(at("2026-04-07 15:00"));
    assert_eq!(told(&desk, case)[1..], ["task.reminded.1", "task.overdue.1"]);
    let task = desk.task(case).1;
    assert!(task.deadline.as_ref().unwrap().overdue);
    assert_eq!(task.queue, "desk");
    desk.pass_to(at("2026-04-07 17:00"));
    assert_eq!(desk.task(case).1.queue, "leads");
    desk.pass_to(at("2026-04-09 15:00"));
    assert_eq!(desk.task(case).1.queue, "chiefs");
    assert!(desk.task(case).1.deadline.as_ref().unwrap().alarms.is_empty());
    let expected =
        ["task-reminder to desk", "task-reminder to desk", "task-escalated to leads", "task-escalated to chiefs"];
    assert_eq!(notices(&desk, case), expected);
    assert_eq!(desk.stands(case), "look", "nothing of it ends the wait");
    complete(&mut desk, case, "ada", "accept", &[("ok", Value::Bool(true))]).unwrap();
    assert_eq!(desk.stands(case), "accepted");
}

#[test]
fn after_an_outage_one_reminder_is_sent_and_the_last_escalation_counts() {
    let (mut desk, case) = opened(LOOK, "2026-11-25 09:00");
    desk.sleep_to(at("2026-12-20 12:00"));
    assert_eq!(told(&desk, case), ["task.overdue.1", "task.escalated.1", "task.reminded.1"]);
    let skipped: Vec<u32> = desk.journals[case]
        .iter()
        .flat_map(|(_, entries)| entries)
        .filter_map(|entry| match entry {
            Entry::TaskEscalated { passed_over, .. } | Entry::TaskReminded { passed_over, .. } => Some(*passed_over),
            _ => None,
        })
        .collect();
    assert_eq!(skipped, [1, 1]);
    assert_eq!(notices(&desk, case), ["task-escalated to chiefs"], "who gets the task now needs no reminder of it");
    assert_eq!(desk.task(case).1.queue, "chiefs");
    assert!(desk.timers.iter().all(|(_, _, timer)| matches!(timer, Timer::Wait { .. })), "{:?}", desk.timers);
}

#[test]
fn a_message_that_fails_or_arrives_never_answers_the_review() {
    for outcome in [Settled::Confirmed, Settled::Declined] {
        let (mut desk, case) = opened(LOOK, "2026-11-25 09:00");
        desk.pass_to(at("2026-11-25 13:00"));
        let key = *desk.cases[case].effects.keys().next().unwrap();
        desk.settle(case, key, outcome);
        assert_eq!((desk.stands(case), desk.cases[case].tasks.len()), ("look", 1), "{outcome:?}");
        complete(&mut desk, case, "ada", "accept", &[("ok", Value::Bool(true))]).unwrap();
        assert_eq!(desk.stands(case), "accepted");
    }
}

#[test]
fn an_answer_ends_what_would_have_come() {
    let (mut desk, case) = opened(LOOK, "2026-11-25 09:00");
    complete(&mut desk, case, "ada", "refuse", &[("ok", Value::Bool(false))]).unwrap();
    desk.pass_to(at("2027-01-10 09:00"));
    assert!(notices(&desk, case).is_empty());
    assert_eq!(desk.stands(case), "refused");
}

#[test]
fn an_escalation_takes_the_task_from_who_had_it() {
    let (mut desk, case) = opened(LOOK, "2026-11-25 09:00");
    let id = desk.task(case).0;
    desk.give(case, Body::Claim(id)).unwrap();
    desk.pass_to(at("2026-11-25 16:00"));
    assert_eq!(desk.task(case).1.assignee.as_deref(), Some("ada"), "a reminder leaves it where it is");
    desk.pass_to(at("2026-11-26 11:00"));
    assert_eq!((desk.task(case).1.queue.as_str(), desk.task(case).1.assignee.as_deref()), ("leads", None));
    complete(&mut desk, case, "bob", "accept", &[("ok", Value::Bool(true))]).unwrap();
}

#[test]
fn a_timer_that_somebody_makes_up_or_that_comes_again_does_nothing() {
    let (mut desk, case) = opened(LOOK, "2026-11-25 09:00");
    let task = desk.task(case).0;
    desk.give(case, Body::Timer(Timer::Task { task })).unwrap();
    assert_eq!(desk.last(case), ["input.ignored.1"]);
    let (due, _, timer) =
        desk.timers.iter().find(|(_, _, timer)| matches!(timer, Timer::Task { .. })).cloned().unwrap();
    desk.pass_to(due);
    desk.give(case, Body::Timer(timer)).unwrap();
    assert_eq!(desk.last(case), ["input.ignored.1"]);
    assert_eq!(notices(&desk, case).len(), 1);
}

#[test]
fn a_clock_that_jumps_an_hour_back_neither_repeats_nor_loses_anything() {
    let (mut desk, case) = opened(LOOK, "2026-11-25 09:00");
    desk.pass_to(at("2026-11-25 13:00"));
    // The host's clock is an hour behind what the case has seen.
    desk.now = at("2026-11-25 12:00");
    let id = desk.task(case).0;
    desk.give(case, Body::Claim(id)).unwrap();
    assert_eq!(desk.cases[case].changed_at, at("2026-11-25 13:00"), "a case never goes back in time");
    desk.pass_to(at("2026-11-25 16:30"));
    assert_eq!(notices(&desk, case), ["task-reminder to desk", "task-reminder to desk"]);
    desk.pass_to(at("2026-11-26 09:00"));
    assert_eq!(told(&desk, case), ["task.reminded.1", "task.claimed.1", "task.reminded.1", "task.overdue.1"]);
}

#[test]
fn an_imported_review_is_neither_late_nor_hurried() {
    let mut desk = Desk::of(LOOK);
    desk.now = at("2026-04-02 15:00");
    let case = desk.open_as(1, |open| open.history = true);
    assert_eq!(desk.task(case).1.deadline, None);
    assert!(desk.timers.is_empty());
}

#[test]
fn the_deadline_keeps_the_version_of_the_holidays_that_it_was_counted_with() {
    let (desk, case) = opened(LOOK, "2026-04-02 15:00");
    let calendar = desk.definition.calendar.as_ref().unwrap();
    let deadline = desk.task(case).1.deadline.as_ref().unwrap();
    assert!(deadline.holidays.is_some() && deadline.holidays == calendar.version());
    let kinds: Vec<&AlarmKind> = deadline.alarms.iter().map(|alarm| &alarm.kind).collect();
    assert!(matches!(kinds[..], [AlarmKind::Remind, AlarmKind::Remind, AlarmKind::Due, AlarmKind::Escalate { .. }, _]));
}

const WAIT: &str = r#"
calendar: { hours: "Mon-Fri 09:00-17:00" }
events: { came: {} }
steps:
  - id: goods
    await: { event: came, remind: [5d, 10d, 12bd], timeout: { after: 21d, then: late } }
  - { id: done, finish: { result: came } }
  - { id: late, finish: { result: late } }
"#;

#[test]
fn a_customer_is_reminded_until_what_is_awaited_comes() {
    let (mut desk, case) = opened(WAIT, "2026-11-25 09:00");
    desk.pass_to(at("2026-12-05 09:00"));
    assert_eq!(notices(&desk, case), ["wait-reminder to customer", "wait-reminder to customer"]);
    assert_eq!(desk.stands(case), "goods");
    desk.give(case, Body::Event(crate::case::command::Event { name: "came".to_owned(), fields: Fields::new() }))
        .unwrap();
    desk.pass_to(at("2027-01-05 09:00"));
    assert_eq!((desk.stands(case), notices(&desk, case).len()), ("came", 2));
}

#[test]
fn reminders_that_came_due_in_an_outage_are_one() {
    let (mut desk, case) = opened(WAIT, "2026-11-25 09:00");
    desk.sleep_to(at("2026-12-12 09:00"));
    assert_eq!(told(&desk, case), ["wait.reminded.1"]);
    assert_eq!(notices(&desk, case), ["wait-reminder to customer"]);
    let (mut desk, case) = opened(WAIT, "2026-11-25 09:00");
    desk.sleep_to(at("2027-02-01 09:00"));
    assert_eq!((desk.stands(case), notices(&desk, case).len()), ("late", 1));
}

const TWICE: &str = r#"
steps:
  - id: look
    review:
      queue: desk
      title: Look
      ask: { share: number, note: text? }
      next: { accept: pick, refuse: refused }
      four_eyes: true
      timeout: { never: somebody must look }
    as: seen
  - { id: pick, decide: [{ when: 'seen.first_by == "ada" && seen.by == "bob"', then: done }, { else: refused }] }
  - { id: done, finish: { result: agreed } }
  - { id: refused, finish: { result: refused } }
"#;

fn share(number: i64) -> (&'static str, Value) {
    ("share", Value::whole(number))
}

#[test]
fn two_different_people_must_give_the_same_answer() {
    let (mut desk, case) = opened(TWICE, "2026-11-25 09:00");
    complete(&mut desk, case, "ada", "accept", &[share(50), ("note", Value::text("worn"))]).unwrap();
    assert_eq!((desk.stands(case), desk.last(case)), ("look", vec!["task.proposed.1"]));
    assert_eq!(code(complete(&mut desk, case, "ada", "accept", &[share(50)])), "second_person_needed");
    complete(&mut desk, case, "bob", "accept", &[share(50), ("note", Value::text("I think so too"))]).unwrap();
    assert_eq!(desk.stands(case), "agreed");
}

#[test]
fn another_answer_takes_the_place_of_the_first_and_waits_for_a_second() {
    let (mut desk, case) = opened(TWICE, "2026-11-25 09:00");
    complete(&mut desk, case, "ada", "accept", &[share(50)]).unwrap();
    complete(&mut desk, case, "bob", "accept", &[share(60)]).unwrap();
    assert_eq!(desk.task(case).1.proposal.as_ref().unwrap().by, "bob", "not the same share");
    complete(&mut desk, case, "ada", "refuse", &[share(60)]).unwrap();
    assert_eq!(desk.task(case).1.proposal.as_ref().unwrap().by, "ada", "not the same choice");
    assert_eq!(desk.stands(case), "look");
    complete(&mut desk, case, "bob", "refuse", &[share(60)]).unwrap();
    assert_eq!(desk.stands(case), "refused");
}

#[test]
fn an_admin_is_no_two_people_and_who_took_the_task_leaves_it_to_the_other() {
    let (mut desk, case) = opened(TWICE, "2026-11-25 09:00");
    let id = desk.task(case).0;
    desk.give(case, Body::Claim(id)).unwrap();
    desk.answer_form(case, &admin("grace"), "accept", share(50)).unwrap();
    assert_eq!(desk.task(case).1.assignee, None);
    assert_eq!(code(desk.answer_form(case, &admin("grace"), "accept", share(50))), "second_person_needed");
}

impl Desk {
    fn answer_form(&mut self, case: Nth, actor: &Actor, outcome: &str, field: (&str, Value)) -> Result<(), Rejection> {
        let form = [(field.0.to_owned(), field.1)].into();
        let complete =
            Complete { task: self.task(case).0, outcome: outcome.to_owned(), form, live: false, lines: Vec::new() };
        self.turn(case, actor, Body::Complete(complete))
    }
}

const INSPECT: &str = r#"
steps:
  - { id: quote, call: { plugin: quote@0 }, as: quote }
  - id: check
    inspect:
      queue: warehouse
      ask: { state: [new, worn], photos: "files(min=2, max=3)", extra: files }
      timeout: { after: 5d, then: late }
    as: seen
  - { id: pay, refund: { quote: =quote } }
  - { id: shelf, restock: { to: '=seen.state == "new" ? "sellable" : "outlet"' } }
  - { id: done, finish: { result: sold_again } }
  - { id: late, finish: { result: late } }
"#;

fn evidence(letters: &[char]) -> Value {
    Value::List(letters.iter().map(|letter| Value::text(format!("sha256:{}", letter.to_string().repeat(64)))).collect())
}

fn found(state: &str, photos: Value) -> Vec<(&'static str, Value)> {
    vec![("state", Value::text(state)), ("photos", photos)]
}

#[test]
fn an_inspection_has_a_task_of_its_own_and_names_who_looked() {
    let (mut desk, case) = opened(INSPECT, "2026-11-25 09:00");
    let (_, task) = desk.task(case);
    assert_eq!(task.about, About::Inspection { step: Slug::from_static("check") });
    assert_eq!(task.title, "Inspect the goods of R-0");
    complete(&mut desk, case, "ada", "done", &found("new", evidence(&['a', 'b']))).unwrap();
    let Some(crate::case::Output::Values(fields)) = desk.cases[case].outputs.get("check") else { panic!() };
    assert_eq!(fields["by"], Value::text("ada"));
    assert_eq!(fields["extra"], Value::List(Vec::new()), "what needs no evidence may be left out");
    for leg in ["card", "voucher"] {
        if desk.cases[case]
            .effects
            .values()
            .any(|effect| matches!(&effect.what, What::Refund(refund) if refund.payment.as_deref() == Some(leg)))
        {
            let key = desk.key(case, leg);
            desk.settle(case, key, Settled::Confirmed);
        }
    }
    let What::Restock { to, .. } = &desk.effect(case, "shelf").1.what else { panic!() };
    assert_eq!(to, "sellable");
}

#[test]
fn evidence_is_named_by_its_content_once_and_often_enough() {
    let (mut desk, case) = opened(INSPECT, "2026-11-25 09:00");
    let not_a_hash = Value::List(vec![Value::text("photo1.jpg"), Value::text("photo2.jpg")]);
    let upper = Value::List(vec![
        Value::text(format!("sha256:{}", "A".repeat(64))),
        Value::text(format!("sha256:{}", "b".repeat(64))),
    ]);
    for photos in [evidence(&['a']), evidence(&['a', 'a']), evidence(&['a', 'b', 'c', 'd']), not_a_hash, upper] {
        let refused = complete(&mut desk, case, "ada", "done", &found("new", photos.clone())).unwrap_err();
        assert_eq!((refused.code, refused.fields), ("wrong_form", vec!["form.photos".to_owned()]), "{photos}");
    }
    assert_eq!(
        code(complete(&mut desk, case, "ada", "accept", &found("new", evidence(&['a', 'b'])))),
        "unknown_outcome"
    );
    assert_eq!(desk.stands(case), "check");
    desk.pass_to(at("2026-11-30 09:00"));
    assert_eq!(desk.stands(case), "late");
}

#[test]
fn goods_are_not_sold_on_the_word_of_the_checker_alone() {
    let (mut desk, case) = opened(INSPECT, "2026-11-25 09:00");
    complete(&mut desk, case, "ada", "done", &found("worn", evidence(&['a', 'b']))).unwrap();
    // As if the inspection had left no name: what no way through a checked workflow can bring about.
    if let Some(crate::case::Output::Values(fields)) = desk.cases[case].outputs.get_mut("check") {
        fields.remove("by");
    }
    let before = desk.cases[case].clone();
    let legs: Vec<Digest> = before.effects.keys().copied().collect();
    desk.journals[case].clear();
    desk.cases[case] = before;
    let last = legs.len() - 1;
    for (place, key) in legs.into_iter().enumerate() {
        if place < last {
            desk.settle_unfolded(case, key);
        } else {
            let decision = desk.settle_unfolded(case, key);
            let refused =
                decision.iter().any(|entry| matches!(entry, Entry::Failed { code, .. } if code == "restock_place"));
            assert!(refused, "{decision:?}");
        }
    }
}

impl Desk {
    /// A turn on a case that was made up, whose journal does not lead to it.
    fn settle_unfolded(&mut self, nth: Nth, key: Digest) -> Vec<Entry> {
        let before = self.cases[nth].clone();
        self.facts.own = before.reserved.clone();
        let command = Command {
            occurred_at: self.now,
            recorded_at: self.now,
            actor: agent("ada"),
            channel: "test".to_owned(),
            source: None,
            reason: None,
            body: Body::Settle(Settle::new(key, Settled::Confirmed)),
        };
        let input = Input {
            tenant: TenantId::mint(self.now, 1),
            command,
            facts: self.facts.clone(),
            jurisdiction: "UK".to_owned(),
            opening: None,
        };
        let run = Box::new(run::begin(Some(&self.definition), Some(before), input).unwrap());
        let Progress::Decided(decision) = run::advance(Some(&self.definition), run, None) else {
            panic!("no plugin is asked")
        };
        for (order, taken) in decision.ledgers {
            self.facts.ledgers.insert(order, LedgerAt { version: taken.version + 1, ledger: Some(taken.ledger) });
        }
        self.cases[nth] = decision.case;
        decision.turn.entries
    }
}

const AGE: &str = r#"
limits: { open_for: 10d }
steps:
  - { id: rest, wait: { for: 60d } }
  - { id: done, finish: { result: rested } }
"#;

#[test]
fn a_case_that_is_open_too_long_is_a_persons_question_and_is_not_ended() {
    let (mut desk, case) = opened(AGE, "2026-11-01 09:00");
    desk.pass_to(at("2026-11-11 08:59"));
    assert!(desk.cases[case].tasks.is_empty());
    desk.pass_to(at("2026-11-11 09:00"));
    assert_eq!((desk.stands(case), &desk.task(case).1.about), ("rest", &About::TooLong));
    assert_eq!(code(desk.answer(case, "perhaps")), "unknown_outcome");
    desk.answer(case, "keep").unwrap();
    desk.pass_to(at("2026-11-21 09:00"));
    assert_eq!(desk.task(case).1.about, About::TooLong, "asked again after the same time");
    desk.answer(case, "close").unwrap();
    assert_eq!(desk.stands(case), "cancelled");
    desk.pass_to(at("2027-06-01 09:00"));
    assert_eq!(desk.stands(case), "cancelled");
}

#[test]
fn a_case_that_ends_in_time_is_not_asked_about() {
    let (mut desk, case) = opened(&AGE.replace("60d", "5d"), "2026-11-01 09:00");
    desk.pass_to(at("2026-12-01 09:00"));
    assert_eq!((desk.stands(case), desk.last(case)), ("rested", vec!["input.ignored.1"]));
    let (mut desk, case) = opened(AGE, "2026-11-01 09:00");
    desk.pass_to(at("2026-11-11 09:00"));
    desk.pass_to(at("2026-12-31 09:00"));
    assert_eq!((desk.stands(case), desk.cases[case].tasks.len()), ("rested", 0), "an open question ends with the case");
}
