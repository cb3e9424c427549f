//! Plugins that mean harm while they run: each ends as its own failure, and quickly.

use redress_sandbox::contract::{Major, Reason, StepAnswer};
use redress_sandbox::{CallError, Hook, Limits, TrapKind};

use crate::guests::{Guest, deny_all, integer_step};
use crate::{ask, failure, patient, sandbox, with};

/// A decision plugin with this body.
fn doing(body: &str) -> Guest {
    Guest::new(Hook::Eligibility).body(body)
}

/// The verdict's address with one list of so many lines at that place, written at 8192.
fn lines_at(address: u32, length: u32) -> Guest {
    doing(&format!(
        "(i32.store (i32.const 8196) (i32.const {address}))
         (i32.store (i32.const 8200) (i32.const {length}))
         (i32.const 8192)"
    ))
}

fn trap(kind: TrapKind) -> CallError {
    CallError::Trap { kind }
}

#[test]
fn an_endless_loop_ends_by_fuel() {
    // Two lines earn two fiftieths more.
    let expected = CallError::OutOfFuel { fuel: 10_400_000 };
    assert_eq!(failure(&doing("(loop $for_ever (br $for_ever)) unreachable")), expected);
}

#[test]
fn a_loop_while_starting_ends_by_fuel() {
    let guest = doing("(i32.const 0)").fields("(func $begin (loop $for_ever (br $for_ever))) (start $begin)");
    assert_eq!(failure(&guest).code(), "plugin_out_of_fuel");
}

#[test]
fn a_trap_while_starting_is_the_plugins() {
    let guest = doing("(i32.const 0)").fields("(func $begin unreachable) (start $begin)");
    assert_eq!(failure(&guest), trap(TrapKind::Unreachable));
}

#[test]
pub(crate) fn what_fuel_does_not_stop_the_clock_stops_at_the_second_try() {
    let sandbox = with(Limits { fuel: u64::MAX, wall_clock_ms: 20, ..Limits::default() });
    let error = ask(&sandbox, &doing("(loop $for_ever (br $for_ever)) unreachable")).result.unwrap_err();
    assert_eq!(error, CallError::Interrupted { wall_clock_ms: 20 });
    assert!(error.is_infrastructure());
    assert_eq!(sandbox.stats().interrupted_once, 1);
}

#[test]
fn deep_recursion_overflows_its_own_stack_only() {
    // Locals that live across the call make the frames large, so that the stack ends before the fuel.
    let guest = doing("(call $deeper (local.get $request))").fields(
        "(func $deeper (param i32) (result i32)
           (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (local.get 0)))",
    );
    assert_eq!(failure(&guest), CallError::StackOverflow);
}

#[test]
fn memory_grows_to_the_limit_and_not_beyond() {
    let grow = |pages: u32| format!("(drop (memory.grow (i32.const {pages}))) (i64.extend_i32_u (memory.size))");
    // 40 pages at the start, 256 are 16 MiB.
    assert_eq!(crate::integer(ask(sandbox(), &integer_step("pages", &grow(216)))), 256);
    let error = failure(&integer_step("pages", &grow(217)));
    assert_eq!(error, CallError::MemoryLimit { asked: 257 << 16, max: 16 << 20 });
    let bomb = doing("(loop $more (drop (memory.grow (i32.const 1))) (br $more)) unreachable");
    assert_eq!(failure(&bomb).code(), "plugin_memory_limit");
}

#[test]
fn a_memory_that_may_not_grow_says_so_to_the_plugin() {
    let bounded = integer_step("grown", "(i64.extend_i32_s (memory.grow (i32.const 1)))")
        .memory("(memory (export \"memory\") 40 40)");
    assert_eq!(crate::integer(ask(sandbox(), &bounded)), -1);
}

#[test]
fn a_table_grows_to_the_limit_and_not_beyond() {
    let grow = |elements: u32| {
        doing(&format!("(drop (table.grow $t (ref.null func) (i32.const {elements}))) unreachable"))
            .fields("(table $t 1 funcref)")
    };
    assert_eq!(failure(&grow(19_999)), trap(TrapKind::Unreachable));
    assert_eq!(failure(&grow(20_000)), CallError::TableLimit { asked: 20_001, max: 20_000 });
    // Growing is charged by the element, so a huge table is not even asked for.
    assert_eq!(failure(&grow(1 << 31)).code(), "plugin_out_of_fuel");
}

#[test]
fn filling_memory_for_ever_ends_by_fuel() {
    let guest =
        doing("(loop $more (memory.fill (i32.const 0) (i32.const 1) (i32.const 2000000)) (br $more)) unreachable");
    assert_eq!(failure(&guest).code(), "plugin_out_of_fuel");
}

