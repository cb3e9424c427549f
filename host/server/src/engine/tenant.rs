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
