//! What is refused before it can run, each with its own reason.

use redress_sandbox::contract::{Hook, Major};
use redress_sandbox::{Limits, Refusal};

use crate::guests::{CONTRACT, Guest, deny_all};
use crate::{patient, sandbox, with};

fn refusal(bytes: &[u8]) -> Refusal {
    sandbox().load(bytes).unwrap_err()
}

fn refused(guest: &Guest) -> Refusal {
    refusal(&guest.component().unwrap())
}

fn good() -> Vec<u8> {
    deny_all().component().unwrap()
}

/// A custom section with this name and so many bytes.
fn custom_section(name: &str, bytes: usize) -> Vec<u8> {
    let leb = |mut number: usize| {
        let mut leb = Vec::new();
        while number >= 0x80 {
            leb.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        leb.push(number as u8);
        leb
    };
    let mut content = leb(name.len());
    content.extend(name.bytes());
    content.extend(vec![b' '; bytes]);
    let mut section = vec![0];
    section.extend(leb(content.len()));
    section.extend(content);
    section
}

#[test]
fn what_is_not_a_component_is_refused_by_what_it_is() {
    assert_eq!(refusal(b""), Refusal::Empty);
    assert_eq!(refusal(b"hello"), Refusal::NotWasm);
    assert_eq!(refusal(b"\x1f\x8b\x08\0"), Refusal::Packed { format: "gzip" });
    assert_eq!(refusal(b"PK\x03\x04"), Refusal::Packed { format: "zip" });
    assert_eq!(refusal(b"\x7fELF\x02\x01\x01\0"), Refusal::Precompiled);
    assert_eq!(refusal(&wat::parse_str("(module)").unwrap()), Refusal::CoreModule);
    assert_eq!(refusal(b"\0asm").code(), "upload_malformed");
    let max = Limits::default().upload_bytes_max;
    assert_eq!(refusal(&vec![0; max + 1]), Refusal::TooLarge { got: max + 1, max });
}

fn made(bytes: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, Refusal> {
    redress_sandbox::componentise(bytes, &patient())
}

#[test]
fn a_core_module_with_its_types_becomes_the_component_that_any_tool_makes_of_it() {
    let guest = deny_all();
    let (module, component) = (guest.module().unwrap(), good());
    assert_eq!(refusal(&module), Refusal::CoreModule);
    assert_eq!(made(&module).unwrap(), component);
    // What is a component stays what it is, to the byte; what is neither is left for the next check.
    assert!(matches!(made(&component), Ok(std::borrow::Cow::Borrowed(same)) if same == component));
    assert_eq!(made(b"hello").unwrap(), &b"hello"[..]);
}

#[test]
fn a_core_module_of_which_no_component_can_be_made_is_told_why() {
    let refused = |bytes: &[u8]| made(bytes).unwrap_err();
    assert_eq!(refused(&wat::parse_str("(module)").unwrap()), Refusal::CoreModule);
    // Without its types it says nothing of what it is.
    assert_eq!(refused(&wat::parse_str(deny_all().wat()).unwrap()), Refusal::CoreModule);
    let hidden = deny_all().memory("(memory 40)").module().unwrap();
    let Refusal::NoComponent { detail } = refused(&hidden) else { panic!() };
    assert!(detail.contains("memory"), "{detail}");
    for (import, name) in [("wasi_snapshot_preview1", "fd_write"), ("env", "malloc")] {
        let text = format!(r#"(module (import "{import}" "{name}" (func)))"#);
        let refusal = refused(&wat::parse_str(text).unwrap());
        assert_eq!(refusal.code(), "upload_forbidden_import");
        assert!(refusal.to_string().contains(&format!("{import}.{name}")), "{refusal}");
    }
    // Counted before anything dearer looks at it.
    let many = deny_all().fields(&"(func)".repeat(10_001)).module().unwrap();
    assert!(matches!(refused(&many), Refusal::TooMany { what: "functions", .. }));
    let max = Limits::default().upload_bytes_max;
    let mut large = deny_all().module().unwrap();
    large.extend(custom_section("padding", max));
    assert!(matches!(refused(&large), Refusal::TooLarge { .. }));
}

#[test]
fn a_core_module_cut_or_with_a_bit_flipped_never_brings_the_host_down() {
    let bytes = deny_all().module().unwrap();
    for end in (8..bytes.len()).step_by(97) {
        let refusal = made(&bytes[..end]).unwrap_err();
        assert!(refusal.code().starts_with("upload_") && refusal.code() != "upload_compiler_panic", "{end}: {refusal}");
    }
    for place in (8..bytes.len()).step_by(7) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (place % 8);
        if let Err(refusal) = made(&flipped) {
            assert!(refusal.code().starts_with("upload_"), "{place}: {refusal}");
        }
    }
}

#[test]
fn compiled_code_is_refused_even_when_this_host_made_it() {
    let dir = tempfile::tempdir().unwrap();
    let cache = redress_sandbox::cache::Config { dir: dir.path().to_owned(), key: [7; 32] };
    let config = redress_sandbox::Config { limits: patient(), cache: Some(cache), ..Default::default() };
    let own = redress_sandbox::Sandbox::new(config);
    own.unwrap().load(&good()).unwrap();
    let artifact = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let code = std::fs::read(artifact).unwrap().split_off(32);
    assert_eq!(refusal(&code), Refusal::Precompiled);
}

#[test]
fn a_component_cut_anywhere_is_refused() {
    let bytes = good();
    for end in (1..bytes.len()).step_by(97).chain(bytes.len() - 40..bytes.len()) {
        let Err(refusal) = redress_sandbox::inspect::inspect(&bytes[..end], &patient()) else {
            panic!("accepted the first {end} of {} bytes", bytes.len())
        };
        assert!(!refusal.code().is_empty());
    }
}

#[test]
fn a_component_with_one_bit_flipped_never_brings_the_host_down() {
    let bytes = good();
    for place in (0..bytes.len()).step_by(13) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (place % 8);
        // Some flips are harmless, such as one in a name; what counts is that each ends in an answer.
        match redress_sandbox::inspect::inspect(&flipped, &patient()) {
            Ok(inspected) => assert_eq!(inspected.hooks, [Hook::Eligibility]),
            Err(refusal) => assert!(refusal.code().starts_with("upload_")),
        }
    }
}

#[test]
fn what_a_plugin_may_not_import_is_named_with_a_way_out() {
    let wasi = Guest::new(Hook::Eligibility).import(
        "package wasi:cli@0.2.0; interface environment { get-environment: func() -> list<tuple<string, string>>; }",
        "wasi:cli/environment@0.2.0",
        r#"(import "wasi:cli/environment@0.2.0" "get-environment" (func (param i32)))"#,
    );
    let Refusal::ForbiddenImport { import, advice } = refused(&wasi) else { panic!() };
    assert_eq!(import, "wasi:cli/environment@0.2.0");
    assert!(advice.contains("wasm32-unknown-unknown"));

    let unknown = Guest::new(Hook::Eligibility).import(
        "package evil:corp@1.0.0; interface phone { home: func(); }",
        "evil:corp/phone@1.0.0",
        r#"(import "evil:corp/phone@1.0.0" "home" (func))"#,
    );
    let refusal = refused(&unknown);
    assert_eq!(refusal.code(), "upload_forbidden_import");
    assert!(refusal.to_string().contains("evil:corp/phone@1.0.0"));
}

#[test]
fn another_version_of_the_contract_is_refused() {
    let other = CONTRACT.replacen("@0.1.0", "@0.2.0", 1);
    // The types it uses are an import of the other version.
    let refusal = refused(&deny_all().contract(&other));
    let Refusal::ForbiddenImport { import, advice } = refusal else { panic!("{refusal}") };
    assert!(import.starts_with("redress:plugin/") && import.ends_with("@0.2.0"));
    assert!(advice.contains("redress:plugin@0.1.0"));
}

#[test]
fn the_right_names_with_the_wrong_types_are_refused() {
    let other =
        CONTRACT.replace("record take { order: string, line: u32, quantity: u32 }", "record take { order: string }");
    assert_ne!(other, CONTRACT);
    let Refusal::WrongType { interface, detail } = refused(&deny_all().contract(&other)) else { panic!() };
    assert_eq!(interface, Major::Zero.interface(Hook::Eligibility));
    assert!(detail.contains("expected record of 3 fields, found 1 fields"), "{detail}");

    let log = CONTRACT.replace("log: func(level: level, text: string)", "log: func(level: u8, text: string)");
    assert_ne!(log, CONTRACT);
    let guest = deny_all().contract(&log).fields("(func (call $log (i32.const 0) (i32.const 0) (i32.const 0)))");
    let Refusal::WrongType { interface, .. } = refused(&guest) else { panic!() };
    assert_eq!(interface, "redress:plugin/log@0.1.0");
}

#[test]
fn a_component_without_a_hook_is_refused() {
    assert_eq!(refusal(&wat::parse_str("(component)").unwrap()), Refusal::NoHook);
    let other = r#"(component (instance $i) (export "redress:plugin/eligibility@9.0.0" (instance $i)))"#;
    let export = "redress:plugin/eligibility@9.0.0".to_owned();
    assert_eq!(
        refusal(&wat::parse_str(other).unwrap()),
        Refusal::OtherVersion { export, speaks: "redress:plugin@0.1.0".to_owned() }
    );
    // The right name with nothing in it.
    let mut empty = wat::parse_str(other.replace("9.0.0", "0.1.0")).unwrap();
    assert_eq!(refusal(&empty), Refusal::NoManifest);
    let manifest = br#"{"name":"a","version":"0.1.0","sdk":"x","hook":"eligibility"}"#;
    let mut section = custom_section("redress:manifest", manifest.len());
    let start = section.len() - manifest.len();
    section[start..].copy_from_slice(manifest);
    empty.extend(section);
    assert_eq!(refusal(&empty).code(), "upload_wrong_type");
}

#[test]
fn a_manifest_is_needed_once_and_must_tell_the_truth() {
    let twice = deny_all().fields(r#"(@custom "redress:manifest" "{}")"#);
    assert_eq!(refused(&twice), Refusal::ManifestTwice { count: 2 });
    assert_eq!(refused(&deny_all().manifest("{}")).code(), "upload_manifest");
    assert_eq!(refused(&deny_all().manifest("not json")).code(), "upload_manifest");
    let claims = r#"{"name":"a","version":"0.1.0","sdk":"x","hooks":["eligibility","refund"]}"#;
    assert_eq!(
        refused(&deny_all().manifest(claims)),
        Refusal::HooksDisagree { manifest: vec![Hook::Eligibility, Hook::Refund], exports: vec![Hook::Eligibility] }
    );
    let long = format!("{claims}{}", " ".repeat(16 << 10));
    assert!(matches!(refused(&deny_all().manifest(&long)), Refusal::TooMany { what: "bytes of manifest", .. }));
}

#[test]
fn a_huge_custom_section_is_refused() {
    let mut bytes = good();
    bytes.extend(custom_section("padding", 300 << 10));
    assert!(matches!(refusal(&bytes), Refusal::TooMany { what: "bytes of custom sections", .. }));
    // A section that says it is 4 GiB long.
    let mut lying = good();
    lying.extend([0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]);
    assert_eq!(refusal(&lying).code(), "upload_malformed");
}

#[test]
fn what_would_be_dear_to_compile_or_to_run_is_refused_by_counting() {
    let too_many = |guest: &Guest| match refused(guest) {
        Refusal::TooMany { what, .. } => what,
        other => panic!("{other}"),
    };
    let guest = || Guest::new(Hook::Eligibility);
    assert_eq!(too_many(&guest().memory("(memory (export \"memory\") 65536)")), "bytes of memory");
    assert_eq!(too_many(&guest().fields("(table 100000000 funcref)")), "table elements");
    assert_eq!(too_many(&guest().fields(&"(func)".repeat(10_001))), "functions");
    assert_eq!(
        too_many(&guest().body(&format!("{} unreachable", "(drop (i32.const 1))".repeat(100_000)))),
        "bytes in one function"
    );
    let data = format!(r#"(data (i32.const 4096) "{}")"#, "x".repeat((256 << 10) + 1));
    assert_eq!(too_many(&guest().fields(&data)), "bytes of data segments");
    let types: String = (0..10_001).map(|_| "(type (func (param i32 i64)))").collect();
    assert_eq!(too_many(&guest().fields(&types)), "types and aliases");
}

#[test]
fn thousands_of_parts_are_refused_by_counting() {
    let modules = format!("(component {})", "(core module)".repeat(257));
    let refusal = refusal(&wat::parse_str(modules).unwrap());
    assert!(matches!(refusal, Refusal::TooMany { what: "modules, components and instances", .. }));
}

#[test]
fn parts_of_webassembly_beyond_the_minimum_are_refused() {
    for field in [
        "(func (result v128) (v128.const i64x2 0 0))",
        "(memory $second 1)",
        "(func (param externref))",
        "(tag)",
        "(func $f (return_call $f))",
    ] {
        assert_eq!(refused_module(field), "upload_malformed", "{field}");
    }
}

/// The refusal of a component around a module with one more field. `wit-component` itself would not encode some.
fn refused_module(field: &str) -> &'static str {
    let text = format!("(component (core module (memory 1) {field}))");
    refusal(&wat::parse_str(text).unwrap()).code()
}

#[test]
fn more_instances_than_the_pool_gives_one_plugin_are_refused() {
    let instances = "(core instance (instantiate $m))".repeat(9);
    let text = format!(
        r#"(component (core module $m (memory 1)) {instances} (instance $i)
             (export "redress:plugin/step@0.1.0" (instance $i)))"#
    );
    let mut bytes = wat::parse_str(text).unwrap();
    let manifest = br#"{"name":"a","version":"0.1.0","sdk":"x","hook":"step"}"#;
    let mut section = custom_section("redress:manifest", manifest.len());
    let start = section.len() - manifest.len();
    section[start..].copy_from_slice(manifest);
    bytes.extend(section);
    assert_eq!(refusal(&bytes).code(), "upload_compile");
}

#[test]
fn a_refused_plugin_leaves_those_that_are_loaded_alone() {
    let sandbox = with(patient());
    let digest = crate::load(&sandbox, &deny_all());
    sandbox.load(b"rubbish").unwrap_err();
    assert!(sandbox.is_loaded(&digest));
    assert_eq!(sandbox.info(&digest).unwrap().manifest.name, "guest");
}
