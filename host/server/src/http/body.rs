//! Bodies: JSON that is read strictly, so that a mistyped field is an error with its place and never silence.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::Limited;
use serde::de::DeserializeOwned;

use super::codes;
use super::problem::{FieldProblem, Problem};

/// A JSON body.
pub(super) struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        parse(&headers, &bytes(request, state).await?).map(Self)
    }
}

/// A request whose body is read up to so many bytes.
pub(super) fn within(request: Request, bytes_max: usize) -> Request {
    request.map(|body| Body::new(Limited::new(body, bytes_max)))
}

/// The bytes of a body, within the route's limit.
pub(super) async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        let code = match rejection.status().as_u16() {
            413 => codes::BODY_TOO_LARGE,
            _ => codes::REQUEST_TIMEOUT,
        };
        Problem::new(code, rejection.body_text())
    })
}

/// A value from a JSON body. An empty body is `{}`.
pub(super) fn parse<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Problem> {
    if bytes.is_empty() {
        return read(b"{}");
    }
    let essence = essence(headers);
    if essence != "application/json" {
        let detail = format!("the body is {essence:?}; send application/json");
        return Err(Problem::new(codes::MEDIA_TYPE_UNSUPPORTED, detail));
    }
    read(bytes)
}

/// The media type of a body, without its parameters.
pub(super) fn essence(headers: &HeaderMap) -> String {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        let cause = error.into_inner();
        if cause.is_data() {
            let field = FieldProblem::field(pointer, "field_invalid", cause.to_string());
            Problem::new(codes::BODY_INVALID, cause.to_string()).at(vec![field])
        } else {
            Problem::new(codes::JSON_INVALID, cause.to_string())
        }
    })?;
    reader.end().map_err(|error| Problem::new(codes::JSON_INVALID, error.to_string()))?;
    Ok(value)
}

/// The JSON pointer (RFC 6901) of a place.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { variant } => pointer.push_str(&format!("/{variant}")),
            Segment::Unknown => {}
        }
    }
    pointer
}
