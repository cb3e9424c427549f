//! Sub-cases on the real engine: two cases in turns of their own, and what one tells the other arrives once.

use redress::backtest::trial::Trial;
use redress::backtest::{self, Select};
use redress::engine::{Error, Submission, Target};
use redress::keys::Role;
use redress_domain::case::child::ChildState;
use redress_domain::case::command::{Actor, Body, Migrate, Timers};
use redress_domain::case::entry::Entry;
use redress_domain::case::{Case, Status};
use redress_domain::clock::Span;
use redress_domain::ids::{CaseId, Slug};
use redress_domain::value::Value;
use redress_store::work::Kind;
use redress_tests::shop::{Shop, failure, refused, stands, the_task};
use redress_tests::web::Web;
use redress_tests::world::{Merchant, World, a_return};

const RETURN: &str = "workflow: outer
vars: { told: text? }
steps:
  - id: report
    run: { workflow: report@active, with: { device: =case.number }, timeout: { after: 5d, then: late } }
    as: report
    on_error: [{ match: sub_case_failed, then: refused }]
    migration_point: true
  - { id: told, set: { told: =report.result } }
  - { id: done, finish: { result: reported } }
  - { id: late, finish: { result: late } }
  - { id: refused, finish: { result: refused } }
";

const REPORT: &str = "workflow: report
triggers: [{ called: { inputs: [device] } }]
vars: { device: text }
steps:
  - id: ask
    review: { queue: quality, title: 'Report {{ device }}', next: { fine: sent, odd: odd }, timeout: { after: 30d, then: odd } }
  - { id: sent, notify: { template: reported, to: quality } }
  - { id: done, finish: { result: reported } }
  - { id: odd, fail: { code: odd } }
";

fn shop() -> Shop {
    let shop = Shop::with(REPORT).unwrap();
    shop.publish(RETURN).unwrap();
    shop
}

/// The only sub-case of a case.
fn child_of(merchant: &Merchant, case: &Case) -> Case {
    let case = merchant.case(case.id).unwrap();
    assert_eq!(case.children.len(), 1, "{:?}", case.children);
    merchant.case(*case.children.keys().next().unwrap()).unwrap()
}

fn nothing_is_left_to_tell(merchant: &Merchant) {
    assert_eq!(merchant.engine.next_due(Kind::Message).unwrap(), None);
}

#[test]
fn a_case_waits_for_its_sub_case_and_goes_on_with_its_result() {
    let shop = shop();
    let case = shop.open(&[("A1", 1)]).unwrap();
    assert_eq!((stands(&case), shop.merchant.cases().unwrap().len()), ("report", 1));
    shop.merchant.run_due().unwrap();
    let child = child_of(&shop.merchant, &case);
    assert_eq!((stands(&child), the_task(&child).1.title), ("ask", format!("Report {}", case.number)));
    assert_eq!((child.workflow.as_ref().unwrap().as_str(), child.lines.len()), ("report", 1));
    assert_ne!(child.number, case.number);
    assert_eq!(child.parent.as_ref().unwrap().case, case.id);
    shop.answer(&child, "fine", &[]).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "report", "what ended there is told after its commit");
    shop.merchant.run_due().unwrap();
    let case = shop.case(&case).unwrap();
    assert_eq!((stands(&case), &case.vars["told"]), ("reported", &Value::text("reported")));
    assert_eq!(case.children[&child.id].number.as_ref(), Some(&child.number));
    nothing_is_left_to_tell(&shop.merchant);
}

/// What the two cases wait for next, given to them.
fn go_on(merchant: &Merchant, id: CaseId) {
    merchant.run_due().unwrap();
    let case = merchant.case(id).unwrap();
    for child in case.children.keys() {
        let child = merchant.case(*child).unwrap();
        if let Some(task) = child.tasks.keys().next() {
            merchant.complete(child.id, *task, "fine").unwrap();
        }
    }
}

fn to_the_end(merchant: &Merchant, id: CaseId, mut look: impl FnMut()) -> Case {
    for _ in 0..10 {
        look();
        let case = merchant.case(id).unwrap();
        if case.is_closed() {
            return case;
        }
        go_on(merchant, id);
    }
    panic!("the case comes to no end");
}

