//! `/v1/tasks`: work for people, taken, given back and answered.

use std::collections::BTreeMap;

use axum::extract::OriginalUri;
use axum::response::Response;
use redress_domain::case::command::{Body, Complete, PersonVerdict};
use redress_domain::case::{About, LINES_MAX};
use redress_domain::codec;
use redress_domain::ids::TaskId;
use redress_domain::value::Type;
use redress_domain::verdict::Remedy;
use redress_domain::workflow::run::offers;
use redress_store::row::RowKey;
use redress_store::scan::{Direction, Scan};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use utoipa::{IntoParams, ToSchema};

use super::cases::{answer, reason};
use super::codes;
use super::page::{self, List, Look, Named, Page, Params};
use super::problem::{Problem, ProblemBody};
use super::repeat::{Command, NamedCommand};
use super::tenancy::Tenant;
use super::wire::case::CaseView;
use super::wire::listing::{TaskRow, TaskToAnswer};
use super::wire::{invalid, typed};
use crate::engine::listing::TaskListing;
use crate::engine::{self, Engine, Target};

/// Bytes of the name of a queue, an outcome, a reason code, a key.
const NAME_BYTES_MAX: usize = 128;

/// Which tasks are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// How many rows, at most 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
    /// Where to go on: `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only tasks of this queue, the longest open first.
    queue: Option<String>,
    /// Only tasks that this one has taken: the id of a key. `none`: only those that nobody has.
    assignee: Option<String>,
}

