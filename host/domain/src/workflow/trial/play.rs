//! What happens in a test after the case was opened, and what goes wrong on the way out.

use std::collections::BTreeMap;

use crate::case::child::Ending;
use crate::case::command::Settled;
use crate::ids::Slug;
use crate::value::{Fields as Values, Type};
use crate::workflow::calendar::delay::Delay;
use crate::workflow::definition::{Definition, Kind, Step};
use crate::workflow::diagnostic::Range;
use crate::workflow::expr::Expr;
use crate::workflow::literal::literal;
use crate::workflow::load::delay_by;
use crate::workflow::reader::{At, Fields};
use crate::workflow::trial::given::{few, optional};
use crate::workflow::trial::layers::Layers;
use crate::workflow::trial::{names, schema};

/// Things that happen in one test.
const ACTS_MAX: usize = 100;
/// Faults of one test.
const FAULTS_MAX: usize = 20;
/// What a person may say to a task that is no review: a failed step, an effect whose outcome is not known.
const BUILT_IN: &[&str] = &["try_again", "close", "paid", "not_paid", "resend", "told", "leave"];

/// Something that happens.
#[derive(Debug, Clone)]
pub struct Act {
    /// Where it stands.
    pub at: Range,
    /// How much later than what came before.
    pub after: Option<Delay>,
    /// Who does it, where it is said.
    pub by: Option<String>,
    /// What it is.
    pub does: Does,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Does {
    /// Only time passes.
    Nothing,
    /// Something outside.
    Event {
        /// Its name.
        name: String,
        /// What it carries.
        with: BTreeMap<String, Expr>,
    },
    /// A person answers a task.
    Answer {
        /// The step whose task it is.
        step: Slug,
        /// What they choose.
        outcome: String,
        /// What they fill in.
        with: BTreeMap<String, Expr>,
    },
    /// The receiver tells what became of the effects of a step.
    Settle {
        /// The step.
        step: Slug,
        /// What became of them.
        outcome: Settled,
        /// What else it tells.
        told: Told,
    },
    /// The sub-case of a step ends.
    Ended {
        /// The step.
        step: Slug,
        /// How.
        ending: Ending,
    },
    /// A person ends the case.
    Cancel {
        /// Why.
        reason: String,
    },
}

/// What a receiver tells beside the outcome.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// Why it declined, a code.
    pub code: Option<String>,
    /// What it was asked for, of a system.
    pub answer: Values,
}

/// Something that goes wrong on the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The step whose effects it meets.
    pub step: Slug,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How often.
    pub times: u32,
    /// Why a receiver declines, a code.
    pub code: Option<String>,
}

/// What may go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The host dies before the request has left.
    CrashBeforeSend,
    /// The host dies after the request was received, before the answer was written down.
    CrashAfterSend,
    /// The request was received, its answer was lost.
    LostAnswer,
    /// The receiver does not do it.
    Declined,
    /// The receiver gets every request and never answers.
    Timeout,
}

impl FaultKind {
    fn from_word(word: &str) -> Self {
        match word {
            "crash_before_send" => Self::CrashBeforeSend,
            "crash_after_send" => Self::CrashAfterSend,
            "lost_answer" => Self::LostAnswer,
            "declined" => Self::Declined,
            _ => Self::Timeout,
        }
    }

    /// Whether it lasts, however often it is tried.
    fn is_lasting(self) -> bool {
        matches!(self, Self::Declined | Self::Timeout)
    }
}

/// What happens, where it is written nearest.
pub(super) fn play(layers: &Layers<'_>, definition: &Definition) -> Option<Vec<Act>> {
    let Some(at) = layers.get("play") else { return if layers.has("play") { None } else { Some(Vec::new()) } };
    let all: Vec<_> = few(&at, ACTS_MAX)?.iter().map(|at| act(at, definition)).collect();
    all.into_iter().collect()
}

