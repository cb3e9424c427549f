//! Values out of a checked tree. Reads go by reference: a loop over the lines of an order copies none of them.

mod operators;

use std::borrow::Cow;

use super::functions::amounts::{amount_of, same_currency};
use super::functions::{Function, Run};
use super::typed::{Form, Op, Settings, Typed};
use super::{Context, EvalError, Leaf, Roots};
use crate::value::{Type, Value};

/// How many bytes of text are worked through for one step.
const TEXT_BYTES_PER_STEP: usize = 256;
/// How many values are copied for one step.
const VALUES_PER_STEP: usize = 32;

/// Most operands of one leaf that are told.
const OPERANDS_MAX: usize = 4;

/// One evaluation.
pub(super) struct Evaluation<'r, 'c> {
    pub(super) source: &'r str,
    pub(super) roots: &'r dyn Roots,
    pub(super) context: &'c mut Context,
    /// Values of the boolean leaves, where somebody asked for them.
    pub(super) leaves: Option<Vec<Leaf>>,
    /// What the leaf under evaluation has compared so far.
    pub(super) operands: Vec<(String, String)>,
}

/// The element that a loop is at, and the loops around it.
#[derive(Clone, Copy)]
pub(super) struct Elements<'e> {
    level: usize,
    element: &'e Value,
    outer: Option<&'e Elements<'e>>,
}

/// The loops around a part; none outside of every loop.
type Around<'e> = Option<&'e Elements<'e>>;

