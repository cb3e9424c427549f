//! `POST /v1/events`: what happened outside, told to nobody in particular. A workflow that wants it opens a case.

use axum::response::Response;
use redress_domain::case::External;
use redress_domain::case::command::Body;
use redress_domain::case::start::EVENT_SOURCE;
use redress_domain::codec;
use redress_domain::ids::Digest;
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use crate::engine::starts::{Told, Wanted};
use crate::engine::{Engine, Error, Seen, Target};
use crate::http::cases;
use crate::http::codes;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::repeat::Command;
use crate::http::tenancy::Tenant;
use crate::http::wire::case::CaseView;
use crate::http::wire::{fields, instant, invalid, typed};

/// Letters of the name of an event.
const NAME_BYTES_MAX: usize = 64;
/// Letters of the name of a system, and of an id in it.
const ID_BYTES_MAX: usize = 128;
/// A workflow may be published between the look for one that wants the event and the turn: then it is looked for again.
const LOOKS_MAX: usize = 3;

/// Something that happened outside and that no case is named for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToldEvent {
    /// Which system tells it.
    #[schema(min_length = 1, max_length = 128)]
    source: String,
    /// The event's id there: it opens one case, however often it is told.
    #[schema(min_length = 1, max_length = 128)]
    id: String,
    /// What happened, as a workflow declares it: `parcel_without_label` ...
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// What it carries, as the workflow declares it.
    #[serde(default)]
    #[schema(value_type = Object)]
    fields: Map<String, Json>,
    /// When it happened, where that is not now; only for keys with the right `backdate`.
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
}

/// Tell what happened where no case is known that it is of.
///
/// Of the workflows with a trigger `event` that wants it the first one opens a case, which is durable when the answer comes. The same
/// `source` and `id` never open a second one: told again, the event is answered with 200 and the case as it stands, or 409 where it is another
/// event. One that no workflow wants is refused with `event_not_wanted`, and nothing of it is kept: tell it again once one does.
#[utoipa::path(
    post, path = "/v1/events", operation_id = "event.tell", tag = "events", request_body = ToldEvent,
    params(("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again")),
    responses(
        (status = 201, body = CaseView), (status = 200, body = CaseView, description = "it was told before"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "event.tell", skip_all)]
pub(in crate::http) async fn tell(
    tenant: Tenant,
    Command { body, repeat, guard }: Command<ToldEvent>,
) -> Result<Response, Problem> {
    let said = body.occurred_at.as_deref().map(|text| instant("/occurred_at", text)).transpose()?;
    let said = tenant.occurred(said)?;
    let told = told(&body, said.unwrap_or_else(|| tenant.engine.clock().now()))?;
    let mut guard = Some(guard);
    for look in 1..=LOOKS_MAX {
        let (case, open) = match wanted(&tenant, &body, &told).await? {
            Wanted::Opens(case, open) => (case, open),
            Wanted::Before(case) => return answer(&tenant, Seen::Unchanged, case, None).await,
            Wanted::Other(case) => return answer(&tenant, Seen::Changed, case, None).await,
            Wanted::Unreadable(problem) => return Err(problem),
            Wanted::Unfit(rejection) => return Err(Error::from(rejection).into()),
            Wanted::Nothing { known } => return Err(nothing(&told.name, known.into_iter().collect())),
        };
        let mut submission = tenant.submission(Target::Named(case), Body::Open(open));
        submission.occurred_at = Some(told.at);
        submission.source = Some(body.source.clone());
        submission.repeat = repeat.clone();
        match tenant.submit(submission, guard.take().flatten()).await {
            Ok(receipt) => return answer(&tenant, receipt.seen, receipt.case, Some(receipt.turn)).await,
            Err(problem) if problem.code() == codes::EVENT_NOT_WANTED.name && look < LOOKS_MAX => {}
            Err(problem) => return Err(problem),
        }
    }
    Err(nothing(&told.name, Vec::new()))
}

/// The event with its name in the other system.
fn told(body: &ToldEvent, at: redress_domain::clock::Instant) -> Result<Told, Problem> {
    for (field, text, max) in [
        ("/source", &body.source, ID_BYTES_MAX),
        ("/id", &body.id, ID_BYTES_MAX),
        ("/name", &body.name, NAME_BYTES_MAX),
    ] {
        if !(1..=max).contains(&text.len()) || text.chars().any(char::is_control) {
            return Err(invalid(field, format!("it has 1 to {max} bytes on one line")));
        }
    }
    let plain = fields::read("/fields", &body.fields)?;
    let external = External { source: format!("{EVENT_SOURCE}{}", body.source), id: body.id.clone() };
    let content = Digest::of(&codec::encode(&(&body.name, &plain)));
    Ok(Told { name: body.name.clone(), at, external, content })
}

async fn wanted(tenant: &Tenant, body: &ToldEvent, told: &Told) -> Result<Wanted<Problem>, Problem> {
    let carried = body.fields.clone();
    let told = Told { external: told.external.clone(), name: told.name.clone(), ..*told };
    let look = move |engine: &Engine| engine.wanted(&told, |declared| typed::read("/fields", &carried, declared));
    tenant.read(look).await
}

fn nothing(name: &str, known: Vec<String>) -> Problem {
    let known = if known.is_empty() { "none does".to_owned() } else { format!("these do: {}", known.join(", ")) };
    let detail = format!("no active workflow opens a case for this event {name:?} ({known}); nothing of it was kept");
    Problem::new(codes::EVENT_NOT_WANTED, detail)
}

async fn answer(
    tenant: &Tenant,
    seen: Seen,
    case: redress_domain::ids::CaseId,
    turn: Option<u64>,
) -> Result<Response, Problem> {
    match (seen, turn) {
        (Seen::New, Some(turn)) => cases::answer(tenant, case, turn).await,
        (Seen::Changed, _) => {
            let detail = format!("another event was told under this source and id; it opened case {case}");
            Err(Problem::new(codes::EVENT_ID_USED, detail))
        }
        (Seen::New | Seen::Unchanged, _) => cases::answer_as_it_stands(tenant, case).await,
    }
}
