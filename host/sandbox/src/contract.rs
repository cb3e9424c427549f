//! The plugin contract as Rust types: the records of `redress:plugin@0.1.0` and the four hooks.
//!
//! The types are generated from `plugin-sdk/wit` by wasmtime, from one of the four worlds, which share them; what is called is
//! looked up and compared by `hooks`. A new major appears beside this one with records of its own, which become these and back.

use std::fmt;

use serde::{Deserialize, Serialize};

#[cfg(feature = "trial")]
pub(crate) mod trial;

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

/// A major version of the contract that this host speaks. A plugin speaks one of them, for ever: what it is asked and what it answers
/// is converted, and the host itself knows only its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Major {
    /// The one that is offered. Versions below 1.0.0 are compatible with themselves only.
    Zero,
    /// A trial, in tests.
    #[cfg(feature = "trial")]
    Two,
}

impl Major {
    /// Those that plugins may speak.
    pub const OFFERED: &'static [Self] = &[Self::Zero];

    /// Those, and the trial.
    #[cfg(feature = "trial")]
    pub const WITH_TRIAL: &'static [Self] = &[Self::Zero, Self::Two];

    /// The whole version of its package.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Zero => "0.1.0",
            #[cfg(feature = "trial")]
            Self::Two => "2.0.0",
        }
    }

    /// The number that decisions are recorded with.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Zero => 0,
            #[cfg(feature = "trial")]
            Self::Two => 2,
        }
    }

    /// The interface that a component exports for a hook.
    #[must_use]
    pub fn interface(self, hook: Hook) -> String {
        self.named(hook.name())
    }

    /// The interface of the one function that a plugin may import.
    pub(crate) fn log(self) -> String {
        self.named("log")
    }

    /// The records; an instance of types only, which nothing has to provide.
    pub(crate) fn types(self) -> String {
        self.named("types")
    }

    fn named(self, interface: &str) -> String {
        format!("{PACKAGE}/{interface}@{}", self.version())
    }
}

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

    /// The function of its interface.
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
