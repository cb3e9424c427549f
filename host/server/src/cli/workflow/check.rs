//! `redress workflow check`: every problem of each file at once, each with its place.

use std::path::PathBuf;

use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::diagnostic::{self, Diagnostic, Severity};
use redress_domain::workflow::load::{self, Environment};
use redress_sandbox::Sandbox;
use serde_json::{Value as Json, json};

use super::asked;
use crate::app;
use crate::cli::Global;
use crate::cli::door::Door;
use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::{Format, Out};
use crate::cli::session::{Session, read_text};
use crate::cli::words;
use crate::clock::{Clock as _, SystemClock};
use crate::publish::{self, bases, plugins, workflows};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow check return.yaml
  redress workflow check return.yaml --tenant shop --data data
  redress workflow check *.yaml --tenant shop --data data
  redress workflow check return.yaml --deny-warnings --server http://127.0.0.1:7373 --key-file admin.key
  redress workflow check return.yaml --output json
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The files. Without a tenant or a server they may call the stock plugins only, and must name their currency and zone.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Fail where a file is valid and something in it is worth a second look.
    #[arg(long)]
    deny_warnings: bool,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let read = |path: &PathBuf| Ok((path.display().to_string(), read_text(path)?));
    let texts = args.files.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
    let checker = Checker::new(at)?;
    let mut checked = Vec::new();
    for (file, text) in texts {
        let found = checker.check(&text)?;
        checked.push(Checked { file, text, found });
    }
    match at.format() {
        Format::Table => checked.iter().try_for_each(|one| one.table(out))?,
        Format::Json => match &checked[..] {
            [one] => out.json(&one.json())?,
            many => out.json(&many.iter().map(Checked::json).collect())?,
        },
        Format::Csv => listing(&checked).print(Format::Csv, out)?,
    }
    refuse(&checked, at)?;
    if args.deny_warnings { deny(&checked) } else { Ok(()) }
}

/// Warnings fail the command where that was asked for. They were printed.
fn deny(checked: &[Checked]) -> Result<(), Error> {
    let warned: Vec<&Checked> = checked.iter().filter(|one| !one.problems().is_empty()).collect();
    let Some(first) = warned.first() else { return Ok(()) };
    let (count, file) = (warned.iter().map(|one| one.problems().len()).sum(), first.file.clone());
    let help = "without --deny-warnings a warning refuses nothing";
    Err(Error::Document { code: "warnings_denied", file, count, problems: Vec::new(), help })
}

/// The command fails where a file is not valid. Its problems were printed: they are what was asked for.
fn refuse(checked: &[Checked], at: &Global) -> Result<(), Error> {
    let broken: Vec<&Checked> = checked.iter().filter(|one| one.found.is_err()).collect();
    let problems = || broken.iter().flat_map(|one| one.problems());
    let help = match at.tenant {
        None if at.server.is_none() && problems().any(is_of_tenant) => {
            "the stock plugins only are known; --tenant NAME --data DIR adds the merchant's own, its currency and its zone"
        }
        _ => "mend what is told above; nothing was changed",
    };
    let count = problems().filter(|one| one.severity == Severity::Error).count();
    let file = match &broken[..] {
        [] => return Ok(()),
        [one] => one.file.clone(),
        [first, rest @ ..] => format!("{} with {}", first.file, words::count(rest.len(), "other")),
    };
    Err(Error::Document { code: "workflow_invalid", file, count, problems: Vec::new(), help })
}

/// What another merchant, with plugins, a currency or a zone of its own, might not have as a problem.
pub(super) fn is_of_tenant(problem: &Diagnostic) -> bool {
    problem.code == "unknown_plugin" || problem.message.ends_with("and the tenant has none")
}

/// What files are checked against: what a tenant has, or the stock plugins alone.
pub(super) enum Checker {
    Tenant(Box<Session>),
    Stock(Box<Environment>),
    Server(Box<Door>),
}

impl Checker {
    pub(super) fn new(at: &Global) -> Result<Self, Error> {
        if at.server.is_some() {
            return Ok(Self::Server(Box::new(at.door()?)));
        }
        if at.tenant.is_some() {
            return Ok(Self::Tenant(Box::new(at.session()?)));
        }
        // Nothing is opened: the stock plugins come with the binary.
        let sandbox = Sandbox::new(redress_sandbox::Config::default()).map_err(app::Error::Sandbox)?;
        plugins::load_stock(&sandbox).map_err(|error| app::Error::Stock(Box::new(error)))?;
        Ok(Self::Stock(Box::new(Environment {
            plugins: plugins::stock(&sandbox),
            bases: bases::shipped(),
            now: Some(SystemClock.now()),
            ..Environment::default()
        })))
    }

    /// What is wrong with a text.
    pub(super) fn problems(&self, text: &str) -> Result<Vec<Diagnostic>, Error> {
        Ok(self.check(text)?.err().unwrap_or_default())
    }

