//! What plugins do when they are asked.

use redress_sandbox::Hook;
use redress_sandbox::contract::{Attribute, LineVerdict, Major, Money, Quote, Reason, Remedy, StepAnswer, Value};

use super::question::{allow, gbp, quote, quoted, take, verdict};
use super::{CallKind, answered, call};
use crate::guests::{Guest, counting, deny_all, integer_step, quoting, taking};

/// Every kind, each under its own name.
#[must_use]
pub fn calls() -> Vec<CallKind> {
    let all = [
        work(),
        memory(),
        logs(),
        addresses(),
        sizes(),
        traps(),
        interface(),
        verdicts(),
        quotes(),
        provided(),
        harmless(),
    ];
    all.into_iter().flatten().collect()
}

/// A decision plugin with this body.
fn doing(body: &str) -> Guest {
    Guest::new(Hook::Eligibility).body(body)
}

fn step(body: &str) -> Guest {
    Guest::new(Hook::Step).body(body)
}

const ENDLESS: &str = "(loop $for_ever (br $for_ever)) unreachable";

/// Without end, or nearly.
fn work() -> Vec<CallKind> {
    let deeper = "(func $deeper (param i32) (result i32)
        (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (local.get 0)))";
    let mutual = "(type $one (func (param i32) (result i32))) (table $t 2 funcref) (elem (i32.const 0) func $even $odd)
        (func $even (param i32) (result i32)
          (i32.add (local.get 0) (call_indirect (type $one) (i32.add (local.get 0) (i32.const 1)) (i32.const 1))))
        (func $odd (param i32) (result i32)
          (i32.sub (local.get 0) (call_indirect (type $one) (i32.add (local.get 0) (i32.const 1)) (i32.const 0))))";
    let mut nested = ENDLESS.to_owned();
    for _ in 0..200 {
        nested = format!("(block (loop {nested}))");
    }
    vec![
        call("a loop without end", "plugin_out_of_fuel", doing(ENDLESS)),
        call("a loop without end inside of 200 others", "plugin_out_of_fuel", doing(&format!("{nested} unreachable"))),
        call("a loop without end in an interpreter", "plugin_out_of_fuel", doing(ENDLESS).interpreter()),
        call(
            "a loop without end while starting",
            "plugin_out_of_fuel",
            doing("(i32.const 0)").fields(&format!("(func $begin {ENDLESS}) (start $begin)")),
        ),
        call(
            "a loop without end for one question of many",
            "plugin_out_of_fuel",
            // Only where the seed is that of the question.
            step(&format!("(if (i64.eq (local.get 5) (i64.const 7)) (then {ENDLESS})) unreachable")),
        ),
        call(
            "a loop that measures time by its own count",
            "plugin_out_of_fuel",
            doing(
                "(local $n i64) (loop $tick (local.set $n (i64.add (local.get $n) (i64.const 1)))
               (drop (i32.load8_u (i32.wrap_i64 (i64.and (local.get $n) (i64.const 0xffff))))) (br $tick)) unreachable",
            ),
        ),
        call(
            "dear divisions without end",
            "plugin_out_of_fuel",
            doing(
                "(local $n i64) (local.set $n (i64.const -1)) (loop $on (local.set $n (i64.or (i64.const 1)
               (i64.rem_u (i64.const -7) (local.get $n)))) (br $on)) unreachable",
            ),
        ),
        call(
            "recursion without end",
            "plugin_stack_overflow",
            doing("(call $deeper (local.get $request))").fields(deeper),
        ),
        call(
            "recursion without end through a table",
            "plugin_stack_overflow",
            doing("(call $even (local.get $request))").fields(mutual),
        ),
        call(
            "recursion without end while starting",
            "plugin_stack_overflow",
            doing("(i32.const 0)")
                .fields(deeper)
                .fields("(func $begin (drop (call $deeper (i32.const 0)))) (start $begin)"),
        ),
    ]
}

