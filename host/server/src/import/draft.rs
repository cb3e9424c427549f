//! What one row says, by the mapping: the expressions evaluated, their values turned into the domain's types.

use std::borrow::Cow;

use redress_domain::case::{Bought, Line};
use redress_domain::clock::Instant;
use redress_domain::ids::{CustomerId, NotAName, OrderId, Sku, Slug};
use redress_domain::money::{Money, MoneyError, Price};
use redress_domain::order::{OrderLine, Paid};
use redress_domain::value::{Fields, Value};
use redress_domain::workflow::expr::{Context, EvalError, Expr, Roots};
use rust_decimal::Decimal;

use super::mapping::{Attributes, CaseFields, Field, Mapping, OrderFields, Source, Then};
use super::rows::RowError;

/// What one expression may do: a thousand times what an honest one needs.
const STEPS_MAX: u32 = 100_000;

/// What the rows of an order have in common; from the first of them.
#[derive(Debug, PartialEq)]
pub(super) struct OrderHead {
    pub(super) customer: Option<CustomerId>,
    pub(super) placed_at: Instant,
    pub(super) attributes: Fields,
}

/// What the rows of a case have in common; from the first of them.
#[derive(Debug, PartialEq)]
pub(super) struct CaseHead {
    pub(super) kind: Slug,
    pub(super) customer: Option<CustomerId>,
    pub(super) opened_at: Instant,
    pub(super) order: Option<OrderId>,
    pub(super) reason: Option<String>,
    pub(super) claim: Option<String>,
    pub(super) attributes: Fields,
}

/// One row, as the expressions of a mapping read it.
pub(super) struct Draft<'r> {
    row: &'r Value,
    source: &'r Source,
}

impl Roots for Draft<'_> {
    fn root(&self, name: &str) -> Option<Cow<'_, Value>> {
        (name == "row").then_some(Cow::Borrowed(self.row))
    }
}

impl From<EvalError> for RowError {
    fn from(error: EvalError) -> Self {
        Self::new(error.code, error.message)
    }
}

impl From<MoneyError> for RowError {
    fn from(error: MoneyError) -> Self {
        Self::new("bad_amount", error.to_string())
    }
}

impl<'r> Draft<'r> {
    pub(super) fn new(row: &'r Value, mapping: &'r Mapping) -> Self {
        Self { row, source: &mapping.source }
    }

