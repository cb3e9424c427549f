//! Types of calls, driven by the table of functions; `has`, `orElse` and the loops have rules of their own.

use chrono::NaiveDate;
use regex::RegexBuilder;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::convert::Pair;
use super::{Checker, Place, inner};
use crate::money::Rounding;
use crate::value::{Type, Value};
use crate::workflow::diagnostic::{Diagnostic, Range, suggest};
use crate::workflow::expr::ast::{Node, Part, Word};
use crate::workflow::expr::functions::time::{Format, span};
use crate::workflow::expr::functions::{self, Function, Param, Returns, Run};
use crate::workflow::expr::typed::{Form, Op, Settings, Typed, noun};

/// How many loops may stand inside one another.
const LOOPS_MAX: usize = 2;
/// How large a compiled pattern may be.
const PATTERN_BYTES_MAX: usize = 256 * 1_024;

impl Checker<'_> {
    pub(super) fn call(&mut self, node: &Node, name: &Word, args: &[Node], place: Place<'_>) -> Option<Typed> {
        let Some(function) = functions::find(&name.text) else { return self.unknown_function(name, args, place) };
        let (most, form) = match function.run {
            Run::Has => (1, true),
            Run::OrElse => (2, true),
            Run::Loop(_) => (3, true),
            Run::Literal | Run::Of(_) => (function.params.len(), false),
        };
        let least = if form { most } else { most - function.optional };
        if !(least..=most).contains(&args.len()) {
            let wanted = if least == most { most.to_string() } else { format!("{least} or {most}") };
            let plural = if most == 1 { "" } else { "s" };
            let message = format!("`{}` takes {wanted} argument{plural}, found {}", name.text, args.len());
            let problem = Diagnostic::new("wrong_arguments", name.range, message);
            return self.report(problem.help(format!("it is written `{}`", function.signature)));
        }
        match function.run {
            Run::Has => self.has(node.range, &args[0], place),
            Run::OrElse => self.or_else(node.range, &args[0], &args[1], place),
            Run::Loop(form) => self.each(node.range, form, name, args, place),
            Run::Literal | Run::Of(_) => self.ordinary(node.range, function, args, place),
        }
    }

    fn unknown_function(&mut self, name: &Word, args: &[Node], place: Place<'_>) -> Option<Typed> {
        let close = suggest(&name.text, functions::functions().iter().map(|function| function.name));
        let problem = Diagnostic::new("unknown_function", name.range, format!("unknown function `{}`", name.text));
        // The arguments of a misspelt loop name its element, so that they cannot be checked on their own.
        if close.and_then(functions::find).is_none_or(|function| matches!(function.run, Run::Of(_) | Run::Literal)) {
            for arg in args {
                self.part(arg, place);
            }
        }
        self.report(match close {
            Some(close) => problem.help(format!("did you mean `{close}`?")),
            None => problem,
        })
    }

    fn has(&mut self, range: Range, path: &Node, place: Place<'_>) -> Option<Typed> {
        if path.path().is_none() {
            let message = "expected the path of a field here, as in `has(case.note)`";
            return self.wrong(path.range, message.to_owned());
        }
        let path = self.part(path, Place { absent: true, ..place })?;
        Some(Typed::new(range, Type::Bool, Op::Has(Box::new(path))))
    }

    fn or_else(&mut self, range: Range, value: &Node, default: &Node, place: Place<'_>) -> Option<Typed> {
        let value = self.part(value, Place { absent: true, ..place });
        let default = self.part(default, place);
        let value = value?;
        let value = Typed { kind: inner(value.kind), ..value };
        match self.pair(value, default?) {
            Pair::Same(value, default, kind) => {
                let op = Op::OrElse { value: Box::new(value), default: Box::new(default) };
                Some(Typed::new(range, kind, op))
            }
            Pair::Differ(value, default) => {
                let message = format!("the value is {}, the default {}", noun(&value.kind), noun(&default.kind));
                self.wrong(default.focus, message)
            }
            Pair::Reported => None,
        }
    }

    fn each(&mut self, range: Range, form: Form, word: &Word, args: &[Node], place: Place<'_>) -> Option<Typed> {
        let [list, element, body] = args else { return None };
        let list = self.value(list, place);
        let Part::Name(name) = &element.part else {
            let message = format!("`{0}` names its element first, as in `list.{0}(x, …)`", word.text);
            return self.wrong(element.range, message);
        };
        if self.scope.roots.contains_key(name) || self.locals.iter().any(|(known, _)| known == name) {
            let message = format!("`{name}` is the name of something else here");
            return self
                .report(Diagnostic::new("name_taken", element.range, message).help("name the element differently"));
        }
        let level = self.locals.len();
        if level == LOOPS_MAX {
            let message = format!("loops stand more than {LOOPS_MAX} deep inside one another");
            return self.report(Diagnostic::new("too_deep", word.range, message));
        }
        let list = list?;
        let Type::List(item) = list.kind.clone() else {
            let message = format!("expected a list before `{}`, found {}", word.text, noun(&list.kind));
            return self.wrong(list.focus, message);
        };
        self.locals.push((name.clone(), *item));
        let body = if form == Form::Map { self.value(body, place) } else { self.condition(body, place) };
        self.locals.pop();
        let body = body?;
        let kind = match form {
            Form::Exists | Form::All => Type::Bool,
            Form::Filter => list.kind.clone(),
            Form::Map => body.kind.clone().list(),
        };
        Some(Typed::new(range, kind, Op::Loop { form, list: Box::new(list), level, body: Box::new(body) }))
    }

    /// A function of values and of literals.
    fn ordinary(
        &mut self,
        range: Range,
        function: &'static Function,
        args: &[Node],
        place: Place<'_>,
    ) -> Option<Typed> {
        let mut settings = Settings::giving(Type::Bool);
        if function.calendar {
            settings.calendar = self.scope.calendar.clone();
            if settings.calendar.is_none() {
                let message = format!("`{}` counts by a calendar, and there is none", function.name);
                let problem = Diagnostic::new("missing_calendar", range, message);
                let help = "as `calendar: { hours: \"Mon-Fri 09:00-17:00\", holidays: de }` in the document";
                self.problems.push(problem.help(help));
                return None;
            }
        }
        let mut typed = Vec::new();
        let mut known = None;
        let mut good = true;
        for (param, arg) in function.params.iter().zip(args) {
            let literal = match &arg.part {
                Part::Text(text) => self.literal_text(*param, arg.range, text, &mut settings, &mut known),
                Part::Number(digits) if *param == Param::Digits => self.digits(arg.range, *digits, &mut settings),
                Part::Name(word) if *param == Param::Rounding => self.rounding(arg.range, word, &mut settings),
                _ => None,
            };
            good &= match literal {
                Some(understood) => understood,
                None if is_literal(*param) => self.wanted(*param, arg.range),
                None => match self.argument(function, *param, arg, place) {
                    Some(arg) => {
                        typed.push(arg);
                        true
                    }
                    None => false,
                },
            };
        }
        if let (true, Some((kind, value))) = (good, known) {
            return Some(Typed::literal(range, kind, value));
        }
        let typed = if good { self.together(function, typed)? } else { return None };
        settings.result = result(function.result, typed.first().map(|first| &first.kind));
        if function.result == Returns::Rounded && settings.result == Type::Money {
            let (currency, exponent) = (self.scope.currency, self.scope.currency.exponent());
            if settings.digits > exponent {
                let message = format!("{currency} has {exponent} decimals");
                return self.report(Diagnostic::new("bad_literal", args[1].range, message));
            }
        }
        let kind = settings.result.clone();
        Some(Typed::new(range, kind, Op::Call { function, args: typed, settings }))
    }

    /// An argument that is computed.
    fn argument(&mut self, function: &Function, param: Param, arg: &Node, place: Place<'_>) -> Option<Typed> {
        let rounding = function.result == Returns::Rounded;
        let typed = self.value(arg, Place { rounding, ..place })?;
        if accepts(param, &typed.kind) {
            return Some(typed);
        }
        let message = format!("`{}` expects {} here, found {}", function.name, wanted(param), noun(&typed.kind));
        self.wrong(typed.focus, message)
    }

    /// Arguments that have to be of one type.
    fn together(&mut self, function: &Function, mut args: Vec<Typed>) -> Option<Vec<Typed>> {
        if function.params != [Param::Ordered, Param::Ordered] {
            return Some(args);
        }
        let (second, first) = (args.pop()?, args.pop()?);
        match self.pair(first, second) {
            Pair::Same(first, second, _) => Some(vec![first, second]),
            Pair::Differ(first, second) => {
                let (a, b) = (noun(&first.kind), noun(&second.kind));
                self.wrong(second.focus, format!("`{}` expects two of a kind, found {a} and {b}", function.name))
            }
            Pair::Reported => None,
        }
    }

    /// A text where a literal is wanted; none where any text may stand. The answer is whether it was understood.
    fn literal_text(
        &mut self,
        param: Param,
        range: Range,
        text: &str,
        settings: &mut Settings,
        known: &mut Option<(Type, Value)>,
    ) -> Option<bool> {
        let problem = match param {
            Param::Day => match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
                Ok(date) if text.len() == 10 => {
                    *known = Some((Type::Date, Value::Date(date)));
                    return Some(true);
                }
                _ => "not a day; write it as 2026-01-31".to_owned(),
            },
            Param::Span => match span(text) {
                Some(span) => {
                    *known = Some((Type::Duration, Value::Duration(span)));
                    return Some(true);
                }
                None => "not a span of time; write it as 90s, 15m, 4h or 30d".to_owned(),
            },
            Param::Pattern => match RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build() {
                Ok(pattern) => {
                    settings.pattern = Some(pattern);
                    return Some(true);
                }
                // The first lines of the library's message draw the pattern; the last one says what is wrong.
                Err(error) => {
                    let reason = error.to_string();
                    let reason = reason.lines().last().unwrap_or_default();
                    format!("not a pattern: {}", reason.trim_start_matches("error: "))
                }
            },
            Param::Format => match Format::new(text) {
                Ok(format) => {
                    settings.format = Some(format);
                    return Some(true);
                }
                Err(reason) => format!("the format {reason}"),
            },
            Param::Zone => match text.parse() {
                Ok(zone) => {
                    settings.zone = Some(zone);
                    return Some(true);
                }
                Err(_) => "not a time zone; write it as Europe/London".to_owned(),
            },
            Param::Rounding => return self.rounding(range, text, settings),
            _ => return None,
        };
        self.problems.push(Diagnostic::new("bad_literal", range, problem));
        Some(false)
    }

    fn digits(&mut self, range: Range, digits: Decimal, settings: &mut Settings) -> Option<bool> {
        let digits = digits.is_integer().then(|| digits.to_u32()).flatten().filter(|digits| *digits <= 28);
        settings.digits = digits.unwrap_or_default();
        if digits.is_none() {
            self.problems.push(Diagnostic::new("bad_literal", range, "rounding is to 0 to 28 decimals"));
        }
        Some(digits.is_some())
    }

    fn rounding(&mut self, range: Range, word: &str, settings: &mut Settings) -> Option<bool> {
        settings.rounding = match word {
            "half_away" => Some(Rounding::HalfAwayFromZero),
            "half_even" => Some(Rounding::HalfEven),
            "up" => Some(Rounding::Up),
            _ => None,
        };
        if settings.rounding.is_none() {
            let problem = Diagnostic::new("bad_literal", range, format!("no way of rounding is called `{word}`"));
            self.problems.push(problem.help("it is one of half_away, half_even, up"));
        }
        Some(settings.rounding.is_some())
    }

    /// Report something computed where a literal is wanted.
    fn wanted(&mut self, param: Param, range: Range) -> bool {
        let message = format!("expected {} here, written out", wanted(param));
        self.problems.push(Diagnostic::new("bad_literal", range, message));
        false
    }
}

