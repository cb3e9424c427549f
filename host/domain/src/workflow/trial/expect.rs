//! What must have come of a test.

use crate::ids::{OrderId, Slug};
use crate::money::Money;
use crate::value::{Fields as Values, Value};
use crate::verdict::Remedy;
use crate::workflow::definition::{Definition, Kind, Step};
use crate::workflow::diagnostic::Range;
use crate::workflow::literal::literal;
use crate::workflow::reader::{At, Fields};
use crate::workflow::trial::given::{few, money, optional};
use crate::workflow::trial::{names, schema};
use crate::workflow::yaml::Kind as Written;

/// Entries of one expectation.
const ENTRIES_MAX: usize = 500;

/// One thing that must be so in the end.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Where it stands.
    pub at: Range,
    /// The field that says it.
    pub field: &'static str,
    /// What must be so.
    pub expected: Expected,
}

/// What must be so.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// These steps were taken and no others.
    Path(Vec<Slug>),
    /// These were the last.
    EndsWith(Vec<Slug>),
    /// The case stands so: one of the words of the table.
    Status(&'static str),
    /// The case waits at this step.
    WaitsAt(Slug),
    /// The case ended with this.
    Result(Slug),
    /// These steps opened a sub-case.
    SubCases(Vec<Slug>),
    /// The customer gets this.
    Remedy(Remedy),
    /// These are among the reasons.
    Reasons(Vec<Slug>),
    /// These refunds were paid.
    Refunds(Vec<ExpectedRefund>),
    /// Goods went there.
    Restock(Vec<String>),
    /// These were given in exchange.
    Exchanges(Vec<String>),
    /// These steps were undone.
    Undone(Vec<Slug>),
    /// These texts were sent.
    Messages(Vec<ExpectedMessage>),
    /// This waits for a person.
    OpenTasks(OpenTasks),
    /// A variable has this value.
    Var(String, Value),
    /// Somebody was reminded so often.
    Reminders(usize),
    /// So many requests reached the receivers.
    ProviderCalls(Calls),
}

/// A refund that must have been paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedRefund {
    /// How much.
    pub amount: Money,
    /// By which step.
    pub step: Option<Slug>,
    /// From which order.
    pub order: Option<OrderId>,
}

/// A text that must have been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedMessage {
    /// Its name.
    pub template: Slug,
    /// What it says, in its subject or below, in one of its languages.
    pub says: Option<String>,
}

/// What must wait for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenTasks {
    /// So many tasks.
    Count(usize),
    /// The tasks of these steps.
    Of(Vec<ExpectedTask>),
}

/// A task that must be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedTask {
    /// Of which step.
    pub step: Slug,
    /// In which queue.
    pub queue: Option<Slug>,
}

/// How often receivers must have been asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// For a refund.
    pub refund: Option<usize>,
    /// To put goods somewhere.
    pub restock: Option<usize>,
    /// To tell somebody.
    pub notice: Option<usize>,
    /// To do something in a system.
    pub http: Option<usize>,
    /// To give other goods.
    pub exchange: Option<usize>,
    /// Under how many keys.
    pub distinct_keys: Option<usize>,
}

/// Read what is expected. A test that expects nothing proves nothing.
pub(super) fn expect(fields: &Fields<'_>, definition: &Definition) -> Option<Vec<Expectation>> {
    let at = fields.require("expect")?;
    let expect = at.fields(&schema::EXPECT)?;
    let (mut all, mut good) = (Vec::new(), true);
    for field in schema::EXPECT.fields.iter().filter(|field| expect.has(field.name)) {
        let read = expect.get(field.name).and_then(|at| Some((at.place(), expected(&at, field.name, definition)?)));
        match read {
            Some((at, found)) => {
                all.extend(found.into_iter().map(|expected| Expectation { at, field: field.name, expected }));
            }
            None => good = false,
        }
    }
    let is_misspelt = expect.names().any(|key| schema::EXPECT.field(&key.text).is_none());
    if good && all.is_empty() && !is_misspelt {
        return at.refuse("missing_value", "the test expects nothing: it could not fail");
    }
    good.then_some(all)
}

fn expected(at: &At<'_>, field: &str, definition: &Definition) -> Option<Vec<Expected>> {
    let one = match field {
        "path" => Expected::Path(names::steps(at, definition)?),
        "ends_with" => Expected::EndsWith(names::steps(at, definition)?),
        "status" => Expected::Status(at.choice(schema::STATUSES)?),
        "waits_at" => Expected::WaitsAt(names::step(at, definition)?.id.clone()),
        "result" => Expected::Result(names::word(at, "unknown_result", "result", &results(definition))?),
        "sub_cases" => Expected::SubCases(names::steps(at, definition)?),
        "remedy" => Expected::Remedy(at.choice(schema::REMEDIES).and_then(Remedy::from_word)?),
        "reasons" => Expected::Reasons(all(at, |at| at.slug())?),
        "refunds" => Expected::Refunds(all(at, |at| refund(at, definition))?),
        "restock" => Expected::Restock(all(at, |at| Some(at.slug()?.to_string()))?),
        "exchanges" => Expected::Exchanges(all(at, |at| at.text().map(str::to_owned))?),
        "undone" => Expected::Undone(names::steps(at, definition)?),
        "messages" => {
            let known: Vec<&str> = definition.templates().into_iter().collect();
            Expected::Messages(all(at, |at| message(at, &known, definition))?)
        }
        "open_tasks" => Expected::OpenTasks(open_tasks(at, definition)?),
        "reminders" => Expected::Reminders(count(at)?),
        "vars" => return vars(at, definition),
        _ => Expected::ProviderCalls(calls(at)?),
    };
    Some(vec![one])
}

