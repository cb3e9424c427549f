//! The attribute macro of `redress-plugin`; its documentation stands there, at the re-export.

mod arguments;
mod expand;
mod manifest;

use proc_macro::TokenStream;

/// Make a component of the implementation of one hook.
///
/// ```text
/// #[redress_plugin::plugin(
///     name = "eu-restocking",
///     version = "1.2.0",
///     params(window_days: integer, fee: decimal = 0.15, note: optional text),
///     provides(days: integer),
///     facts = ["customer.returns"],
///     attributes = ["sealed": boolean, "note"],
/// )]
/// impl Refund for Policy { .. }
/// ```
///
/// The trait (`Eligibility`, `Compliance`, `Refund` or `Step`) says which hook it is; a component has one.
///
/// - `name`, `version`: how merchants know the plugin. Lower-case words with hyphens, and three numbers.
/// - `params(name: type, ..)`: what a workflow's `with` must fill. A type is `text`, `integer`, `decimal`, `boolean`,
///   `timestamp` or `money`; `optional` before it, or a default after it, make the parameter optional. The default of an
///   amount is in minor units: `fee: money = Money::new(490, "EUR")`.
/// - `provides(name: type, ..)`: the values that every answer carries in its `provides`.
/// - `facts`: declared facts that the host should fetch. `attributes`: keys of the open bags that the plugin reads, each
///   with its type where you say it: `redress plugin check` then asks about values that fit, and `redress workflow check`
///   compares it with what the workflow declares.
///
/// In a component the expansion exports the hook, writes the manifest section `redress:manifest`, installs the arena
/// allocator and logs a panic's message before the trap. On other targets it only adds the manifest, so that
/// `cargo test` runs the implementation as plain Rust.
#[proc_macro_attribute]
pub fn plugin(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::plugin(arguments.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
