//! `table`: the rows that match, what they set, and a record of why.

use super::{Flow, Run, StepError};
use crate::case::entry::{Entry, TableInput, TableRow};
use crate::value::{Fields, Type, Value};
use crate::workflow::definition::{Definition, Step};
use crate::workflow::table::{Hit, Table};

pub(super) fn enter(run: &mut Run, definition: &Definition, step: &Step, table: &Table) -> Result<Flow, StepError> {
    let mut inputs = Vec::with_capacity(table.inputs.len());
    for input in &table.inputs {
        inputs.push(run.value(definition, input)?);
    }
    let rows = table.matching(&inputs);
    match (table.hit, rows.len()) {
        // The checker found a row for everything, and under `unique` never two.
        (Hit::First | Hit::Unique, 0) => return Err(StepError::new("no_row", "no row of the table matches")),
        (Hit::Unique, 2..) => return Err(StepError::new("several_rows", "several rows of the table match")),
        _ => {}
    }
    // All values are computed before the first is set: rows see the variables as they were.
    let mut values: Fields = table.gathered.iter().map(|name| (name.clone(), Value::List(Vec::new()))).collect();
    for (name, expr) in rows.iter().flat_map(|row| &table.rows[*row].sets) {
        let value = run.value(definition, expr)?;
        match values.get_mut(name) {
            Some(Value::List(gathered)) if table.hit == Hit::Collect => gathered.push(value),
            _ => drop(values.insert(name.clone(), value)),
        }
    }
    let step = step.id.clone();
    run.emit(Entry::TableMatched { step, rows: told_rows(table, &rows), inputs: told_inputs(table, inputs) });
    if !values.is_empty() {
        super::lanes::assign(run, definition, values);
    }
    Ok(Flow::Next)
}

/// The rows with their cells, so that they can be told without the revision.
fn told_rows(table: &Table, rows: &[usize]) -> Vec<TableRow> {
    let told = |row: &usize| TableRow {
        number: u32::try_from(row + 1).unwrap_or(u32::MAX),
        cells: table.rows[*row].cells.iter().map(|cell| cell.source.clone()).collect(),
    };
    rows.iter().map(told).collect()
}

/// The inputs with their values. A text that no row names may be anybody's words, and decided nothing: it is not kept.
fn told_inputs(table: &Table, values: Vec<Value>) -> Vec<TableInput> {
    let told = |(place, (input, value)): (usize, (&crate::workflow::expr::Expr, Value))| {
        let unnamed = matches!((&value, input.kind()), (Value::Text(text), Type::Text) if !table.names(place, text));
        TableInput { expression: input.source().trim().to_owned(), value: (!unnamed).then_some(value) }
    };
    table.inputs.iter().zip(values).enumerate().map(told).collect()
}
