//! Other programs, run with their output in sight.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// The plugins' own workspace, relative to the repository.
pub(crate) const PLUGINS_MANIFEST: &str = "plugins/Cargo.toml";

/// The cargo that runs us, in the repository's folder.
pub(crate) fn cargo(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(args);
    command
}

/// Run to the end with the output passed through; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = announce(command);
    let status = command.status().with_context(|| format!("could not start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// Like [`run`], and hands each line of standard output to `line` after printing it.
pub(crate) fn run_lines(command: &mut Command, mut line: impl FnMut(&str)) -> anyhow::Result<()> {
    let shown = announce(command);
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("could not start `{shown}`"))?;
    let mut output = BufReader::new(child.stdout.take().context("standard output is piped")?);
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes)? > 0 {
        std::io::stdout().write_all(&bytes)?;
        std::io::stdout().flush()?;
        line(&String::from_utf8_lossy(&bytes));
        bytes.clear();
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// The standard output of a command that succeeds, without a word to the terminal.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let shown = shown(command);
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("could not start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` ended with {}", output.status);
    }
    Ok(output.stdout)
}

/// Whether a program is there at all and answers this question with success.
pub(crate) fn answers(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// On standard error, since a command's own standard output may be data.
fn announce(command: &Command) -> String {
    let shown = shown(command);
    eprintln!("$ {shown}");
    shown
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