    fn check(&self, text: &str) -> Result<Result<Summary, Vec<Diagnostic>>, Error> {
        match self {
            Self::Tenant(session) => match workflows::check(&session.engine, text) {
                Ok(definition) => Ok(Ok(Summary::of(&definition))),
                Err(publish::Error::Invalid(problems)) => Ok(Err(problems)),
                Err(error) => Err(error.into()),
            },
            Self::Stock(environment) => Ok(load::load(text, environment).map(|definition| Summary::of(&definition))),
            Self::Server(door) => {
                let found = door.post("/v1/workflows/validate", &json!({ "source": text }))?;
                let problems = asked::problems(text, &found["problems"]);
                Ok(if found["valid"] == true { Ok(Summary::told(&found, problems)) } else { Err(problems) })
            }
        }
    }
}

/// A file, and what the workflow is or what is wrong with it.
struct Checked {
    file: String,
    text: String,
    found: Result<Summary, Vec<Diagnostic>>,
}

struct Summary {
    workflow: String,
    revision: String,
    steps: usize,
    plugins: Vec<String>,
    /// Which years its table of holidays knows.
    holidays: Option<String>,
    /// What is worth a second look.
    warnings: Vec<Diagnostic>,
}

impl Summary {
    /// As a host tells it.
    fn told(found: &Json, warnings: Vec<Diagnostic>) -> Self {
        let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
        let plugins = found["plugins"].as_array().into_iter().flatten();
        Self {
            workflow: text("workflow"),
            revision: text("revision"),
            steps: usize::try_from(found["steps"].as_u64().unwrap_or_default()).unwrap_or_default(),
            plugins: plugins.filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            holidays: found["holidays"].as_str().map(str::to_owned),
            warnings,
        }
    }

    fn of(definition: &Definition) -> Self {
        Self {
            workflow: definition.workflow.to_string(),
            revision: definition.revision.to_string(),
            steps: definition.steps.len(),
            plugins: definition.plugins.keys().map(ToString::to_string).collect(),
            holidays: definition.calendar.as_ref().and_then(|calendar| calendar.known_years()),
            warnings: definition.warnings.clone(),
        }
    }
}

impl Checked {
    /// What is wrong with it; of one that is valid what is worth a second look.
    fn problems(&self) -> &[Diagnostic] {
        self.found.as_ref().map_or_else(Vec::as_slice, |summary| &summary.warnings)
    }

    fn table(&self, out: &mut Out<'_>) -> Result<(), Error> {
        let rendered: Vec<_> =
            self.problems().iter().map(|problem| diagnostic::render(&self.file, &self.text, problem)).collect();
        if let Ok(summary) = &self.found {
            out.data(&format!(
                "{} is a valid workflow: {}, {}, plugins {}\nrevision {}\n{}",
                self.file,
                summary.workflow,
                words::count(summary.steps, "step"),
                if summary.plugins.is_empty() { "none".to_owned() } else { summary.plugins.join(", ") },
                summary.revision,
                summary.holidays.as_ref().map(|known| format!("holidays {known}\n")).unwrap_or_default(),
            ))?;
        }
        out.data(&rendered.join("\n"))
    }

    fn json(&self) -> Json {
        let summary = self.found.as_ref().ok();
        json!({
            "file": self.file,
            "valid": summary.is_some(),
            "workflow": summary.map(|summary| &summary.workflow),
            "revision": summary.map(|summary| &summary.revision),
            "plugins": summary.map(|summary| &summary.plugins),
            "holidays": summary.and_then(|summary| summary.holidays.as_ref()),
            "problems": listing(std::slice::from_ref(self)).objects(),
        })
    }
}

/// Lines and columns count from 1; the end is one past the last character. Of several files each row names its own.
fn listing(checked: &[Checked]) -> Listing {
    let row = |one: &Checked, problem: &Diagnostic| {
        let place = |byte| {
            let (line, column) = diagnostic::line_column(&one.text, byte);
            [Cell::Count(line as u64), Cell::Count(column as u64)]
        };
        let ([line, column], [end_line, end_column]) = (place(problem.range.start), place(problem.range.end));
        let (code, path, message) = (&problem.code, &problem.path, &problem.message);
        let [code, path, message] = [code, path, message].map(Cell::text);
        let file = (checked.len() > 1).then(|| Cell::text(&one.file));
        let (help, severity) = (Cell::maybe(problem.help.as_ref()), Cell::text(problem.severity.word()));
        let rest = [line, column, end_line, end_column, code, path, message, help, severity];
        file.into_iter().chain(rest).collect()
    };
    let columns = ["line", "column", "end_line", "end_column", "code", "path", "message", "help", "severity"];
    Listing {
        columns: (checked.len() > 1).then_some("file").into_iter().chain(columns).collect(),
        hidden: &[],
        zone: redress_domain::clock::Zone::UTC,
        rows: checked.iter().flat_map(|one| one.problems().iter().map(move |problem| row(one, problem))).collect(),
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
        let shown = Checked { file: "w.yaml".to_owned(), text: text.to_owned(), found: Err(vec![problem]) }.json();
        assert_eq!(shown["valid"], false);
        let problem = &shown["problems"][0];
        assert_eq!([&problem["line"], &problem["column"], &problem["end_column"]], [2, 12, 13]);
        assert_eq!([&problem["code"], &problem["path"]], ["unknown_field", "name"]);
    }
}
