//! The API as one service: routes, the document that describes them, and what answers where there is nothing.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State as Shared};
use axum::http::{HeaderName, HeaderValue, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use redress_domain::ids::Digest;

use super::problem::Problem;
use super::tenancy::State;
use super::{codes, pages, respond, schemas};
use crate::publish::schema;

/// Bytes of a JSON body: an order of 4,000 lines has about 1 MiB. Uploads have limits of their own.
pub const BODY_BYTES_MAX: usize = 4 << 20;

/// Everything that is served to clients: `/v1`, `/openapi.json`, the schema of workflows and the pages about codes.
pub fn router(state: &State) -> Router {
    identified(state, routes(state))
}

/// The routes alone, for who puts something around them.
pub fn routes(state: &State) -> Router {
    let (routes, document) = super::api().build(state);
    let document: axum::body::Bytes = format!("{document:#}").into();
    let media = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    routes
        .route("/openapi.json", get(move || async move { ([media], document) }))
        .route("/errors/{code}", get(pages::page))
        .route(schema::ADDRESS, get(schemas::workflow).with_state(state.clone()))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_this_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

/// With an id for every request, and the headers that every answer has.
pub fn identified(state: &State, router: Router) -> Router {
    router.layer(from_fn_with_state(state.clone(), identify))
}

/// The document that describes the API.
pub fn document(state: &State) -> serde_json::Value {
    super::api().build(state).1
}

async fn identify(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let fresh = || format!("req_{}", &Digest::of(&state.app.clock().random().to_be_bytes()).to_string()[..24]);
    let mut response = respond::identify(request, next, fresh).await;
    let headers = response.headers_mut();
    // Answers hold what is a merchant's: nothing between us and the client keeps them.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}

async fn nothing_here(uri: Uri) -> Response {
    Problem::new(codes::ROUTE_NOT_FOUND, format!("nothing is at {}", uri.path())).into_response()
}

async fn not_this_method(uri: Uri) -> Response {
    Problem::new(codes::METHOD_NOT_ALLOWED, format!("{} is there, but not for this method", uri.path())).into_response()
}
