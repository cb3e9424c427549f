//! Every test of the whole product, in one binary.

mod cli;
mod half_year;
mod import;
mod people;
mod returns;
