//! `redress import show`: what the last import took in and what it left out, and why.

use redress_domain::clock::Zone;
use serde_json::{Value as Json, json};

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::json::each;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::{Format, Out};
use crate::cli::words::clean;
use crate::engine::log::{self, What};
use crate::engine::report::{Handed, Report};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress import show --tenant shop --data data
  redress import show --tenant shop --data data --output json
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {}

pub(super) fn run(_: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let session = at.session()?;
    let last = log::read(&session.engine)?.into_iter().rev().find_map(|logged| match logged.what {
        What::ImportFinished { report } => Some(*report),
        _ => None,
    });
    let none = || Error::NotFound {
        what: "import",
        name: session.engine.record().slug.to_string(),
        help: "nothing was imported to the end yet: redress import --map FILE DATA...".to_owned(),
    };
    print(&last.ok_or_else(none)?, at.format(), out)
}

/// Print a report.
pub(super) fn print(report: &Report, format: Format, out: &mut Out<'_>) -> Result<(), Error> {
    match format {
        Format::Table => out.data(&text(report)),
        Format::Json => out.json(&json(report)),
        Format::Csv => counts(report).print(Format::Csv, out),
    }
}

fn json(report: &Report) -> Json {
    json!({
        "mapping": report.mapping,
        "source": report.source,
        "files": report.files,
        "rows": report.rows,
        "orders": report.orders,
        "order_lines": report.order_lines,
        "cases": report.cases,
        "case_lines": report.case_lines,
        "skipped": report.skipped,
        "row_errors": report.row_errors,
        "warnings": report.warnings,
        "put": handed(&report.put),
        "opened": handed(&report.opened),
        "out_of_order": report.out_of_order,
        "examples": each(&report.examples, |one| json!({
            "file": one.place.file, "line": one.place.line, "kind": one.kind, "message": one.message,
        })),
    })
}

fn handed(handed: &Handed) -> Json {
    json!({
        "new": handed.new,
        "unchanged": handed.unchanged,
        "changed": handed.changed,
        "refused": handed.refused,
        "examples": each(&handed.examples, |one| json!({ "id": one.id, "code": one.code, "message": one.message })),
    })
}

/// Every count of the report with its name.
fn counts(report: &Report) -> Listing {
    let mut rows = Vec::new();
    let mut count =
        |what: &str, name: &str, n: u64| rows.push(vec![Cell::text(what), Cell::text(name), Cell::Count(n)]);
    count("read", "rows", report.rows);
    for (name, n) in [("orders", report.orders), ("order_lines", report.order_lines)] {
        count("read", name, n);
    }
    for (name, n) in [("cases", report.cases), ("case_lines", report.case_lines)] {
        count("read", name, n);
    }
    for (what, handed) in [("order", &report.put), ("case", &report.opened)] {
        let all = [("new", handed.new), ("unchanged", handed.unchanged)];
        all.into_iter().for_each(|(name, n)| count(what, name, n));
        let odd = [("changed", handed.changed), ("refused", handed.refused)];
        odd.into_iter().filter(|(_, n)| *n > 0).for_each(|(name, n)| count(what, name, n));
    }
    if report.out_of_order > 0 {
        count("case", "out_of_order", report.out_of_order);
    }
    for (what, named) in
        [("skipped", &report.skipped), ("row error", &report.row_errors), ("warning", &report.warnings)]
    {
        named.iter().for_each(|(name, n)| count(what, name, *n));
    }
    Listing { columns: vec!["what", "name", "count"], hidden: &[], zone: Zone::UTC, rows }
}

fn text(report: &Report) -> String {
    let mut text = format!("import {} of {} from {}\n\n", report.mapping, report.files.join(", "), report.source);
    text += &counts(report).table();
    let rows =
        report.examples.iter().map(|one| (format!("{}:{}", one.place.file, one.place.line), &one.kind, &one.message));
    let handed = report.put.examples.iter().map(|one| ("order", one));
    let handed = handed.chain(report.opened.examples.iter().map(|one| ("case", one)));
    let handed = handed.map(|(what, one)| (format!("{what} {}", one.id), &one.code, &one.message));
    let examples: Vec<_> = rows.chain(handed).collect();
    if !examples.is_empty() {
        text += "\nexamples\n";
    }
    for (place, kind, message) in examples {
        text += &clean(&format!("  {place}: {message} [{kind}]"));
        text += "\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_report_tells_every_count_and_leaves_out_what_did_not_happen() {
        let opened = Handed { new: 2, refused: 1, ..Handed::default() };
        let skipped = BTreeMap::from([("sale_line".to_owned(), 4)]);
        let report = Report { rows: 9, orders: 3, skipped, opened, ..Report::default() };
        let names: Vec<_> = counts(&report).rows.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
        assert!(names.contains(&(Cell::text("case"), Cell::text("refused"))));
        assert!(names.contains(&(Cell::text("skipped"), Cell::text("sale_line"))));
        assert!(!names.iter().any(|(_, name)| *name == Cell::text("changed")));
        assert_eq!(json(&report)["skipped"]["sale_line"], 4);
    }
}
