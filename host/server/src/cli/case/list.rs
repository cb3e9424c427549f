//! `redress case list`: cases page by page, the newest first.

use redress_domain::codec;
use redress_store::scan::{Direction, Scan};

use crate::cli::Global;
use crate::cli::cursor::Paging;
use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::Out;
use crate::cli::shown::{self, Column};
use crate::engine;
use crate::engine::listing::{CaseListing, Paused};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress case list --tenant shop --data data
  redress case list --paused --tenant shop --data data
  redress case list --status waiting --limit 20 --tenant shop --data data
  redress case list --server http://127.0.0.1:7373 --key-file desk1.key
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
    if at.server.is_some() {
        return asked(args, at, out);
    }
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
            "on_its_way",
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
        listed.on_its_way.map_or(Cell::Absent, |money| Cell::Decimal(money.amount().to_string())),
        Cell::text(listed.refunded.currency()),
        Cell::text(listed.id),
    ]
}

const COLUMNS: &[Column] = &[
    Column::text("number", "/number"),
    Column::time("opened_at", "/opened_at"),
    Column::text("external_id", "/external/id"),
    Column::text("source", "/external/source"),
    Column::text("kind", "/kind"),
    Column::text("customer", "/customer"),
    Column::text("status", "/status"),
    Column::flag("paused", "/paused"),
    Column::text("step", "/step"),
    Column::text("result", "/result"),
    Column::text("remedy", "/remedy"),
    Column::text("refunded", "/refunded/amount"),
    Column::text("on_its_way", "/on_its_way/amount"),
    Column::text("currency", "/refunded/currency"),
    Column::text("id", "/id"),
];

/// The same columns, as a running host has them.
fn asked(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let mut address = format!("/v1/cases?{}", args.paging.asked());
    if let Some(status) = &args.status {
        address.push_str(&format!("&status={status}"));
    }
    if args.paused {
        address.push_str("&paused=true");
    }
    let mut page = at.door()?.get(&address)?;
    for row in page["data"].as_array_mut().into_iter().flatten() {
        row["paused"] = (row["paused"] == true).into();
    }
    shown::page(COLUMNS, "cases", &page, at.format(), out)
}
