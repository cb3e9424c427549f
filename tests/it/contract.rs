//! The plugin contract: its reference is written from the WIT, its text does not change unnoticed, and what was built against it goes on
//! working.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use redress_sandbox::conformance::{Case, Plan, check, outcome};
use redress_sandbox::{Class, Config, Hook, Limits, Sandbox};
use redress_tests::guests::CONTRACT;
use serde_json::json;
use wit_parser::{Resolve, Type, TypeDefKind};

/// The contract without its comments, which may become better. Before 1.0 a change here is a new version of the package, new
/// guests beside these, and a line in CHANGELOG.md; from 1.0 on it is a new package beside this one.
const SHAPE: &str = "3f1da939e94a21235ca691d8b9e1678ca2b37b7eaf347082932f86c398aa7d25";
const BEGIN: &str = "<!-- contract: written from the WIT by its test -->\n";
const END: &str = "<!-- end of the contract -->\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn resolve() -> anyhow::Result<Resolve> {
    let mut resolve = Resolve::default();
    resolve.push_source("types.wit", CONTRACT)?;
    Ok(resolve)
}

/// A type as the reference writes it.
fn name(resolve: &Resolve, ty: Type) -> String {
    let Type::Id(id) = ty else { return format!("{ty:?}").to_lowercase() };
    let def = &resolve.types[id];
    match (&def.name, &def.kind) {
        (_, TypeDefKind::Option(inner)) => format!("{}, or nothing", name(resolve, *inner)),
        (_, TypeDefKind::List(inner)) => format!("list of {}", name(resolve, *inner)),
        (Some(name), _) => format!("[{name}](#{name})"),
        _ => String::from("?"),
    }
}

fn docs(text: Option<&String>) -> String {
    text.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default()
}

/// A table of every record, enum and variant of the contract, in its order.
fn types(resolve: &Resolve) -> anyhow::Result<String> {
    let (_, types) =
        resolve.interfaces.iter().find(|(_, one)| one.name.as_deref() == Some("types")).context("types")?;
    let mut text = String::new();
    for id in types.types.values() {
        let def = &resolve.types[*id];
        writeln!(text, "### {}\n", def.name.as_deref().unwrap_or_default())?;
        let said = docs(def.docs.contents.as_ref());
        if !said.is_empty() {
            writeln!(text, "{said}\n")?;
        }
        match &def.kind {
            TypeDefKind::Record(record) => {
                writeln!(text, "| field | type | |\n| --- | --- | --- |")?;
                for field in &record.fields {
                    let (ty, said) = (name(resolve, field.ty), docs(field.docs.contents.as_ref()));
                    writeln!(text, "| `{}` | {ty} | {said} |", field.name.replace('-', "_"))?;
                }
            }
            TypeDefKind::Enum(kinds) => {
                let names: Vec<_> = kinds.cases.iter().map(|one| format!("`{}`", one.name.replace('-', "_"))).collect();
                writeln!(text, "One of {}.", names.join(", "))?;
            }
            TypeDefKind::Variant(variant) => {
                let case = |one: &wit_parser::Case| {
                    let of = one.ty.map(|ty| format!(" ({})", name(resolve, ty))).unwrap_or_default();
                    format!("`{}`{of}", one.name.replace('-', "_"))
                };
                writeln!(text, "One of {}.", variant.cases.iter().map(case).collect::<Vec<_>>().join(", "))?;
            }
            _ => {}
        }
        text.push('\n');
    }
    Ok(text)
}

fn hooks(resolve: &Resolve) -> anyhow::Result<String> {
    let mut text = String::from("| hook | function | takes | gives | |\n| --- | --- | --- | --- | --- |\n");
    for hook in Hook::ALL {
        let (_, interface) =
            resolve.interfaces.iter().find(|(_, one)| one.name.as_deref() == Some(hook.name())).context("a hook")?;
        let request = if hook == Hook::Step { "step-request" } else { "request" };
        let answer = match hook {
            Hook::Eligibility | Hook::Compliance => "verdict",
            Hook::Refund => "quote",
            Hook::Step => "step-answer",
        };
        let said = docs(interface.docs.contents.as_ref());
        writeln!(
            text,
            "| `{hook}` | `{}` | [{request}](#{request}) | [{answer}](#{answer}), or [failure](#failure) | {said} |",
            hook.function()
        )?;
    }
    Ok(text + "\n")
}

/// One of the limits.
type Of<'a> = &'a dyn Fn(&Limits) -> u64;

