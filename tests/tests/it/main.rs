//! Tests of the whole product, one file for each way in.

mod import;