/// What stands at a path.
enum Found<'e> {
    Here(Cow<'e, Value>),
    /// Nothing; this is the first part that is absent.
    Absent(&'e Typed),
}

type Evaluated<'e> = Result<Cow<'e, Value>, EvalError>;

impl<'r> Evaluation<'r, '_> {
    /// The value of a whole expression, none where an optional path is absent.
    pub(super) fn run(&mut self, tree: &'r Typed) -> Result<Option<Value>, EvalError> {
        if tree.kind == Type::Bool {
            return Ok(Some(Value::Bool(self.condition(tree, None)?)));
        }
        match self.find(tree, None)? {
            Found::Here(value) => Ok(Some(value.into_owned())),
            Found::Absent(_) if matches!(tree.kind, Type::Optional(_)) => Ok(None),
            Found::Absent(part) => Err(self.missing(part)),
        }
    }

    fn value<'e>(&mut self, part: &'e Typed, around: Around<'e>) -> Evaluated<'e>
    where
        'r: 'e,
    {
        match self.find(part, around)? {
            Found::Here(value) => Ok(value),
            Found::Absent(part) => Err(self.missing(part)),
        }
    }

    /// A yes or no; noted if it is a leaf and somebody asked.
    fn condition<'e>(&mut self, part: &'e Typed, around: Around<'e>) -> Result<bool, EvalError>
    where
        'r: 'e,
    {
        if let Op::Choice { test, yes, no } = &part.op {
            charge(self.context, 1)?;
            let chosen = if self.condition(test, around)? { yes } else { no };
            return self.condition(chosen, around);
        }
        let Value::Bool(holds) = *self.value(part, around)? else { return Err(self.named(part, EvalError::shape())) };
        if around.is_none()
            && part.is_leaf()
            && let Some(leaves) = &mut self.leaves
        {
            let values = std::mem::take(&mut self.operands);
            leaves.push(Leaf { source: slice(self.source, part).to_owned(), holds, values });
        }
        Ok(holds)
    }

    /// What stands at a path, or the value of anything else. Only paths, choices and defaults can be absent.
    fn find<'e>(&mut self, part: &'e Typed, around: Around<'e>) -> Result<Found<'e>, EvalError>
    where
        'r: 'e,
    {
        if !matches!(part.op, Op::Literal(_) | Op::Root(_) | Op::Element(_)) {
            charge(self.context, 1)?;
        }
        let found = match &part.op {
            Op::Root(name) => self.roots.root(name),
            Op::Element(level) => {
                let mut here = around;
                while let Some(elements) = here
                    && elements.level != *level
                {
                    here = elements.outer;
                }
                here.map(|elements| Cow::Borrowed(elements.element))
            }
            Op::Field { base, name } => match self.find(base, around)? {
                Found::Here(base) => field(base, name),
                absent => return Ok(absent),
            },
            Op::Index { base, index } => match self.find(base, around)? {
                Found::Here(base) => {
                    let at = operators::place(&*self.value(index, around)?).map_err(|e| self.named(index, e))?;
                    at.and_then(|at| item(base, at))
                }
                absent => return Ok(absent),
            },
            Op::Choice { test, yes, no } => {
                let chosen = if self.condition(test, around)? { yes } else { no };
                return self.find(chosen, around);
            }
            Op::OrElse { value, default } => {
                return match self.find(value, around)? {
                    Found::Here(value) => Ok(Found::Here(value)),
                    Found::Absent(_) => self.find(default, around),
                };
            }
            Op::Widen(inner) => {
                return match self.find(inner, around)? {
                    Found::Here(value) => operators::widen(&value).map(|price| Found::Here(Cow::Owned(price))),
                    absent => Ok(absent),
                };
            }
            _ => return self.compute(part, around).map(Found::Here),
        };
        match found {
            Some(value) => self.promised(part, value).map(Found::Here),
            None => Ok(Found::Absent(part)),
        }
    }

    /// The value of a part that always has one.
    fn compute<'e>(&mut self, part: &'e Typed, around: Around<'e>) -> Evaluated<'e>
    where
        'r: 'e,
    {
        let value = match &part.op {
            Op::Literal(value) => return Ok(Cow::Borrowed(value)),
            Op::List(items) => {
                let items = items.iter().map(|item| self.value(item, around).and_then(|item| self.copied(item)));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            Op::Not(inner) => Value::Bool(!self.condition(inner, around)?),
            Op::And(items) => Value::Bool(self.until(items, false, around)?),
            Op::Or(items) => Value::Bool(self.until(items, true, around)?),
            Op::Has(path) => Value::Bool(matches!(self.find(path, around)?, Found::Here(_))),
            Op::Loop { form, list, level, body } => return self.each(*form, list, *level, body, around),
            Op::Call { function, args, settings } => self.call(part, function, args, settings, around)?,
            Op::Negate(inner) => {
                let value = self.value(inner, around)?;
                operators::negate(&value).map_err(|e| self.named(part, e))?
            }
            Op::Compare { operator, left, right } => {
                let operands = [left, right];
                let (left, right) = (self.value(left, around)?, self.value(right, around)?);
                self.note(operands[0], &left, around);
                self.note(operands[1], &right, around);
                let answer = operators::compare(*operator, &left, &right, self.context);
                Value::Bool(answer.map_err(|e| self.named(part, e))?)
            }
            Op::In { item, list } => {
                let sought = item;
                let (item, list) = (self.value(item, around)?, self.value(list, around)?);
                self.note(sought, &item, around);
                Value::Bool(operators::contains(&list, &item, self.context).map_err(|e| self.named(part, e))?)
            }
            Op::Arithmetic { operator, left, right, exact } => {
                let (left, right) = (self.value(left, around)?, self.value(right, around)?);
                let answer = operators::arithmetic(*operator, &left, &right, *exact, self.context);
                answer.map_err(|e| self.named(part, e))?
            }
            // These may be absent: `find` answers them.
            Op::Root(_) | Op::Element(_) | Op::Field { .. } | Op::Index { .. } => return Err(self.missing(part)),
            Op::Choice { .. } | Op::OrElse { .. } | Op::Widen(_) => return Err(self.missing(part)),
        };
        Ok(Cow::Owned(value))
    }

    /// Remember what a leaf compares, where somebody asked. What is computed for a condition inside a loop is not told.
    fn note(&mut self, part: &Typed, value: &Value, around: Around<'_>) {
        let kind = if let Type::Optional(inner) = &part.kind { inner } else { &part.kind };
        let is_telling = matches!(
            kind,
            Type::Number
                | Type::Money
                | Type::Price
                | Type::Bool
                | Type::Date
                | Type::Instant
                | Type::Duration
                | Type::Enum(_)
        );
        let wanted = self.leaves.is_some() && around.is_none() && self.operands.len() < OPERANDS_MAX;
        if wanted && is_telling && !part.is_literal() {
            self.operands.push((slice(self.source, part).to_owned(), value.to_string()));
        }
    }

    /// Whether one of the conditions is `stop`; those behind it are not asked.
    fn until<'e>(&mut self, conditions: &'e [Typed], stop: bool, around: Around<'e>) -> Result<bool, EvalError>
    where
        'r: 'e,
    {
        for condition in conditions {
            if self.condition(condition, around)? == stop {
                return Ok(stop);
            }
        }
        Ok(!stop)
    }

    fn call<'e>(
        &mut self,
        part: &Typed,
        function: &Function,
        args: &'e [Typed],
        settings: &Settings,
        around: Around<'e>,
    ) -> Result<Value, EvalError>
    where
        'r: 'e,
    {
        let args = args.iter().map(|arg| self.value(arg, around)).collect::<Result<Vec<_>, _>>()?;
        match function.run {
            Run::Of(run) => run(&args, settings, self.context).map_err(|e| self.named(part, e)),
            // Forms and literals have nodes of their own.
            Run::Has | Run::OrElse | Run::Loop(_) | Run::Literal => Err(self.named(part, EvalError::shape())),
        }
    }

    fn each<'e>(
        &mut self,
        form: Form,
        list: &'e Typed,
        level: usize,
        body: &'e Typed,
        outer: Around<'e>,
    ) -> Evaluated<'e>
    where
        'r: 'e,
    {
        let elements = self.value(list, outer)?;
        let Value::List(items) = &*elements else { return Err(self.named(list, EvalError::shape())) };
        let mut kept = Vec::new();
        let mut mapped = Vec::new();
        for element in items {
            charge(self.context, 1)?;
            let here = Elements { level, element, outer };
            match form {
                Form::Map => {
                    let value = self.value(body, Some(&here))?;
                    mapped.push(self.copied(value)?);
                }
                Form::Filter => {
                    let keep = self.condition(body, Some(&here))?;
                    if keep {
                        charge_copy(self.context, element)?;
                    }
                    kept.push(keep);
                }
                Form::Exists if self.condition(body, Some(&here))? => return Ok(Cow::Owned(Value::Bool(true))),
                Form::All if !self.condition(body, Some(&here))? => return Ok(Cow::Owned(Value::Bool(false))),
                Form::Exists | Form::All => {}
            }
        }
        Ok(Cow::Owned(match form {
            Form::Exists => Value::Bool(false),
            Form::All => Value::Bool(true),
            Form::Map => Value::List(mapped),
            Form::Filter => operators::keep(elements, &kept),
        }))
    }

    /// The value, if it is what the scope said that it would be; the inside of lists and objects is looked at when it is read.
    fn promised<'e>(&self, part: &Typed, value: Cow<'e, Value>) -> Evaluated<'e> {
        let kind = match &part.kind {
            Type::Optional(inner) => inner,
            kind => kind,
        };
        let fits = match (&*value, kind) {
            (Value::List(_), Type::List(_)) | (Value::Object(_), Type::Object(_)) => true,
            (value, kind) => value.is_of(kind),
        };
        if !fits {
            let message = format!("`{}` is {} where {kind} was promised", slice(self.source, part), value.kind());
            return Err(EvalError::new("wrong_type", message));
        }
        if let Ok((_, Some(currency))) = amount_of(&value) {
            same_currency(self.context.currency, currency).map_err(|e| self.named(part, e))?;
        }
        Ok(value)
    }

    /// The value as part of a new list. Objects are copied, and a list that names one twice grows faster than its steps.
    fn copied(&mut self, value: Cow<'_, Value>) -> Result<Value, EvalError> {
        if let Cow::Borrowed(value) = value {
            charge_copy(self.context, value)?;
        }
        Ok(value.into_owned())
    }

    fn missing(&self, part: &Typed) -> EvalError {
        EvalError::new("missing", format!("`{}` is missing", slice(self.source, part)))
    }

    /// The same error, with the part that it arose in.
    fn named(&self, part: &Typed, error: EvalError) -> EvalError {
        EvalError { message: format!("`{}`: {}", slice(self.source, part), error.message), ..error }
    }
}

