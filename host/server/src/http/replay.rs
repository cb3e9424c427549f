//! The first answer of a request, given once more.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::problem::Problem;
use super::tenancy::Scope;
use super::{cases, codes, effects, repeat};
use crate::engine::repeat::{Answered, Given};

/// An answer that tells no case. It is kept as it was given, so that a second one is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    body: Json,
}

impl Kept {
    /// Something was done.
    pub(super) fn done(body: &impl Serialize) -> Self {
        Self { status: 200, location: None, etag: None, body: serde_json::to_value(body).unwrap_or_default() }
    }

    /// Something new is at an address.
    pub(super) fn created(address: String, body: &impl Serialize) -> Self {
        Self { status: 201, location: Some(address), ..Self::done(body) }
    }

    /// With the version of what is answered.
    pub(super) fn version(self, version: impl std::fmt::Display) -> Self {
        Self { etag: Some(format!("\"{version}\"")), ..self }
    }

    /// As it is kept.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl IntoResponse for Kept {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self.body)).into_response();
        for (name, value) in [(header::LOCATION, self.location), (header::ETAG, self.etag)] {
            let value = value.and_then(|value| HeaderValue::from_str(&value).ok());
            response.headers_mut().extend(value.map(|value| (name, value)));
        }
        response
    }
}

/// The answer, marked as given before.
pub(super) async fn answer(scope: &Scope, answered: Answered) -> Response {
    let response = match (answered.given, scope) {
        (Given::Turn { case, turn }, Scope::Tenant(tenant)) => {
            cases::answer(tenant, case, turn).await.unwrap_or_else(Problem::into_response)
        }
        (Given::Seen { case, turn }, Scope::Tenant(tenant)) => {
            cases::answer_seen(tenant, case, turn).await.unwrap_or_else(Problem::into_response)
        }
        (Given::Effect { key, case, turn }, Scope::Tenant(tenant)) => {
            effects::answer(tenant, key, case, turn).await.unwrap_or_else(Problem::into_response)
        }
        (Given::Document(text), _) => match serde_json::from_str::<Kept>(&text) {
            Ok(kept) => kept.into_response(),
            Err(error) => Problem::internal(&error).into_response(),
        },
        (Given::Turn { .. } | Given::Seen { .. } | Given::Effect { .. }, Scope::Host(_)) => {
            Problem::new(codes::INTERNAL, "the host keeps no cases").into_response()
        }
    };
    repeat::mark(response)
}
