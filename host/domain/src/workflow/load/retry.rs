//! How what a step sends is sent again: `{ attempts: 6, first: 2s, factor: 3, max: 15m, jitter: 20%, unless: [timeout] }`.

use rust_decimal::Decimal;

use crate::case::Retry;
use crate::clock::Span;
use crate::workflow::diagnostic::suggest;
use crate::workflow::literal::span;
use crate::workflow::load::step::optional;
use crate::workflow::reader::At;
use crate::workflow::schema;

/// Requests of one effect; the key of most receivers is not good for more.
const ATTEMPTS_MAX: i64 = 100;
/// By what a pause may grow.
const FACTOR_MAX: i64 = 10;
/// The longest pause of a host, whatever a document says.
const PAUSE_MAX: Span = Span::from_millis(3_600_000);

/// Read a `retry`.
pub(super) fn load(at: &At<'_>) -> Option<Retry> {
    let fields = at.fields(&schema::RETRY)?;
    let attempts = optional(fields.get("attempts"), |at| u32::try_from(at.whole(1, ATTEMPTS_MAX)?).ok());
    let first = optional(fields.get("first"), pause);
    let factor = optional(fields.get("factor"), factor);
    let max = optional(fields.get("max"), pause);
    let jitter = optional(fields.get("jitter"), percent);
    let unless = match fields.get("unless") {
        Some(at) => at.list()?.iter().map(code).collect::<Vec<_>>().into_iter().collect(),
        None => Some(Vec::new()),
    };
    if let (Some(Some(first)), Some(Some(max))) = (&first, &max)
        && first > max
    {
        let message = format!("the first pause is {first} and the longest {max}");
        return fields.get("max")?.refuse_with("bad_literal", message, "pauses only grow");
    }
    if !fields.names().any(|_| true) {
        return at.refuse("missing_value", "`retry` says nothing");
    }
    Some(Retry { attempts: attempts?, first: first?, factor: factor?, max: max?, jitter: jitter?, unless: unless? })
}

fn pause(at: &At<'_>) -> Option<Span> {
    let span = span(at)?;
    if span <= PAUSE_MAX {
        return Some(span);
    }
    at.refuse_with("bad_literal", format!("{span} is longer than a pause may be"), "at most `1h`")
}

fn factor(at: &At<'_>) -> Option<Decimal> {
    let number = at.number()?;
    if (Decimal::ONE..=Decimal::from(FACTOR_MAX)).contains(&number) {
        return Some(number);
    }
    at.refuse("bad_literal", format!("expected a number from 1 to {FACTOR_MAX}"))
}

fn percent(at: &At<'_>) -> Option<u8> {
    let text = &at.scalar("a percentage")?.text;
    let number = text.strip_suffix('%').and_then(|number| number.parse().ok());
    match number {
        Some(number) if number <= 100 => Some(number),
        _ => at.refuse_with("bad_literal", format!("{text:?} is not a percentage"), "from `0%` to `100%`"),
    }
}

/// A code of `unless`: why a request was not answered.
fn code(at: &At<'_>) -> Option<String> {
    let code = at.slug()?.as_str().to_owned();
    let status = code.strip_prefix("status_").filter(|digits| digits.len() == 3).and_then(|digits| digits.parse().ok());
    if schema::NOT_ANSWERED.contains(&code.as_str()) || status.is_some_and(may_pass) {
        return Some(code);
    }
    if schema::codes("http").any(|known| known == code) {
        let help = "`on_error` says where it leads";
        return at.refuse_with("never_taken", format!("`{code}` is never retried"), help);
    }
    if status.is_some() {
        let help = "`on_error: [{ match: declined, then: <step> }]` says where it leads";
        return at.refuse_with("never_taken", format!("`{code}` is a decline and never retried"), help);
    }
    unknown(at, &code, "is not a code of a request that was not answered", schema::NOT_ANSWERED.iter().copied())
}

/// Whether an answer of this status may be another one the next time.
fn may_pass(status: u16) -> bool {
    matches!(status, 201..=399 | 408 | 409 | 425 | 429 | 500..=599) && status != 202
}

/// A code that there is not.
pub(super) fn unknown<T>(
    at: &At<'_>,
    code: &str,
    what: &str,
    known: impl Iterator<Item = &'static str> + Clone,
) -> Option<T> {
    let help = match suggest(code, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.collect::<Vec<_>>().join(", ")),
    };
    at.refuse_with("unknown_code", format!("`{code}` {what}"), help)
}
