//! Write Redress plugins in Rust.
