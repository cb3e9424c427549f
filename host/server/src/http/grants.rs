//! `/v1/plugins/{name}/grants`: what a plugin may be told beside the case.

use std::collections::BTreeSet;

use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::Named;
use super::problem::{Problem, ProblemBody};
use super::publishing::{note, refused};
use super::repeat::Command;
use super::replay::Kept;
use super::tenancy::Tenant;
use crate::engine::told::FACTS;
use crate::publish::grants::{self, Granting};
use crate::publish::way::{Answer, Way};

/// What a plugin is to be granted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantPlugin {
    /// The facts; none takes them all back.
    #[schema(max_items = 64)]
    facts: Vec<String>,
    /// Why, in a few words.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
}

/// What a plugin is granted, and what there is.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Grants)]
pub(super) struct GrantsView {
    /// The plugin, without a version.
    plugin: String,
    /// What it may be told.
    facts: Vec<String>,
    /// Everything that a plugin can be told.
    offered: Vec<OfferedView>,
}

/// A fact that a plugin can be told.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OfferedFact)]
pub(super) struct OfferedView {
    /// Its name, as manifests have it.
    name: &'static str,
    /// What it is.
    about: &'static str,
}

/// Read what a plugin may be told beside the case, and what there is to be told.
#[utoipa::path(
    get, path = "/v1/plugins/{name}/grants", operation_id = "plugin.grants", tag = "plugins",
    params(("name" = String, Path, description = "its name, without a version")),
    responses(
        (status = 200, body = GrantsView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(tenant: Tenant, Named(plugin): Named<String>) -> Result<axum::Json<GrantsView>, Problem> {
    let read = move |engine: &crate::engine::Engine| {
        let facts = grants::of(engine, &plugin)?;
        Ok::<_, Problem>(view(&plugin, &facts))
    };
    tenant.read(read).await.map(axum::Json)
}

/// Grant a plugin these facts and no others, whether there is one of this name yet or not. Turns that begin from now on tell it what it
/// is granted then; a component that asks for more does not become active.
#[utoipa::path(
    put, path = "/v1/plugins/{name}/grants", operation_id = "plugin.grant", tag = "plugins",
    request_body = GrantPlugin,
    params(
        ("name" = String, Path, description = "its name, without a version"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = GrantsView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "plugin.grant", skip_all)]
pub(super) async fn put(
    tenant: Tenant,
    Named(plugin): Named<String>,
    Command { body, repeat, guard }: Command<GrantPlugin>,
) -> Result<Response, Problem> {
    let (note, by) = (note(body.note)?, tenant.caller.actor());
    let facts: BTreeSet<String> = body.facts.into_iter().collect();
    let kept = tenant.read(move |engine| {
        let told = |facts: &BTreeSet<String>| Kept::done(&view(&plugin, facts));
        let document = |facts: &BTreeSet<String>| told(facts).text();
        let answer = repeat.map(|repeat| Answer { repeat, document: &document });
        let granting = Granting { plugin: &plugin, facts: &facts, note: &note, by: &by, way: Way::Api, answer };
        let granted = grants::grant(engine, &granting);
        drop(guard);
        granted.map(|facts| told(&facts)).map_err(|error| refused(error, ""))
    });
    Ok(kept.await?.into_response())
}

fn view(plugin: &str, facts: &BTreeSet<String>) -> GrantsView {
    GrantsView {
        plugin: plugin.to_owned(),
        facts: facts.iter().cloned().collect(),
        offered: FACTS.iter().map(|(name, about)| OfferedView { name, about }).collect(),
    }
}
