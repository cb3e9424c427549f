//! What an import did.
use serde::{Deserialize, Serialize};

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {}
