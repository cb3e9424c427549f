//! The mapping of an import: which columns its files have, what each row is, and how rows become orders and cases.
//!
//! A document of the same language as workflows: read from a tree with positions, its expressions checked when it is loaded,
//! all its problems reported at once. An expression reads one row, under the name `row`.

mod fields;
mod schema;

use std::collections::BTreeMap;

use redress_domain::clock::Zone;
use redress_domain::ids::Slug;
use redress_domain::money::Currency;
use redress_domain::value::Type;
use redress_domain::workflow::compile::{Compiler, Name};
use redress_domain::workflow::diagnostic::Diagnostic;
use redress_domain::workflow::expr::{Expr, Scope};
use redress_domain::workflow::problems::Problems;
use redress_domain::workflow::reader::{At, Fields};
use redress_domain::workflow::yaml;

pub use fields::{Attributes, CaseFields, CaseLineFields, Field, OrderFields, OrderLineFields};

/// What a column may hold, as a mapping writes it; `?` says that an empty field is an absent one.
const COLUMN_TYPES: &[&str] = &["text", "number", "text?", "number?"];

/// A checked mapping.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Its name.
    pub name: Slug,
    /// Where the files come from.
    pub source: Source,
    /// The columns that are read, in the order of the mapping; others of a file are ignored.
    pub columns: Vec<Column>,
    /// What a row is: the first rule that holds wins, and the last one always holds.
    pub rules: Vec<Rule>,
    /// How the rows of an order become one; there where some rule gives order lines.
    pub order: Option<OrderFields>,
    /// How the rows of a case become one; there where some rule gives case lines.
    pub case: Option<CaseFields>,
}

/// Where files come from and how they are to be read.
#[derive(Debug, Clone)]
pub struct Source {
    /// The name under which external ids are unique.
    pub name: Slug,
    /// The zone of times that are written without one.
    pub zone: Zone,
    /// The currency of all amounts.
    pub currency: Currency,
}

/// A column that is read.
#[derive(Debug, Clone)]
pub struct Column {
    /// As the file's first row names it.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether an empty field is an absent one; otherwise it is an empty text, and no number.
    pub optional: bool,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// The text as it stands.
    Text,
    /// An exact decimal.
    Number,
}

/// One rule about rows.
#[derive(Debug, Clone)]
pub struct Rule {
    /// When it holds; always where there is none.
    pub when: Option<Expr>,
    /// What the row is then.
    pub then: Then,
}

/// What a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// A line of an order.
    OrderLine,
    /// A line of a case.
    CaseLine,
    /// Left out and counted under this reason.
    Skip(Slug),
}

impl Column {
    fn value_type(&self) -> Type {
        let kind = match self.kind {
            ColumnKind::Text => Type::Text,
            ColumnKind::Number => Type::Number,
        };
        if self.optional { kind.optional() } else { kind }
    }
}

/// Check a mapping. Everything that is wrong comes at once, in the order of the text.
pub fn load(text: &str) -> Result<Mapping, Vec<Diagnostic>> {
    let problems = Problems::new();
    let mapping = yaml::parse(text, &problems).and_then(|tree| mapping(&At::root(&tree, text, &problems)));
    let found = problems.into_sorted();
    match mapping {
        Some(mapping) if found.is_empty() => Ok(mapping),
        // Every way to no mapping reports why; should one forget it, the mapping still does not pass.
        _ if found.is_empty() => {
            Err(vec![Diagnostic::new("internal", yaml::START, "the mapping was refused without a reason")])
        }
        _ => Err(found),
    }
}

fn mapping(root: &At<'_>) -> Option<Mapping> {
    let fields = root.fields(&schema::DOCUMENT)?;
    if let Some(format) = fields.require("format")
        && format.number().is_some_and(|number| number != 1.into())
    {
        format.refuse_with::<()>("unknown_format", "this format is not known", "the format of this version is 1");
    }
    let name = fields.require("import").and_then(|at| at.slug());
    let source = fields.require("source").and_then(|at| source(&at));
    let (columns, broken) = columns(&fields.require("columns")?)?;
    // Without a currency amounts are still checked, in some other one: its lack has been reported.
    let currency = source.as_ref().map_or(Currency::EUR, |source| source.currency);
    let compiler = compiler(&columns, &broken, currency);
    let rules = fields.require("rows").and_then(|at| rules(&at, &compiler));
    let order = fields.get("order").map(|at| fields::order(&at, &compiler));
    let case = fields.get("case").map(|at| fields::case(&at, &compiler));
    if let Some(rules) = &rules {
        check_use(&fields, rules);
    }
    Some(Mapping { name: name?, source: source?, columns, rules: rules?, order: order.flatten(), case: case.flatten() })
}

