//! `/v1/cases`: customer matters, opened, read and ended.

pub mod event;
pub mod list;
mod start;
pub mod timeline;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use redress_domain::case::command::{Body, Open};
use redress_domain::case::start::EVENT_SOURCE;
use redress_domain::case::{Bought, Case, External, Line, number};
use redress_domain::ids::{CaseId, CustomerId, OrderId, Sku};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::codes;
use super::page::Named;
use super::problem::{Problem, ProblemBody};
use super::repeat::{Command, NamedCommand};
use super::respond;
use super::tenancy::Tenant;
use super::wire::case::{CaseView, ExternalName};
use super::wire::{fields, instant, invalid, name};
use start::Started;

use crate::engine::personal::Contact;
use crate::engine::{self, Engine, Seen, Target};
use crate::publish::workflows;

/// Letters of how a person is reached.
const CONTACT_BYTES_MAX: usize = 320;

/// A case to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenCase {
    /// `return`, `exchange`, `complaint` ...; may be left out where a workflow is named, which says it.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,62}$")]
    kind: Option<String>,
    /// The workflow that takes it, where its type and conditions are not to be asked: it has a trigger `manual` for your role.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,62}$")]
    workflow: Option<String>,
    /// What the workflow that is named asks for, as it declares it.
    #[serde(default)]
    #[schema(value_type = Object)]
    inputs: Map<String, Json>,
    /// The order that it is about, where it names one.
    order: Option<String>,
    /// Whose case it is.
    customer: Option<CustomerRef>,
    /// The currency of its amounts; the merchant's own where it is left out.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// Why: a code of the merchant.
    #[schema(max_length = 200)]
    reason: Option<String>,
    /// The legal basis that the customer claims.
    #[schema(max_length = 200)]
    claim: Option<String>,
    /// The name that your system gives it: opened once, however often it is sent.
    external: Option<ExternalName>,
    /// The merchant's own fields.
    #[serde(default)]
    #[schema(value_type = Object)]
    attributes: Map<String, Json>,
    /// The items; may be left out where a workflow is named.
    #[schema(max_items = 1000)]
    lines: Option<Vec<OpenLine>>,
    /// When it happened, where that is not now; only for keys with the right `backdate`.
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
    /// A case of the past: nothing leaves the host for it. Only for keys with the right `backdate`.
    #[serde(default)]
    history: bool,
}

/// Whose case it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerRef {
    /// The merchant's number for the customer.
    id: String,
    /// How mails address the customer; kept apart from the case, so that it can be erased.
    #[schema(max_length = 320)]
    name: Option<String>,
    /// Where mails go; kept apart from the case.
    #[schema(max_length = 320)]
    email: Option<String>,
}

/// An item of a case to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenLine {
    /// The stock code.
    sku: String,
    /// Units.
    #[schema(minimum = 1)]
    quantity: u32,
    /// Why this line.
    #[schema(max_length = 200)]
    reason: Option<String>,
    /// The order line that it was bought in, where that is known.
    bought: Option<BoughtIn>,
    /// The merchant's own fields.
    #[serde(default)]
    #[schema(value_type = Object)]
    attributes: Map<String, Json>,
}

/// A line of an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BoughtIn {
    /// The order.
    order: String,
    /// Its line, from 0.
    line: u32,
}

/// Open a case: a return, an exchange, a complaint.
///
/// The merchant's workflow runs until it waits or ends; what it decided is durable when the answer comes. A submission with an
/// `external` name that was taken before answers 200 with the case as it stands, or 409 where its content is another.
#[utoipa::path(
    post, path = "/v1/cases", operation_id = "case.open", tag = "cases", request_body = OpenCase,
    params(("Idempotency-Key" = String, Header, description = "names this request: sent again, it is answered and not done again")),
    responses(
        (status = 201, body = CaseView), (status = 200, body = CaseView, description = "it was opened before"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "case.open", skip_all)]
pub(super) async fn open(
    tenant: Tenant,
    NamedCommand(Command { body, repeat, guard }): NamedCommand<OpenCase>,
) -> Result<Response, Problem> {
    let said = body.occurred_at.as_deref().map(|text| instant("/occurred_at", text)).transpose()?;
    let started = start::named(&tenant, &body).await?;
    let (open, contact) = body.into_domain(&tenant, started)?;
    let source = open.external.as_ref().map(|external| external.source.clone());
    let mut submission = tenant.submission(Target::New, Body::Open(Box::new(open)));
    submission.occurred_at = tenant.occurred(said)?;
    submission.source = source;
    submission.contact = contact;
    submission.repeat = repeat;
    let receipt = tenant.submit(submission, guard).await?;
    match receipt.seen {
        Seen::New => answer(&tenant, receipt.case, receipt.turn).await,
        Seen::Unchanged => answer_seen(&tenant, receipt.case, receipt.turn).await,
        Seen::Changed => {
            let detail = format!("case {} was opened under this external name with another content", receipt.case);
            Err(Problem::new(codes::EXTERNAL_ID_USED, detail))
        }
    }
}

