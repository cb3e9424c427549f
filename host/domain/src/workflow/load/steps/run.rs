//! `run: { workflow: vigilance-report@active, with: { device: =item.udi }, timeout: { after: 5d, then: hold } }`

use std::collections::{BTreeMap, BTreeSet};

use crate::case::child::Pin;
use crate::ids::Slug;
use crate::workflow::builtin;
use crate::workflow::definition::{CalledBy, Kind, Run};
use crate::workflow::diagnostic::{Diagnostic, suggest};
use crate::workflow::expr::Expr;
use crate::workflow::load::Environment;
use crate::workflow::load::outline::{Exit, Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::load::timeout;
use crate::workflow::reader::{At, Fields, identifier};
use crate::workflow::schema;
use crate::workflow::yaml::Key;

const NO_WAIT: &str = "no_wait";

pub(super) fn sketch<'d>(body: &At<'d>) -> Sketch<'d> {
    let Some(fields) = body.fields(&schema::RUN) else { return Sketch::unreadable() };
    let exits = std::iter::once(Exit::onward()).chain(timeout::exit(&fields)).collect();
    Sketch::leading(Output::Of(builtin::run_type(!is_left(&fields))), exits)
}

/// Whether nobody waits for the sub-case.
fn is_left(fields: &Fields<'_>) -> bool {
    fields.get("wait").and_then(|at| at.text()) == Some(NO_WAIT)
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::RUN)?;
    let wait = match fields.get("wait").map(|at| at.choice(schema::RUN_WAIT)) {
        Some(None) => None,
        Some(Some(NO_WAIT)) => no_timeout(&fields).map(|()| None),
        Some(Some(_)) | None if !fields.has("timeout") => fields.at().refuse_with(
            "missing_timeout",
            "`run` would wait for ever: `timeout` is missing",
            "`timeout: { after: 5d, then: <step> }`, `timeout: { never: \"why\" }`, or `wait: no_wait`",
        ),
        Some(Some(_)) | None => timeout::load(&fields, "run", context).map(Some),
    };
    let reference = fields.require("workflow").and_then(|at| reference(&at, context));
    let with = with(&fields, reference.as_ref(), context);
    let (workflow, pin, _) = reference?;
    Some(Kind::Run(Run { workflow, pin, with: with?, wait: wait? }))
}

fn no_timeout(fields: &Fields<'_>) -> Option<()> {
    let Some(key) = fields.key("timeout") else { return Some(()) };
    let found = Diagnostic::new("two_ways", key.range, "`timeout` and `wait: no_wait` exclude each other");
    fields.at().report(found.help("remove one of them"))
}

type Reference<'e> = (Slug, Pin, Option<&'e CalledBy>);

/// The workflow that is named here, with what it takes where it is known.
fn reference<'e>(at: &At<'_>, context: &'e Context<'_, '_>) -> Option<Reference<'e>> {
    let text = at.text()?;
    let named = text.split_once('@').and_then(|(name, pin)| Some((Slug::new(name).ok()?, pin.parse::<Pin>().ok()?)));
    let Some((workflow, pin)) = named else {
        let help = "`name@active`, or pinned as `name@17` or `name@9f2c01ab34`";
        return at.refuse_with("bad_name", format!("{text:?} does not name a workflow"), help);
    };
    let own = context.head.workflow.as_ref();
    if own == Some(&workflow) {
        let help = "go back with `again`, or go through a list with `for_each`";
        return at.refuse_with("runs_itself", "the workflow runs itself, and would do so for ever", help);
    }
    let Some(known) = &context.environment.workflows else { return Some((workflow, pin, None)) };
    let Some(callable) = known.get(text) else {
        return unknown(at, &workflow, &pin, known.keys()).map(|()| (workflow, pin, None));
    };
    if let Some(way) = own.and_then(|own| way_to(own, text, context.environment)) {
        let message = format!("the workflow runs itself, by way of {way}");
        return at.refuse_with("runs_itself", message, "one of them must end without running the other");
    }
    let Some(called) = &callable.called else {
        let help = "give it `triggers: [{ called: {} }]`";
        return at.refuse_with("not_callable", format!("`{workflow}` has no trigger `called`"), help);
    };
    Some((workflow, pin, Some(called)))
}

