//! Decision tables: rows of tests over a few inputs, and what a row that matches sets.
//!
//! A table is checked when it is loaded, so that every combination of its inputs meets a row (`cover`); in a run an input that
//! is absent is an error and matches nothing.

pub mod cell;
pub mod cover;

use std::fmt;

use rust_decimal::Decimal;

use crate::value::Value;
use crate::workflow::expr::Expr;

/// The most inputs of a table: more would not be read as one.
pub const INPUTS_MAX: usize = 12;
/// The most rows of a table.
pub const ROWS_MAX: usize = 256;
/// The most tests in one cell.
pub const TESTS_MAX: usize = 64;

/// A checked decision table.
#[derive(Debug, Clone)]
pub struct Table {
    /// What becomes of several rows that match.
    pub hit: Hit,
    /// What the rows look at.
    pub inputs: Vec<Expr>,
    /// The rows in the order of the document.
    pub rows: Vec<Row>,
    /// The variables that rows of a `collect` gather, in the order of their names; empty otherwise.
    pub gathered: Vec<String>,
}

/// What becomes of several rows that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// The first one counts.
    First,
    /// There is never more than one.
    Unique,
    /// All count: each variable gets the list of their values.
    Collect,
}

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    /// One cell per input.
    pub cells: Vec<Cell>,
    /// The variables that it sets; the order has no meaning.
    pub sets: Vec<(String, Expr)>,
}

/// What a row asks of one input.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// As it is written.
    pub source: String,
    /// What it means.
    pub tests: Tests,
}

/// The tests of a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Tests {
    /// `-`: whatever the input is.
    Any,
    /// One of these holds.
    One(Vec<Test>),
    /// None of these holds.
    Not(Vec<Test>),
}

/// A test of one value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// It is this text or word.
    Text(String),
    /// It is this yes or no.
    Bool(bool),
    /// It lies between these bounds; what has an order is compared by its measure.
    Range {
        /// Not below this.
        from: Option<Bound>,
        /// Not above this.
        to: Option<Bound>,
    },
}

/// An end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Where it lies.
    pub at: Decimal,
    /// Whether the end itself belongs to the range.
    pub included: bool,
}

impl Table {
    /// The places of the rows that match: at most one, unless the table collects.
    pub fn matching(&self, inputs: &[Value]) -> Vec<usize> {
        let matches = |row: &Row| {
            row.cells.len() == inputs.len() && row.cells.iter().zip(inputs).all(|(cell, input)| cell.holds(input))
        };
        let found = self.rows.iter().enumerate().filter(|(_, row)| matches(row)).map(|(place, _)| place);
        if self.hit == Hit::First { found.take(1).collect() } else { found.collect() }
    }

    /// Whether a text is one that the table names for this input.
    pub fn names(&self, input: usize, text: &str) -> bool {
        let names = |test: &Test| matches!(test, Test::Text(known) if known == text);
        self.rows.iter().filter_map(|row| row.cells.get(input)).any(|cell| cell.tests().iter().any(names))
    }
}

impl Cell {
    /// Whether it holds for a value.
    pub fn holds(&self, value: &Value) -> bool {
        match &self.tests {
            Tests::Any => true,
            Tests::One(tests) => tests.iter().any(|test| test.holds(value)),
            Tests::Not(tests) => !tests.iter().any(|test| test.holds(value)),
        }
    }

    /// The tests themselves, whichever way they count.
    fn tests(&self) -> &[Test] {
        match &self.tests {
            Tests::Any => &[],
            Tests::One(tests) | Tests::Not(tests) => tests,
        }
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Text(text) => matches!(value, Value::Text(value) if value == text),
            Self::Bool(yes) => *value == Value::Bool(*yes),
            Self::Range { from, to } => measure(value).is_some_and(|at| within(at, *from, *to)),
        }
    }
}

/// Whether a measure lies between two bounds.
fn within(at: Decimal, from: Option<Bound>, to: Option<Bound>) -> bool {
    let above = |bound: Bound| at > bound.at || (bound.included && at == bound.at);
    let below = |bound: Bound| at < bound.at || (bound.included && at == bound.at);
    from.is_none_or(above) && to.is_none_or(below)
}

/// What has an order, as a number: days of a date, milliseconds of an instant or a span. Amounts are of one currency: the
/// evaluator saw to that.
pub fn measure(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Money(money) => Some(money.amount()),
        Value::Price(price) => Some(price.amount()),
        Value::Date(date) => Some(crate::clock::days_from_epoch(*date).into()),
        Value::Instant(at) => Some(at.unix_ms().into()),
        Value::Duration(span) => Some(span.millis().into()),
        Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => None,
    }
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first",
            Self::Unique => "unique",
            Self::Collect => "collect",
        })
    }
}
