//! What the attribute macro's expansion calls in a component. Not for authors.

/// What a component exports for each hook.
#[cfg(target_arch = "wasm32")]
pub use crate::contract::{compliance, eligibility, refund, step};

use crate::cx::Cx;
use crate::manifest::Described;
use crate::types::Attribute;

/// Answer one call of the plugin `P`: a panic logs its message before it traps.
pub fn answer<P: Described, T>(args: &[Attribute], hook: impl FnOnce(&Cx<'_>) -> T) -> T {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|panic| crate::log::write(crate::types::Level::Error, &panic.to_string())));
    hook(&Cx::new::<P>(args))
}
