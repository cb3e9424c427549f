//! Broken workflow files and exactly what is said about each: `NN-name.yaml` beside `NN-name.txt`, in `tests/golden/workflows` by
//! class of mistake and in `tests/golden/kinds/<kind>` by step kind, there beside files that are good.
//!
//! `REDRESS_BLESS=1 cargo test -p redress-domain --test golden` rewrites the texts; they are read in review like code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use redress_domain::clock::Zone;
use redress_domain::ids::Digest;
use redress_domain::value::Type;
use redress_domain::workflow::definition::{CallInput, Callable, CalledBy, Definition, Hook, Plugin, PluginRef};
use redress_domain::workflow::diagnostic::{Diagnostic, render};
use redress_domain::workflow::load::{Environment, load};
use redress_domain::workflow::problems::Problems;
use redress_domain::workflow::schema::{self, STEP_KINDS, Shape};
use redress_domain::workflow::yaml::{self, Node};

fn environment() -> Environment {
    let plugin = |name: &str, major, hook, params: &[(&str, Type)], provides: &[(&str, Type)]| {
        let types = |list: &[(&str, Type)]| list.iter().map(|(n, kind)| ((*n).to_owned(), kind.clone())).collect();
        let name = PluginRef { name: name.to_owned(), major };
        let digest = Digest::of(name.to_string().as_bytes());
        (
            name,
            Plugin {
                digest,
                hook,
                params: types(params),
                whole: Default::default(),
                provides: types(provides),
                facts: Vec::new(),
                attributes: Default::default(),
            },
        )
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
        bases: [(
            "std/small-return@1".to_owned(),
            include_str!("../../../tests/golden/bases/small-return.yaml").to_owned(),
        )]
        .into(),
        workflows: Some(workflows()),
        ..Environment::default()
    }
}

/// What is active beside the file, and one revision that is pinned.
fn workflows() -> BTreeMap<String, Callable> {
    let input = |name: &str, kind: Type, required| (name.to_owned(), CallInput { kind, required });
    let called = |inputs: Vec<(String, CallInput)>, runs: &[&str]| Callable {
        called: Some(CalledBy { inputs: inputs.into_iter().collect(), requires: BTreeSet::new() }),
        runs: runs.iter().map(|name| (*name).to_owned()).collect(),
    };
    let report = called(
        vec![
            input("device", Type::Text, true),
            input("level", Type::words(["low", "high"]), false),
            input("days", Type::Number.optional(), false),
            input("cost", Type::Money.optional(), false),
        ],
        &[],
    );
    [
        ("report@active", report.clone()),
        ("report@3", report),
        ("plain@active", Callable::default()),
        ("there@active", called(Vec::new(), &["back@active"])),
        ("back@active", called(Vec::new(), &["broken@active"])),
    ]
    .map(|(name, callable)| (name.to_owned(), callable))
    .into()
}

fn folder(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(of)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the golden files are in the repository");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    paths.sort();
    paths
}

/// A workflow file and what is wrong with it.
struct Golden {
    path: PathBuf,
    name: String,
    source: String,
    found: Vec<Diagnostic>,
}

fn files(folder: &Path) -> Vec<Golden> {
    let read = |path: PathBuf| {
        let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        let source = fs::read_to_string(&path).expect("a golden file is text");
        let found = load(&source, &environment()).err().unwrap_or_default();
        Golden { path, name, source, found }
    };
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml");
    entries(folder).into_iter().filter(is_yaml).map(read).collect()
}

/// The broken files of each class of mistake.
fn broken() -> Vec<Golden> {
    files(&folder("workflows"))
}

/// The files of each step kind that has a folder.
fn kinds() -> Vec<(String, Vec<Golden>)> {
    let name = |path: &Path| path.file_name().expect("a folder has a name").to_string_lossy().into_owned();
    entries(&folder("kinds")).iter().map(|path| (name(path), files(path))).collect()
}

/// What is said of a file, as it stands beside it.
fn told(file: &Golden) -> String {
    let texts: Vec<_> = file.found.iter().map(|found| render(&file.name, &file.source, found)).collect();
    texts.join("\n")
}

