//! Every test of the whole product, in one binary.

mod hostile;
mod returns;
