//! A tenant as the host keeps it: who it is, and what its rules are counted in.

use redress_domain::clock::{Instant, Zone};
use redress_domain::ids::{Slug, TenantId};
use redress_domain::money::Currency;
use serde::{Deserialize, Serialize};

/// A merchant of this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantRecord {
    /// Never changes.
    pub id: TenantId,
    /// Its name in commands and folders.
    pub slug: Slug,
    /// The zone in which its days are counted.
    #[serde(with = "zone_name")]
    pub zone: Zone,
    /// The currency of documents that name none.
    pub currency: Currency,
    /// The language of its texts, as `zh-CN`.
    pub locale: String,
    /// The law that applies, as `CN`, `EU`, `UK`.
    pub jurisdiction: String,
    /// When it was made.
    pub created_at: Instant,
}

/// Parts of a language behind the first: script, region and variants.
const LOCALE_PARTS_MAX: usize = 4;
/// Names that belong to the product: stock plugins and workflows are `std/...`, and `schema` is what editors read beside workflows.
pub(crate) const RESERVED: [&str; 2] = ["std", "schema"];

/// The name of a tenant, as somebody typed it.
///
/// # Errors
/// Why it is none.
pub fn name(text: &str) -> Result<Slug, String> {
    if RESERVED.contains(&text) {
        return Err(format!("{text:?} is kept for what comes with the product"));
    }
    Slug::new(text).map_err(|error| error.to_string())
}

/// The zone of a tenant, as somebody typed it.
///
/// # Errors
/// Why it is none.
pub fn zone(text: &str) -> Result<Zone, String> {
    text.parse().map_err(|_| "not a zone of the IANA tables, as Europe/London".to_owned())
}

/// The language of a tenant, as somebody typed it.
///
/// # Errors
/// Why it is none.
pub fn locale(text: &str) -> Result<String, String> {
    let mut parts = text.split('-');
    let language = parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && is_lower(part));
    let mut rest = parts.clone();
    let good = rest.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let few = parts.count() <= LOCALE_PARTS_MAX;
    if language && good && few { Ok(text.to_owned()) } else { Err("not a language, as en or zh-CN".to_owned()) }
}

/// The law that applies to a tenant, as somebody typed it.
///
/// # Errors
/// Why it is none.
pub fn jurisdiction(text: &str) -> Result<String, String> {
    let good = (2..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    if good { Ok(text.to_owned()) } else { Err("not a jurisdiction, as UK, EU or CN".to_owned()) }
}

fn is_lower(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase())
}

mod zone_name {
    use redress_domain::clock::Zone;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(zone: &Zone, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(zone.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zone, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
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
        assert!(["", "EN", "english", "zh_CN", "en-", "en-aa-bb-cc-dd-ee"].iter().all(|text| locale(text).is_err()));
        assert!(["UK", "EU", "US-CA"].iter().all(|text| jurisdiction(text).is_ok()));
        assert!(["", "uk", "U"].iter().all(|text| jurisdiction(text).is_err()));
    }
}
