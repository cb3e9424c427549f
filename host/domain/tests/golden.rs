//! Broken workflow files and exactly what is said about each: `tests/golden/workflows/NN-name.yaml` beside `NN-name.txt`.
//!
//! `REDRESS_BLESS=1 cargo test -p redress-domain --test golden` rewrites the texts; they are read in review like code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use redress_domain::clock::Zone;
use redress_domain::ids::Digest;
use redress_domain::value::Type;
use redress_domain::workflow::definition::{Hook, Plugin, PluginRef};
use redress_domain::workflow::diagnostic::{Diagnostic, render};
use redress_domain::workflow::load::{Environment, load};

fn environment() -> Environment {
    let plugin = |name: &str, major, hook, params: &[(&str, Type)], provides: &[(&str, Type)]| {
        let types = |list: &[(&str, Type)]| list.iter().map(|(n, kind)| ((*n).to_owned(), kind.clone())).collect();
        let name = PluginRef { name: name.to_owned(), major };
        let digest = Digest::of(name.to_string().as_bytes());
        (name, Plugin { digest, hook, params: types(params), provides: types(provides) })
    };
    Environment {
        plugins: BTreeMap::from([
            plugin("std/purchase-match", 0, Hook::Eligibility, &[("window_days", Type::Number)], &[]),
            plugin("std/device-compliance", 0, Hook::Compliance, &[], &[]),
            plugin("std/refund-quote", 0, Hook::Refund, &[], &[]),
            plugin(
                "own-score",
                2,
                Hook::Step,
                &[("text", Type::Text), ("level", Type::words(["low", "high"]).optional())],
                &[("score", Type::Number)],
            ),
        ]),
        currency: "GBP".parse().ok(),
        zone: Some(Zone::Europe__London),
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/workflows")
}

/// Every broken file with its name and what is wrong with it.
fn broken() -> Vec<(String, String, Vec<Diagnostic>)> {
    let mut names: Vec<_> = fs::read_dir(folder())
        .expect("the golden files are in the repository")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    names.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        let source = fs::read_to_string(&path).expect("a golden file is text");
        let found = load(&source, &environment()).err().unwrap_or_default();
        (name, source, found)
    };
    names.into_iter().map(read).collect()
}

#[test]
fn each_broken_file_is_told_exactly_what_is_wrong_with_it() {
    let mut wrong = String::new();
    for (name, source, found) in broken() {
        let text: Vec<_> = found.iter().map(|diagnostic| render(&name, &source, diagnostic)).collect();
        let text = text.join("\n");
        let path = folder().join(&name).with_extension("txt");
        if std::env::var_os("REDRESS_BLESS").is_some() {
            fs::write(&path, &text).expect("the golden text can be written");
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if text != expected || found.is_empty() {
            wrong += &format!("---- {name}\nexpected:\n{expected}\nfound:\n{text}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn each_good_file_is_taken() {
    for entry in fs::read_dir(folder().join("good")).expect("the golden files are in the repository") {
        let path = entry.expect("the folder can be read").path();
        let source = fs::read_to_string(&path).expect("a golden file is text");
        if let Err(found) = load(&source, &environment()) {
            let name = path.display().to_string();
            panic!("{}", found.iter().map(|diagnostic| render(&name, &source, diagnostic)).collect::<String>());
        }
    }
}

#[test]
fn every_text_belongs_to_a_file() {
    for entry in fs::read_dir(folder()).expect("the golden files are in the repository") {
        let path = entry.expect("the folder can be read").path();
        assert!(path.is_dir() || path.with_extension("yaml").exists(), "{} has no workflow", path.display());
    }
}

#[test]
fn each_class_of_mistake_is_there_twice_and_three_files_have_five() {
    let broken = broken();
    assert!(broken.len() >= 30, "{} files", broken.len());
    let files_with = |codes: &[&str]| {
        broken.iter().filter(|(_, _, found)| found.iter().any(|d| codes.contains(&d.code.as_str()))).count()
    };
    for class in [
        &["unknown_field"][..],
        &["unknown_name"],
        &["unknown_step"],
        &["wrong_type"],
        &["unreachable"],
        &["missing_outcome"],
        &["missing_timeout"],
        &["cycle"],
        &["not_guarded"],
        &["unknown_event"],
        &["bad_literal"],
        &["duplicate_id"],
        &["unknown_plugin"],
        &["not_available"],
        &["anchor", "alias", "tag", "tab", "duplicate_key", "merge_key", "yaml", "many_documents"],
    ] {
        assert!(files_with(class) >= 2, "{class:?} in {} files", files_with(class));
    }
    let five = |found: &[Diagnostic]| {
        let codes: BTreeSet<_> = found.iter().map(|diagnostic| diagnostic.code.as_str()).collect();
        found.len() == 5 && codes.len() >= 4
    };
    assert!(broken.iter().filter(|(_, _, found)| five(found)).count() >= 3);
}
