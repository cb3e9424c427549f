//! `/v1/keys`: who may come in. An admin keeps the keys of its merchant; the operator those of a merchant that it names, and
//! without one its own.

use std::sync::Arc;

use axum::extract::{OriginalUri, State as Shared};
use axum::response::{IntoResponse as _, Response};
use redress_domain::ids::TenantId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::{Named, Page, Paging, Params};
use super::problem::{FieldProblem, Problem, ProblemBody, chain};
use super::repeat::Command;
use super::replay::Kept;
use super::tenancy::{Scope, State};
use super::wire::invalid;
use super::{auth, codes, listed, respond, tenants};
use crate::engine::repeat::Repeat;
use crate::engine::tenant::TenantRecord;
use crate::keys::issue::{self, Answer, Failure, Whose};
use crate::keys::{self, KeyRecord, Minted, NewKey, Role};

/// Letters of what people call a key.
const NAME_LETTERS_MAX: usize = 100;

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// What people call it.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it may do. `operator` only where no tenant is named, and only there.
    role: Role,
    /// Whether it may say when something happened, where that is not now.
    #[serde(default)]
    backdate: bool,
}

/// A key, without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Key)]
pub struct KeyView {
    /// The id: it stands in the key behind `rdr_`.
    pub id: String,
    /// The tenant; an operator's key has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What it may do.
    pub role: Role,
    /// Whether it may say when something happened.
    pub backdate: bool,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: String,
    /// When it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

/// A key that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedKey {
    #[serde(flatten)]
    key: KeyView,
    /// The key itself. It is shown once: a repeated request is answered without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// The secret was shown when the request came first. Who did not get it takes the key back and makes another.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    secret_shown_before: bool,
}

/// Make a key. Its secret is shown in this answer and never again.
#[utoipa::path(
    post, path = "/v1/keys", operation_id = "key.create", tag = "keys", request_body = CreateKey,
    params(("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered without the secret and not done again")),
    responses(
        (status = 201, body = CreatedKey),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "key.create", skip_all)]
pub(super) async fn create(
    Shared(state): Shared<State>,
    scope: Scope,
    Command { body, repeat, guard }: Command<CreateKey>,
) -> Result<Response, Problem> {
    let new = body.wanted(&scope)?;
    let made = respond::blocking(move || {
        let made = make(&state, &scope, new, repeat);
        drop(guard);
        made
    });
    Ok(made.await??.into_response())
}

fn make(state: &State, scope: &Scope, new: NewKey, repeat: Option<Repeat>) -> Result<Kept, Problem> {
    let tenant = match scope {
        Scope::Tenant(tenant) => Some(tenant.engine.record().slug.to_string()),
        Scope::Host(_) => None,
    };
    let created = |key: &KeyRecord, secret: Option<String>| {
        let secret_shown_before = secret.is_none();
        let key = KeyView::of(key, tenant.clone());
        Kept::created(format!("/v1/keys/{}", key.id), &CreatedKey { key, secret, secret_shown_before })
    };
    let document = |key: &KeyRecord| created(key, None).text();
    let answer = repeat.map(|repeat| Answer { repeat, whose: whose(scope), document: &document });
    let minted = match scope {
        Scope::Tenant(tenant) => {
            let by = tenant.caller.actor();
            issue::create_of_tenant(&state.keys, &state.app, &tenant.engine, &by, new, answer.as_ref())
        }
        Scope::Host(_) => issue::create_of_host(&state.keys, &state.app, new, answer.as_ref()),
    };
    let Minted { secret, record } = minted.map_err(failed)?;
    Ok(created(&record, Some(secret)))
}

