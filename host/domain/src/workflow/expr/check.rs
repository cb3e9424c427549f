//! Types of an expression. Every problem is reported, not only the first; what is derived from a problem is not.
//!
//! A part with a problem has no type (`None`), and whatever holds it stays silent about it.

mod calls;
mod convert;
mod flow;
mod operators;

use std::collections::{BTreeMap, BTreeSet};

use super::Scope;
use super::ast::{Node, Part, Word};
use super::functions;
use super::typed::{Op, Typed, nothing, noun};
use crate::value::{Type, Value};
use crate::workflow::diagnostic::{Diagnostic, Range, suggest};
use convert::{Fit, Pair};

/// What the checker found out.
pub(super) struct Checked {
    pub(super) tree: Typed,
    /// The paths that it reads, from a root.
    pub(super) reads: BTreeSet<String>,
    /// The paths that have a value where the expression holds.
    pub(super) guards: BTreeSet<String>,
}

/// Check a tree; `expected` is the type that the place of the expression needs.
pub(super) fn check(
    source: &str,
    tree: &Node,
    scope: &Scope,
    expected: Option<&Type>,
) -> Result<Checked, Vec<Diagnostic>> {
    let mut checker = Checker { source, scope, locals: Vec::new(), problems: Vec::new() };
    let guards = BTreeSet::new();
    let typed = checker.part(tree, Place::plain(&guards));
    let typed = match expected {
        Some(kind) => typed.and_then(|typed| checker.expect(typed, kind)),
        None => typed,
    };
    match typed {
        Some(typed) if checker.problems.is_empty() => {
            Ok(Checked { tree: typed, reads: flow::reads(tree), guards: flow::facts(tree, true) })
        }
        _ => {
            checker.problems.sort();
            checker.problems.dedup();
            Err(checker.problems)
        }
    }
}

struct Checker<'s> {
    source: &'s str,
    scope: &'s Scope,
    /// The elements of the loops around the part, outermost first.
    locals: Vec<(String, Type)>,
    problems: Vec<Diagnostic>,
}

/// What the surroundings of a part allow.
#[derive(Clone, Copy)]
struct Place<'g> {
    /// Paths that are known to have a value.
    guards: &'g BTreeSet<String>,
    /// Whether a `round` stands around it, so that a division is well.
    rounding: bool,
    /// Whether an absent value is asked for: inside `has` and `orElse`.
    absent: bool,
}

impl<'g> Place<'g> {
    fn plain(guards: &'g BTreeSet<String>) -> Self {
        Self { guards, rounding: false, absent: false }
    }
}

