//! The API, route by route; folders mirror the resources.

mod cases;
mod keys;
mod workflows;
