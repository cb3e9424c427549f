//! The tree that the checker builds: every part with its type, every literal already of the type that its place needs.

use std::sync::Arc;

use regex::Regex;

use super::ast::Operator;
use super::functions::Function;
use super::functions::time::Format;
use crate::clock::Zone;
use crate::money::Rounding;
use crate::value::{Type, Value};
use crate::workflow::calendar::Calendar;
use crate::workflow::diagnostic::Range;

/// A checked part.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    /// Where it stands.
    pub(super) range: Range,
    /// What to point at when the part is of the wrong type: the field rather than the whole path.
    pub(super) focus: Range,
    /// What its value is.
    pub(super) kind: Type,
    pub(super) op: Op,
}

/// How a value comes about.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Literal(Value),
    /// A root name.
    Root(String),
    /// The element of the loop that is so many loops from the outermost.
    Element(usize),
    Field {
        base: Box<Typed>,
        name: String,
    },
    Index {
        base: Box<Typed>,
        index: Box<Typed>,
    },
    List(Vec<Typed>),
    Not(Box<Typed>),
    Negate(Box<Typed>),
    And(Vec<Typed>),
    Or(Vec<Typed>),
    Compare {
        operator: Operator,
        left: Box<Typed>,
        right: Box<Typed>,
    },
    In {
        item: Box<Typed>,
        list: Box<Typed>,
    },
    Arithmetic {
        operator: Operator,
        left: Box<Typed>,
        right: Box<Typed>,
        /// Whether a lost digit is an error. Behind a division it is not: `round` says where the digits end.
        exact: bool,
    },
    Choice {
        test: Box<Typed>,
        yes: Box<Typed>,
        no: Box<Typed>,
    },
    /// Money where a price is needed; exact.
    Widen(Box<Typed>),
    Has(Box<Typed>),
    OrElse {
        value: Box<Typed>,
        default: Box<Typed>,
    },
    Loop {
        form: Form,
        list: Box<Typed>,
        /// How many loops stand around this one.
        level: usize,
        body: Box<Typed>,
    },
    Call {
        function: &'static Function,
        args: Vec<Typed>,
        settings: Settings,
    },
}

/// What a loop makes of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Whether the body holds for some element.
    Exists,
    /// Whether it holds for every element.
    All,
    /// The elements for which it holds.
    Filter,
    /// The body's value for each element.
    Map,
}

/// What is known of a call before it runs: its type, and the arguments that must be literals, as they were understood.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) result: Type,
    pub(super) pattern: Option<Regex>,
    pub(super) digits: u32,
    pub(super) rounding: Option<Rounding>,
    pub(super) format: Option<Format>,
    pub(super) zone: Option<Zone>,
    /// The document's calendar, for what counts by it.
    pub(super) calendar: Option<Arc<Calendar>>,
}

impl Settings {
    /// A call of this type without literal arguments.
    pub(super) fn giving(result: Type) -> Self {
        Self { result, pattern: None, digits: 0, rounding: None, format: None, zone: None, calendar: None }
    }
}

impl Typed {
    /// A part whose value is known.
    pub(super) fn literal(range: Range, kind: Type, value: Value) -> Self {
        Self { range, focus: range, kind, op: Op::Literal(value) }
    }

    /// A part to be computed.
    pub(super) fn new(range: Range, kind: Type, op: Op) -> Self {
        Self { range, focus: range, kind, op }
    }

    /// Whether it consists of literals only, so that its type may still follow its place.
    pub(super) fn is_literal(&self) -> bool {
        match &self.op {
            Op::Literal(_) => true,
            Op::List(items) => items.iter().all(Self::is_literal),
            Op::Choice { yes, no, .. } => yes.is_literal() && no.is_literal(),
            _ => false,
        }
    }

    /// Whether digits may have been lost: a division stands in it.
    pub(super) fn is_approximate(&self) -> bool {
        match &self.op {
            Op::Arithmetic { exact, operator, .. } => !exact || *operator == Operator::Divide,
            Op::Negate(inner) | Op::Widen(inner) => inner.is_approximate(),
            Op::Choice { yes, no, .. } => yes.is_approximate() || no.is_approximate(),
            _ => false,
        }
    }

    /// Whether it is a condition of its own and not one put together from others.
    pub(super) fn is_leaf(&self) -> bool {
        !matches!(self.op, Op::And(_) | Op::Or(_) | Op::Not(_) | Op::Choice { .. } | Op::Literal(_))
    }
}

/// The type of the items of `[]`: an enumeration without words, of which there is no value.
pub(super) fn nothing() -> Type {
    Type::Enum(Vec::new())
}

/// A type in words that a message can use.
pub(in crate::workflow) fn noun(kind: &Type) -> String {
    match kind {
        Type::Bool => "a yes/no value".to_owned(),
        Type::Date => "a date".to_owned(),
        Type::Instant => "an instant".to_owned(),
        Type::Duration => "a duration".to_owned(),
        Type::Price => "an unrounded price".to_owned(),
        Type::Object(_) => "an object".to_owned(),
        Type::List(inner) if **inner == nothing() => "an empty list".to_owned(),
        Type::List(inner) => format!("a list of {}", plain_noun(inner)),
        Type::Optional(inner) => format!("{} that may be absent", noun(inner)),
        Type::Text | Type::Number | Type::Money | Type::Enum(_) => kind.to_string(),
    }
}

fn plain_noun(kind: &Type) -> String {
    match kind {
        Type::Enum(words) => words.join("|"),
        Type::Bool => "yes/no values".to_owned(),
        other => other.to_string(),
    }
}
