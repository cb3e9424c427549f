//! What a test begins with: a case, and the orders that its customer placed.

use std::collections::BTreeMap;

use crate::case::command::Open;
use crate::case::{Bought, Line};
use crate::clock::{Instant, Span};
use crate::ids::{CustomerId, NotAName, OrderId, Sku, Slug};
use crate::money::{Currency, Money, Price};
use crate::order::{Order, OrderLine, Paid, Payment, Unit};
use crate::value::{Fields as Values, Type, Value};
use crate::workflow::definition::Definition;
use crate::workflow::literal::literal;
use crate::workflow::reader::{At, Fields};
use crate::workflow::trial::layers::Layers;
use crate::workflow::trial::started::{Begun, started};
use crate::workflow::trial::{moment, schema};

/// When a case is opened of which nothing is said: Monday, 2 March 2026, 09:00 UTC.
const OPENED_AT_MS: i64 = 1_772_442_000_000;
/// How long before the case an order was placed of which nothing is said.
const PLACED_BEFORE: Span = Span::from_days(10);
/// The number of an order of which nothing is said.
const ORDER: &str = "1001";
/// Orders of one test.
const ORDERS_MAX: usize = 50;
/// Lines of a case or an order of a test.
const LINES_MAX: usize = 200;

/// What there is before anything happens.
#[derive(Debug, Clone)]
pub struct Given {
    /// When the case is opened.
    pub opened_at: Instant,
    /// The case.
    pub open: Open,
    /// In which role it is opened, where its start says so.
    pub role: Option<String>,
    /// What was bought.
    pub orders: Vec<Order>,
    /// The law that applies; the merchant's where it is not said.
    pub jurisdiction: Option<String>,
}

/// What the readers of orders and lines share.
struct World<'w> {
    definition: &'w Definition,
    opened_at: Instant,
    currency: Currency,
    customer: Option<CustomerId>,
}

/// Read what is given. `at` is where a lack is reported that has no other place.
pub(super) fn given(at: &At<'_>, layers: &Layers<'_>, definition: &Definition) -> Option<Given> {
    let given = layers.inside("given", &schema::GIVEN, &[]);
    let own: Vec<&str> = definition.attributes.case.keys().map(String::as_str).collect();
    let case = given.inside("case", &schema::CASE, &own);
    let opened_at = optional(case.get("opened_at"), |at| moment::instant(at, definition.zone));
    let currency = optional(case.get("currency"), currency);
    let customer = optional(case.get("customer"), |at| named(at, CustomerId::new));
    // Where one of them was refused, the rest is read with some other one, so that all that is wrong is told.
    let world = World {
        definition,
        opened_at: opened_at.flatten().unwrap_or(Instant::from_unix_ms(OPENED_AT_MS)),
        currency: currency.flatten().unwrap_or(definition.currency),
        customer: customer.clone().flatten(),
    };
    let orders = orders(&given, &world);
    let begun = started(at, &given, definition, world.opened_at);
    let open = open(at, &case, &world, begun.as_ref());
    let jurisdiction = optional(given.get("jurisdiction"), text);
    opened_at.and(currency).and(customer)?;
    let begun = begun?;
    let open = Open { called: begun.called, start: begun.start, ..open? };
    let open = match begun.open {
        // What the event says counts more than what is given of the case.
        Some(told) => Open {
            external: told.external,
            order: told.order.or(open.order),
            customer: told.customer.or(open.customer),
            reason: told.reason.or(open.reason),
            currency: told.currency,
            ..open
        },
        None => open,
    };
    let (orders, jurisdiction) = (orders?, jurisdiction?);
    Some(Given { opened_at: world.opened_at, open, role: begun.role, orders, jurisdiction })
}

fn open(at: &At<'_>, case: &Layers<'_>, world: &World<'_>, begun: Option<&Begun>) -> Option<Open> {
    let kind = match (case.get("type"), begun.and_then(|begun| begun.kind.clone())) {
        (Some(at), _) => at.slug(),
        (None, Some(kind)) => Some(kind),
        (None, None) => first_kind(at, world.definition),
    };
    let order = optional(case.get("order"), |at| named(at, OrderId::new));
    let reason = optional(case.get("reason"), text);
    let claim = optional(case.get("claim"), text);
    let attributes = attributes(|name| case.get(name), &world.definition.attributes.case, world.currency);
    let lines = case.get("lines").map_or(Some(Vec::new()), |at| lines(&at, world));
    Some(Open {
        kind: kind?,
        external: None,
        history: false,
        customer: world.customer.clone(),
        order: order?,
        currency: world.currency,
        reason: reason?,
        claim: claim?,
        attributes: attributes?,
        lines: lines?,
        called: None,
        start: None,
    })
}

