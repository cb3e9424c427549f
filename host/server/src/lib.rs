//! Redress: after-sales as durable cases.
