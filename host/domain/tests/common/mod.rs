//! What documents of tests are checked against.

use redress_domain::clock::Zone;
use redress_domain::ids::Digest;
use redress_domain::value::Type;
use redress_domain::workflow::definition::{Hook, Plugin, PluginRef};
use redress_domain::workflow::load::Environment;

/// A tenant in London with the stock plugins that the merchants of the repository call.
pub(crate) fn environment() -> Environment {
    let whole = || Type::Number.optional();
    let plugin = |name: &str, hook, params: &[(&str, Type)]| {
        let params = params.iter().map(|(name, kind)| ((*name).to_owned(), kind.clone())).collect();
        let name = PluginRef { name: name.to_owned(), major: 0 };
        let digest = Digest::of(name.to_string().as_bytes());
        (
            name,
            Plugin {
                digest,
                hook,
                params,
                whole: Default::default(),
                provides: Default::default(),
                facts: Vec::new(),
                attributes: Default::default(),
            },
        )
    };
    let matching = [("window_days", whole()), ("sku_digits", whole()), ("sku_letters", Type::Text.optional())];
    let plugins = [
        plugin("purchase-match", Hook::Eligibility, &matching),
        plugin("std/purchase-match", Hook::Eligibility, &matching),
        plugin("refund-quote", Hook::Refund, &[]),
        plugin("std/refund-quote", Hook::Refund, &[("percent", whole())]),
        plugin("std/device-compliance", Hook::Compliance, &[]),
    ];
    Environment {
        plugins: plugins.into(),
        currency: "GBP".parse().ok(),
        zone: Some(Zone::Europe__London),
        ..Environment::default()
    }
}