/// Read a case by its id or its number.
#[utoipa::path(
    get, path = "/v1/cases/{case}", operation_id = "case.get", tag = "cases",
    params(("case" = String, Path, description = "the id (case_...), or the number that people type")),
    responses((status = 200, body = CaseView), (status = 304), (status = "4XX", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn get(tenant: Tenant, headers: HeaderMap, Named(case): Named<String>) -> Result<Response, Problem> {
    let id = find(&tenant, &case).await?;
    answer_now(&tenant, id, &headers).await
}

/// Why a case is ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelCase {
    /// Why, in words.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// End a case. What left already stays; what was promised and not refunded is given back.
#[utoipa::path(
    post, path = "/v1/cases/{case}/cancel", operation_id = "case.cancel", tag = "cases", request_body = CancelCase,
    params(
        ("case" = String, Path, description = "the id (case_...), or the number that people type"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
        ("If-Match" = Option<String>, Header, description = "the ETag that you saw"),
    ),
    responses((status = 200, body = CaseView), (status = "4XX", body = ProblemBody, content_type = "application/problem+json"))
)]
#[tracing::instrument(name = "case.cancel", skip_all)]
pub(super) async fn cancel(
    tenant: Tenant,
    Named(case): Named<String>,
    headers: HeaderMap,
    Command { body, repeat, guard }: Command<CancelCase>,
) -> Result<Response, Problem> {
    let id = find(&tenant, &case).await?;
    let mut submission = tenant.submission(Target::Case(id), Body::Cancel);
    submission.reason = Some(reason("/reason", body.reason)?);
    submission.expect = expected(&headers)?;
    submission.repeat = repeat;
    let receipt = tenant.submit(submission, guard).await?;
    answer(&tenant, id, receipt.turn).await
}

/// What people write as a reason.
pub(super) fn reason(pointer: &str, text: String) -> Result<String, Problem> {
    if (1..=2_000).contains(&text.chars().count()) {
        Ok(text)
    } else {
        Err(invalid(pointer, "a reason has 1 to 2000 letters"))
    }
}

/// The turn that the client saw.
pub(super) fn expected(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(tag) = respond::if_match(headers)? else { return Ok(None) };
    let wrong = || Problem::new(codes::STALE, format!("{tag:?} is no ETag of a case"));
    tag.parse().map(Some).map_err(|_| wrong())
}

/// The case that a path names.
pub(super) async fn find(tenant: &Tenant, name: &str) -> Result<CaseId, Problem> {
    let missing = || Problem::new(codes::CASE_NOT_FOUND, format!("case {name:?} does not exist"));
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let number = number::parse(name).ok_or_else(missing)?;
    let read = move |engine: &Engine| Ok::<_, engine::Error>(engine.store().read()?.case_by_number(number)?);
    tenant.read(read).await?.ok_or_else(missing)
}

/// A case as it stood after a turn: 201 for the first one, which opened it.
pub(super) async fn answer(tenant: &Tenant, id: CaseId, turn: u64) -> Result<Response, Problem> {
    let view = view(tenant, id, Some(turn)).await?;
    let tag = respond::etag(view.turn);
    let status = if turn == 1 { StatusCode::CREATED } else { StatusCode::OK };
    let place = HeaderValue::from_str(&format!("/v1/cases/{id}")).map_err(|error| Problem::internal(&error))?;
    let mut response = (status, [(header::ETAG, tag)], axum::Json(view)).into_response();
    if turn == 1 {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// A case that was opened before, as it stands.
pub(super) async fn answer_as_it_stands(tenant: &Tenant, id: CaseId) -> Result<Response, Problem> {
    answer_now(tenant, id, &HeaderMap::new()).await
}

/// A case that was opened before, as it stood after a turn.
pub(super) async fn answer_seen(tenant: &Tenant, id: CaseId, turn: u64) -> Result<Response, Problem> {
    let view = view(tenant, id, Some(turn)).await?;
    Ok(([(header::ETAG, respond::etag(view.turn))], axum::Json(view)).into_response())
}

/// A case as it stands.
async fn answer_now(tenant: &Tenant, id: CaseId, headers: &HeaderMap) -> Result<Response, Problem> {
    let view = view(tenant, id, None).await?;
    let tag = respond::etag(view.turn);
    if respond::is_known(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::ETAG, tag)], axum::Json(view)).into_response())
}

