//! Redress: after-sales as durable cases.
//!
//! `cli` is the way in, `import` and `publish` hand commands to the `engine`, and the engine is the only one that decides.

pub mod app;
pub mod backtest;
pub mod cli;
pub mod clock;
pub mod config;
pub mod engine;
pub mod http;
pub mod import;
pub mod keys;
pub mod outbox;
pub mod publish;
pub mod replay;
pub mod serve;
pub mod telemetry;
pub mod tls;
pub mod trial;
