//! `/v1/plugins/{name}/staged`: a component beside the active one, as a shadow or a canary, until it becomes active or is stopped.

use axum::extract::State as Shared;
use axum::response::{IntoResponse as _, Response};
use redress_domain::workflow::canary::Bounds;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::page::{Named, Params};
use super::plugins::{PLUGIN_BYTES_MAX, signature, told};
use super::problem::{Problem, ProblemBody};
use super::publishing::{note, refused};
use super::repeat::{Command, RawCommand};
use super::replay::Kept;
use super::tenancy::{State, Tenant};
use super::wire::invalid;
use super::wire::publishing::PluginView;
use super::wire::staged::StagedView;
use crate::engine::repeat::Repeat;
use crate::engine::staged::{Stage, Staged};
use crate::publish::plugins::Active;
use crate::publish::staging::{self, Component, End, Staging, canary_of};
use crate::publish::way::{Answer, Way};

/// How far a component goes.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StagePlugin {
    /// `shadow`: it is asked beside the active component, and what it answers is compared and not used. `canary`: it decides a share of
    /// the new cases of every workflow that calls it.
    #[schema(pattern = "^(shadow|canary)$")]
    #[param(pattern = "^(shadow|canary)$")]
    stage: String,
    /// The share of the new cases, in percent; of a canary.
    #[schema(minimum = 1, maximum = 99)]
    #[param(minimum = 1, maximum = 99)]
    percent: Option<u8>,
    /// Why, in a few words.
    #[serde(default)]
    #[schema(max_length = 500)]
    #[param(max_length = 500)]
    note: String,
}

impl StagePlugin {
    fn stage(&self) -> Result<Stage, Problem> {
        match (&*self.stage, self.percent) {
            ("shadow", None) => Ok(Stage::Shadow),
            ("shadow", Some(_)) => Err(invalid("/percent", "a shadow decides nothing, and has no share")),
            ("canary", Some(percent)) => {
                canary_of(percent).ok_or_else(|| invalid("/percent", "a share is 1 to 99 percent"))
            }
            ("canary", None) => Err(invalid("/percent", "a canary has a share of the new cases: 1 to 99 percent")),
            _ => Err(invalid("/stage", "a stage is `shadow` or `canary`")),
        }
    }
}

/// Why something ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndPlugin {
    /// Why, in a few words.
    #[schema(min_length = 1, max_length = 500)]
    note: String,
}

/// Put a component beside the active one of its name: it is checked and compiled, and decides nothing, or a share of the new cases.
///
/// A shadow is asked after each turn what the active component was asked; what it answers is compared, told under `compared`, and never
/// used. A canary becomes a canary of every active workflow that calls the plugin. What was staged under the name before ends.
/// `plugin.activate` with its digest makes it active.
#[utoipa::path(
    put, path = "/v1/plugins/{name}/staged", operation_id = "plugin.stage", tag = "plugins",
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    params(
        ("name" = String, Path, description = "its name, without a version: that is the component's own"),
        StagePlugin,
        ("Redress-Signature" = Option<String>, Header, description = "in base 64, what `minisign -S` wrote for the file"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = StagedView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "plugin.stage", skip_all)]
pub(super) async fn stage(
    tenant: Tenant,
    Shared(state): Shared<State>,
    Named(name): Named<String>,
    Params(wish): Params<StagePlugin>,
    RawCommand(Command { body: raw, repeat, guard }): RawCommand<PLUGIN_BYTES_MAX>,
) -> Result<Response, Problem> {
    let (by, signature) = (tenant.clone(), signature(&raw.headers)?);
    let wished = (wish.stage()?, note(wish.note)?);
    let kept = tenant.read(move |engine| {
        let upload = Component::Upload(&name, &raw.bytes, signature.as_deref());
        let kept = staged(&state, &by, engine, upload, &wished, repeat);
        drop(guard);
        kept
    });
    Ok(kept.await?.into_response())
}

