//! Documents that want to cost more than they may: each is refused, with room to spare in memory. How long each took is printed, as
//! users see it by `cargo test --release -p redress-domain --test hostile -- --nocapture`; a time decides nothing here.

#![expect(unsafe_code, reason = "an allocator that counts is the only way to see what a check takes")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use redress_domain::workflow::diagnostic::render;
use redress_domain::workflow::load::load;
use redress_domain::workflow::yaml::SOURCE_BYTES_MAX;

/// What a refused document may take beside its own text.
const PEAK_BYTES_MAX: usize = 16 << 20;

/// The system's allocator, and how much of it is in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged; the counters are not part of what it gives.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = IN_USE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promise about the layout is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the block came from `alloc` above, that is from the system, with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const HEAD: &str = "format: 1\nworkflow: w\ntriggers: [{ case_opened: { type: return } }]\n";

/// As much of a piece as a document may have, after a beginning.
fn filled(begin: &str, piece: impl Fn(usize) -> String) -> String {
    let mut text = begin.to_owned();
    for place in 0.. {
        let more = piece(place);
        if text.len() + more.len() > SOURCE_BYTES_MAX {
            break;
        }
        text += &more;
    }
    text
}

fn documents() -> Vec<(&'static str, String)> {
    [as_yaml(), as_workflows()].concat()
}

/// What is refused before anybody asks what it means.
fn as_yaml() -> Vec<(&'static str, String)> {
    let laughs = (1..10).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, n| {
        let before = n - 1;
        text + &format!("a{n}: &a{n} [{}]\n", format!("*a{before}, ").repeat(9))
    });
    vec![
        ("a billion laughs", laughs),
        ("a scalar of 64 MiB", format!("{HEAD}title: {}\n", "x".repeat(64 << 20))),
        ("a scalar of all that is allowed", filled(&format!("{HEAD}title: "), |_| "x".repeat(100))),
        ("lists in lists", filled("a: ", |_| "[".to_owned())),
        ("lists in lists, closed", format!("a: {}{}", "[".repeat(120_000), "]".repeat(120_000))),
        ("maps in maps", filled("", |_| "{a: ".to_owned())),
        ("blocks in blocks", filled("", |_| "- ".to_owned())),
        ("keys that are maps", filled("", |_| "? ".to_owned())),
        ("values without end", filled("a: [", |_| "1,".to_owned())),
        ("anchors", filled("", |n| format!("k{n}: &a{n} 1\n"))),
        ("tags", filled("", |n| format!("k{n}: !!t{n} 1\n"))),
        ("a tag after the other", filled("a: ", |_| "!!x ".to_owned())),
        ("tabs", filled("a:\n", |_| "\tb\n".to_owned())),
        ("a quote that is not closed", filled("a: \"", |_| "\\u00e4".to_owned())),
        ("folds", filled("a: >\n", |_| "  x\n\n".to_owned())),
        ("comments", filled("", |_| "#\n".to_owned())),
        ("letters of four bytes", filled(&format!("{HEAD}title: "), |_| "\u{1f600}".to_owned())),
    ]
}

/// What is refused for what it says.
fn as_workflows() -> Vec<(&'static str, String)> {
    let long = "k".repeat(100_000);
    let steps = format!("{HEAD}steps:\n");
    vec![
        ("unknown fields", filled(HEAD, |n| format!("f{n}: 1\n"))),
        ("one field again and again", filled(HEAD, |_| "title: x\n".to_owned())),
        ("merge keys", filled(HEAD, |_| "<<: 1\n".to_owned())),
        (
            "a long name over many",
            filled(&format!("{HEAD}events: {{ {long}: {{ "), |n| format!("f{n}: text, ")) + "} }\n",
        ),
        ("a long name over many steps", filled(&format!("{HEAD}{long}:\n"), |n| format!("  - {{ id: s{n} }}\n"))),
        ("many events", filled(&format!("{HEAD}events:\n"), |n| format!("  e{n}: {{ x: text }}\n"))),
        (
            "many variables",
            filled(&format!("{HEAD}vars:\n"), |n| format!("  v{n}: {{ type: number, default: {n} }}\n")),
        ),
        ("many steps", filled(&steps, |n| format!("  - {{ id: s{n}, wait: {{ for: 1d }} }}\n"))),
        (
            "steps that lead nowhere",
            filled(&steps, |n| format!("  - {{ id: s{n}, wait: {{ for: 1d }}, then: t{n} }}\n")),
        ),
        ("steps of one name", filled(&steps, |_| "  - { id: s, wait: { for: 1d } }\n".to_owned())),
        ("steps of no kind", filled(&steps, |n| format!("  - {{ id: s{n} }}\n"))),
        (
            "arms",
            filled(&format!("{steps}  - id: a\n    decide:\n"), |n| {
                format!("      - {{ when: case.x{n} > 1, then: b }}\n")
            }),
        ),
        ("assignments", filled(&format!("{steps}  - id: a\n    set:\n"), |n| format!("      v{n}: =case.x{n}\n"))),
        ("a text of expressions", filled(&format!("{HEAD}title: '"), |_| "{{x}}".to_owned()) + "'\n"),
        (
            "a task of expressions",
            filled(&format!("{steps}  - id: a\n    review: {{ queue: q, title: '"), |_| "{{x}}".to_owned()) + "' }\n",
        ),
        (
            "a long expression",
            filled(&format!("{steps}  - {{ id: a, when: '"), |_| "(1+".to_owned()) + "', wait: { for: 1d } }\n",
        ),
        (
            "an expression of parentheses",
            format!("{steps}  - {{ id: a, when: '{}', wait: {{ for: 1d }} }}\n", "(".repeat(2_000)),
        ),
        (
            "a cell of the rest",
            filled(
                &format!("{steps}  - id: a\n    table:\n      hit: first\n      inputs: [case.channel]\n      rows:\n"),
                |n| format!("        - ['\"w{n}\"', {{ v: {n} }}]\n"),
            ),
        ),
    ]
}

/// One test for all: another one at the same time would be counted too.
#[test]
fn a_hostile_document_is_refused_within_its_room() {
    let environment = common::environment();
    for (name, source) in documents() {
        let before = IN_USE.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        let began = Instant::now();
        let found = load(&source, &environment).err();
        let took = began.elapsed();
        let peak = PEAK.load(Ordering::Relaxed) - before;
        println!("{name}: {} bytes, {} ms, {} KiB", source.len(), took.as_millis(), peak >> 10);
        let found = found.unwrap_or_else(|| panic!("{name} was not refused"));
        assert!(!found.is_empty() && found.len() <= 100, "{name}: {}", found.len());
        assert!(peak <= PEAK_BYTES_MAX, "{name} took {peak} bytes");
        let told: usize =
            found.iter().map(|one| one.message.len() + one.path.len() + one.help.as_ref().map_or(0, String::len)).sum();
        assert!(told <= 1 << 20, "{name} is told in {told} bytes");
        // What is said of it must not cost more than finding it.
        PEAK.store(IN_USE.load(Ordering::Relaxed), Ordering::Relaxed);
        let before = IN_USE.load(Ordering::Relaxed);
        found.iter().for_each(|one| drop(render("w.yaml", &source, one)));
        assert!(PEAK.load(Ordering::Relaxed) - before <= PEAK_BYTES_MAX, "{name} is told at too great a cost");
    }
}
