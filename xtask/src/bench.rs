//! `cargo xtask bench plugin|hostile`: the figures of the plugin sandbox with the release build. `plugin` is what a call costs, `hostile`
//! what every hostile kind that we know of costs the cases of a neighbour. The work is done by `redress-bench` in `tests`, which has the
//! corpus.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::metadata::Workspace;
use crate::{plugins, shell, toolchain};

/// Where components of other languages are expected, below the target folder.
const GUESTS: &str = "guests";

/// Measure the plugin sandbox.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What is measured.
    #[arg(value_enum)]
    what: What,
    /// The form of the figures.
    #[arg(long, value_name = "FORM", value_enum, default_value = "text")]
    output: Form,
    /// The folder with components of JavaScript and Python; without it `target/guests`.
    #[arg(long, value_name = "DIR")]
    guests: Option<PathBuf>,
    /// Run hostile plugins in processes of their own, as `serve --plugin-processes` does.
    #[arg(long)]
    processes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// What a call costs: on one thread, on two, with a thousand different plugins, in other languages.
    Plugin,
    /// What hostile plugins cost a neighbour's cases.
    Hostile,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Form {
    Text,
    Json,
}

/// Build, measure, print.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    toolchain::ensure_wasm_target(root)?;
    plugins::build(root)?;
    let build = ["build", "--locked", "--release", "--package", "redress-tests", "--bin", "redress-bench"];
    shell::run(&mut shell::cargo(root, &build))?;
    let target = Workspace::load(root)?.target_folder;
    let binary = target.join("release/redress-bench").with_extension(std::env::consts::EXE_EXTENSION);
    shell::run(Command::new(binary).args(arguments(options, &target)))
}

/// As `redress-bench` takes them.
fn arguments(options: &Options, target: &Path) -> Vec<String> {
    let mut words = match options.what {
        What::Plugin => {
            let guests = options.guests.clone().unwrap_or_else(|| target.join(GUESTS));
            vec!["plugin".to_owned(), "--guests".to_owned(), guests.display().to_string()]
        }
        What::Hostile => vec!["hostile".to_owned()],
    };
    if options.processes && options.what == What::Hostile {
        words.push("--processes".to_owned());
    }
    if matches!(options.output, Form::Json) {
        words.extend(["--output".to_owned(), "json".to_owned()]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_are_looked_for_where_they_are_named_or_in_the_target_folder() {
        let words = |guests: Option<&str>, output| {
            let guests = guests.map(PathBuf::from);
            let options = Options { what: What::Plugin, output, guests, processes: true };
            arguments(&options, Path::new("t")).join(" ")
        };
        assert_eq!(words(None, Form::Text), "plugin --guests t/guests");
        assert_eq!(words(Some("g"), Form::Json), "plugin --guests g --output json");
        let hostile = Options { what: What::Hostile, output: Form::Text, guests: None, processes: true };
        assert_eq!(arguments(&hostile, Path::new("t")), ["hostile", "--processes"]);
    }
}
