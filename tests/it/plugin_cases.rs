//! A merchant's own cases of a plugin: kept under its name, asked of whatever is handed in under it, and never of what is active.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redress::cli::Exit;
use redress::engine::log::{self, What};
use redress::engine::staged::Stage;
use redress::keys::Role;
use redress::publish::cases::{self, Keep, Kept};
use redress::publish::plugins;
use redress::publish::way::Way;
use redress_domain::ids::Digest;
use redress_sandbox::{Config, Limits, Sandbox};
use redress_tests::guests::{deny_all, integer_step};
use redress_tests::web::Web;
use redress_tests::world::{Merchant, START, World, admin, quick_folder};
use serde_json::json;

use crate::cli::Shell;

/// A merchant on a host that tries what it is given, as the product does.
struct Shop {
    world: World,
    acme: Merchant,
    folder: tempfile::TempDir,
}

impl Shop {
    fn trying_for(dry_run_ms_max: u64) -> anyhow::Result<Self> {
        let folder = quick_folder()?;
        // Its clock is far away, so that a busy machine changes no outcome.
        let limits = Limits { wall_clock_ms: 60_000, dry_run_ms_max, ..Limits::default() };
        let sandbox = Sandbox::new(Config { limits, ..Config::default() })?;
        let world = World::with_sandbox(folder.path(), sandbox, redress_domain::clock::Instant::from_unix_ms(START))?;
        Ok(Self { acme: world.bare_merchant("acme")?, world, folder })
    }

    fn new() -> anyhow::Result<Self> {
        Self::trying_for(60_000)
    }

    /// Components that the host keeps.
    fn objects(&self) -> anyhow::Result<usize> {
        let mut files = 0;
        for folder in std::fs::read_dir(self.folder.path().join("objects"))? {
            files += folder?.path().read_dir()?.count();
        }
        Ok(files)
    }
}

fn number(number: i64) -> Vec<u8> {
    integer_step("n", &format!("(i64.const {number})")).component().unwrap()
}

fn expecting(number: i64) -> String {
    json!({ "hook": "step", "expect": { "answer": { "provides": { "n": number } } } }).to_string()
}

fn keep(merchant: &Merchant, plugin: &str, case: &str, source: &str) -> Result<Kept, redress::publish::Error> {
    let by = admin();
    let keep = Keep { plugin, case, source, note: "agreed", by: &by, way: Way::Api, answer: None };
    cases::keep(&merchant.engine, &keep)
}

fn remove(merchant: &Merchant, plugin: &str, case: &str) -> Result<(), redress::publish::Error> {
    cases::remove(&merchant.engine, plugin, case, &admin(), &Way::Api)
}

/// Why something was not pushed: the code, and in words.
fn refused(pushed: anyhow::Result<plugins::Active>) -> (&'static str, String) {
    let error = pushed.unwrap_err().downcast::<redress::publish::Error>().unwrap();
    (error.code(), error.to_string())
}

#[test]
fn a_component_that_answers_a_case_otherwise_is_not_taken_and_leaves_nothing() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let acme = &shop.acme;
    keep(acme, "number", "seven", &expecting(7))?;
    keep(acme, "number", "any", r#"{"hook":"step"}"#)?;
    acme.push("number", &number(7))?;
    let before = (plugins::list(&acme.engine)?, shop.objects()?, log::read(&acme.engine)?.len());
    let (code, told) = refused(acme.push("number", &number(8)));
    assert_eq!(code, "plugin_case_differs");
    let words = "plugin \"number\" does not answer 1 of your own cases as they say; seven: /provides/n is 8 and not 7; the answer was {\"provides\":{\"n\":8}";
    assert!(told.starts_with(words), "{told}");
    assert_eq!(acme.stage("number", &number(8), Stage::Shadow).unwrap_err().code(), "plugin_case_differs");
    assert_eq!((plugins::list(&acme.engine)?, shop.objects()?, log::read(&acme.engine)?.len()), before);

    // A name without cases is held to none, and neither is another merchant.
    acme.push("other", &number(8))?;
    shop.world.bare_merchant("beta")?.push("number", &number(8))?;
    // A rule of all plugins comes first.
    let (code, told) = refused(acme.push("number", &integer_step("n", "unreachable").component()?));
    assert_eq!(code, "upload_dry_run", "{told}");

    // The rule is meant to change: so does the case, and what was active before goes back without being asked.
    let seven = before.0[0].digest;
    keep(acme, "number", "seven", &expecting(8))?;
    acme.push("number", &number(8))?;
    acme.activate("number@0", seven)?;
    assert_eq!(refused(acme.push("number", &number(9))).0, "plugin_case_differs");
    remove(acme, "number", "seven")?;
    acme.push("number", &number(9))?;
    assert_eq!(remove(acme, "number", "seven").unwrap_err().code(), "plugin_case_not_found");
    Ok(())
}

