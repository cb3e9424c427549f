//! `/v1/plugins/{name}/cases`: the merchant's own cases, which whatever is handed in under the name is asked before it is taken.

use axum::extract::OriginalUri;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::page::{Named, Page, Paging, Params};
use super::problem::{Problem, ProblemBody};
use super::publishing::{note, refused};
use super::repeat::{Command, RawCommand};
use super::replay::Kept;
use super::tenancy::Tenant;
use super::wire::invalid;
use super::wire::publishing::SinceView;
use super::{body, codes, listed};
use crate::engine::Engine;
use crate::publish::cases::{self, CASE_BYTES_MAX, Keep};
use crate::publish::way::{Answer, Way};

/// Why a case is kept.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct KeepCase {
    /// Why, in a few words.
    #[serde(default)]
    #[param(max_length = 500)]
    note: String,
}

/// A case that uploads are asked.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PluginCase)]
pub(super) struct CaseView {
    /// The plugin, without a version.
    plugin: String,
    /// Its name.
    case: String,
    /// The hook that it asks: `eligibility`, `compliance`, `refund` or `step`; left out where this host cannot read the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    hook: Option<&'static str>,
    /// Whether it says what must be answered. One that does not is asked all the same.
    expects: bool,
    /// Bytes of the file.
    bytes: usize,
    /// Since when, by whom and why.
    since: SinceView,
    /// The file as it came. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

/// Keep a case under the name of a plugin, in place of the one of the same name, whether there is such a plugin yet or not.
///
/// The body is a case file, as `redress plugin check` and `run` read it. From now on a component that is handed in under the name is asked it,
/// twice in fresh instances and under the limits of every question, and is not taken where its answer is not what the case expects. What is
/// active stays so, and becomes active again without being asked.
#[utoipa::path(
    put, path = "/v1/plugins/{name}/cases/{case}", operation_id = "plugin_case.put", tag = "plugins",
    request_body(content = Object, content_type = "application/json"),
    params(
        ("name" = String, Path, description = "the plugin, without a version"),
        ("case" = String, Path, description = "its name"),
        KeepCase,
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = CaseView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "plugin_case.put", skip_all)]
pub(super) async fn put(
    tenant: Tenant,
    Named((plugin, case)): Named<(String, String)>,
    Params(wish): Params<KeepCase>,
    RawCommand(Command { body: raw, repeat, guard }): RawCommand<CASE_BYTES_MAX>,
) -> Result<Response, Problem> {
    let (note, by) = (note(wish.note)?, tenant.caller.actor());
    let essence = body::essence(&raw.headers);
    if essence != "application/json" {
        let detail = format!("the body is {essence:?}; send application/json");
        return Err(Problem::new(codes::MEDIA_TYPE_UNSUPPORTED, detail));
    }
    let kept = tenant.read(move |engine| {
        let source = str::from_utf8(&raw.bytes)
            .map_err(|error| invalid("", format!("the text is not UTF-8 from byte {} on", error.valid_up_to())))?;
        let told = |kept: &cases::Kept| Kept::done(&view(&plugin, kept));
        let document = |kept: &cases::Kept| told(kept).text();
        let answer = repeat.map(|repeat| Answer { repeat, document: &document });
        let keep = Keep { plugin: &plugin, case: &case, source, note: &note, by: &by, way: Way::Api, answer };
        let kept = cases::keep(engine, &keep);
        drop(guard);
        kept.map(|kept| told(&kept)).map_err(|error| refused(error, ""))
    });
    Ok(kept.await?.into_response())
}

/// List the cases that uploads of a plugin are asked, by name.
#[utoipa::path(
    get, path = "/v1/plugins/{name}/cases", operation_id = "plugin_case.list", tag = "plugins",
    params(("name" = String, Path, description = "the plugin, without a version"), Paging),
    responses(
        (status = 200, body = Page<CaseView>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    tenant: Tenant,
    address: OriginalUri,
    Named(plugin): Named<String>,
    Params(paging): Params<Paging>,
) -> Result<Response, Problem> {
    let read = move |engine: &Engine| {
        let kept = cases::list(engine, &plugin)?;
        let rows = kept.iter().map(|one| (one.case.to_string(), view(&plugin, one))).collect();
        listed::page(&format!("cases of {plugin}"), rows, &paging)
    };
    Ok(tenant.read(read).await?.respond(&address))
}

/// Read a case that uploads of a plugin are asked, with its file.
#[utoipa::path(
    get, path = "/v1/plugins/{name}/cases/{case}", operation_id = "plugin_case.get", tag = "plugins",
    params(
        ("name" = String, Path, description = "the plugin, without a version"),
        ("case" = String, Path, description = "its name"),
    ),
    responses(
        (status = 200, body = CaseView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    tenant: Tenant,
    Named((plugin, case)): Named<(String, String)>,
) -> Result<axum::Json<CaseView>, Problem> {
    let read = move |engine: &Engine| {
        let kept = cases::get(engine, &plugin, &case).map_err(|error| refused(error, ""))?;
        Ok::<_, Problem>(CaseView { source: Some(kept.source.clone()), ..view(&plugin, &kept) })
    };
    tenant.read(read).await.map(axum::Json)
}

/// Remove a case: nothing is asked it any more.
#[utoipa::path(
    delete, path = "/v1/plugins/{name}/cases/{case}", operation_id = "plugin_case.remove", tag = "plugins",
    params(
        ("name" = String, Path, description = "the plugin, without a version"),
        ("case" = String, Path, description = "its name"),
    ),
    responses(
        (status = 204),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "plugin_case.remove", skip_all)]
pub(super) async fn remove(
    tenant: Tenant,
    Named((plugin, case)): Named<(String, String)>,
) -> Result<StatusCode, Problem> {
    let by = tenant.caller.actor();
    let remove = move |engine: &Engine| {
        cases::remove(engine, &plugin, &case, &by, &Way::Api).map_err(|error| refused(error, ""))
    };
    tenant.read(remove).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(plugin: &str, kept: &cases::Kept) -> CaseView {
    let about = cases::about(kept);
    CaseView {
        plugin: plugin.to_owned(),
        case: kept.case.to_string(),
        hook: about.map(|(hook, _)| hook.name()),
        expects: about.is_some_and(|(_, expects)| expects),
        bytes: kept.source.len(),
        since: (&kept.since).into(),
        source: None,
    }
}
