//! An order on the wire: the same form in and out, so that what was read can be changed and put back.

use std::collections::BTreeSet;

use redress_domain::clock::Instant;
use redress_domain::ids::{CustomerId, OrderId, Sku};
use redress_domain::money::{Currency, Money};
use redress_domain::order::{Order, OrderLine, Paid, Payment, Unit};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::{WireMoney, fields, instant, invalid, name};
use crate::http::problem::Problem;

/// Payments of one order.
const PAYMENTS_MAX: usize = 100;
/// Bytes of what a shop calls a lot, a serial number, a payment.
const NAME_BYTES_MAX: usize = 128;

/// An order as the shop has it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderContent)]
pub struct OrderBody {
    /// Who bought: the merchant's number for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    customer: Option<String>,
    /// The one currency of all amounts; the merchant's own where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// When it was placed.
    #[schema(format = DateTime)]
    placed_at: String,
    /// The lines; a line's number is its place here, from 0.
    #[schema(min_items = 1, max_items = 4000)]
    lines: Vec<LineBody>,
    /// The payments, where the shop tells them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    payments: Vec<PaymentBody>,
    /// The merchant's own fields.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    attributes: Map<String, Json>,
}

/// A line of an order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderLine)]
struct LineBody {
    /// The stock code.
    #[schema(max_length = 128)]
    sku: String,
    /// Units bought.
    #[schema(minimum = 1)]
    quantity: u32,
    /// When this line was bought, where that is not when the order was placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    at: Option<String>,
    /// When it reached the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    delivered_at: Option<String>,
    /// The exact price of one unit; may have more decimals than the currency.
    unit_price: WireMoney,
    /// What was paid; the price of all units, rounded up, where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    paid: Option<PaidBody>,
    /// The units, where the shop knows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    units: Vec<UnitBody>,
    /// The merchant's own fields.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    attributes: Map<String, Json>,
}

/// What was paid for a line, as the shop splits it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Paid)]
struct PaidBody {
    /// All of it: the most that the line can ever refund.
    total: WireMoney,
    /// Of which tax.
    #[serde(skip_serializing_if = "Option::is_none")]
    tax: Option<WireMoney>,
    /// Taken off before.
    #[serde(skip_serializing_if = "Option::is_none")]
    discount: Option<WireMoney>,
    /// Of which the line's share of shipping.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping: Option<WireMoney>,
}

/// One physical thing, as far as it is known.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Unit)]
struct UnitBody {
    /// Batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    lot: Option<String>,
    /// Serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    serial: Option<String>,
    /// Last day of use.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    expiry: Option<String>,
    /// Unique device identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    udi: Option<String>,
}

/// A payment of an order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Payment)]
struct PaymentBody {
    /// The shop's name for it, unique in the order.
    #[schema(max_length = 128)]
    id: String,
    /// Who took the money.
    #[schema(max_length = 128)]
    provider: String,
    /// The provider's reference.
    #[schema(max_length = 128)]
    reference: String,
    /// How much was taken.
    captured: WireMoney,
}

/// An order with its number.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Order)]
pub struct OrderView {
    /// The merchant's number.
    id: String,
    /// What it holds.
    #[serde(flatten)]
    content: OrderBody,
}

/// An order in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrderRow {
    /// The merchant's number.
    id: String,
    /// Who bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    /// When it was placed.
    placed_at: String,
    /// How many lines it has.
    lines: usize,
    /// What was paid for all of them.
    paid: WireMoney,
}

impl OrderBody {
    /// The order, under the number that the path gives it.
    pub(in crate::http) fn domain(&self, id: OrderId, currency: Currency) -> Result<Order, Problem> {
        let currency = match &self.currency {
            Some(code) => name("/currency", code.parse())?,
            None => currency,
        };
        let placed_at = instant("/placed_at", &self.placed_at)?;
        let line = |(place, line): (usize, &LineBody)| line.domain(&format!("/lines/{place}"), placed_at, currency);
        Ok(Order {
            id,
            customer: self.customer.as_deref().map(|id| name("/customer", CustomerId::new(id))).transpose()?,
            currency,
            placed_at,
            lines: self.lines.iter().enumerate().map(line).collect::<Result<_, _>>()?,
            payments: payments(&self.payments, currency)?,
            attributes: fields::read("/attributes", &self.attributes)?,
        })
    }
}

impl LineBody {
    fn domain(&self, at: &str, placed_at: Instant, currency: Currency) -> Result<OrderLine, Problem> {
        let unit_price = self.unit_price.price(&format!("{at}/unit_price"))?;
        let paid = match &self.paid {
            Some(paid) => paid.domain(&format!("{at}/paid"), currency)?,
            None => name(&format!("{at}/unit_price"), OrderLine::price_of(unit_price, self.quantity))?,
        };
        if self.units.len() > self.quantity as usize {
            let why = format!("{} units are told of {} bought", self.units.len(), self.quantity);
            return Err(invalid(format!("{at}/units"), why));
        }
        let unit = |(place, unit): (usize, &UnitBody)| unit.domain(&format!("{at}/units/{place}"));
        let bought_at = self.at.as_deref().map(|text| instant(&format!("{at}/at"), text)).transpose()?;
        let delivered_at = self.delivered_at.as_deref();
        Ok(OrderLine {
            sku: name(&format!("{at}/sku"), Sku::new(&self.sku))?,
            quantity: self.quantity,
            at: bought_at.unwrap_or(placed_at),
            delivered_at: delivered_at.map(|text| instant(&format!("{at}/delivered_at"), text)).transpose()?,
            unit_price,
            paid,
            units: self.units.iter().enumerate().map(unit).collect::<Result<_, _>>()?,
            attributes: fields::read(&format!("{at}/attributes"), &self.attributes)?,
        })
    }
}

