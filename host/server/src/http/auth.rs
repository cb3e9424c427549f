//! The check before every route: whose key it is, what its role allows, and which tenant is meant.

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use redress_store::host::HostError;

use super::access::{Access, READ_OR_HOST};
use super::codes;
use super::problem::Problem;
use super::respond;
use super::tenancy::{Caller, State, Tenant};
use crate::app;
use crate::keys::{Refused, Role};

/// How an operator names the tenant that it acts for.
pub(super) const TENANT: HeaderName = HeaderName::from_static("redress-tenant");

/// Let a request through to its route, or answer why not.
pub(super) async fn check(
    Shared((state, access)): Shared<(State, Access)>,
    mut request: Request,
    next: Next,
) -> Response {
    match admit(&state, access, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admit(state: &State, access: Access, request: &mut Request) -> Result<(), Problem> {
    if access == Access::Open {
        return Ok(());
    }
    // Put there by who serves this process alone, never by a request from outside.
    let caller = match request.extensions().get::<Caller>() {
        Some(caller) => caller.clone(),
        None => caller(state, request.headers())?,
    };
    let span = tracing::Span::current();
    span.record("key.id", &*caller.key.id);
    if !access.allows(caller.key.role) {
        let detail = format!("a key of role {} may not do this", caller.key.role);
        return Err(Problem::new(codes::NOT_ALLOWED, detail));
    }
    let for_tenant = match access {
        Access::Open | Access::Host => false,
        Access::Tenant(_) => true,
        Access::Either(_) => caller.key.role != Role::Operator || request.headers().contains_key(TENANT),
    };
    if for_tenant {
        let tenant = tenant(state, request.headers(), &caller).await?;
        span.record("tenant", tenant.engine.record().slug.as_str());
        request.extensions_mut().insert(tenant);
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

/// The tenant of a request to something that is open: none where no key was sent, or an operator's that names no tenant. A key that is
/// no good is refused here as well.
pub(super) async fn guest(state: &State, mut request: Request) -> Result<Option<Tenant>, Problem> {
    let has_key = request.headers().contains_key(header::AUTHORIZATION);
    if !has_key && request.extensions().get::<Caller>().is_none() {
        return Ok(None);
    }
    admit(state, READ_OR_HOST, &mut request).await?;
    Ok(request.extensions_mut().remove())
}

/// Whose key the request holds.
pub(crate) fn caller(state: &State, headers: &HeaderMap) -> Result<Caller, Problem> {
    let challenge = |problem: Problem| problem.with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = given.and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, key)) = key else {
        let detail = "send a key: Authorization: Bearer rdr_...";
        return Err(challenge(Problem::new(codes::KEY_REQUIRED, detail)));
    };
    let key = state.keys.check(key.trim()).map_err(|refused| {
        let detail = match refused {
            Refused::Unknown => "it is no key of this host, or it was mistyped",
            Refused::Revoked => "it was revoked",
        };
        challenge(Problem::new(codes::KEY_INVALID, detail))
    })?;
    Ok(Caller { key })
}

/// The tenant of the caller's key. What another tenant has does not exist for it; only an operator names one.
async fn tenant(state: &State, headers: &HeaderMap, caller: &Caller) -> Result<Tenant, Problem> {
    let named = headers.get(TENANT).map(|value| value.to_str().unwrap_or_default().to_owned());
    let missing = |name: &str| Problem::new(codes::TENANT_NOT_FOUND, format!("tenant {name:?} does not exist"));
    let app = state.app.clone();
    let engine = match (caller.key.tenant, named) {
        (Some(id), named) => {
            let engine = respond::blocking(move || app.engine_of(id)).await?.map_err(not_opened)?;
            let slug = engine.record().slug.as_str();
            if let Some(named) = named.filter(|named| named != slug) {
                return Err(missing(&named));
            }
            engine
        }
        (None, Some(named)) if caller.key.role == Role::Operator => {
            respond::blocking(move || app.engine(&named)).await?.map_err(not_opened)?
        }
        (None, _) => {
            let detail = "an operator's key names the tenant it acts for: Redress-Tenant: NAME";
            return Err(Problem::new(codes::TENANT_REQUIRED, detail));
        }
    };
    Ok(Tenant { engine, caller: caller.clone() })
}

/// Why a tenant could not be had.
pub(super) fn not_opened(error: app::Error) -> Problem {
    match error {
        app::Error::NoTenant(name) => Problem::new(codes::TENANT_NOT_FOUND, format!("tenant {name:?} does not exist")),
        app::Error::TenantExists(name) => Problem::new(codes::TENANT_EXISTS, format!("tenant {name:?} exists already")),
        app::Error::NotOpened { .. } | app::Error::Host(HostError::Open(_)) => {
            let detail = "the merchant's file could not be opened; why is in the host's log";
            Problem::new(codes::TENANT_NOT_OPENED, detail).retry_after(60)
        }
        app::Error::Engine(error) => error.into(),
        other => Problem::internal(&other),
    }
}
