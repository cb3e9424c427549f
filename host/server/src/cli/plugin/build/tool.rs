//! Running the tools of a language in the project's folder.

use std::io::{ErrorKind, IsTerminal as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cli::error::Error;
use crate::cli::output::Out;

/// The last lines of what a tool said: the reason stands there.
const LINES_TOLD: usize = 60;

/// Where the environment gives flags to cargo and to clang.
const FLAGS: [&str; 7] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "RUSTC_WRAPPER",
    "CPATH",
    "C_INCLUDE_PATH",
    "CCC_OVERRIDE_OPTIONS",
];

/// The project, and what may be done for it.
pub(super) struct Tools<'a, 'o> {
    pub(super) folder: &'a Path,
    pub(super) offline: bool,
    pub(super) out: &'a mut Out<'o>,
}

impl Tools<'_, '_> {
    /// Run a tool to its end, and say which. What it says is shown as it is said where somebody watches, else where it fails.
    /// `missing` says how the tool is installed.
    pub(super) fn run(&mut self, program: &str, args: &[&str], missing: &str) -> Result<(), Error> {
        self.out.say(&format!("$ {program} {}", args.join(" ")));
        let watched = std::io::stderr().is_terminal();
        let mut command = self.command(program, args);
        let ended = if watched {
            command.stdin(Stdio::null()).status().map(|status| (status.success(), String::new()))
        } else {
            command.stdin(Stdio::null()).output().map(|ended| {
                let said = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                (ended.status.success(), said.join("\n"))
            })
        };
        match ended.map_err(|error| absent(program, missing, error))? {
            (true, _) => Ok(()),
            (false, said) => {
                let lines: Vec<&str> = said.trim().lines().collect();
                for line in &lines[lines.len().saturating_sub(LINES_TOLD)..] {
                    self.out.say(line);
                }
                Err(Error::NotBuilt { tool: program.to_owned() })
            }
        }
    }

    /// What a tool writes to standard output; nothing where it fails.
    pub(super) fn ask(&self, program: &str, args: &[&str], missing: &str) -> Result<Option<Vec<u8>>, Error> {
        let ended = self.command(program, args).output().map_err(|error| absent(program, missing, error))?;
        Ok(ended.status.success().then_some(ended.stdout))
    }

    /// Whether something may be installed for the project; else it is said how.
    pub(super) fn may_install(&self, what: &str, how: &str) -> Result<(), Error> {
        if self.offline {
            return Err(Error::Tool { tool: what.to_owned(), help: format!("install it with: {how}") });
        }
        Ok(())
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        // What went wrong in a project is not where in the tool it was found.
        command.current_dir(self.folder).args(args).env("RUST_BACKTRACE", "0");
        // Flags of the environment would come in place of those that the project names.
        for variable in FLAGS {
            command.env_remove(variable);
        }
        command
    }
}

fn absent(program: &str, missing: &str, error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::Tool { tool: program.to_owned(), help: format!("install it: {missing}") },
        _ => Error::Read { path: program.into(), source: error },
    }
}
