//! Which names an expression may read where it stands, of which type, and why others cannot be read there.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::value::Type;
use crate::workflow::builtin::{self, fields_with};
use crate::workflow::compile::{Absence, Compiler, Name};
use crate::workflow::definition::Required;
use crate::workflow::expr::Scope;
use crate::workflow::flow::{Fact, Known};
use crate::workflow::load::document::Head;
use crate::workflow::load::outline::{Outline, Output};
use crate::workflow::load::triggers::Start;
use crate::workflow::schema;

/// For the condition of a trigger: the case before any step.
pub(super) fn at_trigger(head: &Head<'_>, start: &Start<'_>) -> Compiler {
    let requires = |part| start.requires.contains(&part);
    compiler(head, &start.kinds, &requires, BTreeMap::new())
}

/// For what an event gives the case that it starts: the event, and no case yet.
pub(super) fn at_event(head: &Head<'_>, carried: &BTreeMap<String, Type>) -> Compiler {
    let mut event = builtin::fields("event");
    event.extend(carried.iter().map(|(name, kind)| (name.clone(), kind.clone())));
    let mut compiler = at_start(head);
    compiler.scope.roots.insert("event".to_owned(), Type::Object(event));
    compiler
}

/// For what an event is compared with: nothing but constants and the time.
pub(super) fn at_start(head: &Head<'_>) -> Compiler {
    let roots = BTreeMap::from([("now".to_owned(), Type::Instant)]);
    let mut compiler =
        Compiler::new(Scope { roots, currency: head.currency(), calendar: head.calendar.for_expressions() });
    for name in ["case", "customer", "order", "item", "vars", "steps"] {
        let (message, help) = (format!("`{name}` is not there yet: this opens the case"), "read the `event`");
        absent(&mut compiler, Name::Root(name.to_owned()), message, help.to_owned());
    }
    for name in head.vars.keys() {
        let message = format!("the variable `{name}` has no value yet: this opens the case");
        absent(&mut compiler, Name::Root(name.clone()), message, "read the `event`".to_owned());
    }
    explain_roots(&mut compiler);
    explain_broken(&mut compiler, head);
    compiler
}

/// For the limits: the case and the variables that have a default.
pub(super) fn at_limits(head: &Head<'_>) -> Compiler {
    at_place(head, &Outline::default(), &Known::default())
}

/// For a step: the case, the variables, the outputs of the steps that lead to it, and the elements of the loops around it.
pub(super) fn at_step(
    head: &Head<'_>,
    outline: &Outline<'_>,
    place: usize,
    known: &Known,
    elements: &BTreeMap<usize, Type>,
) -> Compiler {
    let mut compiler = at_place(head, outline, known);
    let around = outline.around(place);
    // From the outermost on: the inner of two that have one name is meant.
    for place in around.iter().rev() {
        let Some(name) = outline.drafts[*place].fork.as_ref().and_then(|fork| fork.element.clone()) else { continue };
        match elements.get(place) {
            Some(kind) => drop(compiler.scope.roots.insert(name, kind.clone())),
            None => {
                compiler.scope.roots.remove(&name);
                compiler.broken.insert(Name::Root(name));
            }
        }
    }
    compiler
}

fn at_place(head: &Head<'_>, outline: &Outline<'_>, known: &Known) -> Compiler {
    let drafts = &outline.drafts;
    let mut roots = variables(head, known);
    let (mut outputs, mut uncertain) = (BTreeMap::new(), BTreeMap::new());
    for (place, draft) in drafts.iter().enumerate() {
        let (Some(id), Output::Of(kind)) = (&draft.id, &draft.output) else { continue };
        let output = match Fact::Output(place) {
            fact if known.always.contains(&fact) => kind.clone(),
            fact if known.sometimes.contains(&fact) => kind.clone().optional(),
            _ => continue,
        };
        if matches!(output, Type::Optional(_)) {
            let why = format!("not every way to this step passes `{id}`");
            let names = draft.alias.iter().cloned().map(Name::Root).chain([Name::Field("steps", id.clone())]);
            uncertain.extend(names.map(|name| (name, why.clone())));
        }
        if let Some(alias) = &draft.alias {
            roots.insert(alias.clone(), output.clone());
        }
        outputs.insert(id.clone(), output);
    }
    roots.insert("steps".to_owned(), Type::Object(outputs));
    let kinds = if head.triggers.iter().any(|trigger| trigger.kinds.is_empty()) {
        BTreeSet::new()
    } else {
        head.triggers.iter().flat_map(|trigger| trigger.kinds.iter().cloned()).collect()
    };
    let mut compiler = compiler(head, &kinds, &|part| head.requires(part), roots);
    compiler.uncertain = uncertain;
    compiler.read = Rc::clone(&head.read);
    explain_steps(&mut compiler, outline);
    compiler
}

