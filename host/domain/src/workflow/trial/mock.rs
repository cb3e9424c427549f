//! What a plugin answers in a test, in place of the plugin itself.

use std::collections::BTreeMap;

use crate::ask::{Answer, Failure};
use crate::case::{Case, Output};
use crate::clock::Instant;
use crate::facts::Facts;
use crate::ids::Slug;
use crate::money::{Currency, Money};
use crate::value::{Fields as Values, Type, Value};
use crate::verdict::{Disposition, LineQuote, LineVerdict, Part, Quote, Reason, Remedy, Take, Tier, Verdict};
use crate::workflow::definition::{Definition, Hook, Plugin, PluginRef};
use crate::workflow::literal::literal;
use crate::workflow::reader::{At, Fields};
use crate::workflow::trial::given::{few, money, optional};
use crate::workflow::trial::layers::Layers;
use crate::workflow::trial::systems::{self, System};
use crate::workflow::trial::{names, schema};
use crate::workflow::yaml::Key;

/// Lines that a mocked verdict may name.
const LINES_MAX: usize = 200;

/// A plugin's answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Mock {
    /// A verdict.
    Verdict {
        /// On the lines.
        lines: MockLines,
        /// Beside them.
        reasons: Vec<Slug>,
        /// What the plugin provides.
        provides: Values,
    },
    /// A quote of this sum.
    Quote {
        /// The sum.
        total: Money,
        /// Reasons.
        reasons: Vec<Slug>,
        /// What the plugin provides.
        provides: Values,
    },
    /// Named values.
    Values(Values),
    /// It fails with this code.
    Fails(Slug),
}

/// What a mocked verdict says of the lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MockLines {
    /// The same of every line.
    Every(Remedy),
    /// Of each, in the order of the case.
    Each(Vec<MockLine>),
}

/// What a mocked verdict says of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MockLine {
    /// What the customer gets.
    pub remedy: Remedy,
    /// For how many units; all where it is not said.
    pub quantity: Option<u32>,
    /// Why.
    pub reasons: Vec<Slug>,
    /// Where the units go.
    pub disposition: Option<Disposition>,
}

impl Mock {
    /// The answer to a question about this case: units come from the newest purchases that have something left.
    ///
    /// # Errors
    /// The plugin is to fail, or the sum cannot be spread.
    pub fn answer(&self, case: &Case, facts: &Facts) -> Result<Answer, Failure> {
        let codes = |reasons: &[Slug]| reasons.iter().map(|code| Reason::code(code.as_str())).collect();
        match self {
            Self::Verdict { lines, reasons, provides } => Ok(Answer::Verdict(Verdict {
                lines: verdict_lines(lines, case, facts),
                reasons: codes(reasons),
                duties: Vec::new(),
                provides: provides.clone(),
            })),
            Self::Quote { total, reasons, provides } => Ok(Answer::Quote(Quote {
                lines: quote_lines(*total, case, facts),
                reasons: codes(reasons),
                provides: provides.clone(),
            })),
            Self::Values(values) => Ok(Answer::Values(values.clone())),
            Self::Fails(code) => {
                let detail = "the test lets it fail".to_owned();
                Err(Failure { code: code.to_string(), detail, reasons: Vec::new() })
            }
        }
    }
}

fn verdict_lines(lines: &MockLines, case: &Case, facts: &Facts) -> Vec<LineVerdict> {
    let every = |remedy: Remedy| MockLine { remedy, quantity: None, reasons: Vec::new(), disposition: None };
    let said: Vec<MockLine> = match lines {
        MockLines::Every(remedy) => case.lines.iter().map(|_| every(*remedy)).collect(),
        MockLines::Each(lines) => lines.clone(),
    };
    let mut used = BTreeMap::new();
    let of_line = |(index, (asked, said)): (u32, (&crate::case::Line, &MockLine))| {
        let allowed = if said.remedy == Remedy::Allow { said.quantity.unwrap_or(asked.quantity) } else { 0 };
        LineVerdict {
            line: index,
            remedy: said.remedy,
            quantity: allowed,
            takes: facts.newest(&asked.sku, allowed, &mut used),
            disposition: said.disposition,
            tier: Tier::Goodwill,
            reasons: said.reasons.iter().map(|code| Reason::code(code.as_str())).collect(),
        }
    };
    (0..).zip(case.lines.iter().zip(&said)).map(of_line).collect()
}

