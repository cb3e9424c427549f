//! `/schemas/workflow-1.json`: the JSON Schema of workflows. Outside `/v1` and open, because editors ask for it; who sends a key is
//! answered for its merchant.

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::auth;
use super::problem::Problem;
use super::tenancy::State;
use crate::engine::Engine;
use crate::outbox::mail;
use crate::publish::schema;

/// The schema that knows no merchant, or with a key that of the key's merchant.
pub(super) async fn workflow(Shared(state): Shared<State>, request: Request) -> Result<Response, Problem> {
    let schema = match auth::guest(&state, request).await? {
        None => schema::general(),
        Some(tenant) => {
            let read = |engine: &Engine| schema::merchant(engine, mail::templates());
            schema::of(&tenant.read(read).await?)
        }
    };
    let media = (header::CONTENT_TYPE, HeaderValue::from_static("application/schema+json"));
    Ok(([media], format!("{schema:#}\n")).into_response())
}