/// More memory and tables than there are.
fn memory() -> Vec<CallKind> {
    let grow = |pages: u32| step(&format!("(drop (memory.grow (i32.const {pages}))) unreachable"));
    let table = |elements: u32| {
        step(&format!("(drop (table.grow $t (ref.null func) (i32.const {elements}))) unreachable"))
            .fields("(table $t 1 funcref)")
    };
    let bulk = |instruction: &str| step(&format!("(loop $more {instruction} (br $more)) unreachable"));
    vec![
        call("memory one page above the limit", "plugin_memory_limit", grow(217)),
        call("memory of 4 GiB at once", "plugin_memory_limit", grow(65_495)),
        call("memory page by page without end", "plugin_memory_limit", bulk("(drop (memory.grow (i32.const 1)))")),
        call(
            "memory page by page in an interpreter",
            "plugin_memory_limit",
            bulk("(drop (memory.grow (i32.const 1)))").interpreter(),
        ),
        call(
            "memory page by page while starting",
            "plugin_memory_limit",
            step("unreachable")
                .fields("(func $begin (loop $more (drop (memory.grow (i32.const 1))) (br $more))) (start $begin)"),
        ),
        call("a table one element above the limit", "plugin_table_limit", table(20_000)),
        call("a table of two thousand million elements", "plugin_out_of_fuel", table(1 << 31)),
        call(
            "memory filled without end",
            "plugin_out_of_fuel",
            bulk("(memory.fill (i32.const 0) (i32.const 1) (i32.const 2000000))"),
        ),
        call(
            "memory copied without end",
            "plugin_out_of_fuel",
            bulk("(memory.copy (i32.const 0) (i32.const 1) (i32.const 2000000))"),
        ),
        call(
            "a table filled without end",
            "plugin_out_of_fuel",
            bulk("(table.fill $t (i32.const 0) (ref.null func) (i32.const 9000))").fields("(table $t 9000 funcref)"),
        ),
        call(
            "a table copied without end",
            "plugin_out_of_fuel",
            bulk("(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 8000))").fields("(table $t 9000 funcref)"),
        ),
    ]
}

