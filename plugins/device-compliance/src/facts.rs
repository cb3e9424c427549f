//! The facts of one line: read by name, never assumed. What a rule read becomes the `used` of its reason.

use std::cell::RefCell;

use redress_plugin::compliance::{Attribute, Line, Purchase, Request, Value};
use redress_plugin::purchases::Purchases;
use redress_plugin::types::Moment;

/// A fact that a row needs and nobody stated, or stated in a word that is not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing(pub(crate) &'static str);

/// How long after receipt the case was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Period {
    /// Within the days asked for.
    Within,
    /// Later.
    Over,
    /// Within for one purchase of the line, later for another.
    Differs,
}

/// The facts of one line. An attribute is looked for on the line, then on what was bought, then on the case.
pub(crate) struct Facts<'a> {
    pub(crate) line: &'a Line,
    request: &'a Request,
    purchases: Vec<&'a Purchase>,
    notes: RefCell<(Vec<String>, Vec<Attribute>)>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(request: &'a Request, bought: &Purchases<'a>, line: &'a Line) -> Self {
        Self { line, request, purchases: purchases_of(request, bought, line), notes: RefCell::default() }
    }

    /// A fact that is true or false.
    pub(crate) fn truth(&self, key: &'static str) -> Result<bool, Missing> {
        match self.value(key)? {
            Some(Value::Boolean(truth)) => Ok(*truth),
            _ => Err(Missing(key)),
        }
    }

    /// A fact that is one of these words.
    pub(crate) fn word(&self, key: &'static str, words: &[&'static str]) -> Result<&'static str, Missing> {
        match self.value(key)? {
            Some(Value::Text(text)) => words.iter().find(|word| *word == text).copied().ok_or(Missing(key)),
            _ => Err(Missing(key)),
        }
    }

    /// Whether the case was opened at most so many days after the day of receipt, which itself does not count.
    pub(crate) fn since_receipt(&self, days_most: i64) -> Result<Period, Missing> {
        let key = "purchases.delivered";
        self.use_fact(key);
        let received: Option<Vec<Moment>> = self.purchases.iter().map(|purchase| purchase.delivered).collect();
        let received = received.ok_or(Missing(key))?;
        let days = |moment: &Moment| self.request.about.opened.days_since(moment);
        let earliest = received.iter().map(days).max().ok_or(Missing("line.bought"))?;
        let latest = received.iter().map(days).min().ok_or(Missing("line.bought"))?;
        self.note("days", earliest);
        self.note("days_most", days_most);
        Ok(match (latest <= days_most, earliest <= days_most) {
            (true, true) => Period::Within,
            (false, false) => Period::Over,
            _ => Period::Differs,
        })
    }

    /// Whether the unit was past its expiry day when it was sold: by its own expiry day, or as stated.
    pub(crate) fn expired_at_sale(&self) -> Result<bool, Missing> {
        let stated = self.truth("expired_at_sale");
        let was_expired = |expiry| self.purchases.iter().any(|purchase| expiry < purchase.at.local_day);
        match self.expiry_day().filter(|_| !self.purchases.is_empty()).map(was_expired) {
            Some(true) => Ok(true),
            Some(false) => stated.or(Ok(false)),
            None => stated,
        }
    }

    /// Whether the unit is past its expiry day now.
    pub(crate) fn expired_now(&self) -> Result<bool, Missing> {
        self.expiry_day().map(|day| day < self.request.now.local_day).ok_or(Missing("line.unit.expiry-day"))
    }

    /// Give a reason's words a parameter.
    pub(crate) fn note(&self, key: &str, value: impl Into<Value>) {
        let mut notes = self.notes.borrow_mut();
        if !notes.1.iter().any(|attribute| attribute.key == key) {
            notes.1.push(Attribute::new(key, value));
        }
    }

    /// What was read and noted since this was last asked: the inputs and the parameters of a reason.
    pub(crate) fn take_notes(&self) -> (Vec<String>, Vec<Attribute>) {
        self.notes.take()
    }

    fn expiry_day(&self) -> Option<i32> {
        self.use_fact("line.unit.expiry-day");
        self.line.unit.as_ref().and_then(|unit| unit.expiry_day)
    }

    /// What several purchases of one line state differently is not known.
    fn value(&self, key: &'static str) -> Result<Option<&'a Value>, Missing> {
        self.use_fact(key);
        let of = |attributes: &'a [Attribute]| attributes.iter().find(|at| at.key == key).map(|at| &at.value);
        if let Some(value) = of(&self.line.attributes) {
            return Ok(Some(value));
        }
        let mut bought = self.purchases.iter().map(|purchase| of(&purchase.attributes));
        let first = bought.next().flatten();
        if bought.any(|other| other != first) {
            return Err(Missing(key));
        }
        Ok(first.or_else(|| of(&self.request.about.attributes)))
    }

    fn use_fact(&self, key: &str) {
        let mut notes = self.notes.borrow_mut();
        if !notes.0.iter().any(|used| used == key) {
            notes.0.push(key.to_owned());
        }
    }
}

/// What the line was bought with: the order line it names, else what an earlier opinion takes for it, else the only
/// purchase of its stock code. With several and no word on which, none: the date of receipt is then not known.
fn purchases_of<'a>(request: &Request, bought: &Purchases<'a>, line: &Line) -> Vec<&'a Purchase> {
    let find = |order: &str, number: u32| bought.find(order, number).map(|at| bought.at(at));
    if let Some(named) = &line.bought {
        return find(&named.order, named.line).into_iter().collect();
    }
    let verdicts = request.earlier.iter().rev().flat_map(|opinion| &opinion.verdict.lines);
    let mut of_line = verdicts.filter(|verdict| verdict.line == line.index).map(|verdict| &verdict.takes);
    if let Some(takes) = of_line.find(|takes| !takes.is_empty()) {
        let found: Option<Vec<_>> = takes.iter().map(|take| find(&take.order, take.line)).collect();
        return found.unwrap_or_default();
    }
    match bought.of_sku(&line.sku) {
        [only] => vec![bought.at(*only)],
        _ => Vec::new(),
    }
}
