//! `/v1/plugins`: WebAssembly components that workflows call, put under a name, and taken back.

use axum::extract::{OriginalUri, State as Shared};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use redress_domain::ids::Digest;
use redress_domain::workflow::definition::{Plugin, PluginRef};
use serde::Deserialize;
use utoipa::ToSchema;

use super::page::{Named, Page, Paging, Params};
use super::problem::{Problem, ProblemBody};
use super::publishing::refused;
use super::repeat::{Command, RawCommand};
use super::replay::Kept;
use super::tenancy::{State, Tenant};
use super::wire::publishing::{PluginView, hook};
use super::wire::{all, name};
use super::{body, codes, listed};
use crate::engine::repeat::Repeat;
use crate::engine::{self, Engine};
use crate::publish::interface;
use crate::publish::plugins::{self, Activation, Active, Became, Upload};
use crate::publish::signers::SIGNATURE_BYTES_MAX;
use crate::publish::staging;
use crate::publish::way::{Answer, Way};

/// Bytes of a component of the larger class; the sandbox knows the class once it has seen the component.
pub(super) const PLUGIN_BYTES_MAX: usize = redress_sandbox::limits::UPLOAD_BYTES_MAX;

/// Put a component under a name: it is checked, compiled and made active. Workflows that call it get a new revision in the same
/// commit; where one would not pass with it, nothing is changed.
#[utoipa::path(
    put, path = "/v1/plugins/{name}", operation_id = "plugin.put", tag = "plugins",
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    params(
        ("name" = String, Path, description = "its name, without a version: that is the component's own"),
        ("Redress-Signature" = Option<String>, Header, description = "in base 64, what `minisign -S` wrote for the file"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = PluginView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "plugin.put", skip_all)]
pub(super) async fn put(
    tenant: Tenant,
    Shared(state): Shared<State>,
    Named(name): Named<String>,
    RawCommand(Command { body: raw, repeat, guard }): RawCommand<PLUGIN_BYTES_MAX>,
) -> Result<Response, Problem> {
    let (by, signature) = (tenant.caller.actor(), signature(&raw.headers)?);
    let kept = tenant.read(move |engine| {
        let document = |active: &Active| told(engine, active).text();
        let answer = repeat.map(|repeat| Answer { repeat, document: &document });
        let (bytes, signature) = (&raw.bytes, signature.as_deref());
        let upload = Upload { name: &name, bytes, signature, by: &by, way: Way::Api, answer };
        let pushed = plugins::push(engine, &state.app.host().objects(), &upload);
        drop(guard);
        pushed.map(|active| told(engine, &active)).map_err(|error| refused(error, ""))
    });
    Ok(kept.await?.into_response())
}

