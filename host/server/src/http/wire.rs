//! Wire types that several resources share. They are not the domain's: names here are promises to clients.

pub mod actor;
pub mod canary;
pub mod case;
pub mod condition;
pub mod effect;
pub mod fields;
pub mod listing;
pub mod order;
pub mod publishing;
pub mod staged;
pub mod start;
pub mod subcase;
pub mod timeline;
pub mod typed;

use redress_domain::clock::Instant;
use redress_domain::money::{Currency, Money, Price};
use redress_domain::verdict::{Reason, Take};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::codes;
use super::problem::{FieldProblem, Problem};

/// An exact amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Money, example = json!({ "amount": "12.50", "currency": "CNY" }))]
pub struct WireMoney {
    /// The amount in decimals, as text: no number of JSON is exact enough.
    #[schema(pattern = r"^-?[0-9]{1,20}(\.[0-9]{1,10})?$")]
    pub amount: String,
    /// ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: String,
}

impl From<Money> for WireMoney {
    fn from(money: Money) -> Self {
        Self { amount: money.amount().to_string(), currency: money.currency().to_string() }
    }
}

impl From<Price> for WireMoney {
    fn from(price: Price) -> Self {
        Self { amount: price.amount().to_string(), currency: price.currency().to_string() }
    }
}

impl WireMoney {
    /// As an amount that can be paid.
    pub fn money(&self, pointer: &str) -> Result<Money, Problem> {
        let (amount, currency) = self.parts(pointer)?;
        Money::new(amount, currency).map_err(|error| invalid(format!("{pointer}/amount"), error))
    }

    /// As an exact amount.
    pub fn price(&self, pointer: &str) -> Result<Price, Problem> {
        let (amount, currency) = self.parts(pointer)?;
        Ok(Price::new(amount, currency))
    }

    fn parts(&self, pointer: &str) -> Result<(Decimal, Currency), Problem> {
        let amount = exact(&self.amount).ok_or_else(|| {
            invalid(format!("{pointer}/amount"), format!("{:?} is no amount like \"12.50\"", self.amount))
        })?;
        let currency = self.currency.parse().map_err(|error| invalid(format!("{pointer}/currency"), error))?;
        Ok((amount, currency))
    }
}

/// Plain decimals only, as many digits as are kept exactly.
pub(super) fn exact(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str, max| (1..=max).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if plain(whole, 20) && plain(part, 10) { Decimal::from_str_exact(text).ok() } else { None }
}

/// A field that is not as it must be.
pub(super) fn invalid(pointer: impl Into<String>, why: impl ToString) -> Problem {
    let why = why.to_string();
    let field = FieldProblem::field(pointer, "field_invalid", why.clone());
    Problem::new(codes::BODY_INVALID, why).at(vec![field])
}

/// A name from a body, as the domain has it.
pub(super) fn name<T, E: ToString>(pointer: &str, made: Result<T, E>) -> Result<T, Problem> {
    made.map_err(|error| invalid(pointer, error))
}

/// An instant from a body.
pub(super) fn instant(pointer: &str, text: &str) -> Result<Instant, Problem> {
    let wrong = || invalid(pointer, format!("{text:?} is no time like \"2026-03-02T09:00:00Z\""));
    instant_of(text).ok_or_else(wrong)
}

/// An instant as RFC 3339 writes it.
pub(super) fn instant_of(text: &str) -> Option<Instant> {
    let parsed = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(Instant::from_unix_ms(parsed.timestamp_millis()))
}

/// Why: a stable code with parameters.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Reason)]
pub struct WireReason {
    /// The code.
    pub code: String,
    /// What its words need.
    #[schema(value_type = Object)]
    pub params: serde_json::Value,
    /// Law and article, where it rests on one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cites: Option<WireCitation>,
}

/// The law or policy that a reason rests on.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Citation)]
pub struct WireCitation {
    /// The collection of rules.
    pub pack: String,
    /// The rule in it.
    pub rule: String,
    /// Law and article.
    pub article: String,
    /// How far the source was verified: V1 primary text, V2 quoted, M from memory, U unconfirmed.
    pub mark: String,
}

impl From<&Reason> for WireReason {
    fn from(reason: &Reason) -> Self {
        let cites = reason.cites.as_ref().map(|cites| WireCitation {
            pack: cites.pack.clone(),
            rule: cites.rule.clone(),
            article: cites.article.clone(),
            mark: cites.mark.clone(),
        });
        Self { code: reason.code.clone(), params: fields::shown(&reason.params), cites }
    }
}

/// So many units of one order line.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Take)]
pub struct WireTake {
    /// The order.
    pub order: String,
    /// Its line, from 0.
    pub line: u32,
    /// How many units.
    pub quantity: u32,
}

impl From<&Take> for WireTake {
    fn from(take: &Take) -> Self {
        Self { order: take.order.to_string(), line: take.line, quantity: take.quantity }
    }
}

/// All of a list in the form of the wire.
pub(super) fn all<'a, T: 'a, W: From<&'a T>>(items: impl IntoIterator<Item = &'a T>) -> Vec<W> {
    items.into_iter().map(W::from).collect()
}
