//! Plugins as a workflow knows them.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::Digest;
use crate::value::Type;

/// A plugin as a document names it: `std/purchase-match@0` or `own-rules@2`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PluginRef {
    /// The name, with `std/` for those shipped with the binary.
    pub name: String,
    /// The major version.
    pub major: u32,
}

impl std::fmt::Display for PluginRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.major)
    }
}

/// What the checker must know of a plugin; read from its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// SHA-256 of the component.
    pub digest: Digest,
    /// What it is asked.
    pub hook: Hook,
    /// Its parameters; an optional type may be left out.
    pub params: BTreeMap<String, Type>,
    /// Those of them that are whole numbers.
    pub whole: BTreeSet<String>,
    /// What it provides, read as `<as>.out.<name>`.
    pub provides: BTreeMap<String, Type>,
    /// The facts that it asks for beside the case.
    pub facts: Vec<String>,
    /// The attributes that it reads of case, lines and order lines, with their types where it says them.
    pub attributes: BTreeMap<String, Option<Type>>,
}

/// What a plugin is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hook {
    /// May it be returned, how much, and from which purchases.
    Eligibility,
    /// What law and safety ask.
    Compliance,
    /// How much money, per take.
    Refund,
    /// A pure computation.
    Step,
}
