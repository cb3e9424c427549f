//! Text with `{{ expression }}` in it.

use super::typed::noun;
use super::{Context, EvalError, Expr, Roots, Scope};
use crate::case::Piece;
use crate::value::Type;
use crate::workflow::diagnostic::{Diagnostic, Range};

/// Longest source and longest result.
const TEXT_BYTES_MAX: usize = 64 * 1_024;
/// How many expressions a text may hold.
const EXPRESSIONS_MAX: usize = 64;

/// Text with `{{ expression }}` in it.
#[derive(Debug, Clone)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Value(Expr),
}

impl Template {
    /// Parse and check. Ranges are relative to `source`.
    pub fn compile(source: &str, scope: &Scope) -> Result<Self, Vec<Diagnostic>> {
        let mut parts = Vec::new();
        let mut problems = Vec::new();
        if source.len() > TEXT_BYTES_MAX {
            let message = format!("a text has at most {TEXT_BYTES_MAX} bytes");
            return Err(vec![Diagnostic::new("too_long", Range::new(0, source.len()), message)]);
        }
        let mut at = 0;
        while let Some(open) = source[at..].find("{{").map(|open| at + open) {
            parts.push(Part::Text(source[at..open].to_owned()));
            let start = open + 2;
            if parts.len() > 2 * EXPRESSIONS_MAX {
                let message = format!("a text holds at most {EXPRESSIONS_MAX} expressions");
                problems.push(Diagnostic::new("too_long", Range::new(0, source.len()), message));
                return Err(problems);
            }
            let Some(end) = close(source, start) else {
                let range = Range::new(open, start);
                problems.push(Diagnostic::new("syntax", range, "`{{` without its `}}`"));
                return Err(problems);
            };
            match value(&source[start..end], scope) {
                Ok(expr) => parts.push(Part::Value(expr)),
                Err(found) => problems.extend(found.into_iter().map(|problem| problem.shifted(start))),
            }
            at = end + 2;
        }
        parts.push(Part::Text(source[at..].to_owned()));
        if problems.is_empty() { Ok(Self { source: source.to_owned(), parts }) } else { Err(problems) }
    }

    /// The source text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The expressions in it, in their order.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Value(expr) => Some(expr),
        })
    }

    /// The text part by part, with the values filled in.
    pub fn pieces(&self, roots: &dyn Roots, context: &mut Context) -> Result<Vec<Piece>, EvalError> {
        let (mut pieces, mut bytes) = (Vec::new(), 0);
        for part in &self.parts {
            let piece = match part {
                Part::Text(text) if text.is_empty() => continue,
                Part::Text(text) => Piece::Text(text.clone()),
                Part::Value(expr) => Piece::Value(expr.evaluate(roots, context)?.to_string()),
            };
            bytes += piece.as_str().len();
            if bytes > TEXT_BYTES_MAX {
                let message = format!("the text would be longer than {TEXT_BYTES_MAX} bytes");
                return Err(EvalError::new("too_long", message));
            }
            pieces.push(piece);
        }
        Ok(pieces)
    }

    /// The text with its values filled in.
    pub fn render(&self, roots: &dyn Roots, context: &mut Context) -> Result<String, EvalError> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Value(expr) => text += &expr.evaluate(roots, context)?.to_string(),
            }
            if text.len() > TEXT_BYTES_MAX {
                let message = format!("the text would be longer than {TEXT_BYTES_MAX} bytes");
                return Err(EvalError::new("too_long", message));
            }
        }
        Ok(text)
    }
}

/// An expression whose value can be printed.
fn value(source: &str, scope: &Scope) -> Result<Expr, Vec<Diagnostic>> {
    let expr = Expr::compile(source, scope, None)?;
    let written = source.trim();
    let start = source.len() - source.trim_start().len();
    let range = Range::new(start, start + written.len());
    match expr.kind() {
        Type::Optional(_) => {
            let problem = Diagnostic::new("not_guarded", range, format!("`{written}` may be absent"));
            Err(vec![problem.help(format!("give a default, `orElse({written}, \"\")`"))])
        }
        kind @ (Type::List(_) | Type::Object(_)) => Err(vec![Diagnostic::new(
            "wrong_type",
            range,
            format!("expected a single value here, found {}", noun(kind)),
        )]),
        _ => Ok(expr),
    }
}

/// Where the expression that begins here ends: at the `}}` that stands in no quotes.
fn close(source: &str, start: usize) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    let mut raw = false;
    let mut before = ' ';
    for (i, c) in source[start..].char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = !raw,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => (quote, raw) = (Some(c), before == 'r'),
            (None, '}') if source[start + i..].starts_with("}}") => return Some(start + i),
            (None, _) => {}
        }
        before = c;
    }
    None
}
