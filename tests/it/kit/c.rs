//! Projects in C: they build with clang alone, keep every rule, and answer as those in Rust do. They take no time, so that every hook
//! is built wherever clang is.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use redress::cli::Exit;
use redress_domain::money::Currency;
use redress_sandbox::Hook;
use redress_tests::world::World;
use serde_json::{Value as Json, json};

use super::projects::{built, project};
use super::{json_of, plugin};

/// Guests in Rust, built of the templates that those in C do the same as.
const GUESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/guests/0.1.0");

/// Whether there is a clang; else it is said that nothing was tried.
pub(super) fn clang() -> anyhow::Result<bool> {
    let there = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
    let both = there("clang") && there("wasm-ld");
    if !both {
        // Straight to the stream: what a passing test prints by macro nobody sees.
        writeln!(std::io::stderr(), "SKIPPED: plugins in C: apt-get install clang lld")?;
    }
    Ok(both)
}

/// A project of a hook, built and held to every rule, and the file that came of it.
fn of(folder: &Path, hook: Hook) -> anyhow::Result<(Json, PathBuf)> {
    let project = project(folder, hook, "c")?;
    let flags = project.join("compile_flags.txt");
    // What is handed out has no warnings.
    fs::write(&flags, fs::read_to_string(&flags)? + "-Werror\n")?;
    let built = built(&project)?;
    let file = PathBuf::from(built["file"].as_str().context("a file")?);
    Ok((built, file))
}

#[test]
fn a_new_plugin_in_c_of_every_hook_builds_keeps_every_rule_and_answers_as_one_in_rust_does() -> anyhow::Result<()> {
    if !clang()? {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    for hook in Hook::ALL {
        let (built, file) = of(folder.path(), hook)?;
        ensure!(built["bytes"].as_u64().is_some_and(|bytes| bytes < 20_000), "{built}");
        let rust = Path::new(GUESTS).join(format!("{hook}.wasm"));
        let cases = folder.path().join(format!("cases-{hook}"));
        fs::create_dir(&cases)?;
        for (name, request) in awkward(hook) {
            fs::write(cases.join(format!("{name}.json")), json!({ "hook": hook, "request": request }).to_string())?;
        }
        let words = [&rust, &file, &cases].map(|path| path.display().to_string());
        let (exit, diff) = json_of(&["diff", &words[0], &words[1], "--cases", &words[2]])?;
        assert_eq!((exit, &diff["differences"]), (Exit::Done, &json!([])), "{hook}");
        ensure!(diff["cases"].as_u64().is_some_and(|cases| cases > 4), "{diff}");
    }
    Ok(())
}

/// Questions that arithmetic and memory in C would get wrong first.
fn awkward(hook: Hook) -> Vec<(String, Json)> {
    match hook {
        Hook::Eligibility => vec![
            ("none".to_owned(), json!({ "args": { "most": 0 }, "lines": [{ "sku": "A" }] })),
            ("type".to_owned(), json!({ "args": { "most": "three" }, "lines": [{ "sku": "A" }] })),
        ],
        Hook::Compliance => vec![
            ("type".to_owned(), json!({ "lines": [{ "sku": "A", "attributes": { "recalled": "yes" } }] })),
            (
                "key".to_owned(),
                json!({ "lines": [{ "sku": "A", "attributes": { "recalled_by": "maker", "recall": 1 } }] }),
            ),
        ],
        Hook::Step => [
            ("missing", json!({})),
            ("type", json!({ "days": true })),
            ("early", json!({ "days": -3, "most": 4 })),
            ("longest", json!({ "days": i64::MAX, "most": -1 })),
            ("shortest", json!({ "days": i64::MIN, "most": 1 })),
        ]
        .map(|(name, args)| (name.to_owned(), json!({ "args": args })))
        .to_vec(),
        Hook::Refund => refunds(),
    }
}

/// Prices that are hard to cut to minor units, and takes that are not what they should be.
fn refunds() -> Vec<(String, Json)> {
    let prices = [
        ("half-up", "0.125", 1, "EUR"),
        ("under-half", "0.12499999999999999", 1, "EUR"),
        ("half-of-many", "33.335", 3, "USD"),
        ("away-from-zero", "-0.125", 1, "EUR"),
        ("nines-carry", "99999999999.99999", 1, "EUR"),
        ("no-places", "1234.5", 3, "JPY"),
        ("three-places", "1.2345", 7, "BHD"),
        ("four-places", "12", 5, "CLF"),
        ("most-digits", "9.223372036854775807", 4_000_000_000_u32, "GBP"),
        ("most-money", "92233720368547758.07", 1, "EUR"),
        ("a-cent-too-much", "9223372036854775807", 2, "JPY"),
        ("far-too-much", "9223372036854775807", 4_000_000_000, "TND"),
        // Powers of two, of which nothing is left where the bits above 63, 64 and 96 are forgotten.
        ("two-to-the-63rd", "4611686018427387904", 2, "JPY"),
        ("two-to-the-64th", "4611686018427387904", 4, "JPY"),
        ("two-to-the-96th", "4611686018427387904", 1 << 31, "TND"),
    ];
    let of_price = |(name, price, quantity, currency): (&str, &str, u32, &str)| {
        (name.to_owned(), taken(&[bought("1", 7, price, quantity, currency)], &[("1", 7, quantity)]))
    };
    let mut cases: Vec<_> = prices.into_iter().map(of_price).collect();
    let open = |left: i64| {
        let mut purchase = bought("1", 7, "0.01", 1, "EUR");
        purchase["refunded"] = json!({ "minor": i64::MAX - left, "currency": "EUR" });
        taken(&[purchase], &[("1", 7, 1)])
    };
    let mut denied = open(1);
    let later = json!({ "verdict": { "lines": [{ "line": 0, "remedy": "deny" }] } });
    denied["earlier"].as_array_mut().into_iter().for_each(|earlier| earlier.push(later.clone()));
    let mut twice = taken(&[bought("1", 7, "0.01", 2, "EUR")], &[("1", 7, 1), ("1", 7, 1)]);
    twice["purchases"][0]["paid"] = json!({ "minor": 1, "currency": "EUR" });
    // Those of a pair are looked for at one place of the index.
    let lines = [bought("1", 3, "1", 1, "EUR"), bought("1", 7, "2", 1, "EUR")];
    let orders = [bought("1", 7, "1", 1, "EUR"), bought("5", 7, "2", 1, "EUR")];
    let others = [
        ("every-currency", every_currency()),
        ("nothing-open", open(0)),
        ("a-cent-open", open(1)),
        ("denied-later", denied),
        ("spent-before", twice),
        ("another-line", taken(&lines, &[("1", 7, 1), ("1", 3, 1)])),
        ("another-order", taken(&orders, &[("5", 7, 1), ("1", 7, 1)])),
        ("unknown-line", taken(&lines, &[("1", 4, 1)])),
        ("unknown-order", taken(&orders, &[("12", 4_294_967_295, 1)])),
    ];
    cases.extend(others.map(|(name, request)| (name.to_owned(), request)));
    cases
}

/// A unit of each currency, at a price with more places than any of them has.
fn every_currency() -> Json {
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|one| letters().flat_map(move |two| letters().map(move |last| [one, two, last])));
    let codes: Vec<String> = codes.map(String::from_iter).filter(|code| code.parse::<Currency>().is_ok()).collect();
    let purchases: Vec<_> = codes.iter().map(|code| bought(code, 0, "1.23456", 1, code)).collect();
    let takes: Vec<_> = codes.iter().map(|code| (code.as_str(), 0, 1)).collect();
    taken(&purchases, &takes)
}