#[test]
fn a_flood_of_log_lines_is_cut_and_ends_by_fuel() {
    let line = "(call $log (i32.const 1) (i32.const 5000) (i32.const 100000))";
    let attempt = ask(sandbox(), &doing(&format!("(loop $more {line} (br $more)) unreachable")));
    assert_eq!(attempt.result.unwrap_err().code(), "plugin_out_of_fuel");
    assert!(attempt.log_dropped > 0);
    let bytes: usize = attempt.log.iter().map(|line| line.text.len()).sum();
    assert!(attempt.log.len() <= 64 && bytes <= 8 << 10);
}

#[test]
fn a_flood_of_empty_log_lines_ends_by_fuel_too() {
    let line = "(call $log (i32.const 1) (i32.const 0) (i32.const 0))";
    let attempt = ask(sandbox(), &doing(&format!("(loop $more {line} (br $more)) unreachable")));
    assert_eq!(attempt.result.unwrap_err().code(), "plugin_out_of_fuel");
    assert_eq!(attempt.log.len(), 64);
}

#[test]
fn a_log_line_that_is_not_text_breaks_the_interface() {
    let log = |fields: &str, level: i32, at: i64, length: i64| {
        let call = format!("(call $log (i32.const {level}) (i32.const {at}) (i32.const {length})) unreachable");
        failure(&doing(&call).fields(fields)).code()
    };
    assert_eq!(log("", 1, 0xffff_0000, 16), "plugin_abi");
    assert_eq!(log("", 1, 16, 0xffff_ffff), "plugin_abi");
    assert_eq!(log(r#"(data (i32.const 5000) "\ff\fe\fd")"#, 1, 5000, 3), "plugin_abi");
    assert_eq!(log("", 9, 5000, 3), "plugin_abi");
    // Longer than the host reads at all, though it lies in memory.
    assert_eq!(log("", 1, 0, 2_000_000), "plugin_log_too_large");
}

#[test]
fn an_answer_outside_memory_breaks_the_interface() {
    for guest in [
        doing("(i32.const 0x7fff0000)"),
        doing("(i32.const -4)"),
        doing("(i32.const 8193)"),
        lines_at(0x7fff_0000, 1),
        lines_at(8193, 1),
        lines_at(16, u32::MAX),
        lines_at(16, 90_000),
    ] {
        let error = failure(&guest);
        assert_eq!(error.code(), "plugin_abi", "{error}");
    }
}

#[test]
fn an_answer_with_an_unknown_case_breaks_the_interface() {
    let result = doing("(i32.store8 (i32.const 8192) (i32.const 7)) (i32.const 8192)");
    assert_eq!(failure(&result).code(), "plugin_abi");
    // The remedy of the one line.
    let remedy = doing(
        "(i32.store (i32.const 8196) (i32.const 9000)) (i32.store (i32.const 8200) (i32.const 1))
         (i32.store8 (i32.const 9004) (i32.const 200)) (i32.const 8192)",
    );
    assert_eq!(failure(&remedy).code(), "plugin_abi");
}

#[test]
fn text_that_is_not_utf8_breaks_the_interface() {
    let guest = Guest::new(Hook::Step)
        .fields(r#"(data (i32.const 5000) "\c3\28")"#)
        // `err(bad-input(text))`
        .body(
            "(i32.store8 (i32.const 8192) (i32.const 1)) (i32.store8 (i32.const 8196) (i32.const 1))
             (i32.store (i32.const 8200) (i32.const 5000)) (i32.store (i32.const 8204) (i32.const 2))
             (i32.const 8192)",
        );
    assert_eq!(failure(&guest).code(), "plugin_abi");
}

#[test]
fn an_answer_of_ten_mebibytes_is_not_read() {
    // One reason whose code is the whole memory.
    let guest = Guest::new(Hook::Step).memory("(memory (export \"memory\") 200)").body(
        "(i32.store (i32.const 8204) (i32.const 9000)) (i32.store (i32.const 8208) (i32.const 1))
         (i32.store (i32.const 9000) (i32.const 65536)) (i32.store (i32.const 9004) (i32.const 10485760))
         (i32.const 8192)",
    );
    assert_eq!(
        failure(&guest),
        CallError::AnswerTooLarge { what: "bytes brought over", got: (1 << 20) + 1, max: 1 << 20 }
    );
}

#[test]
fn lists_in_lists_over_the_same_memory_are_not_multiplied() {
    // 2,000 lines, each with the same 2,000 takes: 4 million records out of 96 KiB.
    let guest = lines_at(65_536, 2_000).fields(
        "(func $begin (local $i i32)
           (loop $next
             (i32.store (i32.add (i32.const 65548) (i32.mul (local.get $i) (i32.const 32))) (i32.const 1000000))
             (i32.store (i32.add (i32.const 65552) (i32.mul (local.get $i) (i32.const 32))) (i32.const 2000))
             (local.set $i (i32.add (local.get $i) (i32.const 1)))
             (br_if $next (i32.lt_u (local.get $i) (i32.const 2000)))))
         (start $begin)",
    );
    assert!(matches!(failure(&guest), CallError::AnswerTooLarge { what: "bytes brought over", .. }));
}

#[test]
fn an_answer_within_the_bytes_but_beyond_the_lists_is_too_large() {
    let reasons = |count: usize, chars: usize| {
        let reason = Reason { code: "é".repeat(chars), cites: None, used: Vec::new(), params: Vec::new() };
        let answer = StepAnswer { provides: Vec::new(), reasons: vec![reason; count] };
        ask(sandbox(), &Guest::new(Hook::Step).step(&answer)).result.map(|_| ())
    };
    assert_eq!(reasons(50, 1_000), Ok(()));
    let too_large = |what, got, max| Err(CallError::AnswerTooLarge { what, got, max });
    assert_eq!(reasons(51, 1), too_large("reasons", 51, 50));
    assert_eq!(reasons(1, 1_001), too_large("characters in a text", 1_001, 1_000));
}

#[test]
fn each_trap_is_told_apart() {
    let table = "(type $none (func)) (table $t 2 funcref) (elem (i32.const 1) func $alloc)";
    let cases = [
        ("unreachable", TrapKind::Unreachable),
        ("(i32.div_u (i32.const 1) (i32.const 0))", TrapKind::DivisionByZero),
        ("(i32.div_s (i32.const 0x80000000) (i32.const -1))", TrapKind::IntegerOverflow),
        ("(i32.load (i32.const 0x7ffffff0))", TrapKind::MemoryOutOfBounds),
        ("(call_indirect (type $none) (i32.const 1)) unreachable", TrapKind::BadSignature),
        ("(call_indirect (type $none) (i32.const 0)) unreachable", TrapKind::IndirectCallToNull),
        ("(call_indirect (type $none) (i32.const 9)) unreachable", TrapKind::TableOutOfBounds),
        ("(i32.trunc_f32_s (f32.const nan))", TrapKind::BadConversion),
    ];
    for (body, kind) in cases {
        assert_eq!(failure(&doing(body).fields(table)), trap(kind), "{body}");
    }
}

#[test]
fn an_allocator_that_lies_breaks_the_interface() {
    // The host calls it to hand the request over.
    let allocating = |body: &str| failure(&deny_all().allocator(body)).code();
    assert_eq!(allocating("(i32.const 0x7fffff00)"), "plugin_abi");
    assert_eq!(allocating("(i32.const 3)"), "plugin_abi");
    assert_eq!(allocating("unreachable"), "plugin_trap");
    assert_eq!(allocating("(loop $for_ever (br $for_ever)) unreachable"), "plugin_out_of_fuel");
}

#[test]
fn tidying_up_after_the_answer_is_bounded_too() {
    let interface = Major::Zero.interface(Hook::Step);
    let after = |body: &str| {
        let post = format!(r#"(func (export "cabi_post_{interface}#run") (param i32) {body})"#);
        failure(&integer_step("n", "(i64.const 1)").fields(&post)).code()
    };
    assert_eq!(after("unreachable"), "plugin_trap");
    assert_eq!(after("(loop $for_ever (br $for_ever))"), "plugin_out_of_fuel");
    // The component model forbids leaving the component here.
    assert_eq!(after("(call $log (i32.const 1) (i32.const 0) (i32.const 0))"), "plugin_abi");
}

#[test]
fn what_a_plugin_says_it_cannot_do_is_told_apart_and_bounded() {
    let bad_input = |length: u32| {
        Guest::new(Hook::Step).memory("(memory (export \"memory\") 40)").body(&format!(
            "(memory.fill (i32.const 10000) (i32.const 120) (i32.const 5000))
             (i32.store8 (i32.const 8192) (i32.const 1)) (i32.store8 (i32.const 8196) (i32.const 1))
             (i32.store (i32.const 8200) (i32.const 10000)) (i32.store (i32.const 8204) (i32.const {length}))
             (i32.const 8192)"
        ))
    };
    assert_eq!(failure(&bad_input(3)), CallError::BadInput("xxx".to_owned()));
    assert_eq!(failure(&bad_input(1_001)).code(), "plugin_answer_too_large");
    let cannot = Guest::new(Hook::Step).body("(i32.store8 (i32.const 8192) (i32.const 1)) (i32.const 8192)");
    assert_eq!(failure(&cannot), CallError::CannotDecide(Vec::new()));
}

#[test]
fn memory_over_all_memories_has_one_limit() {
    let sandbox = with(Limits { memory_bytes_max: 40 << 16, ..patient() });
    assert_eq!(crate::integer(ask(&sandbox, &integer_step("n", "(i64.const 5)"))), 5);
    let more = integer_step("n", "(i64.extend_i32_s (memory.grow (i32.const 1)))");
    let error = ask(&sandbox, &more).result.unwrap_err();
    assert_eq!(error, CallError::MemoryLimit { asked: 41 << 16, max: 40 << 16 });
}