/// Let what is staged go further, from shadow to canary or to another share, or back.
#[utoipa::path(
    post, path = "/v1/plugins/{name}/staged", operation_id = "plugin.restage", tag = "plugins",
    request_body = StagePlugin,
    params(
        ("name" = String, Path, description = "name and major version"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = StagedView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "plugin.restage", skip_all)]
pub(super) async fn restage(
    tenant: Tenant,
    Shared(state): Shared<State>,
    Named(plugin): Named<String>,
    Command { body: wish, repeat, guard }: Command<StagePlugin>,
) -> Result<Response, Problem> {
    let wished = (wish.stage()?, note(wish.note)?);
    let by = tenant.clone();
    let kept = tenant.read(move |engine| {
        let kept = staged(&state, &by, engine, Component::Staged(&plugin), &wished, repeat);
        drop(guard);
        kept
    });
    Ok(kept.await?.into_response())
}

/// Take away what is staged: it is asked no more, and no further case takes it. Cases that took it as a canary stay with it.
#[utoipa::path(
    post, path = "/v1/plugins/{name}/staged/stop", operation_id = "plugin.unstage", tag = "plugins",
    request_body = EndPlugin,
    params(
        ("name" = String, Path, description = "name and major version"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = StagedView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "plugin.unstage", skip_all)]
pub(super) async fn stop(
    tenant: Tenant,
    Named(plugin): Named<String>,
    Command { body, repeat, guard }: Command<EndPlugin>,
) -> Result<Response, Problem> {
    let (note, by) = (note(body.note)?, tenant.caller.actor());
    let kept = tenant.read(move |engine| {
        let document = |one: &Staged| view(one).text();
        let answer = repeat.map(|repeat| Answer { repeat, document: &document });
        let stopped = staging::stop(engine, &End { plugin: &plugin, note: &note, by: &by, way: Way::Api, answer });
        drop(guard);
        stopped.map(|last| view(&last)).map_err(|error| refused(error, ""))
    });
    Ok(kept.await?.into_response())
}

/// Remove a plugin: no workflow can call it any more. One that an active workflow or a canary calls is not removed. Cases that are
/// pinned to its components keep them.
#[utoipa::path(
    post, path = "/v1/plugins/{name}/remove", operation_id = "plugin.remove", tag = "plugins",
    request_body = EndPlugin,
    params(
        ("name" = String, Path, description = "name and major version"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = PluginView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "plugin.remove", skip_all)]
pub(super) async fn remove(
    tenant: Tenant,
    Named(plugin): Named<String>,
    Command { body, repeat, guard }: Command<EndPlugin>,
) -> Result<Response, Problem> {
    let (note, by) = (note(body.note)?, tenant.caller.actor());
    let kept = tenant.read(move |engine| {
        let document = |active: &Active| told(engine, active).text();
        let answer = repeat.map(|repeat| Answer { repeat, document: &document });
        let removed = staging::remove(engine, &End { plugin: &plugin, note: &note, by: &by, way: Way::Api, answer });
        drop(guard);
        removed.map(|active| told(engine, &active)).map_err(|error| refused(error, ""))
    });
    Ok(kept.await?.into_response())
}

fn staged(
    state: &State,
    tenant: &Tenant,
    engine: &crate::engine::Engine,
    what: Component<'_>,
    (stage, note): &(Stage, String),
    repeat: Option<Repeat>,
) -> Result<Kept, Problem> {
    let document = |one: &Staged| view(one).text();
    let answer = repeat.map(|repeat| Answer { repeat, document: &document });
    let by = tenant.caller.actor();
    let (stage, bounds) = (*stage, Bounds::default());
    let staging = Staging { what, stage, bounds, note, by: &by, way: Way::Api, answer };
    let staged = staging::stage(engine, &state.app.host().objects(), &staging);
    staged.map(|one| view(&one)).map_err(|error| refused(error, ""))
}

fn view(one: &Staged) -> Kept {
    Kept::done(&StagedView::from(one))
}