    /// What the row is: the first rule that holds.
    pub(super) fn classify(&self, mapping: &'r Mapping) -> Result<&'r Then, RowError> {
        for (place, rule) in mapping.rules.iter().enumerate() {
            let holds = match &rule.when {
                Some(when) => self.evaluate(when).map_err(|error| at(&format!("rows[{place}]"), error.into()))?,
                None => Some(Value::Bool(true)),
            };
            if holds == Some(Value::Bool(true)) {
                return Ok(&rule.then);
            }
        }
        // A mapping does not load without a last rule that always holds.
        Err(RowError::new("no_rule", "no rule of the mapping takes the row"))
    }

    pub(super) fn order_id(&self, fields: &OrderFields) -> Result<OrderId, RowError> {
        self.required(&fields.id, order_id)
    }

    /// Whose row it is; of an order or of a case.
    pub(super) fn customer(&self, field: Option<&Field>) -> Result<Option<CustomerId>, RowError> {
        self.optional(field, |value| text(value).and_then(|text| CustomerId::new(&text).map_err(bad_id)))
    }

    pub(super) fn order_head(&self, fields: &OrderFields) -> Result<OrderHead, RowError> {
        Ok(OrderHead {
            customer: self.customer(fields.customer.as_ref())?,
            placed_at: self.required(&fields.placed_at, instant)?,
            attributes: self.attributes(&fields.attributes)?,
        })
    }

    /// `placed_at` is when the order was placed: the time of a line that does not tell its own.
    pub(super) fn order_line(&self, fields: &OrderFields, placed_at: Instant) -> Result<OrderLine, RowError> {
        let line = &fields.line;
        let unit_price = self.required(&line.unit_price, price)?;
        let quantity = self.required(&line.quantity, quantity)?;
        let priced = OrderLine::price_of(unit_price, quantity).map_err(RowError::from);
        let total = match self.optional(line.paid.as_ref(), money)? {
            Some(paid) => paid,
            None => priced.map_err(|error| at(&line.unit_price.path, error))?.total,
        };
        let paid = Paid {
            total,
            tax: self.optional(line.tax.as_ref(), money)?,
            discount: self.optional(line.discount.as_ref(), money)?,
            shipping: self.optional(line.shipping.as_ref(), money)?,
        };
        Ok(OrderLine {
            sku: self.required(&line.sku, sku)?,
            quantity,
            at: self.optional(line.at.as_ref(), instant)?.unwrap_or(placed_at),
            delivered_at: self.optional(line.delivered_at.as_ref(), instant)?,
            unit_price,
            paid,
            units: Vec::new(),
            attributes: self.attributes(&line.attributes)?,
        })
    }

    /// A case's number has no type of its own; it keeps to the same bounds as an order's.
    pub(super) fn case_id(&self, fields: &CaseFields) -> Result<String, RowError> {
        self.required(&fields.id, |value| order_id(value).map(|id| id.as_str().to_owned()))
    }

    pub(super) fn case_head(&self, fields: &CaseFields) -> Result<CaseHead, RowError> {
        Ok(CaseHead {
            kind: self.required(&fields.kind, |value| text(value).and_then(|text| Slug::new(&text).map_err(bad_id)))?,
            customer: self.customer(fields.customer.as_ref())?,
            opened_at: self.required(&fields.opened_at, instant)?,
            order: self.optional(fields.order.as_ref(), order_id)?,
            reason: self.optional(fields.reason.as_ref(), text)?,
            claim: self.optional(fields.claim.as_ref(), text)?,
            attributes: self.attributes(&fields.attributes)?,
        })
    }

    pub(super) fn case_line(&self, fields: &CaseFields) -> Result<Line, RowError> {
        let line = &fields.line;
        let bought = match &line.bought {
            Some((order, place)) => self.optional(Some(order), order_id)?.zip(self.optional(Some(place), whole)?),
            None => None,
        };
        Ok(Line {
            sku: self.required(&line.sku, sku)?,
            quantity: self.required(&line.quantity, quantity)?,
            reason: self.optional(line.reason.as_ref(), text)?,
            bought: bought.map(|(order, line)| Bought { order, line }),
            unit: None,
            attributes: self.attributes(&line.attributes)?,
            outcome: None,
        })
    }

    fn attributes(&self, fields: &Attributes) -> Result<Fields, RowError> {
        let mut values = Fields::new();
        for (name, field) in fields {
            if let Some(value) = self.optional(Some(field), Ok)? {
                values.insert(name.clone(), value);
            }
        }
        Ok(values)
    }

    fn required<T>(&self, field: &Field, read: impl Fn(Value) -> Result<T, RowError>) -> Result<T, RowError> {
        let missing = || RowError::new("missing", "there is no value");
        let value = self.evaluate(&field.value).map_err(RowError::from).and_then(|value| value.ok_or_else(missing));
        value.and_then(read).map_err(|error| at(&field.path, error))
    }

    /// A field that may be left out: an empty text is as good as none.
    fn optional<T>(
        &self,
        field: Option<&Field>,
        read: impl Fn(Value) -> Result<T, RowError>,
    ) -> Result<Option<T>, RowError> {
        let Some(field) = field else { return Ok(None) };
        let value = self.evaluate(&field.value).map_err(|error| at(&field.path, error.into()))?;
        let value = value.filter(|value| !matches!(value, Value::Text(text) if text.is_empty()));
        value.map(read).transpose().map_err(|error| at(&field.path, error))
    }

    fn evaluate(&self, expression: &Expr) -> Result<Option<Value>, EvalError> {
        let Source { zone, currency, .. } = *self.source;
        expression.evaluate_optional(self, &mut Context { zone, currency, steps_left: STEPS_MAX })
    }
}

/// The same error, told at the field of the mapping that it is about.
fn at(path: &str, error: RowError) -> RowError {
    RowError { message: format!("{path}: {}", error.message), ..error }
}

fn text(value: Value) -> Result<String, RowError> {
    if let Value::Text(text) = value { Ok(text) } else { Err(unexpected(&value)) }
}

fn order_id(value: Value) -> Result<OrderId, RowError> {
    text(value).and_then(|text| OrderId::new(&text).map_err(bad_id))
}

fn sku(value: Value) -> Result<Sku, RowError> {
    text(value).and_then(|text| Sku::new(&text).map_err(bad_id))
}

fn instant(value: Value) -> Result<Instant, RowError> {
    if let Value::Instant(at) = value { Ok(at) } else { Err(unexpected(&value)) }
}

fn money(value: Value) -> Result<Money, RowError> {
    if let Value::Money(money) = value { Ok(money) } else { Err(unexpected(&value)) }
}

fn price(value: Value) -> Result<Price, RowError> {
    match value {
        Value::Price(price) if price.amount() < Decimal::ZERO => {
            Err(RowError::new("bad_amount", "a price is below zero"))
        }
        Value::Price(price) => Ok(price),
        other => Err(unexpected(&other)),
    }
}

fn whole(value: Value) -> Result<u32, RowError> {
    let Value::Number(number) = value else { return Err(unexpected(&value)) };
    let whole = number.is_integer().then(|| u32::try_from(number).ok()).flatten();
    whole.ok_or_else(|| RowError::new("bad_quantity", format!("expected a whole number from 0 to {}", u32::MAX)))
}

fn quantity(value: Value) -> Result<u32, RowError> {
    match whole(value)? {
        0 => Err(RowError::new("bad_quantity", "expected a quantity above 0")),
        quantity => Ok(quantity),
    }
}

fn bad_id(error: NotAName) -> RowError {
    RowError::new("bad_id", format!("expected {}", error.expected))
}

/// The checker of expressions promised another type.
fn unexpected(value: &Value) -> RowError {
    RowError::new("wrong_type", format!("did not expect {}", value.kind()))
}

#[cfg(test)]
mod tests {
    use super::super::mapping;
    use super::*;