/// The variables, each by its own name and all under `vars`.
fn variables(head: &Head<'_>, known: &Known) -> BTreeMap<String, Type> {
    let mut roots = BTreeMap::new();
    for (name, declared) in &head.vars {
        let Some(kind) = &declared.kind else { continue };
        let set =
            declared.default.is_some() || head.is_given(name) || known.always.contains(&Fact::Variable(name.clone()));
        roots.insert(name.clone(), if set { kind.clone() } else { kind.clone().optional() });
    }
    roots.insert("vars".to_owned(), Type::Object(roots.clone()));
    roots
}

/// What every place has in common.
fn compiler(
    head: &Head<'_>,
    kinds: &BTreeSet<String>,
    requires: &dyn Fn(Required) -> bool,
    more: BTreeMap<String, Type>,
) -> Compiler {
    let record = |name: &str| fields_with(name, &head.attributes);
    let mut case = record("case");
    if !kinds.is_empty() {
        case.insert("type".to_owned(), Type::words(kinds.iter().map(String::as_str)));
    }
    for (part, field) in [(Required::Reason, "reason"), (Required::Customer, "customer"), (Required::Order, "order")] {
        if requires(part) {
            case.insert(field.to_owned(), Type::Text);
        }
    }
    let customer = Type::Object(record("customer"));
    let mut roots = more;
    roots.insert("case".to_owned(), Type::Object(case));
    roots.insert("now".to_owned(), Type::Instant);
    roots.insert("customer".to_owned(), if requires(Required::Customer) { customer } else { customer.optional() });
    if requires(Required::Order) {
        roots.insert("order".to_owned(), Type::Object(record("order")));
    }
    if head.lines == Some(1) {
        roots.insert("item".to_owned(), Type::Object(record("line")));
    }
    let mut compiler =
        Compiler::new(Scope { roots, currency: head.currency(), calendar: head.calendar.for_expressions() });
    explain_roots(&mut compiler);
    explain_broken(&mut compiler, head);
    compiler
}

fn explain_roots(compiler: &mut Compiler) {
    let reasons = [
        ("order", "`order` exists only where the trigger requires it", "add `requires: [order]` to every trigger"),
        (
            "item",
            "`item` exists only in a `for_each`, or where a case has one line",
            "set `limits: { lines: 1 }`, or read `case.lines`",
        ),
        (
            "event",
            "`event` is read only on the left of `==` in `match`",
            "what came is the output of the `await` step; what opened the case goes into variables by `set` of its trigger",
        ),
        ("steps", "no step has run yet here", "read the case"),
        ("vars", "variables are not known here", "read the case"),
    ];
    for (name, message, help) in reasons {
        absent(compiler, Name::Root(name.to_owned()), message.to_owned(), help.to_owned());
    }
}

fn explain_broken(compiler: &mut Compiler, head: &Head<'_>) {
    compiler.broken.extend(head.broken.iter().cloned().map(Name::AnyField));
    for (name, _) in head.vars.iter().filter(|(_, declared)| declared.kind.is_none()) {
        compiler.broken.insert(Name::Root(name.clone()));
        compiler.broken.insert(Name::Field("vars", name.clone()));
    }
}

fn explain_steps(compiler: &mut Compiler, outline: &Outline<'_>) {
    for (place, draft) in outline.drafts.iter().enumerate() {
        let alias = draft.alias.as_ref().map(|alias| Name::Root(alias.clone()));
        let Some(id) = &draft.id else {
            compiler.broken.extend(alias);
            continue;
        };
        let field = Name::Field("steps", id.clone());
        match &draft.output {
            Output::Broken => compiler.broken.extend(alias.into_iter().chain([field])),
            Output::None => {
                let message = format!("`{id}` is {} and has no output", schema::a(draft.kind_name()));
                let help = match draft.kind_name() {
                    "set" | "table" => "what it sets is read by the variable's own name",
                    _ => "what asks, waits for somebody, or moves something has one",
                };
                let names = [field, Name::Root(id.clone())];
                names.into_iter().for_each(|name| absent(compiler, name, message.clone(), help.to_owned()));
            }
            Output::Of(_) => {
                let mut message = format!("`{id}` never runs before this step");
                let mut help = "read it in a step that comes after it";
                if outline.around(place).iter().any(|place| outline.drafts[*place].is_loop()) {
                    message = format!("`{id}` stands in the body of a `for_each`, or never runs before this step");
                    help = "what a step of a body gives is gone with its iteration: `set` a variable there";
                }
                alias
                    .into_iter()
                    .chain([field])
                    .for_each(|name| absent(compiler, name, message.clone(), help.to_owned()));
            }
        }
        if !matches!(draft.output, Output::None) {
            let message = format!("`{id}` is a step, not a name");
            absent(
                compiler,
                Name::Root(id.clone()),
                message,
                format!("its output is `steps.{id}`, or give it a name with `as`"),
            );
        }
    }
}

/// The first reason stays: a root's own comes before a step of the same name.
fn absent(compiler: &mut Compiler, name: Name, message: String, help: String) {
    compiler.absent.entry(name).or_insert(Absence { message, help });
}

/// The names that an `as` may not take.
pub(super) fn reserved(name: &str) -> bool {
    builtin::ROOTS.iter().any(|(root, _)| *root == name)
}
