//! The demo merchants: a row each, and their keys.

/// A demo merchant; its folder in `workflows/` has its name.
pub(super) struct Merchant {
    pub(super) name: &'static str,
    pub(super) zone: &'static str,
    pub(super) currency: &'static str,
    pub(super) locale: &'static str,
    pub(super) jurisdiction: &'static str,
    /// Stock plugins that its workflow calls by names of its own, so that each can be exchanged.
    pub(super) plugins: &'static [&'static str],
    /// Its past, in its folder: an import mapping and a file.
    pub(super) past: Option<(&'static str, &'static str)>,
}

/// All of them.
pub(super) const MERCHANTS: [Merchant; 3] = [
    Merchant {
        name: "online-retail",
        zone: "Europe/London",
        currency: "GBP",
        locale: "en",
        jurisdiction: "UK",
        plugins: &["purchase-match", "refund-quote"],
        past: Some(("import.yaml", "sample.csv")),
    },
    Merchant {
        name: "medical-device",
        zone: "Asia/Shanghai",
        currency: "CNY",
        locale: "zh-CN",
        jurisdiction: "CN",
        plugins: &[],
        past: None,
    },
    Merchant {
        name: "apparel",
        zone: "Europe/Berlin",
        currency: "EUR",
        locale: "en",
        jurisdiction: "EU",
        plugins: &[],
        past: None,
    },
];

/// The roles that each merchant gets a key of.
pub(super) const ROLES: [&str; 4] = ["admin", "agent", "integrator", "viewer"];
