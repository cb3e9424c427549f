//! The fields of orders and cases in a mapping: each an expression over a row, of the type that its place needs.

use std::collections::BTreeMap;

use redress_domain::value::Type;
use redress_domain::workflow::compile::Compiler;
use redress_domain::workflow::expr::Expr;
use redress_domain::workflow::reader::{At, Fields, identifier};
use redress_domain::workflow::yaml::Key;

use super::schema;

/// Where the value of a field comes from.
#[derive(Debug, Clone)]
pub struct Field {
    /// Where it stands in the mapping, as `order.line.sku`.
    pub path: String,
    /// What computes it from a row.
    pub value: Expr,
}

/// The merchant's own fields, by name.
pub type Attributes = BTreeMap<String, Field>;

/// How rows become an order.
#[derive(Debug, Clone)]
pub struct OrderFields {
    /// The order's number: what groups rows.
    pub id: Field,
    /// The customer's id.
    pub customer: Option<Field>,
    /// When it was placed.
    pub placed_at: Field,
    /// The merchant's own fields.
    pub attributes: Attributes,
    /// Of each row.
    pub line: OrderLineFields,
}

/// How a row becomes a line of an order.
#[derive(Debug, Clone)]
pub struct OrderLineFields {
    /// The stock code.
    pub sku: Field,
    /// Units bought.
    pub quantity: Field,
    /// When this line was bought.
    pub at: Option<Field>,
    /// When it reached the customer.
    pub delivered_at: Option<Field>,
    /// Exact price of one unit.
    pub unit_price: Field,
    /// What was paid.
    pub paid: Option<Field>,
    /// Of which tax.
    pub tax: Option<Field>,
    /// Taken off before.
    pub discount: Option<Field>,
    /// Of which shipping.
    pub shipping: Option<Field>,
    /// The merchant's own fields.
    pub attributes: Attributes,
}

/// How rows become a case.
#[derive(Debug, Clone)]
pub struct CaseFields {
    /// The case's number in its source: what groups rows.
    pub id: Field,
    /// The type of case.
    pub kind: Field,
    /// The customer's id.
    pub customer: Option<Field>,
    /// When it was opened.
    pub opened_at: Field,
    /// The order that it is about.
    pub order: Option<Field>,
    /// Why it was opened.
    pub reason: Option<Field>,
    /// The legal basis that is claimed.
    pub claim: Option<Field>,
    /// The merchant's own fields.
    pub attributes: Attributes,
    /// Of each row.
    pub line: CaseLineFields,
}

/// How a row becomes a line of a case.
#[derive(Debug, Clone)]
pub struct CaseLineFields {
    /// The stock code.
    pub sku: Field,
    /// Units asked for.
    pub quantity: Field,
    /// Why this line.
    pub reason: Option<Field>,
    /// The order and the line in it that it was bought with.
    pub bought: Option<(Field, Field)>,
    /// The merchant's own fields.
    pub attributes: Attributes,
}

/// The section `order`.
pub(super) fn order(at: &At<'_>, compiler: &Compiler) -> Option<OrderFields> {
    let section = Section::new(at.fields(&schema::ORDER)?, compiler);
    let line = section.fields.require("line").and_then(|at| order_line(&at, compiler));
    let (id, placed_at) = (section.required("id", &Type::Text), section.required("placed_at", &Type::Instant));
    let (customer, attributes) = (section.optional("customer", Type::Text), section.attributes());
    Some(OrderFields { id: id?, customer, placed_at: placed_at?, attributes, line: line? })
}

fn order_line(at: &At<'_>, compiler: &Compiler) -> Option<OrderLineFields> {
    let section = Section::new(at.fields(&schema::ORDER_LINE)?, compiler);
    let (sku, quantity) = (section.required("sku", &Type::Text), section.required("quantity", &Type::Number));
    let unit_price = section.required("unit_price", &Type::Price);
    let at = section.optional("at", Type::Instant);
    let delivered_at = section.optional("delivered_at", Type::Instant);
    let money = |name| section.optional(name, Type::Money);
    let (paid, tax, discount, shipping) = (money("paid"), money("tax"), money("discount"), money("shipping"));
    let attributes = section.attributes();
    Some(OrderLineFields {
        sku: sku?,
        quantity: quantity?,
        at,
        delivered_at,
        unit_price: unit_price?,
        paid,
        tax,
        discount,
        shipping,
        attributes,
    })
}

/// The section `case`.
pub(super) fn case(at: &At<'_>, compiler: &Compiler) -> Option<CaseFields> {
    let section = Section::new(at.fields(&schema::CASE)?, compiler);
    let line = section.fields.require("line").and_then(|at| case_line(&at, compiler));
    let (id, opened_at) = (section.required("id", &Type::Text), section.required("opened_at", &Type::Instant));
    let kind = section.required("type", &Type::Text);
    if let Some(at) = section.fields.get("type").filter(|at| kind.is_some() && !at.is_expression()) {
        // Written out, so it can be checked before the first row; a computed one is checked with each.
        at.slug();
    }
    let text = |name| section.optional(name, Type::Text);
    let (customer, order, reason, claim) = (text("customer"), text("order"), text("reason"), text("claim"));
    let attributes = section.attributes();
    Some(CaseFields {
        id: id?,
        kind: kind?,
        customer,
        opened_at: opened_at?,
        order,
        reason,
        claim,
        attributes,
        line: line?,
    })
}

fn case_line(at: &At<'_>, compiler: &Compiler) -> Option<CaseLineFields> {
    let section = Section::new(at.fields(&schema::CASE_LINE)?, compiler);
    let (sku, quantity) = (section.required("sku", &Type::Text), section.required("quantity", &Type::Number));
    let (reason, attributes) = (section.optional("reason", Type::Text), section.attributes());
    let (order, order_line) = (section.optional("order", Type::Text), section.optional("order_line", Type::Number));
    if section.fields.has("order") != section.fields.has("order_line") {
        at.refuse::<()>(
            "missing_field",
            "`order` and `order_line` go together: an order alone does not say which line",
        );
    }
    Some(CaseLineFields { sku: sku?, quantity: quantity?, reason, bought: order.zip(order_line), attributes })
}

/// The fields of one map and what compiles them. What is wrong is reported, so a field that is none is never used.
struct Section<'d, 'c> {
    fields: Fields<'d>,
    compiler: &'c Compiler,
}

impl<'d, 'c> Section<'d, 'c> {
    fn new(fields: Fields<'d>, compiler: &'c Compiler) -> Self {
        Self { fields, compiler }
    }

    fn required(&self, name: &str, kind: &Type) -> Option<Field> {
        self.compile(&self.fields.require(name)?, kind)
    }

    fn optional(&self, name: &str, kind: Type) -> Option<Field> {
        self.compile(&self.fields.get(name)?, &kind.optional())
    }

    fn compile(&self, at: &At<'_>, kind: &Type) -> Option<Field> {
        self.compiler.value(at, kind).map(|value| Field { path: at.path().to_owned(), value })
    }

    fn attributes(&self) -> Attributes {
        let written = self.fields.get("attributes").and_then(|at| at.names()).unwrap_or_default();
        let attribute = |(key, at): (&Key, At<'_>)| {
            let name = identifier(&key.text, key.range, &at)?.as_str().to_owned();
            let value = self.compiler.expression(&at, None)?;
            Some((name, Field { path: at.path().to_owned(), value }))
        };
        written.into_iter().filter_map(attribute).collect()
    }
}
