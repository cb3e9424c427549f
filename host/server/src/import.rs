//! Import: files of a shop's past, read through a mapping, handed to the engine as orders and cases.
//!
//! ```text
//! files ─► rows ─► draft ─► gather ─► plan ─► run ─► engine
//!                    ▲                          └──► report
//!                 mapping
//! ```
//!
//! Everything is read before anything is handed in, so a file that cannot be read changes nothing. All orders go first, then the
//! cases in order of time. An order or a case that is known is never changed, so an import may be run again, and one that was
//! stopped goes on where it was when it is run again.

mod draft;
pub(crate) mod gather;
pub mod mapping;
pub(crate) mod plan;
pub mod progress;
pub(crate) mod pump;
mod rows;
mod run;
mod tally;
pub mod timings;

pub use gather::ROWS_MAX;
pub use rows::{FileError, RowError};
pub use run::{Error, import};
