//! How the tests of workflows are told: a line each while they run, and in the end what failed and what was never reached.

use anstyle::{AnsiColor, Style};
use redress_domain::clock::Zone;
use redress_domain::ids::Slug;
use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::diagnostic::{self, Diagnostic};
use serde_json::{Value as Json, json};

use super::files::Text;
use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::{Format, Out};
use crate::cli::words;
use crate::cli::workflow::check;
use crate::trial::coverage::{self, Part, Reached, Sort};
use crate::trial::{Failure, Fault, Outcome, Stuck};

/// Parts of a workflow that were never reached, listed in JSON and under `--coverage`.
type Missed = (Sort, Vec<Part>, usize);

/// What was told so far.
pub(super) struct Told {
    format: Format,
    lists_missed: bool,
    passed: usize,
    failed: usize,
    invalid: Vec<(Text, Vec<Diagnostic>)>,
    /// Where each failed test stands and what it is called: said again in the end, below what was never reached.
    fell: Vec<String>,
    /// Of the workflow that is tried now.
    reached: Reached,
    tests: Vec<Json>,
    coverage: Vec<Json>,
    rows: Vec<Vec<Cell>>,
}

impl Told {
    pub(super) fn new(format: Format, lists_missed: bool) -> Self {
        let (tests, coverage, rows, fell) = Default::default();
        let (passed, failed, invalid, reached) = (0, 0, Vec::new(), Reached::default());
        Self { format, lists_missed, passed, failed, invalid, fell, reached, tests, coverage, rows }
    }

    /// Another workflow is tried.
    pub(super) fn begin(&mut self, _: &Definition) {
        self.reached = Reached::default();
    }

    /// The tests of a file begin.
    pub(super) fn file(&mut self, text: &Text, out: &mut Out<'_>) -> Result<(), Error> {
        if self.format == Format::Table { out.data(&format!("{}\n", text.name)) } else { Ok(()) }
    }

    /// A test is done.
    pub(super) fn outcome(&mut self, text: &Text, outcome: &Outcome, out: &mut Out<'_>) -> Result<(), Error> {
        self.reached.join(&outcome.reached);
        if outcome.passed() {
            self.passed += 1;
        } else {
            self.failed += 1;
            let (line, column) = diagnostic::line_column(&text.source, outcome.at.start);
            self.fell.push(format!("{}:{line}:{column} {}", text.name, words::clean(&outcome.name)));
        }
        match self.format {
            Format::Table => line(text, outcome, out),
            Format::Json => {
                self.tests.push(test(text, outcome));
                Ok(())
            }
            Format::Csv => {
                self.rows.push(row(text, outcome));
                Ok(())
            }
        }
    }

    /// A document is not valid, so that nothing of it is run. What is wrong with it is said in the end, where it is seen.
    pub(super) fn invalid(&mut self, text: &Text, problems: &[Diagnostic], out: &mut Out<'_>) -> Result<(), Error> {
        if self.format == Format::Table {
            let word = out.styled(true, Style::new().bold().fg_color(Some(AnsiColor::Red.into())), "not valid");
            out.data(&format!(
                "{}\n  {word}: nothing of it was run, {} below\n",
                text.name,
                words::count(problems.len(), "problem")
            ))?;
        }
        self.invalid.push((text.clone(), problems.to_vec()));
        Ok(())
    }

    /// All tests of a workflow are done.
    pub(super) fn covered(&mut self, definition: &Definition, text: &Text, out: &mut Out<'_>) -> Result<(), Error> {
        let missed = self.missed(definition);
        match self.format {
            Format::Table => self.summary(definition, &missed, out),
            Format::Json => {
                let of = |(sort, parts, all): &Missed| {
                    let missed: Vec<String> = parts.iter().map(|part| part.told(definition)).collect();
                    (format!("{}s", sort.word()), json!({ "all": all, "reached": all - parts.len(), "missed": missed }))
                };
                let mut object: serde_json::Map<String, Json> = missed.iter().map(of).collect();
                object.insert("workflow".to_owned(), json!(definition.workflow.to_string()));
                object.insert("file".to_owned(), json!(text.name));
                self.coverage.push(Json::Object(object));
                Ok(())
            }
            Format::Csv => Ok(()),
        }
    }

