//! `redress audit verify`: check the whole chain of records.

use redress_domain::clock::Zone;
use redress_store::audit::{self, Verified};

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::Out;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress audit verify --tenant shop --data data
";

/// Whoever rewrites the whole chain is found only by an earlier head that was kept elsewhere.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {}

pub(super) fn run(_: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let session = at.session()?;
    match audit::verify(&session.engine.store().read()?)? {
        Verified::Intact(head) => {
            let row = vec![Cell::Count(head.n), Cell::text(head.hash)];
            let columns = &["records", "head"];
            Listing { columns: columns.to_vec(), hidden: &[], zone: Zone::UTC, rows: vec![row] }.print(at.format(), out)
        }
        Verified::Broken { n, fault } => Err(Error::Audit { n, fault }),
    }
}
