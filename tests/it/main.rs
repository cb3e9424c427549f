//! Every test of the whole product, in one binary.

mod fold;
mod import;
mod money;
mod people;
mod publish;
mod race;
mod returns;
mod shapes;
mod steps;
mod turns;