#[test]
fn what_is_kept_and_removed_is_recorded_once_and_survives_a_restart() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let first = keep(&shop.acme, "number", "seven", &expecting(7))?;
    assert_eq!((first.since.note.as_str(), first.since.by.clone()), ("agreed", admin()));
    assert_eq!(keep(&shop.acme, "number", "seven", &expecting(7))?, first, "the same again changes nothing");
    keep(&shop.acme, "number", "eight", &expecting(8))?;
    keep(&shop.acme, "numb", "er", &expecting(9))?;
    remove(&shop.acme, "number", "eight")?;
    let facts: Vec<_> = log::read(&shop.acme.engine)?.into_iter().map(|logged| logged.what).collect();
    let told = facts.iter().map(|fact| match fact {
        What::PluginCaseKept { plugin, case, content, .. } => format!("{plugin} {case} {}", content.short()),
        What::PluginCaseRemoved { plugin, case, .. } => format!("{plugin} {case} gone"),
        other => panic!("{other:?}"),
    });
    let digest = |number| Digest::of(expecting(number).as_bytes()).short().to_string();
    let wanted = [
        format!("number seven {}", digest(7)),
        format!("number eight {}", digest(8)),
        format!("numb er {}", digest(9)),
        "number eight gone".to_owned(),
    ];
    assert_eq!(told.collect::<Vec<_>>(), wanted);

    let Shop { world, acme, folder } = shop;
    drop((acme, world));
    let sandbox = Sandbox::new(Config::default())?;
    let world = World::with_sandbox(folder.path(), sandbox, redress_domain::clock::Instant::from_unix_ms(START))?;
    let acme = world.reopen("acme")?;
    assert_eq!(cases::list(&acme.engine, "number")?, [first]);
    assert_eq!(refused(acme.push("number", &number(8))).0, "plugin_case_differs");
    Ok(())
}

#[test]
fn a_case_that_cannot_be_asked_is_not_one_that_passed() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    keep(&shop.acme, "number", "verdict", r#"{"hook":"eligibility","request":{"lines":[{"sku":"A1"}]}}"#)?;
    let (code, told) = refused(shop.acme.push("number", &number(7)));
    assert!(code == "plugin_case_differs" && told.contains("it asks the hook eligibility, which the plugin"), "{told}");
    shop.acme.push("deny", &deny_all().component()?)?;

    // Of so many in a millisecond some are left.
    let hurried = Shop::trying_for(1)?;
    for case in 0..30 {
        keep(&hurried.acme, "number", &format!("case-{case}"), &expecting(7))?;
    }
    let (code, told) = refused(hurried.acme.push("number", &number(7)));
    assert!(code == "plugin_cases_not_asked" && told.contains(" of your 30 own cases: the time "), "{told}");
    assert_eq!(plugins::list(&hurried.acme.engine)?, []);
    Ok(())
}

/// At the moment of each activation the component answers the case that is kept at that moment.
#[test]
fn a_case_that_changes_while_a_component_is_tried_is_not_overlooked() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    keep(&shop.acme, "number", "case", &expecting(7))?;
    let stop = Arc::new(AtomicBool::new(false));
    let (keeper, ended) = (shop.acme.clone(), stop.clone());
    let keeping = std::thread::Builder::new().spawn(move || {
        while !ended.load(Ordering::Relaxed) {
            for number in [8, 7] {
                keep(&keeper, "number", "case", &expecting(number)).unwrap();
            }
        }
    })?;
    for round in 0..8 {
        match shop.acme.push("number", &number(7 + round % 2)) {
            Ok(_) => {}
            pushed => assert!(["conflict", "plugin_case_differs"].contains(&refused(pushed).0)),
        }
    }
    stop.store(true, Ordering::Relaxed);
    keeping.join().unwrap();
    shop.acme.push("number", &number(7))?;
    let component =
        |number| Digest::of(&redress_sandbox::componentise(&self::number(number), &Limits::default()).unwrap());
    let content = |number| Digest::of(expecting(number).as_bytes());
    let fits = [(component(7), content(7)), (component(8), content(8))];
    let mut kept = None;
    for logged in log::read(&shop.acme.engine)? {
        match logged.what {
            What::PluginCaseKept { content, .. } => kept = Some(content),
            What::PluginActivated { digest, .. } => assert!(fits.contains(&(digest, kept.unwrap())), "{digest}"),
            _ => {}
        }
    }
    Ok(())
}