/// The type of case that the first trigger names.
fn first_kind(at: &At<'_>, definition: &Definition) -> Option<Slug> {
    let first = definition.triggers.iter().find_map(|trigger| trigger.kinds.first());
    match first.and_then(|kind| Slug::new(kind).ok()) {
        Some(kind) => Some(kind),
        // A sub-case has the type of the case that opens it.
        None if definition.triggers.is_empty() => Some(Slug::from_static("return")),
        None => at.refuse_with(
            "missing_field",
            "the test does not say which type of case is opened",
            "as `given: { case: { type: return } }`",
        ),
    }
}

fn lines(at: &At<'_>, world: &World<'_>) -> Option<Vec<Line>> {
    let all: Vec<_> = few(at, LINES_MAX)?.iter().map(|at| line(at, world)).collect();
    all.into_iter().collect()
}

fn line(at: &At<'_>, world: &World<'_>) -> Option<Line> {
    let own = &world.definition.attributes.line;
    let names: Vec<&str> = own.keys().map(String::as_str).collect();
    let fields = at.fields_and(&schema::LINE, &names)?;
    let sku = fields.require("sku").and_then(|at| named(&at, Sku::new));
    let quantity = optional(fields.get("quantity"), units);
    let reason = optional(fields.get("reason"), text);
    let bought = bought(&fields);
    let unit = unit(&fields);
    let attributes = attributes(|name| fields.get(name), own, world.currency);
    Some(Line {
        sku: sku?,
        quantity: quantity?.unwrap_or(1),
        reason: reason?,
        bought: bought?,
        unit: unit?,
        attributes: attributes?,
        outcome: None,
    })
}

fn bought(fields: &Fields<'_>) -> Option<Option<Bought>> {
    let order = optional(fields.get("order"), |at| named(at, OrderId::new));
    let line = optional(fields.get("order_line"), place);
    match (order?, line?) {
        (Some(order), line) => Some(Some(Bought { order, line: line.unwrap_or(0) })),
        (None, None) => Some(None),
        (None, Some(_)) => {
            fields.at().refuse("missing_field", "`order_line` without `order` does not say of which order")
        }
    }
}

fn unit(fields: &Fields<'_>) -> Option<Option<Unit>> {
    let word = |name| optional(fields.get(name), text);
    let (lot, serial, udi) = (word("lot"), word("serial"), word("udi"));
    let expiry = optional(fields.get("expiry"), |at| match literal(at, &Type::Date, Currency::EUR)? {
        Value::Date(day) => Some(day),
        _ => None,
    });
    let unit = Unit { lot: lot?, serial: serial?, expiry: expiry?, udi: udi? };
    Some((unit != Unit::default()).then_some(unit))
}

fn orders(given: &Layers<'_>, world: &World<'_>) -> Option<Vec<Order>> {
    let (one, many) = (given.get("order"), given.get("orders"));
    let all: Vec<Option<Order>> = match (one, many) {
        (None, None) => Vec::new(),
        (Some(one), None) => vec![order(&one, world)],
        (None, Some(many)) => few(&many, ORDERS_MAX)?.iter().map(|at| order(at, world)).collect(),
        (Some(one), Some(_)) => {
            return one.refuse("clash", "`order` and `orders` stand side by side: write all of them under `orders`");
        }
    };
    all.into_iter().collect()
}

fn order(at: &At<'_>, world: &World<'_>) -> Option<Order> {
    let own = &world.definition.attributes.order;
    let names: Vec<&str> = own.keys().map(String::as_str).collect();
    let fields = at.fields_and(&schema::ORDER, &names)?;
    let zone = world.definition.zone;
    let id = match fields.get("id") {
        Some(at) => named(&at, OrderId::new),
        None => OrderId::new(ORDER).ok(),
    };
    let customer = optional(fields.get("customer"), |at| named(at, CustomerId::new));
    let currency = optional(fields.get("currency"), currency);
    let placed_at = optional(fields.get("placed_at"), |at| moment::before(at, zone, world.opened_at));
    let delivered_at = optional(fields.get("delivered_at"), |at| moment::before(at, zone, world.opened_at));
    let ten_days_before = world.opened_at.after(Span::from_millis(-PLACED_BEFORE.millis()));
    let whole = Whole {
        world,
        placed_at: placed_at.flatten().unwrap_or(ten_days_before),
        delivered_at: delivered_at.flatten(),
        currency: currency.flatten().unwrap_or(world.currency),
    };
    let written = fields.require("lines").and_then(|at| few(&at, LINES_MAX));
    let lines = written.map(|lines| lines.iter().map(|at| order_line(at, &whole)).collect::<Vec<_>>());
    let payments = fields.get("payments").map_or(Some(Vec::new()), |at| payments(&at, whole.currency));
    let attributes = attributes(|name| fields.get(name), own, whole.currency);
    currency.and(placed_at).and(delivered_at)?;
    let order = Order {
        id: id?,
        customer: customer?.or_else(|| world.customer.clone()),
        currency: whole.currency,
        placed_at: whole.placed_at,
        lines: lines?.into_iter().collect::<Option<_>>()?,
        payments: payments?,
        attributes: attributes?,
    };
    match order.check() {
        Ok(()) => Some(order),
        Err(error) => at.refuse("bad_literal", error.to_string()),
    }
}

