//! `/v1/workflows/{workflow}/migrations`: cases of one revision go on with another, some at each call.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::{IntoResponse as _, Response};
use redress_domain::ids::{CaseId, Slug};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::Named;
use super::problem::{Problem, ProblemBody};
use super::publishing::{note, refused};
use super::repeat::Command;
use super::replay::Kept;
use super::tenancy::Tenant;
use super::wire::{invalid, name};
use super::workflows::missing;
use crate::engine::Engine;
use crate::engine::log::Origin;
use crate::publish::migrate::{self, CASES_MAX, Report, Wish};

/// Names in one wish.
const NAMES_MAX: usize = 256;

/// Which cases are to go where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// The revision to leave: its number, its hash, or the beginning of that.
    from: String,
    /// The revision to go to.
    to: String,
    /// Only cases that wait at one of these steps; all of them where it is left out.
    #[serde(default)]
    #[schema(max_items = 256)]
    steps: Vec<String>,
    /// Steps that are called otherwise there, by their names of before.
    #[serde(default)]
    map: BTreeMap<String, String>,
    /// What variables hold there: `keep`, `default`, or `=` and a value. One that is not named is kept, or begins with its default.
    #[serde(default)]
    vars: BTreeMap<String, String>,
    /// `keep`: a wait ends when it would have ended; `recompute`: when it would have ended had it begun there.
    #[serde(default)]
    timers: TimersWord,
    /// Only say what would become of them.
    #[serde(default)]
    dry_run: bool,
    /// Why, in a few words.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
    /// Look at so many cases; 1000 where it is left out.
    #[schema(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Go on behind this case: the `next` of the call before.
    after: Option<String>,
}

/// What becomes of the time at which a wait ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimersWord {
    /// It stays.
    #[default]
    Keep,
    /// It is computed as if the wait had begun on the revision to go to.
    Recompute,
}

/// What became of some of the cases.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MigrationReport)]
pub struct ReportView {
    /// The number of the revision to leave.
    from: u64,
    /// The number of the revision to go to.
    to: u64,
    /// Nothing was changed: it tells what would become of them.
    dry_run: bool,
    /// Cases that were looked at.
    examined: u64,
    /// Cases that went on.
    moved: u64,
    /// The same by step.
    steps: Vec<StepView>,
    /// Cases that wait at other steps than those that were asked for.
    left_out: u64,
    /// Cases that stay where they are.
    refused: u64,
    /// The same by reason and step.
    refusals: Vec<RefusalView>,
    /// Send it as `after` to go on; absent where all were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Cases that went on from a step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MigratedStep)]
pub struct StepView {
    /// The step at which they waited.
    step: String,
    /// The step at which they wait then.
    to: String,
    /// How many.
    cases: u64,
}

/// Cases that stay for one reason.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MigrationRefusal)]
pub struct RefusalView {
    /// A stable code.
    code: String,
    /// The step at which they stand.
    step: String,
    /// How many.
    cases: u64,
    /// For a person; of the first of them.
    detail: String,
    /// The numbers of the first of them.
    examples: Vec<String>,
}

/// Let cases of one revision go on with another, each in a turn of its own, or say what would become of them.
///
/// A case is moved where it waits at a `migration_point` of both revisions, for the same kind of thing. Its tasks keep their ids and who
/// took them, its effects their keys, and no timer is lost or fires twice. A call looks at no more than 1,000 cases; its `next`
/// goes on behind them. Sent again it does what is left: what has gone on is not there any more.
#[utoipa::path(
    post, path = "/v1/workflows/{workflow}/migrations", operation_id = "workflow.migrate", tag = "workflows",
    request_body = Migration,
    params(("workflow" = String, Path, description = "its name")),
    responses(
        (status = 200, body = ReportView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "workflow.migrate", skip_all)]
pub(super) async fn migrate(
    tenant: Tenant,
    Named(text): Named<String>,
    Command { body, guard, .. }: Command<Migration>,
) -> Result<Response, Problem> {
    let workflow = Slug::new(&text).map_err(|_| missing(&text))?;
    let max = body.limit.unwrap_or(CASES_MAX);
    if !(1..=CASES_MAX).contains(&max) {
        return Err(invalid("/limit", format!("it is 1 to {CASES_MAX}")));
    }
    let after: Option<CaseId> = body.after.as_deref().map(|after| name("/after", after.parse())).transpose()?;
    let (dry_run, note, by) = (body.dry_run, note(body.note.clone())?, tenant.caller.actor());
    let wish = body.wish()?;
    let read = move |engine: &Engine| {
        let told = |error| refused(error, "");
        let migration = migrate::plan(engine, &workflow, &wish).map_err(told)?;
        let report = if dry_run {
            migrate::look(engine, &migration, after, max)
        } else {
            migrate::migrate(engine, &migration, &by, (&note, &Origin::Api), after, max)
        };
        drop(guard);
        Ok::<_, Problem>(ReportView::of(&migration, dry_run, &report.map_err(told)?))
    };
    Ok(Kept::done(&tenant.read(read).await?).into_response())
}

impl Migration {
    fn wish(self) -> Result<Wish, Problem> {
        for (field, names) in [("/steps", self.steps.len()), ("/map", self.map.len()), ("/vars", self.vars.len())] {
            if names > NAMES_MAX {
                return Err(invalid(field, format!("it names at most {NAMES_MAX}")));
            }
        }
        let step = |field: &str, step: &str| name(field, Slug::new(step));
        let at = self.steps.iter().map(|one| step("/steps", one)).collect::<Result<BTreeSet<_>, _>>()?;
        let map = self.map.iter().map(|(old, new)| Ok::<_, Problem>((step("/map", old)?, step("/map", new)?)));
        let steps = map.collect::<Result<BTreeMap<_, _>, _>>()?;
        let recompute = self.timers == TimersWord::Recompute;
        Ok(Wish { from: self.from, to: self.to, at, steps, vars: self.vars, recompute })
    }
}

impl ReportView {
    fn of(migration: &migrate::Migration, dry_run: bool, report: &Report) -> Self {
        let steps = report.moved.iter().map(|((step, to), cases)| StepView {
            step: step.to_string(),
            to: to.to_string(),
            cases: *cases,
        });
        let refusals = report.refused.iter().map(|((code, step), refused)| RefusalView {
            code: code.clone(),
            step: step.clone(),
            cases: refused.cases,
            detail: refused.detail.clone(),
            examples: refused.examples.clone(),
        });
        Self {
            from: migration.from.number,
            to: migration.to.number,
            dry_run,
            examined: report.examined,
            moved: report.all_moved(),
            steps: steps.collect(),
            left_out: report.left_out,
            refused: report.all_refused(),
            refusals: refusals.collect(),
            next: report.next.map(|case| case.to_string()),
        }
    }
}
