//! An example: denies every line.
