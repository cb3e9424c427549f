//! The API, route by route; folders mirror the resources.

mod cases;
mod codes;
mod connectors;
mod cursors;
mod document;
mod effects;
mod events;
mod examples;
mod keys;
mod orders;
mod roles;
mod sequences;
mod tasks;
mod timeline;
mod workflows;
