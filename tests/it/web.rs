//! The API, route by route; folders mirror the resources.

mod cases;
mod effects;
mod events;
mod keys;
mod orders;
mod sequences;
mod tasks;
mod timeline;
mod workflows;
