//! Replay in parts: together they say what the whole says, wherever they are cut, and clients get no more than that.

use std::time::Duration;

use redress::backtest::Select;
use redress::engine::Engine;
use redress::keys::Role;
use redress::replay::part::{self, Bounds, Place};
use redress::replay::{self, Report};
use redress_domain::clock::Span;
use redress_sandbox::Mutant;
use redress_tests::kitchen::Kitchen;
use redress_tests::web::Web;
use redress_tests::world::a_return;

use super::differs::{UNIX_MS, asked_and_reopened, right, wrong};

const LONG: Duration = Duration::from_secs(600);

/// All parts of a replay, and how many they were; a part in between may do something.
fn in_parts(engine: &Engine, select: &Select, bounds: Bounds, mut between: impl FnMut(usize)) -> (Report, usize) {
    let (mut whole, mut place, mut parts) = (Report::default(), None::<Place>, 0);
    loop {
        let (found, next) = part::cases(engine, select, place, bounds).unwrap();
        whole.add(found);
        parts += 1;
        // As it goes out to a client and comes back.
        place = next.map(|next| Place::of(&next.bytes()).unwrap());
        if place.is_none() {
            return (whole, parts);
        }
        between(parts);
    }
}

#[test]
fn parts_say_together_what_the_whole_says_wherever_they_are_cut() -> anyhow::Result<()> {
    let mut kitchen = Kitchen::new(7)?;
    kitchen.run(15, 70, |_, _| Ok(()))?;
    let engine = &kitchen.merchant.engine;
    let all = Select::default();
    let whole = replay::cases(engine, &all, &mut |_, _| {})?;
    assert!(whole.turns > whole.cases && whole.cases > 8, "{whole:?}");
    let seven = Bounds { cases: 7, within: LONG };
    let parts = whole.cases.div_ceil(7) as usize;
    assert_eq!(in_parts(engine, &all, seven, |_| ()), (whole.clone(), parts));
    // No time at all: a turn each.
    let hurried = Bounds { cases: 100, within: Duration::ZERO };
    assert_eq!(in_parts(engine, &all, hurried, |_| ()), (whole.clone(), whole.turns as usize));
    // The same for one case.
    for case in kitchen.merchant.cases()? {
        let (mut found, mut turn) = (Report::default(), Some(1));
        while let Some(from) = turn {
            let (part, next) = part::case(engine, case, from, Duration::ZERO)?;
            assert_eq!(part.turns, 1);
            found.add(part);
            turn = next;
        }
        assert_eq!(found, replay::case(engine, case)?);
    }
    // What is opened meanwhile is not among them, and moves nothing, also where a part ended in the middle of the first case.
    let open = |parts: usize| {
        if parts < 3 {
            kitchen.world.pass(Span::from_millis(60_000));
            kitchen.merchant.open(a_return("c1", &[("A1", 1)]).unwrap()).unwrap();
        }
    };
    assert_eq!(in_parts(engine, &all, hurried, open).0, whole);
    Ok(())
}

#[tokio::test]
async fn a_client_is_told_what_differs_and_where_to_go_on() -> anyhow::Result<()> {
    let (_folder, world) = asked_and_reopened(UNIX_MS, wrong(Mutant::Clock), wrong(Mutant::Clock))?;
    let merchant = world.reopen("acme")?;
    world.pass(Span::from_millis(60_000));
    merchant.open(a_return("c1", &[("A1", 1)])?)?;
    let web = Web::of(&world)?;
    let key = web.key(merchant.engine.record().id, Role::Viewer)?;
    let get = |address: String| web.ask("GET", &address).by(&key);
    let all = get("/v1/replay".to_owned()).send().await.json();
    assert_eq!([&all["checked"], &all["different"], &all["cases"], &all["about"]], [2, 2, 2, 2]);
    assert_eq!((&all["first_different"]["ask"], &all["first_different"]["differs"]), (&1.into(), &"answer".into()));
    assert_eq!((&all["has_more"], all["differences"].as_array().unwrap().len()), (&false.into(), 2));
    let first = get("/v1/replay?limit=1".to_owned()).send().await.json();
    assert_eq!([&first["cases"], &first["different"]], [1, 1]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = get(format!("/v1/replay?limit=1&cursor={cursor}")).send().await.json();
    assert_eq!((&second["cases"], &second["has_more"]), (&1.into(), &false.into()));
    assert_ne!(second["first_different"]["id"], first["first_different"]["id"]);
    // Named by its number, from its first turn.
    let number = first["first_different"]["case"].as_str().unwrap();
    let case = get(format!("/v1/cases/{number}/replay?turn=1")).send().await.json();
    assert_eq!((&case["different"], &case["next_turn"]), (&1.into(), &serde_json::Value::Null));

    for (address, code) in [
        (format!("/v1/replay?limit=1&kind=return&cursor={cursor}"), "cursor_invalid"),
        ("/v1/replay?cursor=AAAA".to_owned(), "cursor_invalid"),
        ("/v1/replay?since=yesterday".to_owned(), "parameter_invalid"),
        ("/v1/replay?kind=No+Name".to_owned(), "parameter_invalid"),
        ("/v1/replay?limit=101".to_owned(), "parameter_invalid"),
        ("/v1/cases/R-00000/replay".to_owned(), "case_not_found"),
    ] {
        assert_eq!(get(address.clone()).outcome().await.1, code, "{address}");
    }
    Ok(())
}

/// Of some who ask at once each is answered or told to come again, and none is left waiting.
#[tokio::test]
async fn of_some_who_ask_at_once_one_is_answered_and_others_are_told_to_come_again() -> anyhow::Result<()> {
    let (_folder, world) = asked_and_reopened(UNIX_MS, right(), right())?;
    let merchant = world.reopen("acme")?;
    world.pass(Span::from_millis(60_000));
    for _ in 0..40 {
        merchant.open(a_return("c1", &[("A1", 1)])?)?;
    }
    let web = Web::of(&world)?;
    let key = web.key(merchant.engine.record().id, Role::Viewer)?;
    let ask = || web.ask("GET", "/v1/replay?limit=100").by(&key).outcome();
    let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
    let answers = [a, b, c, d];
    let of = |status: u16, code: &str| answers.iter().filter(|answer| **answer == (status, code.to_owned())).count();
    assert_eq!(of(200, "") + of(503, "overloaded"), 4, "{answers:?}");
    assert!(of(200, "") >= 1 && of(503, "overloaded") >= 1, "{answers:?}");
    assert_eq!(ask().await, (200, String::new()), "the place is free again");
    Ok(())
}
