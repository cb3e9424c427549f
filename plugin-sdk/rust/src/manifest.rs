//! What the attribute macro says about a plugin.

use crate::types::Attribute;

/// A plugin with its manifest; implemented by [`crate::plugin`].
pub trait Described {
    /// The manifest as JSON: the bytes of the custom section `redress:manifest`.
    const MANIFEST: &'static str;

    /// The parameters that the manifest gives a default.
    fn defaults() -> Vec<Attribute>;
}
