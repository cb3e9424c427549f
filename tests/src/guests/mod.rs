//! Plugins for tests, written as core WebAssembly text and made into components of the real contract.
//!
//! Nothing here goes through the SDK: a hostile plugin does what no SDK would let it do. [`Guest`] takes the body of one
//! hook's function; the ready-made guests below cover what several tests need.

mod image;

use redress_sandbox::Hook;
use redress_sandbox::contract::{Quote, StepAnswer, Verdict};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use self::image::Image;

/// The contract's text, which every guest is built against unless a test changes it.
pub const CONTRACT: &str = include_str!("../../../plugin-sdk/wit/redress-plugin-0/types.wit");

/// Where a guest's constant data begins.
const DATA_BASE: u32 = 1024;

/// A plugin in the making: one hook, the body of its function in WAT, and whatever surrounds it.
///
/// The body leaves the address of the answer (an `i32`) on the stack. Inside it, `$request` is the address of the
/// request for the decision hooks. `$log` (level, address, length) is imported; `$alloc` (align, size) gives memory.
#[derive(Clone, Debug)]
pub struct Guest {
    hook: Hook,
    manifest: Option<String>,
    provides: String,
    class: &'static str,
    body: String,
    fields: String,
    imports: String,
    memory: String,
    allocator: String,
    data: Vec<u8>,
    world: String,
    packages: Vec<String>,
    contract: String,
}

impl Guest {
    /// A guest for a hook; without a body it traps.
    #[must_use]
    pub fn new(hook: Hook) -> Self {
        Self {
            hook,
            manifest: None,
            provides: String::from("{}"),
            class: "",
            body: String::from("unreachable"),
            fields: String::new(),
            imports: String::new(),
            memory: String::from("(memory (export \"memory\") 40)"),
            allocator: String::from("(call $alloc (local.get 2) (local.get 3))"),
            data: Vec::new(),
            world: String::new(),
            packages: Vec::new(),
            contract: CONTRACT.to_owned(),
        }
    }

    /// The function's body.
    #[must_use]
    pub fn body(mut self, wat: &str) -> Self {
        wat.clone_into(&mut self.body);
        self
    }

    /// More module fields: globals, tables, functions, a start function, custom sections.
    #[must_use]
    pub fn fields(mut self, wat: &str) -> Self {
        self.fields.push_str(wat);
        self
    }

    /// The memory's definition instead of the usual 40 pages; it must export `memory`.
    #[must_use]
    pub fn memory(mut self, wat: &str) -> Self {
        wat.clone_into(&mut self.memory);
        self
    }

    /// The body of the function through which the host gets memory for the request: old address, old size, align, size.
    #[must_use]
    pub fn allocator(mut self, wat: &str) -> Self {
        wat.clone_into(&mut self.allocator);
        self
    }

    /// The manifest's text instead of the usual one.
    #[must_use]
    pub fn manifest(mut self, json: &str) -> Self {
        self.manifest = Some(json.to_owned());
        self
    }

    /// What the manifest says is provided, as JSON.
    #[must_use]
    pub fn provides(mut self, json: &str) -> Self {
        json.clone_into(&mut self.provides);
        self
    }

    /// Says in the manifest that it is an interpreter.
    #[must_use]
    pub fn interpreter(mut self) -> Self {
        self.class = r#","class":"interpreter""#;
        self
    }

    /// An import: the WIT of its package, how the world names it, and its declaration in WAT.
    #[must_use]
    pub fn import(mut self, package: &str, interface: &str, wat: &str) -> Self {
        self.packages.push(package.to_owned());
        self.world.push_str(&format!("import {interface};\n"));
        self.imports.push_str(wat);
        self
    }

    /// Builds against another contract than the real one.
    #[must_use]
    pub fn contract(mut self, wit: &str) -> Self {
        wit.clone_into(&mut self.contract);
        self
    }

    /// Answers always this verdict.
    #[must_use]
    pub fn verdict(self, verdict: &Verdict) -> Self {
        self.answering(|image| image.verdict(verdict))
    }

    /// Answers always this quote.
    #[must_use]
    pub fn quote(self, quote: &Quote) -> Self {
        self.answering(|image| image.quote(quote))
    }

    /// Answers always this result of a step.
    #[must_use]
    pub fn step(self, answer: &StepAnswer) -> Self {
        self.answering(|image| image.step_answer(answer))
    }

    /// Answers with the bytes that `write` leaves in the image.
    fn answering(mut self, write: impl FnOnce(&mut Image) -> u32) -> Self {
        let mut image = Image::new(DATA_BASE);
        let at = write(&mut image);
        self.data = image.into_bytes();
        self.body = format!("(i32.const {at})");
        self
    }

