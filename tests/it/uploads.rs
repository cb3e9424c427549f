//! Plugins as they are uploaded: compiled by a process of their own, and refused with a reason when they are not as they must be.
//! Whichever way they came, what is refused leaves nothing.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use redress::cli::{self, Exit, Out};
use redress::engine::log;
use redress::keys::Role;
use redress::publish::plugins;
use redress_domain::clock::Instant;
use redress_sandbox::{Compiler, Config, Limits, Sandbox};
use redress_tests::corpus::{UploadKind, bombs, uploads};
use redress_tests::guests::integer_step;
use redress_tests::serving::{Hand, opened, serving};
use redress_tests::web::Web;
use redress_tests::world::{START, World};

/// The program that is under test, as a process.
const BINARY: &str = env!("CARGO_BIN_EXE_redress-under-test");

/// Runs a command in this process.
fn run(words: &[&str]) -> (Exit, String, String) {
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let words = ["redress"].iter().chain(words).map(OsString::from);
    let exit = cli::run(words, &mut Out::new(&mut data, &mut talk));
    (exit, String::from_utf8_lossy(&data).into_owned(), String::from_utf8_lossy(&talk).into_owned())
}

/// Makes a data folder with the tenant `shop`.
fn shop(folder: &Path) -> anyhow::Result<()> {
    let facts = ["--zone", "Europe/London", "--currency", "GBP", "--locale", "en", "--jurisdiction", "UK"];
    let (exit, data, talk) =
        run(&[&["tenant", "create", "shop", "--data", &folder.display().to_string()], &facts[..]].concat());
    ensure!(exit == Exit::Done, "{data}{talk}");
    Ok(())
}

fn binary() -> Command {
    Command::new(BINARY)
}

/// Every file below a folder with its size.
fn files(folder: &Path) -> anyhow::Result<BTreeMap<PathBuf, u64>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.insert(entry.path(), entry.metadata()?.len());
        }
    }
    Ok(found)
}

/// Those of the corpus that the command line is tried with: one of each sort.
fn some_uploads() -> Vec<UploadKind> {
    const NAMES: [&str; 24] = [
        "nothing",
        "a text",
        "a gzip file",
        "a zip file",
        "a program",
        "a module without the contract's types",
        "2 MiB and one byte",
        "the first half",
        "one bit flipped in a section's kind",
        "a section of 4 GiB",
        "the environment",
        "the network",
        "an interface that nobody knows",
        "a newer contract",
        "an export of a newer contract",
        "another record under the right name",
        "a component without anything",
        "no manifest",
        "two manifests",
        "a manifest with a wish for the network",
        "a manifest that names another hook",
        "100,000 functions",
        "names of 300 KiB",
        "nine instances",
    ];
    let all = uploads();
    let named = |name: &&str| all.iter().find(|kind| kind.name == *name).cloned();
    let some: Vec<UploadKind> = NAMES.iter().filter_map(named).collect();
    assert_eq!(some.len(), NAMES.len(), "a name is not in the corpus");
    some
}

#[tokio::test]
async fn every_wrong_upload_is_refused_over_http_and_nothing_of_it_is_kept() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = world.bare_merchant("acme")?;
    let web = Web::of(&world)?;
    let admin = web.key(merchant.engine.record().id, Role::Admin)?;
    let objects = world.folder().context("a folder of its own")?.join("objects");
    let kept = || anyhow::Ok((files(&objects)?, plugins::list(&merchant.engine)?, log::read(&merchant.engine)?));
    let before = kept()?;
    let mut wrong = Vec::new();
    for UploadKind { name, bytes, ends } in uploads() {
        let got = web.ask("PUT", "/v1/plugins/odd").by(&admin).raw("application/wasm", &bytes).send().await;
        // What is larger than any plugin is not even read.
        let expected =
            if bytes.len() > 24 << 20 { (413, "body_too_large") } else { (422, ends.unwrap_or("it is taken")) };
        let detail = got.json()["detail"].as_str().unwrap_or_default().to_owned();
        if got.problem() != (expected.0, expected.1.to_owned()) || detail.len() < 15 {
            wrong.push(format!("{name}: {:?} in place of {expected:?}, {detail:?}", got.problem()));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    ensure!(kept()? == before, "something was kept");
    ensure!(merchant.engine.sandbox().loaded() < 20, "something stays loaded");
    Ok(())
}

#[tokio::test]
async fn a_bomb_is_refused_over_http_as_what_it_is() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let limits = Limits {
        compile_cpu_seconds_max: 1,
        compile_memory_bytes_max: 96 << 20,
        compile_wall_clock_ms: 120_000,
        ..Limits::default()
    };
    let compiler = Compiler::Child { program: PathBuf::from(BINARY), args: vec!["sandbox-compile".into()] };
    let sandbox = Sandbox::new(Config { limits, compiler, ..Config::default() })?;
    let world = World::with_sandbox(folder.path(), sandbox, Instant::from_unix_ms(START))?;
    let merchant = world.bare_merchant("acme")?;
    let web = Web::of(&world)?;
    let admin = web.key(merchant.engine.record().id, Role::Admin)?;
    let before = (files(&folder.path().join("objects"))?, log::read(&merchant.engine)?);
    for (bomb, code) in [
        ("9,000 functions", "upload_compile_timeout"),
        ("12,000 locals in 200 nested loops", "upload_compile_memory"),
        ("one function of 2 MiB", "upload_too_large"),
    ] {
        let bytes = bombs::all().iter().find(|one| one.name == bomb).context(bomb)?.bytes();
        let got = web.ask("PUT", "/v1/plugins/odd").by(&admin).raw("application/wasm", &bytes).send().await;
        ensure!(got.problem() == (422, code.to_owned()), "{bomb}: {}", got.json());
    }
    ensure!((files(&folder.path().join("objects"))?, log::read(&merchant.engine)?) == before, "something was kept");
    Ok(())
}

