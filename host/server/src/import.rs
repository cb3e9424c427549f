//! Imports.
pub mod report;
