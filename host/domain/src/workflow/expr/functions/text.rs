//! Functions of text and of lists as a whole.

use std::borrow::Cow;

use super::Args;
use crate::value::Value;
use crate::workflow::expr::evaluate::{charge, charge_text};
use crate::workflow::expr::typed::Settings;
use crate::workflow::expr::{Context, EvalError};

/// Longest text that an expression may form.
pub(in crate::workflow::expr) const TEXT_BYTES_MAX: usize = 64 * 1_024;
/// How many pieces `split` may give.
const PIECES_MAX: usize = 1_000;
/// How many bytes of text a pattern is held against for one step; the worst patterns take long for each.
const PATTERN_BYTES_PER_STEP: usize = 16;

type Answer = Result<Value, EvalError>;

pub(super) fn size(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    match args.first().map(Cow::as_ref) {
        Some(Value::List(items)) => Ok(Value::whole(items.len())),
        _ => {
            let text = text_of(args, 0, context)?;
            Ok(Value::whole(text.chars().count()))
        }
    }
}

pub(super) fn text(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    match args.first().map(Cow::as_ref) {
        Some(Value::Text(_)) => Ok(Value::text(text_of(args, 0, context)?)),
        Some(value) => Ok(Value::Text(value.to_string())),
        None => Err(EvalError::shape()),
    }
}

pub(super) fn matches(args: &Args<'_>, settings: &Settings, context: &mut Context) -> Answer {
    let pattern = settings.pattern.as_ref().ok_or_else(EvalError::shape)?;
    let text = text_of(args, 0, context)?;
    charge(context, text.len() / PATTERN_BYTES_PER_STEP)?;
    Ok(Value::Bool(pattern.is_match(text)))
}

pub(super) fn starts_with(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    Ok(Value::Bool(text_of(args, 0, context)?.starts_with(text_of(args, 1, context)?)))
}

pub(super) fn ends_with(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    Ok(Value::Bool(text_of(args, 0, context)?.ends_with(text_of(args, 1, context)?)))
}

pub(super) fn contains(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    Ok(Value::Bool(text_of(args, 0, context)?.contains(text_of(args, 1, context)?)))
}

pub(super) fn split(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    let (text, separator) = (text_of(args, 0, context)?, text_of(args, 1, context)?);
    if separator.is_empty() {
        return Err(EvalError::new("bad_text", "the separator is empty"));
    }
    let pieces: Vec<Value> = text.split(separator).take(PIECES_MAX + 1).map(Value::text).collect();
    if pieces.len() > PIECES_MAX {
        return Err(EvalError::new("too_long", format!("more than {PIECES_MAX} pieces")));
    }
    Ok(Value::List(pieces))
}

pub(super) fn replace(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    let (text, part) = (text_of(args, 0, context)?, text_of(args, 1, context)?);
    let by = text_of(args, 2, context)?;
    if part.is_empty() {
        return Err(EvalError::new("bad_text", "the part to replace is empty"));
    }
    // Counted before it is built: every occurrence may bring 64 KiB of its own.
    let occurrences = text.matches(part).count();
    if text.len() - occurrences * part.len() + occurrences * by.len() > TEXT_BYTES_MAX {
        return Err(too_long());
    }
    Ok(Value::Text(text.replace(part, by)))
}

pub(super) fn trim(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    Ok(Value::text(text_of(args, 0, context)?.trim()))
}

pub(super) fn upper(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    bounded(text_of(args, 0, context)?.to_uppercase())
}

pub(super) fn lower(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    bounded(text_of(args, 0, context)?.to_lowercase())
}

/// Two texts as one.
pub(in crate::workflow::expr) fn join(left: &str, right: &str, context: &mut Context) -> Answer {
    charge_text(context, left)?;
    charge_text(context, right)?;
    if left.len() + right.len() > TEXT_BYTES_MAX { Err(too_long()) } else { Ok(Value::Text(format!("{left}{right}"))) }
}

/// The text at this place, paid for by its length.
pub(super) fn text_of<'a>(args: &'a Args<'_>, place: usize, context: &mut Context) -> Result<&'a str, EvalError> {
    match args.get(place).map(Cow::as_ref) {
        Some(Value::Text(text)) => {
            charge_text(context, text)?;
            Ok(text)
        }
        _ => Err(EvalError::shape()),
    }
}

fn bounded(text: String) -> Answer {
    if text.len() > TEXT_BYTES_MAX { Err(too_long()) } else { Ok(Value::Text(text)) }
}

fn too_long() -> EvalError {
    EvalError::new("too_long", format!("the text would be longer than {TEXT_BYTES_MAX} bytes"))
}
