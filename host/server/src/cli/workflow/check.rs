//! `redress workflow check`: every problem of a file at once, each with its place.

use std::path::PathBuf;

use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::diagnostic::{self, Diagnostic};
use redress_domain::workflow::load::{self, Environment};
use redress_sandbox::Sandbox;
use serde_json::{Value as Json, json};

use crate::app;
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::{Format, Out};
use crate::cli::session::read_text;
use crate::cli::words;
use crate::publish::{self, plugins, workflows};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow check return.yaml
  redress workflow check return.yaml --tenant shop --data data
  redress workflow check return.yaml --output json
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The file. Without a tenant it may call the stock plugins only, and must name its currency and zone.
    file: PathBuf,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let text = read_text(&args.file)?;
    let file = args.file.display().to_string();
    let checked = if at.tenant.is_some() { by_tenant(at, &text)? } else { by_stock(&text)? };
    match at.format() {
        Format::Table => table(&file, &text, &checked, out)?,
        Format::Json => out.json(&json(&file, &text, &checked))?,
        Format::Csv => problems(&text, checked.as_ref().err().map_or(&[], Vec::as_slice)).print(Format::Csv, out)?,
    }
    let help = match at.tenant {
        Some(_) => "nothing was changed",
        None => {
            "the stock plugins only are known; --tenant NAME --data DIR adds the merchant's own, its currency and its zone"
        }
    };
    // The problems were printed: they are what was asked for.
    let refuse = |problems: Vec<_>| {
        let (count, problems) = (problems.len(), Vec::new());
        Error::Document { code: "workflow_invalid", file, count, problems, help }
    };
    checked.map(drop).map_err(refuse)
}

/// What the workflow is, or what is wrong with it.
type Checked = Result<Summary, Vec<Diagnostic>>;

struct Summary {
    workflow: String,
    revision: String,
    steps: usize,
    plugins: Vec<String>,
    /// Which years its table of holidays knows.
    holidays: Option<String>,
}

impl Summary {
    fn of(definition: &Definition) -> Self {
        Self {
            workflow: definition.workflow.to_string(),
            revision: definition.revision.to_string(),
            steps: definition.steps.len(),
            plugins: definition.plugins.keys().map(ToString::to_string).collect(),
            holidays: definition.calendar.as_ref().and_then(|calendar| calendar.known_years()),
        }
    }
}

fn by_tenant(at: &Global, text: &str) -> Result<Checked, Error> {
    let session = at.session()?;
    match workflows::check(&session.engine, text) {
        Ok(definition) => Ok(Ok(Summary::of(&definition))),
        Err(publish::Error::Invalid(problems)) => Ok(Err(problems)),
        Err(error) => Err(error.into()),
    }
}

/// Nothing is opened: the stock plugins come with the binary.
fn by_stock(text: &str) -> Result<Checked, Error> {
    let sandbox = Sandbox::new(redress_sandbox::Config::default()).map_err(app::Error::Sandbox)?;
    plugins::load_stock(&sandbox).map_err(|error| app::Error::Stock(Box::new(error)))?;
    let environment = Environment { plugins: plugins::stock(&sandbox), currency: None, zone: None, holidays: None };
    Ok(load::load(text, &environment).map(|definition| Summary::of(&definition)))
}

fn table(file: &str, text: &str, checked: &Checked, out: &mut Out<'_>) -> Result<(), Error> {
    match checked {
        Ok(summary) => out.data(&format!(
            "{file} is a valid workflow: {}, {}, plugins {}\nrevision {}\n{}",
            summary.workflow,
            words::count(summary.steps, "step"),
            if summary.plugins.is_empty() { "none".to_owned() } else { summary.plugins.join(", ") },
            summary.revision,
            summary.holidays.as_ref().map(|known| format!("holidays {known}\n")).unwrap_or_default(),
        )),
        Err(problems) => {
            let rendered: Vec<_> = problems.iter().map(|problem| diagnostic::render(file, text, problem)).collect();
            out.data(&rendered.join("\n"))
        }
    }
}

fn json(file: &str, text: &str, checked: &Checked) -> Json {
    let summary = checked.as_ref().ok();
    json!({
        "file": file,
        "valid": checked.is_ok(),
        "workflow": summary.map(|summary| &summary.workflow),
        "revision": summary.map(|summary| &summary.revision),
        "plugins": summary.map(|summary| &summary.plugins),
        "holidays": summary.and_then(|summary| summary.holidays.as_ref()),
        "problems": problems(text, checked.as_ref().err().map_or(&[], Vec::as_slice)).objects(),
    })
}

/// Lines and columns count from 1; the end is one past the last character.
fn problems(text: &str, problems: &[Diagnostic]) -> Listing {
    let row = |problem: &Diagnostic| {
        let place = |byte| {
            let (line, column) = diagnostic::line_column(text, byte);
            [Cell::Count(line as u64), Cell::Count(column as u64)]
        };
        let ([line, column], [end_line, end_column]) = (place(problem.range.start), place(problem.range.end));
        let (code, path, message) = (&problem.code, &problem.path, &problem.message);
        let [code, path, message] = [code, path, message].map(Cell::text);
        vec![line, column, end_line, end_column, code, path, message, Cell::maybe(problem.help.as_ref())]
    };
    Listing {
        columns: vec!["line", "column", "end_line", "end_column", "code", "path", "message", "help"],
        hidden: &[],
        zone: redress_domain::clock::Zone::UTC,
        rows: problems.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use redress_domain::workflow::diagnostic::Range;

    use super::*;

    #[test]
    fn places_of_problems_count_lines_and_characters_from_one() {
        let text = "format: 1\nname: café x\n";
        let start = text.find('x').unwrap();
        let problem = Diagnostic::new("unknown_field", Range::new(start, start + 1), "not known").at("name");
        let shown = json("w.yaml", text, &Err(vec![problem]));
        assert_eq!(shown["valid"], false);
        let problem = &shown["problems"][0];
        assert_eq!([&problem["line"], &problem["column"], &problem["end_column"]], [2, 12, 13]);
        assert_eq!([&problem["code"], &problem["path"]], ["unknown_field", "name"]);
    }
}
