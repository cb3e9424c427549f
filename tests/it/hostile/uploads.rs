//! What is refused when it is pushed: the author is told why, and everything that was active stays.

use std::sync::Arc;

use redress::clock::FixedClock;
use redress::engine::log;
use redress::publish::{Error, plugins, workflows};
use redress_domain::clock::Instant;
use redress_sandbox::Hook;
use redress_tests::guests::{CONTRACT, Guest, counting, deny_all, taking};
use redress_tests::world::{Merchant, START, World, a_return};

use super::{a_shop, doing, endless_loop, in_place_of_match, settle_all};

/// Push what must be refused, under the name of the plugin that matches purchases; gives the code and the whole message.
fn refused(merchant: &Merchant, bytes: &[u8]) -> (&'static str, String) {
    let error = merchant.push("purchase-match", bytes).expect_err("it must be refused");
    let code = error.downcast_ref::<Error>().expect("an error of publishing").code();
    (code, format!("{error:#}"))
}

/// Everything that publishing changes.
fn published(merchant: &Merchant) -> anyhow::Result<impl PartialEq + std::fmt::Debug + use<>> {
    let engine = &merchant.engine;
    let active: Vec<_> = engine.registry().active().iter().map(|one| one.revision).collect();
    Ok((plugins::list(engine)?, workflows::list(engine)?, workflows::actives(engine)?, log::read(engine)?, active))
}

fn importing(package: &str, interface: &str, wat: &str) -> anyhow::Result<Vec<u8>> {
    Guest::new(Hook::Eligibility).import(package, interface, wat).component()
}

#[test]
fn an_upload_that_is_refused_changes_nothing() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_shop(&world, "acme")?;
    let before = published(&merchant)?;

    let files = importing(
        "package wasi:cli@0.2.0; interface environment { get-environment: func() -> list<tuple<string, string>>; }",
        "wasi:cli/environment@0.2.0",
        r#"(import "wasi:cli/environment@0.2.0" "get-environment" (func (param i32)))"#,
    )?;
    let phone = importing(
        "package evil:corp@1.0.0; interface phone { home: func(); }",
        "evil:corp/phone@1.0.0",
        r#"(import "evil:corp/phone@1.0.0" "home" (func))"#,
    )?;
    let next_contract = deny_all().contract(&CONTRACT.replacen("@0.1.0", "@0.2.0", 1)).component()?;
    let liar = r#"{"name":"a","version":"0.1.0","sdk":"x","hooks":["eligibility","refund"]}"#;
    let uploads: Vec<(Vec<u8>, &str, &str)> = vec![
        (files, "upload_forbidden_import", "wasi:cli/environment@0.2.0"),
        (phone, "upload_forbidden_import", "evil:corp/phone@1.0.0"),
        (next_contract, "upload_forbidden_import", "redress:plugin@0.1.0"),
        (b"hello".to_vec(), "upload_not_wasm", "not WebAssembly"),
        (b"\x7fELF\x02\x01\x01\0".to_vec(), "upload_precompiled", "machine code"),
        (b"\0asm\x01\0\0\0".to_vec(), "upload_core_module", "core module"),
        (deny_all().component()?[..200].to_vec(), "upload_malformed", "valid component"),
        (vec![0; 3 << 20], "upload_too_large", "at most 2097152"),
        (
            doing(Hook::Eligibility, "unreachable").memory("(memory (export \"memory\") 65536)").component()?,
            "upload_too_many",
            "bytes of memory",
        ),
        (deny_all().manifest(liar).component()?, "upload_hooks_disagree", "Refund"),
        (deny_all().manifest("{}").component()?, "upload_manifest", "manifest"),
    ];
    for (bytes, code, says) in uploads {
        let (found, message) = refused(&merchant, &bytes);
        assert_eq!(found, code, "{message}");
        assert!(message.contains(says), "{message}");
    }
    assert_eq!(published(&merchant)?, before);
    let case = settle_all(&merchant, merchant.open(a_return("c1", &[("A1", 2)])?)?.case)?;
    assert_eq!(case.result.as_deref(), Some("refunded"));
    Ok(())
}