/// The limits of both classes, beside each other.
fn limits() -> String {
    let [compiled, interpreter] = [Limits::default(), Limits::interpreter()];
    let row = |what: &str, of: Of<'_>| format!("| {what} | {} | {} |\n", of(&compiled), of(&interpreter));
    let rows: [(&str, Of<'_>); 16] = [
        ("bytes of an upload", &|limits| limits.upload_bytes_max as u64),
        ("bytes of the manifest", &|limits| limits.manifest_bytes_max as u64),
        ("functions", &|limits| limits.functions_max as u64),
        ("bytes of data segments", &|limits| limits.data_bytes_max as u64),
        ("fuel of a call", &|limits| limits.fuel),
        ("case lines that earn that fuel once more", &|limits| limits.fuel_lines),
        ("wall clock of a call, in ms", &|limits| limits.wall_clock_ms),
        ("bytes of memory", &|limits| limits.memory_bytes_max as u64),
        ("bytes of a request", &|limits| limits.request_bytes_max as u64),
        ("purchases of a request", &|limits| limits.purchases_max as u64),
        ("bytes of an answer", &|limits| limits.answer_bytes_max as u64),
        ("entries of an open bag", &|limits| limits.bag_entries_max as u64),
        ("characters of a text in an answer", &|limits| limits.string_chars_max as u64),
        ("takes of a line", &|limits| limits.takes_max as u64),
        ("reasons of a line", &|limits| limits.line_reasons_max as u64),
        ("log lines of a call", &|limits| limits.log_lines_max as u64),
    ];
    let rows: String = rows.iter().map(|(what, of)| row(what, of)).collect();
    format!("| most | `compiled` | `interpreter` |\n| --- | --- | --- |\n{rows}\n")
}

#[test]
fn the_reference_of_the_contract_is_what_the_contract_says() -> anyhow::Result<()> {
    let file = root().join("docs/plugin-contract.md");
    let page = std::fs::read_to_string(&file)?;
    let (before, rest) = page.split_once(BEGIN).context("where the contract begins")?;
    let (_, after) = rest.split_once(END).context("where it ends")?;
    let resolve = resolve()?;
    let written =
        format!("## Hooks\n\n{}## Limits\n\n{}## Records\n\n{}", hooks(&resolve)?, limits(), types(&resolve)?);
    let wanted = format!("{before}{BEGIN}{written}{END}{after}");
    if std::env::var_os("REDRESS_BLESS").is_some() {
        std::fs::write(&file, &wanted)?;
        return Ok(());
    }
    ensure!(page == wanted, "docs/plugin-contract.md is not what the WIT says: REDRESS_BLESS=1 writes it");
    Ok(())
}

/// The contract as compilers see it.
fn shape() -> String {
    let code = CONTRACT.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    let words = code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    redress_domain::ids::Digest::of(words.as_bytes()).to_string()
}

#[test]
fn the_contract_does_not_change_unnoticed() {
    assert_eq!(
        shape(),
        SHAPE,
        "the contract changed: what was built against it no longer fits; see the comment at SHAPE"
    );
}

/// Guests that were built with a released SDK. They are kept as they are: what they were built from is the templates of that time
/// (`plugin-sdk/templates/rust/src`, and those in C of the folders that end in `-c`), and building them again would prove nothing.
#[test]
fn what_was_built_with_an_sdk_of_the_past_goes_on_working() -> anyhow::Result<()> {
    let limits = Limits { wall_clock_ms: 60_000, ..Limits::default() };
    let sandbox = Sandbox::new(Config { limits, ..Config::default() })?;
    let folder = root().join("tests/fixtures/guests");
    let mut asked = 0;
    for version in folder.read_dir()? {
        let version = version?.path();
        for hook in Hook::ALL {
            let guest = version.join(format!("{hook}.wasm"));
            let plugin = sandbox.load(&std::fs::read(&guest).with_context(|| guest.display().to_string())?)?;
            assert_eq!((&plugin.hooks[..], plugin.manifest.class), (&[hook][..], Class::Compiled));
            let report = check(&sandbox, &plugin, &Plan { generated: 20, ..Plan::new(3, &[]) });
            ensure!(report.findings.is_empty(), "{}", serde_json::to_string_pretty(&report)?);
            let case = Case::parse("kept", &std::fs::read_to_string(version.join(format!("{hook}.json")))?)
                .map_err(|mistakes| anyhow::anyhow!("{mistakes:?}"))?;
            let ended = sandbox.attempt(&plugin.digest, case.question.call());
            let expected = case.expect.context("what it answered then")?;
            assert_eq!(expected.difference(hook, &ended), None, "{}", json!(outcome(hook, &ended)));
            asked += 1;
        }
    }
    ensure!(asked >= 4);
    Ok(())
}