/// The sum over what the last verdict takes, else over what could be taken: up to what is left of each, the rest at the last.
fn quote_lines(total: Money, case: &Case, facts: &Facts) -> Vec<LineQuote> {
    let takes = takes(case, facts);
    let mut left = total;
    let last = takes.len().saturating_sub(1);
    let mut lines = Vec::new();
    for (place, (line, take)) in takes.into_iter().enumerate() {
        let most = facts.purchase(&take.order, take.line).map(|purchase| {
            let refunded = facts.left(purchase).1;
            purchase.paid.minus(refunded).unwrap_or(purchase.paid)
        });
        let amount = match most {
            Some(most) if place < last && left.compare(most).is_ok_and(std::cmp::Ordering::is_gt) => most,
            _ => left,
        };
        left = left.minus(amount).unwrap_or(left);
        lines.push(LineQuote { line, take, parts: vec![Part { kind: "goods".to_owned(), amount }] });
    }
    lines
}

fn takes(case: &Case, facts: &Facts) -> Vec<(u32, Take)> {
    let allowed = |line: u32| {
        let outcome = case.lines.get(line as usize).and_then(|line| line.outcome.as_ref());
        outcome.is_none_or(|outcome| outcome.remedy == Remedy::Allow)
    };
    let verdicts = case.outputs.values().filter_map(|output| match output {
        Output::Verdict(verdict) => Some(verdict),
        _ => None,
    });
    let of_verdict = |verdict: &Verdict| -> Vec<(u32, Take)> {
        let lines = verdict.lines.iter().filter(|line| allowed(line.line));
        lines.flat_map(|line| line.takes.iter().map(|take| (line.line, take.clone()))).collect()
    };
    if let Some(takes) = verdicts.map(of_verdict).find(|takes| !takes.is_empty()) {
        return takes;
    }
    let mut used = BTreeMap::new();
    let of_line = |(index, line): (u32, &crate::case::Line)| {
        facts.newest(&line.sku, line.quantity, &mut used).into_iter().map(move |take| (index, take)).collect::<Vec<_>>()
    };
    (0..).zip(&case.lines).filter(|(index, _)| allowed(*index)).flat_map(of_line).collect()
}

/// Answers of plugins, and of systems that the workflow asks.
pub(super) type Mocks = (BTreeMap<PluginRef, Mock>, BTreeMap<Slug, System>);

/// All answers, nearest first. A plugin has its major behind its name, a system has none.
pub(super) fn mocks(layers: &Layers<'_>, definition: &Definition) -> Option<Mocks> {
    let (mut mocks, mut systems, mut good) = (BTreeMap::new(), BTreeMap::new(), true);
    for at in layers.all("mock") {
        for (key, at) in at.names()? {
            if key.text.contains('@') {
                let read = mock(key, &at, definition);
                good &= read.is_some();
                read.into_iter().for_each(|(plugin, mock)| _ = mocks.entry(plugin).or_insert(mock));
            } else {
                let read = systems::system(key, &at, definition);
                good &= read.is_some();
                read.into_iter().for_each(|(name, system)| _ = systems.entry(name).or_insert(system));
            }
        }
    }
    good.then_some((mocks, systems))
}

fn mock(key: &Key, at: &At<'_>, definition: &Definition) -> Option<(PluginRef, Mock)> {
    let known = definition.plugins.iter().find(|(name, _)| name.to_string() == key.text);
    let Some((name, plugin)) = known else {
        let names: Vec<String> = definition.plugins.keys().map(ToString::to_string).collect();
        let message = format!("the workflow does not call `{}`", key.text);
        return names::unlike(at, "unknown_plugin", message, &key.text, names.iter().map(String::as_str));
    };
    let provided: Vec<&str> = plugin.provides.keys().map(String::as_str).collect();
    let fields = at.fields_and(&schema::MOCK, &provided)?;
    if let Some(at) = fields.get("fails") {
        return Some((name.clone(), Mock::Fails(at.slug()?)));
    }
    let mock = match plugin.hook {
        Hook::Eligibility | Hook::Compliance => verdict(&fields, plugin, definition.currency),
        Hook::Refund => quote(&fields, plugin, definition.currency),
        Hook::Step => provides(&fields, plugin, definition.currency).map(Mock::Values),
    };
    Some((name.clone(), mock?))
}

