//! The program `cargo xtask`: all of it is in the library, so that tests can start what it starts.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main()
}
