//! The head of a document: everything beside its steps.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::case::Retry;
use crate::clock::Zone;
use crate::ids::Slug;
use crate::money::{Currency, MoneyError};
use crate::value::{Type, Value};
use crate::workflow::builtin;
use crate::workflow::definition::{Attributes, Limits, Required, Variable, Words};
use crate::workflow::diagnostic::{Diagnostic, suggest};
use crate::workflow::literal::literal;
use crate::workflow::load::calendar::{Written, calendar, delay};
use crate::workflow::load::messages::Messages;
use crate::workflow::load::step::optional;
use crate::workflow::load::triggers::{self, Start};
use crate::workflow::load::{Environment, STEPS_MAX, messages, names, retry};
use crate::workflow::reader::{At, Fields, identifier};
use crate::workflow::schema;
use crate::workflow::types::type_of;
use crate::workflow::yaml::{Key, Kind};

/// The most lines of a case that a document may allow.
const LINES_MAX: i64 = 1_000;

/// What the head of a document says, with conditions and expressions still as text.
pub(super) struct Head<'d> {
    pub(super) workflow: Option<Slug>,
    pub(super) title: Option<Words>,
    pub(super) currency: Option<Currency>,
    pub(super) zone: Option<Zone>,
    pub(super) calendar: Written,
    pub(super) priority: i64,
    pub(super) attributes: Attributes,
    pub(super) events: BTreeMap<String, BTreeMap<String, Type>>,
    pub(super) triggers: Vec<Start<'d>>,
    pub(super) refund_max: Option<At<'d>>,
    /// Whether it is written where it does not belong, or misspelt, which was reported.
    pub(super) is_limit_meant: bool,
    pub(super) open_for: Option<At<'d>>,
    pub(super) lines: Option<u32>,
    pub(super) vars: BTreeMap<String, Declared>,
    /// Texts of its own.
    pub(super) messages: Messages<'d>,
    /// How what steps send is sent again; `None` inside where it was reported.
    pub(super) retry: Option<Option<Retry>>,
    /// The paths that the steps and the limits read.
    pub(super) read: Rc<RefCell<BTreeSet<String>>>,
    /// Names of fields and events whose declaration was reported.
    pub(super) broken: BTreeSet<String>,
}

/// A variable; without a type where that was reported.
pub(super) struct Declared {
    pub(super) kind: Option<Type>,
    pub(super) default: Option<Value>,
}

impl Head<'_> {
    /// The currency, or some other one where its lack has been reported.
    pub(super) fn currency(&self) -> Currency {
        self.currency.unwrap_or(Currency::EUR)
    }

    /// Whether every trigger requires this part of a submission.
    pub(super) fn requires(&self, part: Required) -> bool {
        !self.triggers.is_empty() && self.triggers.iter().all(|trigger| trigger.requires.contains(&part))
    }

    /// Whether a variable has a value from the beginning, because whatever starts a case gives it.
    pub(super) fn is_given(&self, name: &str) -> bool {
        !self.triggers.is_empty() && self.triggers.iter().all(|trigger| trigger.gives(name))
    }

    /// The variables, where every one has a type.
    pub(super) fn variables(&self) -> Option<BTreeMap<String, Variable>> {
        let variable = |(name, declared): (&String, &Declared)| {
            Some((name.clone(), Variable { kind: declared.kind.clone()?, default: declared.default.clone() }))
        };
        self.vars.iter().map(variable).collect()
    }
}