    /// A mapping that reads columns as they are; the fields of orders and cases follow.
    fn mapping(order: &str, case: &str) -> Mapping {
        let text = format!(
            "format: 1\nimport: test\nsource: {{ name: shop, format: csv, zone: Europe/London, currency: GBP }}\n\
             columns: {{ id: text, who: text, n: number, price: number, at: text, more: 'text?' }}\n\
             rows: [{{ when: 'row.n > 0', as: order_line }}, {{ when: 'number(row.id) == 0', skip: nothing }}, {{ as: case_line }}]\n\
             order:\n  id: =row.id\n  customer: =row.who\n  placed_at: '=instant(row.at, \"%Y-%m-%d %H:%M\")'\n\
             \x20 line: {{ sku: =row.id, quantity: =row.n, unit_price: =price(row.price){order} }}\n\
             case:\n  id: =row.id\n  type: =row.who\n  opened_at: '=instant(row.at, \"%Y-%m-%d %H:%M\")'\n\
             \x20 line: {{ sku: =row.id, quantity: =-row.n{case} }}\n"
        );
        mapping::load(&text).unwrap_or_else(|found| panic!("{found:#?}"))
    }

    fn row(id: &str, n: &str, price: &str, at: &str, more: Option<&str>) -> Value {
        let number = |text: &str| Some(Value::Number(text.parse().unwrap()));
        Value::object([
            ("id", Some(Value::text(id))),
            ("who", Some(Value::text(""))),
            ("n", number(n)),
            ("price", number(price)),
            ("at", Some(Value::text(at))),
            ("more", more.map(Value::text)),
        ])
    }

    const AT: &str = "2011-05-31 00:30";

    fn order_line(row: &Value, order: &str) -> Result<OrderLine, RowError> {
        let mapping = mapping(order, "");
        let fields = mapping.order.as_ref().unwrap();
        let draft = Draft::new(row, &mapping);
        draft.order_line(fields, draft.order_head(fields)?.placed_at)
    }

    #[track_caller]
    fn refused(row: &Value, order: &str, kind: &str, message: &str) {
        let error = order_line(row, order).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (kind, message));
    }

    #[test]
    fn a_row_is_what_the_first_rule_that_holds_says() {
        let mapping = mapping("", "");
        let of = |id: &str, n: &str| {
            let row = row(id, n, "1", AT, None);
            Draft::new(&row, &mapping).classify(&mapping).cloned()
        };
        assert_eq!(of("x", "1"), Ok(Then::OrderLine));
        assert_eq!(of("0", "-1"), Ok(Then::Skip(Slug::new("nothing").unwrap())));
        assert_eq!(of("7", "0"), Ok(Then::CaseLine));
        let error = of("x", "-1").unwrap_err();
        assert!(error.message.starts_with("rows[1]: "), "{error:?}");
    }

