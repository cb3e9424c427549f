//! The plugin contract as Rust types: the records of `redress:plugin@0.1.0` and the four hooks.
//!
//! The types are generated from `plugin-sdk/wit` by wasmtime, from one of the four worlds, which share them; what is called is
//! looked up and compared by `hooks`.

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::bindings::redress::plugin::log::Level;
pub use self::bindings::redress::plugin::types::{
    Attribute, CaseInfo, Citation, Decimal, Disposition, Duty, Fact, Failure, Line, LineQuote, LineVerdict, Moment,
    Money, Opinion, OrderLineRef, Part, Party, Purchase, Quote, Reason, Recipient, Remedy, Request, StepAnswer,
    StepRequest, Take, Tier, Unit, Value, Verdict,
};

/// The contract's text.
pub const WIT: &str = include_str!("../../../plugin-sdk/wit/redress-plugin-0/types.wit");

/// The package that plugins are built against, as it is written in a component's imports and exports.
pub const PACKAGE: &str = "redress:plugin";

/// The version of the package that this host speaks. Versions below 1.0.0 are compatible with themselves only.
pub const VERSION: &str = "0.1.0";

/// The one function a plugin may import.
pub(crate) const LOG_INTERFACE: &str = "redress:plugin/log@0.1.0";

/// The records; an instance of types only, which nothing has to provide.
pub(crate) const TYPES_INTERFACE: &str = "redress:plugin/types@0.1.0";

/// A question that a plugin can answer. A plugin offers at least one hook and may offer several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hook {
    /// May it be returned, how much, and from which purchases.
    Eligibility,
    /// What law and safety ask.
    Compliance,
    /// How much money, per take.
    Refund,
    /// A pure computation: parameters in, provided values out.
    Step,
}

impl Hook {
    /// Every hook of the contract.
    pub const ALL: [Self; 4] = [Self::Eligibility, Self::Compliance, Self::Refund, Self::Step];

    /// The name as manifests write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Eligibility => "eligibility",
            Self::Compliance => "compliance",
            Self::Refund => "refund",
            Self::Step => "step",
        }
    }

    /// The interface that a component exports for this hook.
    #[must_use]
    pub fn interface(self) -> &'static str {
        match self {
            Self::Eligibility => "redress:plugin/eligibility@0.1.0",
            Self::Compliance => "redress:plugin/compliance@0.1.0",
            Self::Refund => "redress:plugin/refund@0.1.0",
            Self::Step => "redress:plugin/step@0.1.0",
        }
    }

    /// The function of that interface.
    #[must_use]
    pub fn function(self) -> &'static str {
        match self {
            Self::Eligibility => "evaluate",
            Self::Compliance => "check",
            Self::Refund => "quote",
            Self::Step => "run",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[expect(missing_docs, reason = "generated; the WIT text holds the docs")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../plugin-sdk/wit/redress-plugin-0",
        world: "eligibility-plugin",
        additional_derives: [PartialEq, Eq, serde::Serialize, serde::Deserialize],
    });
}
