//! Holds: nothing of the cases of a revision moves or leaves; what comes meanwhile is taken up in the order in which it happened.

use std::ffi::OsString;
use std::path::Path;

use redress::cli::{self, Exit, Out};
use redress::engine::Error;
use redress::engine::log::{self, Logged, Origin, What};
use redress::keys::Role;
use redress::publish::hold;
use redress::publish::migrate::{self, Wish};
use redress::publish::{Error as Refused, workflows};
use redress_domain::case::command::{Body, Settled};
use redress_domain::case::entry::Entry;
use redress_domain::case::{Case, EffectState, Output};
use redress_domain::clock::Span;
use redress_domain::codec;
use redress_domain::ids::Slug;
use redress_domain::value::Value;
use redress_domain::workflow::canary::Bounds;
use redress_store::batch::Batch;
use redress_store::row::{Row, RowKey};
use redress_tests::delivery::{PAY, Trial};
use redress_tests::shop::{Shop, stands, the_task};
use redress_tests::web::Web;
use redress_tests::world::{World, a_return, admin};
use serde_json::{Value as Json, json};

const DAY: Span = Span::from_days(1);

/// Goods are waited for, then a person looks.
fn goods(result: &str) -> String {
    format!(
        "events: {{ goods_received: {{ rma: text }} }}
steps:
  - id: goods
    await: {{ event: goods_received, timeout: {{ after: 5d, then: late }} }}
    migration_point: true
  - {{ id: look, review: {{ queue: desk, title: Look, next: {{ go: done }}, timeout: {{ never: a person must look }} }} }}
  - {{ id: done, finish: {{ result: {result} }} }}
  - {{ id: late, finish: {{ result: late }} }}
"
    )
}

fn arrives(shop: &Shop, case: &Case) {
    shop.event(case, "goods_received", "rma", "R1").unwrap();
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().code()
}

/// The instant of the event that a step took.
fn came_at(case: &Case) -> Value {
    let Some(Output::Values(fields)) = case.outputs.get("goods") else { panic!("{:?}", case.outputs) };
    fields["at"].clone()
}

#[test]
fn what_comes_while_a_case_is_paused_is_kept_and_taken_up_in_the_order_in_which_it_happened() {
    // The goods come before the time is over, after it, or never.
    for (arrival, ends) in [(Some(3), "look"), (Some(6), "late"), (None, "late")] {
        let shop = Shop::with(&goods("seen")).unwrap();
        let case = shop.open(&[("A1", 1)]).unwrap();
        shop.merchant.hold("tried", 1).unwrap();
        for day in 1..=7 {
            shop.pass(DAY).unwrap();
            if arrival == Some(day) {
                arrives(&shop, &case);
            }
            assert_eq!(stands(&shop.case(&case).unwrap()), "goods", "nothing moves on day {day}");
        }
        let paused = shop.case(&case).unwrap();
        let kept: Vec<_> = paused.deferred.iter().map(|one| one.body.name()).collect();
        let wanted: &[&str] = match arrival {
            Some(3) => &["case.event", "timer.fire"],
            Some(_) => &["timer.fire", "case.event"],
            None => &["timer.fire"],
        };
        assert_eq!(kept, wanted);
        shop.merchant.resume("tried", 1).unwrap();
        let now = shop.case(&case).unwrap();
        assert_eq!((stands(&now), now.deferred.len()), (ends, 0), "arrived on {arrival:?}");
        if arrival == Some(3) {
            let third = case.opened_at.after(Span::from_days(3));
            assert_eq!(came_at(&now), Value::Instant(third), "it came when it came");
        }
    }
}

#[test]
fn what_came_late_to_be_known_is_taken_up_where_it_belongs() {
    // The host was down when the time was over, and hears of the goods first.
    let shop = Shop::with(&goods("seen")).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.merchant.hold("tried", 1).unwrap();
    shop.world.pass(Span::from_days(6));
    arrives(&shop, &case);
    shop.merchant.run_due().unwrap();
    shop.merchant.resume("tried", 1).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "late");
}

