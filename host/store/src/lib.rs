//! Durable batches over redb: one file per tenant, one system file per host.
//!
//! # The seam
//!
//! Whoever decides about a case never sees a key-value interface, and no type of the database:
//!
//! ```text
//! read    TenantStore::read() ─► Snapshot          everything a turn looks at, as of one moment
//! decide  (elsewhere, without this crate)
//! append  TenantStore::append(Batch)               all of it or nothing, durable when it answers
//! work    TenantStore::claim(..) ─► fenced leases  outbox and timers; finished inside a batch
//! scan    Snapshot::scan(Scan, ..)                 a closed list of listings, page by page
//! feed    Snapshot::feed(after, limit)             what happened, in the order in which it was stored
//! export  Snapshot::export(Sink)                   a consistent copy while writing goes on
//! ```
//!
//! A [`batch::Batch`] names the versions of the streams that it depends on (one case, any number of order ledgers, the
//! tenant) and fails whole when one of them has moved. Two returns of the same last unit, submitted at once, both expect the
//! order's ledger at the same version: exactly one is stored.
//!
//! # Promises
//!
//! * An `Ok` from `append` is on disk: two-phase commit, quick-repair, immediate durability, always.
//! * A refused batch leaves no trace, and never harms the batches that share its commit.
//! * Keys carry no tenant: the file is the tenant's, and a handle of one tenant cannot name another's data.
//! * Values are opaque bytes; only this crate knows keys, and only `tables.rs` knows the tables.
//! * No code of a caller runs while a write transaction is open, but for whoever watches commits to try crashes.
//!
//! # Reading order
//!
//! `tables` (what is kept), `batch` (what one commit holds), `queue`, `append` and `apply` (how it is committed), `snapshot` (what is
//! read), `tenant` (the handle), `host` (the data folder around it).

pub mod limits;

mod keys;
mod tables;

pub mod batch;
pub mod commit;
pub mod error;
pub mod row;
pub mod work;

mod append;
mod apply;
mod file;
mod migrate;
pub mod queue;

pub mod audit;
pub mod export;
pub mod feed;
pub mod revisions;
pub mod scan;
pub mod snapshot;
pub mod tenant;

pub mod host;
pub mod host_key;
pub mod objects;

#[cfg(test)]
mod tests;
