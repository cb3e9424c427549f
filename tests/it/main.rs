//! Every test of the whole product, in one binary.

mod cli;
mod crash;
mod fold;
mod half_year;
mod hostile;
mod import;
mod money;
mod people;
mod race;
mod returns;
mod steps;