#[test]
fn people_are_told_that_a_case_is_paused_and_go_on_where_they_were() {
    let shop = Shop::with(&goods("seen")).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    arrives(&shop, &case);
    let task = the_task(&shop.case(&case).unwrap()).0;
    shop.merchant.hold("tried", 1).unwrap();
    let before = shop.case(&case).unwrap();
    for body in [Body::Claim(task), Body::Release(task), Body::Cancel] {
        assert_eq!(code(shop.merchant.command(case.id, body)), "case_paused");
    }
    let refused = shop.answer(&case, "go", &[]).unwrap_err();
    assert_eq!(refused.to_string(), format!("case {} is paused: revision 1 of its workflow is on hold", case.number));
    // An event that the workflow does not know is refused now, and not when the case goes on.
    assert_eq!(code(shop.event(&case, "unheard_of", "x", "y")), "unknown_event");
    assert_eq!(shop.case(&case).unwrap(), before);
    shop.merchant.resume("tried", 1).unwrap();
    shop.answer(&case, "go", &[]).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "seen");
}

#[test]
fn no_new_case_begins_on_a_revision_that_is_on_hold_and_it_cannot_become_active() {
    let shop = Shop::with(&goods("one")).unwrap();
    let first = shop.open(&[("A1", 1)]).unwrap();
    let held = shop.merchant.hold("tried", 1).unwrap();
    assert_eq!((held.active, held.open_cases, held.hold.number), (true, 1, 1));
    assert_eq!(code(shop.merchant.open(a_return("c1", &[("A1", 1)]).unwrap())), "revision_on_hold");
    shop.publish(&goods("two")).unwrap();
    let second = shop.open(&[("A1", 1)]).unwrap();
    assert_ne!(second.revision, first.revision);
    arrives(&shop, &second);
    assert_eq!(stands(&shop.case(&second).unwrap()), "look", "another revision is not paused");
    let on_hold = |result: Result<_, Refused>| result.map(drop).unwrap_err().code();
    assert_eq!(on_hold(shop.merchant.roll_back("tried", None)), "revision_on_hold");
    let text = workflows::find(&shop.merchant.engine, first.revision.unwrap()).unwrap().unwrap().source;
    let never = Bounds { min_cases: 10_000, ..Bounds::default() };
    assert_eq!(shop.merchant.canary("tried", &text, 10, never).unwrap_err().code(), "revision_on_hold");
    assert!(shop.publish(&goods("one")).is_err());
    shop.merchant.resume("tried", 1).unwrap();
    shop.merchant.roll_back("tried", None).unwrap();
    assert_eq!(shop.open(&[("A1", 1)]).unwrap().revision, first.revision);
}

#[test]
fn holding_a_canary_ends_it_and_every_new_case_takes_the_active_revision() {
    let shop = Shop::with(&goods("one")).unwrap();
    let never = Bounds { min_cases: 10_000, ..Bounds::default() };
    let text = "format: 1\nworkflow: tried\ncurrency: GBP\ntriggers: [{ case_opened: { type: return } }]\n";
    shop.merchant.canary("tried", &format!("{text}{}", goods("two")), 99, never).unwrap();
    shop.merchant.hold("tried", 2).unwrap();
    assert!(shop.merchant.engine.canary(&Slug::new("tried").unwrap()).is_none());
    let opened = (0..5).map(|_| shop.open(&[("A1", 1)]).unwrap().revision);
    assert_eq!(opened.collect::<std::collections::BTreeSet<_>>().len(), 1);
}

#[test]
fn nothing_leaves_while_a_case_is_paused_and_then_leaves_under_its_own_key() {
    let (trial, provider) = Trial::paid(PAY).unwrap();
    let (case, key) = trial.refund().unwrap();
    let merchant = &trial.shop.merchant;
    merchant.hold("tried", 1).unwrap();
    for _ in 0..3 {
        trial.send_after(DAY).unwrap();
    }
    let paused = trial.shop.case(&case).unwrap();
    assert_eq!((provider.stats().calls, paused.effects[&key].state), (0, EffectState::Intended));
    assert!(trial.log(key).unwrap().is_empty(), "not even an attempt");
    merchant.resume("tried", 1).unwrap();
    trial.send().unwrap();
    assert_eq!((stands(&trial.shop.case(&case).unwrap()), provider.stats().calls), ("refunded", 1));
}

