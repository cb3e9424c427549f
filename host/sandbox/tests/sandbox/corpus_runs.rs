//! The corpus of everything hostile, run: each kind ends as its row says, and the host goes on.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use redress_sandbox::Sandbox;

use crate::corpus::{CallKind, bombs, calls, uploads};
use crate::guests::deny_all;
use crate::{ask, cache, calls as working, compiling, patient, sandbox, with};

/// What is done to the host itself, each held by a test of its own.
const HOST: &[(&str, fn())] = &[
    ("an artifact with one byte flipped", cache::a_flipped_byte_anywhere_is_compiled_again_reported_and_mended),
    ("an artifact cut short", cache::a_truncated_or_foreign_file_is_reported),
    ("an artifact under another key", cache::an_artifact_under_another_key_is_not_used),
    ("an artifact of another plugin", cache::an_artifact_of_another_plugin_is_not_used_under_this_ones_name),
    ("an artifact of another configuration", cache::an_artifact_of_an_engine_with_other_settings_is_not_used),
    ("a folder that takes no artifact", cache::a_folder_that_cannot_be_written_costs_only_the_cache),
    (
        "a plugin exchanged while it is asked",
        working::plugins_exchanged_under_way_give_their_own_answers_and_nobody_elses,
    ),
    ("one plugin of two merchants", working::threads_that_load_one_plugin_compile_it_once),
    ("more calls than there is room for", working::a_call_beyond_those_that_may_run_at_once_is_told_so),
    ("a neighbour that burns its fuel", working::a_merchant_whose_plugin_loops_does_not_stop_another_merchants_calls),
    ("a machine too slow for its clock", crate::hostile::what_fuel_does_not_stop_the_clock_stops_at_the_second_try),
    ("a compiler that is not there", compiling::what_comes_with_the_program_needs_no_child),
    ("a compiler that answers nonsense", compiling::a_child_that_answers_nonsense_or_nothing_is_told_from_a_bad_plugin),
    ("a compiler that hangs", compiling::a_child_that_hangs_is_killed_by_the_clock),
];

#[test]
fn the_corpus_has_more_than_sixty_kinds_and_each_has_a_name_of_its_own() {
    let names: Vec<&str> = calls()
        .iter()
        .map(|kind| kind.name)
        .chain(uploads().iter().map(|kind| kind.name))
        .chain(bombs::all().iter().map(|bomb| bomb.name))
        .chain(HOST.iter().map(|(name, _)| *name))
        .collect();
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(distinct.len(), names.len(), "a name stands twice");
    println!("{} kinds: {} calls, {} uploads, {} of the host", names.len(), calls().len(), uploads().len(), HOST.len());
    assert!(calls().len() >= 60 && uploads().len() >= 40, "{} and {}", calls().len(), uploads().len());
}

#[test]
fn every_call_of_the_corpus_ends_as_its_row_says() {
    let wrong = run_calls(sandbox());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Those that ended otherwise than they must, with how.
fn run_calls(sandbox: &Sandbox) -> Vec<String> {
    let usual = ask(sandbox, &deny_all());
    let mut wrong = Vec::new();
    for CallKind { name, guest, ends } in calls() {
        let began = Instant::now();
        let attempt = ask(sandbox, &guest);
        let code = attempt.result.as_ref().err().map(redress_sandbox::CallError::code);
        println!("{name:<60} {:<26} {:>10} fuel {:?}", code.unwrap_or("answered"), attempt.fuel, began.elapsed());
        if code != ends || attempt.fuel > attempt.fuel_max {
            wrong.push(format!("{name}: {code:?} in place of {ends:?}, {} of {} fuel", attempt.fuel, attempt.fuel_max));
        }
        // Whatever it was, the next one is asked as if there had been none.
        if ask(sandbox, &deny_all()) != usual {
            wrong.push(format!("{name}: another plugin answered otherwise afterwards"));
        }
    }
    wrong
}

#[test]
fn every_upload_of_the_corpus_is_refused_as_its_row_says() {
    let sandbox = with(patient());
    let mut wrong = Vec::new();
    for kind in uploads() {
        let began = Instant::now();
        let ends = sandbox.upload(&kind.bytes).err().map(|refusal| refusal.code());
        println!("{:<60} {:<26} {:?}", kind.name, ends.unwrap_or("taken"), began.elapsed());
        if ends != kind.ends {
            wrong.push(format!("{}: {ends:?} in place of {:?}", kind.name, kind.ends));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(sandbox.loaded(), 0, "something of it was kept");
}

#[test]
fn every_end_of_the_corpus_is_explained_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let reference = std::fs::read_to_string(root.join("workflows/README.md")).unwrap();
    for code in calls().iter().filter_map(|kind| kind.ends) {
        assert!(reference.contains(&format!("`{code}`")), "{code} is not in the reference of workflows");
    }
    for code in uploads().iter().filter_map(|kind| kind.ends) {
        assert!(root.join(format!("docs/errors/{code}.md")).is_file(), "{code} has no page");
    }
}
