//! The store's tests: one conformance suite against memory and file, and what only a file or a failing disk can show.

mod conformance;
mod feed;
mod files;
mod listings;
mod power_cut;
mod revisions;
mod tampering;

mod disk;
mod world;
