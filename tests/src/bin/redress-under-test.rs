//! The command line as a process of its own, for tests that kill it.

use std::io::{stderr, stdout};
use std::process::ExitCode;

use redress::cli::{self, Out};

fn main() -> ExitCode {
    cli::run_process(std::env::args_os(), &mut Out::new(&mut stdout(), &mut stderr()))
}
