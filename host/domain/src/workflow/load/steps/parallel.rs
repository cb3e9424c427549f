//! `parallel: { join: all, branches: { money: [ ... ], goods: [ ... ] } }`

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::Slug;
use crate::value::Type;
use crate::workflow::builtin;
use crate::workflow::definition::{Join, Kind, Merge, Parallel};
use crate::workflow::diagnostic::{Diagnostic, suggest};
use crate::workflow::load::forks::Fork;
use crate::workflow::load::outline::{Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::reader::{At, Fields, identifier};
use crate::workflow::schema;
use crate::workflow::yaml::{self, Key};

/// The most branches: more would not be read.
const BRANCHES_MAX: usize = 16;

pub(super) fn sketch<'d>(body: &At<'d>) -> Sketch<'d> {
    let branches = lists(body).into_iter().filter_map(|(branch, _)| branch).collect::<Vec<_>>();
    Sketch::onward(Output::Of(builtin::parallel_type(branches.iter().map(Slug::as_str))))
}

/// The steps of each branch, in the order of their names: that of the document says nothing.
pub(super) fn lists<'d>(body: &At<'d>) -> Vec<(Option<Slug>, Vec<At<'d>>)> {
    let branches = body.fields(&schema::PARALLEL).and_then(|fields| fields.get("branches")?.names());
    let mut lists = BTreeMap::new();
    for (key, at) in branches.unwrap_or_default().into_iter().take(BRANCHES_MAX) {
        if let (Some(name), Some(steps)) = (identifier(&key.text, key.range, &at), at.list()) {
            lists.insert(name, steps);
        }
    }
    lists.into_iter().map(|(name, steps)| (Some(name), steps)).collect()
}

pub(super) fn fork(body: &At<'_>) -> Fork {
    let fields = body.fields(&schema::PARALLEL);
    let join = fields.as_ref().and_then(|fields| fields.get("join"));
    let all = join.is_none_or(|at| matches!(&at.node().kind, yaml::Kind::Scalar(scalar) if scalar.text == "all"));
    Fork {
        is_whole: all,
        calls_off: !all,
        is_at_once: true,
        element: None,
        lanes_max: 1,
        merge: fields.as_ref().map(merged).unwrap_or_default(),
    }
}

/// The variables that are merged.
pub(super) fn merged(fields: &Fields<'_>) -> BTreeSet<String> {
    let names = fields.get("merge").and_then(|at| at.names()).unwrap_or_default();
    names.into_iter().map(|(key, _)| key.text.clone()).collect()
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::PARALLEL)?;
    let branches = branches(&fields, context);
    let count = branches.as_ref().map_or(BRANCHES_MAX, BTreeMap::len);
    let join = match fields.get("join") {
        Some(at) => join(&at, count),
        None if fields.has("join") => None,
        None => Some(Join::All),
    };
    let merge = merge(&fields, context);
    Some(Kind::Parallel(Parallel { join: join?, branches: branches?, merge: merge? }))
}

fn branches(fields: &Fields<'_>, context: &Context<'_, '_>) -> Option<BTreeMap<Slug, Slug>> {
    let at = fields.require("branches")?;
    let written = at.names()?;
    if written.len() < 2 {
        let help = "as `branches: { money: [ ... ], goods: [ ... ] }`";
        return at.refuse_with("missing_value", "`parallel` has fewer than two branches", help);
    }
    if written.len() > BRANCHES_MAX {
        let message = format!("`parallel` has {} branches, the most is {BRANCHES_MAX}", written.len());
        return at.refuse("too_large", message);
    }
    let first = |(key, at): &(&Key, At<'_>)| {
        let steps = at.list()?;
        let branch = identifier(&key.text, key.range, at)?;
        if steps.is_empty() {
            let found = Diagnostic::new("missing_value", key.range, format!("the branch `{branch}` has no steps"));
            return at.report(found.help("remove it, or say what happens there"));
        }
        let first = context.first_step(Some(&branch))?;
        Some((branch, first))
    };
    let all: Vec<_> = written.iter().map(first).collect();
    all.into_iter().collect()
}

fn join(at: &At<'_>, branches: usize) -> Option<Join> {
    let is_number = matches!(&at.node().kind, yaml::Kind::Scalar(scalar) if scalar.is_number());
    if is_number {
        let most = i64::try_from(branches).unwrap_or(i64::MAX);
        let count = at.whole(1, most)?;
        return u32::try_from(count).ok().map(Join::Count);
    }
    Some(match at.choice(&["all", "any"])? {
        "all" => Join::All,
        _ => Join::Count(1),
    })
}

/// What becomes of variables that several lanes set.
pub(super) fn merge(fields: &Fields<'_>, context: &Context<'_, '_>) -> Option<BTreeMap<String, Merge>> {
    let Some(at) = fields.get("merge") else { return (!fields.has("merge")).then(BTreeMap::new) };
    let all: Vec<_> = at.names()?.iter().map(|(key, at)| merge_one(key, at, context)).collect();
    all.into_iter().collect()
}

fn merge_one(key: &Key, at: &At<'_>, context: &Context<'_, '_>) -> Option<(String, Merge)> {
    let (name, vars) = (key.text.as_str(), &context.head.vars);
    let Some(declared) = vars.get(name) else {
        let help = match suggest(name, vars.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "declare it under `vars`".to_owned(),
        };
        return at.report(
            Diagnostic::new("unknown_variable", key.range, format!("there is no variable `{name}`")).help(help),
        );
    };
    let lists = context.outline.inside(context.place);
    let is_set = lists.flat_map(|(_, list)| context.outline.all_of(list)).any(|(_, draft)| draft.sets.contains(name));
    if !is_set {
        let found = Diagnostic::new("never_taken", key.range, format!("nothing in this step sets `{name}`"));
        return at.report(found.help("remove it from `merge`"));
    }
    let merge = match at.choice(&["sum", "last", "list"])? {
        "sum" => Merge::Sum,
        "last" => Merge::Last,
        _ => Merge::List,
    };
    let kind = declared.kind.as_ref()?;
    let (fits, wanted) = match merge {
        Merge::Sum => (matches!(kind, Type::Number | Type::Money), "a number or money"),
        Merge::List => (matches!(kind, Type::List(_)), "a list"),
        Merge::Last => (true, ""),
    };
    if !fits {
        let message = format!("`{name}` is {kind}, this merge takes {wanted}");
        return at.refuse("wrong_type", message);
    }
    Some((name.to_owned(), merge))
}