/// A workflow that is not there yet may be published later; a revision that is pinned may not.
fn unknown<'k>(at: &At<'_>, workflow: &Slug, pin: &Pin, known: impl Iterator<Item = &'k String> + Clone) -> Option<()> {
    if *pin == Pin::Active {
        return Some(());
    }
    let message = format!("there is no revision `{pin}` of `{workflow}`");
    let active = format!("{workflow}@active");
    let help = if known.clone().any(|name| *name == active) {
        format!("as `{active}`, or publish it first")
    } else {
        "publish it first".to_owned()
    };
    at.refuse_with("unknown_revision", message, help)
}

/// How a workflow that is run leads back to this one, as far as is known.
fn way_to(own: &Slug, first: &str, environment: &Environment) -> Option<String> {
    let known = environment.workflows.as_ref()?;
    let (mut seen, mut ways) = (BTreeSet::new(), vec![vec![first]]);
    while let Some(way) = ways.pop() {
        let Some(last) = way.last().copied().filter(|last| seen.insert(*last)) else { continue };
        if last.split_once('@').is_some_and(|(name, _)| name == own.as_str()) {
            let names = way.iter().filter_map(|name| name.split_once('@')).map(|(name, _)| format!("`{name}`"));
            return Some(names.take(way.len() - 1).collect::<Vec<_>>().join(", "));
        }
        let runs = known.get(last).into_iter().flat_map(|callable| &callable.runs);
        ways.extend(runs.map(|next| way.iter().copied().chain([next.as_str()]).collect::<Vec<_>>()));
    }
    None
}

/// The inputs: each known, of its type, and none missing, where it is known what the workflow takes.
fn with(
    fields: &Fields<'_>,
    reference: Option<&Reference<'_>>,
    context: &Context<'_, '_>,
) -> Option<BTreeMap<String, Expr>> {
    let written = match fields.get("with") {
        Some(at) => at.names()?,
        None => Vec::new(),
    };
    let called = reference.and_then(|(workflow, _, called)| Some((workflow, (*called)?)));
    let mut complete = called.is_none_or(|called| nothing_missing(fields, &written, called));
    let mut with = BTreeMap::new();
    for (key, at) in written {
        let value = match called {
            None => identifier(&key.text, key.range, &at).and_then(|_| context.compiler.any_value(&at)),
            Some((workflow, called)) => match called.inputs.get(&key.text) {
                Some(input) => context.compiler.value(&at, &input.kind),
                None => unknown_input(&at, key, workflow, called),
            },
        };
        match value {
            Some(value) => drop(with.insert(key.text.clone(), value)),
            None => complete = false,
        }
    }
    complete.then_some(with)
}

fn nothing_missing(fields: &Fields<'_>, written: &[(&Key, At<'_>)], (workflow, called): (&Slug, &CalledBy)) -> bool {
    let mut complete = true;
    for (name, input) in called.inputs.iter().filter(|(_, input)| input.required) {
        // A misspelt input is reported as unknown, with the name that was meant.
        let is_meant =
            |written: &str| !called.inputs.contains_key(written) && suggest(written, [name.as_str()]).is_some();
        if !written.iter().any(|(key, _)| key.text == *name || is_meant(&key.text)) {
            let message = format!("`{workflow}` needs the input `{name}`");
            let at = fields.get("with").unwrap_or_else(|| fields.at().clone());
            at.refuse_with::<()>("missing_input", message, format!("its type is {}", input.kind));
            complete = false;
        }
    }
    complete
}

fn unknown_input<T>(at: &At<'_>, key: &Key, workflow: &Slug, called: &CalledBy) -> Option<T> {
    let names = called.inputs.keys().map(String::as_str);
    let help = match suggest(&key.text, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if called.inputs.is_empty() => "it has no inputs".to_owned(),
        None => format!("it has {}", names.collect::<Vec<_>>().join(", ")),
    };
    let message = format!("`{workflow}` has no input `{}`", key.text);
    at.report(Diagnostic::new("unknown_input", key.range, message).help(help))
}
