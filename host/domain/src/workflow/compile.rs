//! Expressions where they stand in a document: which fields take them, and their problems at the right place of the file.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::value::Type;
use crate::workflow::diagnostic::{Diagnostic, Range};
use crate::workflow::expr::{Expr, Scope, Template, is_function, noun};
use crate::workflow::literal::literal;
use crate::workflow::reader::At;
use crate::workflow::yaml::{Kind, Style};

/// Compiles the expressions of one place of a document.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// The names that may be read here.
    pub scope: Scope,
    /// Names that exist elsewhere in the document but not here, and why.
    pub absent: BTreeMap<Name, Absence>,
    /// Names that may be absent here, and why.
    pub uncertain: BTreeMap<Name, String>,
    /// Names whose type is unknown because their definition was reported already; nothing more is said about them.
    pub broken: BTreeSet<Name>,
    /// The paths that were read so far without being asked for with `has`, shared by all compilers of one document.
    pub read: Rc<RefCell<BTreeSet<String>>>,
}

/// A name as an expression may write it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// By itself, as `case`.
    Root(String),
    /// As a field of `steps` or `vars`.
    Field(&'static str, String),
    /// As a field of anything else.
    AnyField(String),
}

/// Why a name cannot be read here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Compiler {
    /// A compiler for these names.
    pub fn new(scope: Scope) -> Self {
        let (absent, uncertain, broken, read) = Default::default();
        Self { scope, absent, uncertain, broken, read }
    }

    /// A field that is always a condition: no `=` in front.
    pub fn condition(&self, at: &At<'_>) -> Option<Expr> {
        let text = self.bare_text(at)?;
        self.compile(at, text, 0, Some(&Type::Bool))
    }

    /// A field of a known type: an expression after `=`, or a plain literal.
    pub fn value(&self, at: &At<'_>, expected: &Type) -> Option<Expr> {
        if at.is_expression() {
            return self.expression(at, Some(expected));
        }
        if at.is_nothing() {
            return at.missing_value();
        }
        if let Some(looks) = self.forgotten_sign(at, expected) {
            return at.refuse_with("wrong_type", format!("expected {}, found a text", noun(expected)), looks);
        }
        let written = if let Type::Optional(inner) = expected { inner } else { expected };
        literal(at, written, self.scope.currency).map(|value| Expr::constant(value, written.clone()))
    }

    /// A field of any type: an expression after `=`, or a plain literal whose type is seen by how it is written.
    pub fn any_value(&self, at: &At<'_>) -> Option<Expr> {
        let kind = match &at.node().kind {
            Kind::Scalar(_) if at.is_expression() => return self.expression(at, None),
            Kind::Scalar(scalar) if scalar.is_number() => Type::Number,
            Kind::Scalar(scalar) if scalar.is_bool() => Type::Bool,
            Kind::Scalar(_) => Type::Text,
            _ => return at.wrong_type("a text, a number, true or false, or an expression after `=`"),
        };
        self.value(at, &kind)
    }

    /// An amount of money that goes one way: a literal is not below nothing.
    pub fn amount(&self, at: &At<'_>) -> Option<Expr> {
        let amount = self.value(at, &Type::Money)?;
        match &at.node().kind {
            Kind::Scalar(scalar) if scalar.is_number() && scalar.text.starts_with('-') => {
                at.refuse("bad_literal", "an amount is not below zero")
            }
            _ => Some(amount),
        }
    }

    /// A field that takes nothing but an expression after `=`.
    pub fn expression(&self, at: &At<'_>, expected: Option<&Type>) -> Option<Expr> {
        if !at.is_expression() {
            const WANTED: &str = "an expression after `=`";
            return match self.written_without_sign(at) {
                Some(help) => at.refuse_with("wrong_type", format!("expected {WANTED}, found a text"), help),
                None => at.wrong_type(WANTED),
            };
        }
        let text = &at.scalar("an expression")?.text;
        not_folded(at)?;
        self.compile(at, &text[1..], 1, expected)
    }

    /// Text with `{{ expression }}` in it.
    pub fn template(&self, at: &At<'_>) -> Option<Template> {
        let text = at.text()?;
        let template = Template::compile(text, &self.scope).map_err(|found| self.report(at, text, 0, found)).ok()?;
        template.expressions().for_each(|expr| self.note(expr));
        Some(template)
    }

    /// The text of a field that takes an expression without `=`.
    pub fn bare_text<'d>(&self, at: &At<'d>) -> Option<&'d str> {
        let Kind::Scalar(scalar) = &at.node().kind else { return at.wrong_type("an expression") };
        not_folded(at)?;
        if scalar.text.starts_with('=') {
            let found = Diagnostic::new(
                "leading_equals",
                Range::new(0, 1),
                "this field is always an expression and takes no `=`",
            );
            return at.report_inside(found.help("remove the `=`"));
        }
        Some(&scalar.text)
    }

    /// Compile a part of a scalar's text that begins at `offset`.
    pub fn compile(&self, at: &At<'_>, part: &str, offset: usize, expected: Option<&Type>) -> Option<Expr> {
        let found = match Expr::compile(part, &self.scope, expected) {
            Ok(expr) => {
                self.note(&expr);
                return Some(expr);
            }
            Err(found) => found,
        };
        // A condition asks with `&&`; any other value leaves the asking to its step.
        let is_condition = expected == Some(&Type::Bool);
        let found = found.into_iter().map(|one| if is_condition { one } else { asked_by_the_step(one) });
        self.report(at, part, offset, found.collect());
        None
    }

    fn note(&self, expr: &Expr) {
        self.read.borrow_mut().extend(expr.reads().difference(expr.guards()).cloned());
    }

    fn report(&self, at: &At<'_>, part: &str, offset: usize, found: Vec<Diagnostic>) {
        for diagnostic in found {
            if let Some(diagnostic) = self.explained(part, diagnostic) {
                at.report_inside::<()>(diagnostic.shifted(offset));
            }
        }
    }

    /// A name that exists, only not here, is explained; one that was reported already is passed over.
    fn explained(&self, part: &str, diagnostic: Diagnostic) -> Option<Diagnostic> {
        let Some(name) = named(part, diagnostic.range) else { return Some(diagnostic) };
        match diagnostic.code.as_str() {
            "unknown_name" | "unknown_field" if self.broken.contains(&name) => None,
            "unknown_name" | "unknown_field" => Some(match self.absent.get(&name) {
                Some(absence) => {
                    Diagnostic { message: absence.message.clone(), help: Some(absence.help.clone()), ..diagnostic }
                }
                None => diagnostic,
            }),
            "not_guarded" => Some(match self.uncertain.get(&name) {
                Some(why) => Diagnostic { message: format!("{}: {why}", diagnostic.message), ..diagnostic },
                None => diagnostic,
            }),
            _ => Some(diagnostic),
        }
    }

    /// The same compiler where a condition holds: what it asked for with `has` is there.
    pub fn where_holds(self, condition: Option<&Expr>) -> Self {
        let Some(condition) = condition.filter(|condition| !condition.guards().is_empty()) else { return self };
        let scope = self.scope.with_guards(condition.guards().iter().map(String::as_str));
        Self { scope, ..self }
    }

    /// A text where a number or the like is expected and that names a root: the `=` was forgotten.
    fn forgotten_sign(&self, at: &At<'_>, expected: &Type) -> Option<String> {
        let inner = if let Type::Optional(inner) = expected { inner } else { expected };
        let Kind::Scalar(scalar) = &at.node().kind else { return None };
        match inner {
            Type::Text => None,
            // A word may be the name of a variable by chance; a path or a call is no word.
            Type::Enum(_) if !scalar.text.contains(['.', '(']) => None,
            _ => self.written_without_sign(at),
        }
    }

    /// For a plain text that begins with a name that can be read here, or with a call: the expression that it would be.
    fn written_without_sign(&self, at: &At<'_>) -> Option<String> {
        let Kind::Scalar(scalar) = &at.node().kind else { return None };
        let word = scalar.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
        let calls = is_function(word) && scalar.text[word.len()..].starts_with('(');
        let known = self.scope.roots.contains_key(word) || self.broken.contains(&Name::Root(word.to_owned()));
        let names = scalar.style == Style::Plain && (known || calls);
        names.then(|| format!("an expression begins with `=`: ={}", scalar.text))
    }
}

