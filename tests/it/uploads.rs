//! Plugins as they are uploaded: compiled by a process of their own, and refused with a reason when they are not as they must be.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::ensure;
use redress::cli::{self, Exit, Out};
use redress_tests::guests::integer_step;

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
    Command::new(env!("CARGO_BIN_EXE_redress-under-test"))
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