#[test]
fn every_sort_of_wrong_upload_is_refused_on_the_command_line_and_through_a_host() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    shop(&data)?;
    let here = ["--data".to_owned(), data.display().to_string(), "--tenant".to_owned(), "shop".to_owned()];
    let key = keyed(folder.path(), &here)?;
    let kinds = some_uploads();
    let file = folder.path().join("odd.wasm").display().to_string();
    let push = |bytes: &[u8], at: &[String]| {
        std::fs::write(&file, bytes)?;
        let words = ["plugin", "push", &file, "--name", "odd"].map(str::to_owned);
        let words: Vec<String> = words.iter().chain(at).cloned().collect();
        anyhow::Ok(run(&words.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    let mut wrong = Vec::new();
    let mut look = |way: &str, kind: &UploadKind, (exit, data, talk): (Exit, String, String)| {
        let code = format!("error[{}]", kind.ends.unwrap_or("it is taken"));
        if exit != Exit::Invalid || !data.is_empty() || !talk.contains(&code) || !talk.contains("help: ") {
            wrong.push(format!("{}, {way}: {exit:?} in place of {code}\n{data}{talk}", kind.name));
        }
    };
    let before = files(&data.join("objects"))?;
    for kind in &kinds {
        look("on the data folder", kind, push(&kind.bytes, &here)?);
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let host = opened(&data, &Hand::new())?;
    let serving = runtime.block_on(serving(&host, Default::default(), axum::Router::new()))?;
    let there = ["--server".to_owned(), format!("http://{}", serving.address()), "--key-file".to_owned(), key];
    for kind in &kinds {
        look("through a host", kind, push(&kind.bytes, &there)?);
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    ensure!(files(&data.join("objects"))? == before, "something was kept");
    ensure!(plugins::list(&host.app.engine("shop")?)?.is_empty());
    Ok(())
}

/// The file of an admin's key.
fn keyed(folder: &Path, here: &[String]) -> anyhow::Result<String> {
    let words = ["key", "create", "--role", "admin", "--name", "admin", "--output", "json"].map(str::to_owned);
    let words: Vec<String> = words.iter().chain(here).cloned().collect();
    let (exit, data, talk) = run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    ensure!(exit == Exit::Done, "{data}{talk}");
    let made: serde_json::Value = serde_json::from_str(&data)?;
    let path = folder.join("admin.key");
    std::fs::write(&path, made["secret"].as_str().context("a secret")?)?;
    Ok(path.display().to_string())
}

#[test]
fn the_binary_compiles_what_it_is_sent_in_a_process_of_its_own() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    shop(&data)?;
    let file = folder.path().join("rule.wasm");
    std::fs::write(&file, integer_step("n", "(i64.const 1)").component()?)?;
    let mut push = binary();
    push.args(["plugin", "push", "--name", "rule", "--tenant", "shop", "-v", "--data"]).arg(&data).arg(&file);
    let pushed = push.output()?;
    let (told, talk) = (String::from_utf8_lossy(&pushed.stdout), String::from_utf8_lossy(&pushed.stderr));
    ensure!(pushed.status.success() && told.contains("rule@0"), "{told}{talk}");
    let compiled: Vec<&str> = talk.lines().filter(|line| line.contains("was compiled")).collect();
    ensure!(compiled.iter().any(|line| line.contains("a process of its own")), "{talk}");
    Ok(())
}

#[test]
fn the_process_that_compiles_is_no_command_for_people() -> anyhow::Result<()> {
    let (_, help, _) = run(&["--help"]);
    ensure!(!help.contains("sandbox"), "{help}");
    let (exit, ..) = run(&["sandbox-compile"]);
    ensure!(exit == Exit::Usage);
    let asked = binary().arg("sandbox-compile").stdin(Stdio::null()).output()?;
    ensure!(asked.status.code() == Some(1) && asked.stdout.is_empty(), "{asked:?}");
    Ok(())
}
