//! Whether an answer fits its question: lines, quantities and money of the request, and the plugin's own manifest.
//!
//! The host's ledger checks again before anything is booked. Here it is caught with the plugin's name on it, and for
//! every hook before anybody reads the answer.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::{
    Attribute, LineQuote, LineVerdict, Purchase, Quote, Remedy, Request, StepAnswer, Take, Value, Verdict,
};
use crate::manifest::{BaseType, Manifest};

/// A rule that every answer keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A verdict or quote speaks only of lines of the request.
    LineUnknown,
    /// A verdict speaks once of a line; a quote once of a line's take.
    LineTwice,
    /// No line gets more than was asked for.
    QuantityAboveAsked,
    /// Takes come from purchases of the request.
    PurchaseUnknown,
    /// Takes of one purchase are together at most what is left of it.
    QuantityAboveLeft,
    /// Takes of one line are together at most its quantity.
    TakesAboveQuantity,
    /// Amounts are in the currency that was paid.
    CurrencyDiffers,
    /// No amount is negative.
    AmountNegative,
    /// Amounts for one purchase are together at most what was paid and not yet refunded.
    AmountAbovePaid,
    /// What the manifest promises to provide is there.
    ProvidesMissing,
    /// What is provided is declared in the manifest, and once.
    ProvidesUndeclared,
    /// What is provided has its declared type.
    ProvidesType,
}

impl Rule {
    /// The stable name, as records show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LineUnknown => "line_unknown",
            Self::LineTwice => "line_twice",
            Self::QuantityAboveAsked => "quantity_above_asked",
            Self::PurchaseUnknown => "purchase_unknown",
            Self::QuantityAboveLeft => "quantity_above_left",
            Self::TakesAboveQuantity => "takes_above_quantity",
            Self::CurrencyDiffers => "currency_differs",
            Self::AmountNegative => "amount_negative",
            Self::AmountAbovePaid => "amount_above_paid",
            Self::ProvidesMissing => "provides_missing",
            Self::ProvidesUndeclared => "provides_undeclared",
            Self::ProvidesType => "provides_type",
        }
    }
}

/// How an answer broke a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The rule.
    pub rule: Rule,
    /// Where and by how much.
    pub detail: String,
}

/// Checks a verdict against its request and its plugin's manifest.
///
/// # Errors
///
/// The first rule that it breaks.
pub fn check_verdict(verdict: &Verdict, request: &Request, manifest: &Manifest) -> Result<(), Invalid> {
    let asked = Asked::new(request);
    let mut seen = BTreeSet::new();
    let mut taken = BTreeMap::new();
    for line in &verdict.lines {
        if !seen.insert(line.line) {
            return Err(invalid(Rule::LineTwice, format!("line {}", line.line)));
        }
        check_line(line, &asked)?;
        for take in &line.takes {
            asked.take(take, &mut taken)?;
        }
    }
    check_provides(&verdict.provides, manifest)
}

/// Checks a quote against its request and its plugin's manifest.
///
/// # Errors
///
/// The first rule that it breaks.
pub fn check_quote(quote: &Quote, request: &Request, manifest: &Manifest) -> Result<(), Invalid> {
    let asked = Asked::new(request);
    let mut seen = BTreeSet::new();
    let mut taken = BTreeMap::new();
    let mut of_line: BTreeMap<u32, u64> = BTreeMap::new();
    let mut refund: BTreeMap<(&str, u32), i128> = BTreeMap::new();
    for line in &quote.lines {
        if !seen.insert((line.line, line.take.order.as_str(), line.take.line)) {
            return Err(invalid(Rule::LineTwice, format!("line {} of {}", line.line, named(&line.take))));
        }
        let quantity = of_line.entry(line.line).or_default();
        *quantity = quantity.saturating_add(u64::from(line.take.quantity));
        let max = asked.quantity(line.line)?;
        if *quantity > u64::from(max) {
            return Err(invalid(Rule::QuantityAboveAsked, format!("line {}: {quantity} of {max}", line.line)));
        }
        let purchase = asked.take(&line.take, &mut taken)?;
        let sum = refund.entry((purchase.order.as_str(), purchase.line)).or_default();
        *sum = sum.saturating_add(sum_of(line, purchase)?);
        let open = i128::from(purchase.paid.minor) - i128::from(purchase.refunded.minor);
        if *sum > open {
            let detail = format!("{}: {sum} of {open} minor units", named(&line.take));
            return Err(invalid(Rule::AmountAbovePaid, detail));
        }
    }
    check_provides(&quote.provides, manifest)
}

/// Checks a step's answer against its plugin's manifest.
///
/// # Errors
///
/// The first rule that it breaks.
pub fn check_step(answer: &StepAnswer, manifest: &Manifest) -> Result<(), Invalid> {
    check_provides(&answer.provides, manifest)
}

