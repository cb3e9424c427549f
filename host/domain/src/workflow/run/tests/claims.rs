//! Whose a task is.

use super::*;

/// A case that waits for a person.
fn asked() -> (Desk, Nth, TaskId) {
    let mut desk = Desk::with(
        "  - { id: look, review: { queue: q, title: Look, next: { good: done }, timeout: { never: somebody must look } } }\n  \
         - { id: done, finish: { result: seen } }\n",
    );
    let case = desk.open(1);
    let task = desk.task(case).0;
    (desk, case, task)
}

fn assignee(desk: &Desk, case: Nth) -> Option<&str> {
    desk.task(case).1.assignee.as_deref()
}

#[test]
fn a_task_is_nobodys_until_somebody_takes_it_and_again_when_it_is_given_back() {
    let (mut desk, case, task) = asked();
    assert_eq!(assignee(&desk, case), None);
    desk.turn(case, &agent("ada"), Body::Claim(task)).unwrap();
    assert_eq!((assignee(&desk, case), desk.last(case)), (Some("ada"), vec!["task.claimed.1"]));
    desk.turn(case, &agent("ada"), Body::Release(task)).unwrap();
    assert_eq!((assignee(&desk, case), desk.last(case)), (None, vec!["task.released.1"]));
    desk.turn(case, &agent("bob"), Body::Claim(task)).unwrap();
    assert_eq!(assignee(&desk, case), Some("bob"));
}

#[test]
fn what_is_taken_by_one_is_not_taken_given_back_or_answered_by_another() {
    let (mut desk, case, task) = asked();
    desk.turn(case, &agent("ada"), Body::Claim(task)).unwrap();
    for actor in [agent("bob"), Actor { role: "integrator".to_owned(), ..agent("bob") }] {
        let refused = desk.turn(case, &actor, Body::Claim(task)).unwrap_err();
        assert_eq!((refused.code, refused.message), ("task_claimed", format!("task {task} is claimed by \"ada\"")));
        assert_eq!(code(desk.turn(case, &actor, Body::Release(task))), "task_claimed");
        assert_eq!(code(desk.answer_as(case, &actor, "good")), "task_claimed");
    }
    assert_eq!(assignee(&desk, case), Some("ada"));
    desk.answer_as(case, &agent("ada"), "good").unwrap();
    assert_eq!(desk.stands(case), "seen");
}

#[test]
fn an_admin_gives_back_and_answers_what_another_took_but_takes_only_what_is_free() {
    let (mut desk, case, task) = asked();
    desk.turn(case, &agent("ada"), Body::Claim(task)).unwrap();
    assert_eq!(code(desk.turn(case, &admin("grace"), Body::Claim(task))), "task_claimed");
    desk.turn(case, &admin("grace"), Body::Release(task)).unwrap();
    assert_eq!(assignee(&desk, case), None);

    desk.turn(case, &agent("ada"), Body::Claim(task)).unwrap();
    desk.answer_as(case, &admin("grace"), "good").unwrap();
    assert_eq!(desk.stands(case), "seen");
}

#[test]
fn taking_what_one_has_and_giving_back_what_nobody_has_is_recorded_as_ignored() {
    let (mut desk, case, task) = asked();
    desk.turn(case, &agent("ada"), Body::Release(task)).unwrap();
    assert_eq!((assignee(&desk, case), desk.last(case)), (None, vec!["input.ignored.1"]));
    for expected in ["task.claimed.1", "input.ignored.1"] {
        desk.turn(case, &agent("ada"), Body::Claim(task)).unwrap();
        assert_eq!((assignee(&desk, case), desk.last(case)), (Some("ada"), vec![expected]));
    }
}

#[test]
fn a_task_that_nobody_has_is_answered_by_anybody() {
    let (mut desk, case, _) = asked();
    desk.answer_as(case, &agent("bob"), "good").unwrap();
    assert_eq!(desk.stands(case), "seen");
}

#[test]
fn only_an_open_task_is_taken_or_given_back_and_of_a_closed_case_none() {
    let (mut desk, case, task) = asked();
    let other = TaskId::mint(Instant::from_unix_ms(5), 5);
    assert_eq!(code(desk.give(case, Body::Claim(other))), "task_not_open");
    assert_eq!(code(desk.give(case, Body::Release(other))), "task_not_open");
    desk.answer(case, "good").unwrap();
    assert_eq!(code(desk.give(case, Body::Claim(task))), "case_closed");
    assert_eq!(code(desk.give(case, Body::Release(task))), "case_closed");
}

#[test]
fn a_question_about_money_is_taken_and_answered_beyond_the_end_of_the_case() {
    let mut desk = Desk::with(
        "  - { id: quote, call: { plugin: quote@0 }, as: quote }\n  - { id: pay, refund: { quote: =quote } }\n  \
         - { id: done, finish: { result: refunded } }\n",
    );
    let case = desk.open(1);
    desk.settle(case, desk.key(case, "card"), Settled::Unknown);
    desk.give(case, Body::Cancel).unwrap();
    let task = desk.task(case).0;
    desk.turn(case, &agent("ada"), Body::Claim(task)).unwrap();
    assert_eq!((desk.stands(case), assignee(&desk, case)), ("cancelled", Some("ada")));
    assert_eq!(code(desk.answer_as(case, &agent("bob"), "paid")), "task_claimed");
    desk.turn(case, &agent("ada"), Body::Release(task)).unwrap();
    desk.answer_as(case, &agent("bob"), "paid").unwrap();
}
