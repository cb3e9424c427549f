//! The workflow language: what an admin writes, checked when it is loaded and run when a case moves.

pub mod definition;
pub mod diagnostic;
pub mod expr;
pub mod run;