fn verdict(fields: &Fields<'_>, plugin: &Plugin, currency: Currency) -> Option<Mock> {
    unfit(fields, "quote", "the plugin gives a verdict")?;
    let provides = provides(fields, plugin, currency);
    let reasons = reasons(fields);
    let lines = match (fields.get("verdict"), fields.get("lines")) {
        (Some(at), None) => remedy(&at).map(MockLines::Every),
        (None, Some(at)) => {
            let all: Vec<_> = few(&at, LINES_MAX)?.iter().map(line).collect();
            all.into_iter().collect::<Option<_>>().map(MockLines::Each)
        }
        (Some(at), Some(_)) => at.refuse("clash", "`verdict` is for every line, `lines` for each: write one of them"),
        (None, None) => fields.at().refuse_with(
            "missing_field",
            "the plugin gives a verdict, and the mock says none",
            "as `{ verdict: allow }`, or `fails` with a code",
        ),
    };
    Some(Mock::Verdict { lines: lines?, reasons: reasons?, provides: provides? })
}

fn line(at: &At<'_>) -> Option<MockLine> {
    let fields = at.fields(&schema::MOCK_LINE)?;
    let remedy = fields.require("verdict").and_then(|at| remedy(&at));
    let quantity = optional(fields.get("quantity"), |at| u32::try_from(at.whole(1, 1_000_000)?).ok());
    let reasons = reasons(&fields);
    let disposition =
        optional(fields.get("disposition"), |at| at.choice(Disposition::WORDS).and_then(Disposition::from_word));
    Some(MockLine { remedy: remedy?, quantity: quantity?, reasons: reasons?, disposition: disposition? })
}

fn quote(fields: &Fields<'_>, plugin: &Plugin, currency: Currency) -> Option<Mock> {
    for name in ["verdict", "lines"] {
        unfit(fields, name, "the plugin gives a quote")?;
    }
    let provides = provides(fields, plugin, currency);
    let reasons = reasons(fields);
    let total = match fields.get("quote") {
        Some(at) => money(&at, currency),
        None => fields.at().refuse_with(
            "missing_field",
            "the plugin gives a quote, and the mock says none",
            "as `{ quote: 39.90 }`, or `fails` with a code",
        ),
    };
    Some(Mock::Quote { total: total?, reasons: reasons?, provides: provides? })
}

/// What a plugin provides beside its verdict or quote where a test says nothing of it: most workflows never read it.
fn nothing(kind: &Type, currency: Currency) -> Option<Value> {
    Some(match kind {
        Type::Text => Value::text(""),
        Type::Number => Value::whole(0),
        Type::Bool => Value::Bool(false),
        Type::Money => Value::Money(Money::zero(currency)),
        Type::Instant => Value::Instant(Instant::from_unix_ms(0)),
        _ => return None,
    })
}

/// What the plugin provides, each of its type; what may be absent may be left out, and so may what stands beside an answer.
fn provides(fields: &Fields<'_>, plugin: &Plugin, currency: Currency) -> Option<Values> {
    if plugin.hook == Hook::Step {
        for name in ["verdict", "lines", "quote", "reasons"] {
            if !plugin.provides.contains_key(name) {
                unfit(fields, name, "the plugin gives named values")?;
            }
        }
    }
    let (mut values, mut good) = (Values::new(), true);
    for (name, kind) in &plugin.provides {
        if !fields.has(name) {
            if let (false, Some(value)) = (plugin.hook == Hook::Step, nothing(kind, currency)) {
                values.insert(name.clone(), value);
            } else if !matches!(kind, Type::Optional(_)) {
                good = false;
                fields.at().refuse::<()>("missing_field", format!("the plugin promises `{name}` ({kind})"));
            }
            continue;
        }
        match fields.get(name).and_then(|at| literal(&at, kind, currency)) {
            Some(value) => {
                values.insert(name.clone(), value);
            }
            None => good = false,
        }
    }
    good.then_some(values)
}

fn unfit(fields: &Fields<'_>, name: &str, why: &str) -> Option<()> {
    match fields.get(name) {
        Some(at) => at.refuse("wrong_type", format!("`{name}` does not fit: {why}")),
        None => Some(()),
    }
}

fn remedy(at: &At<'_>) -> Option<Remedy> {
    at.choice(schema::REMEDIES).and_then(Remedy::from_word)
}

fn reasons(fields: &Fields<'_>) -> Option<Vec<Slug>> {
    let Some(at) = fields.get("reasons") else { return Some(Vec::new()) };
    let all: Vec<_> = few(&at, LINES_MAX)?.iter().map(At::slug).collect();
    all.into_iter().collect()
}
