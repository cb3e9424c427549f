//! Reading a tree field by field: every step down knows its path and its place, and every problem is reported, not thrown.
//!
//! A reader gives `None` where it has reported something, so that the rest of the document is still read.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::ids::Slug;
use crate::workflow::definition::Words;
use crate::workflow::diagnostic::{Diagnostic, Range, suggest};
use crate::workflow::help;
use crate::workflow::problems::Problems;
use crate::workflow::schema::{Field, Table};
use crate::workflow::yaml::{Entry, Key, Kind, Node, Scalar, Style};

/// Words that an expression reads as something else than a name.
const RESERVED_WORDS: &[&str] = &["true", "false", "null", "in", "has"];

/// A value of a document, where it stands, and where to report.
#[derive(Debug, Clone)]
pub struct At<'d> {
    node: &'d Node,
    key: Option<&'d Key>,
    path: String,
    source: &'d str,
    problems: &'d Problems,
}

impl<'d> At<'d> {
    /// The whole document.
    pub fn root(node: &'d Node, source: &'d str, problems: &'d Problems) -> Self {
        Self { node, key: None, path: String::new(), source, problems }
    }

    /// The value itself.
    pub fn node(&self) -> &'d Node {
        self.node
    }

    /// The text of the document.
    pub fn source(&self) -> &'d str {
        self.source
    }

    /// Where it stands in the document, as `steps[3].call`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What to point at: a scalar itself; for a list or a map its key, else its first name.
    pub fn place(&self) -> Range {
        match (&self.node.kind, self.key) {
            (Kind::Scalar(scalar), Some(key)) if scalar.text.is_empty() => key.range,
            (Kind::Scalar(_) | Kind::Broken, _) => self.node.range,
            (_, Some(key)) => key.range,
            (Kind::Map(entries), None) => entries.first().map_or(self.node.range, |entry| entry.key.range),
            (Kind::List(_), None) => self.node.range,
        }
    }

    /// The same value with another list of problems, as for a look ahead whose findings are dropped.
    pub fn reporting_to(&self, problems: &'d Problems) -> Self {
        Self { problems, ..self.clone() }
    }

    /// Report a problem of this value; the answer is `None`, for the caller to pass on.
    pub fn refuse<T>(&self, code: &str, message: impl Into<String>) -> Option<T> {
        self.report(Diagnostic::new(code, self.place(), message))
    }

    /// The same, with what to do about it.
    pub fn refuse_with<T>(&self, code: &str, message: impl Into<String>, help: impl Into<String>) -> Option<T> {
        self.report(Diagnostic::new(code, self.place(), message).help(help))
    }

    /// Say what is worth a second look of this value, and what to do about it.
    pub fn warn(&self, code: &str, message: impl Into<String>, help: impl Into<String>) {
        self.report::<()>(Diagnostic::new(code, self.place(), message).help(help).warning());
    }

    /// Report a problem with a range in the file, at this value's path unless it has one.
    pub fn report<T>(&self, diagnostic: Diagnostic) -> Option<T> {
        let path = if diagnostic.path.is_empty() { self.path.clone() } else { diagnostic.path.clone() };
        self.problems.report(diagnostic.at(path));
        None
    }

    /// Report a problem with a range in this scalar's text.
    pub fn report_inside<T>(&self, diagnostic: Diagnostic) -> Option<T> {
        let range = self.node.locate(self.source, diagnostic.range);
        self.report(Diagnostic { range, ..diagnostic })
    }

    /// The value is not what was expected.
    pub fn wrong_type<T>(&self, expected: &str) -> Option<T> {
        if self.node.kind == Kind::Broken {
            return None;
        }
        self.refuse("wrong_type", format!("expected {expected}, found {}", self.node.describe()))
    }

    /// The scalar, whatever it says; reports lists and maps.
    pub fn scalar(&self, expected: &str) -> Option<&'d Scalar> {
        match &self.node.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => self.wrong_type(expected),
        }
    }

    /// A text. A plain number or yes-or-no is none: it would read differently from how it is written.
    pub fn text(&self) -> Option<&'d str> {
        let scalar = self.scalar("a text")?;
        if scalar.is_number() || scalar.is_bool() {
            let found = self.node.describe();
            let help = format!("for a text write it between quotes: \"{}\"", scalar.text);
            return self.refuse_with("wrong_type", format!("expected a text, found {found}"), help);
        }
        if scalar.is_nothing() {
            return self.wrong_type("a text");
        }
        Some(&scalar.text)
    }

    /// Whether the text begins with `=`: an expression.
    pub fn is_expression(&self) -> bool {
        matches!(&self.node.kind, Kind::Scalar(scalar) if scalar.text.starts_with('='))
    }

    /// A short name, as of a queue or a result: lower-case letters, digits, `-` and `_`.
    pub fn slug(&self) -> Option<Slug> {
        if matches!(&self.node.kind, Kind::Scalar(scalar) if scalar.is_number()) {
            return self.refuse_with("wrong_type", "expected a name, found a number", "a name begins with a letter");
        }
        let text = self.text()?;
        match Slug::new(text) {
            Ok(slug) => Some(slug),
            Err(error) => match help::name(text, self.key.map(|key| key.text.as_str())) {
                Some(help) => self.refuse_with("bad_name", error.to_string(), help),
                None => self.refuse("bad_name", error.to_string()),
            },
        }
    }

    /// A name that expressions can use: lower-case letters, digits and `_`.
    pub fn identifier(&self) -> Option<Slug> {
        identifier(self.text()?, self.place(), self)
    }

    /// One of these words.
    pub fn choice(&self, words: &[&'static str]) -> Option<&'static str> {
        let text = self.text()?;
        if let Some(word) = words.iter().find(|word| **word == text) {
            return Some(word);
        }
        let help = match suggest(text, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", words.join(", ")),
        };
        self.refuse_with("bad_enum_word", format!("`{text}` is not one of {}", words.join("|")), help)
    }

    /// An exact decimal, written without quotes.
    pub fn number(&self) -> Option<Decimal> {
        let scalar = self.scalar("a number")?;
        if !scalar.is_number() {
            if scalar.style == Style::Quoted && scalar.text.parse::<Decimal>().is_ok() {
                return self.refuse_with(
                    "wrong_type",
                    "expected a number, found a text",
                    "write a number without quotes",
                );
            }
            return match help::number(&scalar.text) {
                Some(help) => self.refuse_with("wrong_type", "expected a number, found a text", help),
                None => self.wrong_type("a number"),
            };
        }
        // Exact or not at all: the plain `parse` would round what has too many digits.
        match Decimal::from_str_exact(&scalar.text) {
            Ok(number) => Some(number),
            Err(_) => self.refuse("bad_literal", "a number has at most 28 digits"),
        }
    }

    /// A whole number within bounds.
    pub fn whole(&self, least: i64, most: i64) -> Option<i64> {
        let number = self.number()?;
        match i64::try_from(number) {
            Ok(whole) if number.fract().is_zero() && (least..=most).contains(&whole) => Some(whole),
            _ => self.refuse("bad_literal", format!("expected a whole number from {least} to {most}")),
        }
    }

    /// Whether `true` or `false`.
    pub fn bool(&self) -> Option<bool> {
        let scalar = self.scalar("true or false")?;
        if scalar.is_bool() {
            return Some(scalar.text == "true");
        }
        if matches!(scalar.text.to_lowercase().as_str(), "yes" | "no" | "on" | "off" | "true" | "false") {
            let message = format!("expected true or false, found {:?}", scalar.text);
            return self.refuse_with(
                "wrong_type",
                message,
                "write `true` or `false`, in small letters and without quotes",
            );
        }
        self.wrong_type("true or false")
    }

    /// The values of a list.
    pub fn list(&self) -> Option<Vec<Self>> {
        match &self.node.kind {
            Kind::List(items) => Some(items.iter().enumerate().map(|(i, item)| self.item(i, item)).collect()),
            Kind::Map(_) => {
                self.refuse_with("wrong_type", "expected a list, found a map", "each item of a list begins with `- `")
            }
            Kind::Scalar(scalar) if !scalar.is_nothing() && !scalar.text.contains(['\n', ',']) => {
                let message = format!("expected a list, found {}", self.node.describe());
                self.refuse_with("wrong_type", message, format!("as `[{}]`", scalar.text))
            }
            _ => self.wrong_type("a list"),
        }
    }

    /// The values of a list, or one value alone.
    pub fn one_or_many(&self) -> Vec<Self> {
        match &self.node.kind {
            Kind::List(items) => items.iter().enumerate().map(|(i, item)| self.item(i, item)).collect(),
            _ => vec![self.clone()],
        }
    }

    /// The entries of a map whose names are free.
    pub fn names(&self) -> Option<Vec<(&'d Key, Self)>> {
        match &self.node.kind {
            Kind::Map(entries) => Some(entries.iter().map(|entry| (&entry.key, self.entry(entry))).collect()),
            _ => match self.key.filter(|_| self.node.kind != Kind::Broken && !self.is_nothing()) {
                Some(key) => {
                    let message = format!("expected a map of names, found {}", self.node.describe());
                    self.refuse_with("wrong_type", message, format!("as `{}: {{ <name>: … }}`", key.text))
                }
                None => self.wrong_type("a map of names"),
            },
        }
    }

    /// The fields of a map whose names are known; unknown ones are reported at once.
    pub fn fields(&self, table: &Table) -> Option<Fields<'d>> {
        self.fields_and(table, &[])
    }

    /// The same, where these names are known beside those of the table.
    pub fn fields_and(&self, table: &Table, more: &[&str]) -> Option<Fields<'d>> {
        let Kind::Map(entries) = &self.node.kind else {
            return self.no_map(table);
        };
        let known: Vec<_> = table.fields.iter().map(|field| field.name).chain(more.iter().copied()).collect();
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.text.as_str())) {
            self.entry(entry).report_unknown(table, &known);
        }
        let unknown =
            entries.iter().map(|entry| entry.key.text.as_str()).filter(|name| !known.contains(name)).collect();
        Some(Fields { at: self.clone(), entries, unknown, known: table.fields, hints: table.hints })
    }

    fn no_map<T>(&self, table: &Table) -> Option<T> {
        let names: Vec<_> = table.fields.iter().map(|field| field.name).collect();
        let expected = format!("a map with {}", names.join(", "));
        let key = self.key.map(|key| key.text.as_str());
        // A document that is no map is told by what it is alone.
        match help::map(key, table, self.node).filter(|_| !self.path.is_empty() && self.node.kind != Kind::Broken) {
            Some(help) => {
                self.refuse_with("wrong_type", format!("expected {expected}, found {}", self.node.describe()), help)
            }
            None => self.wrong_type(&expected),
        }
    }

    /// Whether nothing is written behind the key.
    pub fn is_nothing(&self) -> bool {
        matches!(&self.node.kind, Kind::Scalar(scalar) if scalar.is_nothing())
    }

    /// The value is not there, though its key is.
    pub fn missing_value<T>(&self) -> Option<T> {
        let (place, name) = self.key.map_or((self.place(), ""), |key| (key.range, key.text.as_str()));
        let found = Diagnostic::new("missing_value", place, format!("`{name}` has no value"));
        self.report(found.help("give it one or remove the line; there is no null"))
    }

    /// A text, or one per locale.
    pub fn words(&self) -> Option<Words<Self>> {
        let Kind::Map(entries) = &self.node.kind else {
            self.text()?;
            return Some(Words::One(self.clone()));
        };
        let mut many = BTreeMap::new();
        for entry in entries {
            let at = self.entry(entry);
            let tag = &entry.key.text;
            if tag.is_empty() || !tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
                let found = Diagnostic::new("bad_name", entry.key.range, format!("{tag:?} is not a locale"));
                at.report::<()>(found.help("as `en` or `zh-CN`"));
            }
            at.text()?;
            many.insert(tag.clone(), at);
        }
        if many.is_empty() { self.wrong_type("a text, or one per locale") } else { Some(Words::Many(many)) }
    }

    fn item(&self, index: usize, node: &'d Node) -> Self {
        Self { node, key: None, path: format!("{}[{index}]", self.path), ..self.clone() }
    }

    fn entry(&self, entry: &'d Entry) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Self {
            node: &entry.value,
            key: Some(&entry.key),
            path: format!("{}{dot}{}", self.path, short(&entry.key.text)),
            ..self.clone()
        }
    }

    fn report_unknown(&self, table: &Table, known: &[&str]) {
        let Some(key) = self.key else { return };
        let name = key.text.as_str();
        let help = match table.hints.iter().find(|(wrong, _)| *wrong == name) {
            Some((_, hint)) => (*hint).to_owned(),
            None => match suggest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", known.join(", ")),
            },
        };
        let found = Diagnostic::new("unknown_field", key.range, format!("unknown field `{name}`"));
        self.report::<()>(found.help(help));
    }
}

