//! What the checker must know of a plugin, out of its manifest.

use redress_domain::ids::Digest;
use redress_domain::value::Type;
use redress_domain::workflow::definition::{Hook, Plugin, PluginRef};
use redress_sandbox::manifest::{BaseType, ValueType};
use redress_sandbox::{Hook as Offered, Manifest, PluginInfo};

/// The name under which a plugin is known: as given, with the major version of its manifest.
pub fn reference(name: &str, manifest: &Manifest) -> Option<PluginRef> {
    let major = manifest.version.split('.').next()?.parse().ok()?;
    Some(PluginRef { name: name.to_owned(), major })
}

/// The interface of a plugin. A plugin with several hooks is called by its first.
pub fn plugin(info: &PluginInfo) -> Option<Plugin> {
    let hook = match info.hooks.first()? {
        Offered::Eligibility => Hook::Eligibility,
        Offered::Compliance => Hook::Compliance,
        Offered::Refund => Hook::Refund,
        Offered::Step => Hook::Step,
    };
    let params = info.manifest.params.iter().map(|(name, param)| {
        let kind = kind(param.kind);
        (name.clone(), if param.required { kind } else { kind.optional() })
    });
    let of_attribute = |base| kind(ValueType { base, optional: false });
    let attributes = info.manifest.attributes.iter().map(|(name, base)| (name.clone(), base.map(of_attribute)));
    let provides = info.manifest.provides.iter().map(|(name, given)| (name.clone(), kind(*given)));
    let whole = info.manifest.params.iter().filter(|(_, param)| param.kind.base == BaseType::Integer);
    Some(Plugin {
        digest: Digest::from_bytes(info.digest),
        hook,
        params: params.collect(),
        whole: whole.map(|(name, _)| name.clone()).collect(),
        provides: provides.collect(),
        facts: info.manifest.facts.clone(),
        attributes: attributes.collect(),
    })
}

fn kind(given: ValueType) -> Type {
    let base = match given.base {
        BaseType::Text => Type::Text,
        BaseType::Integer | BaseType::Decimal => Type::Number,
        BaseType::Boolean => Type::Bool,
        BaseType::Timestamp => Type::Instant,
        BaseType::Money => Type::Money,
    };
    if given.optional { base.optional() } else { base }
}