/// What may be absent where no condition stands: the step itself can ask for it.
fn asked_by_the_step(found: Diagnostic) -> Diagnostic {
    let asked = found.help.as_deref().and_then(|help| help.strip_prefix("ask first, `has(")?.split_once(") && …`"));
    let Some((path, rest)) = asked else { return found };
    let help = format!("let the step ask first, `when: has({path})`{rest}");
    found.help(help)
}

/// Folding changes the text, so nothing in it could be pointed at.
fn not_folded(at: &At<'_>) -> Option<()> {
    match &at.node().kind {
        Kind::Scalar(scalar) if scalar.style == Style::Folded => at.refuse_with(
            "folded_expression",
            "an expression cannot be a folded text (`>`)",
            "write it in one line, or after `|`",
        ),
        _ => Some(()),
    }
}

/// The name that a range of an expression is.
fn named(part: &str, range: Range) -> Option<Name> {
    let text = part.get(range.start..range.end)?.to_owned();
    let before = part[..range.start].trim_end();
    let Some(object) = before.strip_suffix('.') else { return Some(Name::Root(text)) };
    Some(match ["steps", "vars"].into_iter().find(|root| ends_with_name(object, root)) {
        Some(root) => Name::Field(root, text),
        None => Name::AnyField(text),
    })
}

fn ends_with_name(text: &str, name: &str) -> bool {
    text.trim_end()
        .strip_suffix(name)
        .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.'))
}
