//! Which types fit where. Literals follow their place: `0` is money beside money, `"damaged"` a word beside an enumeration.

use super::{Checker, inner};
use crate::money::{Money, Price};
use crate::value::{Type, Value};
use crate::workflow::diagnostic::{Diagnostic, suggest};
use crate::workflow::expr::typed::{Op, Typed, nothing, noun};

/// Whether a part fits its place.
pub(super) enum Fit {
    Yes(Typed),
    /// It does not; nothing is reported yet.
    No(Typed),
    /// It would, but for a problem inside it.
    Reported,
}

/// Whether two parts are of one type.
pub(super) enum Pair {
    /// They are, of this one.
    Same(Typed, Typed, Type),
    /// They are not; nothing is reported yet.
    Differ(Typed, Typed),
    /// They would be, but for a problem inside one.
    Reported,
}

impl Checker<'_> {
    /// The part, as the type that its place needs.
    pub(super) fn expect(&mut self, typed: Typed, kind: &Type) -> Option<Typed> {
        let typed = if matches!(kind, Type::Optional(_)) { typed } else { self.present(typed)? };
        match self.convert(typed, kind) {
            Fit::Yes(typed) => Some(typed),
            Fit::No(typed) => {
                let message = format!("expected {}, found {}", noun(kind), noun(&typed.kind));
                let problem = Diagnostic::new("wrong_type", typed.focus, message);
                self.report(match hint(kind, &typed.kind, self.scope.currency.exponent()) {
                    Some(hint) => problem.help(hint),
                    None => problem,
                })
            }
            Fit::Reported => None,
        }
    }

    /// The part, as this type, if it fits there.
    pub(super) fn convert(&mut self, typed: Typed, to: &Type) -> Fit {
        let Typed { range, focus, kind, op } = typed;
        match (op, to) {
            (op, Type::Optional(to)) if !matches!(kind, Type::Optional(_)) => {
                self.convert(Typed { range, focus, kind, op }, to)
            }
            (Op::Literal(Value::Number(number)), Type::Money) => match Money::new(number, self.scope.currency) {
                Ok(money) => Fit::Yes(Typed::literal(range, Type::Money, Value::Money(money))),
                Err(error) => {
                    self.problems.push(Diagnostic::new("bad_literal", range, error.to_string()));
                    Fit::Reported
                }
            },
            (Op::Literal(Value::Number(number)), Type::Price) => {
                let price = Price::new(number, self.scope.currency);
                Fit::Yes(Typed::literal(range, Type::Price, Value::Price(price)))
            }
            (Op::Literal(Value::Text(word)), Type::Enum(words)) if *to != nothing() => {
                if words.contains(&word) {
                    return Fit::Yes(Typed::literal(range, to.clone(), Value::Text(word)));
                }
                let message = format!("\"{word}\" is not one of {}", words.join("|"));
                let problem = Diagnostic::new("bad_enum_word", range, message);
                let close = suggest(&word, words.iter().map(String::as_str));
                self.problems.push(match close {
                    Some(close) => problem.help(format!("did you mean \"{close}\"?")),
                    None => problem,
                });
                Fit::Reported
            }
            (Op::List(items), Type::List(item)) => {
                let items: Vec<_> = items.into_iter().map(|typed| self.expect(typed, item)).collect();
                match items.into_iter().collect() {
                    Some(items) => Fit::Yes(Typed { range, focus, kind: to.clone(), op: Op::List(items) }),
                    None => Fit::Reported,
                }
            }
            (Op::Choice { test, yes, no }, _) if yes.is_literal() || no.is_literal() => {
                match (self.convert(*yes, to), self.convert(*no, to)) {
                    (Fit::Yes(yes), Fit::Yes(no)) => {
                        let op = Op::Choice { test, yes: Box::new(yes), no: Box::new(no) };
                        Fit::Yes(Typed { range, focus, kind: to.clone(), op })
                    }
                    (Fit::Yes(yes) | Fit::No(yes), Fit::Yes(no) | Fit::No(no)) => {
                        let op = Op::Choice { test, yes: Box::new(yes), no: Box::new(no) };
                        Fit::No(Typed { range, focus, kind, op })
                    }
                    _ => Fit::Reported,
                }
            }
            (op, to) if fits(&kind, to) => Fit::Yes(Typed { range, focus, kind, op }),
            (op, to) if inner(kind.clone()) == Type::Money && widens(&kind, to) => {
                let money = Typed { range, focus, kind, op };
                Fit::Yes(Typed { range, focus, kind: to.clone(), op: Op::Widen(Box::new(money)) })
            }
            (op, _) => Fit::No(Typed { range, focus, kind, op }),
        }
    }

    /// Two parts as one type, if there is one that holds both.
    pub(super) fn pair(&mut self, left: Typed, right: Typed) -> Pair {
        let (left, right) = if right.is_literal() {
            match self.convert(right, &left.kind) {
                Fit::Yes(right) => return same(left, right),
                Fit::No(right) => (left, right),
                Fit::Reported => return Pair::Reported,
            }
        } else {
            (left, right)
        };
        let left = if left.is_literal() || widens(&left.kind, &right.kind) {
            match self.convert(left, &right.kind) {
                Fit::Yes(left) => return same(left, right),
                Fit::No(left) => left,
                Fit::Reported => return Pair::Reported,
            }
        } else {
            left
        };
        if fits(&left.kind, &right.kind) || fits(&right.kind, &left.kind) || overlap(&left.kind, &right.kind) {
            return same(left, right);
        }
        if !widens(&right.kind, &left.kind) {
            return Pair::Differ(left, right);
        }
        match self.convert(right, &left.kind) {
            Fit::Yes(right) => same(left, right),
            Fit::No(right) => Pair::Differ(left, right),
            Fit::Reported => Pair::Reported,
        }
    }
}

