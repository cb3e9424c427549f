//! What is live: who made which revision active, and how many cases run on which.

use std::ffi::OsString;

use redress::cli::{self, Exit, Out};
use redress::engine::log::Origin;
use redress::engine::stay::Stay;
use redress::keys::Role;
use redress::publish::live::{self, Live};
use redress::publish::workflows::active;
use redress_domain::clock::Span;
use redress_domain::ids::Slug;
use redress_store::row::Standing;
use redress_tests::shop::{Shop, the_task};
use redress_tests::web::Web;
use redress_tests::world::{Merchant, World, admin};
use serde_json::{Value as Json, json};

use crate::publish::{ending, open};

fn of(merchant: &Merchant, name: &str) -> Live {
    let active = active::of(&merchant.engine, &Slug::new(name).unwrap()).unwrap().unwrap();
    live::of(&merchant.engine, &[active]).unwrap().remove(0)
}

/// Number, whether it is active, and the open cases of each revision in use.
fn in_use(merchant: &Merchant, name: &str) -> Vec<(u64, bool, usize)> {
    of(merchant, name).revisions.iter().map(|one| (one.number, one.active, one.open_cases)).collect()
}

#[test]
fn what_is_live_tells_who_made_it_so_and_on_which_revisions_cases_run() {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    let first = merchant.publish(&ending("one")).unwrap();
    assert_eq!(in_use(&merchant, "returns"), [(1, true, 0)]);
    let (a, _b) = (open(&merchant, "return"), open(&merchant, "return"));
    world.pass(Span::from_days(1));
    merchant.publish(&ending("two")).unwrap();
    let c = open(&merchant, "return");
    assert_eq!(in_use(&merchant, "returns"), [(2, true, 1), (1, false, 2)]);
    merchant.complete(a.id, the_task(&a).0, "done").unwrap();
    merchant.complete(c.id, the_task(&c).0, "done").unwrap();
    assert_eq!(in_use(&merchant, "returns"), [(2, true, 0), (1, false, 1)]);
    // Another workflow has its own.
    merchant.publish(&ending("done").replace("returns", "others").replace("return }", "other }")).unwrap();
    open(&merchant, "other");
    assert_eq!((in_use(&merchant, "others"), in_use(&merchant, "returns").len()), (vec![(3, true, 1)], 2));

    world.pass(Span::from_days(1));
    merchant.roll_back("returns", None).unwrap();
    let now = of(&merchant, "returns");
    let since = now.since.expect("how it became active");
    assert_eq!((now.active.revision, since.at), (first.revision, world.app.clock().now()));
    assert_eq!((since.by, since.note.as_str(), since.from), (admin(), "it was wrong", Origin::Api));
    // Two is not told any more: nothing runs on it.
    assert_eq!(in_use(&merchant, "returns"), [(1, true, 1)]);

    drop(merchant);
    let world = world.restart().unwrap();
    assert_eq!(in_use(&world.reopen("acme").unwrap(), "returns"), [(1, true, 1)]);
}

#[test]
fn what_came_of_a_case_stands_with_its_revision() {
    let late = "
steps:
  - { id: rest, wait: { for: 1d } }
  - { id: look, review: { queue: desk, title: Look, next: { go: done }, timeout: { after: 2d, then: late } } }
  - { id: done, finish: { result: seen } }
  - { id: late, finish: { result: late } }
";
    let shop = Shop::with(late).unwrap();
    let (seen, forgotten) = (shop.open(&[("A1", 1)]).unwrap(), shop.open(&[("A1", 1)]).unwrap());
    let revision = seen.revision.unwrap();
    let stays = |standing| -> Vec<(bool, bool)> {
        let rows = shop.merchant.engine.store().read().unwrap().cases_of(revision, standing, None, 10).unwrap();
        let stays = rows.iter().map(|row| redress_domain::codec::decode::<Stay>(&row.value).unwrap());
        stays.map(|stay| (stay.began, stay.late)).collect()
    };
    shop.world.pass(Span::from_days(1));
    shop.merchant.run_due().unwrap();
    assert_eq!(stays(Standing::Open), [(true, false), (true, false)], "the end of a rest is what was meant");
    let seen = shop.merchant.case(seen.id).unwrap();
    shop.merchant.complete(seen.id, the_task(&seen).0, "go").unwrap();
    shop.world.pass(Span::from_days(2));
    shop.merchant.run_due().unwrap();
    assert_eq!(shop.merchant.case(forgotten.id).unwrap().result.as_deref(), Some("late"));
    assert_eq!((stays(Standing::Open), stays(Standing::Past)), (vec![], vec![(true, false), (true, true)]));
}

#[tokio::test]
async fn api_and_command_line_tell_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::on(folder.path()).unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    merchant.publish(&ending("one")).unwrap();
    let case = open(&merchant, "return");
    let second = merchant.publish(&ending("two")).unwrap();
    open(&merchant, "return");
    let told = {
        let web = Web::of(&world).unwrap();
        let key = web.key(merchant.engine.record().id, Role::Viewer).unwrap();
        let shown = web.ask("GET", &format!("/v1/cases/{}", case.id)).by(&key).send().await.json();
        assert_eq!(shown["workflow"]["number"], 1, "{shown:#}");
        let listed = web.ask("GET", "/v1/workflows").by(&key).send().await.json()["data"].clone();
        let one = web.ask("GET", "/v1/workflows/returns").by(&key).send().await.json();
        assert_eq!(listed, json!([one]));
        one
    };
    assert_eq!(told["active"]["revision"], json!(second.revision));
    assert_eq!(told["triggers"], json!([{ "by": "case_opened", "types": ["return"] }]));
    let in_use = |told: &Json| -> Vec<Json> {
        let revisions = told["revisions"].as_array().unwrap();
        revisions.iter().map(|one| json!([one["number"], one["state"], one["open_cases"]])).collect()
    };
    assert_eq!(in_use(&told), [json!([2, "active", 1]), json!([1, "earlier", 1])]);
    drop((world, merchant));

    let live = move |words: &[&str]| {
        let data = folder.path().display().to_string();
        let words = [&["redress", "workflow", "live", "--data", &data, "--tenant", "acme"], words].concat();
        let (mut data, mut talk) = (Vec::new(), Vec::new());
        let exit = cli::run(words.iter().map(OsString::from), &mut Out::new(&mut data, &mut talk));
        (exit, String::from_utf8(data).unwrap())
    };
    let (exit, json) = tokio::task::spawn_blocking(move || {
        let (exit, json) = live(&["--output", "json"]);
        let (_, table) = live(&["returns"]);
        let columns = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let lines: Vec<Vec<String>> = table.lines().map(columns).collect();
        assert_eq!(lines[0][..5], ["workflow", "number", "revision", "state", "open_cases"]);
        assert_eq!((&*lines[1][1], &*lines[1][3], &*lines[1][4]), ("2", "active", "1"), "{table}");
        assert_eq!((&*lines[2][1], &*lines[2][3], &*lines[2][4]), ("1", "earlier", "1"), "{table}");
        assert_eq!(live(&["nothing"]).0, Exit::NotFound);
        (exit, json)
    })
    .await
    .unwrap();
    assert_eq!(exit, Exit::Done);
    assert_eq!(serde_json::from_str::<Json>(&json).unwrap(), json!([told]));
}