#[test]
fn a_host_that_dies_after_any_commit_opens_one_sub_case_and_comes_to_the_same_end() {
    let shop = shop();
    let id = shop.open(&[("A1", 1)]).unwrap().id;
    let mut cuts: Vec<World> = Vec::new();
    let whole = to_the_end(&shop.merchant, id, || cuts.push(shop.world.power_cut().unwrap()));
    assert_eq!((stands(&whole), cuts.len() >= 3), ("reported", true));
    for cut in cuts {
        let merchant = cut.reopen("acme").unwrap();
        assert_eq!(to_the_end(&merchant, id, || {}), whole);
        assert_eq!(merchant.cases().unwrap().len(), 2);
        nothing_is_left_to_tell(&merchant);
    }
}

#[test]
fn what_comes_a_second_time_opens_nothing_and_changes_nothing() {
    let shop = shop();
    let case = shop.open(&[("A1", 1)]).unwrap();
    let id = *case.children.keys().next().unwrap();
    let claim = shop.merchant.engine.store().claim(redress_store::work::ClaimRequest {
        who: "slow".to_owned(),
        kinds: vec![Kind::Message],
        max: 1,
        lease: Span::from_millis(1_000),
        now: shop.world.app.clock().now(),
    });
    assert_eq!(claim.unwrap().len(), 1);
    shop.pass(Span::from_millis(2_000)).unwrap();
    let child = shop.merchant.case(id).unwrap();
    let again = Body::Open(Box::new(a_return("c1", &[("A1", 1)]).unwrap()));
    let again = Submission::new(Target::Named(id), Actor::host(), "sub_case", again);
    assert_eq!(refused(shop.merchant.engine.execute(again)).code, "case_open");
    assert_eq!((shop.merchant.case(id).unwrap(), shop.merchant.cases().unwrap().len()), (child, 2));
    nothing_is_left_to_tell(&shop.merchant);
}

#[test]
fn a_person_who_cancels_a_case_cancels_what_it_waits_for() {
    let shop = shop();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.merchant.run_due().unwrap();
    let child = child_of(&shop.merchant, &case);
    shop.merchant.command(case.id, Body::Cancel).unwrap();
    shop.merchant.run_due().unwrap();
    let (case, child) = (shop.case(&case).unwrap(), shop.case(&child).unwrap());
    assert_eq!((stands(&case), stands(&child), child.tasks.len()), ("cancelled", "cancelled", 0));
    assert_eq!(case.children[&child.id].state.word(), "cancelled");
    nothing_is_left_to_tell(&shop.merchant);
}

#[test]
fn a_sub_case_that_is_called_off_before_it_was_opened_is_never_opened() {
    let shop = shop();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.merchant.command(case.id, Body::Cancel).unwrap();
    shop.merchant.run_due().unwrap();
    let case = shop.case(&case).unwrap();
    assert_eq!(shop.merchant.cases().unwrap(), [case.id]);
    assert_eq!(case.children.values().next().unwrap().state, ChildState::CalledOff);
    nothing_is_left_to_tell(&shop.merchant);
}

#[test]
fn a_cancelled_or_failed_sub_case_is_told_and_goes_where_the_step_says() {
    let shop = shop();
    for (how, result) in [("odd", "refused"), ("cancel", "report")] {
        let case = shop.open(&[("A1", 1)]).unwrap();
        shop.merchant.run_due().unwrap();
        let child = child_of(&shop.merchant, &case);
        if how == "cancel" {
            shop.merchant.command(child.id, Body::Cancel).unwrap();
        } else {
            shop.answer(&child, how, &[]).unwrap();
        }
        shop.merchant.run_due().unwrap();
        assert_eq!(stands(&shop.case(&case).unwrap()), result);
    }
    let last = shop.merchant.cases().unwrap().into_iter().map(|id| shop.merchant.case(id).unwrap());
    let waiting = last.into_iter().find(|case| stands(case) == "report").unwrap();
    assert_eq!(failure(&waiting), "sub_case_cancelled");
}

#[test]
fn a_sub_case_outlives_the_patience_of_the_case_that_opened_it() {
    let shop = shop();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.merchant.run_due().unwrap();
    let child = child_of(&shop.merchant, &case);
    shop.pass(Span::from_days(5)).unwrap();
    assert_eq!((stands(&shop.case(&case).unwrap()), stands(&shop.case(&child).unwrap())), ("late", "ask"));
    shop.answer(&child, "fine", &[]).unwrap();
    shop.merchant.run_due().unwrap();
    let case = shop.case(&case).unwrap();
    assert_eq!((stands(&case), case.children[&child.id].state.word()), ("late", "finished"));
}

