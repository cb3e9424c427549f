//! Lists: page by page, with cursors that mean nothing to the client.

use axum::extract::{FromRequestParts, OriginalUri, Query};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redress_domain::ids::Digest;
use redress_store::error::ReadError;
use redress_store::scan::{Cursor, Direction, Listed, Scan};
use redress_store::snapshot::Snapshot;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::codes;
use super::problem::Problem;

/// Rows of a page where none are asked for.
const ROWS_USUAL: usize = 20;
/// Rows of a page.
const ROWS_MAX: usize = 100;
/// Bytes of a cursor: no key of the store is longer.
const CURSOR_BYTES_MAX: usize = 2_048;

/// Which page is asked for.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many rows, at most 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub limit: Option<usize>,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

/// A list: what it lists, and what its filters let through. A cursor is good for one list.
#[derive(Debug, Clone)]
pub struct List(String);

/// Bytes of a list's mark in a cursor: enough that no two lists of ours are taken for each other.
const MARK_BYTES: usize = 8;

impl List {
    /// All of what a word names.
    pub fn of(what: &str) -> Self {
        Self(what.to_owned())
    }

    /// Of it only what a filter lets through, where there is one.
    #[must_use]
    pub fn with(mut self, filter: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            // With its length, so that no value can be read as another filter.
            self.0.push_str(&format!("\n{filter}={}:{value}", value.len()));
        }
        self
    }

    fn mark(&self) -> [u8; MARK_BYTES] {
        let mut mark = [0; MARK_BYTES];
        mark.copy_from_slice(&Digest::of(self.0.as_bytes()).bytes()[..MARK_BYTES]);
        mark
    }
}

/// The place of a page in a list.
#[derive(Debug, Clone)]
pub struct Place {
    /// How many rows.
    pub limit: usize,
    /// Behind which row.
    pub cursor: Option<Cursor>,
    list: List,
}

impl Paging {
    /// Where the page is.
    pub fn place(&self, list: List) -> Result<Place, Problem> {
        place(list, self.limit, self.cursor.as_deref())
    }
}

/// Where a page of so many rows of a list behind a cursor is.
pub fn place(list: List, limit: Option<usize>, cursor: Option<&str>) -> Result<Place, Problem> {
    let limit = rows(limit)?;
    let cursor = cursor.map(|text| behind(&list, text)).transpose()?;
    Ok(Place { limit, cursor, list })
}

fn behind(list: &List, cursor: &str) -> Result<Cursor, Problem> {
    let bytes = bytes(cursor)?;
    let foreign = || Problem::new(codes::CURSOR_INVALID, "the cursor is one of another list, or of other filters");
    bytes.strip_prefix(&list.mark()).map(Cursor::from_bytes).ok_or_else(foreign)
}

impl Place {
    /// A page of the list, with the place behind which the next one begins.
    pub fn page<T>(&self, data: Vec<T>, next: Option<&[u8]>) -> Page<T> {
        let next = next.map(|next| [&self.list.mark()[..], next].concat());
        Page::new(data, next.as_deref())
    }
}

/// How many rows a page has.
pub fn rows(limit: Option<usize>) -> Result<usize, Problem> {
    let limit = limit.unwrap_or(ROWS_USUAL);
    if (1..=ROWS_MAX).contains(&limit) {
        return Ok(limit);
    }
    let detail = format!("limit is {limit}, a page has 1 to {ROWS_MAX} rows");
    Err(Problem::new(codes::PARAMETER_INVALID, detail))
}

/// What a cursor holds.
pub fn bytes(cursor: &str) -> Result<Vec<u8>, Problem> {
    let good = cursor.len() <= CURSOR_BYTES_MAX;
    let decoded = good.then(|| URL_SAFE_NO_PAD.decode(cursor).ok()).flatten();
    decoded.ok_or_else(|| Problem::new(codes::CURSOR_INVALID, "take the cursor from `next_cursor` of the page before"))
}

/// Rows that one page looks at: a filter that finds little answers a short page with a cursor, never a long wait.
const LOOKED_AT_MAX: usize = 1_000;

/// What a list makes of a row.
pub enum Look<T> {
    /// It is shown.
    Take(T),
    /// A filter leaves it out.
    Pass,
    /// Nothing behind it can be meant.
    End,
}

/// A page of a listing, of the rows that `look` takes.
pub fn listed<T>(
    snapshot: &Snapshot,
    scan: &Scan,
    direction: Direction,
    place: &Place,
    mut look: impl FnMut(&Listed) -> Result<Look<T>, Problem>,
) -> Result<Page<T>, Problem> {
    let (mut data, mut cursor, mut looked_at) = (Vec::new(), place.cursor.clone(), 0);
    loop {
        let wanted = place.limit - data.len();
        let page = snapshot.scan(scan, direction, cursor.as_ref(), wanted).map_err(refused)?;
        looked_at += page.rows.len();
        for row in &page.rows {
            match look(row)? {
                Look::Take(shown) => data.push(shown),
                Look::Pass => {}
                Look::End => return Ok(place.page(data, None)),
            }
        }
        cursor = page.next;
        if cursor.is_none() || data.len() >= place.limit || looked_at >= LOOKED_AT_MAX {
            return Ok(place.page(data, cursor.as_ref().map(Cursor::as_bytes)));
        }
    }
}

/// Why a list could not be read.
pub fn refused(error: ReadError) -> Problem {
    match error {
        ReadError::ForeignCursor => Problem::new(codes::CURSOR_INVALID, "the cursor is one of another list"),
        other => crate::engine::Error::from(other).into(),
    }
}

/// A cursor for the client.
pub fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl<T> Page<T> {
    /// A page with what comes behind it.
    pub fn new(data: Vec<T>, next: Option<&[u8]>) -> Self {
        let next_cursor = next.map(text);
        Self { data, has_more: next_cursor.is_some(), next_cursor }
    }
}

impl<T> Page<T> {
    /// The same page with other rows.
    pub fn try_map<U, E>(self, row: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        let data = self.data.into_iter().map(row).collect::<Result<_, E>>()?;
        Ok(Page { data, next_cursor: self.next_cursor, has_more: self.has_more })
    }
}

impl<T: Serialize> Page<T> {
    /// The answer, with the next page's address in `Link` (RFC 8288).
    pub fn respond(self, address: &OriginalUri) -> Response {
        let next = self.next_cursor.as_deref().map(|cursor| next_address(address, cursor));
        let link = next.and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok());
        let mut response = axum::Json(self).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

/// The address of a thing whose name may hold any letter.
pub fn path(parts: &[&str]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let letter = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    parts.iter().map(|part| format!("/{}", part.bytes().map(letter).collect::<String>())).collect()
}

fn next_address(address: &OriginalUri, cursor: &str) -> String {
    let query = address.query().unwrap_or_default();
    let kept = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("cursor="));
    let query: Vec<String> = kept.map(str::to_owned).chain([format!("cursor={cursor}")]).collect();
    format!("{}?{}", address.path(), query.join("&"))
}

/// Query parameters, read strictly.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|Query(params)| Self(params))
            .map_err(|error| Problem::new(codes::PARAMETER_INVALID, error.body_text()))
    }
}

/// A part of the path that names something.
pub struct Named<T>(pub T);

impl<T, S> FromRequestParts<S> for Named<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(name)| Self(name))
            .map_err(|error| Problem::new(codes::PARAMETER_INVALID, error.body_text()))
    }
}
