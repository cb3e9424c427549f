//! `http: { target: carrier-label, body: { rma: =case.number }, expect: { number: text } }`

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::Slug;
use crate::value::Type;
use crate::workflow::builtin;
use crate::workflow::definition::{Http, Kind};
use crate::workflow::diagnostic::{Diagnostic, suggest};
use crate::workflow::expr::Expr;
use crate::workflow::load::document::declared;
use crate::workflow::load::outline::{Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::reader::{At, Fields, identifier};
use crate::workflow::schema;

/// Names that the output has already.
const TAKEN: &[&str] = &["reference"];
/// Fields of a body or of an answer: what is sent and kept of one request.
const FIELDS_MAX: usize = 50;

pub(super) fn sketch<'d>(body: &At<'d>) -> Sketch<'d> {
    let Some(fields) = body.fields(&schema::HTTP) else { return Sketch::unreadable() };
    Sketch::onward(match expect(&fields) {
        Some(expect) => Output::Of(builtin::http_type(&expect)),
        None => Output::Broken,
    })
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::HTTP)?;
    let target = fields.require("target").and_then(|at| target(&at, &context.environment.systems));
    let body = self::body(&fields, context);
    let expect = expect(&fields);
    Some(Kind::Http(Http { target: target?, body: body?, expect: expect? }))
}

/// The name of a connector. Who writes an address here is told where it belongs. A system may be connected later; a name that is nearly
/// that of one that is connected is misspelt.
fn target(at: &At<'_>, systems: &BTreeSet<Slug>) -> Option<Slug> {
    let text = at.text()?;
    let help =
        "the name of a connector, as `carrier-label`; its address is set with `PUT /v1/connectors/http:<target>`";
    match text.strip_prefix("http:") {
        _ if text.contains("//") => at.refuse_with("bad_name", "a document holds no address", help),
        Some(name) => {
            let message = format!("the target of connector `{text}` is `{name}`");
            at.refuse_with("bad_name", message, "leave out `http:`")
        }
        None => {
            let name = at.slug()?;
            let near = suggest(text, systems.iter().map(Slug::as_str)).filter(|_| !systems.contains(&name));
            let Some(near) = near else { return Some(name) };
            let help = format!("did you mean `{near}`? a system of this very name is connected first");
            at.refuse_with("unknown_target", format!("no system `{name}` is connected"), help)
        }
    }
}

fn body(fields: &Fields<'_>, context: &Context<'_, '_>) -> Option<BTreeMap<String, Expr>> {
    let Some(at) = fields.get("body") else { return (!fields.has("body")).then(BTreeMap::new) };
    let written = few(&at, at.names()?)?;
    let one = |(key, at): &(&crate::workflow::yaml::Key, At<'_>)| {
        let name = identifier(&key.text, key.range, at);
        let value = context.compiler.any_value(at);
        Some((name?.as_str().to_owned(), value?))
    };
    let all: Vec<_> = written.iter().map(one).collect();
    all.into_iter().collect()
}

fn expect(fields: &Fields<'_>) -> Option<BTreeMap<String, Type>> {
    let Some(at) = fields.get("expect") else { return (!fields.has("expect")).then(BTreeMap::new) };
    few(&at, at.names()?)?;
    let mut broken = BTreeSet::new();
    let written = at.names()?.len();
    let expect = declared(&at, TAKEN, "an answer has a built-in field", &mut broken);
    (expect.len() == written).then_some(expect)
}

fn few<T>(at: &At<'_>, written: Vec<T>) -> Option<Vec<T>> {
    if written.len() <= FIELDS_MAX {
        return Some(written);
    }
    let found = Diagnostic::new("too_large", at.place(), format!("{} fields, the most is {FIELDS_MAX}", written.len()));
    at.report(found)
}
