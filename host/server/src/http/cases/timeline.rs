//! `GET /v1/cases/{case}/timeline`: what happened to a case, turn by turn, and why.

use axum::extract::OriginalUri;
use axum::response::Response;
use redress_domain::case::Case;
use redress_domain::codec;
use redress_domain::decision::Turn;
use redress_domain::ids::CaseId;
use redress_store::batch::Version;
use redress_store::snapshot::Snapshot;

use super::find;
use crate::engine::{self, Engine, personal};
use crate::http::codes;
use crate::http::page::{List, Named, Page, Paging, Params, Place};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::tenancy::Tenant;
use crate::http::wire::timeline::{TextView, TurnView};
use crate::keys::Role;

/// What happened to a case, the first turn first.
///
/// Each turn says who commanded what, which plugins were asked, and what came of it. What people wrote is shown to people at work
/// alone.
#[utoipa::path(
    get, path = "/v1/cases/{case}/timeline", operation_id = "case.timeline", tag = "cases",
    params(("case" = String, Path, description = "the id (case_...), or the number that people type"), Paging),
    responses((status = 200, body = Page<TurnView>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(in crate::http) async fn timeline(
    tenant: Tenant,
    address: OriginalUri,
    Named(case): Named<String>,
    Params(paging): Params<Paging>,
) -> Result<Response, Problem> {
    let id = find(&tenant, &case).await?;
    let place = paging.place(List::of("timeline").with("case", Some(&id.to_string())))?;
    let first = place.cursor.as_ref().map_or(Ok(1), |cursor| turn_of(cursor.as_bytes()))?;
    let reader = if sees_texts(tenant.caller.key.role) { Reader::AtWork } else { Reader::Outside };
    let page = tenant.read(move |engine| read(engine, id, first, &place, reader)).await?;
    Ok(page.respond(&address))
}

/// Whether the texts of people are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    AtWork,
    Outside,
}

fn sees_texts(role: Role) -> bool {
    matches!(role, Role::Operator | Role::Admin | Role::Agent)
}

fn turn_of(cursor: &[u8]) -> Result<u64, Problem> {
    let wrong = |_| Problem::new(codes::CURSOR_INVALID, "the cursor is one of another list");
    cursor.try_into().map(u64::from_be_bytes).map_err(wrong)
}

fn read(engine: &Engine, id: CaseId, first: u64, place: &Place, reader: Reader) -> Result<Page<TurnView>, Problem> {
    let snapshot = engine.store().read().map_err(engine::Error::from)?;
    let head = snapshot.load_case(id).map_err(engine::Error::from)?;
    let head = head.ok_or_else(|| Problem::new(codes::CASE_NOT_FOUND, format!("case {id} does not exist")))?;
    let case: Case = codec::decode(&head.bytes).map_err(engine::Error::damaged("case"))?;
    let mut data = Vec::new();
    for row in snapshot.journal(id, Version(first), place.limit).map_err(engine::Error::from)? {
        let turn: Turn = codec::decode(&row.record).map_err(engine::Error::damaged("turn"))?;
        let reason = turn.command.reason.as_deref().map(|text| shown(&snapshot, &case, text, reader)).transpose()?;
        data.push(TurnView::of(&turn, reason));
    }
    let next = data.last().map(|last| last.turn + 1).filter(|next| *next <= case.turn);
    Ok(place.page(data, next.map(u64::to_be_bytes).as_ref().map(|bytes| &bytes[..])))
}

/// What a person wrote, to whom it may be shown.
fn shown(snapshot: &Snapshot, case: &Case, text: &str, reader: Reader) -> Result<TextView, Problem> {
    if reader == Reader::Outside {
        return Ok(TextView::withheld("role"));
    }
    Ok(personal::resolve(snapshot, case, text)?.map_or_else(|| TextView::withheld("erased"), TextView::shown))
}
