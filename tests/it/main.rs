//! Every test of the whole product, in one binary.

mod cli;
mod crash;
mod half_year;
mod hostile;
mod import;
mod people;
mod returns;
