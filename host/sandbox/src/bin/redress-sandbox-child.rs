//! The sandbox's own processes as a program, for the tests of this package: the product starts itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    redress_sandbox::compiler::answer()
}
