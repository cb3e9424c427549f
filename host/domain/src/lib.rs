//! The pure core: cases, money, the workflow language, decisions. No clock, no randomness, no files, no network.

pub mod clock;
pub mod codec;
pub mod ids;
pub mod money;
pub mod value;
pub mod workflow;
