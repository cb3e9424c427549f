//! The whole product under test: one package, one binary.

pub mod bench;
pub mod corpus;
pub mod delivery;
pub mod guests;
pub mod kitchen;
pub mod process;
pub mod provider;
pub mod serving;
pub mod shop;
pub mod web;
pub mod world;
