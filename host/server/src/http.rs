//! HTTP: every route on one screen. Handlers extract, hand a command to the engine or read, and answer.
//!
//! A route enters the router together with who may use it, so that none can be forgotten; the OpenAPI document and the table of
//! roles are made from the same list.

#![expect(unused_qualifications, reason = "the macros of the OpenAPI document write full paths")]

pub mod access;
pub(crate) mod auth;
mod body;
pub mod codes;
pub mod page;
pub mod pages;
pub mod problem;
pub mod repeat;
mod replay;
pub(crate) mod respond;
mod routes;
pub mod service;
pub mod tenancy;
mod wire;

mod cases;
mod listed;
mod tenants;

pub use routes::{Api, Served};
pub use tenancy::State;

use access::{ACT, Access, DECIDE, READ};
use utoipa_axum::routes;

/// The whole API.
pub fn api() -> Api {
    Api::new()
        // ── Cases ──
        .route(ACT, routes!(cases::open))
        .route(READ, routes!(cases::list))
        .route(READ, routes!(cases::get))
        .route(DECIDE, routes!(cases::cancel))
        // ── The host and its tenants ──
        .route(Access::Host, routes!(tenants::create))
        .route(Access::Host, routes!(tenants::list))
        .route(Access::Host, routes!(tenants::get))
        .route(READ, routes!(tenants::own))
}