#[test]
fn the_outcome_of_what_had_left_is_kept_and_the_case_goes_on_with_it() {
    let trial = Trial::with(PAY).unwrap();
    let (case, key) = trial.refund().unwrap();
    let shop = &trial.shop;
    shop.merchant.hold("tried", 1).unwrap();
    shop.merchant.settle(case.id, key, Settled::Confirmed).unwrap();
    let paused = shop.case(&case).unwrap();
    assert_eq!((stands(&paused), paused.effects[&key].state), ("pay", EffectState::Intended));
    // Told twice; the second finds it settled, and the journal says so.
    shop.merchant.settle(case.id, key, Settled::Declined).unwrap();
    shop.merchant.resume("tried", 1).unwrap();
    let now = shop.case(&case).unwrap();
    assert_eq!((stands(&now), now.effects[&key].state, now.deferred.len()), ("refunded", EffectState::Confirmed, 0));
    let entries = shop.entries(case.id).unwrap();
    assert_eq!(entries.iter().filter(|entry| matches!(entry, Entry::TakenUp)).count(), 2);
}

#[test]
fn a_paused_case_may_go_on_with_another_revision_and_takes_up_there_what_it_kept() {
    let shop = Shop::with(&goods("one")).unwrap();
    let (case, other) = (shop.open(&[("A1", 1)]).unwrap(), shop.open(&[("A1", 1)]).unwrap());
    shop.merchant.hold("tried", 1).unwrap();
    shop.pass(DAY).unwrap();
    arrives(&shop, &case);
    shop.publish(&goods("two")).unwrap();
    let run = |from: &str, to: &str| {
        let wish = Wish { from: from.to_owned(), to: to.to_owned(), ..Wish::default() };
        let migration = migrate::plan(&shop.merchant.engine, &Slug::new("tried").unwrap(), &wish)?;
        migrate::migrate(&shop.merchant.engine, &migration, &admin(), ("", &Origin::Api), None, 10)
    };
    assert_eq!(run("1", "2").unwrap().all_moved(), 2);
    shop.merchant.run_due().unwrap();
    let now = shop.case(&case).unwrap();
    assert_eq!((stands(&now), now.deferred.len()), ("look", 0));
    assert_eq!(stands(&shop.case(&other).unwrap()), "goods");
    assert_eq!(run("2", "1").unwrap_err().code(), "revision_on_hold", "and no case comes to what is on hold");
    shop.answer(&case, "go", &[]).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "two");
}

#[test]
fn a_case_that_moves_on_takes_its_unsent_effects_with_it() {
    let wait = |result: &str| {
        format!(
            "steps:
  - {{ id: tell, notify: {{ template: hello, to: customer }} }}
  - {{ id: rest, wait: {{ for: 30d }}, migration_point: true }}
  - {{ id: done, finish: {{ result: {result} }} }}
"
        )
    };
    let trial = Trial::with(&wait("one")).unwrap();
    let provider = trial.provider(|_| {}).unwrap();
    let kind = redress::outbox::connectors::Kind::Notification;
    trial.connect(kind, redress_tests::delivery::webhook(&provider, "notification")).unwrap();
    let shop = &trial.shop;
    shop.open(&[("A1", 1)]).unwrap();
    shop.merchant.hold("tried", 1).unwrap();
    trial.send().unwrap();
    assert_eq!(provider.stats().calls, 0);
    shop.publish(&wait("two")).unwrap();
    let wish = Wish { from: "1".to_owned(), to: "2".to_owned(), ..Wish::default() };
    let migration = migrate::plan(trial.engine(), &Slug::new("tried").unwrap(), &wish).unwrap();
    let report = migrate::migrate(trial.engine(), &migration, &admin(), ("", &Origin::Api), None, 10).unwrap();
    assert_eq!(report.all_moved(), 1);
    trial.send().unwrap();
    assert_eq!(provider.stats().calls, 1);
}

