//! `/errors/{code}`: the page about a code, as the documentation has it.

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::codes;
use super::problem::Problem;

include!(concat!(env!("OUT_DIR"), "/error_pages.rs"));

/// The page, in Markdown.
pub(super) async fn page(Path(code): Path<String>) -> Response {
    match find(&code) {
        Some(text) => {
            let media = (header::CONTENT_TYPE, HeaderValue::from_static("text/markdown; charset=utf-8"));
            ([media], text).into_response()
        }
        None => Problem::new(codes::ROUTE_NOT_FOUND, format!("there is no page about {code:?}")).into_response(),
    }
}

/// The text about a code.
pub fn find(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|(name, _)| *name == code).map(|(_, text)| *text)
}
