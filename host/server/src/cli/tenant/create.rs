//! `redress tenant create`: make a tenant, and the data folder where there is none.

use std::sync::Arc;

use redress_domain::clock::Zone;
use redress_domain::ids::{Slug, TenantId};
use redress_domain::money::Currency;

use crate::app::App;
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::clock::SystemClock;
use crate::config::Limits;
use crate::engine::tenant::TenantRecord;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress tenant create shop --zone Europe/London --currency GBP --locale en --jurisdiction UK --data data
";

/// Names that belong to the product: stock plugins and workflows are `std/...`.
const RESERVED: [&str; 1] = ["std"];

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Its name: lower-case letters, digits, - and _, beginning with a letter.
    #[arg(value_parser = name)]
    name: Slug,
    /// The zone in which its days are counted, as `Europe/London`.
    #[arg(long, value_parser = zone)]
    zone: Zone,
    /// The currency of documents that name none, as `GBP`.
    #[arg(long)]
    currency: Currency,
    /// The language of its texts, as `en` or `zh-CN`.
    #[arg(long, value_parser = locale)]
    locale: String,
    /// The law that applies, as `UK`, `EU` or `CN`.
    #[arg(long, value_parser = jurisdiction)]
    jurisdiction: String,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let app = App::open(at.folder()?, Arc::new(SystemClock), Limits::default())?;
    let created_at = app.clock().now();
    let tenant = app.create_tenant(TenantRecord {
        id: TenantId::mint(created_at, app.clock().random()),
        slug: args.name.clone(),
        zone: args.zone,
        currency: args.currency,
        locale: args.locale.clone(),
        jurisdiction: args.jurisdiction.clone(),
        created_at,
    })?;
    super::listing(&[tenant.record().clone()]).print(at.format(), out)
}

fn name(text: &str) -> Result<Slug, String> {
    if RESERVED.contains(&text) {
        return Err(format!("{text:?} is kept for what comes with the product"));
    }
    Slug::new(text).map_err(|error| error.to_string())
}

fn zone(text: &str) -> Result<Zone, String> {
    text.parse().map_err(|_| "not a zone of the IANA tables, as Europe/London".to_owned())
}

fn locale(text: &str) -> Result<String, String> {
    let mut parts = text.split('-');
    let language = parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && is_lower(part));
    let rest = parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if language && rest { Ok(text.to_owned()) } else { Err("not a language, as en or zh-CN".to_owned()) }
}

fn jurisdiction(text: &str) -> Result<String, String> {
    let good = (2..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    if good { Ok(text.to_owned()) } else { Err("not a jurisdiction, as UK, EU or CN".to_owned()) }
}

fn is_lower(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_zones_languages_and_laws_are_checked_where_they_are_typed() {
        assert!(name("shop-1").is_ok() && zone("Asia/Shanghai").is_ok());
        assert!(["std", "_x", "Shop", ""].iter().all(|text| name(text).is_err()));
        assert!(zone("London").is_err());
        assert!(["en", "zh-CN", "zh-Hant-HK"].iter().all(|text| locale(text).is_ok()));
        assert!(["", "EN", "english", "zh_CN", "en-"].iter().all(|text| locale(text).is_err()));
        assert!(["UK", "EU", "US-CA"].iter().all(|text| jurisdiction(text).is_ok()));
        assert!(["", "uk", "U"].iter().all(|text| jurisdiction(text).is_err()));
    }
}
