//! One merchant's plugins burn all the fuel they get; another merchant's cases go on beside them.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use redress::app::App;
use redress::clock::FixedClock;
use redress::config::Limits;
use redress::engine::{Receipt, Target};
use redress_domain::case::command::{Body, Open};
use redress_domain::clock::Instant;
use redress_domain::verdict::Remedy;
use redress_sandbox::Hook;
use redress_tests::guests::Guest;
use redress_tests::world::{Merchant, START, World, a_return, days_ago, from_history, order, submission};

use super::{a_shop, assert_nothing_left_the_shop, assert_waits_for_a_person, doing, in_place_of_match};

/// Cases of the merchant whose plugin burns its fuel: four for each of the other's, so that it is still at it when those are done.
const BURNING: usize = 240;
/// Cases of the merchant with the good plugins.
const WORKING: usize = 60;

/// Whose case was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Burning,
    Working,
}

/// A plugin that computes for nearly all of its fuel and then says that it cannot decide: it works, so that it is asked again and again.
fn burns_its_fuel() -> Guest {
    let body = "(loop $on (global.set $left (i32.sub (global.get $left) (i32.const 1))) (br_if $on (global.get $left)))
        (i32.store8 (i32.const 8192) (i32.const 1)) (i32.const 8192)";
    doing(Hook::Eligibility, body).fields("(global $left (mut i32) (i32.const 1400000))")
}

/// Hand a case in; who it belongs to is told when it is decided.
fn hand_in(merchant: &Merchant, open: Open, whose: Whose, done: &Sender<(Whose, Receipt)>) -> anyhow::Result<()> {
    let done = done.clone();
    let then = move |result: Result<Receipt, redress::engine::Error>| {
        // A case that failed is not told, and so is missed below.
        result.map(|receipt| drop(done.send((whose, receipt)))).unwrap_or_default();
    };
    Ok(merchant.engine.submit(submission(Target::New, Body::Open(Box::new(open))), then)?)
}

#[test]
fn there_is_room_for_a_call_of_every_worker() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let clock = Arc::new(FixedClock::at(Instant::from_unix_ms(START)));
    let app = App::open(folder.path(), clock, Limits { turn_workers: 40, ..Limits::default() })?;
    let threads = app.workers().load().threads;
    assert!(threads >= 40, "{threads} threads");
    assert!(app.sandbox().limits().calls_at_once_max as usize >= threads, "a call would find no room");
    Ok(())
}

#[test]
fn plugins_of_one_merchant_that_burn_their_fuel_do_not_hold_up_another() -> anyhow::Result<()> {
    let world = World::new()?;
    let burning = a_shop(&world, "burning")?;
    burning.push("purchase-match", &in_place_of_match(burns_its_fuel())?)?;
    let working = a_shop(&world, "working")?;
    for n in 0..WORKING {
        working.order(&order(&format!("2{n:03}"), &format!("w{n}"), days_ago(10), &[("A1", 3, "2.50")])?)?;
    }

    let (done, decided) = channel();
    for _ in 0..BURNING {
        hand_in(&burning, a_return("c1", &[("A1", 2)])?, Whose::Burning, &done)?;
    }
    for n in 0..WORKING {
        let open = from_history(a_return(&format!("w{n}"), &[("A1", 2)])?, &format!("R{n}"));
        hand_in(&working, open, Whose::Working, &done)?;
    }
    drop(done);
    let decided: Vec<(Whose, Receipt)> = decided.iter().collect();

    let count = |whose| decided.iter().filter(|(one, _)| *one == whose).count();
    assert_eq!((count(Whose::Burning), count(Whose::Working)), (BURNING, WORKING));
    let last = |whose| decided.iter().rposition(|(one, _)| *one == whose);
    assert!(last(Whose::Working) < last(Whose::Burning), "the working merchant waited for the burning one");
    for (whose, receipt) in &decided {
        match whose {
            Whose::Burning => {
                let case = burning.case(receipt.case)?;
                assert_waits_for_a_person(&case, "match", "plugin_cannot_decide");
                assert_nothing_left_the_shop(&case);
            }
            Whose::Working => {
                let case = working.case(receipt.case)?;
                assert_eq!((case.result.as_deref(), case.remedy()), (Some("refunded"), Remedy::Allow));
                assert_eq!(case.refunded().to_string(), "GBP 5.00");
            }
        }
    }
    Ok(())
}
