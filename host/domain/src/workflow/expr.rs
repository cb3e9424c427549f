//! Expressions: CEL's surface, exact decimals, checked types, a step budget.
//!
//! A source is read (`lex`, `parse`), checked against the types of the names that it may read (`check`), and evaluated any number
//! of times (`evaluate`). What could go wrong is wrong when it is loaded; what is left at run time is an error with a code, and
//! never null, false or an approximation.

mod ast;
mod check;
mod evaluate;
pub mod functions;
mod lex;
mod parse;
mod template;
mod typed;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use template::Template;

use self::evaluate::Evaluation;
pub(in crate::workflow) use self::typed::noun;
use self::typed::{Op, Typed};
use crate::clock::Zone;
use crate::money::Currency;
use crate::value::{Type, Value};
use crate::workflow::calendar::Calendar;
use crate::workflow::diagnostic::{Diagnostic, Range};

/// Whether expressions know a function of this name.
pub(in crate::workflow) fn is_function(name: &str) -> bool {
    functions::find(name).is_some()
}

/// What names an expression may read, and of which type they are.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Types of the root names.
    pub roots: BTreeMap<String, Type>,
    /// The currency of amounts.
    pub currency: Currency,
    /// When people work, where the document says so.
    pub calendar: Option<Arc<Calendar>>,
}

impl Scope {
    /// The same scope where these paths, and all on the way to them, are known to have a value: what `Expr::guards` gave for a
    /// condition that holds here.
    pub fn with_guards<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut scope = self.clone();
        for path in paths {
            // A place in a list says nothing about the type of the list's items.
            if path.contains('[') {
                continue;
            }
            let mut fields = Some(&mut scope.roots);
            for name in path.split('.') {
                let Some(kind) = fields.and_then(|fields| fields.get_mut(name)) else { break };
                if let Type::Optional(inner) = kind {
                    *kind = inner.as_ref().clone();
                }
                fields = match kind {
                    Type::Object(fields) => Some(fields),
                    _ => None,
                };
            }
        }
        scope
    }
}

/// Where the roots of an evaluation come from.
pub trait Roots {
    /// The value of a root name, none where it is absent.
    fn root(&self, name: &str) -> Option<Cow<'_, Value>>;
}

/// How many steps one evaluation gets, unless its caller gives less: a condition of three comparisons over a thousand lines.
pub const STEPS_MAX: u32 = 10_000;

/// What an evaluation may use besides its roots.
#[derive(Debug, Clone)]
pub struct Context {
    /// The zone in which days are counted.
    pub zone: Zone,
    /// The currency of amounts.
    pub currency: Currency,
    /// How many steps are left: an operation, a field and an element of a loop cost one each, a literal and a name nothing.
    pub steps_left: u32,
}

/// A checked expression. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Expr {
    source: Arc<str>,
    tree: Arc<Typed>,
    reads: Arc<BTreeSet<String>>,
    guards: Arc<BTreeSet<String>>,
}

impl Expr {
    /// Parse and check; `expected` is the type that the place needs. Ranges are relative to `source`.
    pub fn compile(source: &str, scope: &Scope, expected: Option<&Type>) -> Result<Self, Vec<Diagnostic>> {
        let tree = parse::parse(source).map_err(|problem| vec![problem])?;
        let checked = check::check(source, &tree, scope, expected)?;
        Ok(Self {
            source: source.into(),
            tree: Arc::new(checked.tree),
            reads: Arc::new(checked.reads),
            guards: Arc::new(checked.guards),
        })
    }

    /// A value that is written out instead of computed, for a field that takes either.
    pub fn constant(value: Value, kind: Type) -> Self {
        let source = value.to_string();
        let tree = Typed::literal(Range::new(0, source.len()), kind, value);
        Self { source: source.into(), tree: Arc::new(tree), reads: Arc::default(), guards: Arc::default() }
    }

    /// The source text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The type of its value. Where an optional type was expected and the value is always there, it is the type without `?`.
    pub fn kind(&self) -> &Type {
        &self.tree.kind
    }

    /// Whether its value is always a whole number: it counts days or elements.
    pub fn is_whole(&self) -> bool {
        matches!(&self.tree.op, Op::Call { function, .. } if function.whole)
    }

    /// Whether its value is how many elements something has, and so never below zero.
    pub fn is_size(&self) -> bool {
        matches!(&self.tree.op, Op::Call { function, .. } if function.name == "size")
    }

    /// The paths that it reads, as `case.lines` or `order.paid_total`.
    pub fn reads(&self) -> &BTreeSet<String> {
        &self.reads
    }

    /// The paths that have a value wherever this condition holds: those that it asks for with `has`.
    pub fn guards(&self) -> &BTreeSet<String> {
        &self.guards
    }

    /// The value. If its type is optional and there is none, the error is `missing`.
    pub fn evaluate(&self, roots: &dyn Roots, context: &mut Context) -> Result<Value, EvalError> {
        let missing = || EvalError::new("missing", format!("`{}` is missing", self.source.trim()));
        self.evaluate_optional(roots, context)?.ok_or_else(missing)
    }

    /// The value, none where its type is optional and there is none.
    pub fn evaluate_optional(&self, roots: &dyn Roots, context: &mut Context) -> Result<Option<Value>, EvalError> {
        Evaluation { source: &self.source, roots, context, leaves: None, operands: Vec::new() }.run(&self.tree)
    }

    /// The value, and of every condition that was asked on the way whether it held. Conditions inside loops are not told.
    pub fn explain(&self, roots: &dyn Roots, context: &mut Context) -> Explained {
        let (leaves, operands) = (Some(Vec::new()), Vec::new());
        let mut evaluation = Evaluation { source: &self.source, roots, context, leaves, operands };
        let value = evaluation.run(&self.tree);
        Explained { value, leaves: evaluation.leaves.unwrap_or_default() }
    }
}

/// An evaluation that can be shown to a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// What came out.
    pub value: Result<Option<Value>, EvalError>,
    /// The conditions that were asked, in their order.
    pub leaves: Vec<Leaf>,
}

/// One condition of an expression, itself not put together from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// As it is written.
    pub source: String,
    /// Whether it held.
    pub holds: bool,
    /// What it compared, apart from literals: as it is written, and the value. A text is told only where its type says which words
    /// it may be.
    pub values: Vec<(String, String)>,
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// A stable code: `missing`, `division_by_zero`, `overflow`, `budget`, `currency`, `bad_text`, `bad_number`, `bad_time`,
    /// `too_precise`, `too_long`, or `wrong_type` where a root broke its promise.
    pub code: &'static str,
    /// For a person; names the part of the expression, and never quotes data.
    pub message: String,
}

impl EvalError {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A value is not what the checker was told.
    fn shape() -> Self {
        Self::new("wrong_type", "a value is of another type than was promised")
    }
}
