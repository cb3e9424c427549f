//! What undoes a step: `compensate: { http: { target: carrier-void, body: { number: =label.number } } }`. It may read what the step
//! gave, because it is kept only once the step has done its work.

use crate::value::Type;
use crate::workflow::compile::{Compiler, Name};
use crate::workflow::definition::Compensate;
use crate::workflow::diagnostic::Diagnostic;
use crate::workflow::load::outline::{Draft, Output};
use crate::workflow::load::step::Context;
use crate::workflow::load::steps;
use crate::workflow::reader::At;
use crate::workflow::schema;

/// Read a `compensate`. The context knows what the step gave.
pub(super) fn load(at: &At<'_>, draft: &Draft<'_>, context: &Context<'_, '_>) -> Option<Compensate> {
    let kind = draft.kind_name();
    if kind == "refund" {
        let help = "money does not come back by itself: let a person ask for it, with a `review`";
        return at.refuse_with("no_compensation", "a refund cannot be undone", help);
    }
    if !schema::UNDOABLE.contains(&kind) {
        let message = format!("{} does nothing outside that could be undone", schema::a(kind));
        return at.refuse_with("no_compensation", message, format!("only {} do", schema::UNDOABLE.join(", ")));
    }
    let fields = at.fields(&schema::COMPENSATE)?;
    let known: Vec<_> = fields.names().filter(|key| schema::COMPENSATE.field(&key.text).is_some()).collect();
    match known[..] {
        [key] => {
            let at = fields.get(&key.text)?;
            match steps::compensate(&key.text, &at, context)? {
                Compensate::Http(http) if !http.expect.is_empty() => {
                    let help = "that it is confirmed is enough: remove the `expect`";
                    at.refuse_with("never_taken", "nobody reads what is answered when something is undone", help)
                }
                compensate => Some(compensate),
            }
        }
        [first, second, ..] => {
            let message = format!("a step is undone in one way, this has both `{}` and `{}`", first.text, second.text);
            fields.at().report(Diagnostic::new("two_kinds", second.range, message))
        }
        // What is misspelt was reported.
        [] if fields.names().next().is_some() => None,
        [] => at.refuse_with("missing_kind", "`compensate` does nothing", "one of http, restock, notify"),
    }
}

/// The names that are known once the step has done its work.
pub(super) fn after(compiler: &Compiler, draft: &Draft<'_>) -> Compiler {
    let mut compiler = compiler.clone();
    let (Some(id), Output::Of(kind)) = (&draft.id, &draft.output) else { return compiler };
    if let Some(alias) = &draft.alias {
        compiler.scope.roots.insert(alias.clone(), kind.clone());
        compiler.uncertain.remove(&Name::Root(alias.clone()));
    }
    if let Some(Type::Object(outputs)) = compiler.scope.roots.get_mut("steps") {
        outputs.insert(id.clone(), kind.clone());
        compiler.uncertain.remove(&Name::Field("steps", id.clone()));
    }
    compiler
}