#[test]
fn a_plugin_that_a_workflow_could_not_call_is_refused_before_it_is_active() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_shop(&world, "acme")?;
    let before = published(&merchant)?;
    // It answers another question than the one it replaces.
    let (code, message) = refused(&merchant, &counting().component()?);
    assert_eq!(code, "plugin_breaks_workflow");
    assert!(message.contains("plain-return"), "{message}");
    // It does not know the parameter that it is given.
    assert_eq!(refused(&merchant, &deny_all().component()?).0, "plugin_breaks_workflow");
    assert_eq!(published(&merchant)?, before);
    Ok(())
}

#[test]
fn a_core_module_is_made_a_component_and_known_by_its_digest() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_shop(&world, "acme")?;
    let manifest = r#"{"name":"purchase-match","version":"0.1.0","sdk":"test","hooks":["eligibility"],
        "params":{"window_days":{"type":"integer"}}}"#;
    let guest = deny_all().manifest(manifest);
    let component = guest.component()?;
    let pushed = merchant.push("purchase-match", &guest.module()?)?;
    assert_eq!(pushed.digest, redress_domain::ids::Digest::of(&component));
    // The same plugin, whichever way it comes; and what was kept is the component, to be loaded again.
    assert_eq!(merchant.push("purchase-match", &component)?, pushed);
    assert!(merchant.engine.sandbox().unload(pushed.digest.bytes()));
    let case = merchant.case(merchant.open(a_return("c1", &[("A1", 2)])?)?.case)?;
    assert_eq!(case.result.as_deref(), Some("denied"));
    Ok(())
}

#[test]
fn a_plugin_that_breaks_a_rule_when_it_is_tried_is_refused_with_rule_and_case() -> anyhow::Result<()> {
    let (folder, clock) = (tempfile::tempdir()?, Arc::new(FixedClock::at(Instant::from_unix_ms(START))));
    let world = World::started_on(folder.path(), &clock)?;
    let merchant = a_shop(&world, "acme")?;
    let before = published(&merchant)?;
    let manifest = |guest: Guest| {
        guest.manifest(
            r#"{"name":"purchase-match","version":"0.1.0","sdk":"test","hooks":["eligibility"],
            "params":{"window_days":{"type":"integer"}}}"#,
        )
    };
    for (guest, says) in [
        (doing(Hook::Eligibility, "unreachable"), "broke the rule total when it was asked about the case no_lines"),
        (endless_loop(), "broke the rule total"),
        // It answers about a line that nobody asked about.
        (taking(5), "lines 1, at most 0"),
    ] {
        let (code, message) = refused(&merchant, &manifest(guest).component()?);
        assert_eq!(code, "upload_dry_run", "{message}");
        assert!(message.contains(says), "{message}");
    }
    assert_eq!(published(&merchant)?, before);
    merchant.push("purchase-match", &manifest(deny_all()).component()?)?;
    Ok(())
}

#[test]
fn what_is_active_is_not_pushed_twice() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_shop(&world, "acme")?;
    let other = in_place_of_match(deny_all())?;
    let pushed = merchant.push("purchase-match", &other)?;
    let before = published(&merchant)?;
    assert_eq!(merchant.push("purchase-match", &other)?, pushed);
    assert_eq!(published(&merchant)?, before);
    Ok(())
}

#[test]
fn a_merchant_cannot_push_in_the_name_of_the_house() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_shop(&world, "acme")?;
    let before = published(&merchant)?;
    let good = in_place_of_match(deny_all())?;
    for name in ["std/purchase-match", "std/evil", "../evil", "Purchase-Match", "purchase-match@0", ""] {
        let error = merchant.push(name, &good).expect_err(name);
        assert_eq!(error.downcast_ref::<Error>().map(Error::code), Some("plugin_name_invalid"), "{name}");
    }
    assert_eq!(published(&merchant)?, before);
    Ok(())
}

#[test]
fn what_one_merchant_pushes_is_not_another_ones() -> anyhow::Result<()> {
    let world = World::new()?;
    let (acme, globex) = (a_shop(&world, "acme")?, a_shop(&world, "globex")?);
    let before = published(&globex)?;
    acme.push("purchase-match", &in_place_of_match(deny_all())?)?;
    assert_eq!(published(&globex)?, before);
    let denied = acme.case(acme.open(a_return("c1", &[("A1", 2)])?)?.case)?;
    assert_eq!(denied.result.as_deref(), Some("denied"));
    let refunded = settle_all(&globex, globex.open(a_return("c1", &[("A1", 2)])?)?.case)?;
    assert_eq!(refunded.result.as_deref(), Some("refunded"));
    Ok(())
}
