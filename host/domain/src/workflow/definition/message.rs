//! What a workflow tells, and in which words.

use std::sync::Arc;

use crate::ids::{Digest, Slug};
use crate::workflow::definition::Words;
use crate::workflow::expr::Template;

/// A message that is told to somebody.
#[derive(Debug, Clone)]
pub struct Notify {
    /// Which text.
    pub template: Slug,
    /// Whom: `customer`, or a queue.
    pub to: String,
    /// How: `email` unless said otherwise.
    pub channel: String,
    /// What it says, where the document has a text under this name.
    pub message: Option<Arc<Message>>,
}

/// A text of the document, with the names that are known where it is told.
#[derive(Debug, Clone)]
pub struct Message {
    /// The digest of what the document says under its name.
    pub digest: Digest,
    /// What stands above it.
    pub subject: Words<Template>,
    /// What it says.
    pub text: Words<Template>,
}
