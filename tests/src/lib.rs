//! The whole product under test: one package, one binary.

pub mod guests;
pub mod kitchen;
pub mod process;
pub mod shop;
pub mod web;
pub mod world;