fn all<T>(at: &At<'_>, read: impl Fn(&At<'_>) -> Option<T>) -> Option<Vec<T>> {
    let all: Vec<_> = few(at, ENTRIES_MAX)?.iter().map(read).collect();
    all.into_iter().collect()
}

fn results(definition: &Definition) -> Vec<&str> {
    fn result(step: &Step) -> Option<&Slug> {
        match &step.kind {
            Kind::Finish { result } | Kind::Fail { code: result } => Some(result),
            _ => None,
        }
    }
    definition.steps.iter().filter_map(result).map(Slug::as_str).collect()
}

fn refund(at: &At<'_>, definition: &Definition) -> Option<ExpectedRefund> {
    let fields = at.fields(&schema::REFUND)?;
    let amount = fields.require("amount").and_then(|at| money(&at, definition.currency));
    let step = optional(fields.get("step"), |at| Some(names::step(at, definition)?.id.clone()));
    let order = optional(fields.get("order"), |at| match OrderId::new(at.text()?) {
        Ok(order) => Some(order),
        Err(error) => at.refuse("bad_name", error.to_string()),
    });
    Some(ExpectedRefund { amount: amount?, step: step?, order: order? })
}

/// The name of a text, or a map of `template` and `says`.
fn message(at: &At<'_>, known: &[&str], definition: &Definition) -> Option<ExpectedMessage> {
    let named = |at: &At<'_>| names::word(at, "unknown_template", "template", known);
    if !matches!(at.node().kind, Written::Map(_)) {
        return Some(ExpectedMessage { template: named(at)?, says: None });
    }
    let fields = at.fields(&schema::MESSAGE)?;
    let template = fields.require("template").and_then(|at| named(&at));
    let says = optional(fields.get("says"), |at| at.text().map(str::to_owned));
    let (template, says) = (template?, says?);
    if let (Some(at), false) = (fields.get("says"), definition.has_text(template.as_str())) {
        let help = "write it under `messages` of the workflow";
        return at.refuse_with("never_taken", format!("`{template}` is no text of the workflow's own"), help);
    }
    Some(ExpectedMessage { template, says })
}

fn open_tasks(at: &At<'_>, definition: &Definition) -> Option<OpenTasks> {
    if matches!(at.node().kind, Written::List(_)) {
        return all(at, |at| task(at, definition)).map(OpenTasks::Of);
    }
    count(at).map(OpenTasks::Count)
}

/// A step's name, or a map of `at` and `queue`.
fn task(at: &At<'_>, definition: &Definition) -> Option<ExpectedTask> {
    if !matches!(at.node().kind, Written::Map(_)) {
        return Some(ExpectedTask { step: names::step(at, definition)?.id.clone(), queue: None });
    }
    let fields = at.fields(&schema::TASK)?;
    let step = fields.require("at").and_then(|at| Some(names::step(&at, definition)?.id.clone()));
    let queue = optional(fields.get("queue"), At::slug);
    Some(ExpectedTask { step: step?, queue: queue? })
}

fn vars(at: &At<'_>, definition: &Definition) -> Option<Vec<Expected>> {
    let (mut values, mut good) = (Values::new(), true);
    for (key, at) in at.names()? {
        let Some(variable) = definition.vars.get(&key.text) else {
            good = false;
            names::unknown_key(key, &at, "variable", definition.vars.keys().map(String::as_str));
            continue;
        };
        match literal(&at, &variable.kind, definition.currency) {
            Some(value) => {
                values.insert(key.text.clone(), value);
            }
            None => good = false,
        }
    }
    good.then(|| values.into_iter().map(|(name, value)| Expected::Var(name, value)).collect())
}

fn calls(at: &At<'_>) -> Option<Calls> {
    let fields = at.fields(&schema::CALLS)?;
    let of = |name| optional(fields.get(name), count);
    let (refund, restock, notice) = (of("refund"), of("restock"), of("notice"));
    let (http, exchange, distinct_keys) = (of("http"), of("exchange"), of("distinct_keys"));
    let calls = Calls {
        refund: refund?,
        restock: restock?,
        notice: notice?,
        http: http?,
        exchange: exchange?,
        distinct_keys: distinct_keys?,
    };
    if calls == Calls::default() {
        return at.refuse("missing_value", "`provider_calls` counts nothing");
    }
    Some(calls)
}

fn count(at: &At<'_>) -> Option<usize> {
    at.whole(0, 10_000).and_then(|count| usize::try_from(count).ok())
}