/// List keys, the newest first, those taken back too.
#[utoipa::path(
    get, path = "/v1/keys", operation_id = "key.list", tag = "keys", params(Paging),
    responses(
        (status = 200, body = Page<KeyView>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    Shared(state): Shared<State>,
    scope: Scope,
    address: OriginalUri,
    Params(paging): Params<Paging>,
) -> Result<Response, Problem> {
    let tenants = tenants::tenants(&state).await?;
    let mut keys: Vec<Arc<KeyRecord>> = state.keys.list().into_iter().filter(|key| is_of(&scope, key)).collect();
    keys.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    let rows = keys.iter().map(|key| (key.id.clone(), KeyView::named(key, &tenants))).collect();
    Ok(listed::page("keys", rows, &paging)?.respond(&address))
}

/// Read what is kept of a key.
#[utoipa::path(
    get, path = "/v1/keys/{key}", operation_id = "key.get", tag = "keys",
    params(("key" = String, Path, description = "its id")),
    responses(
        (status = 200, body = KeyView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    Shared(state): Shared<State>,
    scope: Scope,
    Named(id): Named<String>,
) -> Result<axum::Json<KeyView>, Problem> {
    let tenants = tenants::tenants(&state).await?;
    Ok(axum::Json(KeyView::named(&*find(&state, &scope, &id)?, &tenants)))
}

/// Nothing has to be said about it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeKey {}

/// Take a key back: it opens nothing any more when this answers. Once taken back it stays so.
#[utoipa::path(
    post, path = "/v1/keys/{key}/revoke", operation_id = "key.revoke", tag = "keys", request_body = RevokeKey,
    params(
        ("key" = String, Path, description = "its id"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = KeyView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "key.revoke", skip_all)]
pub(super) async fn revoke(
    Shared(state): Shared<State>,
    scope: Scope,
    Named(id): Named<String>,
    Command { body: RevokeKey {}, repeat, guard }: Command<RevokeKey>,
) -> Result<Response, Problem> {
    let tenants = tenants::tenants(&state).await?;
    find(&state, &scope, &id)?;
    let revoked = respond::blocking(move || {
        let done = |key: &KeyRecord| Kept::done(&KeyView::named(key, &tenants));
        let document = |key: &KeyRecord| done(key).text();
        let answer = repeat.map(|repeat| Answer { repeat, whose: whose(&scope), document: &document });
        let by = scope.caller().actor();
        let revoked = issue::revoke(&state.keys, &state.app, &by, &id, answer.as_ref());
        drop(guard);
        revoked.map(|key| done(&key)).map_err(failed)
    });
    Ok(revoked.await??.into_response())
}

/// A key that the caller may see.
fn find(state: &State, scope: &Scope, id: &str) -> Result<Arc<KeyRecord>, Problem> {
    let missing = || Problem::new(codes::KEY_NOT_FOUND, format!("key {id:?} does not exist"));
    state.keys.get(id).filter(|key| is_of(scope, key)).ok_or_else(missing)
}

fn is_of(scope: &Scope, key: &KeyRecord) -> bool {
    match scope {
        Scope::Tenant(tenant) => key.tenant == Some(tenant.engine.record().id),
        Scope::Host(_) => true,
    }
}

/// Where a request of this scope is looked for when it comes again.
fn whose(scope: &Scope) -> Whose {
    match scope {
        Scope::Tenant(_) => Whose::Tenant,
        Scope::Host(_) => Whose::Host,
    }
}

/// Why a key was not made or taken back.
fn failed(failure: Failure) -> Problem {
    match failure {
        Failure::Key(error @ keys::Error::TooMany(_)) => Problem::new(codes::KEYS_FULL, error.to_string()),
        Failure::Key(error @ keys::Error::Missing(_)) => Problem::new(codes::KEY_NOT_FOUND, error.to_string()),
        Failure::Key(error @ keys::Error::Host(_)) => {
            tracing::error!("keys could not be kept: {}", chain(&error));
            Problem::new(codes::STORE_FAILED, "the key could not be kept; it is in the host's log").retry_after(5)
        }
        Failure::Key(error @ keys::Error::Damaged(_)) => Problem::internal(&error),
        Failure::Engine(error) => error.into(),
        Failure::App(error) => auth::not_opened(error),
    }
}

impl CreateKey {
    /// The key that is wanted, where the caller may want it.
    fn wanted(self, scope: &Scope) -> Result<NewKey, Problem> {
        let tenant = self.tenant(scope)?;
        if self.backdate && !scope.caller().key.backdate && scope.caller().key.role != Role::Operator {
            let detail = "only a key with the right `backdate` gives it to another";
            let field = FieldProblem::field("/backdate", "backdate_not_allowed", detail);
            return Err(Problem::new(codes::BACKDATE_NOT_ALLOWED, detail).at(vec![field]));
        }
        let letters = self.name.chars().count();
        if !(1..=NAME_LETTERS_MAX).contains(&letters) || self.name.chars().any(char::is_control) {
            return Err(invalid("/name", format!("it has 1 to {NAME_LETTERS_MAX} letters on one line")));
        }
        Ok(NewKey { tenant, role: self.role, backdate: self.backdate, name: self.name })
    }

    fn tenant(&self, scope: &Scope) -> Result<Option<TenantId>, Problem> {
        match (scope, self.role) {
            (Scope::Host(_), Role::Operator) => Ok(None),
            (Scope::Host(_), role) => {
                let detail = format!("a key of role {role} is for a tenant; name it: Redress-Tenant: NAME");
                Err(Problem::new(codes::TENANT_REQUIRED, detail))
            }
            (Scope::Tenant(_), Role::Operator) => {
                let detail = "an operator is of no tenant, and made by an operator alone";
                let field = FieldProblem::field("/role", "not_allowed", detail);
                Err(Problem::new(codes::NOT_ALLOWED, detail).at(vec![field]))
            }
            (Scope::Tenant(tenant), _) => Ok(Some(tenant.engine.record().id)),
        }
    }
}

impl KeyView {
    fn of(key: &KeyRecord, tenant: Option<String>) -> Self {
        Self {
            id: key.id.clone(),
            tenant,
            role: key.role,
            backdate: key.backdate,
            name: key.name.clone(),
            created_at: key.created_at.to_string(),
            revoked_at: key.revoked_at.map(|at| at.to_string()),
        }
    }

    /// With the name of its tenant.
    fn named(key: &KeyRecord, tenants: &[TenantRecord]) -> Self {
        let tenant = tenants.iter().find(|tenant| Some(tenant.id) == key.tenant);
        Self::of(key, tenant.map(|tenant| tenant.slug.to_string()))
    }
}
