//! `set: { route: manual, fee: '=round(total * 0.1, 2)' }`

use crate::value::Type;
use crate::workflow::definition::Kind;
use crate::workflow::diagnostic::{Diagnostic, suggest};
use crate::workflow::expr::Expr;
use crate::workflow::load::names;
use crate::workflow::load::outline::{Exit, Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::reader::At;
use crate::workflow::yaml::{self, Key};

pub(super) fn sketch<'d>(body: &At<'d>) -> Sketch<'d> {
    let sets = body.names().unwrap_or_default().into_iter().map(|(key, _)| key.text.clone()).collect();
    Sketch { output: Output::None, sets, exits: vec![Exit::onward()] }
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let written = body.names()?;
    if written.is_empty() {
        return body.refuse("missing_value", "`set` assigns nothing");
    }
    let mut assignments: Vec<_> = written.iter().map(|(key, at)| assignment(key, at, context)).collect();
    assignments.sort_by(|a, b| a.as_ref().map(|(name, _)| name).cmp(&b.as_ref().map(|(name, _)| name)));
    assignments.into_iter().collect::<Option<_>>().map(|assignments| Kind::Set { assignments })
}

fn assignment(key: &Key, at: &At<'_>, context: &Context<'_, '_>) -> Option<(String, Expr)> {
    let kind = variable(key, at, context)?;
    if let yaml::Kind::Map(_) = &at.node().kind {
        let help = "its type and what it begins with stand under `vars`; here stands the value alone";
        return at.refuse_with("wrong_type", format!("expected a value for `{}`, found a map", key.text), help);
    }
    let value = context.compiler.value(at, kind)?;
    Some((key.text.clone(), value))
}

/// The type of the variable that is named here.
pub(super) fn variable<'c>(key: &Key, at: &At<'_>, context: &'c Context<'_, '_>) -> Option<&'c Type> {
    let vars = &context.head.vars;
    let Some(declared) = vars.get(&key.text) else {
        let found = Diagnostic::new("unknown_variable", key.range, format!("there is no variable `{}`", key.text));
        let plain = key.text.strip_prefix("vars.").unwrap_or(&key.text);
        let help = match suggest(plain, vars.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names::reserved(plain) => {
                format!(
                    "`{plain}` is the language's own and only read: what changes is a variable, declared under `vars`"
                )
            }
            None if plain.contains('=') => "between a name and its value stands `: `".to_owned(),
            None => "declare it under `vars`".to_owned(),
        };
        return at.report(found.help(help));
    };
    declared.kind.as_ref()
}