    /// The core module's text.
    #[must_use]
    pub fn wat(&self) -> String {
        let (data, manifest) = (escaped(&self.data), escaped(self.manifest_text().as_bytes()));
        let heap = (DATA_BASE as usize + self.data.len()).next_multiple_of(64);
        let export = format!("{}#{}", self.interface(), self.hook.function());
        let parameters = match self.hook {
            Hook::Step => "(param i32 i32 i64 i32 i32 i64 i32 i32 i32 i32 i32 i32)",
            _ => "(param $request i32)",
        };
        let version = self.version();
        format!(
            r#"(module
              (import "redress:plugin/log@{version}" "log" (func $log (param i32 i32 i32)))
              {imports}
              {memory}
              (global $heap (mut i32) (i32.const {heap}))
              (func $alloc (param $align i32) (param $size i32) (result i32) (local $at i32)
                (local.set $at (i32.and
                  (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
                  (i32.sub (i32.const 0) (local.get $align))))
                (global.set $heap (i32.add (local.get $at) (local.get $size)))
                (local.get $at))
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                {allocator})
              (data (i32.const {DATA_BASE}) "{data}")
              {fields}
              (func (export "{export}") {parameters} (result i32) {body})
              (@custom "redress:manifest" "{manifest}"))"#,
            imports = self.imports,
            memory = self.memory,
            allocator = self.allocator,
            fields = self.fields,
            body = self.body,
        )
    }

    /// The component's bytes.
    ///
    /// # Errors
    ///
    /// When the text or the world is not valid; a mistake in the test.
    pub fn component(&self) -> anyhow::Result<Vec<u8>> {
        ComponentEncoder::default().module(&self.module()?)?.validate(true).encode()
    }

    /// The core module's bytes with the types of its world, as compilers leave them.
    ///
    /// # Errors
    ///
    /// As `component`.
    pub fn module(&self) -> anyhow::Result<Vec<u8>> {
        let mut module = wat::parse_str(self.wat())?;
        let mut resolve = Resolve::default();
        resolve.push_source("contract.wit", &self.contract)?;
        for package in &self.packages {
            resolve.push_source("package.wit", package)?;
        }
        let (version, interface) = (self.version(), self.interface());
        let world = format!(
            "package test:guest;\nworld guest {{ import redress:plugin/log@{version};\n{}export {interface};\n}}",
            self.world
        );
        let package = resolve.push_source("guest.wit", &world)?;
        let world = resolve.select_world(&[package], Some("guest"))?;
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
        Ok(module)
    }

    fn manifest_text(&self) -> String {
        self.manifest.clone().unwrap_or_else(|| {
            format!(
                r#"{{"name":"guest","version":"0.1.0","sdk":"test","hooks":["{}"],"provides":{}{}}}"#,
                self.hook, self.provides, self.class
            )
        })
    }

    /// The interface to export, in the version of the contract that the guest is built against.
    fn interface(&self) -> String {
        format!("redress:plugin/{}@{}", self.hook, self.version())
    }

    fn version(&self) -> &str {
        let first = self.contract.lines().next().unwrap_or_default();
        first.trim_end_matches(';').rsplit('@').next().unwrap_or_default()
    }
}

/// Bytes as a string of WAT.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

/// Denies every line with the reason `deny_all`, whatever is asked.
#[must_use]
pub fn deny_all() -> Guest {
    let mut image = Image::new(DATA_BASE);
    let reasons = image.reasons_of_code("deny_all");
    let lines = image::request_field("lines");
    let mut guest = Guest::new(Hook::Eligibility).body(&format!(
        r"(local $answer i32) (local $from i32) (local $to i32) (local $left i32)
          (local.set $answer (call $alloc (i32.const 8) (i32.const 64)))
          (local.set $from (i32.load offset={lines} (local.get $request)))
          (local.set $left (i32.load offset={lines_len} (local.get $request)))
          (local.set $to (call $alloc (i32.const 8) (i32.mul (local.get $left) (i32.const {verdict}))))
          (i32.store offset=4 (local.get $answer) (local.get $to))
          (i32.store offset=8 (local.get $answer) (local.get $left))
          (block $end (loop $next
            (br_if $end (i32.eqz (local.get $left)))
            (i32.store (local.get $to) (i32.load (local.get $from)))
            (i32.store8 offset=4 (local.get $to) (i32.const 1))
            (i32.store8 offset=22 (local.get $to) (i32.const 4))
            (i32.store offset=24 (local.get $to) (i32.const {reasons}))
            (i32.store offset=28 (local.get $to) (i32.const 1))
            (local.set $from (i32.add (local.get $from) (i32.const {line})))
            (local.set $to (i32.add (local.get $to) (i32.const {verdict})))
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (br $next)))
          (local.get $answer)",
        lines_len = lines + 4,
        verdict = image::LINE_VERDICT_BYTES,
        line = image::size_of_record("line"),
    ));
    guest.data = image.into_bytes();
    guest
}