    fn missed(&self, definition: &Definition) -> Vec<Missed> {
        let parts = coverage::parts(definition);
        let of = |sort: Sort| {
            let all: Vec<&Part> = parts.iter().filter(|part| part.sort() == sort).collect();
            let missed = all.iter().filter(|part| !self.reached.has(part)).map(|part| (*part).clone()).collect();
            (sort, missed, all.len())
        };
        Sort::ALL.into_iter().map(of).filter(|(_, _, all)| *all > 0).collect()
    }

    fn summary(&self, definition: &Definition, missed: &[Missed], out: &mut Out<'_>) -> Result<(), Error> {
        let of = |(sort, parts, all): &Missed| format!("{} of {}", all - parts.len(), words::count(*all, sort.word()));
        let parts: Vec<String> = missed.iter().map(of).collect();
        let is_whole = missed.iter().all(|(_, parts, _)| parts.is_empty());
        let hint = if is_whole || self.lists_missed { "" } else { "; --coverage lists the others" };
        out.data(&format!("{}: reached {}{hint}\n", definition.workflow, parts.join(", ")))?;
        if !self.lists_missed {
            return out.data("\n");
        }
        for (sort, parts, _) in missed {
            for part in parts {
                out.data(&format!("  never reached: {} {}\n", sort.word(), words::clean(&part.told(definition))))?;
            }
        }
        out.data("\n")
    }

    /// What counts comes last: how many passed, which failed, and what could not be read at all.
    fn ends(&self, out: &mut Out<'_>) -> Result<(), Error> {
        let unread = match self.invalid.len() {
            0 => String::new(),
            count => format!(", {} not valid", words::count(count, "file")),
        };
        out.data(&format!("{} passed, {} failed{unread}\n", self.passed, self.failed))?;
        if self.lists_missed {
            self.fell.iter().try_for_each(|name| out.data(&format!("  FAIL  {name}\n")))?;
        }
        for (text, problems) in &self.invalid {
            let told: Vec<_> =
                problems.iter().map(|problem| diagnostic::render(&text.name, &text.source, problem)).collect();
            out.data(&format!("\n{}", told.join("\n")))?;
        }
        Ok(())
    }

    /// Everything is done.
    pub(super) fn end(self, out: &mut Out<'_>) -> Result<(), Error> {
        let all = self.passed + self.failed;
        match self.format {
            Format::Table => self.ends(out)?,
            Format::Json => {
                let problem = |(text, problems): &(Text, Vec<Diagnostic>)| {
                    problems.iter().map(|problem| problem_of(text, problem)).collect::<Vec<_>>()
                };
                let problems: Vec<Json> = self.invalid.iter().flat_map(problem).collect();
                out.json(&json!({
                    "passed": self.passed, "failed": self.failed, "tests": self.tests, "problems": problems,
                    "coverage": self.coverage,
                }))?;
            }
            Format::Csv => {
                let columns = vec!["file", "line", "test", "passed", "millis", "path", "failures"];
                Listing { columns, hidden: &[], zone: Zone::UTC, rows: self.rows }.print(Format::Csv, out)?;
            }
        }
        if let Some((text, _)) = self.invalid.first() {
            let count = self.invalid.iter().map(|(_, problems)| problems.len()).sum();
            let mut problems = self.invalid.iter().flat_map(|(_, problems)| problems);
            let help = match problems.any(check::is_of_tenant) {
                true => "mend what is told above; without --tenant or --plugins the stock plugins only are known",
                false => "mend what is told above",
            };
            let (file, problems) = (text.name.clone(), Vec::new());
            return Err(Error::Document { code: "workflow_invalid", file, count, problems, help });
        }
        if self.failed > 0 { Err(Error::Tests { failed: self.failed, all }) } else { Ok(()) }
    }
}