#[test]
fn what_is_not_there_when_the_sub_case_is_opened_is_a_persons_and_can_be_mended() {
    let shop = Shop::with(RETURN).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.merchant.run_due().unwrap();
    assert_eq!(failure(&shop.case(&case).unwrap()), "unknown_workflow");
    shop.publish("workflow: report\nsteps: [{ id: done, finish: { result: done } }]\n").unwrap();
    shop.answer(&case, "try_again", &[]).unwrap();
    shop.merchant.run_due().unwrap();
    assert_eq!(failure(&shop.case(&case).unwrap()), "not_callable");
    shop.publish(&REPORT.replace("device: text }", "device: number }").replace("Report {{ device }}", "Report"))
        .unwrap();
    shop.answer(&case, "try_again", &[]).unwrap();
    shop.merchant.run_due().unwrap();
    assert_eq!(failure(&shop.case(&case).unwrap()), "wrong_inputs");
    shop.publish(REPORT).unwrap();
    shop.answer(&case, "try_again", &[]).unwrap();
    assert_eq!(stands(&to_the_end_with(&shop, &case)), "reported");
    assert_eq!(shop.case(&case).unwrap().children.len(), 4, "each time another one");
    assert_eq!(shop.merchant.cases().unwrap().len(), 2, "of which one was opened");
}

fn to_the_end_with(shop: &Shop, case: &Case) -> Case {
    shop.merchant.run_due().unwrap();
    let case = shop.case(case).unwrap();
    let open = case.children.iter().find(|(_, child)| child.state == ChildState::Awaited).unwrap().0;
    let child = shop.merchant.case(*open).unwrap();
    shop.answer(&child, "fine", &[]).unwrap();
    shop.merchant.run_due().unwrap();
    shop.case(&case).unwrap()
}

#[test]
fn one_that_nobody_waits_for_is_held_where_no_workflow_takes_it() {
    let shop = Shop::with(
        "workflow: noting
steps:
  - { id: note, run: { workflow: note@active, wait: no_wait } }
  - { id: done, finish: { result: done } }
",
    )
    .unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    assert_eq!(stands(&case), "done");
    shop.merchant.run_due().unwrap();
    let held = child_of(&shop.merchant, &case);
    assert_eq!((&held.status, the_task(&held).1.reasons[0].code.as_str()), (&Status::Held, "unknown_workflow"));
    assert!(the_task(&held).1.title.contains("note@active"), "{}", the_task(&held).1.title);
}

#[test]
fn a_pinned_revision_is_run_also_after_a_restart_when_another_one_is_active() {
    let shop = Shop::with(REPORT).unwrap();
    let report = format!("format: 1\ncurrency: GBP\n{REPORT}");
    let first = shop.merchant.publish(&report).unwrap();
    for pin in [first.number.to_string(), first.revision.short()] {
        shop.publish(&RETURN.replace("@active", &format!("@{pin}")).replace("outer", &format!("outer-{pin}"))).unwrap();
    }
    shop.merchant.publish(&report.replace("Report {{", "Other {{")).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    let world = shop.world.restart().unwrap();
    drop(shop.merchant);
    let merchant = world.reopen("acme").unwrap();
    merchant.run_due().unwrap();
    assert_eq!(child_of(&merchant, &case).revision, Some(first.revision));
}

fn problems(result: anyhow::Result<()>) -> String {
    format!("{:?}", result.unwrap_err())
}

#[test]
fn a_workflow_is_checked_against_those_that_it_runs() {
    let shop = shop();
    let wrong = |from: &str, to: &str| problems(shop.publish(&RETURN.replace(from, to)));
    assert!(wrong("device: =case.number", "device: =case.lines").contains("wrong_type"));
    assert!(wrong("device: =case.number", "devise: =case.number").contains("unknown_input"));
    assert!(wrong("with: { device: =case.number }, ", "").contains("missing_input"));
    assert!(wrong("report@active", "report@999").contains("unknown_revision"));
    assert!(wrong("report@active", "outer@active").contains("runs_itself"));
    let back = REPORT
        .replace("  - { id: done", "  - { id: back, run: { workflow: outer@active, wait: no_wait } }\n  - { id: done");
    let called = RETURN.replace("steps:", "triggers: [{ called: {} }, { case_opened: { type: return } }]\nsteps:");
    shop.publish(&called).unwrap();
    assert!(problems(shop.publish(&back)).contains("runs_itself"), "by way of `outer`");
}

