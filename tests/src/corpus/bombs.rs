//! Components that are small to send and dear to compile.

use redress_sandbox::Hook;

use crate::guests::Guest;

/// A component that is dear to compile, under the name of what is dear about it.
#[derive(Clone, Debug)]
pub struct Bomb {
    /// What is dear about it.
    pub name: &'static str,
    guest: Guest,
}

impl Bomb {
    /// The component.
    ///
    /// # Panics
    ///
    /// The guest cannot be written down: a mistake in this table.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.guest.component().unwrap_or_else(|error| panic!("{error:#}"))
    }
}

/// All of them, each as large as its name says.
#[must_use]
pub fn all() -> Vec<Bomb> {
    vec![
        Bomb { name: "one function of 2 MiB", guest: one_function(130_000) },
        Bomb { name: "49,000 locals in 60 nested loops", guest: locals_in_loops(49_000, 60) },
        Bomb { name: "12,000 locals in 200 nested loops", guest: locals_in_loops(12_000, 200) },
        Bomb { name: "a table of 60,000 branches", guest: branches(60_000, 1_000) },
        Bomb { name: "20,000 nested blocks", guest: nested(20_000) },
        Bomb { name: "9,000 functions", guest: functions(9_000) },
    ]
}

/// The end of every body: no answer is ever asked for.
fn step(locals: &str, body: &str) -> Guest {
    Guest::new(Hook::Step).body(&format!("{locals} {body} unreachable"))
}

/// One operation of some 17 bytes, which needs the result of the one before.
const OPERATION: &str = "(local.set $x (i64.add (i64.mul (local.get $x) (i64.const 0x5deece66d)) (i64.load (i32.wrap_i64 (local.get $x)))))";

/// So many operations, each of which needs the result of the one before.
#[must_use]
pub fn one_function(operations: usize) -> Guest {
    step("(local $x i64)", &OPERATION.repeat(operations))
}

/// So many functions more, each of so many operations.
#[must_use]
pub fn large_functions(functions: usize, operations: usize) -> Guest {
    let one = format!("(func (local $x i64) {})", OPERATION.repeat(operations));
    step("", "").fields(&one.repeat(functions))
}

/// Every local may have another value in every loop.
#[must_use]
pub fn locals_in_loops(locals: usize, loops: usize) -> Guest {
    let declared = "i64 ".repeat(locals);
    let first = 12; // Behind the parameters of a step.
    let mut body = "(loop ".repeat(loops);
    for local in first..first + locals {
        body.push_str(&format!("(local.set {local} (i64.add (local.get {local}) (i64.const 1)))"));
    }
    for depth in 0..loops {
        body.push_str(&format!("(br_if 0 (i64.eqz (local.get {})))) ", first + depth));
    }
    step(&format!("(local {declared})"), &body)
}

/// One `br_table` over many blocks.
fn branches(targets: usize, blocks: usize) -> Guest {
    let mut body = "(block ".repeat(blocks);
    body.push_str("(br_table");
    for target in 0..targets {
        body.push_str(&format!(" {}", target % blocks));
    }
    body.push_str(" (i32.wrap_i64 (local.get $x)))");
    for block in 0..blocks {
        body.push_str(&format!(") (local.set $x (i64.add (local.get $x) (i64.const {block})))"));
    }
    step("(local $x i64)", &body)
}

fn nested(depth: usize) -> Guest {
    // Not as nested text, which the text's own parser bounds.
    let mut body = "block ".repeat(depth);
    body.push_str("local.get $x i64.eqz br_if 0 ");
    for level in 0..depth {
        body.push_str(&format!("end local.get $x i64.const {level} i64.add local.set $x "));
    }
    step("(local $x i64)", &body)
}

fn functions(count: usize) -> Guest {
    let mut fields = String::new();
    for number in 0..count {
        fields.push_str(&format!("(func (param i64 i64) (result i64) (local i64)
               (loop (local.set 2 (i64.add (i64.mul (local.get 0) (i64.const {number})) (i64.rotl (local.get 2) (local.get 1))))
                 (br_if 0 (i64.lt_u (local.get 2) (i64.load offset={number} (i32.wrap_i64 (local.get 0))))))
               (i64.div_u (local.get 2) (i64.or (local.get 1) (i64.const 1))))"));
    }
    step("", "").fields(&fields)
}