/// Whether every value of one type is one of the other, unchanged.
pub(super) fn fits(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Optional(from), Type::Optional(to)) => fits(from, to),
        (from, Type::Optional(to)) => fits(from, to),
        (Type::Enum(from), Type::Enum(to)) => from.iter().all(|word| to.contains(word)),
        // An enumeration without words stands for the items of an empty list, and those fit everywhere.
        (Type::Enum(words), to) => *to == Type::Text || words.is_empty(),
        (Type::List(from), Type::List(to)) => fits(from, to),
        (Type::Object(from), Type::Object(to)) => {
            from.keys().all(|name| to.contains_key(name))
                && to.iter().all(|(name, to)| match from.get(name) {
                    Some(from) => fits(from, to),
                    None => matches!(to, Type::Optional(_)),
                })
        }
        (from, to) => from == to,
    }
}

/// Whether money stands where a price is needed; the amount stays the same.
fn widens(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Money, Type::Price) => true,
        (Type::Optional(from), Type::Optional(to)) => widens(from, to),
        (from, Type::Optional(to)) => widens(from, to),
        _ => false,
    }
}

/// Whether two enumerations have a word in common.
fn overlap(left: &Type, right: &Type) -> bool {
    matches!((left, right), (Type::Enum(left), Type::Enum(right)) if left.iter().any(|word| right.contains(word)))
}

fn same(left: Typed, right: Typed) -> Pair {
    let kind = match (&left.kind, &right.kind) {
        (left, right) if fits(left, right) => right.clone(),
        (Type::Enum(left), Type::Enum(right)) if !overlap_all(left, right) => {
            let more = right.iter().filter(|word| !left.contains(word));
            Type::Enum(left.iter().chain(more).cloned().collect())
        }
        (left, _) => left.clone(),
    };
    Pair::Same(left, right, kind)
}

fn overlap_all(left: &[String], right: &[String]) -> bool {
    right.iter().all(|word| left.contains(word))
}

/// How to make one type of another, where that is a function away.
pub(super) fn hint(wanted: &Type, found: &Type, exponent: u32) -> Option<String> {
    match (wanted, found) {
        (Type::Money, Type::Price) => Some(format!("round it to what can be paid: `round(…, {exponent})`")),
        (Type::Money, Type::Number) => Some("`money(…)` makes an amount of a number".to_owned()),
        (Type::Price, Type::Number) => Some("`price(…)` makes an amount of a number".to_owned()),
        (Type::Number, Type::Text) => Some("`number(…)` reads a number from a text".to_owned()),
        (Type::Date, Type::Instant) => Some("`date(…)` gives the day of an instant".to_owned()),
        (Type::Date, Type::Text) => Some("write a day as `date(\"2026-01-31\")`".to_owned()),
        (Type::Instant, Type::Text) => Some("`instant(text, format, zone)` reads an instant from a text".to_owned()),
        (Type::Duration, Type::Text | Type::Number) => Some("write a span as `duration(\"30d\")`".to_owned()),
        (Type::Instant, Type::Duration) => Some("`now + …` is that much later than now".to_owned()),
        (Type::Enum(words), Type::Text) if words.len() > 1 => {
            Some(format!("a text may be anything: declare it as `[{}]`", words.join(", ")))
        }
        (Type::Text, Type::Enum(_) | Type::List(_) | Type::Object(_) | Type::Optional(_)) => None,
        (Type::Text, _) => Some("`text(…)` writes a value as text".to_owned()),
        _ => None,
    }
}