#[test]
fn a_hold_outlives_a_restart_and_so_does_the_end_of_one_that_was_cut_off() {
    let Shop { world, merchant } = Shop::with(&goods("seen")).unwrap();
    let case = merchant.open(a_return("c1", &[("A1", 1)]).unwrap()).unwrap().case;
    let revision = merchant.case(case).unwrap().revision.unwrap();
    merchant.hold("tried", 1).unwrap();
    drop(merchant);
    let world = world.restart().unwrap();
    let merchant = world.reopen("acme").unwrap();
    world.pass(Span::from_days(6));
    merchant.run_due().unwrap();
    assert_eq!(stands(&merchant.case(case).unwrap()), "goods");
    // The host died between the end of the hold and the waking of the cases.
    let pointer = |name: &str| RowKey::pointer(&format!("{name}/{revision}"));
    let rows = vec![Row::Delete(pointer("hold")), Row::Put(pointer("resuming"), codec::encode(&revision))];
    merchant.engine.store().append(Batch { rows, ..Batch::default() }).unwrap();
    merchant.run_due().unwrap();
    assert_eq!(stands(&merchant.case(case).unwrap()), "goods");
    drop(merchant);
    let world = world.restart().unwrap();
    let merchant = world.reopen("acme").unwrap();
    merchant.run_due().unwrap();
    assert_eq!(stands(&merchant.case(case).unwrap()), "late");
    let left = merchant.engine.store().read().unwrap().row(&pointer("resuming")).unwrap();
    assert_eq!(left, None);
}

#[test]
fn a_hold_stands_in_the_merchants_own_stream_once() {
    let shop = Shop::with(&goods("seen")).unwrap();
    let first = shop.merchant.hold("tried", 1).unwrap();
    shop.world.pass(DAY);
    assert_eq!(shop.merchant.hold("tried", 1).unwrap(), first, "what is on hold stays as it is");
    assert_eq!(hold::list(&shop.merchant.engine).unwrap(), [first]);
    shop.merchant.resume("tried", 1).unwrap();
    assert_eq!(shop.merchant.resume("tried", 1).unwrap_err().code(), "hold_not_found");
    assert!(hold::list(&shop.merchant.engine).unwrap().is_empty());
    let facts = log::read(&shop.merchant.engine).unwrap();
    let of_hold = |one: &&Logged| matches!(one.what, What::RevisionHeld { .. } | What::RevisionResumed { .. });
    let told: Vec<_> = facts.iter().filter(of_hold).collect();
    let [held, resumed] = told[..] else { panic!("{told:?}") };
    assert_eq!((&held.by, resumed.at.unix_ms() - held.at.unix_ms()), (&admin(), DAY.millis()));
    let What::RevisionHeld { number: 1, note, from: Origin::Api, .. } = &held.what else { panic!("{held:?}") };
    assert_eq!(note, "it refunds twice");
}

/// A command on the data folder of `acme`: how it ended, its data, what it said.
pub(super) fn redress(folder: &Path, words: &[&str]) -> (Exit, String, String) {
    let data = folder.display().to_string();
    let words = [&["redress"], words, &["--data", &data, "--tenant", "acme"]].concat();
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let exit = cli::run(words.iter().map(OsString::from), &mut Out::new(&mut data, &mut talk));
    (exit, String::from_utf8(data).unwrap(), String::from_utf8(talk).unwrap())
}

#[test]
fn the_command_line_pauses_shows_and_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let number = {
        let world = World::on(folder.path()).unwrap();
        let merchant = world.bare_merchant("acme").unwrap();
        let head = "format: 1\nworkflow: tried\ncurrency: GBP\ntriggers: [{ case_opened: { type: return } }]\n";
        merchant.publish(&format!("{head}{}", goods("seen"))).unwrap();
        let case = merchant.open(a_return("c1", &[("A1", 1)]).unwrap()).unwrap().case;
        merchant.case(case).unwrap().number
    };
    let run = |words: &[&str]| redress(folder.path(), words);
    let ok = |words: &[&str]| -> Json {
        let (exit, data, talk) = run(&[words, &["--output", "json"]].concat());
        assert_eq!(exit, Exit::Done, "{words:?}\n{data}{talk}");
        serde_json::from_str(&data).unwrap()
    };
    assert_eq!(ok(&["workflow", "held"]), json!([]));
    let (exit, table, talk) = run(&["workflow", "hold", "tried", "--revision", "1", "--note", "it refunds twice"]);
    assert_eq!(exit, Exit::Done, "{talk}");
    assert!(table.contains("it refunds twice") && talk.contains("new cases are refused"), "{table}{talk}");
    let held = ok(&["workflow", "held", "tried"]);
    assert_eq!((&held[0]["number"], &held[0]["open_cases"], &held[0]["active"]), (&json!(1), &json!(1), &json!(true)));
    assert_eq!(ok(&["workflow", "held", "others"]), json!([]));
    let (_, live, _) = run(&["workflow", "live"]);
    assert!(live.contains("active, on hold"), "{live}");
    let (_, cases, _) = run(&["case", "list", "--paused"]);
    assert!(cases.contains(&number), "{cases}");
    let (_, shown, _) = run(&["case", "show", &number]);
    assert!(shown.contains("paused") && shown.contains("it refunds twice"), "{shown}");
    assert_eq!(ok(&["case", "show", &number])["paused"]["note"], "it refunds twice");
    let resume = ["workflow", "resume", "tried", "--revision", "1", "--note", "mended"];
    let (exit, _, talk) = run(&resume);
    assert!(exit == Exit::Done && talk.contains("revision 1 goes on; 1 cases were paused"), "{talk}");
    assert_eq!(run(&resume).0, Exit::NotFound);
    let (_, cases, _) = run(&["case", "list", "--paused"]);
    assert!(!cases.contains(&number), "{cases}");
}