/// What the lines of an order have from it.
struct Whole<'w> {
    world: &'w World<'w>,
    placed_at: Instant,
    delivered_at: Option<Instant>,
    currency: Currency,
}

fn order_line(at: &At<'_>, whole: &Whole<'_>) -> Option<OrderLine> {
    let Whole { world, currency, .. } = *whole;
    let own = &world.definition.attributes.order_line;
    let names: Vec<&str> = own.keys().map(String::as_str).collect();
    let fields = at.fields_and(&schema::ORDER_LINE, &names)?;
    let zone = world.definition.zone;
    let sku = fields.require("sku").and_then(|at| named(&at, Sku::new));
    let quantity = optional(fields.get("quantity"), units);
    let price = fields.require("unit_price").and_then(|at| Some(Price::new(at.number()?, currency)));
    let paid = optional(fields.get("paid"), |at| money(at, currency));
    let bought = optional(fields.get("at"), |at| moment::before(at, zone, world.opened_at));
    let delivered = optional(fields.get("delivered_at"), |at| moment::before(at, zone, world.opened_at));
    let unit = unit(&fields);
    let attributes = attributes(|name| fields.get(name), own, currency);
    let (quantity, unit_price) = (quantity?.unwrap_or(1), price?);
    let paid = match paid? {
        Some(total) => Paid { total, tax: None, discount: None, shipping: None },
        None => match OrderLine::price_of(unit_price, quantity) {
            Ok(paid) => paid,
            Err(error) => return at.refuse("bad_literal", error.to_string()),
        },
    };
    Some(OrderLine {
        sku: sku?,
        quantity,
        at: bought?.unwrap_or(whole.placed_at),
        delivered_at: delivered?.or(whole.delivered_at),
        unit_price,
        paid,
        units: unit?.into_iter().collect(),
        attributes: attributes?,
    })
}

fn payments(at: &At<'_>, currency: Currency) -> Option<Vec<Payment>> {
    let payment = |at: &At<'_>| {
        let fields = at.fields(&schema::PAYMENT)?;
        let id = fields.require("id").and_then(|at| at.text().map(str::to_owned));
        let captured = fields.require("captured").and_then(|at| money(&at, currency));
        let id = id?;
        Some(Payment { provider: "test".to_owned(), reference: id.clone(), id, captured: captured? })
    };
    let all: Vec<_> = few(at, LINES_MAX)?.iter().map(payment).collect();
    all.into_iter().collect()
}

/// The merchant's own fields, which stand beside the built-in ones.
fn attributes<'d>(
    get: impl Fn(&str) -> Option<At<'d>>,
    declared: &BTreeMap<String, Type>,
    currency: Currency,
) -> Option<Values> {
    let written = declared.iter().filter_map(|(name, kind)| Some((name, kind, get(name)?)));
    let all: Vec<_> = written.map(|(name, kind, at)| Some((name.clone(), literal(&at, kind, currency)?))).collect();
    all.into_iter().collect()
}

/// What a field says: `Some(None)` where it is left out, `None` where it was refused.
pub(super) fn optional<'d, T>(at: Option<At<'d>>, read: impl FnOnce(&At<'d>) -> Option<T>) -> Option<Option<T>> {
    match at {
        None => Some(None),
        Some(at) => read(&at).map(Some),
    }
}

/// The items of a list that is not too long.
pub(super) fn few<'d>(at: &At<'d>, max: usize) -> Option<Vec<At<'d>>> {
    let list = at.list()?;
    if list.len() > max {
        return at.refuse("too_large", format!("the list has {} entries, the most is {max}", list.len()));
    }
    Some(list)
}

fn named<T>(at: &At<'_>, read: impl FnOnce(&str) -> Result<T, NotAName>) -> Option<T> {
    match read(at.text()?) {
        Ok(name) => Some(name),
        Err(error) => at.refuse("bad_name", error.to_string()),
    }
}

fn text(at: &At<'_>) -> Option<String> {
    at.text().map(str::to_owned)
}

fn units(at: &At<'_>) -> Option<u32> {
    at.whole(1, 1_000_000).and_then(|units| u32::try_from(units).ok())
}

fn place(at: &At<'_>) -> Option<u32> {
    at.whole(0, 1_000_000).and_then(|place| u32::try_from(place).ok())
}

pub(super) fn money(at: &At<'_>, currency: Currency) -> Option<Money> {
    match literal(at, &Type::Money, currency)? {
        Value::Money(money) => Some(money),
        _ => None,
    }
}

pub(super) fn currency(at: &At<'_>) -> Option<Currency> {
    match at.text()?.parse() {
        Ok(currency) => Some(currency),
        Err(error) => {
            let error: crate::money::MoneyError = error;
            at.refuse_with("bad_literal", error.to_string(), "three capitals, as `EUR`")
        }
    }
}
