//! `table: { hit: first, inputs: [seen.state], rows: [['"new"', { share: 100 }], ['-', { share: 0 }]] }`

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::value::Type;
use crate::workflow::definition::Kind;
use crate::workflow::diagnostic::{Diagnostic, Range, line_column};
use crate::workflow::expr::Expr;
use crate::workflow::load::outline::{Exit, Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::load::steps::set::variable;
use crate::workflow::reader::At;
use crate::workflow::schema;
use crate::workflow::table::cell;
use crate::workflow::table::cover::{Cover, Domain, Example, TooComplex};
use crate::workflow::table::{Cell, Hit, INPUTS_MAX, ROWS_MAX, Row, Table};
use crate::workflow::yaml::{self, Key};

/// What every row sets is set after the table; a table that collects sets everything that some row gathers.
pub(super) fn sketch<'d>(body: &At<'d>) -> Sketch<'d> {
    let Some(fields) = body.fields(&schema::TABLE) else { return Sketch::unreadable() };
    let collects = fields.get("hit").is_some_and(|at| at.text() == Some("collect"));
    let rows = fields.get("rows").and_then(|at| at.list()).unwrap_or_default();
    let mut sets = rows.iter().map(|row| assigned(row).map(|(key, _)| key.text.clone()).collect::<BTreeSet<_>>());
    let first = sets.next().unwrap_or_default();
    let sets = sets.fold(first, |all, row| if collects { &all | &row } else { &all & &row });
    Sketch { output: Output::None, sets, exits: vec![Exit::onward()] }
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::TABLE)?;
    let hit = fields.require("hit").and_then(|at| hit(&at));
    let inputs = fields.require("inputs").and_then(|at| inputs(&at, context));
    let at = fields.require("rows");
    let written = at.as_ref().and_then(|at| some_of(at, ROWS_MAX, "rows"));
    let read = |row: &At<'_>| row_of(row, inputs.as_deref()?, hit?, context);
    let rows: Option<Vec<_>> = written.as_ref().map(|rows| rows.iter().map(read).collect());
    let rows = rows?.into_iter().collect::<Option<Vec<_>>>();
    let (hit, inputs, rows, written, at) = (hit?, inputs?, rows?, written?, at?);
    Checked { inputs: &inputs, rows: &rows, written: &written, at: &at, context }.check(hit)?;
    let gathered: BTreeSet<String> = match hit {
        Hit::Collect => rows.iter().flat_map(|row| &row.sets).map(|(name, _)| name.clone()).collect(),
        Hit::First | Hit::Unique => BTreeSet::new(),
    };
    Some(Kind::Table(Table { hit, inputs, rows, gathered: gathered.into_iter().collect() }))
}

fn hit(at: &At<'_>) -> Option<Hit> {
    at.choice(schema::HITS).map(|word| match word {
        "first" => Hit::First,
        "unique" => Hit::Unique,
        _ => Hit::Collect,
    })
}

/// The items of a list that is neither empty nor too long.
fn some_of<'d>(at: &At<'d>, most: usize, what: &str) -> Option<Vec<At<'d>>> {
    let items = at.list()?;
    if items.is_empty() {
        return at.refuse("missing_value", format!("a table without {what} decides nothing"));
    }
    if items.len() > most {
        let message = format!("a table has at most {most} {what}, found {}", items.len());
        return at.refuse_with("too_large", message, "make it several tables");
    }
    Some(items)
}

fn inputs(at: &At<'_>, context: &Context<'_, '_>) -> Option<Vec<Expr>> {
    let items = some_of(at, INPUTS_MAX, "inputs")?;
    let all: Vec<_> = items.iter().map(|item| input(item, context)).collect();
    all.into_iter().collect()
}

