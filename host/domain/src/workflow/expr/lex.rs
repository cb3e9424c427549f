//! Source text into tokens, each with its range of bytes. Numbers are read from the text itself and never pass through a float.

use rust_decimal::Decimal;

use crate::workflow::diagnostic::{Diagnostic, Range};

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) range: Range,
    pub(super) kind: TokenKind,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A number, exact.
    Number(Decimal),
    /// Text, with its escapes resolved.
    Text(String),
    /// A name or a word such as `in`.
    Name(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    /// The end of the source.
    End,
}

/// Longer symbols stand before their beginnings.
const SYMBOLS: [&str; 25] = [
    "&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", ".", ",", "?", ":", "!", "<", ">", "+", "-", "*", "/", "%",
    "=", "&", "|",
];

/// All tokens of a source; the last one is always `End`.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, Diagnostic> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = source[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let token = next(source, at, c)?;
        at = token.range.end;
        tokens.push(token);
    }
    tokens.push(Token { range: Range::new(source.len(), source.len()), kind: TokenKind::End });
    Ok(tokens)
}

fn next(source: &str, at: usize, c: char) -> Result<Token, Diagnostic> {
    let rest = &source[at..];
    if c.is_ascii_digit() {
        return number(source, at);
    }
    if c == '"' || c == '\'' {
        return text(source, at, c);
    }
    let mut after = rest.chars().skip(1);
    if c == 'r'
        && let Some(quote @ ('"' | '\'')) = after.next()
    {
        return raw_text(source, at, quote);
    }
    if is_name_start(c) {
        let end = at + rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
        return Ok(Token { range: Range::new(at, end), kind: TokenKind::Name(source[at..end].to_owned()) });
    }
    match SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
        Some(symbol) => Ok(Token { range: Range::new(at, at + symbol.len()), kind: TokenKind::Symbol(symbol) }),
        None => {
            let range = Range::new(at, at + c.len_utf8());
            let problem = Diagnostic::new("syntax", range, format!("unexpected character `{}`", c.escape_debug()));
            Err(match c {
                '“' | '”' | '‘' | '’' => problem.help("text stands in straight quotes, as in \"damaged\""),
                _ => problem,
            })
        }
    }
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_name_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Digits, perhaps a fraction, perhaps a power of ten: `5`, `0.1`, `1e15`.
fn number(source: &str, at: usize) -> Result<Token, Diagnostic> {
    let rest = &source.as_bytes()[at..];
    let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits(0);
    if rest.get(length) == Some(&b'.') && rest.get(length + 1).is_some_and(u8::is_ascii_digit) {
        length += 1;
        length += digits(length);
    }
    let mantissa = &source[at..at + length];
    let mut power = "0";
    if matches!(rest.get(length), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(rest.get(length + 1), Some(b'+' | b'-')));
        let count = digits(length + 1 + signed);
        if count > 0 {
            power = &source[at + length + 1..at + length + 1 + signed + count];
            length += 1 + signed + count;
        }
    }
    let word = source[at + length..].find(|c| !is_name_part(c)).unwrap_or(source.len() - at - length);
    let range = Range::new(at, at + length + word);
    if word > 0 {
        let written = &source[range.start..range.end];
        let problem = Diagnostic::new("syntax", range, format!("`{written}` is neither a number nor a name"));
        let spans = ["s", "m", "h", "d"].contains(&&written[length..]);
        return Err(if spans {
            problem.help(format!("write a span of time as `duration(\"{written}\")`"))
        } else {
            problem
        });
    }
    match exact(mantissa, power) {
        Some(number) => Ok(Token { range, kind: TokenKind::Number(number) }),
        None => Err(Diagnostic::new("bad_literal", range, "a number has at most 28 digits")),
    }
}

/// The exact value of a mantissa and a power of ten, if 28 digits hold it.
fn exact(mantissa: &str, power: &str) -> Option<Decimal> {
    let number = Decimal::from_str_exact(mantissa).ok()?;
    let power: i32 = power.parse().ok()?;
    match power {
        0..=28 => (0..power).try_fold(number, |product, _| product.checked_mul(Decimal::TEN)),
        -28..=-1 => {
            let scale = number.scale() + power.unsigned_abs();
            (scale <= 28).then(|| Decimal::try_from_i128_with_scale(number.mantissa(), scale).ok()).flatten()
        }
        _ => None,
    }
}

/// Text in quotes, with escapes.
fn text(source: &str, start: usize, quote: char) -> Result<Token, Diagnostic> {
    let mut value = String::new();
    let mut chars = source[start + 1..].char_indices().map(|(i, c)| (start + 1 + i, c));
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Ok(Token { range: Range::new(start, at + 1), kind: TokenKind::Text(value) }),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, c @ ('\\' | '"' | '\''))) => value.push(c),
                Some((end, c)) => {
                    let range = Range::new(at, end + c.len_utf8());
                    return Err(Diagnostic::new("syntax", range, format!("unknown escape `\\{}`", c.escape_debug()))
                        .help("a pattern is easiest written raw: r\"\\d+\""));
                }
                None => break,
            },
            c => value.push(c),
        }
    }
    Err(unclosed(source, start))
}

/// Text in quotes after `r`: what stands there is what it is.
fn raw_text(source: &str, start: usize, quote: char) -> Result<Token, Diagnostic> {
    let body = &source[start + 2..];
    let length = body.find(quote).ok_or_else(|| unclosed(source, start))?;
    let range = Range::new(start, start + 2 + length + 1);
    Ok(Token { range, kind: TokenKind::Text(body[..length].to_owned()) })
}

fn unclosed(source: &str, start: usize) -> Diagnostic {
    Diagnostic::new("syntax", Range::new(start, source.len()), "text without a closing quote")
}
