//! A component on its way to become active: as a shadow it is compared and never used, as a canary it decides a share of the new cases;
//! and a plugin that somebody calls is not removed.

use std::time::Duration;

use redress::cli::Exit;
use redress::engine::Target;
use redress::engine::log::{self, Ended, What};
use redress::engine::staged::{Compared, Stage};
use redress::publish::staging::canary_of;
use redress_domain::case::command::Body;
use redress_domain::ids::Digest;
use redress_tests::guests::{Guest, integer_step};
use redress_tests::world::{Merchant, World, a_return, submission};

use crate::cli::Shell;

const WORKFLOW: &str = "format: 1
workflow: numbered
currency: GBP
triggers: [{ case_opened: { type: return } }]
steps:
  - { id: ask, call: { plugin: number@0 }, as: answer }
  - { id: route, decide: [{ when: 'answer.out.n == 7', then: seven }, { else: other }] }
  - { id: seven, finish: { result: seven } }
  - { id: other, finish: { result: other } }
";

fn number(code: &str) -> Vec<u8> {
    integer_step("n", code).component().unwrap()
}

fn merchant(world: &World) -> anyhow::Result<Merchant> {
    let merchant = world.bare_merchant("acme")?;
    merchant.push("number", &number("(i64.const 7)"))?;
    merchant.publish(WORKFLOW)?;
    Ok(merchant)
}

fn results(merchant: &Merchant, cases: usize) -> anyhow::Result<Vec<String>> {
    let open = |_| {
        let case = merchant.open(a_return("c1", &[("A1", 1)])?)?.case;
        Ok(merchant.case(case)?.result.unwrap_or_default())
    };
    (0..cases).map(open).collect()
}

