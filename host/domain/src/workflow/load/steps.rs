//! One file per step kind: `sketch` says what follows and what the step gives, `load` reads it.

mod again;
mod approve;
pub(super) mod await_event;
mod call;
mod decide;
mod end;
mod exchange;
mod for_each;
mod http;
mod inspect;
mod notify;
mod parallel;
mod refund;
mod restock;
mod review;
mod run;
mod set;
mod table;
mod undo;
mod wait;

use crate::ids::Slug;
use crate::workflow::definition::{Compensate, Kind};
use crate::workflow::load::Environment;
use crate::workflow::load::document::Head;
use crate::workflow::load::forks::Fork;
use crate::workflow::load::outline::{Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::reader::At;

/// The outline of a step of this kind. Silent: whatever is wrong is reported when the step is read.
pub(super) fn sketch<'d>(kind: &str, body: &At<'d>, head: &Head<'_>, environment: &Environment) -> Sketch<'d> {
    match kind {
        "call" => call::sketch(body, environment),
        "decide" => decide::sketch(body),
        "set" => set::sketch(body),
        "table" => table::sketch(body),
        "approve" => approve::sketch(),
        "review" => review::sketch(body),
        "inspect" => inspect::sketch(body),
        "await" => await_event::sketch(body, head),
        "refund" => refund::sketch(),
        "restock" => restock::sketch(),
        "http" => http::sketch(body),
        "exchange" => exchange::sketch(),
        "run" => run::sketch(body),
        "again" => again::sketch(body),
        "parallel" => parallel::sketch(body),
        "for_each" => for_each::sketch(),
        "finish" | "fail" => Sketch::leading(Output::None, Vec::new()),
        _ => Sketch::onward(Output::None),
    }
}

/// What undoes a step, in one of the ways that there are.
pub(super) fn compensate(name: &str, body: &At<'_>, context: &Context<'_, '_>) -> Option<Compensate> {
    Some(match load(name, body, context)? {
        Kind::Http(http) => Compensate::Http(http),
        Kind::Restock(restock) => Compensate::Restock(restock),
        Kind::Notify(notify) => Compensate::Notify(notify),
        _ => return None,
    })
}

/// The lists of steps inside a step of this kind, with the branches that they are.
pub(super) fn lists<'d>(kind: &str, body: &At<'d>) -> Vec<(Option<Slug>, Vec<At<'d>>)> {
    match kind {
        "parallel" => parallel::lists(body),
        "for_each" => for_each::lists(body),
        _ => Vec::new(),
    }
}

/// What a step of this kind says of the lists in it. Silent, as the outline.
pub(super) fn fork(kind: &str, body: &At<'_>) -> Option<Fork> {
    match kind {
        "parallel" => Some(parallel::fork(body)),
        "for_each" => Some(for_each::fork(body)),
        _ => None,
    }
}

/// Read a step of this kind.
pub(super) fn load(kind: &str, body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    match kind {
        "call" => call::load(body, context),
        "decide" => decide::load(body, context),
        "set" => set::load(body, context),
        "table" => table::load(body, context),
        "approve" => approve::load(body, context),
        "review" => review::load(body, context),
        "inspect" => inspect::load(body, context),
        "await" => await_event::load(body, context),
        "wait" => wait::load(body, context),
        "refund" => refund::load(body, context),
        "restock" => restock::load(body, context),
        "notify" => notify::load(body, context),
        "http" => http::load(body, context),
        "exchange" => exchange::load(body, context),
        "run" => run::load(body, context),
        "undo" => undo::load(body, context),
        "again" => again::load(body, context),
        "parallel" => parallel::load(body, context),
        "for_each" => for_each::load(body, context),
        "finish" => end::finish(body),
        "fail" => end::fail(body),
        // The table of kinds and this list are held together by a test.
        _ => None,
    }
}
