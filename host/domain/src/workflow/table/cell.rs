//! Unary tests as a cell writes them: `-`, `"a", "b"`, `<= 14`, `[1..5)`, `not("a")`. Literals only: what a cell means is known
//! when the table is loaded.

use chrono::{DateTime, NaiveDate};
use rust_decimal::Decimal;

use super::{Bound, Cell, TESTS_MAX, Test, Tests, measure};
use crate::clock::Instant;
use crate::money::{Currency, Money};
use crate::value::{Type, Value};
use crate::workflow::diagnostic::{Diagnostic, Range, suggest};
use crate::workflow::duration;

/// Read a cell for an input of this type. The range of a problem is in the text.
pub fn parse(text: &str, kind: &Type, currency: Currency) -> Result<Cell, Diagnostic> {
    let mut reader = Reader { text, at: 0, kind, currency };
    let tests = reader.cell()?;
    Ok(Cell { source: text.trim().to_owned(), tests })
}

/// What stands where a value is expected.
struct Token<'t> {
    text: &'t str,
    range: Range,
    quoted: Option<String>,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    kind: &'t Type,
    currency: Currency,
}

impl<'t> Reader<'t> {
    fn cell(&mut self) -> Result<Tests, Diagnostic> {
        self.blanks();
        if self.rest().trim_end() == "-" {
            return Ok(Tests::Any);
        }
        let inverted = self.rest().strip_prefix("not").is_some_and(|rest| rest.trim_start().starts_with('('));
        if inverted {
            self.at += "not".len();
            self.blanks();
            self.at += 1;
        }
        let tests = self.tests()?;
        if inverted {
            self.expect(")", "`not(` is not closed")?;
        }
        self.blanks();
        if !self.rest().is_empty() {
            let found = self.problem(Range::new(self.at, self.text.trim_end().len()), "something follows the test");
            return Err(found.help("several tests are separated by commas; only a cell as a whole stands in `not(…)`"));
        }
        Ok(if inverted { Tests::Not(tests) } else { Tests::One(tests) })
    }

    fn tests(&mut self) -> Result<Vec<Test>, Diagnostic> {
        let mut tests = vec![self.test()?];
        while self.skip(",") {
            tests.push(self.test()?);
            if tests.len() > TESTS_MAX {
                return Err(Diagnostic::new(
                    "too_large",
                    self.whole(),
                    format!("a cell has at most {TESTS_MAX} tests"),
                ));
            }
        }
        Ok(tests)
    }

    fn test(&mut self) -> Result<Test, Diagnostic> {
        self.blanks();
        for (sign, included) in [("<=", true), (">=", true), ("<", false), (">", false)] {
            let start = self.at;
            if self.skip(sign) {
                self.ordered(Range::new(start, self.at))?;
                let bound = Some(Bound { at: self.measure()?, included });
                return Ok(if sign.starts_with('<') {
                    Test::Range { from: None, to: bound }
                } else {
                    Test::Range { from: bound, to: None }
                });
            }
        }
        for sign in ["==", "=", "!="] {
            if self.rest().starts_with(sign) {
                let found =
                    self.problem(Range::new(self.at, self.at + sign.len()), format!("a cell takes no `{sign}`"));
                let help = if sign == "!=" { "write `not(…)`" } else { "write the value alone" };
                return Err(found.help(help));
            }
        }
        if self.rest().starts_with(['[', '(']) {
            return self.range();
        }
        let value = self.value()?;
        Ok(match value {
            Value::Text(text) => Test::Text(text),
            Value::Bool(yes) => Test::Bool(yes),
            value => {
                let at = Some(Bound { at: measure(&value).unwrap_or_default(), included: true });
                Test::Range { from: at, to: at }
            }
        })
    }

