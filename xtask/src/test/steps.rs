//! The steps of `cargo xtask test`, in order. Adding one is a row of [`STEPS`] and a function.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use super::{Outcome, Run, Step};
use crate::shell::{self, PLUGINS_MANIFEST, cargo};
use crate::{plugins, tidy, toolchain};

/// The steps. What needs the stock plugins needs them because the server embeds them.
pub(super) const STEPS: &[Step] = &[
    Step { name: "wasm target", needs: &[], run: wasm_target },
    Step { name: "plugins", needs: &["wasm target"], run: build_plugins },
    Step { name: "fmt", needs: &[], run: fmt },
    Step { name: "clippy", needs: &["plugins"], run: clippy },
    Step { name: "clippy of plugins", needs: &[], run: clippy_of_plugins },
    Step { name: "tidy", needs: &[], run: tidy },
    Step { name: "test", needs: &["plugins"], run: test },
    Step { name: "test of plugins", needs: &[], run: test_plugins },
    Step { name: "doc", needs: &["plugins"], run: doc },
    Step { name: "deny", needs: &[], run: deny },
    Step { name: "clean tree", needs: &[], run: clean_tree },
];

fn wasm_target(run: &mut Run) -> anyhow::Result<Outcome> {
    toolchain::ensure_wasm_target(&run.root)?;
    Ok(Outcome::Passed)
}

fn build_plugins(run: &mut Run) -> anyhow::Result<Outcome> {
    plugins::build(&run.root)?;
    Ok(Outcome::Passed)
}

fn fmt(run: &mut Run) -> anyhow::Result<Outcome> {
    let here = shell::run(&mut cargo(&run.root, &["fmt", "--all", "--check"]));
    let plugins = shell::run(&mut cargo(&run.root, &["fmt", "--all", "--check", "--manifest-path", PLUGINS_MANIFEST]));
    here.and(plugins)?;
    Ok(Outcome::Passed)
}

fn clippy(run: &mut Run) -> anyhow::Result<Outcome> {
    let args = ["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    shell::run(&mut cargo(&run.root, &args))?;
    Ok(Outcome::Passed)
}

fn clippy_of_plugins(run: &mut Run) -> anyhow::Result<Outcome> {
    let manifest = ["clippy", "--locked", "--manifest-path", PLUGINS_MANIFEST];
    let args = ["--workspace", "--all-targets", "--", "--deny", "warnings"];
    shell::run(cargo(&run.root, &manifest).args(args))?;
    Ok(Outcome::Passed)
}

fn tidy(run: &mut Run) -> anyhow::Result<Outcome> {
    tidy::run(&run.root)?;
    Ok(Outcome::Passed)
}

fn test(run: &mut Run) -> anyhow::Result<Outcome> {
    let mut command = cargo(&run.root, &["test", "--locked", "--workspace", "--no-fail-fast"]);
    // A snapshot that differs is a failure to read, never a file to leave behind.
    shell::run_lines(command.env("INSTA_UPDATE", "no"), |line| run.tally.line(line))?;
    Ok(Outcome::Passed)
}

fn test_plugins(run: &mut Run) -> anyhow::Result<Outcome> {
    let args = ["test", "--locked", "--manifest-path", PLUGINS_MANIFEST, "--workspace", "--no-fail-fast"];
    shell::run_lines(&mut cargo(&run.root, &args), |line| run.tally.line(line))?;
    Ok(Outcome::Passed)
}

fn doc(run: &mut Run) -> anyhow::Result<Outcome> {
    let mut command = cargo(&run.root, &["doc", "--locked", "--workspace", "--no-deps"]);
    shell::run(command.env("RUSTDOCFLAGS", "--deny warnings"))?;
    Ok(Outcome::Passed)
}

fn deny(run: &mut Run) -> anyhow::Result<Outcome> {
    if !shell::answers(&mut cargo(&run.root, &["deny", "--version"])) {
        return Ok(Outcome::Skipped(
            "cargo-deny is not installed: licences, advisories and sources were NOT checked".to_owned(),
        ));
    }
    let here = shell::run(&mut cargo(&run.root, &["deny", "--locked", "check"]));
    let manifest = ["deny", "--locked", "--manifest-path", PLUGINS_MANIFEST];
    let plugins = shell::run(cargo(&run.root, &manifest).args(["check", "--config"]).arg(run.root.join("deny.toml")));
    here.and(plugins)?;
    Ok(Outcome::Passed)
}

/// Compares with the start of the run, so that work in progress is no failure but a file that the run left behind is one. Only
/// reported outside continuous integration, where a person may edit meanwhile.
fn clean_tree(run: &mut Run) -> anyhow::Result<Outcome> {
    let (Some(before), Some(after)) = (&run.tree_before, tree(&run.root)) else {
        return Ok(Outcome::Skipped("not a git checkout".to_owned()));
    };
    let left = left_behind(before, &after);
    if left.is_empty() {
        return Ok(Outcome::Passed);
    }
    println!("changed since the start of this run:\n{}", left.join("\n"));
    if std::env::var_os("CI").is_some() {
        bail!("the run changed {} files of the checkout", left.len());
    }
    Ok(Outcome::Passed)
}

/// What git calls changed; none outside a checkout.
pub(super) fn tree(root: &Path) -> Option<String> {
    let mut command = Command::new("git");
    let output = command.current_dir(root).args(["status", "--porcelain"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn left_behind<'a>(before: &str, after: &'a str) -> Vec<&'a str> {
    after.lines().filter(|line| !before.lines().any(|known| known == *line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_run_itself_left_is_told() {
        let before = " M README.md\n";
        assert_eq!(left_behind(before, " M README.md\n?? tests/new.snap\n"), ["?? tests/new.snap"]);
        assert!(left_behind(before, before).is_empty());
    }
}