impl PaidBody {
    fn domain(&self, at: &str, currency: Currency) -> Result<Paid, Problem> {
        let part = |field: &str, money: &Option<WireMoney>| {
            money.as_ref().map(|money| not_negative(&format!("{at}/{field}"), money, currency)).transpose()
        };
        Ok(Paid {
            total: not_negative(&format!("{at}/total"), &self.total, currency)?,
            tax: part("tax", &self.tax)?,
            discount: part("discount", &self.discount)?,
            shipping: part("shipping", &self.shipping)?,
        })
    }
}

impl UnitBody {
    fn domain(&self, at: &str) -> Result<Unit, Problem> {
        let text = |field: &str, text: &Option<String>| {
            text.as_deref().map(|text| short(&format!("{at}/{field}"), text)).transpose()
        };
        let day = |text: &String| {
            text.parse().map_err(|_| invalid(format!("{at}/expiry"), format!("{text:?} is no day like \"2026-03-02\"")))
        };
        Ok(Unit {
            lot: text("lot", &self.lot)?,
            serial: text("serial", &self.serial)?,
            expiry: self.expiry.as_ref().map(day).transpose()?,
            udi: text("udi", &self.udi)?,
        })
    }
}

/// The ledger knows a payment by its name, so that two of one name would hide each other's money.
fn payments(bodies: &[PaymentBody], currency: Currency) -> Result<Vec<Payment>, Problem> {
    if bodies.len() > PAYMENTS_MAX {
        return Err(invalid("/payments", format!("{} payments, at most {PAYMENTS_MAX} are kept", bodies.len())));
    }
    let mut seen = BTreeSet::new();
    let payment = |(place, body): (usize, &PaymentBody)| {
        let at = format!("/payments/{place}");
        if !seen.insert(body.id.clone()) {
            return Err(invalid(format!("{at}/id"), format!("payment {:?} stands here twice", body.id)));
        }
        Ok(Payment {
            id: short(&format!("{at}/id"), &body.id)?,
            provider: short(&format!("{at}/provider"), &body.provider)?,
            reference: short(&format!("{at}/reference"), &body.reference)?,
            captured: not_negative(&format!("{at}/captured"), &body.captured, currency)?,
        })
    };
    bodies.iter().enumerate().map(payment).collect()
}

fn not_negative(at: &str, money: &WireMoney, currency: Currency) -> Result<Money, Problem> {
    let money = money.money(at)?;
    if money.currency() != currency {
        return Err(invalid(
            format!("{at}/currency"),
            format!("it is {}, the order is in {currency}", money.currency()),
        ));
    }
    if money.is_negative() { Err(invalid(format!("{at}/amount"), "it is below zero")) } else { Ok(money) }
}

fn short(at: &str, text: &str) -> Result<String, Problem> {
    let good = (1..=NAME_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    if good { Ok(text.to_owned()) } else { Err(invalid(at, format!("it has 1 to {NAME_BYTES_MAX} bytes on one line"))) }
}

impl From<&Order> for OrderView {
    fn from(order: &Order) -> Self {
        let content = OrderBody {
            customer: order.customer.as_ref().map(ToString::to_string),
            currency: Some(order.currency.to_string()),
            placed_at: order.placed_at.to_string(),
            lines: order.lines.iter().map(LineBody::from).collect(),
            payments: order.payments.iter().map(PaymentBody::from).collect(),
            attributes: fields::object(&order.attributes),
        };
        Self { id: order.id.to_string(), content }
    }
}

impl From<&OrderLine> for LineBody {
    fn from(line: &OrderLine) -> Self {
        Self {
            sku: line.sku.to_string(),
            quantity: line.quantity,
            at: Some(line.at.to_string()),
            delivered_at: line.delivered_at.map(|at| at.to_string()),
            unit_price: line.unit_price.into(),
            paid: Some(PaidBody {
                total: line.paid.total.into(),
                tax: line.paid.tax.map(WireMoney::from),
                discount: line.paid.discount.map(WireMoney::from),
                shipping: line.paid.shipping.map(WireMoney::from),
            }),
            units: line.units.iter().map(UnitBody::from).collect(),
            attributes: fields::object(&line.attributes),
        }
    }
}

impl From<&Unit> for UnitBody {
    fn from(unit: &Unit) -> Self {
        Self {
            lot: unit.lot.clone(),
            serial: unit.serial.clone(),
            expiry: unit.expiry.map(|day| day.to_string()),
            udi: unit.udi.clone(),
        }
    }
}

impl From<&Payment> for PaymentBody {
    fn from(payment: &Payment) -> Self {
        Self {
            id: payment.id.clone(),
            provider: payment.provider.clone(),
            reference: payment.reference.clone(),
            captured: payment.captured.into(),
        }
    }
}

impl OrderRow {
    /// How an order is listed.
    pub(in crate::http) fn of(order: &Order) -> Result<Self, crate::engine::Error> {
        Ok(Self {
            id: order.id.to_string(),
            customer: order.customer.as_ref().map(ToString::to_string),
            placed_at: order.placed_at.to_string(),
            lines: order.lines.len(),
            paid: order.paid_total()?.into(),
        })
    }
}