    /// `[1..5)`: a bracket includes the end, a parenthesis does not.
    fn range(&mut self) -> Result<Test, Diagnostic> {
        let start = self.at;
        let from_included = self.rest().starts_with('[');
        self.at += 1;
        self.ordered(Range::new(start, self.at))?;
        let from = Bound { at: self.measure()?, included: from_included };
        self.expect("..", "a range is written `[1..5]`, `[1..5)`, `(1..5]` or `(1..5)`")?;
        let to = self.measure()?;
        self.blanks();
        let included = self.rest().starts_with(']');
        if !included {
            self.expect(")", "a range ends with `]` or `)`")?;
        } else {
            self.at += 1;
        }
        let to = Bound { at: to, included };
        if from.at > to.at || (from.at == to.at && !(from.included && to.included)) {
            let found = Diagnostic::new("never_taken", Range::new(start, self.at), "nothing lies in this range");
            return Err(found.help("the smaller end comes first"));
        }
        Ok(Test::Range { from: Some(from), to: Some(to) })
    }

    fn measure(&mut self) -> Result<Decimal, Diagnostic> {
        let value = self.value()?;
        Ok(measure(&value).unwrap_or_default())
    }

    fn value(&mut self) -> Result<Value, Diagnostic> {
        let token = self.token()?;
        match self.kind {
            Type::Text | Type::Enum(_) => self.word(token),
            kind => {
                if token.quoted.is_some() {
                    let message = format!("expected {}, found a text", noun(kind));
                    return Err(Diagnostic::new("wrong_type", token.range, message).help(example(kind)));
                }
                if let (Type::Money, Ok(number)) = (kind, Decimal::from_str_exact(token.text))
                    && let Err(error) = Money::new(number, self.currency)
                {
                    return Err(Diagnostic::new("bad_literal", token.range, error.to_string()));
                }
                self.plain(&token).ok_or_else(|| {
                    // A literal of another type is told apart from what is none at all.
                    let code = if is_literal(token.text) { "wrong_type" } else { "bad_literal" };
                    let message = format!("expected {}, found `{}`", noun(kind), token.text);
                    Diagnostic::new(code, token.range, message).help(example(kind))
                })
            }
        }
    }

    fn word(&self, token: Token<'t>) -> Result<Value, Diagnostic> {
        let Some(word) = token.quoted else {
            let what = if is_literal(token.text) { "a text" } else { "a text between quotes" };
            let message = format!("expected {what}, found `{}`", token.text);
            let help = format!("inside the cell a text stands between double quotes: '\"{}\"'", token.text);
            return Err(Diagnostic::new("wrong_type", token.range, message).help(help));
        };
        let Type::Enum(words) = self.kind else { return Ok(Value::Text(word)) };
        if words.contains(&word) {
            return Ok(Value::Text(word));
        }
        let message = format!("\"{word}\" is not one of {}", words.join("|"));
        let found = Diagnostic::new("bad_enum_word", token.range, message);
        Err(match suggest(&word, words.iter().map(String::as_str)) {
            Some(close) => found.help(format!("did you mean \"{close}\"?")),
            None => found,
        })
    }

    fn plain(&self, token: &Token<'_>) -> Option<Value> {
        let text = token.text;
        let number = || Decimal::from_str_exact(text).ok();
        match self.kind {
            Type::Bool => text.parse().ok().map(Value::Bool),
            Type::Number => number().map(Value::Number),
            Type::Money => Money::new(number()?, self.currency).ok().map(Value::Money),
            Type::Price => Some(Value::Price(crate::money::Price::new(number()?, self.currency))),
            Type::Date => {
                let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
                (date.to_string() == text).then_some(Value::Date(date))
            }
            Type::Instant => {
                DateTime::parse_from_rfc3339(text).ok().map(|at| Value::Instant(Instant::from(at.to_utc())))
            }
            Type::Duration => duration::parse(text).ok().map(Value::Duration),
            _ => None,
        }
    }

