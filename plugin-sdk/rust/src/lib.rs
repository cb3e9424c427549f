//! Write Redress plugins in Rust: one trait per hook, one attribute macro, plain `cargo test`.
//!
//! A plugin is a pure function from a request to an answer. It has no clock, no network, no files and no memory of
//! earlier calls; what it may use stands in the request. Implement the trait of a hook and put [`plugin`] on it:
//!
//! ```
//! use redress_plugin::eligibility::{Cx, Eligibility, Failure, LineVerdict, Reason, Request, Verdict};
//!
//! struct Policy;
//!
//! #[redress_plugin::plugin(name = "two-at-most", version = "0.1.0", params(most: integer))]
//! impl Eligibility for Policy {
//!     fn evaluate(req: &Request, cx: &Cx) -> Result<Verdict, Failure> {
//!         let most = cx.arg_integer("most")?;
//!         let judge = |line: &redress_plugin::types::Line| {
//!             if i64::from(line.quantity) <= most {
//!                 LineVerdict::allow(line.index, line.quantity)
//!             } else {
//!                 LineVerdict::deny(line.index, Reason::new("too_many").using(["line.quantity"]).with("most", most))
//!             }
//!         };
//!         Ok(Verdict { lines: req.lines.iter().map(judge).collect(), ..Verdict::default() })
//!     }
//! }
//! ```
//!
//! A hook never guesses: what it cannot decide it answers with a review of the line or with a [`types::Failure`],
//! and both end with a person. Money and quantities are exact; there is no floating point in this crate.

pub mod types;

pub mod compliance;
pub mod eligibility;
pub mod refund;
pub mod step;

pub mod agreed;
mod answer;
pub mod bag;
pub mod cx;
pub mod log;
pub mod money;
pub mod number;
pub mod open;
pub mod purchases;

#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

mod contract;
mod manifest;

#[doc(hidden)]
pub mod arena;
#[doc(hidden)]
pub mod guest;

pub use manifest::Described;
pub use redress_plugin_macros::plugin;
