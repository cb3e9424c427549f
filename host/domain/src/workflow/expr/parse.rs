//! Tokens into a tree, by operator precedence. Depth is bounded before the stack could be.

use super::ast::{Node, Operator, Part, Word};
use super::lex::{Token, TokenKind, tokens};
use crate::workflow::diagnostic::{Diagnostic, Range};

/// Longest source; a condition that needs more wants a variable or a plugin.
pub(super) const SOURCE_BYTES_MAX: usize = 2_048;
/// How many parts may stand inside one another.
pub(super) const DEPTH_MAX: u32 = 32;
/// How many items a list may be written with.
pub(super) const LIST_ITEMS_MAX: usize = 1_000;

/// The tree of a source, or the first thing in it that is not of the language.
pub(super) fn parse(source: &str) -> Result<Node, Diagnostic> {
    if source.len() > SOURCE_BYTES_MAX {
        let range = Range::new(source.floor_char_boundary(SOURCE_BYTES_MAX), source.len());
        let message = format!("an expression has at most {SOURCE_BYTES_MAX} bytes, this one has {}", source.len());
        return Err(Diagnostic::new("too_long", range, message).help("split it over variables with `set`"));
    }
    let mut parser = Parser { tokens: tokens(source)?, at: 0, nesting: 0 };
    let tree = parser.expression()?;
    match parser.peek() {
        TokenKind::End => Ok(tree),
        _ => Err(parser.after_operand()),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    nesting: u32,
}

/// Binding strength, weakest first; comparison does not chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Or,
    And,
    Comparison,
    Sum,
    Product,
    Unary,
}

/// What stands between two operands.
#[derive(Debug, Clone, Copy)]
enum Infix {
    And,
    Or,
    Operator(Operator),
}

type Parsed = Result<Node, Diagnostic>;

impl Parser {
    /// A whole expression: what stands in brackets, between commas, after `?`.
    fn expression(&mut self) -> Parsed {
        self.nested(|parser| {
            let test = parser.operators(Strength::Or)?;
            if !parser.take("?") {
                return Ok(test);
            }
            let yes = parser.expression()?;
            parser.expect(":", "between the two values of `? :`")?;
            let no = parser.expression()?;
            let range = test.range.cover(no.range);
            node(range, Part::Choice { test: Box::new(test), yes: Box::new(yes), no: Box::new(no) })
        })
    }