    /// A quoted text, or everything up to a blank, a comma, a bracket or `..`.
    fn token(&mut self) -> Result<Token<'t>, Diagnostic> {
        self.blanks();
        let start = self.at;
        if self.rest().starts_with('"') {
            let quoted = self.quoted(start)?;
            let range = Range::new(start, self.at);
            return Ok(Token { text: &self.text[start..self.at], range, quoted: Some(quoted) });
        }
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_whitespace() || ",()[]\"".contains(c)).unwrap_or(rest.len());
        let end = rest[..end].find("..").unwrap_or(end);
        if end == 0 {
            let found = self.problem(self.whole(), "a value is missing here");
            return Err(found.help("a cell is `-`, a value, `<= 5`, `[1..5)`, `\"a\", \"b\"` or `not(…)`"));
        }
        self.at += end;
        Ok(Token { text: &rest[..end], range: Range::new(start, self.at), quoted: None })
    }

    fn quoted(&mut self, start: usize) -> Result<String, Diagnostic> {
        let mut text = String::new();
        let mut chars = self.text[start + 1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + 1 + at + 1;
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, c @ ('"' | '\\'))) => text.push(c),
                    _ => break,
                },
                c => text.push(c),
            }
        }
        let end = self.text.len();
        Err(self
            .problem(Range::new(start, end), "the text is not closed")
            .help("it ends with `\"`; `\\\"` is a quote in it"))
    }

    /// Report a comparison of what has no order.
    fn ordered(&self, sign: Range) -> Result<(), Diagnostic> {
        if matches!(self.kind, Type::Bool | Type::Text | Type::Enum(_)) {
            let message = format!("{} has no order", noun(self.kind));
            return Err(Diagnostic::new("wrong_type", sign, message).help("name the values, separated by commas"));
        }
        Ok(())
    }

    fn expect(&mut self, sign: &str, message: &str) -> Result<(), Diagnostic> {
        if self.skip(sign) { Ok(()) } else { Err(self.problem(self.whole(), message)) }
    }

    fn skip(&mut self, sign: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn whole(&self) -> Range {
        Range::new(0, self.text.len())
    }

    fn problem(&self, range: Range, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new("bad_cell", range, message)
    }
}

/// Whether a text is a literal of some type.
fn is_literal(text: &str) -> bool {
    matches!(text, "true" | "false")
        || Decimal::from_str_exact(text).is_ok()
        || NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
        || DateTime::parse_from_rfc3339(text).is_ok()
        || duration::parse(text).is_ok()
}

fn noun(kind: &Type) -> String {
    match kind {
        Type::Bool => "yes or no".to_owned(),
        Type::Number => "a number".to_owned(),
        Type::Price => "a price".to_owned(),
        Type::Date => "a date".to_owned(),
        Type::Instant => "an instant".to_owned(),
        Type::Duration => "a duration".to_owned(),
        kind => kind.to_string(),
    }
}

