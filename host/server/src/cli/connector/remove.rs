//! `redress connector remove`: take a connector away.

use axum::http::Method;

use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::Out;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress connector remove http:carrier-label --server http://127.0.0.1:7373 --key-file admin.key
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// payment, stock, notification, mail, or http:NAME.
    kind: String,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    at.door()?.send(Method::DELETE, &format!("/v1/connectors/{}", part(&args.kind)), None, &[])?;
    out.say(&format!("the connector {} is gone: effects of its kind wait", args.kind));
    Ok(())
}