#[test]
fn cases_in_one_another_come_to_an_end() {
    let shop = Shop::empty().unwrap();
    for depth in 0..6 {
        let triggers = if depth == 0 { "case_opened: { type: return }" } else { "called: {}" };
        shop.publish(&format!(
            "workflow: deep-{depth}\ntriggers: [{{ {triggers} }}]\nsteps:\n  \
             - {{ id: next, run: {{ workflow: deep-{}@active, timeout: {{ never: it ends }} }}, on_error: [{{ match: too_deep, then: bottom }}] }}\n  \
             - {{ id: done, finish: {{ result: done }} }}\n  - {{ id: bottom, finish: {{ result: bottom }} }}\n",
            depth + 1
        ))
        .unwrap();
    }
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.merchant.run_due().unwrap();
    let all: Vec<Case> = shop.merchant.cases().unwrap().into_iter().map(|id| shop.merchant.case(id).unwrap()).collect();
    assert_eq!((all.len(), stands(&shop.case(&case).unwrap())), (5, "done"));
    assert_eq!(all.iter().filter(|case| stands(case) == "bottom").count(), 1);
}

#[test]
fn a_case_that_waits_for_a_sub_case_goes_on_with_another_revision() {
    let shop = Shop::with(REPORT).unwrap();
    let text = format!("format: 1\ncurrency: GBP\ntriggers: [{{ case_opened: {{ type: return }} }}]\n{RETURN}");
    let old = shop.merchant.publish(&text).unwrap().revision;
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.merchant.run_due().unwrap();
    let renamed = text.replace("id: report", "id: asked").replace("result: reported", "result: told");
    let new = shop.merchant.publish(&renamed).unwrap().revision;
    let steps = [(Slug::new("report").unwrap(), Slug::new("asked").unwrap())].into();
    let plan = Migrate { from: old, to: new, steps, vars: Default::default(), timers: Timers::Keep };
    shop.merchant.command(case.id, Body::Migrate(Box::new(plan))).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "asked");
    assert_eq!(stands(&to_the_end_with(&shop, &case)), "told");
    let other = shop.merchant.publish(&renamed.replace("report@active", "else@active")).unwrap().revision;
    let case = shop.open(&[("A1", 1)]).unwrap();
    let plan =
        Migrate { from: other, to: new, steps: Default::default(), vars: Default::default(), timers: Timers::Keep };
    let refusal = refused(shop.merchant.command(case.id, Body::Migrate(Box::new(plan))));
    assert!(refusal.message.starts_with("other_kind"), "{refusal}");
}

#[test]
fn each_line_has_a_sub_case_of_its_own() {
    let shop = Shop::with(REPORT).unwrap();
    shop.publish(
        "workflow: counting
steps:
  - id: each
    for_each:
      in: =case.lines
      max: 5
      parallel: 5
      steps:
        - { id: one, run: { workflow: report@active, with: { device: =item.sku }, timeout: { never: it ends } } }
  - { id: done, finish: { result: done } }
",
    )
    .unwrap();
    let case = shop.open(&[("A1", 1), ("B2", 1), ("C3", 1)]).unwrap();
    shop.merchant.run_due().unwrap();
    let children: Vec<Case> =
        shop.case(&case).unwrap().children.keys().map(|id| shop.merchant.case(*id).unwrap()).collect();
    let mut titles: Vec<String> = children.iter().map(|child| the_task(child).1.title).collect();
    titles.sort();
    assert_eq!(titles, ["Report A1", "Report B2", "Report C3"]);
    for child in &children {
        assert_eq!(stands(&shop.case(&case).unwrap()), "each");
        shop.answer(child, "fine", &[]).unwrap();
        shop.merchant.run_due().unwrap();
    }
    assert_eq!(stands(&shop.case(&case).unwrap()), "done");
}