/// List open tasks: of a queue the longest open first, of all queues by when they were recorded.
#[utoipa::path(
    get, path = "/v1/tasks", operation_id = "task.list", tag = "tasks", params(Filter),
    responses((status = 200, body = Page<TaskRow>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    tenant: Tenant,
    address: OriginalUri,
    Params(filter): Params<Filter>,
) -> Result<Response, Problem> {
    let list = List::of("tasks").with("queue", filter.queue.as_deref()).with("assignee", filter.assignee.as_deref());
    let place = page::place(list, filter.limit, filter.cursor.as_deref())?;
    if filter.queue.as_ref().is_some_and(|queue| queue.len() > NAME_BYTES_MAX) {
        return Err(Problem::new(codes::PARAMETER_INVALID, "no queue has such a long name"));
    }
    let scan = filter.queue.map_or(Scan::Tasks, Scan::TasksByQueue);
    let read = move |engine: &Engine| {
        let snapshot = engine.store().read().map_err(engine::Error::from)?;
        page::listed(&snapshot, &scan, Direction::Forward, &place, |row| {
            let task: TaskListing = codec::decode(&row.value).map_err(engine::Error::damaged("task listing"))?;
            let wanted = match filter.assignee.as_deref() {
                None => true,
                Some("none") => task.task.assignee.is_none(),
                Some(assignee) => task.task.assignee.as_deref() == Some(assignee),
            };
            Ok(if wanted { Look::Take(TaskRow::from(&task)) } else { Look::Pass })
        })
    };
    Ok(tenant.read(read).await?.respond(&address))
}

/// Read an open task. One that was answered is told of in its case's timeline.
#[utoipa::path(
    get, path = "/v1/tasks/{task}", operation_id = "task.get", tag = "tasks",
    params(("task" = String, Path, description = "the id (task_...)")),
    responses((status = 200, body = TaskToAnswer), (status = "4XX", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn get(tenant: Tenant, Named(task): Named<String>) -> Result<axum::Json<TaskToAnswer>, Problem> {
    let found = find(&tenant, &task).await?;
    let row = TaskRow::from(&found);
    let Asked { outcomes, form } = tenant.read(move |engine| asked(engine, &found)).await?;
    let form = form.unwrap_or_default().into_iter().map(|(name, kind)| (name, kind.to_string())).collect();
    Ok(axum::Json(TaskToAnswer { row, outcomes, form }))
}

/// What a task is taken or given back with: nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Take a task. Nobody but an admin answers it meanwhile.
#[utoipa::path(
    post, path = "/v1/tasks/{task}/claim", operation_id = "task.claim", tag = "tasks", request_body = Nothing,
    params(
        ("task" = String, Path, description = "the id (task_...)"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses((status = 200, body = CaseView), (status = "4XX", body = ProblemBody, content_type = "application/problem+json"))
)]
#[tracing::instrument(name = "task.claim", skip_all)]
pub(super) async fn claim(
    tenant: Tenant,
    Named(task): Named<String>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    hand_in(&tenant, &task, Body::Claim, command).await
}

/// Give a task back, so that anybody may take it.
#[utoipa::path(
    post, path = "/v1/tasks/{task}/release", operation_id = "task.release", tag = "tasks", request_body = Nothing,
    params(
        ("task" = String, Path, description = "the id (task_...)"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses((status = 200, body = CaseView), (status = "4XX", body = ProblemBody, content_type = "application/problem+json"))
)]
#[tracing::instrument(name = "task.release", skip_all)]
pub(super) async fn release(
    tenant: Tenant,
    Named(task): Named<String>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    hand_in(&tenant, &task, Body::Release, command).await
}

async fn hand_in(
    tenant: &Tenant,
    task: &str,
    body: impl FnOnce(TaskId) -> Body,
    Command { repeat, guard, .. }: Command<Nothing>,
) -> Result<Response, Problem> {
    let found = find(tenant, task).await?;
    let mut submission = tenant.submission(Target::Case(found.case), body(found.id));
    submission.repeat = repeat;
    let receipt = tenant.submit(submission, guard).await?;
    answer(tenant, found.case, receipt.turn).await
}

/// An answer to a task.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteTask {
    /// The choice. Of a review what its workflow offers; of a failure `try_again`, `decide` or `close`; of an effect `paid`,
    /// `not_paid` or `resend`, or `paid` or `recovered` where a provider contradicts its decline; of a case that no workflow
    /// takes `close`; of one that is open too long `keep` or `close`.
    #[schema(max_length = 128)]
    outcome: String,
    /// What was filled in, as the review asks for it.
    #[serde(default)]
    #[schema(value_type = Object)]
    form: Map<String, Json>,
    /// With `decide`: what becomes of each line.
    #[serde(default)]
    #[schema(max_items = 1000)]
    lines: Vec<DecideLine>,
    /// Of a case of the past: you confirm that what follows is paid for real.
    #[serde(default)]
    live: bool,
    /// Why, in words.
    #[schema(min_length = 1, max_length = 2000)]
    reason: Option<String>,
}

/// What a person decides of one line.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideLine {
    /// The line of the case, from 0.
    line: u32,
    /// `allow` or `deny`.
    #[schema(pattern = "^(allow|deny)$")]
    remedy: String,
    /// For how many units; taken from the newest purchases with something left.
    #[serde(default)]
    quantity: u32,
    /// A reason code.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,63}$")]
    reason: String,
}

/// Answer a task. The case goes on by the answer.
///
/// What became of money is an admin's to say.
#[utoipa::path(
    post, path = "/v1/tasks/{task}/complete", operation_id = "task.complete", tag = "tasks", request_body = CompleteTask,
    params(
        ("task" = String, Path, description = "the id (task_...)"),
        ("Idempotency-Key" = String, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = CaseView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "task.complete", skip_all)]
pub(super) async fn complete(
    tenant: Tenant,
    Named(task): Named<String>,
    NamedCommand(Command { body, repeat, guard }): NamedCommand<CompleteTask>,
) -> Result<Response, Problem> {
    let found = find(&tenant, &task).await?;
    let actor = tenant.caller.actor();
    if matches!(found.task.about, About::Effect { .. }) && actor.role != "admin" {
        let detail = format!("what became of money only an admin says, not a key of role {}", actor.role);
        return Err(Problem::new(codes::NOT_ALLOWED, detail));
    }
    let asked = {
        let found = found.clone();
        tenant.read(move |engine| asked(engine, &found)).await?
    };
    let why = body.reason.clone().map(|text| reason("/reason", text)).transpose()?;
    let complete = body.domain(found.id, asked.form.as_ref())?;
    let mut submission = tenant.submission(Target::Case(found.case), Body::Complete(complete));
    submission.reason = why;
    submission.repeat = repeat;
    let receipt = tenant.submit(submission, guard).await?;
    answer(&tenant, found.case, receipt.turn).await
}

impl CompleteTask {
    fn domain(self, task: TaskId, asked: Option<&BTreeMap<String, Type>>) -> Result<Complete, Problem> {
        if !(1..=NAME_BYTES_MAX).contains(&self.outcome.len()) {
            return Err(invalid("/outcome", format!("it has 1 to {NAME_BYTES_MAX} bytes")));
        }
        if self.lines.len() > LINES_MAX {
            return Err(invalid("/lines", format!("a case has at most {LINES_MAX} lines")));
        }
        let form = match asked {
            Some(asked) => typed::read("/form", &self.form, asked)?,
            None if self.form.is_empty() => Default::default(),
            None => return Err(invalid("/form", "this task asks for nothing to be filled in")),
        };
        let lines = self.lines.iter().enumerate().map(|(place, line)| line.domain(place)).collect::<Result<_, _>>()?;
        Ok(Complete { task, outcome: self.outcome, form, live: self.live, lines })
    }
}

impl DecideLine {
    fn domain(&self, place: usize) -> Result<PersonVerdict, Problem> {
        let wrong = || invalid(format!("/lines/{place}/remedy"), format!("{:?} is not allow or deny", self.remedy));
        let remedy = Remedy::from_word(&self.remedy).filter(|remedy| *remedy != Remedy::Review).ok_or_else(wrong)?;
        if self.reason.len() > NAME_BYTES_MAX {
            return Err(invalid(format!("/lines/{place}/reason"), format!("it has at most {NAME_BYTES_MAX} bytes")));
        }
        Ok(PersonVerdict { line: self.line, remedy, quantity: self.quantity, reason: self.reason.clone() })
    }
}

/// What a task offers as outcomes, and asks to be filled in.
#[derive(Default)]
struct Asked {
    outcomes: Vec<String>,
    form: Option<BTreeMap<String, Type>>,
}

fn asked(engine: &Engine, task: &TaskListing) -> Result<Asked, engine::Error> {
    let Some(case) = engine.case(task.case)? else { return Ok(Asked::default()) };
    let definition = case.revision.map(|revision| engine.registry().definition(revision)).transpose()?;
    let definition = definition.as_deref();
    let (outcomes, form) = (offers::outcomes(definition, &task.task), offers::form(definition, &case, &task.task));
    Ok(Asked { outcomes, form })
}

/// The open task that a path names.
async fn find(tenant: &Tenant, name: &str) -> Result<TaskListing, Problem> {
    let missing = || Problem::new(codes::TASK_NOT_FOUND, format!("task {name:?} is not open, or never was"));
    let id: TaskId = name.parse().map_err(|_| missing())?;
    let read = move |engine: &Engine| {
        let row = engine.store().read()?.row(&RowKey::task(id))?;
        row.map(|bytes| codec::decode(&bytes).map_err(engine::Error::damaged("task listing"))).transpose()
    };
    tenant.read(read).await?.ok_or_else(missing)
}
