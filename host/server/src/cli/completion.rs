//! `redress completion`: completion for a shell, from the definition that the help is made of.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::error::Error;
use super::output::Out;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress completion bash > ~/.local/share/bash-completion/completions/redress
  redress completion zsh > ~/.zfunc/_redress
  redress completion fish > ~/.config/fish/completions/redress.fish
";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(args: &Args, out: &mut Out<'_>) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "redress", &mut script);
    out.data(&String::from_utf8_lossy(&script))
}
