//! What every answer has: the request's id, ETags, and the way from blocking work to an answer.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::codes;
use super::problem::Problem;

/// The header that names a request.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Letters of a request id that a client may choose.
const REQUEST_ID_BYTES_MAX: usize = 128;

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request that is being answered.
pub(crate) fn request_id() -> String {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

/// Give every request an id: the client's own, where it is one, else a fresh one.
pub(super) async fn identify(request: Request, next: Next, fresh: impl FnOnce() -> String) -> Response {
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let id = given.filter(|id| is_id(id)).map_or_else(fresh, str::to_owned);
    let mut response = CURRENT.scope(id.clone(), next.run(request)).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn is_id(id: &str) -> bool {
    (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Run what reads or writes files where waiting harms nobody.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let id = request_id();
    let span = tracing::Span::current();
    let work = move || span.in_scope(|| CURRENT.sync_scope(id, work));
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))
}

/// The ETag of a thing that counts its changes.
pub(super) fn etag(version: impl std::fmt::Display) -> HeaderValue {
    // Digits and hexadecimal letters only.
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// What a client saw last, if it says so: the text between the quotes.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| *text != "*");
    let tag = text.and_then(|text| text.strip_prefix('"')?.strip_suffix('"')).filter(|tag| !tag.contains('"'));
    let wrong =
        || Problem::new(codes::IF_MATCH_INVALID, "If-Match holds one ETag in quotes, as an earlier answer gave it");
    tag.map(|tag| Some(tag.to_owned())).ok_or_else(wrong)
}

/// Whether the client has this version already.
pub(super) fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let all = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = all.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || Some(tag.strip_prefix("W/").unwrap_or(tag)) == etag.to_str().ok())
}
