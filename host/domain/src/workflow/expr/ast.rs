//! The tree that the parser builds: what is written, before anything is known of its types.

use rust_decimal::Decimal;

use crate::workflow::diagnostic::Range;

/// One part of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Where it stands, with the brackets around it.
    pub(super) range: Range,
    /// How many parts stand inside one another, this one included.
    pub(super) depth: u32,
    pub(super) part: Part,
}

/// What is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// `true` or `false`.
    Bool(bool),
    /// `0.85`
    Number(Decimal),
    /// `"damaged"`
    Text(String),
    /// `case`
    Name(String),
    /// `base.name`
    Field { base: Box<Node>, name: Word },
    /// `base[index]`
    Index { base: Box<Node>, index: Box<Node> },
    /// `name(args)`; `x.name(args)` has `x` as its first argument.
    Call { name: Word, args: Vec<Node> },
    /// `[items]`
    List(Vec<Node>),
    /// `!x`
    Not(Box<Node>),
    /// `-x`
    Negate(Box<Node>),
    /// `a && b && c`, flat, so that a long list of conditions is not a deep one.
    And(Vec<Node>),
    /// `a || b || c`, flat.
    Or(Vec<Node>),
    /// `a < b`, `a in b`, `a + b`
    Binary { operator: Operator, left: Box<Node>, right: Box<Node> },
    /// `test ? yes : no`
    Choice { test: Box<Node>, yes: Box<Node>, no: Box<Node> },
}

/// A name with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) range: Range,
    pub(super) text: String,
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
    In,
    Plus,
    Minus,
    Times,
    Divide,
    Remainder,
}

impl Operator {
    /// As it is written.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::In => "in",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

impl Node {
    /// The parts directly inside this one.
    pub(super) fn children(&self) -> Vec<&Self> {
        match &self.part {
            Part::Bool(_) | Part::Number(_) | Part::Text(_) | Part::Name(_) => Vec::new(),
            Part::Field { base: one, .. } | Part::Not(one) | Part::Negate(one) => vec![one],
            Part::Index { base, index } => vec![base, index],
            Part::Binary { left, right, .. } => vec![left, right],
            Part::Choice { test, yes, no } => vec![test, yes, no],
            Part::Call { args: many, .. } | Part::List(many) | Part::And(many) | Part::Or(many) => {
                many.iter().collect()
            }
        }
    }

    /// The path that is written here, as `case.lines[0].sku`; none where it is anything else.
    pub(super) fn path(&self) -> Option<String> {
        match &self.part {
            Part::Name(name) => Some(name.clone()),
            Part::Field { base, name } => Some(format!("{}.{}", base.path()?, name.text)),
            Part::Index { base, index } => match &index.part {
                Part::Number(number) => Some(format!("{}[{}]", base.path()?, number.normalize())),
                Part::Text(name) => Some(format!("{}.{name}", base.path()?)),
                _ => None,
            },
            _ => None,
        }
    }
}