#[tokio::test]
async fn both_cases_tell_of_each_other_over_http() {
    let shop = shop();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.merchant.run_due().unwrap();
    let child = child_of(&shop.merchant, &case);
    let web = Web::of(&shop.world).unwrap();
    let key = web.key(shop.merchant.engine.record().id, Role::Agent).unwrap();
    let told = web.ask("GET", &format!("/v1/cases/{}", case.id)).by(&key).send().await.json();
    let sub = &told["sub_cases"][0];
    assert_eq!((&sub["id"], &sub["state"]), (&child.id.to_string().into(), &"awaited".into()), "{told}");
    assert_eq!(
        (&sub["step"], &sub["workflow"], &sub["revision"]),
        (&"report".into(), &"report".into(), &"active".into())
    );
    assert_eq!(sub["inputs"]["device"], case.number.as_str());
    let told = web.ask("GET", &format!("/v1/cases/{}", child.id)).by(&key).send().await.json();
    assert_eq!((&told["parent"]["id"], &told["parent"]["awaited"]), (&case.id.to_string().into(), &true.into()));
    let at = format!("/v1/cases/{}/timeline", case.id);
    let timeline = web.ask("GET", &at).by(&key).send().await.json();
    let entries = timeline["data"][0]["entries"].as_array().unwrap();
    let intended = entries.iter().find(|entry| entry["type"] == "subcase.intended").unwrap();
    assert_eq!((&intended["case"], &intended["codes"][0]), (&child.id.to_string().into(), &"report@active".into()));
    let feed = web.ask("GET", "/v1/events").by(&key).send().await.json();
    let opened = feed["data"].as_array().unwrap().iter().filter(|event| event["type"] == "case.opened");
    let parents: Vec<_> = opened.map(|event| event["data"]["parent"].as_str().map(str::to_owned)).collect();
    assert_eq!(parents, [None, Some(case.id.to_string())]);
}

#[test]
fn a_backtest_gives_the_end_of_a_sub_case_to_the_step_that_would_open_the_same() -> anyhow::Result<()> {
    let shop = shop();
    let case = shop.open(&[("A1", 1)])?;
    shop.merchant.run_due()?;
    let child = child_of(&shop.merchant, &case);
    shop.answer(&child, "fine", &[])?;
    shop.merchant.run_due()?;
    let head = "format: 1\ncurrency: GBP\n";
    let outer = format!("{head}triggers: [{{ case_opened: {{ type: return }} }}]\n{RETURN}");
    let tried = |source: &str| -> anyhow::Result<_> {
        let trial = Trial::new(&shop.merchant.engine, Some(source), &[])?;
        let select = Select { whole: true, ..Select::default() };
        let tally = backtest::run(&shop.merchant.engine, &trial, &select, &mut |_, _| {})?.tally;
        let unknown: Vec<_> =
            tally.unknown_cases.iter().map(|(_, unknown)| (unknown.code, unknown.step.clone())).collect();
        Ok((tally.cases, tally.path_changed, unknown))
    };
    assert_eq!(tried(&outer)?, (1, 0, Vec::new()));
    let other_way = outer
        .replace("then: refused }]", "then: refused }]\n    then: done")
        .replace("  - { id: told, set: { told: =report.result } }\n", "");
    assert_eq!(tried(&other_way)?.2, Vec::new());
    let missing = |step: &str| vec![("outcome_missing", Some(step.to_owned()))];
    assert_eq!(tried(&outer.replace("device: =case.number", "device: other"))?.2, missing("report"));
    assert_eq!(tried(&outer.replace("id: report", "id: asked"))?.2, missing("asked"));
    // Its own workflow decides the sub-case again.
    assert_eq!(tried(&format!("{head}{REPORT}"))?, (1, 0, Vec::new()));
    let strict = REPORT
        .replace("inputs: [device]", "inputs: [device, level]")
        .replace("device: text }", "device: text, level: number }");
    assert_eq!(tried(&format!("{head}{strict}"))?.0, 1);
    Ok(())
}

#[test]
fn nobody_opens_a_sub_case_but_a_case() {
    let shop = shop();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.merchant.run_due().unwrap();
    let child = child_of(&shop.merchant, &case);
    let journal = shop.merchant.journal(child.id).unwrap();
    let opened = &journal[0];
    assert_eq!((opened.command.channel.as_str(), opened.command.actor.role.as_str()), ("sub_case", "host"));
    assert!(matches!(&opened.entries[0], Entry::Opened(opened) if opened.parent.is_some()));
    // A workflow that is only called takes no submission.
    let lonely = Shop::with(REPORT).unwrap();
    assert_eq!(stands(&lonely.open(&[("A1", 1)]).unwrap()), "(held)");
    let unknown = CaseId::mint(lonely.world.app.clock().now(), 7);
    let missing = lonely.merchant.command(unknown, Body::Cancel);
    assert!(matches!(missing, Err(Error::Rejected(rejection)) if rejection.code == "case_not_found"));
}