/// Allows the first line so many times, all taken from the request's first purchase.
#[must_use]
pub fn taking(quantity: u32) -> Guest {
    let (lines, purchases) = (image::request_field("lines"), image::request_field("purchases"));
    let line_of_purchase = image::field_of_record("purchase", "line");
    Guest::new(Hook::Eligibility).body(&format!(
        r"(local $answer i32) (local $to i32) (local $take i32) (local $bought i32)
          (local.set $answer (call $alloc (i32.const 8) (i32.const 64)))
          (local.set $to (call $alloc (i32.const 8) (i32.const {verdict})))
          (local.set $take (call $alloc (i32.const 8) (i32.const 16)))
          (local.set $bought (i32.load offset={purchases} (local.get $request)))
          (i32.store offset=4 (local.get $answer) (local.get $to))
          (i32.store offset=8 (local.get $answer) (i32.const 1))
          (i32.store (local.get $to) (i32.load (i32.load offset={lines} (local.get $request))))
          (i32.store offset=8 (local.get $to) (i32.const {quantity}))
          (i32.store offset=12 (local.get $to) (local.get $take))
          (i32.store offset=16 (local.get $to) (i32.const 1))
          (i32.store8 offset=22 (local.get $to) (i32.const 4))
          (i64.store (local.get $take) (i64.load (local.get $bought)))
          (i32.store offset=8 (local.get $take) (i32.load offset={line_of_purchase} (local.get $bought)))
          (i32.store offset=12 (local.get $take) (i32.const {quantity}))
          (local.get $answer)",
        verdict = image::LINE_VERDICT_BYTES,
    ))
}

/// Quotes this amount for one unit of the first line, taken from the request's first purchase.
#[must_use]
pub fn quoting(minor: i64, currency: &str) -> Guest {
    let (lines, purchases) = (image::request_field("lines"), image::request_field("purchases"));
    let line_of_purchase = image::field_of_record("purchase", "line");
    let mut image = Image::new(DATA_BASE);
    let parts = image.parts(&[("goods", minor, currency)]);
    let mut guest = Guest::new(Hook::Refund).body(&format!(
        r"(local $answer i32) (local $to i32) (local $bought i32)
          (local.set $answer (call $alloc (i32.const 8) (i32.const 64)))
          (local.set $to (call $alloc (i32.const 8) (i32.const 32)))
          (local.set $bought (i32.load offset={purchases} (local.get $request)))
          (i32.store offset=4 (local.get $answer) (local.get $to))
          (i32.store offset=8 (local.get $answer) (i32.const 1))
          (i32.store (local.get $to) (i32.load (i32.load offset={lines} (local.get $request))))
          (i64.store offset=4 align=4 (local.get $to) (i64.load (local.get $bought)))
          (i32.store offset=12 (local.get $to) (i32.load offset={line_of_purchase} (local.get $bought)))
          (i32.store offset=16 (local.get $to) (i32.const 1))
          (i32.store offset=20 (local.get $to) (i32.const {parts}))
          (i32.store offset=24 (local.get $to) (i32.const 1))
          (local.get $answer)"
    ));
    guest.data = image.into_bytes();
    guest
}

/// A step that adds 1 to a global and provides it as `count`. Without state between calls it says 1 for ever.
#[must_use]
pub fn counting() -> Guest {
    integer_step("count", "(global.set $count (i64.add (global.get $count) (i64.const 1))) (global.get $count)")
        .fields("(global $count (mut i64) (i64.const 0))")
}

/// A step that provides one integer under a key, computed by code that leaves an `i64` on the stack.
#[must_use]
pub fn integer_step(key: &str, code: &str) -> Guest {
    let mut image = Image::new(DATA_BASE);
    let (answer, number) = image.one_integer(key);
    let mut guest = Guest::new(Hook::Step)
        .provides(&format!(r#"{{"{key}":"integer"}}"#))
        .body(&format!("(i64.store (i32.const {number}) (block (result i64) {code})) (i32.const {answer})"));
    guest.data = image.into_bytes();
    guest
}
