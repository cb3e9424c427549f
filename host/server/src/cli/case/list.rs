//! `redress case list`: cases page by page, the newest first.

use redress_domain::codec;
use redress_store::scan::{Direction, Scan};

use crate::cli::Global;
use crate::cli::cursor::Paging;
use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::Out;
use crate::engine;
use crate::engine::listing::{CaseListing, Paused};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress case list --tenant shop --data data
  redress case list --paused --tenant shop --data data
  redress case list --status waiting --limit 20 --tenant shop --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only cases that stand so.
    #[arg(long, value_parser = ["running", "waiting", "held", "closed"])]
    status: Option<String>,
    /// Only cases that are paused: their revision is on hold.
    #[arg(long)]
    paused: bool,
    #[command(flatten)]
    paging: Paging,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let session = at.session()?;
    let snapshot = session.engine.store().read()?;
    let paused = Paused::of(&snapshot)?;
    let page = args.paging.read(&snapshot, &Scan::CasesByOpened, Direction::Backward, |row| {
        let listed: CaseListing = codec::decode(&row.value).map_err(engine::Error::damaged("listing"))?;
        let wanted = args.status.as_ref().is_none_or(|status| *status == listed.status);
        let is_paused = paused.holds(&snapshot, &listed)?;
        Ok((wanted && (is_paused || !args.paused)).then(|| cells(&listed, is_paused)))
    })?;
    let listing = Listing {
        columns: vec![
            "number",
            "opened_at",
            "external_id",
            "source",
            "kind",
            "customer",
            "status",
            "paused",
            "step",
            "result",
            "remedy",
            "refunded",
            "currency",
            "id",
        ],
        hidden: if paused.is_empty() { &["source", "id", "paused"] } else { &["source", "id"] },
        zone: session.engine.record().zone,
        rows: page.rows,
    };
    listing.print_page("cases", page.next.as_deref(), at.format(), out)
}

fn cells(listed: &CaseListing, paused: bool) -> Vec<Cell> {
    let external = listed.external.as_ref();
    vec![
        Cell::text(&listed.number),
        Cell::Time(listed.opened_at),
        Cell::maybe(external.map(|external| &external.id)),
        Cell::maybe(external.map(|external| &external.source)),
        Cell::text(&listed.kind),
        Cell::maybe(listed.customer.as_ref()),
        Cell::text(&listed.status),
        Cell::Bool(paused),
        Cell::maybe(listed.step.as_ref()),
        Cell::maybe(listed.result.as_ref()),
        Cell::text(listed.remedy.word()),
        Cell::Decimal(listed.refunded.amount().to_string()),
        Cell::text(listed.refunded.currency()),
        Cell::text(listed.id),
    ]
}
