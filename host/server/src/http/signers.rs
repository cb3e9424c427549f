//! `/v1/signers`: whose signatures of plugins count.

use std::collections::BTreeMap;

use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::{Problem, ProblemBody};
use super::publishing::{note, refused};
use super::repeat::Command;
use super::replay::Kept;
use super::tenancy::Tenant;
use crate::engine::Engine;
use crate::publish::signers::{self, Change, Signers};
use crate::publish::way::{Answer, Way};

/// Whose signatures are to count.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetSigners {
    /// Public keys by the names that you give them: the second line of `minisign.pub`. These, and no others.
    keys: BTreeMap<String, String>,
    /// Whether a component without a signature of one of them is refused.
    #[serde(default)]
    required: bool,
    /// Why, in a few words.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
}

/// Whose signatures count.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Signers)]
pub(super) struct SignersView {
    /// Public keys by their names.
    keys: BTreeMap<String, String>,
    /// Whether a component without a signature of one of them is refused.
    required: bool,
}

/// Read whose signatures of plugins count.
#[utoipa::path(
    get, path = "/v1/signers", operation_id = "signer.list", tag = "plugins",
    responses(
        (status = 200, body = SignersView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(tenant: Tenant) -> Result<axum::Json<SignersView>, Problem> {
    let read = |engine: &Engine| Ok::<_, Problem>(view(&signers::of(engine)?));
    tenant.read(read).await.map(axum::Json)
}

/// Say whose signatures of plugins count, and whether a component must have one. What is active stays so.
#[utoipa::path(
    put, path = "/v1/signers", operation_id = "signer.set", tag = "plugins",
    request_body = SetSigners,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = SignersView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "signer.set", skip_all)]
pub(super) async fn set(
    tenant: Tenant,
    Command { body, repeat, guard }: Command<SetSigners>,
) -> Result<Response, Problem> {
    let (note, by) = (note(body.note)?, tenant.caller.actor());
    let signers = Signers { keys: body.keys, required: body.required };
    let kept = tenant.read(move |engine| {
        let told = |signers: &Signers| Kept::done(&view(signers));
        let document = |signers: &Signers| told(signers).text();
        let answer = repeat.map(|repeat| Answer { repeat, document: &document });
        let change = Change { signers: &signers, note: &note, by: &by, way: Way::Api, answer };
        let set = signers::set(engine, &change);
        drop(guard);
        set.map(|signers| told(&signers)).map_err(|error| refused(error, ""))
    });
    Ok(kept.await?.into_response())
}

fn view(signers: &Signers) -> SignersView {
    SignersView { keys: signers.keys.clone(), required: signers.required }
}