/// Too much said, and said wrongly.
fn logs() -> Vec<CallKind> {
    let log = |level: i32, at: i64, length: i64| {
        format!("(call $log (i32.const {level}) (i32.const {at}) (i32.const {length}))")
    };
    let once = |line: String| doing(&format!("{line} unreachable"));
    let flood = |line: String| doing(&format!("(loop $more {line} (br $more)) unreachable"));
    vec![
        call("a flood of log lines of 100 KB", "plugin_out_of_fuel", flood(log(1, 5_000, 100_000))),
        call("a flood of empty log lines", "plugin_out_of_fuel", flood(log(1, 0, 0))),
        // What it imports is there once it has started.
        call(
            "a log line while starting",
            "plugin_trap",
            doing("(i32.const 0)").fields(&format!("(func $begin {}) (start $begin)", log(1, 5_000, 100))),
        ),
        call("a log line outside memory", "plugin_abi", once(log(1, 0xffff_0000, 16))),
        call("a log line of 4 GiB", "plugin_abi", once(log(1, 16, 0xffff_ffff))),
        call(
            "a log line that is not text",
            "plugin_abi",
            once(log(1, 5_000, 3)).fields(r#"(data (i32.const 5000) "\ff\fe\fd")"#),
        ),
        call("a log line of a level that there is not", "plugin_abi", once(log(9, 5_000, 3))),
        call("a log line of 2 MB", "plugin_log_too_large", once(log(1, 0, 2_000_000))),
    ]
}

/// The verdict's address with one list of so many lines at that place, written at 8192.
fn lines_at(address: u32, length: u32) -> Guest {
    doing(&format!(
        "(i32.store (i32.const 8196) (i32.const {address})) (i32.store (i32.const 8200) (i32.const {length})) (i32.const 8192)"
    ))
}

/// Answers that lie elsewhere.
fn addresses() -> Vec<CallKind> {
    let remedy = "(i32.store (i32.const 8196) (i32.const 9000)) (i32.store (i32.const 8200) (i32.const 1))
        (i32.store8 (i32.const 9004) (i32.const 200)) (i32.const 8192)";
    // `err(bad-input(text))`
    let text = "(i32.store8 (i32.const 8192) (i32.const 1)) (i32.store8 (i32.const 8196) (i32.const 1))
        (i32.store (i32.const 8200) (i32.const 5000)) (i32.store (i32.const 8204) (i32.const 2)) (i32.const 8192)";
    vec![
        call("an answer outside memory", "plugin_abi", doing("(i32.const 0x7fff0000)")),
        call("an answer at a negative address", "plugin_abi", doing("(i32.const -4)")),
        call("an answer between two words", "plugin_abi", doing("(i32.const 8193)")),
        call("a list outside memory", "plugin_abi", lines_at(0x7fff_0000, 1)),
        call("a list between two words", "plugin_abi", lines_at(8_193, 1)),
        call("a list of four thousand million entries", "plugin_abi", lines_at(16, u32::MAX)),
        call("a list longer than memory", "plugin_abi", lines_at(16, 90_000)),
        call(
            "an answer that is neither one nor a failure",
            "plugin_abi",
            doing("(i32.store8 (i32.const 8192) (i32.const 7)) (i32.const 8192)"),
        ),
        call("a remedy that there is not", "plugin_abi", doing(remedy)),
        call("an answer that is not text", "plugin_abi", step(text).fields(r#"(data (i32.const 5000) "\c3\28")"#)),
    ]
}

/// Answers that are too large.
fn sizes() -> Vec<CallKind> {
    let reasons = |count: usize, letters: usize| {
        let reason = Reason { code: "x".repeat(letters), cites: None, used: Vec::new(), params: Vec::new() };
        Guest::new(Hook::Step).step(&StepAnswer { provides: Vec::new(), reasons: vec![reason; count] })
    };
    let bag = (0..65).map(|n| Attribute { key: format!("k{n}"), value: Value::Integer(n) }).collect();
    let bag = StepAnswer { provides: bag, reasons: Vec::new() };
    let ten_mebibytes = step(
        "(i32.store (i32.const 8204) (i32.const 9000)) (i32.store (i32.const 8208) (i32.const 1))
         (i32.store (i32.const 9000) (i32.const 65536)) (i32.store (i32.const 9004) (i32.const 10485760))
         (i32.const 8192)",
    );
    // 2,000 lines, each with the same 2,000 takes: 4 million records out of 96 KiB.
    let multiplied = lines_at(65_536, 2_000).fields(
        "(func $begin (local $i i32)
           (loop $next
             (i32.store (i32.add (i32.const 65548) (i32.mul (local.get $i) (i32.const 32))) (i32.const 1000000))
             (i32.store (i32.add (i32.const 65552) (i32.mul (local.get $i) (i32.const 32))) (i32.const 2000))
             (local.set $i (i32.add (local.get $i) (i32.const 1)))
             (br_if $next (i32.lt_u (local.get $i) (i32.const 2000)))))
         (start $begin)",
    );
    vec![
        call(
            "an answer of 10 MiB",
            "plugin_answer_too_large",
            ten_mebibytes.memory("(memory (export \"memory\") 200)"),
        ),
        call("lists in lists over the same memory", "plugin_answer_too_large", multiplied),
        call("more reasons than a person reads", "plugin_answer_too_large", reasons(51, 1)),
        call("a reason that is a novel", "plugin_answer_too_large", reasons(1, 1_001)),
        call("a bag of 65 entries", "plugin_answer_too_large", Guest::new(Hook::Step).step(&bag)),
        call(
            "more lines than were asked about",
            "plugin_answer_too_large",
            Guest::new(Hook::Eligibility).verdict(&verdict(vec![allow(0, 1, Vec::new()); 3])),
        ),
        call(
            "1,025 takes of one line",
            "plugin_answer_too_large",
            Guest::new(Hook::Eligibility).verdict(&verdict(vec![allow(0, 3, vec![take("536378", 0); 1_025])])),
        ),
    ]
}

fn traps() -> Vec<CallKind> {
    let table = "(type $none (func)) (table $t 2 funcref) (elem (i32.const 1) func $alloc)";
    let trap = |name, body: &str| call(name, "plugin_trap", doing(body).fields(table));
    vec![
        trap("a panic", "unreachable"),
        trap("a division by zero", "(i32.div_u (i32.const 1) (i32.const 0))"),
        trap("a division that overflows", "(i32.div_s (i32.const 0x80000000) (i32.const -1))"),
        trap("a read outside memory", "(i32.load (i32.const 0x7ffffff0))"),
        trap("a write beyond 4 GiB", "(i64.store offset=4294967288 (i32.const -1) (i64.const 1)) (i32.const 0)"),
        trap("a call with another signature", "(call_indirect (type $none) (i32.const 1)) unreachable"),
        trap("a call of nothing", "(call_indirect (type $none) (i32.const 0)) unreachable"),
        trap("a call outside of its table", "(call_indirect (type $none) (i32.const 9)) unreachable"),
        trap("a float that is no whole number", "(i32.trunc_f32_s (f32.const nan))"),
        call(
            "a panic while starting",
            "plugin_trap",
            doing("(i32.const 0)").fields("(func $begin unreachable) (start $begin)"),
        ),
    ]
}

/// The functions that the host calls beside the hook.
fn interface() -> Vec<CallKind> {
    let allocating = |name, ends, body: &str| call(name, ends, deny_all().allocator(body));
    let run = format!("{}#run", Major::Zero.interface(Hook::Step));
    let after = |name, ends, body: &str| {
        let post = format!(r#"(func (export "cabi_post_{run}") (param i32) {body})"#);
        call(name, ends, integer_step("n", "(i64.const 1)").fields(&post))
    };
    let log = "(call $log (i32.const 1) (i32.const 0) (i32.const 0))";
    vec![
        allocating("an allocator that gives what there is not", "plugin_abi", "(i32.const 0x7fffff00)"),
        allocating("an allocator that gives half a word", "plugin_abi", "(i32.const 3)"),
        allocating("an allocator that panics", "plugin_trap", "unreachable"),
        allocating("an allocator without end", "plugin_out_of_fuel", ENDLESS),
        allocating(
            "an allocator that calls back",
            "plugin_abi",
            &format!("{log} (call $alloc (local.get 2) (local.get 3))"),
        ),
        allocating(
            "an allocator that takes all memory",
            "plugin_memory_limit",
            "(drop (memory.grow (i32.const 100))) (call $alloc (local.get 2) (local.get 3))",
        ),
        after("tidying up that panics", "plugin_trap", "unreachable"),
        after("tidying up without end", "plugin_out_of_fuel", "(loop $for_ever (br $for_ever))"),
        after("tidying up that calls back", "plugin_abi", log),
    ]
}

fn broken_by(name: &'static str, lines: Vec<LineVerdict>) -> CallKind {
    call(name, "plugin_answer_invalid", Guest::new(Hook::Eligibility).verdict(&verdict(lines)))
}

fn verdicts() -> Vec<CallKind> {
    let review = LineVerdict { remedy: Remedy::Review, ..allow(1, 0, vec![take("536378", 3)]) };
    let both = vec![allow(0, 2, vec![take("536378", 2)]), allow(1, 2, vec![take("536378", 2)])];
    vec![
        broken_by("a verdict on a line that there is not", vec![allow(2, 1, Vec::new())]),
        broken_by("two verdicts on one line", vec![allow(0, 1, Vec::new()), allow(0, 1, Vec::new())]),
        broken_by("more units than were asked for", vec![allow(0, 4, Vec::new())]),
        broken_by("more units than four thousand million", vec![allow(0, u32::MAX, vec![take("536378", u32::MAX)])]),
        broken_by("more taken than allowed", vec![allow(0, 1, vec![take("536378", 2)])]),
        broken_by("more proposed than asked for", vec![review]),
        broken_by("more taken than is left", vec![allow(0, 2, vec![take("536400", 2)])]),
        broken_by("more taken than is left over two lines", both),
        broken_by("taken from a purchase that there is not", vec![allow(0, 1, vec![take("999999", 1)])]),
        call("more taken than the request says by a plugin that reads it", "plugin_answer_invalid", taking(4)),
    ]
}

fn quotes() -> Vec<CallKind> {
    let broken = |name, quote: &Quote| call(name, "plugin_answer_invalid", Guest::new(Hook::Refund).quote(quote));
    let one = |line, from: &str, quantity| quote(vec![quoted(line, take(from, quantity), gbp(1))]);
    let twice = quote(vec![quoted(0, take("536378", 1), gbp(400)), quoted(1, take("536378", 1), gbp(351))]);
    let parts = quote(vec![quoted(0, take("536378", 1), gbp(1)), quoted(0, take("536378", 1), gbp(1))]);
    vec![
        call("one penny more than was paid", "plugin_answer_invalid", quoting(751, "GBP")),
        call("more money than there is", "plugin_answer_invalid", quoting(i64::MAX, "GBP")),
        call("money of another country", "plugin_answer_invalid", quoting(1, "EUR")),
        call("money of no country", "plugin_answer_invalid", quoting(1, "gbp")),
        call("money from the customer", "plugin_answer_invalid", quoting(-1, "GBP")),
        broken("more than was paid over two lines", &twice),
        broken("one take quoted twice", &parts),
        broken("a quote for a line that there is not", &one(5, "536378", 1)),
        broken("a quote for a purchase that there is not", &one(0, "999999", 1)),
        broken("a quote for more than was asked for", &one(1, "536378", 3)),
    ]
}

fn provided() -> Vec<CallKind> {
    let provides = |name, provides: Vec<(&str, Value)>| {
        let provides = provides.into_iter().map(|(key, value)| Attribute { key: key.to_owned(), value }).collect();
        let guest = Guest::new(Hook::Step).provides(r#"{"score":"integer","cap":"money?"}"#);
        call(name, "plugin_answer_invalid", guest.step(&StepAnswer { provides, reasons: Vec::new() }))
    };
    let score = || ("score", Value::Integer(1));
    let dollars = Money { minor: 1, currency: "dollars".to_owned() };
    let cannot = "(i32.store8 (i32.const 8192) (i32.const 1)) (i32.const 8192)";
    let long = "(memory.fill (i32.const 10000) (i32.const 120) (i32.const 5000))
        (i32.store8 (i32.const 8192) (i32.const 1)) (i32.store8 (i32.const 8196) (i32.const 1))
        (i32.store (i32.const 8200) (i32.const 10000)) (i32.store (i32.const 8204) (i32.const 1001)) (i32.const 8192)";
    vec![
        provides("nothing of what was promised", Vec::new()),
        provides("text where a number was promised", vec![("score", Value::Text("1".to_owned()))]),
        provides("more than was promised", vec![score(), ("more", Value::Boolean(true))]),
        provides("one promise kept twice", vec![score(), score()]),
        provides("money without a currency", vec![score(), ("cap", Value::Money(dollars))]),
        call("a plugin that never decides", "plugin_cannot_decide", step(cannot)),
        call("a complaint that is a novel", "plugin_answer_too_large", step(long)),
    ]
}

/// What looks like harm and comes to nothing.
fn harmless() -> Vec<CallKind> {
    let escapes = r#"(data (i32.const 5000) "\1b[2J\1b]0;root\07\r\nERROR all is lost\e2\80\ae")"#;
    let formula = Reason {
        code: "<img src=x onerror=alert(1)>".to_owned(),
        cites: None,
        used: vec!["=cmd|'/c calc'!A1".to_owned(), "'; DROP TABLE cases; --".to_owned()],
        params: Vec::new(),
    };
    let formula = StepAnswer { provides: Vec::new(), reasons: vec![formula] };
    vec![
        answered("a count that would go on from call to call", counting()),
        answered("a count that would go on in an interpreter's image", counting().interpreter()),
        answered(
            "a memory that would be found again",
            integer_step(
                "n",
                "(i32.store (i32.const 900000) (i32.add (i32.load (i32.const 900000)) (i32.const 1)))
             (i64.load32_u (i32.const 900000))",
            ),
        ),
        answered(
            "the bits of a NaN",
            integer_step(
                "n",
                "(i64.extend_i32_u (i32.reinterpret_f32 (f32.add (f32.reinterpret_i32 (i32.const 0x7fe00001)) (f32.const 1))))",
            ),
        ),
        answered("memory at the limit", integer_step("n", "(drop (memory.grow (i32.const 216))) (i64.const 1)")),
        answered(
            "an allocator that gives one place for everything",
            Guest::new(Hook::Eligibility).verdict(&verdict(Vec::new())).allocator("(i32.const 65536)"),
        ),
        answered(
            "a log that writes over the terminal",
            integer_step("n", "(call $log (i32.const 2) (i32.const 5000) (i32.const 30)) (i64.const 1)")
                .fields(escapes),
        ),
        answered("reasons that are code elsewhere", Guest::new(Hook::Step).step(&formula)),
    ]
}