#[test]
fn each_broken_file_is_told_exactly_what_is_wrong_with_it() {
    let mut wrong = String::new();
    let of_kinds = kinds().into_iter().flat_map(|(_, files)| files).filter(|file| !file.name.starts_with("good"));
    for file in broken().into_iter().chain(of_kinds) {
        let (text, path) = (told(&file), file.path.with_extension("txt"));
        if std::env::var_os("REDRESS_BLESS").is_some() {
            fs::write(&path, &text).expect("the golden text can be written");
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if text != expected || file.found.is_empty() {
            wrong += &format!("---- {}\nexpected:\n{expected}\nfound:\n{text}\n", file.path.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn each_step_kind_has_a_good_file_that_uses_it_and_ten_broken_ones() {
    let kinds = kinds();
    for (kind, files) in &kinds {
        let (good, broken): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.name.starts_with("good"));
        let mut uses_it = false;
        for file in &good {
            let definition = load(&file.source, &environment()).unwrap_or_else(|_| panic!("{}", told(file)));
            uses_it |= uses(kind, file, &definition);
        }
        assert!(uses_it, "no good file in tests/golden/kinds/{kind} uses it");
        assert!(!good.is_empty() && broken.len() >= 10, "{kind}: {} good, {} broken", good.len(), broken.len());
    }
    let folders: BTreeSet<&str> = kinds.iter().map(|(kind, _)| kind.as_str()).collect();
    let without: Vec<_> = STEP_KINDS.iter().map(|kind| kind.name).filter(|kind| !folders.contains(kind)).collect();
    assert!(without.is_empty(), "no folder in tests/golden/kinds for the step kinds {without:?}");
}

/// Whether a good file has what its folder is named for: a step of the kind, or the word where it names no step kind.
fn uses(of: &str, file: &Golden, definition: &Definition) -> bool {
    match schema::step_kind(of) {
        Some(kind) => definition.steps.iter().any(|step| step.kind.name() == kind.name),
        None => [": ", ":\n"].iter().any(|end| file.source.contains(&format!("{of}{end}"))),
    }
}

#[test]
fn the_good_files_of_a_step_kind_use_every_field_of_it() {
    let mut all_unused = Vec::new();
    for (kind, files) in kinds() {
        let Some(Shape::Map(table)) = schema::step_kind(&kind).map(|kind| kind.shape) else { continue };
        let mut used = BTreeSet::new();
        for file in files.iter().filter(|file| file.name.starts_with("good")) {
            let tree = yaml::parse(&file.source, &Problems::new()).expect("a good file is a tree");
            fields_of(&kind, &tree, &mut used);
        }
        let unused = table.fields.iter().filter(|field| !used.contains(field.name));
        all_unused.extend(unused.map(|field| format!("{kind}.{}", field.name)));
    }
    assert!(all_unused.is_empty(), "no good file in tests/golden/kinds uses {all_unused:?}");
}

/// The fields of every step of a kind, wherever it stands.
fn fields_of(kind: &str, tree: &Node, used: &mut BTreeSet<String>) {
    match &tree.kind {
        yaml::Kind::Map(entries) => {
            for entry in entries {
                if entry.key.text == kind
                    && let yaml::Kind::Map(fields) = &entry.value.kind
                {
                    used.extend(fields.iter().map(|field| field.key.text.clone()));
                }
                fields_of(kind, &entry.value, used);
            }
        }
        yaml::Kind::List(items) => items.iter().for_each(|item| fields_of(kind, item, used)),
        yaml::Kind::Scalar(_) | yaml::Kind::Broken => {}
    }
}

#[test]
fn every_text_belongs_to_a_file() {
    let folders = entries(&folder("kinds")).into_iter().chain([folder("workflows")]);
    for path in folders.flat_map(|folder| entries(&folder)) {
        assert!(path.with_extension("yaml").exists(), "{} has no workflow", path.display());
    }
}

#[test]
fn each_class_of_mistake_is_there_twice_and_three_files_have_five() {
    let broken = broken();
    assert!(broken.len() >= 30, "{} files", broken.len());
    let files_with = |codes: &[&str]| {
        broken.iter().filter(|file| file.found.iter().any(|d| codes.contains(&d.code.as_str()))).count()
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
        &["anchor", "alias", "tag", "tab", "duplicate_key", "merge_key", "yaml", "many_documents"],
    ] {
        assert!(files_with(class) >= 2, "{class:?} in {} files", files_with(class));
    }
    let five = |found: &[Diagnostic]| {
        let codes: BTreeSet<_> = found.iter().map(|diagnostic| diagnostic.code.as_str()).collect();
        found.len() == 5 && codes.len() >= 4
    };
    assert!(broken.iter().filter(|file| five(&file.found)).count() >= 3);
}