/// Read the head.
pub(super) fn head<'d>(fields: &Fields<'d>, environment: &Environment) -> Head<'d> {
    if let Some(format) = fields.require("format")
        && format.number().is_some_and(|number| number != 1.into())
    {
        format.refuse_with::<()>("unknown_format", "this format is not known", "the format of this version is 1");
    }
    sealed(fields);
    let mut broken = BTreeSet::new();
    let currency = currency(fields, environment);
    let zone = zone(fields, environment);
    let limits = fields.get("limits").and_then(|at| at.fields(&schema::LIMITS));
    let limit = |name: &str| limits.as_ref().and_then(|fields| fields.get(name));
    let lines = limit("lines").and_then(|at| at.whole(1, LINES_MAX));
    Head {
        workflow: fields.require("workflow").and_then(|at| at.slug()),
        title: fields.get("title").and_then(|at| plain_words(&at)),
        currency,
        zone,
        calendar: calendar(fields, zone, environment),
        priority: fields.get("priority").and_then(|at| at.whole(-1_000_000, 1_000_000)).unwrap_or(0),
        attributes: attributes(fields, &mut broken),
        events: events(fields, &mut broken),
        triggers: triggers::read(fields),
        refund_max: limit("refund_max"),
        is_limit_meant: fields.has("refund_max") || limits.as_ref().is_some_and(|fields| fields.is_meant("refund_max")),
        open_for: limit("open_for"),
        lines: lines.and_then(|lines| u32::try_from(lines).ok()),
        vars: vars(fields, currency.unwrap_or(Currency::EUR)),
        messages: messages::read(fields),
        read: Rc::default(),
        retry: fields
            .get("defaults")
            .map_or(Some(None), |at| optional(at.fields(&schema::DEFAULTS)?.get("retry"), retry::load)),
        broken,
    }
}

/// The steps as written; empty where there are none, which is reported.
pub(super) fn steps<'d>(fields: &Fields<'d>) -> Vec<At<'d>> {
    let Some(at) = fields.require("steps") else { return Vec::new() };
    let steps = at.list().unwrap_or_default();
    if steps.is_empty() && matches!(at.node().kind, Kind::List(_)) {
        at.refuse::<()>("missing_value", "`steps` is empty: a case would have nowhere to begin");
    }
    if steps.len() > STEPS_MAX {
        let message = format!("the document has {} steps, the most is {STEPS_MAX}", steps.len());
        at.refuse::<()>("too_large", message);
        return steps.into_iter().take(STEPS_MAX).collect();
    }
    steps
}

/// Compile the limits.
pub(super) fn limits(head: &Head<'_>) -> Option<Limits> {
    let refund_max = match &head.refund_max {
        Some(at) => Some(names::at_limits(head).amount(at)?),
        None => None,
    };
    let open_for = match &head.open_for {
        Some(at) => Some(delay(at, &head.calendar)?),
        None => None,
    };
    Some(Limits { refund_max, lines: head.lines, open_for })
}

/// A text, or one per locale.
pub(super) fn plain_words(at: &At<'_>) -> Option<Words> {
    at.words()?.try_map(|words| words.text().map(str::to_owned))
}

/// What a base closes to its overlays; it means nothing to the document itself.
fn sealed(fields: &Fields<'_>) {
    for at in fields.get("sealed").and_then(|at| at.list()).unwrap_or_default() {
        at.choice(schema::SEALABLE);
    }
}

fn currency(fields: &Fields<'_>, environment: &Environment) -> Option<Currency> {
    if !fields.has("currency") {
        let lacking = "`currency` is missing, and the tenant has none";
        return environment.currency.or_else(|| fields.at().refuse("missing_field", lacking));
    }
    let at = fields.get("currency")?;
    let code = at.text()?;
    match code.parse() {
        Ok(currency) => Some(currency),
        Err(error @ MoneyError::UnknownCurrency(_)) => {
            at.refuse_with("bad_literal", error.to_string(), "three capitals, as `EUR`")
        }
        Err(error) => at.refuse("bad_literal", error.to_string()),
    }
}

fn zone(fields: &Fields<'_>, environment: &Environment) -> Option<Zone> {
    if !fields.has("zone") {
        let lacking = "`zone` is missing, and the tenant has none";
        return environment.zone.or_else(|| fields.at().refuse("missing_field", lacking));
    }
    zone_of(&fields.get("zone")?)
}