/// Take steps out of the budget.
pub(super) fn charge(context: &mut Context, steps: usize) -> Result<(), EvalError> {
    let left = u32::try_from(steps).ok().and_then(|steps| context.steps_left.checked_sub(steps));
    context.steps_left = left.unwrap_or(0);
    left.map(|_| ()).ok_or_else(|| EvalError::new("budget", "the expression takes too many steps"))
}

/// Take the steps for working through a text.
pub(super) fn charge_text(context: &mut Context, text: &str) -> Result<(), EvalError> {
    charge(context, text.len() / TEXT_BYTES_PER_STEP)
}

/// Take the steps for copying a value; a line of an order costs nothing, a case with hundreds of lines does.
fn charge_copy(context: &mut Context, value: &Value) -> Result<(), EvalError> {
    charge(context, weight(value) / VALUES_PER_STEP)
}

/// How many values a value consists of; a long text counts by its length.
fn weight(value: &Value) -> usize {
    match value {
        Value::Text(text) => 1 + text.len() / TEXT_BYTES_PER_STEP * VALUES_PER_STEP,
        Value::List(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(weight).sum::<usize>(),
        _ => 1,
    }
}

fn field<'e>(base: Cow<'e, Value>, name: &str) -> Option<Cow<'e, Value>> {
    match base {
        Cow::Borrowed(Value::Object(fields)) => fields.get(name).map(Cow::Borrowed),
        Cow::Owned(Value::Object(mut fields)) => fields.remove(name).map(Cow::Owned),
        _ => None,
    }
}

fn item(base: Cow<'_, Value>, at: usize) -> Option<Cow<'_, Value>> {
    match base {
        Cow::Borrowed(Value::List(items)) => items.get(at).map(Cow::Borrowed),
        Cow::Owned(Value::List(items)) => items.into_iter().nth(at).map(Cow::Owned),
        _ => None,
    }
}

fn slice<'s>(source: &'s str, part: &Typed) -> &'s str {
    source.get(part.range.start..part.range.end).unwrap_or(source)
}
