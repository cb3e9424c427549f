//! The two classes: what an interpreter may bring along, and that it is walled in as everybody is.

use redress_sandbox::limits::UPLOAD_BYTES_MAX;
use redress_sandbox::{CallError, Class, Digest, Hook, Limits, Refusal};

use crate::guests::{Guest, counting, integer_step};
use crate::{ask, failure, integer, patient, sandbox, with};

/// Data as an interpreter's heap is: so many bytes that are not zero, from 1 MiB on.
fn heap(bytes: usize) -> String {
    format!(r#"(data (i32.const 1048576) "{}")"#, "x".repeat(bytes))
}

/// A step with a memory of 40 MiB and 3 MiB of data, that says what the byte in the middle of them is, and spoils it.
fn large() -> Guest {
    integer_step(
        "n",
        "(i64.load8_u (i32.const 2000000)) (i32.store8 (i32.const 2000000) (i32.const 7))
         (i32.store8 (i32.const 40000000) (i32.const 7))",
    )
    .memory("(memory (export \"memory\") 640)")
    .fields(&heap(3 << 20))
}

#[test]
fn an_interpreter_may_be_larger_and_only_where_it_says_so() {
    assert_eq!(integer(ask(sandbox(), &large().interpreter())), i64::from(b'x'));
    let Refusal::TooLarge { max, .. } = sandbox().load(&large().component().unwrap()).unwrap_err() else { panic!() };
    assert_eq!(max, 2 << 20);
    let larger = vec![0; UPLOAD_BYTES_MAX + 1];
    let refusal = sandbox().load(&larger).unwrap_err();
    assert_eq!(refusal, Refusal::TooLarge { got: UPLOAD_BYTES_MAX + 1, max: UPLOAD_BYTES_MAX });
    assert_eq!(sandbox().upload_bytes_max(), UPLOAD_BYTES_MAX);
}

#[test]
fn nothing_survives_in_an_image_from_one_call_to_the_next() {
    // More often than the pool has slots, so that each is used again.
    for _ in 0..50 {
        assert_eq!(integer(ask(sandbox(), &large().interpreter())), i64::from(b'x'));
        assert_eq!(integer(ask(sandbox(), &counting().interpreter())), 1);
        // Another plugin in the same slots sees none of it.
        let other = integer_step("n", "(i64.load8_u (i32.const 2000000))").interpreter();
        assert_eq!(integer(ask(sandbox(), &other)), 0);
    }
}

#[test]
fn an_interpreter_has_more_memory_and_table_and_an_end_of_both() {
    let grow = |pages: u32| {
        integer_step("n", &format!("(drop (memory.grow (i32.const {pages}))) (i64.extend_i32_u (memory.size))"))
    };
    assert_eq!(integer(ask(sandbox(), &grow(1024 - 40).interpreter())), 1024);
    assert_eq!(failure(&grow(1025 - 40).interpreter()), CallError::MemoryLimit { asked: 1025 << 16, max: 64 << 20 });
    assert_eq!(failure(&grow(1024 - 40)).code(), "plugin_memory_limit");
    let table = |elements: u32| {
        let code = format!("(i64.extend_i32_s (table.grow $t (ref.null func) (i32.const {elements})))");
        integer_step("n", &code).fields("(table $t 1 funcref)")
    };
    assert_eq!(integer(ask(sandbox(), &table(59_999).interpreter())), 1);
    assert_eq!(failure(&table(60_000).interpreter()).code(), "plugin_table_limit");
}

#[test]
fn an_interpreter_has_five_times_the_fuel_and_an_end_of_it() {
    let endless = || Guest::new(Hook::Eligibility).body("(loop $for_ever (br $for_ever)) unreachable");
    assert_eq!(failure(&endless()), CallError::OutOfFuel { fuel: 10_400_000 });
    assert_eq!(failure(&endless().interpreter()), CallError::OutOfFuel { fuel: 52_000_000 });
}

#[test]
fn a_class_decides_nothing_but_the_limits() {
    let info = |guest: &Guest| sandbox().load(&guest.component().unwrap()).unwrap();
    assert_eq!(info(&counting()).manifest.class, Class::Compiled);
    assert_eq!(info(&counting().interpreter()).manifest.class, Class::Interpreter);
    assert_eq!(with(patient()).fingerprint(), sandbox().fingerprint());
    // Another class in a second manifest changes nothing: there is one manifest.
    let two = counting().fields(r#"(@custom "redress:manifest" "{\"class\":\"interpreter\"}")"#);
    assert_eq!(sandbox().load(&two.component().unwrap()).unwrap_err().code(), "upload_manifest_twice");
    let hidden = counting().manifest(r#"{"class":"interpreter"}"#);
    assert_eq!(sandbox().load(&hidden.component().unwrap()).unwrap_err().code(), "upload_manifest");
}

#[test]
fn interpreters_that_nobody_holds_make_room_before_rules_do() {
    let sandbox = with(patient());
    let max = Limits::interpreter().plugins_idle_max;
    let bytes = |n: usize| integer_step("n", &format!("(i64.const {n})")).interpreter().component().unwrap();
    let guests: Vec<Vec<u8>> = (0..max + 3).map(bytes).collect();
    let digests: Vec<Digest> = guests.iter().map(|bytes| sandbox.describe(bytes).unwrap().digest).collect();
    let known = digests.clone();
    let find = move |wanted: &Digest| Some(guests[known.iter().position(|one| one == wanted)?].clone());
    let sandbox = sandbox.with_library(std::sync::Arc::new(find));
    for digest in &digests {
        sandbox.require(digest).unwrap();
        assert!(sandbox.loaded() <= max);
    }
}
