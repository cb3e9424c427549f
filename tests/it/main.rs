//! Every test of the whole product, in one binary.

mod fold;
mod import;
mod people;
mod race;
mod returns;
mod steps;
