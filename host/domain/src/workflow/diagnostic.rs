//! What is wrong with a document, where, and what to do: one form for the command line, the API and the watcher's log.

use serde::{Deserialize, Serialize};

/// A range of bytes in a source text, half open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Range {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Range {
    /// From `start` up to, not including, `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The smallest range that covers both.
    pub fn cover(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The same range in a text that holds this one at `offset`.
    pub fn shifted(self, offset: usize) -> Self {
        Self { start: self.start + offset, end: self.end + offset }
    }
}

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The document is refused for it.
    #[default]
    Error,
    /// It is worth a second look, and refuses nothing.
    Warning,
}

impl Severity {
    /// The word for people and on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }

    fn is_error(&self) -> bool {
        *self == Self::Error
    }
}

/// One problem of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Where in the source.
    pub range: Range,
    /// A stable code: `unknown_field`, `wrong_type` ...
    pub code: String,
    /// The path in the document, as `steps[3].call`; empty for the document itself.
    pub path: String,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
    /// How much it weighs.
    #[serde(default, skip_serializing_if = "Severity::is_error")]
    pub severity: Severity,
}

impl Diagnostic {
    /// A problem at a place.
    pub fn new(code: &str, range: Range, message: impl Into<String>) -> Self {
        let (code, path, severity) = (code.to_owned(), String::new(), Severity::Error);
        Self { range, code, path, message: message.into(), help: None, severity }
    }

    /// The same, as something that refuses nothing.
    pub fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// The same, with what to do.
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The same, at a path of the document.
    pub fn at(self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self }
    }

    /// The same, in a text that holds the source of this one at `offset`.
    pub fn shifted(self, offset: usize) -> Self {
        Self { range: self.range.shifted(offset), ..self }
    }
}

/// Line and column of a byte, both counted from 1; columns count characters.
pub fn line_column(source: &str, byte: usize) -> (usize, usize) {
    let before = &source[..floor(source, byte)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Written for a terminal: place, path, message, the line with a caret, and the help.
pub fn render(file: &str, source: &str, diagnostic: &Diagnostic) -> String {
    let (line, column) = line_column(source, diagnostic.range.start);
    let text = source.lines().nth(line - 1).unwrap_or_default();
    let start = floor(source, diagnostic.range.start);
    let end = floor(source, diagnostic.range.end.max(diagnostic.range.start));
    let width = source[start..end].lines().next().unwrap_or_default().chars().count().max(1);
    let path = if diagnostic.path.is_empty() { String::new() } else { format!("{}: ", diagnostic.path) };
    let gutter = line.to_string().len();
    // What is no error says so; errors are what a reader takes it for.
    let weight = if diagnostic.severity == Severity::Warning { "warning: " } else { "" };
    let mut out = format!("{file}:{line}:{column}: {weight}{path}{} [{}]\n", diagnostic.message, diagnostic.code);
    out += &format!(" {line} | {text}\n");
    out += &format!(" {:gutter$} | {}{}\n", "", pad(text, column), "^".repeat(width));
    if let Some(help) = &diagnostic.help {
        out += &format!(" {:gutter$} = {help}\n", "");
    }
    out
}

/// Tabs stay tabs and wide characters take two columns, so that the caret stands under its target.
fn pad(text: &str, column: usize) -> String {
    let wide = |c: char| matches!(c as u32, 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60);
    text.chars()
        .take(column - 1)
        .map(|c| {
            if c == '\t' {
                "\t"
            } else if wide(c) {
                "  "
            } else {
                " "
            }
        })
        .collect()
}

/// No word of the language is longer; comparing one of a hostile file would take its length times every known word.
const SUGGEST_BYTES_MAX: usize = 64;

/// The closest word, where one is close enough to be meant.
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > SUGGEST_BYTES_MAX {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count().min(word.chars().count()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

fn floor(source: &str, byte: usize) -> usize {
    let mut at = byte.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}