impl Checker<'_> {
    /// The typed form of a part, perhaps optional.
    fn part(&mut self, node: &Node, place: Place<'_>) -> Option<Typed> {
        let plain = Place::plain(place.guards);
        let rounding = Place { absent: false, ..place };
        match &node.part {
            Part::Bool(yes) => Some(Typed::literal(node.range, Type::Bool, Value::Bool(*yes))),
            Part::Number(number) => Some(Typed::literal(node.range, Type::Number, Value::Number(*number))),
            Part::Text(text) => Some(Typed::literal(node.range, Type::Text, Value::text(text.as_str()))),
            Part::Name(name) => self.name(node.range, name, plain),
            Part::Field { base, name } => self.field(node, base, name, place),
            Part::Index { base, index } => self.index(node, base, index, place),
            Part::Call { name, args } => self.call(node, name, args, plain),
            Part::List(items) => self.list(node.range, items, plain),
            Part::Not(inner) => {
                let inner = self.condition(inner, plain)?;
                Some(Typed::new(node.range, Type::Bool, Op::Not(Box::new(inner))))
            }
            Part::And(items) => {
                self.logic(items, true, plain).map(|all| Typed::new(node.range, Type::Bool, Op::And(all)))
            }
            Part::Or(items) => {
                self.logic(items, false, plain).map(|any| Typed::new(node.range, Type::Bool, Op::Or(any)))
            }
            Part::Negate(inner) => self.negate(node.range, inner, rounding),
            Part::Binary { operator, left, right } => self.binary(node.range, *operator, left, right, rounding),
            Part::Choice { test, yes, no } => self.choice(node.range, test, yes, no, rounding),
        }
    }

    /// A part whose value must be there.
    fn value(&mut self, node: &Node, place: Place<'_>) -> Option<Typed> {
        let typed = self.part(node, place)?;
        self.present(typed)
    }

    /// A part that must be a yes or no.
    fn condition(&mut self, node: &Node, place: Place<'_>) -> Option<Typed> {
        let typed = self.value(node, place)?;
        if typed.kind == Type::Bool {
            return Some(typed);
        }
        self.wrong(typed.focus, format!("expected a yes/no value here, found {}", noun(&typed.kind)))
    }

    /// Report a part that may be absent where a value is needed.
    fn present(&mut self, typed: Typed) -> Option<Typed> {
        let Type::Optional(inner) = &typed.kind else { return Some(typed) };
        let path = self.text(typed.range).to_owned();
        let word = |words: &[String]| words.first().map_or_else(|| "\"\"".to_owned(), |word| format!("\"{word}\""));
        let default = match &**inner {
            Type::Enum(words) => word(words),
            Type::Text => "\"\"".to_owned(),
            Type::Instant => "now".to_owned(),
            Type::List(_) => "[]".to_owned(),
            Type::Number | Type::Money | Type::Price => "0".to_owned(),
            Type::Bool => "false".to_owned(),
            _ => "…".to_owned(),
        };
        let or = match &**inner {
            // Nobody writes one out.
            Type::Object(_) => String::new(),
            _ => format!(", or give a default, `orElse({path}, {default})`"),
        };
        let help = format!("ask first, `has({path}) && …`{or}");
        self.report(Diagnostic::new("not_guarded", typed.focus, format!("`{path}` may be absent")).help(help))
    }

    fn name(&mut self, range: Range, name: &str, place: Place<'_>) -> Option<Typed> {
        let local = self.locals.iter().position(|(known, _)| known == name);
        let (kind, op) = match (local, self.scope.roots.get(name)) {
            (Some(level), _) => (self.locals[level].1.clone(), Op::Element(level)),
            (None, Some(kind)) => (kind.clone(), Op::Root(name.to_owned())),
            (None, None) => return self.unknown_name(range, name),
        };
        let kind = if place.guards.contains(name) { inner(kind) } else { kind };
        Some(Typed::new(range, kind, op))
    }

    fn unknown_name(&mut self, range: Range, name: &str) -> Option<Typed> {
        let problem = Diagnostic::new("unknown_name", range, format!("unknown name `{name}`"));
        let known = self.scope.roots.keys().chain(self.locals.iter().map(|(name, _)| name)).map(String::as_str);
        let close = suggest(name, known);
        self.report(match (name, close, functions::find(name)) {
            ("null" | "nil" | "none", ..) => problem.help("there is no null; `has(…)` asks whether there is a value"),
            (_, _, Some(function)) => problem.help(format!("it is a function: `{}`", function.signature)),
            ("yes" | "no" | "on" | "off" | "True" | "False", ..) => problem.help("write `true` or `false`"),
            (_, Some(close), _) => problem.help(format!("did you mean `{close}`?")),
            _ => problem.help("a text stands between double quotes, as `\"new\"`"),
        })
    }

    fn field(&mut self, node: &Node, base: &Node, name: &Word, place: Place<'_>) -> Option<Typed> {
        let place = Place { rounding: false, ..place };
        let base = self.part(base, place)?;
        let (base, hop) = self.hop(base, place)?;
        let kind = match &base.kind {
            Type::Object(fields) => match fields.get(&name.text) {
                Some(kind) => kind.clone(),
                None => {
                    let message = format!("`{}` has no field `{}`", self.text(base.range), name.text);
                    let close = suggest(&name.text, fields.keys().map(String::as_str));
                    let problem = Diagnostic::new("unknown_field", name.range, message);
                    let provided = matches!(fields.get("out"), Some(Type::Object(out)) if out.contains_key(&name.text));
                    return self.report(match close {
                        _ if provided => {
                            problem.help(format!("what a plugin provides is under `out`: `out.{}`", name.text))
                        }
                        Some(close) => problem.help(format!("did you mean `{close}`?")),
                        None if fields.is_empty() => problem,
                        None => problem.help(named(fields)),
                    });
                }
            },
            kind => {
                let message = format!("`{}` is {} and has no fields", self.text(base.range), noun(kind));
                return self.report(Diagnostic::new("unknown_field", name.range, message));
            }
        };
        let op = Op::Field { base: Box::new(base), name: name.text.clone() };
        Some(Typed { focus: name.range, ..Typed::new(node.range, reached(node, kind, hop, place), op) })
    }

    fn index(&mut self, node: &Node, base: &Node, index: &Node, place: Place<'_>) -> Option<Typed> {
        let place = Place { rounding: false, ..place };
        if let Part::Text(name) = &index.part {
            let word = Word { range: index.range, text: name.clone() };
            return self.field(node, base, &word, place);
        }
        let base = self.part(base, place);
        let index = self.value(index, Place::plain(place.guards));
        let (base, hop) = self.hop(base?, place)?;
        let index = index?;
        let Type::List(kind) = base.kind.clone() else {
            let message = format!("`{}` is {} and no list", self.text(base.range), noun(&base.kind));
            return self.wrong(base.focus, message);
        };
        if index.kind != Type::Number {
            let message = format!("expected the place in a list here, found {}", noun(&index.kind));
            return self.wrong(index.focus, message);
        }
        let op = Op::Index { base: Box::new(base), index: Box::new(index) };
        Some(Typed::new(node.range, reached(node, *kind, hop, place), op))
    }

    /// The base of a path, and whether it may be absent; that is a problem unless somebody asks for it.
    fn hop(&mut self, base: Typed, place: Place<'_>) -> Option<(Typed, bool)> {
        if !place.absent {
            return Some((self.present(base)?, false));
        }
        let optional = matches!(base.kind, Type::Optional(_));
        Some((Typed { kind: inner(base.kind), ..base }, optional))
    }

    fn list(&mut self, range: Range, items: &[Node], place: Place<'_>) -> Option<Typed> {
        let typed: Vec<_> = items.iter().map(|item| self.value(item, place)).collect();
        let typed: Vec<Typed> = typed.into_iter().collect::<Option<_>>()?;
        // Literals follow what is known otherwise; among literals the first decides.
        let model = typed.iter().find(|item| !item.is_literal()).or_else(|| typed.first());
        let kind = model.map_or_else(nothing, |item| item.kind.clone());
        let list = Typed::new(range, kind.clone().list(), Op::List(typed));
        match self.convert(list, &kind.list()) {
            Fit::Yes(list) => Some(list),
            Fit::No(_) | Fit::Reported => None,
        }
    }

    /// Conditions, each read with what those before it have proved.
    fn logic(&mut self, items: &[Node], all: bool, place: Place<'_>) -> Option<Vec<Typed>> {
        let mut guards = place.guards.clone();
        let mut typed = Vec::with_capacity(items.len());
        for item in items {
            typed.push(self.condition(item, Place::plain(&guards)));
            guards.append(&mut flow::facts(item, all));
        }
        typed.into_iter().collect()
    }

    fn choice(&mut self, range: Range, test: &Node, yes: &Node, no: &Node, place: Place<'_>) -> Option<Typed> {
        let when = |holds| place.guards.union(&flow::facts(test, holds)).cloned().collect::<BTreeSet<_>>();
        let (if_true, if_false) = (when(true), when(false));
        let test = self.condition(test, Place::plain(place.guards));
        let yes = self.part(yes, Place { guards: &if_true, ..place });
        let no = self.part(no, Place { guards: &if_false, ..place });
        let test = Box::new(test?);
        match self.pair(yes?, no?) {
            Pair::Same(yes, no, kind) => {
                Some(Typed::new(range, kind, Op::Choice { test, yes: Box::new(yes), no: Box::new(no) }))
            }
            Pair::Differ(yes, no) => {
                let message = format!("one value is {}, the other {}", noun(&yes.kind), noun(&no.kind));
                self.wrong(no.focus, message)
            }
            Pair::Reported => None,
        }
    }

    /// The source of a part.
    fn text(&self, range: Range) -> &str {
        self.source.get(range.start..range.end).unwrap_or(self.source)
    }

    fn wrong<T>(&mut self, range: Range, message: String) -> Option<T> {
        self.report(Diagnostic::new("wrong_type", range, message))
    }

    /// Note a problem; the part that has it has no type.
    fn report<T>(&mut self, problem: Diagnostic) -> Option<T> {
        self.problems.push(problem);
        None
    }
}

/// What there is instead of a field that there is not.
fn named(fields: &BTreeMap<String, Type>) -> String {
    const NAMED_MAX: usize = 16;
    let names: Vec<_> = fields.keys().take(NAMED_MAX).map(String::as_str).collect();
    let more = if fields.len() > NAMED_MAX { ", …" } else { "" };
    format!("it has {}{more}", names.join(", "))
}

/// The type of what a path reaches: guarded it is there, behind a hop that may be absent it may be absent too.
fn reached(node: &Node, kind: Type, hop: bool, place: Place<'_>) -> Type {
    let guarded = || node.path().is_some_and(|path| place.guards.contains(&path));
    match (&kind, hop) {
        (Type::Optional(_), _) if guarded() => inner(kind),
        (_, true) if !guarded() => kind.optional(),
        _ => kind,
    }
}

/// The type without its `?`.
fn inner(kind: Type) -> Type {
    match kind {
        Type::Optional(inner) => *inner,
        kind => kind,
    }
}
