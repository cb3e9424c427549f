//! `redress tenant create`: make a tenant, and the data folder where there is none.

use std::sync::Arc;

use redress_domain::clock::Zone;
use redress_domain::ids::{Slug, TenantId};
use redress_domain::money::Currency;
use serde_json::json;

use crate::app::App;
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::shown;
use crate::clock::SystemClock;
use crate::engine::tenant::{self, TenantRecord};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress tenant create shop --zone Europe/London --currency GBP --locale en --jurisdiction UK --data data
  redress tenant create shop --zone Europe/London --currency GBP --locale en --jurisdiction UK --server http://127.0.0.1:7373 --key-file operator.key
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Its name: lower-case letters, digits, - and _, beginning with a letter.
    #[arg(value_parser = tenant::name)]
    name: Slug,
    /// The zone in which its days are counted, as `Europe/London`.
    #[arg(long, value_parser = tenant::zone)]
    zone: Zone,
    /// The currency of documents that name none, as `GBP`.
    #[arg(long)]
    currency: Currency,
    /// The language of its texts, as `en` or `zh-CN`.
    #[arg(long, value_parser = tenant::locale)]
    locale: String,
    /// The law that applies, as `UK`, `EU` or `CN`.
    #[arg(long, value_parser = tenant::jurisdiction)]
    jurisdiction: String,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    if at.server.is_some() {
        let body = json!({
            "name": args.name, "zone": args.zone.name(), "currency": args.currency, "locale": args.locale,
            "jurisdiction": args.jurisdiction,
        });
        let made = at.door()?.post("/v1/tenants", &body)?;
        return shown::rows(&super::COLUMNS, &[made]).print(at.format(), out);
    }
    let app = App::open(at.folder()?, Arc::new(SystemClock), at.limits())?;
    let created_at = app.clock().now();
    let engine = app.create_tenant(TenantRecord {
        id: TenantId::mint(created_at, app.clock().random()),
        slug: args.name.clone(),
        zone: args.zone,
        currency: args.currency,
        locale: args.locale.clone(),
        jurisdiction: args.jurisdiction.clone(),
        created_at,
    })?;
    super::listing(&[engine.record().clone()]).print(at.format(), out)
}