#[test]
fn what_is_no_case_or_too_much_is_refused() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let code = |plugin: &str, case: &str, source: &str| keep(&shop.acme, plugin, case, source).unwrap_err().code();
    let good = expecting(7);
    for (case, source) in [
        ("a", ""),
        ("a", "[]"),
        ("a", r#"{"hook":"refunds"}"#),
        ("a", r#"{"hook":"step","request":{"lines":[]}}"#),
        ("a", r#"{"hook":"step","expect":{"answer":{"provide":{}}}}"#),
        ("No Name", &good),
        ("a", &format!(r#"{{"hook":"step","note":"{}"}}"#, "x".repeat(1 << 20))),
    ] {
        assert_eq!(code("number", case, source), "plugin_case_invalid", "{case} {source:.60}");
    }
    assert_eq!(code("No Name", "a", &good), "plugin_name_invalid");
    assert_eq!(cases::list(&shop.acme.engine, "number")?, []);
    assert_eq!(log::read(&shop.acme.engine)?.len(), 0);

    for case in 0..200 {
        keep(&shop.acme, "number", &format!("case-{case}"), &good)?;
    }
    assert_eq!(code("number", "one-more", &good), "plugin_cases_full");
    keep(&shop.acme, "number", "case-7", &expecting(8))?;
    remove(&shop.acme, "number", "case-7")?;
    keep(&shop.acme, "number", "one-more", &good)?;
    assert_eq!(code("number", "yet-another", &good), "plugin_cases_full");

    let large = format!(r#"{{"hook":"step","note":"{}"}}"#, "x".repeat(1_000_000));
    for case in ["a", "b", "c", "d"] {
        keep(&shop.acme, "large", case, &large)?;
    }
    assert_eq!(code("large", "e", &large), "plugin_cases_full");
    Ok(())
}

#[tokio::test]
async fn over_http_each_case_that_differs_is_named_and_a_request_that_comes_again_is_answered_again()
-> anyhow::Result<()> {
    let shop = Shop::new()?;
    let web = Web::of(&shop.world)?;
    let key = web.key(shop.acme.engine.record().id, Role::Admin)?;
    let put = |case: &str, number: i64| {
        web.ask("PUT", &format!("/v1/plugins/number/cases/{case}?note=agreed"))
            .by(&key)
            .named(&format!("put-{case}"))
            .raw("application/json", expecting(number).as_bytes())
    };
    for case in ["two", "one", "three"] {
        assert_eq!(put(case, 7).send().await.status.as_u16(), 200);
    }
    let again = put("two", 7).send().await;
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!((&again.json()["hook"], &again.json()["expects"]), (&"step".into(), &true.into()));

    let page = web.ask("GET", "/v1/plugins/number/cases?limit=2").by(&key).send().await.json();
    let names = |page: &serde_json::Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|one| one["case"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (names(&page), &page["has_more"], &page["data"][0]["source"]),
        (vec!["one".into(), "three".into()], &true.into(), &json!(null))
    );
    let next = format!("/v1/plugins/number/cases?cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(names(&web.ask("GET", &next).by(&key).send().await.json()), ["two"]);
    let one = web.ask("GET", "/v1/plugins/number/cases/one").by(&key).send().await.json();
    assert_eq!(one["source"], expecting(7));

    let refused = web.ask("PUT", "/v1/plugins/number").by(&key).raw("application/wasm", &number(8)).send().await;
    assert_eq!(refused.problem(), (422, "plugin_case_differs".to_owned()));
    let errors = refused.json()["errors"].as_array().unwrap().clone();
    let mut files: Vec<_> = errors.iter().map(|one| one["file"].as_str().unwrap()).collect();
    files.sort_unstable();
    assert_eq!(files, ["one", "three", "two"]);
    assert!(errors.iter().all(|one| one["detail"].as_str().unwrap().starts_with("/provides/n is 8 and not 7")));

    let text = web.ask("PUT", "/v1/plugins/number/cases/x").by(&key).raw("text/plain", b"{}").outcome().await;
    assert_eq!(text, (415, "media_type_unsupported".to_owned()));
    let wrong = web.ask("PUT", "/v1/plugins/number/cases/x").by(&key).json(&json!({ "hook": "step", "expects": {} }));
    let wrong = wrong.send().await;
    assert_eq!(wrong.problem(), (422, "plugin_case_invalid".to_owned()));
    assert_eq!(wrong.json()["errors"][0]["pointer"], "/expects");
    for case in ["one", "two", "three"] {
        let gone = web.ask("DELETE", &format!("/v1/plugins/number/cases/{case}")).by(&key).send().await;
        assert_eq!(gone.status.as_u16(), 204);
    }
    let taken = web.ask("PUT", "/v1/plugins/number").by(&key).raw("application/wasm", &number(8)).send().await;
    assert_eq!(taken.status.as_u16(), 200);
    Ok(())
}

#[test]
fn the_command_line_pushes_a_folder_of_cases_and_takes_away_what_is_not_in_it() -> anyhow::Result<()> {
    let shell = Shell::new()?;
    let folder = shell.data_folder().with_file_name("cases");
    std::fs::create_dir(&folder)?;
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text);
    write("seven.json", &expecting(7))?;
    write("any.json", r#"{"hook":"step","note":"it answers at all"}"#)?;
    write("README.md", "no case")?;
    let cases = folder.display().to_string();
    let pushed = shell.json(&["plugin", "cases", "push", "number", &cases, "--note", "agreed"])?;
    assert_eq!((&pushed[0]["case"], &pushed[0]["expects"]), (&"any".into(), &false.into()));
    assert_eq!((&pushed[1]["case"], &pushed[1]["since"]["note"]), (&"seven".into(), &"agreed".into()));
    assert!(shell.ok(&["plugin", "cases", "list", "number"])?.contains("seven"));
    assert_eq!(shell.ok(&["plugin", "cases", "show", "number", "seven"])?, expecting(7));

    let eight = shell.file("eight.wasm", &number(8))?;
    let refused = shell.run(&["plugin", "push", &eight, "--name", "number"]);
    assert_eq!(refused.exit, Exit::Invalid);
    assert!(refused.talk.starts_with("seven: /provides/n is 8 and not 7; "), "{}", refused.talk);
    assert!(refused.talk.contains("error[plugin_case_differs]") && refused.talk.contains("redress plugin cases push"));
    // One that is none sends nothing.
    write("wrong.json", r#"{"hook":"step","expect":{}}"#)?;
    write("seven.json", &expecting(8))?;
    assert!(shell.run(&["plugin", "cases", "push", "number", &cases]).talk.contains("error[case_invalid]"));
    assert_eq!(shell.ok(&["plugin", "cases", "show", "number", "seven"])?, expecting(7));
    std::fs::remove_file(folder.join("wrong.json"))?;
    std::fs::remove_file(folder.join("any.json"))?;
    let kept = shell.run(&["plugin", "cases", "push", "number", &cases]).talk;
    assert!(kept.contains("note: 1 case kept before and not among these"), "{kept}");
    assert!(kept.contains("note: there is no plugin number yet"), "{kept}");
    let pruned = shell.run(&["plugin", "cases", "push", "number", &cases, "--prune"]);
    assert!(pruned.exit == Exit::Done && !pruned.talk.contains("kept before"), "{}", pruned.talk);
    assert_eq!(shell.json(&["plugin", "cases", "list", "number"])?.as_array().unwrap().len(), 1);
    shell.ok(&["plugin", "push", &eight, "--name", "number"])?;
    assert!(!shell.run(&["plugin", "cases", "push", "number", &cases]).talk.contains("note:"));
    shell.ok(&["plugin", "cases", "remove", "number", "seven"])?;
    assert_eq!(shell.run(&["plugin", "cases", "remove", "number", "seven"]).exit, Exit::NotFound);
    shell.ok(&["plugin", "push", &shell.file("nine.wasm", &number(9))?, "--name", "number"])?;
    Ok(())
}
