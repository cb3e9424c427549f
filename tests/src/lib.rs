//! The whole product under test: one package, one binary.

pub mod delivery;
pub mod guests;
pub mod kitchen;
pub mod provider;
pub mod shop;
pub mod world;