/// What came of a shadow once it was asked so often.
fn compared(merchant: &Merchant, asked: u64) -> anyhow::Result<Compared> {
    loop {
        let staged = merchant.engine.staged_of("number@0")?.expect("it is staged");
        if staged.compared.asked >= asked {
            return Ok(staged.compared);
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_shadow_is_asked_what_is_asked_and_what_it_answers_is_compared_and_never_used() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = merchant(&world)?;
    merchant.stage("number", &number("(i64.const 8)"), Stage::Shadow)?;
    assert_eq!(results(&merchant, 3)?, ["seven"; 3]);
    let found = compared(&merchant, 3)?;
    assert_eq!((found.asked, found.equal, found.different, found.failed, found.left_out), (3, 0, 3, 0, 0));
    assert!(found.fuel > 0 && found.fuel_active > 0);
    let example = &found.examples[0];
    assert_eq!((example.turn, example.step.as_str()), (1, "ask"));
    assert_eq!(example.active, r#"{"values":{"n":{"number":"7"}}}"#);
    assert_eq!(example.shadow, r#"{"values":{"n":{"number":"8"}}}"#);

    // Another component that answers alike; what the one before came to is over with it.
    merchant.stage("number", &number("(i64.add (i64.const 3) (i64.const 4))"), Stage::Shadow)?;
    assert_eq!(results(&merchant, 2)?, ["seven"; 2]);
    let found = compared(&merchant, 2)?;
    assert_eq!((found.asked, found.equal, found.examples.len()), (2, 2, 0));
    Ok(())
}

#[test]
fn a_shadow_that_traps_or_runs_for_ever_harms_no_case() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = merchant(&world)?;
    for code in ["unreachable", "(loop $l (br $l)) (i64.const 7)"] {
        merchant.stage("number", &number(code), Stage::Shadow)?;
        assert_eq!(results(&merchant, 2)?, ["seven"; 2]);
        let found = compared(&merchant, 2)?;
        assert_eq!((found.different, found.failed), (2, 2), "{code}");
        assert!(found.examples[0].shadow.starts_with(r#"{"failure":{"code":"plugin_"#), "{:?}", found.examples);
    }
    Ok(())
}

#[test]
fn a_canary_decides_a_share_and_becomes_active_with_what_it_was_compared_with_in_the_record() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = merchant(&world)?;
    merchant.stage("number", &number("(i64.const 8)"), Stage::Shadow)?;
    results(&merchant, 1)?;
    compared(&merchant, 1)?;
    let staged = merchant.restage("number@0", canary_of(50).unwrap())?;
    assert_eq!((staged.stage.word(), staged.compared.asked), ("canary", 1));
    // Which cases it takes follows from their ids.
    let mut all = Vec::new();
    while !(all.contains(&"seven".to_owned()) && all.contains(&"other".to_owned())) {
        all.extend(results(&merchant, 1)?);
        assert!(all.len() < 1_000, "of a thousand cases all took one side");
    }
    merchant.activate("number@0", staged.digest)?;
    assert_eq!(results(&merchant, 3)?, ["other"; 3]);
    assert_eq!(merchant.engine.staged_of("number@0")?, None);
    let facts: Vec<What> = log::read(&merchant.engine)?.into_iter().map(|logged| logged.what).collect();
    let unstaged = facts.iter().find_map(|fact| match fact {
        What::PluginUnstaged { digest, how, compared, .. } => Some((*digest, *how, compared.asked, compared.different)),
        _ => None,
    });
    assert_eq!(unstaged, Some((staged.digest, Ended::Promoted, 1, 1)));
    let ended = facts.iter().any(|fact| matches!(fact, What::CanaryEnded { how: Ended::Promoted, .. }));
    assert!(ended, "the canary of the workflow became active with it: {facts:#?}");
    Ok(())
}

#[test]
fn what_is_stopped_takes_no_further_case_and_leaves_the_others_alone() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = merchant(&world)?;
    merchant.stage("number", &number("(i64.const 8)"), canary_of(99).unwrap())?;
    let mut all = results(&merchant, 1)?;
    while !all.contains(&"other".to_owned()) {
        all.extend(results(&merchant, 1)?);
    }
    merchant.unstage("number@0")?;
    assert_eq!(results(&merchant, 20)?, ["seven"; 20]);
    assert_eq!(merchant.unstage("number@0").unwrap_err().code(), "stage_not_found");
    assert_eq!(merchant.restage("number@0", Stage::Shadow).unwrap_err().code(), "stage_not_found");
    Ok(())
}

#[test]
fn what_is_staged_stays_so_over_a_restart_with_what_it_came_to() -> anyhow::Result<()> {
    let world = World::new()?;
    let before = merchant(&world)?;
    before.stage("number", &number("(i64.const 8)"), Stage::Shadow)?;
    results(&before, 1)?;
    compared(&before, 1)?;
    // The first difference is stored at once.
    while before
        .engine
        .store()
        .read()?
        .row(&redress_store::row::RowKey::pointer("staged/number@0"))?
        .is_some_and(|row| !String::from_utf8_lossy(&row).contains("example"))
    {
        std::thread::yield_now();
    }
    drop(before);
    let world = world.restart()?;
    let after = world.reopen("acme")?;
    assert_eq!(results(&after, 2)?, ["seven"; 2]);
    assert!(compared(&after, 3)?.asked >= 3, "it goes on from what it had");
    Ok(())
}

/// Who publishes runs the tests of a workflow on the threads of turns, with the right to publish. What a shadow came to is stored with the
/// same right, from such a thread: with one of them, who waits for the other waits for ever.
#[test]
fn a_shadow_never_keeps_a_publisher_from_the_last_thread() -> anyhow::Result<()> {
    let world = World::of_threads(1)?;
    let merchant = merchant(&world)?;
    let (done, ends) = std::sync::mpsc::channel();
    let publisher = merchant.clone();
    std::thread::Builder::new().name("publisher".to_owned()).spawn(move || {
        for round in 0..40_u32 {
            // Each time the first answer of a new shadow is another one, which is stored at once.
            let answer = format!("(i64.const {})", 100 + round);
            publisher.stage("number", &number(&answer), Stage::Shadow).unwrap();
            publisher
                .engine
                .submit(submission(Target::New, Body::Open(Box::new(a_return("c1", &[("A1", 1)]).unwrap()))), drop)
                .unwrap();
            let tested =
                format!("{WORKFLOW}tests:\n  - {{ name: round {round}, expect: {{ path: [ask, route, seven] }} }}\n");
            let other = tested.replace("result: other }", &format!("result: other-{round} }}"));
            publisher.publish(&other).unwrap();
        }
        done.send(()).unwrap();
    })?;
    assert_eq!(ends.recv_timeout(Duration::from_secs(60)), Ok(()), "somebody waits for ever");
    Ok(())
}

#[test]
fn what_cannot_be_staged_or_removed_says_why_and_changes_nothing() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = merchant(&world)?;
    let code = |outcome: Result<redress::engine::staged::Staged, redress::publish::Error>| outcome.unwrap_err().code();
    let eight = number("(i64.const 8)");
    assert_eq!(code(merchant.stage("number", &number("(i64.const 7)"), Stage::Shadow)), "stage_unfit");
    assert_eq!(code(merchant.stage("nothing", &eight, Stage::Shadow)), "plugin_not_found");
    assert_eq!(code(merchant.stage("number", b"rubbish", Stage::Shadow)), "upload_not_wasm");
    merchant.push("idle", &number("(i64.const 1)"))?;
    assert_eq!(code(merchant.stage("idle", &eight, canary_of(10).unwrap())), "stage_unfit");
    // A workflow reads a value that it does not provide.
    let silent = Guest::new(redress_sandbox::Hook::Step).component()?;
    assert_eq!(code(merchant.stage("number", &silent, canary_of(10).unwrap())), "plugin_breaks_workflow");
    assert_eq!(merchant.engine.staged()?, Vec::new());

    let error = merchant.remove("number@0").unwrap_err();
    assert_eq!(
        (error.code(), error.to_string()),
        ("plugin_in_use", "plugin \"number@0\" is called by numbered (active)".to_owned())
    );
    assert_eq!(merchant.remove("nothing@0").unwrap_err().code(), "plugin_not_found");
    let removed: Digest = merchant.remove("idle@0")?.digest;
    let facts = log::read(&merchant.engine)?;
    assert!(
        matches!(&facts.last().unwrap().what, What::PluginRemoved { plugin, digest, .. } if plugin == "idle@0" && *digest == removed)
    );
    assert_eq!(results(&merchant, 1)?, ["seven"]);
    Ok(())
}

#[test]
fn the_command_line_goes_the_whole_way_and_back() -> anyhow::Result<()> {
    let shell = Shell::new()?;
    let seven = shell.file("seven.wasm", &number("(i64.const 7)"))?;
    let eight = shell.file("eight.wasm", &number("(i64.const 8)"))?;
    shell.ok(&["plugin", "push", &seven, "--name", "number"])?;
    let workflow = shell.file("numbered.yaml", WORKFLOW.as_bytes())?;
    shell.ok(&["workflow", "publish", &workflow])?;
    let staged =
        shell.json(&["plugin", "stage", &eight, "--shadow", "--name", "number", "--note", "rounds otherwise"])?;
    assert_eq!((&staged["stage"], &staged["since"]["note"]), (&"shadow".into(), &"rounds otherwise".into()));
    let staged = shell.json(&["plugin", "stage", "number@0", "--canary", "10"])?;
    assert_eq!((&staged["stage"], &staged["percent"]), (&"canary".into(), &10.into()));
    let told = shell.ok(&["plugin", "show", "number@0"])?;
    assert!(told.contains("called by: numbered (active), numbered (canary)\n") && told.contains("canary"), "{told}");
    shell.ok(&["plugin", "stop", "number@0", "--note", "later"])?;
    shell.ok(&["plugin", "stage", &eight, "--shadow", "--name", "number"])?;
    let active = shell.json(&["plugin", "activate", "number@0"])?;
    assert_eq!(active["digest"], staged["digest"]);
    let back = shell.json(&["plugin", "rollback", "number@0"])?;
    assert_ne!(back["digest"], staged["digest"]);
    let told = shell.ok(&["plugin", "show", "number@0"])?;
    assert!(told.contains("nothing is staged\n"), "{told}");
    // Two back and forth by the first eight digits, which show tells.
    let [seven_is, eight_is] = [&back, &staged].map(|one| one["digest"].as_str().unwrap_or_default()[..8].to_owned());
    assert!(told.contains(&seven_is) && told.contains(&eight_is), "{told}");
    let again = shell.json(&["plugin", "activate", "number@0", "--digest", &eight_is])?;
    assert_eq!(again["digest"], staged["digest"]);
    let back_again = shell.json(&["plugin", "rollback", "number@0", "--digest", &seven_is.to_uppercase()])?;
    assert_eq!(back_again["digest"], back["digest"]);
    for verb in ["activate", "rollback"] {
        assert_eq!(shell.run(&["plugin", verb, "number@0", "--digest", &eight_is[..7]]).exit, Exit::Usage);
        assert_eq!(shell.run(&["plugin", verb, "number@0", "--digest", "00000000"]).exit, Exit::NotFound);
    }
    let refused = shell.run(&["plugin", "remove", "number@0", "--note", "old"]);
    assert_eq!(refused.exit, Exit::Conflict, "{}", refused.talk);
    shell.ok(&["plugin", "push", &seven, "--name", "idle"])?;
    shell.ok(&["plugin", "remove", "idle@0", "--note", "old"])?;
    assert_eq!(shell.run(&["plugin", "activate", "number@0"]).exit, Exit::NotFound);
    assert_eq!(shell.run(&["plugin", "stage", "number@0"]).exit, Exit::Usage);
    Ok(())
}
