//! The API, route by route; folders mirror the resources.

mod cases;
mod effects;
mod events;
mod orders;
mod tasks;
mod timeline;
