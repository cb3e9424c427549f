//! Durable batches over redb: one file per tenant.