fn line(text: &Text, outcome: &Outcome, out: &mut Out<'_>) -> Result<(), Error> {
    let (color, word) = if outcome.passed() { (AnsiColor::Green, "ok  ") } else { (AnsiColor::Red, "FAIL") };
    let word = out.styled(true, Style::new().bold().fg_color(Some(color.into())), word);
    out.data(&format!("  {word}  {}  {} ms\n", words::clean(&outcome.name), outcome.millis))?;
    for failure in &outcome.failures {
        out.data(&told(text, failure))?;
    }
    if !outcome.passed() && !outcome.path.is_empty() {
        out.data(&format!("        path taken: {}\n", way(&outcome.path)))?;
    }
    if !outcome.passed() {
        outcome
            .stuck
            .iter()
            .try_for_each(|stuck| out.data(&format!("        {}\n", words::clean(&stuck.to_string()))))?;
    }
    Ok(())
}

/// Where it stands, what was expected, and under it what was found.
fn told(text: &Text, failure: &Failure) -> String {
    let (line, column) = diagnostic::line_column(&text.source, failure.at.start);
    let place = format!("        {}:{line}:{column}", text.name);
    match &failure.what {
        Fault::Unmet { field, mismatch } => {
            let (expected, found) = (words::clean(&mismatch.expected), words::clean(&mismatch.found));
            format!("{place} {field}\n          expected {expected}\n          found    {found}\n")
        }
        Fault::Unplayed(why) | Fault::Broken(why) => format!("{place} {}\n", words::clean(why)),
    }
}

fn way(path: &[Slug]) -> String {
    path.iter().map(Slug::as_str).collect::<Vec<_>>().join(" > ")
}

fn test(text: &Text, outcome: &Outcome) -> Json {
    let failure = |failure: &Failure| {
        let (line, column) = diagnostic::line_column(&text.source, failure.at.start);
        let (field, expected, found) = match &failure.what {
            Fault::Unmet { field, mismatch } => (Some(*field), Some(&mismatch.expected), Some(&mismatch.found)),
            Fault::Unplayed(_) | Fault::Broken(_) => (None, None, None),
        };
        json!({
            "line": line, "column": column, "field": field, "expected": expected, "found": found,
            "message": failure.what.to_string(),
        })
    };
    let stuck = |one: &Stuck| json!({ "step": one.step, "code": one.code, "detail": one.detail });
    let (line, _) = diagnostic::line_column(&text.source, outcome.at.start);
    let path: Vec<&str> = outcome.path.iter().map(Slug::as_str).collect();
    json!({
        "file": text.name, "line": line, "name": outcome.name, "passed": outcome.passed(), "millis": outcome.millis,
        "path": path, "failures": outcome.failures.iter().map(failure).collect::<Vec<_>>(),
        "stuck": outcome.stuck.iter().map(stuck).collect::<Vec<_>>(),
    })
}

fn row(text: &Text, outcome: &Outcome) -> Vec<Cell> {
    let (line, _) = diagnostic::line_column(&text.source, outcome.at.start);
    let failures: Vec<String> = outcome.failures.iter().map(|failure| failure.what.to_string()).collect();
    vec![
        Cell::text(&text.name),
        Cell::Count(line as u64),
        Cell::text(&outcome.name),
        Cell::Bool(outcome.passed()),
        Cell::Count(u64::try_from(outcome.millis).unwrap_or_default()),
        Cell::text(way(&outcome.path)),
        Cell::text(failures.join("; ")),
    ]
}

fn problem_of(text: &Text, problem: &Diagnostic) -> Json {
    let (line, column) = diagnostic::line_column(&text.source, problem.range.start);
    json!({
        "file": text.name, "line": line, "column": column, "code": problem.code, "path": problem.path,
        "message": problem.message, "help": problem.help, "severity": problem.severity.word(),
    })
}