    /// Operands joined by operators that bind at least so strongly.
    fn operators(&mut self, weakest: Strength) -> Parsed {
        let mut left = self.unary()?;
        while let Some((strength, infix)) = self.infix() {
            if strength < weakest {
                break;
            }
            let operator = self.advance().range;
            let stronger = match strength {
                Strength::Or => Strength::And,
                Strength::And => Strength::Comparison,
                Strength::Comparison => Strength::Sum,
                Strength::Sum => Strength::Product,
                Strength::Product | Strength::Unary => Strength::Unary,
            };
            let right = self.operators(stronger)?;
            left = join(infix, left, right)?;
            if let (Strength::Comparison, Some((Strength::Comparison, _))) = (strength, self.infix()) {
                return Err(Diagnostic::new("syntax", operator.cover(self.range()), "comparisons do not chain")
                    .help("write `a < b && b < c`"));
            }
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let start = self.range();
        if self.take("!") {
            let inner = self.nested(Self::unary)?;
            return node(start.cover(inner.range), Part::Not(Box::new(inner)));
        }
        if self.take("-") {
            let inner = self.nested(Self::unary)?;
            let range = start.cover(inner.range);
            return match inner.part {
                Part::Number(number) => node(range, Part::Number(-number)),
                _ => node(range, Part::Negate(Box::new(inner))),
            };
        }
        let operand = self.operand()?;
        self.postfix(operand)
    }

    /// `.name`, `.name(args)` and `[index]` after an operand.
    fn postfix(&mut self, mut base: Node) -> Parsed {
        loop {
            if self.take(".") {
                let name = self.word()?;
                base = if self.take("(") {
                    let (mut rest, end) = self.items(")")?;
                    let range = base.range.cover(end);
                    rest.insert(0, base);
                    node(range, Part::Call { name, args: rest })?
                } else {
                    node(base.range.cover(name.range), Part::Field { base: Box::new(base), name })?
                };
            } else if self.take("[") {
                let index = self.expression()?;
                let end = self.expect("]", "after the index")?;
                base = node(base.range.cover(end), Part::Index { base: Box::new(base), index: Box::new(index) })?;
            } else {
                return Ok(base);
            }
        }
    }

    fn operand(&mut self) -> Parsed {
        let range = self.range();
        match self.peek().clone() {
            TokenKind::Number(number) => self.leaf(Part::Number(number)),
            TokenKind::Text(text) => self.leaf(Part::Text(text)),
            TokenKind::Name(name) => match name.as_str() {
                "true" => self.leaf(Part::Bool(true)),
                "false" => self.leaf(Part::Bool(false)),
                "in" => Err(self.no_operand()),
                _ => {
                    self.advance();
                    if !self.take("(") {
                        return node(range, Part::Name(name));
                    }
                    let (args, end) = self.items(")")?;
                    node(range.cover(end), Part::Call { name: Word { range, text: name }, args })
                }
            },
            TokenKind::Symbol("(") => {
                self.advance();
                let inner = self.expression()?;
                let range = range.cover(self.expect(")", "to close the bracket")?);
                Ok(Node { range, ..inner })
            }
            TokenKind::Symbol("[") => {
                self.advance();
                let (items, end) = self.items("]")?;
                node(range.cover(end), Part::List(items))
            }
            TokenKind::Symbol(_) | TokenKind::End => Err(self.no_operand()),
        }
    }

    /// Expressions between commas up to the closing bracket; the range is that of the bracket.
    fn items(&mut self, close: &'static str) -> Result<(Vec<Node>, Range), Diagnostic> {
        let mut items = Vec::new();
        loop {
            let end = self.range();
            if self.take(close) {
                return Ok((items, end));
            }
            if !items.is_empty() {
                self.expect(",", "between two values")?;
            }
            if items.len() == LIST_ITEMS_MAX {
                let message = format!("a list has at most {LIST_ITEMS_MAX} values");
                return Err(Diagnostic::new("too_long", self.range(), message));
            }
            items.push(self.expression()?);
        }
    }

    fn leaf(&mut self, part: Part) -> Parsed {
        let range = self.advance().range;
        node(range, part)
    }

    fn word(&mut self) -> Result<Word, Diagnostic> {
        match self.peek().clone() {
            TokenKind::Name(text) => Ok(Word { range: self.advance().range, text }),
            _ => Err(Diagnostic::new("syntax", self.range(), "expected the name of a field after `.`")),
        }
    }

    /// The operator at hand, if one is.
    fn infix(&self) -> Option<(Strength, Infix)> {
        let (strength, operator) = match self.peek() {
            TokenKind::Symbol("||") => return Some((Strength::Or, Infix::Or)),
            TokenKind::Symbol("&&") => return Some((Strength::And, Infix::And)),
            TokenKind::Symbol("==") => (Strength::Comparison, Operator::Equal),
            TokenKind::Symbol("!=") => (Strength::Comparison, Operator::NotEqual),
            TokenKind::Symbol("<") => (Strength::Comparison, Operator::Less),
            TokenKind::Symbol("<=") => (Strength::Comparison, Operator::AtMost),
            TokenKind::Symbol(">") => (Strength::Comparison, Operator::More),
            TokenKind::Symbol(">=") => (Strength::Comparison, Operator::AtLeast),
            TokenKind::Name(name) if name == "in" => (Strength::Comparison, Operator::In),
            TokenKind::Symbol("+") => (Strength::Sum, Operator::Plus),
            TokenKind::Symbol("-") => (Strength::Sum, Operator::Minus),
            TokenKind::Symbol("*") => (Strength::Product, Operator::Times),
            TokenKind::Symbol("/") => (Strength::Product, Operator::Divide),
            TokenKind::Symbol("%") => (Strength::Product, Operator::Remainder),
            _ => return None,
        };
        Some((strength, Infix::Operator(operator)))
    }

    /// Something follows an operand that no operator joins to it.
    fn after_operand(&self) -> Diagnostic {
        let problem = |message: &str| Diagnostic::new("syntax", self.range(), message);
        match self.peek() {
            TokenKind::Symbol("=") => match self.behind() {
                Some(TokenKind::Symbol(turned @ (">" | "<"))) => {
                    problem(&format!("`={turned}` does not compare")).help(format!("write `{turned}=`"))
                }
                _ => problem("`=` does not compare").help("write `==`"),
            },
            TokenKind::Symbol("&") => problem("`&` is no operator").help("write `&&`"),
            TokenKind::Symbol("|") => problem("`|` is no operator").help("write `||`"),
            TokenKind::Name(word) if word == "and" => problem("`and` is no operator").help("write `&&`"),
            TokenKind::Name(word) if word == "or" => problem("`or` is no operator").help("write `||`"),
            TokenKind::End => problem("the expression ends too early"),
            other => problem(&format!("expected an operator before {}", written(other))),
        }
    }

    /// A value should stand here and does not.
    fn no_operand(&self) -> Diagnostic {
        let problem = |message: &str| Diagnostic::new("syntax", self.range(), message);
        match self.peek() {
            TokenKind::End => problem("the expression ends where a value is expected"),
            TokenKind::Symbol("=") => problem("expected a value before `=`").help("`==` compares two values"),
            other => problem(&format!("expected a value before {}", written(other))),
        }
    }

    /// Run one level deeper, unless that is too deep.
    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.nesting > DEPTH_MAX {
            return Err(too_deep(self.range()));
        }
        self.nesting += 1;
        let parsed = inner(self);
        self.nesting -= 1;
        parsed
    }

