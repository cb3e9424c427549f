//! The binary `redress`: its arguments and its streams, handed to the command line.

use std::io::BufWriter;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use redress::cli::{self, Out};

fn main() -> ExitCode {
    // Not locked: worker threads write their logs to standard error meanwhile.
    let (stdout, mut talk) = (std::io::stdout(), std::io::stderr());
    let colored = [AutoStream::choice(&stdout), AutoStream::choice(&talk)].map(|choice| choice != ColorChoice::Never);
    let mut data = BufWriter::new(stdout);
    cli::run_process(std::env::args_os(), &mut Out::new(&mut data, &mut talk).colored(colored))
}