fn source(at: &At<'_>) -> Option<Source> {
    let fields = at.fields(&schema::SOURCE)?;
    let name = fields.require("name").and_then(|at| at.slug());
    let format = fields.require("format").and_then(|at| at.choice(&["csv"]));
    let zone = fields.require("zone").and_then(|at| zone(&at));
    let currency = fields.require("currency").and_then(|at| currency(&at));
    format.and(Some(Source { name: name?, zone: zone?, currency: currency? }))
}

fn zone(at: &At<'_>) -> Option<Zone> {
    let name = at.text()?;
    let wrong =
        || at.refuse_with("bad_literal", format!("{name:?} is not a time zone"), "an IANA name, as `Europe/Berlin`");
    name.parse().ok().or_else(wrong)
}

fn currency(at: &At<'_>) -> Option<Currency> {
    match at.text()?.parse::<Currency>() {
        Ok(currency) => Some(currency),
        Err(error) => at.refuse_with("bad_literal", error.to_string(), "three capitals, as `EUR`"),
    }
}

/// The columns, and the names of those whose type was reported.
fn columns(at: &At<'_>) -> Option<(Vec<Column>, Vec<String>)> {
    let (mut columns, mut broken) = (Vec::new(), Vec::new());
    for (key, at) in at.names()? {
        let name = key.text.clone();
        match at.choice(COLUMN_TYPES) {
            Some(word) => {
                let kind = if word.starts_with("text") { ColumnKind::Text } else { ColumnKind::Number };
                columns.push(Column { name, kind, optional: word.ends_with('?') });
            }
            None => broken.push(name),
        }
    }
    if columns.is_empty() && broken.is_empty() {
        return at.refuse("missing_value", "`columns` is empty: nothing could be read of a row");
    }
    Some((columns, broken))
}

fn compiler(columns: &[Column], broken: &[String], currency: Currency) -> Compiler {
    let row = columns.iter().map(|column| (column.name.as_str(), column.value_type()));
    let roots = BTreeMap::from([("row".to_owned(), Type::object(row))]);
    let mut compiler = Compiler::new(Scope { roots, currency, calendar: None });
    compiler.broken = broken.iter().cloned().map(Name::AnyField).collect();
    compiler
}

fn rules(at: &At<'_>, compiler: &Compiler) -> Option<Vec<Rule>> {
    let written = at.list()?;
    if written.is_empty() {
        return at.refuse("missing_value", "`rows` is empty: no row would be anything");
    }
    let last = written.len() - 1;
    let rules: Vec<Option<Rule>> =
        written.iter().enumerate().map(|(place, at)| rule(at, place == last, compiler)).collect();
    rules.into_iter().collect()
}

fn rule(at: &At<'_>, is_last: bool, compiler: &Compiler) -> Option<Rule> {
    let fields = at.fields(&schema::RULE)?;
    match (fields.has("when"), is_last) {
        (true, true) => {
            let help = "add a last rule without `when`, as `- { skip: other }`";
            at.refuse_with::<()>("missing_rule", "rows that no rule takes would be lost", help);
        }
        (false, false) => {
            let help = "a rule without `when` takes every row, and stands last";
            at.refuse_with::<()>("unreachable", "no row reaches the rules after this one", help);
        }
        (true, false) | (false, true) => {}
    }
    let when = fields.get("when").and_then(|at| compiler.condition(&at));
    Some(Rule { when, then: then(&fields)? })
}

fn then(fields: &Fields<'_>) -> Option<Then> {
    match (fields.has("as"), fields.has("skip")) {
        (true, false) => fields.get("as")?.choice(&["order_line", "case_line"]).map(|word| match word {
            "order_line" => Then::OrderLine,
            _ => Then::CaseLine,
        }),
        (false, true) => fields.get("skip")?.slug().map(Then::Skip),
        _ => fields.at().refuse_with(
            "missing_field",
            "a rule says what the row is by either `as` or `skip`",
            "`as: order_line`, `as: case_line`, or `skip:` with the name of a reason",
        ),
    }
}

/// A kind of row needs the section that tells what to make of it, and a section needs rows.
fn check_use(fields: &Fields<'_>, rules: &[Rule]) {
    for (section, word, then) in [("order", "order_line", Then::OrderLine), ("case", "case_line", Then::CaseLine)] {
        let used = rules.iter().any(|rule| rule.then == then);
        if used && !fields.has(section) {
            let message = format!("`{section}` is missing, and a rule gives rows `as: {word}`");
            fields.at().refuse::<()>("missing_field", message);
        }
        if let Some(key) = fields.key(section)
            && !used
        {
            let message = format!("no rule gives rows `as: {word}`, so `{section}` is never used");
            fields.at().report::<()>(Diagnostic::new("unused", key.range, message).at(section));
        }
    }
}

#[cfg(test)]
mod tests;