    #[test]
    fn what_was_paid_is_the_price_of_all_units_rounded_up_unless_a_column_says_it() {
        let cheap = row("A", "5", "0.001", AT, None);
        assert_eq!(order_line(&cheap, "").unwrap().paid.total.to_string(), "GBP 0.01");
        let told = order_line(&cheap, ", paid: =money(0.02), tax: 0.01").unwrap().paid;
        assert_eq!(
            (told.total.to_string(), told.tax.unwrap().to_string()),
            ("GBP 0.02".to_owned(), "GBP 0.01".to_owned())
        );
    }

    #[test]
    fn a_line_without_its_own_time_has_that_of_the_order_and_local_times_are_of_the_zone() {
        let plain = order_line(&row("A", "1", "1", AT, None), "").unwrap();
        assert_eq!(plain.at.to_string(), "2011-05-30T23:30:00.000Z");
        let own =
            ", at: '=has(row.more) ? instant(row.more, \"%Y-%m-%d %H:%M\") : instant(row.at, \"%Y-%m-%d %H:%M\")'";
        let later = order_line(&row("A", "1", "1", AT, Some("2011-05-31 00:31")), own).unwrap();
        assert_eq!(later.at.to_string(), "2011-05-30T23:31:00.000Z");
    }

    #[test]
    fn an_empty_text_in_a_field_that_may_be_left_out_is_left_out() {
        let row = row("A", "1", "1", AT, None);
        let mapping = mapping(", attributes: { colour: =row.more, shade: =row.who, size: =row.n }", "");
        let fields = mapping.order.as_ref().unwrap();
        let draft = Draft::new(&row, &mapping);
        assert_eq!(draft.order_head(fields).unwrap().customer, None);
        let line = draft.order_line(fields, Instant::from_unix_ms(0)).unwrap();
        assert_eq!(line.attributes.keys().collect::<Vec<_>>(), ["size"]);
    }

    #[test]
    fn what_cannot_be_read_says_which_field_and_does_not_quote_the_row() {
        refused(
            &row("A", "2.5", "1", AT, None),
            "",
            "bad_quantity",
            "order.line.quantity: expected a whole number from 0 to 4294967295",
        );
        refused(
            &row("A", "4294967296", "1", AT, None),
            "",
            "bad_quantity",
            "order.line.quantity: expected a whole number from 0 to 4294967295",
        );
        refused(&row("A", "0", "1", AT, None), "", "bad_quantity", "order.line.quantity: expected a quantity above 0");
        refused(
            &row("", "1", "1", AT, None),
            "",
            "bad_id",
            "order.line.sku: expected 1 to 128 bytes without control characters",
        );
        refused(&row("A", "1", "-1", AT, None), "", "bad_amount", "order.line.unit_price: a price is below zero");
        refused(
            &row("A", "1", "1", "2011-03-27 01:30", None),
            "",
            "bad_text",
            "order.placed_at: `instant(row.at, \"%Y-%m-%d %H:%M\")`: the text is no instant of this format and zone",
        );
        refused(
            &row("A", "4000000000", "99999999999999999999", AT, None),
            "",
            "bad_amount",
            "order.line.unit_price: amount is too large",
        );
    }

    #[test]
    fn a_line_of_a_case_may_name_its_purchase() {
        let mapping = mapping("", ", order: =row.more, order_line: 3");
        let fields = mapping.case.as_ref().unwrap();
        let line = |more| Draft::new(&row("A", "-2", "1", AT, more), &mapping).case_line(fields).unwrap();
        let named = line(Some("1001")).bought.unwrap();
        assert_eq!((named.order.as_str(), named.line), ("1001", 3));
        assert_eq!((line(None).bought, line(None).quantity), (None, 2));
    }

    #[test]
    fn a_type_of_case_that_is_computed_is_checked_with_each_row() {
        let mapping = mapping("", "");
        let row = row("A", "-2", "1", AT, None);
        let error = Draft::new(&row, &mapping).case_head(mapping.case.as_ref().unwrap()).unwrap_err();
        assert_eq!(error.kind, "bad_id");
        assert!(error.message.starts_with("case.type: "), "{error:?}");
    }
}