fn act(at: &At<'_>, definition: &Definition) -> Option<Act> {
    const KINDS: [&str; 5] = ["event", "answer", "settle", "ended", "cancel"];
    let fields = at.fields(&schema::PLAY)?;
    let after = optional(fields.get("after"), |at| delay_by(at, definition.calendar.is_some()));
    let by = optional(fields.get("by"), |at| at.text().map(str::to_owned));
    let written: Vec<&str> = KINDS.into_iter().filter(|name| fields.has(name)).collect();
    let takes_outcome = matches!(written[..], ["answer" | "settle"]);
    let takes_with = matches!(written[..], ["answer" | "event" | "settle"]);
    let is_ended = matches!(written[..], ["ended"]);
    let (takes_code, is_by) =
        (matches!(written[..], ["settle" | "ended"]), matches!(written[..], ["answer" | "cancel"]));
    let taken =
        [("outcome", takes_outcome), ("with", takes_with), ("code", takes_code), ("by", is_by), ("result", is_ended)];
    for (name, taken) in taken {
        if let (Some(at), false) = (fields.get(name), taken) {
            at.refuse::<()>("never_taken", format!("`{name}` says nothing here"));
        }
    }
    let does = match written[..] {
        [] if fields.has("after") => Some(Does::Nothing),
        [] => at.refuse_with(
            "missing_field",
            "nothing happens here",
            "one of `event`, `answer`, `settle`, `ended`, `cancel`, or `after` alone",
        ),
        ["event"] => event(&fields, definition),
        ["answer"] => answer(&fields, definition),
        ["settle"] => settle(&fields, definition),
        ["ended"] => ended(&fields, definition),
        ["cancel"] => fields.get("cancel").and_then(|at| Some(Does::Cancel { reason: at.text()?.to_owned() })),
        [_, second, ..] => {
            let help = "give each an entry of its own";
            fields.get(second).and_then(|at| at.refuse_with("clash", "two things happen in one entry", help))
        }
        [_] => None,
    };
    Some(Act { at: at.place(), after: after?, by: by?, does: does? })
}

fn event(fields: &Fields<'_>, definition: &Definition) -> Option<Does> {
    let at = fields.get("event")?;
    let name = at.text()?;
    let Some(carries) = definition.events.get(name) else {
        return names::unknown(&at, "unknown_event", "event", name, definition.events.keys().map(String::as_str));
    };
    let with = values(fields, &at, carries, definition)?;
    Some(Does::Event { name: name.to_owned(), with })
}

fn answer(fields: &Fields<'_>, definition: &Definition) -> Option<Does> {
    let at = fields.get("answer")?;
    let step = names::step(&at, definition)?;
    let nothing = BTreeMap::new();
    let (choices, form): (Vec<&str>, _) = match &step.kind {
        // An inspection without choices of its own is done.
        Kind::Inspect(review) if review.next.is_empty() => (vec!["done"], &review.ask),
        Kind::Review(review) | Kind::Inspect(review) => (review.next.keys().map(String::as_str).collect(), &review.ask),
        _ => (BUILT_IN.to_vec(), &nothing),
    };
    let outcome = match (fields.get("outcome"), &choices[..]) {
        (Some(at), _) => chosen(&at, step, &choices),
        (None, [only]) => Some((*only).to_owned()),
        (None, _) => at.refuse_with(
            "missing_field",
            format!("`outcome` is missing: what is chosen at `{}`", step.id),
            format!("one of {}", choices.join(", ")),
        ),
    };
    // What is filled in is asked for only where a person chose of the review itself.
    let is_built_in = outcome.as_ref().is_some_and(|outcome| BUILT_IN.contains(&outcome.as_str()));
    let form = if is_built_in && !choices.contains(&outcome.as_deref().unwrap_or_default()) { &nothing } else { form };
    let with = values(fields, &at, form, definition);
    Some(Does::Answer { step: step.id.clone(), outcome: outcome?, with: with? })
}

/// One of the review's choices, or of a built-in task's: any step may fail.
fn chosen(at: &At<'_>, step: &Step, choices: &[&str]) -> Option<String> {
    let name = at.text()?;
    if choices.contains(&name) || BUILT_IN.contains(&name) {
        return Some(name.to_owned());
    }
    names::unlike(at, "unknown_outcome", format!("`{}` offers no `{name}`", step.id), name, choices.iter().copied())
}

fn settle(fields: &Fields<'_>, definition: &Definition) -> Option<Does> {
    let at = fields.get("settle")?;
    let step = sender(&at, definition);
    let outcome = fields.require("outcome").and_then(|at| at.choice(schema::OUTCOMES)).map(|word| match word {
        "confirmed" => Settled::Confirmed,
        "declined" => Settled::Declined,
        _ => Settled::Unknown,
    });
    let code = code(fields, outcome == Some(Settled::Declined));
    let answer = settled_with(fields, step, definition);
    Some(Does::Settle { step: step?.id.clone(), outcome: outcome?, told: Told { code: code?, answer: answer? } })
}

