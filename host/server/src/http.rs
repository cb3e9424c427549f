//! HTTP: every route on one screen. Handlers extract, hand a command to the engine or read, and answer.
//!
//! A route enters the router together with who may use it, so that none can be forgotten; the OpenAPI document and the table of
//! roles are made from the same list.

#![expect(unused_qualifications, reason = "the macros of the OpenAPI document write full paths")]

pub mod access;
pub(crate) mod auth;
mod body;
pub mod bundles;
pub mod codes;
mod document;
pub mod page;
pub mod pages;
pub mod problem;
pub mod repeat;
mod replay;
mod replays;
pub(crate) mod respond;
mod routes;
mod schemas;
pub mod service;
mod signers;
mod staging;
pub mod tenancy;
pub mod wire;

pub mod canary;
pub mod cases;
pub mod connectors;
pub mod drafts;
pub mod effects;
pub mod events;
pub mod garbage;
mod grants;
pub mod holds;
pub mod keys;
mod listed;
pub mod migrations;
pub mod orders;
mod plugin_cases;
pub mod plugins;
pub mod publishing;
pub mod tasks;
pub mod tenants;
pub mod workflows;

pub use routes::{Api, Served};
pub use tenancy::State;

use access::{ACT, ADMIT, Access, CONNECT, DECIDE, READ, RULE};
use utoipa_axum::routes;

/// The whole API.
pub fn api() -> Api {
    house(rules(work(Api::new())))
}

/// What a merchant works with: orders, cases, and what waits in them.
fn work(api: Api) -> Api {
    api
        // ── Orders ──
        .route(CONNECT, routes!(orders::put))
        .route(READ, routes!(orders::get))
        .route(READ, routes!(orders::list))
        // ── Cases ──
        .route(ACT, routes!(cases::open))
        .route(READ, routes!(cases::list::list))
        .route(READ, routes!(cases::get))
        .route(READ, routes!(cases::timeline::timeline))
        .route(READ, routes!(replays::case))
        .route(READ, routes!(replays::cases))
        .route(ACT, routes!(cases::event::event))
        .route(DECIDE, routes!(cases::cancel))
        // ── Tasks and effects ──
        .route(READ, routes!(tasks::list))
        .route(READ, routes!(tasks::get))
        .route(DECIDE, routes!(tasks::claim))
        .route(DECIDE, routes!(tasks::release))
        .route(DECIDE, routes!(tasks::complete))
        .route(READ, routes!(effects::list))
        .route(READ, routes!(effects::get))
        .route(CONNECT, routes!(effects::outcome))
        .route(RULE, routes!(effects::redeliver))
        // ── Events ──
        .route(ACT, routes!(events::tell::tell))
        .route(READ, routes!(events::list))
        .route(READ, routes!(events::stream::follow))
}

/// What decides: workflows and plugins.
fn rules(api: Api) -> Api {
    api
        // ── Workflows ──
        .route(READ, routes!(workflows::validate))
        .route(RULE, routes!(workflows::publish))
        .route(RULE, routes!(bundles::publish))
        .route(READ, routes!(workflows::list))
        .route(READ, routes!(workflows::get))
        .route(READ, routes!(workflows::revisions))
        .route(READ, routes!(workflows::revision))
        .route(RULE, routes!(garbage::collect))
        .route(RULE, routes!(workflows::rollback))
        .route(RULE, routes!(drafts::put))
        .route(READ, routes!(drafts::get))
        .route(READ, routes!(drafts::list))
        .route(RULE, routes!(drafts::discard))
        .route(RULE, routes!(drafts::publish))
        .route(RULE, routes!(canary::start))
        .route(RULE, routes!(canary::promote))
        .route(RULE, routes!(canary::stop))
        .route(RULE, routes!(migrations::migrate))
        .route(RULE, routes!(holds::begin))
        .route(RULE, routes!(holds::end))
        .route(READ, routes!(holds::list))
        .route(READ, routes!(workflows::watched))
        // ── Plugins ──
        .route(RULE, routes!(plugins::put))
        .route(READ, routes!(plugins::list))
        .route(READ, routes!(plugins::get))
        .route(RULE, routes!(plugins::activate))
        .route(RULE, routes!(plugins::rollback))
        .route(READ, routes!(signers::list))
        .route(RULE, routes!(signers::set))
        .route(READ, routes!(grants::get))
        .route(RULE, routes!(grants::put))
        .route(RULE, routes!(plugin_cases::put))
        .route(READ, routes!(plugin_cases::list))
        .route(READ, routes!(plugin_cases::get))
        .route(RULE, routes!(plugin_cases::remove))
        .route(RULE, routes!(staging::stage))
        .route(RULE, routes!(staging::restage))
        .route(RULE, routes!(staging::stop))
        .route(RULE, routes!(staging::remove))
}

/// How the merchant is connected, who comes in, and the host itself.
fn house(api: Api) -> Api {
    api
        // ── Connectors and keys ──
        .route(RULE, routes!(connectors::list))
        .route(RULE, routes!(connectors::set))
        .route(RULE, routes!(connectors::remove))
        .route(RULE, routes!(connectors::test))
        .route(ADMIT, routes!(keys::create))
        .route(ADMIT, routes!(keys::list))
        .route(ADMIT, routes!(keys::get))
        .route(ADMIT, routes!(keys::revoke))
        // ── The host and its tenants ──
        .route(Access::Host, routes!(tenants::create))
        .route(Access::Host, routes!(tenants::list))
        .route(Access::Host, routes!(tenants::get))
        .route(READ, routes!(tenants::own))
}
