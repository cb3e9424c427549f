//! `/v1/orders`: what was bought, as the shop has it.

use axum::extract::OriginalUri;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use redress_domain::codec;
use redress_domain::ids::{Digest, OrderId};
use redress_domain::order::Order;
use redress_store::scan::{Direction, Scan};

use super::body::Json;
use super::codes;
use super::page::{self, List, Look, Named, Page, Paging, Params};
use super::problem::{Problem, ProblemBody};
use super::respond;
use super::tenancy::Tenant;
use super::wire::order::{OrderBody, OrderRow, OrderView};
use crate::engine::{self, Put};

/// Put an order as the shop has it now, in place of what was known.
///
/// The same content once more changes nothing. An order never falls below what cases have reserved or returned of it.
#[utoipa::path(
    put, path = "/v1/orders/{order}", operation_id = "order.put", tag = "orders", request_body = OrderBody,
    params(
        ("order" = String, Path, description = "the merchant's number"),
        ("If-Match" = Option<String>, Header, description = "the ETag that you saw"),
    ),
    responses(
        (status = 201, body = OrderView), (status = 200, body = OrderView, description = "it was known"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "order.put", skip_all)]
pub(super) async fn put(
    tenant: Tenant,
    Named(order): Named<String>,
    headers: HeaderMap,
    Json(body): Json<OrderBody>,
) -> Result<Response, Problem> {
    let order = body.domain(named(&order)?, tenant.engine.record().currency)?;
    let expect = expected(&headers)?;
    let view = OrderView::from(&order);
    let place = page::path(&["v1", "orders", order.id.as_str()]);
    let placed = tenant.read(move |engine| engine.replace_order(&order, expect)).await?;
    let tag = (header::ETAG, respond::etag(placed.content));
    if placed.put != Put::New {
        return Ok(([tag], axum::Json(view)).into_response());
    }
    let place = HeaderValue::from_str(&place).map_err(|error| Problem::internal(&error))?;
    Ok((StatusCode::CREATED, [tag, (header::LOCATION, place)], axum::Json(view)).into_response())
}

/// Read an order.
#[utoipa::path(
    get, path = "/v1/orders/{order}", operation_id = "order.get", tag = "orders",
    params(("order" = String, Path, description = "the merchant's number")),
    responses((status = 200, body = OrderView), (status = 304), (status = "4XX", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn get(tenant: Tenant, headers: HeaderMap, Named(order): Named<String>) -> Result<Response, Problem> {
    let missing = || Problem::new(codes::ORDER_NOT_FOUND, format!("order {order:?} does not exist"));
    let id = named(&order)?;
    let (found, content) = tenant.read(move |engine| engine.order(&id)).await?.ok_or_else(missing)?;
    let tag = respond::etag(content);
    if respond::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::ETAG, tag)], axum::Json(OrderView::from(&found))).into_response())
}

/// List orders by their number.
#[utoipa::path(
    get, path = "/v1/orders", operation_id = "order.list", tag = "orders", params(Paging),
    responses((status = 200, body = Page<OrderRow>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    tenant: Tenant,
    address: OriginalUri,
    Params(paging): Params<Paging>,
) -> Result<Response, Problem> {
    let place = paging.place(List::of("orders"))?;
    let read = move |engine: &engine::Engine| {
        let snapshot = engine.store().read().map_err(engine::Error::from)?;
        page::listed(&snapshot, &Scan::Orders, Direction::Forward, &place, |row| {
            let order: Order = codec::decode(&row.value).map_err(engine::Error::damaged("order"))?;
            Ok(Look::Take(OrderRow::of(&order)?))
        })
    };
    Ok(tenant.read(read).await?.respond(&address))
}

fn named(order: &str) -> Result<OrderId, Problem> {
    OrderId::new(order).map_err(|error| Problem::new(codes::PARAMETER_INVALID, error.to_string()))
}

/// The content that the client saw.
fn expected(headers: &HeaderMap) -> Result<Option<Digest>, Problem> {
    let Some(tag) = respond::if_match(headers)? else { return Ok(None) };
    let wrong = || Problem::new(codes::STALE, format!("{tag:?} is no ETag of an order"));
    tag.parse().map(Some).map_err(|_| wrong())
}
