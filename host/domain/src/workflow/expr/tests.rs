//! Expressions from source to value, through the public interface only.

mod behaviour;
mod diagnostics;
mod properties;

use super::*;
use crate::clock::Instant;
use crate::money::{Money, Price};
use crate::value::Fields;
use crate::workflow::diagnostic::render;

pub(super) fn gbp() -> Currency {
    "GBP".parse().unwrap()
}

pub(super) fn pounds(text: &str) -> Value {
    Value::Money(Money::new(text.parse().unwrap(), gbp()).unwrap())
}

fn instant(text: &str) -> Value {
    let local = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap();
    Value::Instant(Instant::from_local(local, Zone::UTC).unwrap())
}

/// What the tests may read: a case with lines, an order, and a customer that may be absent.
pub(super) fn scope() -> Scope {
    let line = Type::object([
        ("sku", Type::Text),
        ("quantity", Type::Number),
        ("price", Type::Price),
        ("paid", Type::Money),
        ("serial", Type::Text.optional()),
    ]);
    let case = Type::object([
        ("number", Type::Text),
        ("amount", Type::Money),
        ("reason", Type::words(["damaged", "wrong_item", "changed_mind"])),
        ("note", Type::Text.optional()),
        ("claim", Type::words(["warranty", "goodwill"]).optional()),
        ("weight", Type::Number.optional()),
        ("refund", Type::Money.optional()),
        ("regulated", Type::Bool),
        ("opened_at", Type::Instant),
        ("tags", Type::Text.list()),
        ("pct", Type::Number),
        ("lines", line.list()),
    ]);
    let tier = Type::words(["gold", "silver"]);
    let customer = Type::object([("tier", tier.optional()), ("id", Type::Text)]);
    let order = Type::object([("total", Type::Money), ("delivered_at", Type::Instant), ("day", Type::Date)]);
    let roots = [
        ("case", case),
        ("order", order),
        ("customer", customer.optional()),
        ("now", Type::Instant),
        ("route", Type::words(["instant", "manual"])),
    ];
    let roots = roots.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect();
    Scope { roots, currency: gbp(), calendar: Some(Arc::new(calendar())) }
}

/// Office hours in London.
fn calendar() -> Calendar {
    let hours = crate::workflow::calendar::hours::Hours::parse("Mon-Fri 09:00-17:00").unwrap();
    let holidays = crate::workflow::calendar::stock::find("gb").map(Arc::new);
    Calendar { zone: Zone::Europe__London, hours, holidays }
}

/// The roots of a test, all values there or not as the test wants it.
pub(super) struct Data(pub(super) Fields);

impl Roots for Data {
    fn root(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.get(name).map(Cow::Borrowed)
    }
}

impl Data {
    /// The field of the case, replaced or taken out.
    pub(super) fn case(mut self, name: &str, value: Option<Value>) -> Self {
        let Some(Value::Object(case)) = self.0.get_mut("case") else { panic!("there is a case") };
        match value {
            Some(value) => case.insert(name.to_owned(), value),
            None => case.remove(name),
        };
        self
    }
}

pub(super) fn line(sku: &str, quantity: i64, price: &str) -> Value {
    let price = Price::new(price.parse().unwrap(), gbp());
    Value::object([
        ("sku", Some(Value::text(sku))),
        ("quantity", Some(Value::whole(quantity))),
        ("price", Some(Value::Price(price))),
        ("paid", Some(pounds("1.50"))),
    ])
}

/// A case as the scope promises it, without its optional fields but for the note.
pub(super) fn data() -> Data {
    let case = Value::object([
        ("number", Some(Value::text("R-1"))),
        ("amount", Some(pounds("799.99"))),
        ("reason", Some(Value::text("damaged"))),
        ("note", Some(Value::text("torn"))),
        ("regulated", Some(Value::Bool(false))),
        ("opened_at", Some(instant("2011-05-30 23:30:00"))),
        ("tags", Some(Value::List(vec![Value::text("a"), Value::text("b")]))),
        ("pct", Some(Value::whole(60))),
        ("lines", Some(Value::List(vec![line("85123A", 6, "2.55"), line("71053", 0, "0.001")]))),
    ]);
    let order = Value::object([
        ("total", Some(pounds("1000"))),
        ("delivered_at", Some(instant("2011-05-20 12:00:00"))),
        ("day", Some(Value::Date("2011-05-20".parse().unwrap()))),
    ]);
    let roots =
        [("case", case), ("order", order), ("now", instant("2011-06-01 00:00:00")), ("route", Value::text("manual"))];
    Data(roots.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

pub(super) fn context() -> Context {
    Context { zone: Zone::Europe__London, currency: gbp(), steps_left: STEPS_MAX }
}

/// The value of a source, which must be of the type that the checker found.
pub(super) fn run(source: &str) -> Result<Value, EvalError> {
    run_on(source, &data())
}

pub(super) fn run_on(source: &str, data: &Data) -> Result<Value, EvalError> {
    let expr = Expr::compile(source, &scope(), None).unwrap_or_else(|found| panic!("{}", drawn(source, &found)));
    let value = expr.evaluate(data, &mut context())?;
    assert!(value.is_of(expr.kind()), "{source} gave {value:?}, and is {:?}", expr.kind());
    Ok(value)
}

/// The printed value of a source, or the code of its error.
pub(super) fn shown(source: &str) -> String {
    run(source).map_or_else(|error| format!("error {}", error.code), |value| value.to_string())
}

/// All problems of a source, each as `code @ what it points at: message (help)`.
pub(super) fn problems(source: &str, expected: Option<&Type>) -> Vec<String> {
    match Expr::compile(source, &scope(), expected) {
        Ok(expr) => vec![format!("fine: {}", expr.kind())],
        Err(found) => found
            .into_iter()
            .map(|problem| {
                let pointed = &source[problem.range.start..problem.range.end];
                let help = problem.help.map(|help| format!(" ({help})")).unwrap_or_default();
                format!("{} @ {pointed}: {}{help}", problem.code, problem.message)
            })
            .collect(),
    }
}

/// Exactly one problem, with its code and what it points at.
pub(super) fn refused(source: &str, code: &str, pointed: &str) {
    let found = problems(source, None);
    assert!(found.len() == 1 && found[0].starts_with(&format!("{code} @ {pointed}: ")), "{source}: {found:#?}");
}

/// Problems as a terminal shows them.
pub(super) fn drawn(source: &str, found: &[Diagnostic]) -> String {
    found.iter().map(|problem| render("x", source, problem)).collect()
}
