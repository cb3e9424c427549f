//! What strangers upload.

use redress_sandbox::limits::UPLOAD_BYTES_MAX;
use redress_sandbox::{Hook, Limits};

use super::{UploadKind, bombs, refused};
use crate::guests::{CONTRACT, Guest, deny_all};

/// Every kind, each under its own name. Those that only a compiler of its own bounds are in [`bombs`].
#[must_use]
pub fn uploads() -> Vec<UploadKind> {
    [formats(), damaged(), imports(), contracts(), manifests(), counted(), features()].into_iter().flatten().collect()
}

/// A good component.
#[must_use]
pub fn good() -> Vec<u8> {
    made(&deny_all())
}

/// # Panics
///
/// The guest cannot be written down: a mistake in this table.
fn made(guest: &Guest) -> Vec<u8> {
    guest.component().unwrap_or_else(|error| panic!("{error:#}"))
}

fn text(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}"))
}

fn deciding() -> Guest {
    Guest::new(Hook::Eligibility)
}

/// A number as WebAssembly writes lengths.
fn leb(mut number: usize) -> Vec<u8> {
    let mut leb = Vec::new();
    while number >= 0x80 {
        leb.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    leb.push(number as u8);
    leb
}

/// A section of this kind.
#[must_use]
pub fn section(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind][..], &leb(content.len()), content].concat()
}

/// A custom section with this name and content.
#[must_use]
pub fn custom_section(name: &str, bytes: &[u8]) -> Vec<u8> {
    section(0, &[&leb(name.len())[..], name.as_bytes(), bytes].concat())
}

/// So many components, each in the one before; no text of it would be read.
fn inside_of_each_other(depth: usize) -> Vec<u8> {
    let empty = b"\0asm\x0d\0\x01\0".to_vec();
    (0..depth).fold(empty.clone(), |inside, _| [&empty[..], &section(4, &inside)].concat())
}

fn with_section(name: &str, bytes: &[u8]) -> Vec<u8> {
    [good(), custom_section(name, bytes)].concat()
}