/// How the sub-case of a step ends.
fn ended(fields: &Fields<'_>, definition: &Definition) -> Option<Does> {
    let at = fields.get("ended")?;
    let step = names::step(&at, definition)?;
    if !matches!(step.kind, Kind::Run(_)) {
        let message = format!("`{}` is a `{}` and opens no sub-case", step.id, step.kind.name());
        return at.refuse("wrong_step", message);
    }
    let ending = match (fields.get("result"), fields.get("code")) {
        (Some(_), Some(code)) => {
            return code.refuse_with("clash", "a sub-case finishes or fails", "`result` or `code`, not both");
        }
        (Some(result), None) => Ending::Finished(result.slug()?.to_string()),
        (None, Some(code)) => Ending::Failed(code.slug()?.to_string()),
        (None, None) => Ending::Cancelled,
    };
    Some(Does::Ended { step: step.id.clone(), ending })
}

/// Why a receiver declines: said only where it does.
fn code(fields: &Fields<'_>, declines: bool) -> Option<Option<String>> {
    match fields.get("code") {
        Some(at) if !declines => at.refuse("never_taken", "only who declines says why: `code` says nothing here"),
        at => optional(at, |at| at.slug().map(|code| code.to_string())),
    }
}

/// What a system answers that tells later.
fn settled_with(fields: &Fields<'_>, step: Option<&Step>, definition: &Definition) -> Option<Values> {
    let Some(at) = fields.get("with") else { return Some(Values::new()) };
    let Some(Kind::Http(http)) = step.map(|step| &step.kind) else {
        return at.refuse("never_taken", "only a system that is asked by an `http` answers: `with` says nothing here");
    };
    let mut values = Values::new();
    for (key, at) in at.names()? {
        let Some(kind) = http.expect.get(&key.text) else {
            names::unknown_key(key, &at, "field", http.expect.keys().map(String::as_str));
            return None;
        };
        values.insert(key.text.clone(), literal(&at, kind, definition.currency)?);
    }
    Some(values)
}

/// A step that sends something.
fn sender<'s>(at: &At<'_>, definition: &'s Definition) -> Option<&'s Step> {
    let step = names::step(at, definition)?;
    if names::sends(step) {
        return Some(step);
    }
    at.refuse("wrong_step", format!("`{}` is a `{}` and sends nothing", step.id, step.kind.name()))
}

/// The fields of an event or a form, each a literal or an expression of its type.
fn values(
    fields: &Fields<'_>,
    at: &At<'_>,
    declared: &BTreeMap<String, Type>,
    definition: &Definition,
) -> Option<BTreeMap<String, Expr>> {
    let compiler = names::compiler(definition);
    let (mut values, mut good) = (BTreeMap::new(), true);
    for (key, at) in fields.get("with").map_or(Some(Vec::new()), |at| at.names())? {
        let Some(kind) = declared.get(&key.text) else {
            good = false;
            names::unknown_key(key, &at, "field", declared.keys().map(String::as_str));
            continue;
        };
        match compiler.value(&at, kind) {
            Some(value) => {
                values.insert(key.text.clone(), value);
            }
            None => good = false,
        }
    }
    let lacks = |(name, kind): &(&String, &Type)| !matches!(kind, Type::Optional(_)) && !values.contains_key(*name);
    if good && let Some((name, kind)) = declared.iter().find(lacks) {
        let help = format!("as `with: {{ {name}: … }}`");
        return at.refuse_with("missing_field", format!("`{name}` is missing ({kind})"), help);
    }
    good.then_some(values)
}

/// What goes wrong on the way out.
pub(super) fn faults(fields: &Fields<'_>, definition: &Definition) -> Option<Vec<Fault>> {
    let Some(at) = fields.get("inject") else { return if fields.has("inject") { None } else { Some(Vec::new()) } };
    let written = at.one_or_many();
    if written.len() > FAULTS_MAX {
        return at.refuse("too_large", format!("a test has at most {FAULTS_MAX} faults"));
    }
    let all: Vec<_> = written.iter().map(|at| fault(at, definition)).collect();
    all.into_iter().collect()
}

fn fault(at: &At<'_>, definition: &Definition) -> Option<Fault> {
    let fields = at.fields(&schema::INJECT)?;
    let step = fields.require("at").and_then(|at| sender(&at, definition));
    let kind = fields.require("fault").and_then(|at| at.choice(schema::FAULTS)).map(FaultKind::from_word);
    let times = optional(fields.get("times"), |at| u32::try_from(at.whole(1, 100)?).ok())?;
    let kind = kind?;
    if let (Some(at), true) = (fields.get("times"), kind.is_lasting()) {
        return at.refuse("never_taken", "this fault is for good: `times` says nothing");
    }
    let times = if kind.is_lasting() { u32::MAX } else { times.unwrap_or(1) };
    let code = code(&fields, kind == FaultKind::Declined)?;
    Some(Fault { step: step?.id.clone(), kind, times, code })
}