    fn peek(&self) -> &TokenKind {
        &self.tokens[self.at].kind
    }

    /// The token after this one.
    fn behind(&self) -> Option<&TokenKind> {
        self.tokens.get(self.at + 1).map(|token| &token.kind)
    }

    fn range(&self) -> Range {
        self.tokens[self.at].range
    }

    /// Go past this token; the end stays where it is.
    fn advance(&mut self) -> &Token {
        let token = self.at;
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        &self.tokens[token]
    }

    fn take(&mut self, symbol: &'static str) -> bool {
        let found = *self.peek() == TokenKind::Symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, symbol: &'static str, place: &str) -> Result<Range, Diagnostic> {
        let range = self.range();
        if self.take(symbol) {
            return Ok(range);
        }
        let found = self.after_operand();
        Err(match found.help {
            Some(_) => found,
            None => Diagnostic::new("syntax", range, format!("expected `{symbol}` {place}")),
        })
    }
}

fn join(infix: Infix, left: Node, right: Node) -> Parsed {
    let range = left.range.cover(right.range);
    let part = match (infix, left.part) {
        (Infix::And, Part::And(mut items)) => {
            items.push(right);
            Part::And(items)
        }
        (Infix::Or, Part::Or(mut items)) => {
            items.push(right);
            Part::Or(items)
        }
        (infix, part) => {
            let left = Node { part, ..left };
            match infix {
                Infix::And => Part::And(vec![left, right]),
                Infix::Or => Part::Or(vec![left, right]),
                Infix::Operator(operator) => Part::Binary { operator, left: Box::new(left), right: Box::new(right) },
            }
        }
    };
    node(range, part)
}

fn node(range: Range, part: Part) -> Parsed {
    let mut node = Node { range, depth: 0, part };
    node.depth = 1 + node.children().iter().map(|child| child.depth).max().unwrap_or(0);
    if node.depth > DEPTH_MAX { Err(too_deep(range)) } else { Ok(node) }
}

fn too_deep(range: Range) -> Diagnostic {
    Diagnostic::new("too_deep", range, format!("parts stand more than {DEPTH_MAX} deep inside one another"))
        .help("split the expression over variables with `set`")
}

fn written(token: &TokenKind) -> String {
    match token {
        TokenKind::Number(number) => format!("`{number}`"),
        TokenKind::Text(_) => "a text".to_owned(),
        TokenKind::Name(name) => format!("`{name}`"),
        TokenKind::Symbol(symbol) => format!("`{symbol}`"),
        TokenKind::End => "the end".to_owned(),
    }
}