/// A component of this text, with the manifest of a plugin for a hook.
fn with_manifest(wat: &str, hook: Hook) -> Vec<u8> {
    let manifest = format!(r#"{{"name":"a","version":"0.1.0","sdk":"x","hook":"{hook}"}}"#);
    [text(wat), custom_section("redress:manifest", manifest.as_bytes())].concat()
}

/// Not a component at all.
fn formats() -> Vec<UploadKind> {
    let mut elf = b"\x7fELF\x02\x01\x01\0".to_vec();
    elf.extend([0; 56]);
    vec![
        refused("nothing", "upload_empty", Vec::new()),
        refused("a text", "upload_not_wasm", b"hello".to_vec()),
        refused("source code", "upload_not_wasm", b"fn main() {}\n".to_vec()),
        refused("a gzip file", "upload_packed", b"\x1f\x8b\x08\0\0\0\0\0".to_vec()),
        refused("a zip file", "upload_packed", b"PK\x03\x04\x14\0\0\0".to_vec()),
        refused("a program", "upload_precompiled", elf),
        refused("the text form", "upload_not_wasm", b"(component)".to_vec()),
        refused("a module without the contract's types", "upload_core_module", text("(module)")),
        refused("a beginning and nothing more", "upload_malformed", b"\0asm".to_vec()),
        refused("a version of the format that there is not", "upload_malformed", b"\0asm\x0d\0\x07\0".to_vec()),
        refused("2 MiB and one byte", "upload_too_large", vec![0; Limits::default().upload_bytes_max + 1]),
        refused("24 MiB and one byte", "upload_too_large", vec![0; UPLOAD_BYTES_MAX + 1]),
    ]
}

/// A component that something happened to.
fn damaged() -> Vec<UploadKind> {
    let good = good();
    let mut flipped = good.clone();
    flipped[8] ^= 0x40;
    let cut = good[..good.len() / 2].to_vec();
    let last = good[..good.len() - 1].to_vec();
    // A section that says it is 4 GiB long, and one whose length does not end.
    let lying = [&good[..], &[0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]].concat();
    let endless = [&good[..], &[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]].concat();
    vec![
        refused("the first half", "upload_malformed", cut),
        refused("all but the last byte", "upload_malformed", last),
        refused("one bit flipped in a section's kind", "upload_malformed", flipped),
        refused("a section of 4 GiB", "upload_malformed", lying),
        refused("a length without end", "upload_malformed", endless),
        refused("a component and a text behind it", "upload_malformed", [&good[..], b"hello"].concat()),
        refused("two components one behind the other", "upload_malformed", [&good[..], &good[..]].concat()),
    ]
}

/// More than a plugin gets of the host.
fn imports() -> Vec<UploadKind> {
    let importing = |name, package: &str, interface: &str, function: &str, wat: &str| {
        let wat = format!(r#"(import "{interface}" "{function}" (func {wat}))"#);
        refused(name, "upload_forbidden_import", made(&deciding().import(package, interface, &wat)))
    };
    vec![
        importing(
            "the environment",
            "package wasi:cli@0.2.0; interface environment { get-environment: func() -> list<tuple<string, string>>; }",
            "wasi:cli/environment@0.2.0",
            "get-environment",
            "(param i32)",
        ),
        importing(
            "the clock",
            "package wasi:clocks@0.2.0; interface monotonic-clock { now: func() -> u64; }",
            "wasi:clocks/monotonic-clock@0.2.0",
            "now",
            "(result i64)",
        ),
        importing(
            "randomness",
            "package wasi:random@0.2.0; interface random { get-random-u64: func() -> u64; }",
            "wasi:random/random@0.2.0",
            "get-random-u64",
            "(result i64)",
        ),
        importing(
            "files",
            "package wasi:filesystem@0.2.0; interface preopens { get-directories: func() -> list<u32>; }",
            "wasi:filesystem/preopens@0.2.0",
            "get-directories",
            "(param i32)",
        ),
        importing(
            "the network",
            "package wasi:sockets@0.2.0; interface instance-network { instance-network: func() -> u32; }",
            "wasi:sockets/instance-network@0.2.0",
            "instance-network",
            "(result i32)",
        ),
        importing(
            "an interface that nobody knows",
            "package evil:corp@1.0.0; interface phone { home: func(); }",
            "evil:corp/phone@1.0.0",
            "home",
            "",
        ),
        refused(
            "an import of a part inside",
            "upload_forbidden_import",
            text(
                r#"(component (import "wasi:io/poll@0.2.0" (instance $i (export "poll" (func))))
                 (component $inside (import "p" (instance (export "poll" (func)))))
                 (instance (instantiate $inside (with "p" (instance $i)))))"#,
            ),
        ),
        refused(
            "a function of the host without an interface",
            "upload_forbidden_import",
            text(r#"(component (import "system" (func (param "command" string))))"#),
        ),
    ]
}

/// Another contract than ours.
fn contracts() -> Vec<UploadKind> {
    let changed = |from: &str, to: &str| {
        let other = CONTRACT.replace(from, to);
        assert_ne!(other, CONTRACT, "the contract has no {from}");
        other
    };
    let newer = made(&deny_all().contract(&CONTRACT.replacen("@0.1.0", "@0.2.0", 1)));
    let record = changed("record take { order: string, line: u32, quantity: u32 }", "record take { order: string }");
    let log = changed("log: func(level: level, text: string)", "log: func(level: u8, text: string)");
    let using_log = deny_all().fields("(func (call $log (i32.const 0) (i32.const 0) (i32.const 0)))");
    let export = |version: &str| {
        format!(r#"(component (instance $i) (export "redress:plugin/eligibility@{version}" (instance $i)))"#)
    };
    vec![
        refused("a newer contract", "upload_forbidden_import", newer),
        refused("an export of a newer contract", "upload_other_version", text(&export("9.0.0"))),
        refused("another record under the right name", "upload_wrong_type", made(&deny_all().contract(&record))),
        refused("another log under the right name", "upload_wrong_type", made(&using_log.contract(&log))),
        refused("a component without anything", "upload_no_hook", text("(component)")),
        refused(
            "the right name with nothing in it",
            "upload_wrong_type",
            with_manifest(&export("0.1.0"), Hook::Eligibility),
        ),
    ]
}

fn manifests() -> Vec<UploadKind> {
    let says = |name, ends, json: &str| refused(name, ends, made(&deny_all().manifest(json)));
    let of = |more: &str| format!(r#"{{"name":"a","version":"0.1.0","sdk":"x","hook":"eligibility"{more}}}"#);
    let entries: Vec<String> = (0..65).map(|n| format!("\"a{n}\"")).collect();
    let empty = r#"(component (instance $i) (export "redress:plugin/eligibility@0.1.0" (instance $i)))"#;
    let million = of(&format!(r#","attributes":[{}]"#, vec!["\"a\""; 200_000].join(",")));
    vec![
        refused("no manifest", "upload_no_manifest", text(empty)),
        refused("two manifests", "upload_manifest_twice", with_section("redress:manifest", b"{}")),
        says("a manifest that is no JSON", "upload_manifest", "not json"),
        says("a manifest of nothing", "upload_manifest", "{}"),
        says("a manifest with a wish for the network", "upload_manifest", &of(r#","network":true"#)),
        says("a manifest of a class that there is not", "upload_manifest", &of(r#","class":"native""#)),
        says("a manifest with a name from elsewhere", "upload_manifest", &of("").replace(r#""a""#, r#""../../etc""#)),
        says("a manifest with an escape in it", "upload_manifest", &of("").replace(r#""x""#, r#""\u001b[2J""#)),
        says(
            "a manifest of 65 attributes",
            "upload_manifest",
            &of(&format!(r#","attributes":[{}]"#, entries.join(","))),
        ),
        says(
            "a manifest nested 10,000 deep",
            "upload_too_many",
            &of(&format!(r#","attributes":{}{}"#, "[".repeat(10_000), "]".repeat(10_000))),
        ),
        says(
            "a manifest nested 200 deep",
            "upload_manifest",
            &of(&format!(r#","attributes":{}{}"#, "[".repeat(200), "]".repeat(200))),
        ),
        says("a manifest of 200,000 entries", "upload_too_many", &million),
        says("a manifest of 16 KiB and more", "upload_too_many", &format!("{}{}", of(""), " ".repeat(16 << 10))),
        refused(
            "a manifest that names another hook",
            "upload_hooks_disagree",
            made(&deny_all().manifest(r#"{"name":"a","version":"0.1.0","sdk":"x","hooks":["eligibility","refund"]}"#)),
        ),
    ]
}

/// More of something than is taken.
fn counted() -> Vec<UploadKind> {
    let too_many = |name, guest: &Guest| refused(name, "upload_too_many", made(guest));
    let long = "(drop (i32.const 1))".repeat(100_000);
    let data = format!(r#"(data (i32.const 4096) "{}")"#, "x".repeat((256 << 10) + 1));
    let types: String = (0..10_001).map(|_| "(type (func (param i32 i64)))").collect();
    let modules = format!("(component {})", "(core module)".repeat(257));
    let parts = format!("(component {})", "(component)".repeat(257));
    let aliases = format!(
        r#"(component (core module $m (memory (export "m") 1)) (core instance $i (instantiate $m)) {})"#,
        r#"(alias core export $i "m" (core memory))"#.repeat(10_001),
    );
    let instances = format!(
        r#"(component (core module $m (memory 1)) {} (instance $i) (export "redress:plugin/step@0.1.0" (instance $i)))"#,
        "(core instance (instantiate $m))".repeat(9),
    );
    // Custom sections together, a name bomb among them.
    let names = with_section("name", &vec![b'n'; 300 << 10]);
    vec![
        too_many("memory of 4 GiB", &deciding().memory("(memory (export \"memory\") 65536)")),
        too_many("a table of a hundred million", &deciding().fields("(table 100000000 funcref)")),
        too_many("10,001 functions", &deciding().fields(&"(func)".repeat(10_001))),
        too_many("100,000 functions", &deciding().fields(&"(func)".repeat(100_000))),
        too_many("a function of 300 KB", &deciding().body(&format!("{long} unreachable"))),
        refused("a function of 2 MiB", "upload_too_large", made(&bombs::one_function(130_000))),
        too_many("data of 257 KiB", &deciding().fields(&data)),
        too_many("10,001 types", &deciding().fields(&types)),
        refused("10,001 aliases", "upload_too_many", text(&aliases)),
        refused("257 modules", "upload_too_many", text(&modules)),
        refused("257 components", "upload_too_many", text(&parts)),
        refused("300 components one inside of the other", "upload_too_many", inside_of_each_other(300)),
        refused("nine instances", "upload_compile", with_manifest(&instances, Hook::Step)),
        refused("names of 300 KiB", "upload_too_many", names),
        refused("padding of 300 KiB", "upload_too_many", with_section("padding", &vec![b' '; 300 << 10])),
        refused("a section whose name is 300 KiB", "upload_malformed", with_section(&"n".repeat(300 << 10), b"")),
    ]
}

/// Parts of WebAssembly that no plugin needs.
fn features() -> Vec<UploadKind> {
    let using = |name, field: &str| {
        refused(name, "upload_malformed", text(&format!("(component (core module (memory 1) {field}))")))
    };
    let locals = format!("(func (local {}))", "i64 ".repeat(50_001));
    vec![
        using("vectors", "(func (result v128) (v128.const i64x2 0 0))"),
        using(
            "relaxed vectors",
            "(func (param v128 v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))",
        ),
        using("a second memory", "(memory $second 1)"),
        using("shared memory", "(memory 1 1 shared)"),
        using("memory of 64 bits", "(memory i64 1)"),
        using("references of the host", "(func (param externref))"),
        using("exceptions", "(tag)"),
        using("tail calls", "(func $f (return_call $f))"),
        using("structures of the collector", "(type (struct (field i32)))"),
        using("typed references", "(type $f (func)) (func (param (ref $f)))"),
        using("50,001 locals", &locals),
    ]
}
