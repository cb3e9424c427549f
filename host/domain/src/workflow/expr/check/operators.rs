//! Types of operators. Different types neither compare nor add up; a division must be rounded.

use super::convert::{self, Pair};
use super::{Checker, Place};
use crate::value::Type;
use crate::workflow::diagnostic::{Diagnostic, Range};
use crate::workflow::expr::ast::{Node, Operator};
use crate::workflow::expr::typed::{Op, Typed, noun};

impl Checker<'_> {
    pub(super) fn binary(
        &mut self,
        range: Range,
        operator: Operator,
        left: &Node,
        right: &Node,
        place: Place<'_>,
    ) -> Option<Typed> {
        use Operator as O;
        let arithmetic = matches!(operator, O::Plus | O::Minus | O::Times | O::Divide | O::Remainder);
        let inside = if arithmetic { place } else { Place::plain(place.guards) };
        let left = self.value(left, inside);
        let right = self.value(right, inside);
        if operator == O::Divide && !place.rounding {
            let problem = Diagnostic::new("needs_round", range, "a division must say where its digits end");
            self.problems.push(problem.help(format!("write `round({}, 2)`", self.text(range))));
        }
        let (left, right) = (left?, right?);
        match operator {
            O::In => self.membership(range, left, right),
            _ if arithmetic => self.arithmetic(range, operator, left, right),
            _ => self.comparison(range, operator, left, right),
        }
    }

    pub(super) fn negate(&mut self, range: Range, inner: &Node, place: Place<'_>) -> Option<Typed> {
        let inner = self.value(inner, place)?;
        match inner.kind {
            Type::Number | Type::Money | Type::Price | Type::Duration => {
                Some(Typed::new(range, inner.kind.clone(), Op::Negate(Box::new(inner))))
            }
            _ => self.wrong(inner.focus, format!("{} has no negative", noun(&inner.kind))),
        }
    }

    fn comparison(&mut self, range: Range, operator: Operator, left: Typed, right: Typed) -> Option<Typed> {
        match self.pair(left, right) {
            Pair::Same(left, right, kind) => {
                let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
                if !(if ordered { has_order(&kind) } else { has_equality(&kind) }) {
                    let what = if ordered { "order" } else { "equality" };
                    let message = format!("{} has no {what}: `{}` does not work on it", noun(&kind), operator.symbol());
                    return self.wrong(range, message);
                }
                let op = Op::Compare { operator, left: Box::new(left), right: Box::new(right) };
                Some(Typed::new(range, Type::Bool, op))
            }
            Pair::Differ(left, right) => self.different(range, &left, &right),
            Pair::Reported => None,
        }
    }

    fn membership(&mut self, range: Range, item: Typed, list: Typed) -> Option<Typed> {
        let Type::List(inner) = list.kind.clone() else {
            let message = format!("expected a list after `in`, found {}", noun(&list.kind));
            let problem = Diagnostic::new("wrong_type", list.focus, message);
            let text = matches!(list.kind, Type::Text | Type::Enum(_));
            return self.report(if text {
                problem.help("a part of a text is found by `contains(text, part)`")
            } else {
                problem
            });
        };
        // Literals follow what is known: items of the list the item, or the item a model of those in the list.
        let (model, focus) = (Typed::new(list.range, *inner, Op::Root(String::new())), list.focus);
        let (item, list) = if list.is_literal() && !item.is_literal() {
            let wanted = item.kind.clone().list();
            (item, self.expect(list, &wanted)?)
        } else {
            match self.pair(item, model) {
                Pair::Same(item, model, _) if model.kind.clone().list() == list.kind => (item, list),
                Pair::Same(item, model, _) | Pair::Differ(item, model) => {
                    return self.different(range, &item, &Typed { focus, ..model });
                }
                Pair::Reported => return None,
            }
        };
        if !has_equality(&item.kind) {
            return self.wrong(item.focus, format!("{} has no equality: `in` does not work on it", noun(&item.kind)));
        }
        Some(Typed::new(range, Type::Bool, Op::In { item: Box::new(item), list: Box::new(list) }))
    }

    fn arithmetic(&mut self, range: Range, operator: Operator, left: Typed, right: Typed) -> Option<Typed> {
        let additive = matches!(operator, Operator::Plus | Operator::Minus);
        let (left, right) = if additive && (is_amount(&left.kind) || is_amount(&right.kind)) {
            match self.pair(left, right) {
                Pair::Same(left, right, _) | Pair::Differ(left, right) => (left, right),
                Pair::Reported => return None,
            }
        } else {
            (left, right)
        };
        let Some(kind) = result(operator, &left.kind, &right.kind) else {
            let (symbol, a, b) = (operator.symbol(), noun(&left.kind), noun(&right.kind));
            let focus = if right.is_literal() { right.range } else { range };
            let problem = Diagnostic::new("wrong_type", focus, format!("`{symbol}` does not work on {a} and {b}"));
            return self.report(match advice(&left.kind, &right.kind) {
                Some(advice) => problem.help(advice),
                None => problem,
            });
        };
        let exact = !left.is_approximate() && !right.is_approximate();
        let op = Op::Arithmetic { operator, left: Box::new(left), right: Box::new(right), exact };
        Some(Typed::new(range, kind, op))
    }

    /// Two types met that do not compare; a literal among them is what is wrong.
    fn different(&mut self, range: Range, left: &Typed, right: &Typed) -> Option<Typed> {
        let focus = match (left.is_literal(), right.is_literal()) {
            (_, true) => right.range,
            (true, false) => left.range,
            (false, false) => range,
        };
        let message = format!("cannot compare {} with {}", noun(&left.kind), noun(&right.kind));
        let problem = Diagnostic::new("wrong_type", focus, message);
        let exponent = self.scope.currency.exponent();
        let ways = [(&left.kind, &right.kind), (&right.kind, &left.kind)];
        let hint = ways.into_iter().filter(|(wanted, _)| **wanted != Type::Text);
        let hint = hint.filter_map(|(wanted, found)| convert::hint(wanted, found, exponent)).next();
        self.report(match hint {
            Some(hint) => problem.help(hint),
            None => problem,
        })
    }
}

