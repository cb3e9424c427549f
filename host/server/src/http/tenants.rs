//! `/v1/tenants`: the merchants of this host, for its operator; `/v1/tenant`: one's own.

use axum::extract::{OriginalUri, State as Shared};
use axum::response::{IntoResponse as _, Response};
use redress_domain::ids::TenantId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::{Named, Page, Paging, Params};
use super::problem::{Problem, ProblemBody};
use super::repeat::Command;
use super::replay::Kept;
use super::tenancy::{State, Tenant};
use super::wire::name;
use super::{auth, codes, listed, respond};
use crate::engine::repeat::{Given, Repeat};
use crate::engine::tenant::{self, TenantRecord};

/// A tenant to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTenant {
    /// Its name in commands, folders and the header `Redress-Tenant`.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,63}$")]
    name: String,
    /// The zone in which its days are counted, of the IANA tables.
    #[schema(example = "Asia/Shanghai")]
    zone: String,
    /// The currency of documents that name none, ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// The language of its texts.
    #[schema(example = "zh-CN", max_length = 48)]
    locale: String,
    /// The law that applies: `CN`, `EU`, `UK` ...
    #[schema(pattern = "^[A-Z-]{2,8}$")]
    jurisdiction: String,
}

/// A merchant of this host.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub struct TenantView {
    /// The id. It never changes.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The zone in which its days are counted.
    pub zone: String,
    /// The currency of documents that name none.
    pub currency: String,
    /// The language of its texts.
    pub locale: String,
    /// The law that applies.
    pub jurisdiction: String,
    /// When it was made.
    pub created_at: String,
}

/// Make a tenant: a merchant with its own cases, workflows, plugins and keys.
#[utoipa::path(
    post, path = "/v1/tenants", operation_id = "tenant.create", tag = "tenants", request_body = CreateTenant,
    params(("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again")),
    responses(
        (status = 201, body = TenantView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "tenant.create", skip_all)]
pub(super) async fn create(
    Shared(state): Shared<State>,
    Command { body, repeat, guard }: Command<CreateTenant>,
) -> Result<Response, Problem> {
    let record = body.record(&state)?;
    let kept = respond::blocking(move || {
        let made = make(&state, record, repeat);
        drop(guard);
        made
    });
    Ok(kept.await??.into_response())
}

fn make(state: &State, record: TenantRecord, repeat: Option<Repeat>) -> Result<Kept, Problem> {
    let kept = Kept::created(format!("/v1/tenants/{}", record.slug), &TenantView::from(&record));
    let answered = repeat.map(|repeat| repeat.setting(record.created_at, Given::Document(kept.text())));
    state.app.create_tenant_beside(record, answered.as_ref()).map_err(auth::not_opened)?;
    Ok(kept)
}

/// List the tenants of this host, by name.
#[utoipa::path(
    get, path = "/v1/tenants", operation_id = "tenant.list", tag = "tenants", params(Paging),
    responses(
        (status = 200, body = Page<TenantView>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    Shared(state): Shared<State>,
    address: OriginalUri,
    Params(paging): Params<Paging>,
) -> Result<Response, Problem> {
    let mut all = tenants(&state).await?;
    all.sort_by(|a, b| a.slug.cmp(&b.slug));
    let rows = all.iter().map(|record| (record.slug.to_string(), TenantView::from(record))).collect();
    Ok(listed::page("tenants", rows, &paging)?.respond(&address))
}

/// Read a tenant by its name.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}", operation_id = "tenant.get", tag = "tenants",
    params(("tenant" = String, Path, description = "its name")),
    responses(
        (status = 200, body = TenantView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    Shared(state): Shared<State>,
    Named(tenant): Named<String>,
) -> Result<axum::Json<TenantView>, Problem> {
    let found = tenants(&state).await?.into_iter().find(|record| record.slug.as_str() == tenant);
    let missing = || Problem::new(codes::TENANT_NOT_FOUND, format!("tenant {tenant:?} does not exist"));
    found.as_ref().map(|record| axum::Json(record.into())).ok_or_else(missing)
}

/// Read the tenant that the key is for.
#[utoipa::path(
    get, path = "/v1/tenant", operation_id = "tenant.own", tag = "tenants",
    responses(
        (status = 200, body = TenantView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn own(tenant: Tenant) -> axum::Json<TenantView> {
    axum::Json(tenant.engine.record().into())
}

/// All tenants of the host.
pub(super) async fn tenants(state: &State) -> Result<Vec<TenantRecord>, Problem> {
    let app = state.app.clone();
    respond::blocking(move || app.tenants()).await?.map_err(auth::not_opened)
}

impl CreateTenant {
    fn record(&self, state: &State) -> Result<TenantRecord, Problem> {
        let clock = state.app.clock();
        let created_at = clock.now();
        Ok(TenantRecord {
            id: TenantId::mint(created_at, clock.random()),
            slug: name("/name", tenant::name(&self.name))?,
            zone: name("/zone", tenant::zone(&self.zone))?,
            currency: name("/currency", self.currency.parse())?,
            locale: name("/locale", tenant::locale(&self.locale))?,
            jurisdiction: name("/jurisdiction", tenant::jurisdiction(&self.jurisdiction))?,
            created_at,
        })
    }
}

impl From<&TenantRecord> for TenantView {
    fn from(record: &TenantRecord) -> Self {
        Self {
            id: record.id.to_string(),
            name: record.slug.to_string(),
            zone: record.zone.name().to_owned(),
            currency: record.currency.to_string(),
            locale: record.locale.clone(),
            jurisdiction: record.jurisdiction.clone(),
            created_at: record.created_at.to_string(),
        }
    }
}