/// The lines and purchases of a request, by what answers call them.
struct Asked<'r> {
    lines: BTreeMap<u32, u32>,
    purchases: BTreeMap<(&'r str, u32), &'r Purchase>,
}

impl<'r> Asked<'r> {
    fn new(request: &'r Request) -> Self {
        let lines = request.lines.iter().map(|line| (line.index, line.quantity)).collect();
        let purchases =
            request.purchases.iter().map(|purchase| ((purchase.order.as_str(), purchase.line), purchase)).collect();
        Self { lines, purchases }
    }

    fn quantity(&self, line: u32) -> Result<u32, Invalid> {
        self.lines.get(&line).copied().ok_or_else(|| invalid(Rule::LineUnknown, format!("line {line}")))
    }

    /// Adds a take to what was taken so far, and gives the purchase it takes from.
    fn take(&self, take: &Take, taken: &mut BTreeMap<(&'r str, u32), u64>) -> Result<&'r Purchase, Invalid> {
        let Some(&purchase) = self.purchases.get(&(take.order.as_str(), take.line)) else {
            return Err(invalid(Rule::PurchaseUnknown, named(take)));
        };
        let sum = taken.entry((purchase.order.as_str(), purchase.line)).or_default();
        *sum = sum.saturating_add(u64::from(take.quantity));
        if *sum > u64::from(purchase.left) {
            let detail = format!("{}: {sum} of {}", named(take), purchase.left);
            return Err(invalid(Rule::QuantityAboveLeft, detail));
        }
        Ok(purchase)
    }
}

fn check_line(line: &LineVerdict, asked: &Asked<'_>) -> Result<(), Invalid> {
    let max = asked.quantity(line.line)?;
    if line.quantity > max {
        let detail = format!("line {}: {} of {max}", line.line, line.quantity);
        return Err(invalid(Rule::QuantityAboveAsked, detail));
    }
    // What is allowed is reserved by its takes; under review takes are a proposal, bounded by what was asked.
    let bound = if line.remedy == Remedy::Allow { line.quantity } else { max };
    let taken: u64 = line.takes.iter().map(|take| u64::from(take.quantity)).sum();
    if taken > u64::from(bound) {
        return Err(invalid(Rule::TakesAboveQuantity, format!("line {}: {taken} of {bound}", line.line)));
    }
    Ok(())
}

fn sum_of(line: &LineQuote, purchase: &Purchase) -> Result<i128, Invalid> {
    let mut sum = 0_i128;
    for part in &line.parts {
        let at = || format!("{}, part {:?}", named(&line.take), part.kind);
        if part.amount.currency != purchase.paid.currency {
            let detail = format!("{}: {:?} for {:?}", at(), part.amount.currency, purchase.paid.currency);
            return Err(invalid(Rule::CurrencyDiffers, detail));
        }
        if part.amount.minor < 0 {
            return Err(invalid(Rule::AmountNegative, format!("{}: {}", at(), part.amount.minor)));
        }
        sum = sum.saturating_add(i128::from(part.amount.minor));
    }
    Ok(sum)
}

fn check_provides(provides: &[Attribute], manifest: &Manifest) -> Result<(), Invalid> {
    let mut given = BTreeSet::new();
    for attribute in provides {
        let key = attribute.key.as_str();
        let declared = manifest.provides.get(key).filter(|_| given.insert(key));
        let Some(declared) = declared else {
            return Err(invalid(Rule::ProvidesUndeclared, format!("{key:?}")));
        };
        if type_of(&attribute.value) != Some(declared.base) {
            return Err(invalid(Rule::ProvidesType, format!("{key:?} is not of type {}", declared.base.name())));
        }
    }
    let missing = manifest.provides.iter().find(|(key, kind)| !kind.optional && !given.contains(key.as_str()));
    match missing {
        Some((key, _)) => Err(invalid(Rule::ProvidesMissing, format!("{key:?}"))),
        None => Ok(()),
    }
}

/// The type of a value; none for one that its own type forbids.
fn type_of(value: &Value) -> Option<BaseType> {
    match value {
        Value::Text(_) => Some(BaseType::Text),
        Value::Integer(_) => Some(BaseType::Integer),
        Value::Decimal(decimal) if decimal.scale <= 28 => Some(BaseType::Decimal),
        Value::Decimal(_) => None,
        Value::Boolean(_) => Some(BaseType::Boolean),
        Value::Timestamp(_) => Some(BaseType::Timestamp),
        Value::Money(money) if is_currency(&money.currency) => Some(BaseType::Money),
        Value::Money(_) => None,
    }
}

fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())
}

fn named(take: &Take) -> String {
    format!("order {:?} line {}", take.order, take.line)
}

fn invalid(rule: Rule, detail: String) -> Invalid {
    Invalid { rule, detail }
}
