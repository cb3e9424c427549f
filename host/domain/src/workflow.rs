//! The workflow language: what an admin writes, checked when it is loaded and run when a case moves.

pub mod builtin;
pub mod calendar;
pub mod canary;
pub mod compile;
pub mod cron;
pub mod definition;
pub mod diagnostic;
pub mod diff;
pub mod duration;
pub mod expr;
pub mod flow;
mod help;
pub mod literal;
pub mod load;
pub mod migration;
pub mod overlay;
pub mod picture;
pub mod problems;
pub mod reader;
pub mod revision;
pub mod run;
pub mod schema;
pub mod table;
pub mod trial;
pub mod types;
pub mod yaml;
