//! `redress tenant`: merchants of this host.

mod create;
mod list;

use clap::Subcommand;

use super::error::Error;
use super::listing::{Cell, Listing};
use super::output::Out;
use super::shown::Column;
use super::{Global, HELP};
use crate::engine::tenant::TenantRecord;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a tenant, and the data folder where there is none.
    #[command(help_template = HELP, before_help = create::EXAMPLES)]
    Create(create::Args),
    /// Show all tenants.
    #[command(help_template = HELP, before_help = list::EXAMPLES)]
    List(list::Args),
}

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::Create(args) => create::run(args, at, out),
        Verb::List(args) => list::run(args, at, out),
    }
}

fn listing(tenants: &[TenantRecord]) -> Listing {
    let row = |tenant: &TenantRecord| {
        vec![
            Cell::text(&tenant.slug),
            Cell::text(tenant.zone.name()),
            Cell::text(tenant.currency),
            Cell::text(&tenant.locale),
            Cell::text(&tenant.jurisdiction),
            Cell::Time(tenant.created_at),
            Cell::text(tenant.id),
        ]
    };
    Listing {
        columns: vec!["name", "zone", "currency", "locale", "jurisdiction", "created_at", "id"],
        hidden: &[],
        zone: redress_domain::clock::Zone::UTC,
        rows: tenants.iter().map(row).collect(),
    }
}

const COLUMNS: [Column; 7] = [
    Column::text("name", "/name"),
    Column::text("zone", "/zone"),
    Column::text("currency", "/currency"),
    Column::text("locale", "/locale"),
    Column::text("jurisdiction", "/jurisdiction"),
    Column::time("created_at", "/created_at"),
    Column::text("id", "/id"),
];