/// An order line of which everything may come back.
fn bought(order: &str, line: u32, price: &str, quantity: u32, currency: &str) -> Json {
    json!({
        "order": order, "line": line, "sku": "A", "quantity": quantity, "left": quantity, "unit_price": price,
        "paid": { "minor": i64::MAX, "currency": currency }, "refunded": { "minor": 0, "currency": currency },
    })
}

/// A request in which so many of these order lines were taken back before.
fn taken(purchases: &[Json], takes: &[(&str, u32, u32)]) -> Json {
    let quantity: u32 = takes.iter().map(|take| take.2).sum();
    let takes: Vec<_> = takes
        .iter()
        .map(|(order, line, quantity)| json!({ "order": order, "line": line, "quantity": quantity }))
        .collect();
    json!({
        "lines": [{ "sku": "A", "quantity": quantity }],
        "purchases": purchases,
        "earlier": [{ "verdict": { "lines": [{ "line": 0, "remedy": "allow", "quantity": quantity, "takes": takes }] } }],
    })
}

#[test]
fn a_fee_above_the_price_is_found_where_the_manifest_says_what_an_attribute_is() -> anyhow::Result<()> {
    if !clang()? {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let project = project(folder.path(), Hook::Refund, "c")?;
    let source = fs::read_to_string(project.join("plugin.c"))?;
    let fee = "const redress_money_t *fee;
            if (!find_money(&request->lines.ptr[i].attributes, \"fee\", &fee, failure)) return false;
            if (fee != NULL) quote->lines.ptr[quote->lines.len].parts.ptr[0].amount.minor -= fee->minor;
            quote->lines.len++;";
    fs::write(project.join("plugin.c"), source.replace("quote->lines.len++;", fee))?;
    let checked = |attributes: &Json| {
        let mut manifest: Json = serde_json::from_str(&fs::read_to_string(project.join("plugin.json"))?)?;
        manifest["attributes"] = attributes.clone();
        fs::write(project.join("plugin.json"), manifest.to_string())?;
        let built = json_of(&["build", &project.display().to_string(), "--offline"])?.1;
        let file = built["file"].as_str().with_context(|| built.to_string())?;
        assert_eq!(&json_of(&["inspect", file])?.1["manifest"]["attributes"], attributes);
        let (exit, report) = json_of(&["check", file])?;
        let conserving = report["rules"].as_array().into_iter().flatten().find(|rule| rule["rule"] == "conserving");
        Ok::<_, anyhow::Error>((exit, conserving.and_then(|rule| rule["broken"].as_u64()).context("a number")?))
    };
    // By its name alone it is hardly ever money.
    let (_, rarely) = checked(&json!(["fee"]))?;
    let (exit, often) = checked(&json!({ "fee": "money" }))?;
    assert_eq!(exit, Exit::Invalid);
    ensure!(rarely < 4 && often > 8, "found in {rarely} and in {often} cases");
    Ok(())
}

#[test]
fn a_plugin_in_c_is_the_same_whenever_it_is_built_and_a_host_takes_it() -> anyhow::Result<()> {
    if !clang()? {
        return Ok(());
    }
    let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
    let (one, file) = of(folders[0].path(), Hook::Refund)?;
    let (other, _) = of(folders[1].path(), Hook::Refund)?;
    assert_eq!(one["digest"], other["digest"]);
    let word = file.display().to_string();
    let shown = json_of(&["inspect", &word])?.1;
    assert_eq!(shown["shape"]["imports"], json!(["redress:plugin/types@0.1.0"]));
    let sdk = format!("redress {} clang", env!("CARGO_PKG_VERSION"));
    // It brings no interpreter, which would be said.
    assert_eq!((&shown["manifest"]["sdk"], &shown["manifest"]["class"]), (&json!(sdk), &Json::Null));
    let pushed = World::new()?.bare_merchant("acme")?.push("a-rule", &fs::read(&file)?)?;
    assert_eq!(pushed.plugin, "a-rule@0");
    Ok(())
}

#[test]
fn a_mistake_in_c_is_shown_as_clang_tells_it_and_no_component_is_written() -> anyhow::Result<()> {
    if !clang()? {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let project = project(folder.path(), Hook::Step, "c")?;
    let source = project.join("plugin.c");
    let good = fs::read_to_string(&source)?;
    // Of an earlier build, which the source said something else for.
    built(&project)?;
    let component = project.join("build/a-rule-step.wasm");
    ensure!(component.is_file());
    for (wrong, told) in [
        (good.replace("return true;", "return tru;"), "plugin.c:"),
        // What only a library has is not there.
        (good.replace("days > most", "days > most && getpid() > 1"), "undefined symbol: getpid"),
    ] {
        fs::write(&source, wrong)?;
        let ran = plugin(&["build", &project.display().to_string(), "--offline"]);
        assert_eq!(ran.exit, Exit::Invalid);
        ensure!(ran.talk.contains(told) && ran.talk.contains("error[plugin_not_built]"), "{}", ran.talk);
        ensure!(!component.exists());
    }
    Ok(())
}

#[test]
fn a_clang_or_a_linker_that_is_missing_is_said_with_what_installs_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let project = project(folder.path(), Hook::Step, "c")?;
    let tools = folder.path().join("tools");
    fs::create_dir(&tools)?;
    let told = |missing: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_redress-under-test"));
        let ended = command.args(["plugin", "build"]).arg(&project).env("PATH", &tools).output()?;
        let talk = String::from_utf8_lossy(&ended.stderr).into_owned();
        ensure!(!ended.status.success() && talk.contains("error[tool_missing]"), "{talk}");
        ensure!(talk.contains(missing) && talk.contains("apt-get install clang lld"), "{talk}");
        anyhow::Ok(())
    };
    told("clang")?;
    // A clang without a linker says the bare name of the one that it would run.
    let clang = tools.join("clang");
    fs::write(&clang, "#!/bin/sh\necho wasm-ld\n")?;
    fs::set_permissions(&clang, fs::Permissions::from_mode(0o755))?;
    told("wasm-ld")?;
    // A manifest that no host would take is told before anything is built.
    let file = project.join("plugin.json");
    fs::write(&file, fs::read_to_string(&file)?.replace("\"step\"", "\"payment\""))?;
    let ran = plugin(&["build", &project.display().to_string(), "--offline"]);
    assert_eq!(ran.exit, Exit::Invalid);
    ensure!(ran.talk.contains("plugin.json") && ran.talk.contains("error[upload_manifest]"), "{}", ran.talk);
    Ok(())
}
