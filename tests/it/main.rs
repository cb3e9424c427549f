//! Every test of the whole product, in one binary.

mod import;
mod people;
mod returns;
