//! Logs of the command line: on standard error, and only as much as was asked for.

use std::env;
use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::telemetry::{self, Color, Form};

/// Our own crates speak; libraries only when they are named.
const OURS: [&str; 4] = ["redress", "redress_domain", "redress_sandbox", "redress_store"];

/// Begin to log. What `-v` asks for; or, module by module, what REDRESS_LOG or RUST_LOG say.
pub(super) fn start(form: Form, verbose: u8) {
    let said = env::var("REDRESS_LOG").or_else(|_| env::var("RUST_LOG")).ok().filter(|_| verbose == 0);
    let filter = EnvFilter::new(said.unwrap_or_else(|| levels(verbose)));
    let color = std::io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    telemetry::start(form, if color { Color::Terminal } else { Color::None }, filter);
}

/// Begin to log as a server does: what happens is told unasked.
pub(super) fn serve(form: Form, verbose: u8) {
    start(form, verbose + u8::from(verbose == 0 && !is_said()));
}

fn is_said() -> bool {
    ["REDRESS_LOG", "RUST_LOG"].iter().any(|name| env::var_os(name).is_some())
}

fn levels(verbose: u8) -> String {
    let level = match verbose {
        0 => "error",
        1 => "info",
        _ => "debug",
    };
    OURS.map(|name| format!("{name}={level}")).join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_person_must_act_on_is_told_unasked() {
        assert!(levels(0).split(',').all(|part| part.ends_with("=error")));
        assert!(levels(1).starts_with("redress=info,"));
        assert!(levels(9).ends_with("=debug"));
        assert!([0, 1, 2].into_iter().all(|verbose| EnvFilter::builder().parse(levels(verbose)).is_ok()));
    }
}