/// An expression of something that a cell can test, and that is always there: what is absent matches nothing by mistake.
fn input(at: &At<'_>, context: &Context<'_, '_>) -> Option<Expr> {
    let text = context.compiler.bare_text(at)?;
    let expr = context.compiler.compile(at, text, 0, None)?;
    match expr.kind() {
        // Compiled again for the value itself, it is reported like any other read of what may be absent.
        Type::Optional(inner) => context.compiler.compile(at, text, 0, Some(inner)),
        Type::List(_) | Type::Object(_) => {
            let message = format!("an input is a single value, found {}", expr.kind());
            at.refuse_with("wrong_type", message, "name one of its fields, or count with `size(…)`")
        }
        _ => Some(expr),
    }
}

/// A row: one cell per input, then what it sets.
fn row_of(at: &At<'_>, inputs: &[Expr], hit: Hit, context: &Context<'_, '_>) -> Option<Row> {
    let items = at.list()?;
    let (last, cells) = items.split_last()?;
    let has_map = matches!(last.node().kind, yaml::Kind::Map(_));
    if !has_map || cells.len() != inputs.len() {
        let found = if has_map { cells.len() } else { items.len() };
        let (wanted, found) = (tests(inputs.len()), tests(found));
        let and = if has_map { "a map" } else { "no map" };
        let message = format!("a row here has {wanted} and a map of what it sets, found {found} and {and}");
        return at.refuse_with(
            "wrong_cells",
            message,
            "as `['\"new\"', '<= 14', { share: 100 }]`; `-` takes everything",
        );
    }
    let read: Vec<_> = cells.iter().zip(inputs).map(|(cell, input)| cell_of(cell, input, context)).collect();
    let sets: Vec<_> = assigned(last).map(|(key, at)| assignment(key, &at, hit, context)).collect();
    let mut sets = sets.into_iter().collect::<Option<Vec<_>>>()?;
    sets.sort_by(|a, b| a.0.cmp(&b.0));
    Some(Row { cells: read.into_iter().collect::<Option<_>>()?, sets })
}

fn tests(count: usize) -> String {
    if count == 1 { "1 test".to_owned() } else { format!("{count} tests") }
}

/// The assignments of a row, or of its map.
fn assigned<'d>(at: &At<'d>) -> impl Iterator<Item = (&'d Key, At<'d>)> {
    let map = match &at.node().kind {
        yaml::Kind::List(_) => at.list().and_then(|items| items.last().cloned()),
        _ => Some(at.clone()),
    };
    let map = map.filter(|map| matches!(map.node().kind, yaml::Kind::Map(_)));
    map.and_then(|map| map.names()).unwrap_or_default().into_iter()
}

fn cell_of(at: &At<'_>, input: &Expr, context: &Context<'_, '_>) -> Option<Cell> {
    if matches!(at.node().kind, yaml::Kind::List(_)) {
        let help = "a range stands between quotes, as '[1..5]', and several values are one text, as '\"a\", \"b\"'";
        return at.refuse_with("bad_cell", "expected a test, found a list", help);
    }
    let scalar = at.scalar("a test")?;
    if scalar.is_nothing() {
        return at.refuse_with("bad_cell", "the cell is empty", "`-` takes everything");
    }
    if scalar.text.starts_with('=') {
        let help = "an expression is an input of the table; a cell holds literals";
        return at.refuse_with("bad_cell", "a cell is no expression", help);
    }
    cell::parse(&scalar.text, input.kind(), context.head.currency()).map_err(|found| at.report_inside::<()>(found)).ok()
}

fn assignment(key: &Key, at: &At<'_>, hit: Hit, context: &Context<'_, '_>) -> Option<(String, Expr)> {
    let kind = variable(key, at, context)?;
    let kind = match (hit, kind) {
        (Hit::Collect, Type::List(item)) => item,
        (Hit::Collect, kind) => {
            let message = format!("`collect` gathers the values of all rows, but `{}` is {kind}", key.text);
            let found = Diagnostic::new("wrong_type", key.range, message);
            return at.report(found.help(format!("declare it as a list: `{}: list({kind})`", key.text)));
        }
        (Hit::First | Hit::Unique, kind) => kind,
    };
    Some((key.text.clone(), context.compiler.value(at, kind)?))
}