fn is_amount(kind: &Type) -> bool {
    matches!(kind, Type::Money | Type::Price)
}

fn has_order(kind: &Type) -> bool {
    matches!(kind, Type::Number | Type::Money | Type::Price | Type::Date | Type::Instant | Type::Duration)
}

fn has_equality(kind: &Type) -> bool {
    match kind {
        Type::List(inner) => has_equality(inner),
        kind => has_order(kind) || matches!(kind, Type::Bool | Type::Text | Type::Enum(_)),
    }
}

/// The type of a sum, a product and their like; none where there is no such thing.
fn result(operator: Operator, left: &Type, right: &Type) -> Option<Type> {
    use Operator::{Divide, Minus, Plus, Remainder, Times};
    use Type::{Duration, Enum, Instant, Money, Number, Price, Text};
    match (operator, left, right) {
        (Plus | Minus | Times | Divide | Remainder, Number, Number) => Some(Number),
        (Plus | Minus, Money, Money) => Some(Money),
        (Plus | Minus, Price, Price) => Some(Price),
        (Times | Divide, Money | Price, Number) | (Times, Number, Money | Price) => Some(Price),
        (Divide, Money | Price, Money | Price) => Some(Number),
        (Plus, Text | Enum(_), Text | Enum(_)) => Some(Text),
        (Minus, Instant, Instant) | (Plus | Minus, Duration, Duration) => Some(Duration),
        (Plus | Minus, Instant, Duration) | (Plus, Duration, Instant) => Some(Instant),
        _ => None,
    }
}

fn advice(left: &Type, right: &Type) -> Option<&'static str> {
    match (left, right) {
        (Type::Date | Type::Instant, Type::Date | Type::Instant) => Some("count days with `days_between(from, to)`"),
        (Type::Date, _) => Some("count days on with `add_days(date, days)`"),
        (Type::Instant, Type::Number | Type::Text) => Some("write a span as `duration(\"30d\")`, or use `add_days`"),
        (Type::Money | Type::Price, Type::Number) | (Type::Number, Type::Money | Type::Price) => {
            Some("`money(…)` or `price(…)` makes an amount of a number")
        }
        (Type::Text, Type::Number) | (Type::Number, Type::Text) => {
            Some("`number(…)` reads a number from a text, `text(…)` writes one")
        }
        (Type::Text, _) | (_, Type::Text) => Some("`text(…)` writes a value as text"),
        _ => None,
    }
}
