//! The sandbox's own processes as a program, for the tests of this package: the product starts itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args_os().nth(1) {
        Some(first) if first == "run" => redress_sandbox::cell::serve(),
        _ => redress_sandbox::compiler::answer(),
    }
}