fn example(kind: &Type) -> &'static str {
    match kind {
        Type::Bool => "`true`, `false` or `-`",
        Type::Number => "as `5`, `<= 14` or `[1..5)`",
        Type::Money | Type::Price => "a plain number in the document's currency, as `<= 50.00`",
        Type::Date => "as `2026-02-28` or `< 2026-02-28`",
        Type::Instant => "with the offset, as `< 2026-02-28T09:30:00+01:00`",
        Type::Duration => "as `<= 30d`",
        _ => "a text between double quotes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gbp() -> Currency {
        "GBP".parse().unwrap()
    }

    fn holds(cell: &str, kind: &Type, value: &Value) -> bool {
        parse(cell, kind, gbp()).unwrap_or_else(|problem| panic!("{cell}: {problem:?}")).holds(value)
    }

    fn problem(cell: &str, kind: &Type) -> String {
        let found = parse(cell, kind, gbp()).unwrap_err();
        format!("{} {}: {}", found.code, &cell[found.range.start..found.range.end], found.message)
    }

    #[test]
    fn ends_of_a_range_belong_to_it_by_their_brackets() {
        let in_range = |cell: &str| {
            let found = (0..=6).filter(|n| holds(cell, &Type::Number, &Value::whole(*n))).collect::<Vec<_>>();
            format!("{found:?}")
        };
        assert_eq!(in_range("[1..5)"), "[1, 2, 3, 4]");
        assert_eq!(in_range("(1..5]"), "[2, 3, 4, 5]");
        assert_eq!(in_range("[ 1 .. 5 ]"), "[1, 2, 3, 4, 5]");
        assert_eq!(in_range("(1..5)"), "[2, 3, 4]");
        assert_eq!(in_range("<= 2, > 5"), "[0, 1, 2, 6]");
        assert_eq!(in_range("not(1, [3..4])"), "[0, 2, 5, 6]");
        assert_eq!(in_range("-"), "[0, 1, 2, 3, 4, 5, 6]");
        assert_eq!(in_range("-1, 3"), "[3]");
        assert_eq!(in_range(">= 1.5"), "[2, 3, 4, 5, 6]");
    }

    #[test]
    fn every_type_has_its_literals() {
        let words = Type::words(["new", "worn"]);
        assert!(holds(r#""new", "worn""#, &words, &Value::text("worn")));
        assert!(!holds(r#"not("new")"#, &words, &Value::text("new")));
        assert!(holds(r#""a, \"b\"""#, &Type::Text, &Value::text("a, \"b\"")));
        assert!(holds("true", &Type::Bool, &Value::Bool(true)));
        let money = Value::Money(Money::from_minor(5_000, gbp()));
        assert!(holds("<= 50", &Type::Money, &money) && !holds("< 50.00", &Type::Money, &money));
        let date = Value::Date(NaiveDate::from_ymd_opt(2026, 2, 28).unwrap());
        assert!(holds("[2026-02-28..2026-03-01)", &Type::Date, &date));
        assert!(!holds("> 2026-02-28", &Type::Date, &date));
        let at = Value::Instant(Instant::from_unix_ms(1_500));
        assert!(holds("(1970-01-01T00:00:01.499Z..1970-01-01T01:00:01.5+01:00]", &Type::Instant, &at));
        assert!(holds("< 31d", &Type::Duration, &Value::Duration(crate::clock::Span::from_days(30))));
    }

    #[test]
    fn a_wrong_cell_is_told_at_its_part() {
        let words = Type::words(["new", "worn"]);
        assert_eq!(problem(r#""new", "wron""#, &words), r#"bad_enum_word "wron": "wron" is not one of new|worn"#);
        assert_eq!(problem("new", &words), "wrong_type new: expected a text between quotes, found `new`");
        assert_eq!(problem("5", &words), "wrong_type 5: expected a text, found `5`");
        assert_eq!(problem("< \"a\"", &words), "wrong_type <: one of new|worn has no order");
        assert_eq!(problem("<= true", &Type::Number), "wrong_type true: expected a number, found `true`");
        assert_eq!(problem("<= soon", &Type::Number), "bad_literal soon: expected a number, found `soon`");
        assert_eq!(problem("\"5\"", &Type::Number), "wrong_type \"5\": expected a number, found a text");
        assert!(problem("0.001", &Type::Money).starts_with("bad_literal 0.001: "));
        assert_eq!(problem("[5..1]", &Type::Number), "never_taken [5..1]: nothing lies in this range");
        assert_eq!(problem("(1..1]", &Type::Number), "never_taken (1..1]: nothing lies in this range");
        assert_eq!(problem("!= 5", &Type::Number), "bad_cell !=: a cell takes no `!=`");
        assert_eq!(problem("1 2", &Type::Number), "bad_cell 2: something follows the test");
        assert_eq!(problem("1,", &Type::Number), "bad_cell 1,: a value is missing here");
        assert_eq!(problem("", &Type::Number), "bad_cell : a value is missing here");
        assert_eq!(problem("not(1", &Type::Number), "bad_cell not(1: `not(` is not closed");
        assert_eq!(problem("\"a", &Type::Text), "bad_cell \"a: the text is not closed");
        assert_eq!(problem("not(not(1))", &Type::Number).split(':').next(), Some("bad_literal not"));
    }

    #[test]
    fn a_cell_has_a_bounded_number_of_tests() {
        let cell = vec!["1"; TESTS_MAX].join(",");
        assert!(parse(&cell, &Type::Number, gbp()).is_ok());
        assert!(parse(&(cell + ",1"), &Type::Number, gbp()).is_err());
    }
}
