//! Codes: each that can reach a client is in the one table, and has a page.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use redress::http::codes::{ALL, named};
use redress::http::pages;
use redress_tests::web::Web;
use redress_tests::world::World;

/// Where refusals are made: of commands, of what is published, put, made and set.
const REFUSING: [&str; 4] = [
    "host/domain/src/workflow/run",
    "host/domain/src/workflow/run.rs",
    "host/server/src/engine",
    "host/server/src/http",
];
/// Errors whose codes reach clients.
const CODED: [&str; 4] = [
    "host/server/src/engine/error.rs",
    "host/server/src/publish.rs",
    "host/server/src/outbox/connectors.rs",
    "host/sandbox/src/inspect.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_code_has_a_page_that_begins_with_its_name_status_and_title() {
    for code in ALL {
        let page = pages::find(code.name).unwrap_or_else(|| panic!("docs/errors/{}.md is missing", code.name));
        let head = format!("# {}\n\n**{} {}.**\n\n", code.name, code.status, code.title);
        assert!(page.starts_with(&head), "docs/errors/{}.md begins with\n{head}", code.name);
        assert!(page.contains("\nWhat to do: "), "docs/errors/{}.md says what to do", code.name);
        let lines = page.lines().count();
        assert!((5..=14).contains(&lines), "docs/errors/{}.md has {lines} lines", code.name);
    }
}

#[test]
fn every_page_is_about_a_code() {
    let pages = fs::read_dir(root().join("docs/errors")).unwrap();
    for page in pages.map(|page| page.unwrap().path()) {
        let name = page.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(named(&name).is_some(), "no code is named {name:?}");
    }
}

#[test]
fn every_code_has_a_name_and_a_status_of_its_own_kind() {
    let names: BTreeSet<_> = ALL.iter().map(|code| code.name).collect();
    assert_eq!(names.len(), ALL.len(), "a name is there twice");
    for code in ALL {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        assert!(code.name.chars().all(plain), "{}", code.name);
        assert!((400..600).contains(&code.status), "{} has status {}", code.name, code.status);
    }
}

#[test]
fn what_the_code_refuses_with_is_in_the_table() {
    let mut found = BTreeSet::new();
    for folder in REFUSING {
        for text in sources(&root().join(folder)) {
            found.extend(behind(&text, "Rejection::new(\""));
            // In the middle of a value, and of no other that has a code: a failure of a step names none to clients.
            found.extend(text.match_indices("Rejection {").flat_map(|(at, _)| {
                let rest = &text[at..];
                behind(&rest[..rest.find('}').unwrap_or(rest.len())], "code: \"")
            }));
        }
    }
    assert!(found.len() > 15, "the search finds too little: {found:?}");
    let mut codes = BTreeSet::new();
    for file in CODED {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let body = text.split("fn code(&self) -> &'static str {").nth(1).unwrap_or_else(|| panic!("{file} has codes"));
        codes.extend(behind(body.split("\n    }\n").next().unwrap(), "=> \""));
    }
    assert!(codes.len() > 30, "the search finds too little: {codes:?}");
    let unknown: Vec<_> = found.union(&codes).filter(|code| named(code).is_none()).collect();
    assert!(unknown.is_empty(), "{unknown:?} are not in http/codes.rs");
}

/// The quoted words behind a mark.
fn behind(text: &str, mark: &str) -> Vec<String> {
    let words = text.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
    words.map(str::to_owned).collect()
}

/// The sources of a file or a folder, tests left out.
fn sources(path: &Path) -> Vec<String> {
    if path.is_file() {
        return vec![fs::read_to_string(path).unwrap()];
    }
    let files = fs::read_dir(path).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|file| !file.ends_with("tests") && !file.ends_with("tests.rs"))
        .flat_map(|file| sources(&file))
        .collect()
}

#[tokio::test]
async fn a_problem_links_to_a_page_that_the_host_has() {
    let world = World::new().unwrap();
    let web = Web::of(&world).unwrap();
    let refused = web.ask("GET", "/v1/cases").header("x-request-id", "mine").send().await;
    let problem = refused.json();
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert_eq!((problem["request_id"].as_str(), problem["status"].as_u64()), (Some("mine"), Some(401)));
    let page = web.ask("GET", problem["type"].as_str().unwrap()).send().await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("text/markdown; charset=utf-8")));
    assert!(String::from_utf8(page.bytes).unwrap().starts_with("# key_required"));
}