/// As much of a name as a path shows: the path of a value is kept with each of the values in it.
fn short(name: &str) -> &str {
    const NAME_BYTES_MAX: usize = 64;
    &name[..name.floor_char_boundary(NAME_BYTES_MAX)]
}

/// The fields of a map.
#[derive(Debug, Clone)]
pub struct Fields<'d> {
    at: At<'d>,
    entries: &'d [Entry],
    unknown: Vec<&'d str>,
    known: &'static [Field],
    hints: &'static [(&'static str, &'static str)],
}

impl<'d> Fields<'d> {
    /// The map itself.
    pub fn at(&self) -> &At<'d> {
        &self.at
    }

    /// The value of a field, where it is there. A field without a value is reported.
    pub fn get(&self, name: &str) -> Option<At<'d>> {
        let entry = self.entries.iter().find(|entry| entry.key.text == name)?;
        let at = self.at.entry(entry);
        if at.is_nothing() { at.missing_value() } else { Some(at) }
    }

    /// The value of a field that must be there. One that is misspelt was reported as unknown, with the name that was meant.
    pub fn require(&self, name: &str) -> Option<At<'d>> {
        if self.is_meant(name) {
            return None;
        }
        if !self.has(name) {
            let message = format!("`{name}` is missing");
            return match self.known.iter().find(|field| field.name == name) {
                Some(field) => self.at.refuse_with("missing_field", message, help::missing(field)),
                None => self.at.refuse("missing_field", message),
            };
        }
        self.get(name)
    }

    /// Whether an unknown field, which was reported, stands for this one: misspelt, or by another word.
    pub fn is_meant(&self, name: &str) -> bool {
        self.unknown.iter().any(|unknown| self.stands_for(unknown, name))
    }

    /// The value of a field, or of the unknown one that stands for it.
    pub fn get_meant(&self, name: &str) -> Option<At<'d>> {
        let meant = self.entries.iter().find(|entry| {
            let key = entry.key.text.as_str();
            key == name || self.unknown.contains(&key) && self.stands_for(key, name)
        })?;
        Some(self.at.entry(meant)).filter(|at| !at.is_nothing())
    }

    /// The values of unknown fields.
    pub fn unknown(&self) -> impl Iterator<Item = At<'d>> {
        let is_unknown = |entry: &&'d Entry| self.unknown.contains(&entry.key.text.as_str());
        self.entries.iter().filter(is_unknown).map(|entry| self.at.entry(entry))
    }

    fn stands_for(&self, unknown: &str, name: &str) -> bool {
        let quoted = format!("`{name}`");
        let hinted = self.hints.iter().any(|(wrong, hint)| *wrong == unknown && hint.contains(&quoted));
        hinted || suggest(unknown, [name]).is_some()
    }

    /// Whether the field is written, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.key.text == name)
    }

    /// The key of a field.
    pub fn key(&self, name: &str) -> Option<&'d Key> {
        self.entries.iter().map(|entry| &entry.key).find(|key| key.text == name)
    }

    /// The names as written, known and unknown.
    pub fn names(&self) -> impl Iterator<Item = &'d Key> {
        self.entries.iter().map(|entry| &entry.key)
    }
}

/// A name that expressions can use, or a report at its place.
pub fn identifier(text: &str, range: Range, at: &At<'_>) -> Option<Slug> {
    let reserved = RESERVED_WORDS.contains(&text);
    match Slug::new(text) {
        Ok(slug) if !text.contains('-') && !reserved => Some(slug),
        Ok(_) if reserved => {
            at.report(Diagnostic::new("bad_name", range, format!("`{text}` is a word of the expression language")))
        }
        _ => {
            let found = Diagnostic::new("bad_name", range, format!("{text:?} is not a name that expressions can use"));
            at.report(found.help("lower-case letters, digits and `_`, beginning with a letter, at most 64"))
        }
    }
}