async fn view(tenant: &Tenant, id: CaseId, turn: Option<u64>) -> Result<CaseView, Problem> {
    let read = move |engine: &Engine| {
        let case = turn.map_or_else(|| engine.case(id), |turn| engine.case_at(id, turn))?;
        case.map(|case| shown(engine, &case)).transpose()
    };
    let view = tenant.read(read).await?;
    view.ok_or_else(|| Problem::new(codes::CASE_NOT_FOUND, format!("case {id} does not exist")))
}

/// The case with what its revision is pinned to, and whether it is paused.
fn shown(engine: &Engine, case: &Case) -> Result<CaseView, engine::Error> {
    let mut view = CaseView::from(case);
    view.paused = engine.hold_of(case)?.map(|hold| (&hold.since).into());
    if let (Some(pinned), Some(revision)) = (&mut view.workflow, case.revision) {
        // A revision that is not there does not hide the case.
        pinned.number = workflows::names::number(engine, revision).ok();
        let definition = engine.registry().definition(revision).ok();
        let plugins = definition.iter().flat_map(|definition| &definition.plugins);
        pinned.plugins = plugins.map(|(name, plugin)| (name.to_string(), plugin.digest.to_string())).collect();
    }
    Ok(view)
}

impl OpenCase {
    fn into_domain(self, tenant: &Tenant, started: Option<Started>) -> Result<(Open, Contact), Problem> {
        if self.history && !tenant.caller.key.backdate {
            let detail = "only keys with the right `backdate` may open a case of the past";
            return Err(Problem::new(codes::BACKDATE_NOT_ALLOWED, detail));
        }
        let currency = match &self.currency {
            Some(code) => name("/currency", code.parse())?,
            None => tenant.engine.record().currency,
        };
        let lines = match (&self.lines, &started) {
            (None, None) => return Err(invalid("/lines", "it is missing: a case is about something")),
            (lines, _) => lines.as_deref().unwrap_or_default(),
        };
        let lines = lines.iter().enumerate().map(|(place, line)| line.domain(place)).collect::<Result<_, _>>()?;
        let (customer, contact) = match self.customer {
            Some(customer) => customer.domain().map(|(id, contact)| (Some(id), contact))?,
            None => (None, Contact::new()),
        };
        let open = Open {
            kind: start::kind(self.kind.as_deref(), started.as_ref())?,
            external: self.external.map(external).transpose()?,
            history: self.history,
            customer,
            order: self.order.map(|order| name("/order", OrderId::new(&order))).transpose()?,
            currency,
            reason: code("/reason", self.reason)?,
            claim: code("/claim", self.claim)?,
            attributes: fields::read("/attributes", &self.attributes)?,
            lines,
            called: None,
            start: started.map(|started| started.start),
        };
        Ok((open, contact))
    }
}

impl CustomerRef {
    fn domain(self) -> Result<(CustomerId, Contact), Problem> {
        let id = name("/customer/id", CustomerId::new(&self.id))?;
        let mut contact = Contact::new();
        for (field, text) in [("name", self.name), ("email", self.email)] {
            let Some(text) = text else { continue };
            let good = (1..=CONTACT_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
            if !good {
                return Err(invalid(
                    format!("/customer/{field}"),
                    format!("it has 1 to {CONTACT_BYTES_MAX} bytes on one line"),
                ));
            }
            contact.insert(field.to_owned(), text);
        }
        Ok((id, contact))
    }
}

impl OpenLine {
    fn domain(&self, place: usize) -> Result<Line, Problem> {
        let at = format!("/lines/{place}");
        let bought = |bought: &BoughtIn| {
            let order = name(&format!("{at}/bought/order"), OrderId::new(&bought.order))?;
            Ok::<_, Problem>(Bought { order, line: bought.line })
        };
        Ok(Line {
            sku: name(&format!("{at}/sku"), Sku::new(&self.sku))?,
            quantity: self.quantity,
            reason: code(&format!("{at}/reason"), self.reason.clone())?,
            bought: self.bought.as_ref().map(bought).transpose()?,
            unit: None,
            attributes: fields::read(&format!("{at}/attributes"), &self.attributes)?,
            outcome: None,
        })
    }
}

fn external(named: ExternalName) -> Result<External, Problem> {
    for (field, text) in [("source", &named.source), ("id", &named.id)] {
        if !(1..=128).contains(&text.len()) || text.chars().any(char::is_control) {
            return Err(invalid(format!("/external/{field}"), "it has 1 to 128 bytes on one line"));
        }
    }
    if named.source.starts_with(EVENT_SOURCE) {
        let detail = format!("sources that begin with `{EVENT_SOURCE}` name events, which go to `/v1/events`");
        return Err(invalid("/external/source", detail));
    }
    Ok(External { source: named.source, id: named.id })
}

/// A short text that names something in the merchant's words.
fn code(pointer: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    let good = |text: &String| (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if text.as_ref().is_none_or(good) { Ok(text) } else { Err(invalid(pointer, "it has 1 to 200 letters on one line")) }
}