/// A table that was read, with the places of its rows.
struct Checked<'t, 'c, 'd> {
    inputs: &'t [Expr],
    rows: &'t [Row],
    written: &'t [At<'d>],
    at: &'t At<'d>,
    context: &'t Context<'c, 'd>,
}

impl Checked<'_, '_, '_> {
    fn check(&self, hit: Hit) -> Option<()> {
        let exponent = self.context.head.currency().exponent();
        let domain = |input: &Expr| Domain {
            kind: input.kind().clone(),
            whole: input.is_whole(),
            least: input.is_size().then_some(Decimal::ZERO),
            exponent,
        };
        let domains: Vec<_> = self.inputs.iter().map(domain).collect();
        let mut cover = Cover::new(&domains, self.rows);
        let empty: Vec<usize> = (0..self.rows.len()).filter(|row| cover.is_empty(*row)).collect();
        for row in &empty {
            self.refuse(*row, "never_taken", "this row never matches: no value passes one of its cells", "remove it");
        }
        let met = match hit {
            Hit::First => self.first(&mut cover, &empty),
            Hit::Unique => Ok(self.unique(&cover)),
            Hit::Collect => Ok(true),
        };
        let gap = if hit == Hit::Collect { Ok(None) } else { cover.gap() };
        match (met, gap) {
            (Err(TooComplex), _) | (_, Err(TooComplex)) => self.at.refuse_with(
                "too_large",
                "the table is too complex to be checked for gaps",
                "make it two tables, one after the other",
            ),
            (Ok(_), Ok(Some(example))) => {
                let message = format!("no row matches {}", self.told(&example));
                self.at.refuse_with("gap", message, "add a row for it, or a last row of `-` that takes everything else")
            }
            (Ok(met), Ok(None)) => (met && empty.is_empty()).then_some(()),
        }
    }

    /// Under `first` no row may be hidden by those before it.
    fn first(&self, cover: &mut Cover, empty: &[usize]) -> Result<bool, TooComplex> {
        let mut good = true;
        for row in (0..self.rows.len()).filter(|row| !empty.contains(row)) {
            let by = match cover.shadowed(row)? {
                None => continue,
                Some(Some(other)) => format!("the row in line {} takes all of it", self.line(other)),
                Some(None) => "the rows above take all of it".to_owned(),
            };
            good = false;
            self.refuse(row, "never_taken", &format!("this row never matches: {by}"), "remove it, or put it higher");
        }
        Ok(good)
    }

    /// Under `unique` no two rows may match together; each row is told once.
    fn unique(&self, cover: &Cover) -> bool {
        let mut good = true;
        for row in 0..self.rows.len() {
            let both = (0..row).find_map(|other| Some((other, cover.both(other, row)?)));
            let Some((other, example)) = both else { continue };
            good = false;
            let message =
                format!("this row and the one in line {} both match {}", self.line(other), self.told(&example));
            self.refuse(row, "overlap", &message, "narrow one of them, or say `hit: first`");
        }
        good
    }

    fn refuse(&self, row: usize, code: &str, message: &str, help: &str) {
        let Some(at) = self.written.get(row) else { return };
        // A row is a list: its first cell is what to point at.
        let range = at.list().and_then(|cells| Some(cells.first()?.node().range)).unwrap_or(at.place());
        at.report::<()>(Diagnostic::new(code, Range::new(range.start, range.end), message).help(help));
    }

    fn line(&self, row: usize) -> usize {
        self.written.get(row).map_or(0, |at| line_column(at.source(), at.node().range.start).0)
    }

    fn told(&self, example: &Example) -> String {
        let one = |(input, value): (&Expr, &String)| format!("{} = {value}", input.source().trim());
        self.inputs.iter().zip(example).map(one).collect::<Vec<_>>().join(", ")
    }
}