#[tokio::test]
async fn the_api_tells_of_each_case_that_it_is_paused_and_what_it_kept() {
    let shop = Shop::with(&goods("seen")).unwrap();
    let (case, closed) = (shop.open(&[("A1", 1)]).unwrap(), shop.open(&[("A1", 1)]).unwrap());
    shop.merchant.command(closed.id, Body::Cancel).unwrap();
    let web = Web::of(&shop.world).unwrap();
    let key = web.key(shop.merchant.engine.record().id, Role::Admin).unwrap();
    let hold = json!({ "revision": "1", "note": "it refunds twice" });
    let post = async |verb: &str, name: &str, body: &Json| {
        web.ask("POST", &format!("/v1/workflows/tried/{verb}")).by(&key).named(name).json(body).send().await
    };
    let first = post("hold", "one", &hold).await;
    assert_eq!((first.status.as_u16(), &first.json()["active"]), (200, &json!(true)));
    let get = async |address: &str| web.ask("GET", address).by(&key).send().await.json();
    let event = json!({ "name": "goods_received", "fields": { "rma": "R1" } });
    let at = format!("/v1/cases/{}", case.id);
    web.ask("POST", &format!("{at}/events")).by(&key).named("e").json(&event).send().await;
    let paused = get(&at).await;
    assert_eq!((&paused["paused"]["note"], &paused["status"]), (&json!("it refunds twice"), &json!("waiting")));
    assert_eq!(
        (&paused["kept"][0]["command"], &paused["kept"][0]["event"]),
        (&json!("case.event"), &json!("goods_received"))
    );
    for (wanted, id) in [("true", case.id), ("false", closed.id)] {
        let listed = get(&format!("/v1/cases?paused={wanted}")).await;
        assert_eq!((listed["data"].as_array().unwrap().len(), &listed["data"][0]["id"]), (1, &json!(id)));
    }
    assert_eq!(get("/v1/workflows/tried").await["revisions"][0]["on_hold"]["note"], "it refunds twice");
    let open = json!({ "kind": "return", "lines": [{ "sku": "A1", "quantity": 1 }] });
    let refused = web.ask("POST", "/v1/cases").by(&key).named("o").json(&open).send().await;
    assert_eq!(refused.problem(), (409, "revision_on_hold".to_owned()));
    assert!(refused.header("retry-after").is_some());
    let last = post("resume", "two", &hold).await;
    assert_eq!((last.status.as_u16(), &last.json()["open_cases"]), (200, &json!(1)));
    // Sent again, it is answered as before, and holds nothing.
    assert_eq!(post("hold", "one", &hold).await.json(), first.json());
    assert_eq!(post("resume", "two", &hold).await.json(), last.json());
    assert_eq!(post("resume", "three", &hold).await.problem(), (404, "hold_not_found".to_owned()));
    let history = get("/v1/workflows/tried/revisions").await;
    let how: Vec<&Json> = history["data"].as_array().unwrap().iter().map(|one| &one["how"]).collect();
    assert!(how.contains(&&json!("held")) && how.contains(&&json!("resumed")), "{history}");
}