/// The time zone that is named here.
pub(in crate::workflow) fn zone_of(at: &At<'_>) -> Option<Zone> {
    let name = at.text()?;
    if let Ok(zone) = name.parse() {
        return Some(zone);
    }
    let message = format!("{name:?} is not a time zone");
    match suggest(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())) {
        Some(near) => at.refuse_with("bad_literal", message, format!("did you mean `{near}`?")),
        None => at.refuse_with("bad_literal", message, "an IANA name, as `Europe/Berlin`"),
    }
}

fn attributes(fields: &Fields<'_>, broken: &mut BTreeSet<String>) -> Attributes {
    let written = fields.get("attributes").and_then(|at| at.fields(&schema::ATTRIBUTES));
    let mut of = |record: &str| {
        let at = written.as_ref().and_then(|fields| fields.get(record));
        let taken = builtin::fields(record);
        let taken: Vec<_> = taken.keys().map(String::as_str).collect();
        at.map(|at| declared(&at, &taken, &format!("`{record}` has a built-in field"), broken)).unwrap_or_default()
    };
    Attributes {
        case: of("case"),
        line: of("line"),
        order: of("order"),
        order_line: of("order_line"),
        customer: of("customer"),
    }
}

fn events(fields: &Fields<'_>, broken: &mut BTreeSet<String>) -> BTreeMap<String, BTreeMap<String, Type>> {
    let mut events = BTreeMap::new();
    for (key, at) in fields.get("events").and_then(|at| at.names()).unwrap_or_default() {
        let Some(name) = identifier(&key.text, key.range, &at) else { continue };
        // An event without a body is written `goods_lost: {}`.
        let carried = declared(&at, &["name", "at", "event"], "an event has a built-in field", broken);
        events.insert(name.as_str().to_owned(), carried);
    }
    events
}

/// Names with their types; `taken` are those that they may not have.
pub(super) fn declared(
    at: &At<'_>,
    taken: &[&str],
    clash: &str,
    broken: &mut BTreeSet<String>,
) -> BTreeMap<String, Type> {
    let mut all = BTreeMap::new();
    for (key, at) in at.names().unwrap_or_default() {
        let Some(name) = free_name(key, &at, taken, clash) else {
            continue;
        };
        match type_of(&at) {
            Some(kind) => {
                all.insert(name, kind);
            }
            None => {
                broken.insert(name);
            }
        }
    }
    all
}

pub(super) fn free_name(key: &Key, at: &At<'_>, taken: &[&str], clash: &str) -> Option<String> {
    let name = identifier(&key.text, key.range, at)?.as_str().to_owned();
    if taken.contains(&name.as_str()) {
        let found = Diagnostic::new("clash", key.range, format!("{clash} `{name}`"));
        return at.report(found.help("choose another name"));
    }
    Some(name)
}

fn vars(fields: &Fields<'_>, currency: Currency) -> BTreeMap<String, Declared> {
    let taken: Vec<_> = builtin::ROOTS.iter().map(|(name, _)| *name).collect();
    let mut vars = BTreeMap::new();
    for (key, at) in fields.get("vars").and_then(|at| at.names()).unwrap_or_default() {
        if let Some(name) = free_name(key, &at, &taken, "the language has a name of its own") {
            vars.insert(name, variable(&at, currency));
        }
    }
    vars
}

fn variable(at: &At<'_>, currency: Currency) -> Declared {
    if !matches!(at.node().kind, Kind::Map(_)) {
        return Declared { kind: type_of(at), default: None };
    }
    let Some(fields) = at.fields(&schema::VARIABLE) else { return Declared { kind: None, default: None } };
    let kind = fields.require("type").and_then(|at| type_of(&at));
    let default = fields.get("default").and_then(|at| {
        if at.is_expression() {
            let help = "compute it in a first step: `set`";
            return at.refuse_with("wrong_type", "a default is a literal, not an expression", help);
        }
        literal(&at, kind.as_ref()?, currency)
    });
    Declared { kind, default }
}
