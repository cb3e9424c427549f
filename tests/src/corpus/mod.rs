//! Everything hostile that we know of, as one table: what a stranger uploads and what a plugin does, each with the end it must come to.
//!
//! Tests run the table, and `cargo xtask bench hostile` runs its calls beside a neighbour. A new way to do harm is a new row.

pub mod bombs;
pub mod calls;
pub mod question;
pub mod uploads;

pub use calls::calls;
pub use uploads::uploads;

use crate::guests::Guest;

/// A plugin that is taken, and does harm when it is asked.
#[derive(Clone, Debug)]
pub struct CallKind {
    /// What it does, and its name.
    pub name: &'static str,
    /// The plugin.
    pub guest: Guest,
    /// The code that the call ends with; none where it is answered, because the harm does not come through.
    pub ends: Option<&'static str>,
}

/// Bytes that are refused before they can be asked.
#[derive(Clone, Debug)]
pub struct UploadKind {
    /// What they are, and their name.
    pub name: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The code of the refusal; none where they are taken, because there is no harm in them.
    pub ends: Option<&'static str>,
}

fn call(name: &'static str, ends: &'static str, guest: Guest) -> CallKind {
    CallKind { name, guest, ends: Some(ends) }
}

fn answered(name: &'static str, guest: Guest) -> CallKind {
    CallKind { name, guest, ends: None }
}

fn refused(name: &'static str, ends: &'static str, bytes: Vec<u8>) -> UploadKind {
    UploadKind { name, bytes, ends: Some(ends) }
}