fn is_literal(param: Param) -> bool {
    use Param as P;
    matches!(param, P::Digits | P::Rounding | P::Pattern | P::Format | P::Zone | P::Span)
}

fn accepts(param: Param, kind: &Type) -> bool {
    use Type::{Date, Duration, Enum, Instant, List, Money, Number, Object, Optional, Price, Text};
    match param {
        Param::Text => matches!(kind, Text | Enum(_)),
        Param::Number => matches!(kind, Number),
        Param::Day | Param::Instant => matches!(kind, Instant),
        Param::Moment => matches!(kind, Date | Instant),
        Param::Amount => matches!(kind, Number | Money | Price),
        Param::Signed => matches!(kind, Number | Money | Price | Duration),
        Param::Ordered => matches!(kind, Number | Money | Price | Date | Instant | Duration),
        Param::Scalar => !matches!(kind, List(_) | Object(_) | Optional(_)),
        Param::Sized => matches!(kind, Text | Enum(_) | List(_)),
        Param::Amounts => matches!(kind, List(inner) if matches!(**inner, Number | Money | Price)),
        Param::Digits | Param::Rounding | Param::Pattern | Param::Format | Param::Zone | Param::Span => false,
    }
}

fn wanted(param: Param) -> &'static str {
    match param {
        Param::Text => "text",
        Param::Number => "a number",
        Param::Day => "an instant, or a day as \"2026-01-31\"",
        Param::Moment => "a date or an instant",
        Param::Instant => "an instant",
        Param::Amount => "a number, money or a price",
        Param::Signed => "a number, money, a price or a duration",
        Param::Ordered => "something that has an order",
        Param::Scalar => "a single value",
        Param::Sized => "a text or a list",
        Param::Amounts => "a list of numbers, money or prices",
        Param::Digits => "the number of decimals",
        Param::Rounding => "a way of rounding",
        Param::Pattern => "a pattern",
        Param::Format => "a format such as \"%Y-%m-%d %H:%M\"",
        Param::Zone => "a time zone such as \"Europe/London\"",
        Param::Span => "a span such as \"30d\"",
    }
}

fn result(returns: Returns, first: Option<&Type>) -> Type {
    let first = || first.cloned().unwrap_or(Type::Bool);
    match returns {
        Returns::Bool | Returns::Form => Type::Bool,
        Returns::Text => Type::Text,
        Returns::Texts => Type::Text.list(),
        Returns::Number => Type::Number,
        Returns::Money => Type::Money,
        Returns::Price => Type::Price,
        Returns::Date => Type::Date,
        Returns::Instant => Type::Instant,
        Returns::Duration => Type::Duration,
        Returns::Same => first(),
        Returns::Item => match first() {
            Type::List(inner) => *inner,
            kind => kind,
        },
        Returns::Rounded => match first() {
            Type::Number => Type::Number,
            _ => Type::Money,
        },
    }
}
