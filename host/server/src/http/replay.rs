//! The first answer of a request, given once more.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::tenancy::Tenant;
use super::{cases, effects, repeat};
use crate::engine::repeat::{Answered, Given};

/// The answer, marked as given before.
pub(super) async fn answer(tenant: &Tenant, answered: Answered) -> Response {
    let response = match answered.given {
        Given::Turn { case, turn } => {
            cases::answer(tenant, case, turn).await.unwrap_or_else(|problem| problem.into_response())
        }
        Given::Effect { key, case, turn } => {
            effects::answer(tenant, key, case, turn).await.unwrap_or_else(|problem| problem.into_response())
        }
        Given::Document(json) => {
            let media = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            (StatusCode::OK, [media], json).into_response()
        }
    };
    repeat::mark(response)
}