/// The signature of an upload, if it has one; what is no component by its own account is refused.
pub(super) fn signature(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let essence = body::essence(headers);
    if essence != "application/wasm" {
        let detail = format!("the body is {essence:?}; send application/wasm");
        return Err(Problem::new(codes::MEDIA_TYPE_UNSUPPORTED, detail));
    }
    let Some(value) = headers.get("redress-signature") else { return Ok(None) };
    let invalid = |why: &str| Problem::new(codes::SIGNATURE_INVALID, why);
    if value.len() > 2 * SIGNATURE_BYTES_MAX {
        return Err(invalid("the header Redress-Signature is larger than a signature"));
    }
    let text = BASE64.decode(value.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let wrong = || invalid("the header Redress-Signature is not the base 64 of what minisign wrote");
    text.map(Some).ok_or_else(wrong)
}

/// List the plugins that workflows may call: the merchant's own, then those shipped with the host.
#[utoipa::path(
    get, path = "/v1/plugins", operation_id = "plugin.list", tag = "plugins", params(Paging),
    responses(
        (status = 200, body = Page<PluginView>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    tenant: Tenant,
    address: OriginalUri,
    Params(paging): Params<Paging>,
) -> Result<Response, Problem> {
    let read = move |engine: &Engine| {
        let own = plugins::list(engine)?.into_iter().map(|active| view(engine, &active));
        let rows = own.chain(stock(engine)).map(|one| (one.plugin.clone(), one)).collect();
        listed::page("plugins", rows, &paging)
    };
    Ok(tenant.read(read).await?.respond(&address))
}

/// Read a plugin, with the times when a component became active under its name.
#[utoipa::path(
    get, path = "/v1/plugins/{name}", operation_id = "plugin.get", tag = "plugins",
    params(("name" = String, Path, description = "name and major version: `sizes@1`; of one shipped with the host `std%2Frefund-quote@0`")),
    responses(
        (status = 200, body = PluginView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(tenant: Tenant, Named(plugin): Named<String>) -> Result<axum::Json<PluginView>, Problem> {
    let read = move |engine: &Engine| {
        let own = plugins::list(engine)?.into_iter().map(|active| view(engine, &active));
        let mut found = own.chain(stock(engine)).find(|one| one.plugin == plugin).ok_or_else(|| missing(&plugin))?;
        found.staged = engine.staged_of(&plugin)?.as_ref().map(Into::into);
        found.used_by = Some(staging::used_by(engine, &plugin));
        found.history = Some(all(past(engine, &plugin)?.iter().rev()));
        Ok::<_, Problem>(found)
    };
    tenant.read(read).await.map(axum::Json)
}

/// Which component is to be active.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivatePlugin {
    /// The SHA-256 of a component that was active under this name before.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    digest: String,
}

/// Make a component active that was active under this name before. Workflows that call it get another revision in the same commit.
#[utoipa::path(
    post, path = "/v1/plugins/{name}/activate", operation_id = "plugin.activate", tag = "plugins",
    request_body = ActivatePlugin,
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
#[tracing::instrument(name = "plugin.activate", skip_all)]
pub(super) async fn activate(
    tenant: Tenant,
    Shared(state): Shared<State>,
    Named(plugin): Named<String>,
    Command { body, repeat, guard }: Command<ActivatePlugin>,
) -> Result<Response, Problem> {
    let digest = name("/digest", body.digest.parse())?;
    let by = tenant.clone();
    let kept = tenant.read(move |engine| {
        let kept = activated(&state, &by, engine, &plugin, digest, repeat);
        drop(guard);
        kept
    });
    Ok(kept.await?.into_response())
}

/// Nothing has to be said about it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackPlugin {}

/// Go back to the component that was active before the present one. Who goes back twice comes two back.
#[utoipa::path(
    post, path = "/v1/plugins/{name}/rollback", operation_id = "plugin.rollback", tag = "plugins",
    request_body = RollbackPlugin,
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
#[tracing::instrument(name = "plugin.rollback", skip_all)]
pub(super) async fn rollback(
    tenant: Tenant,
    Shared(state): Shared<State>,
    Named(plugin): Named<String>,
    Command { body: RollbackPlugin {}, repeat, guard }: Command<RollbackPlugin>,
) -> Result<Response, Problem> {
    let by = tenant.clone();
    let kept = tenant.read(move |engine| {
        let kept = past(engine, &plugin).map_err(Problem::from).and_then(|past| {
            let digest = before(&past).ok_or_else(|| nothing_before(&plugin, &past))?;
            activated(&state, &by, engine, &plugin, digest, repeat)
        });
        drop(guard);
        kept
    });
    Ok(kept.await?.into_response())
}

fn activated(
    state: &State,
    tenant: &Tenant,
    engine: &Engine,
    plugin: &str,
    digest: Digest,
    repeat: Option<Repeat>,
) -> Result<Kept, Problem> {
    let document = |active: &Active| told(engine, active).text();
    let answer = repeat.map(|repeat| Answer { repeat, document: &document });
    let by = tenant.caller.actor();
    let activation = Activation { plugin, digest, by: &by, way: Way::Api, answer };
    let active = plugins::activate(engine, &state.app.host().objects(), &activation);
    active.map(|active| told(engine, &active)).map_err(|error| refused(error, ""))
}

pub(super) fn told(engine: &Engine, active: &Active) -> Kept {
    Kept::done(&view(engine, active))
}

/// Every time that a component became active under a name, oldest first.
fn past(engine: &Engine, plugin: &str) -> Result<Vec<Became>, engine::Error> {
    Ok(plugins::history(engine)?.into_iter().filter(|became| became.plugin.plugin == plugin).collect())
}

/// The component before the present one. A component that becomes active again takes back what came after it.
fn before(past: &[Became]) -> Option<Digest> {
    let mut line: Vec<Digest> = Vec::new();
    for became in past {
        let digest = became.plugin.digest;
        match line.iter().position(|one| *one == digest) {
            Some(place) => line.truncate(place + 1),
            None => line.push(digest),
        }
    }
    line.pop();
    line.pop()
}

fn nothing_before(plugin: &str, past: &[Became]) -> Problem {
    if past.is_empty() {
        return missing(plugin);
    }
    Problem::new(codes::ROLLBACK_IMPOSSIBLE, format!("plugin {plugin:?} has no earlier component"))
}

fn missing(plugin: &str) -> Problem {
    Problem::new(codes::PLUGIN_NOT_FOUND, format!("plugin {plugin:?} does not exist"))
}

fn view(engine: &Engine, active: &Active) -> PluginView {
    let loaded = engine.sandbox().info(active.digest.bytes());
    PluginView {
        plugin: active.plugin.clone(),
        version: active.version.clone(),
        digest: active.digest.to_string(),
        hook: loaded.and_then(|info| interface::plugin(&info)).map(|plugin| hook(plugin.hook)),
        stock: false,
        rests_until: engine.rests_until(active.digest).map(|until| until.to_string()),
        staged: None,
        used_by: None,
        history: None,
    }
}

fn stock(engine: &Engine) -> Vec<PluginView> {
    let version = |digest: &Digest| engine.sandbox().info(digest.bytes()).map(|info| info.manifest.version.clone());
    let view = |(name, plugin): (PluginRef, Plugin)| PluginView {
        plugin: name.to_string(),
        version: version(&plugin.digest).unwrap_or_default(),
        digest: plugin.digest.to_string(),
        hook: Some(hook(plugin.hook)),
        stock: true,
        rests_until: engine.rests_until(plugin.digest).map(|until| until.to_string()),
        staged: None,
        used_by: None,
        history: None,
    };
    plugins::stock(engine.sandbox()).into_iter().map(view).collect()
}
