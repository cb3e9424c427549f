//! The trial of a second major, `redress:plugin@2.0.0`: its records, and how they become those of the host and back. Only tests are
//! built with it, to show what a new major takes: a text, the conversions of this file, and a line wherever [`Major`](super::Major) is told apart.
//!
//! Conversions are total. What only the newer one knows goes into an open bag, or to the nearest that the host knows; what only the host
//! knows does the same on its way out.

use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Lift, Lower};

use super::{self as host};
use crate::guest::Guest;
use crate::hooks::{Ask, Checked, Said};

pub(crate) use self::bindings::redress::plugin::log::Level;
pub(crate) use self::bindings::redress::plugin::types as two;

/// The key under which a reason's severity stands where a record has no field for it. A real major would reserve keys
/// that begin so before the first plugin is out: one of a plugin's own would be taken for it.
const SEVERITY: &str = "contract.severity";

/// Something of one contract as another has it.
pub(crate) trait Becomes<T> {
    /// The same in the other contract.
    fn becomes(self) -> T;
}

impl<T: Becomes<U>, U> Becomes<Vec<U>> for Vec<T> {
    fn becomes(self) -> Vec<U> {
        self.into_iter().map(Becomes::becomes).collect()
    }
}

impl<T: Becomes<U>, U> Becomes<Option<U>> for Option<T> {
    fn becomes(self) -> Option<U> {
        self.map(Becomes::becomes)
    }
}

macro_rules! itself {
    ($($plain:ty)*) => {$(
        impl Becomes<Self> for $plain {
            fn becomes(self) -> Self {
                self
            }
        }
    )*};
}

itself! { String bool i32 i64 u8 u32 u64 }

/// Records whose fields go by the same names in both.
macro_rules! records {
    ($($record:ident { $($field:ident),* })*) => {$(
        impl Becomes<two::$record> for host::$record {
            fn becomes(self) -> two::$record {
                two::$record { $($field: self.$field.becomes()),* }
            }
        }

        impl Becomes<host::$record> for two::$record {
            fn becomes(self) -> host::$record {
                host::$record { $($field: self.$field.becomes()),* }
            }
        }
    )*};
}

records! {
    Decimal { mantissa, scale }
    Money { minor, currency }
    Moment { unix_ms, local_day, local_second }
    Attribute { key, value }
    Citation { pack, rule, article, mark }
    OrderLineRef { order, line }
    Unit { lot, serial, expiry_day, udi }
    Party { id, attributes }
    CaseInfo { id, number, kind, reason, claim, opened, channel, attributes }
    Line { index, sku, quantity, bought, unit, reason, attributes }
    Purchase { order, line, sku, at, delivered, quantity, left, unit_price, paid, refunded, attributes }
    Take { order, line, quantity }
    LineVerdict { line, remedy, quantity, takes, disposition, tier, reasons }
    Duty { to, rule, due, reasons }
    Verdict { lines, reasons, duties, provides }
    Part { kind, amount }
    LineQuote { line, take, parts }
    Quote { lines, reasons, provides }
    Opinion { step, plugin, verdict }
    Fact { key, value }
    StepAnswer { provides, reasons }
}

/// Enums whose cases go by the same names in both.
macro_rules! enums {
    ($($name:ident { $($case:ident),* })*) => {$(
        impl Becomes<two::$name> for host::$name {
            fn becomes(self) -> two::$name {
                match self { $(Self::$case => two::$name::$case),* }
            }
        }

        impl Becomes<host::$name> for two::$name {
            fn becomes(self) -> host::$name {
                match self { $(Self::$case => host::$name::$case),* }
            }
        }
    )*};
}

enums! {
    Remedy { Allow, Deny, Review }
    Disposition { Quarantine, RestockAfterInspection, Scrap, ReturnToMaker }
    Tier { Safety, Recall, Quality, Statutory, Goodwill, Logistics }
    Recipient { Manufacturer, Authority, Customer }
}

impl Becomes<host::Level> for Level {
    fn becomes(self) -> host::Level {
        match self {
            Self::Debug => host::Level::Debug,
            Self::Info => host::Level::Info,
            Self::Warn => host::Level::Warn,
            Self::Error => host::Level::Error,
        }
    }
}

impl Becomes<two::Value> for host::Value {
    fn becomes(self) -> two::Value {
        match self {
            Self::Text(text) => two::Value::Text(text),
            Self::Integer(number) => two::Value::Integer(number),
            Self::Decimal(number) => two::Value::Decimal(number.becomes()),
            Self::Boolean(truth) => two::Value::Boolean(truth),
            Self::Timestamp(moment) => two::Value::Timestamp(moment.becomes()),
            Self::Money(amount) => two::Value::Money(amount.becomes()),
        }
    }
}

impl Becomes<host::Value> for two::Value {
    fn becomes(self) -> host::Value {
        match self {
            Self::Text(text) => host::Value::Text(text),
            Self::Integer(number) => host::Value::Integer(number),
            Self::Decimal(number) => host::Value::Decimal(number.becomes()),
            Self::Boolean(truth) => host::Value::Boolean(truth),
            Self::Timestamp(moment) => host::Value::Timestamp(moment.becomes()),
            Self::Money(amount) => host::Value::Money(amount.becomes()),
            // The host has no such values of plugins, and counts milliseconds where it means a duration.
            Self::Duration(millis) => host::Value::Integer(millis),
        }
    }
}

impl Becomes<two::Reason> for host::Reason {
    fn becomes(self) -> two::Reason {
        let Self { code, cites, used, mut params } = self;
        let warns = |one: &host::Attribute| {
            one.key == SEVERITY && matches!(&one.value, host::Value::Text(text) if text == "warning")
        };
        let severity = match params.iter().position(warns) {
            Some(place) => {
                params.remove(place);
                two::Severity::Warning
            }
            None => two::Severity::Note,
        };
        two::Reason { code, cites: cites.becomes(), used, params: params.becomes(), severity }
    }
}

impl Becomes<host::Reason> for two::Reason {
    fn becomes(self) -> host::Reason {
        let mut params: Vec<host::Attribute> = self.params.becomes();
        if self.severity == two::Severity::Warning {
            params.push(host::Attribute { key: SEVERITY.to_owned(), value: host::Value::Text("warning".to_owned()) });
        }
        host::Reason { code: self.code, cites: self.cites.becomes(), used: self.used, params }
    }
}

impl Becomes<two::Request> for host::Request {
    fn becomes(self) -> two::Request {
        two::Request {
            ask: self.ask,
            now: self.now.becomes(),
            seed: self.seed,
            zone: self.zone,
            jurisdictions: vec![self.jurisdiction],
            args: self.args.becomes(),
            about: self.about.becomes(),
            customer: self.customer.becomes(),
            lines: self.lines.becomes(),
            purchases: self.purchases.becomes(),
            earlier: self.earlier.becomes(),
            facts: self.facts.becomes(),
        }
    }
}

impl Becomes<two::StepRequest> for host::StepRequest {
    fn becomes(self) -> two::StepRequest {
        two::StepRequest {
            ask: self.ask,
            now: self.now.becomes(),
            seed: self.seed,
            zone: self.zone,
            jurisdictions: vec![self.jurisdiction],
            args: self.args.becomes(),
        }
    }
}

impl Becomes<host::Failure> for two::Failure {
    fn becomes(self) -> host::Failure {
        match self {
            Self::CannotDecide(reasons) => host::Failure::CannotDecide(reasons.becomes()),
            Self::BadInput(text) => host::Failure::BadInput(text),
            // Whose matter it is, is for a person to say, as everything is that a plugin cannot decide.
            Self::NotMine(text) => {
                let why = host::Attribute { key: "why".to_owned(), value: host::Value::Text(text) };
                let reason =
                    host::Reason { code: "not_mine".to_owned(), cites: None, used: Vec::new(), params: vec![why] };
                host::Failure::CannotDecide(vec![reason])
            }
        }
    }
}

/// A hook of this contract, asked in the host's.
pub(crate) struct Converted<Question, Answer>(pub(crate) Checked<Question, Answer, two::Failure>);

impl<Q, A, Question, Answer> Ask<Q, A> for Converted<Question, Answer>
where
    Q: Clone + Becomes<Question>,
    Answer: Becomes<A>,
    Question: 'static,
    for<'q> (&'q Question,): ComponentNamedList + Lower,
    (Result<Answer, two::Failure>,): ComponentNamedList + Lift,
{
    fn ask(&self, store: &mut Store<Guest>, question: &Q) -> Said<A> {
        let said = self.0.put(store, &question.clone().becomes())?;
        Ok(said.map(Becomes::becomes).map_err(Becomes::becomes))
    }
}

mod bindings {
    wasmtime::component::bindgen!({
        path: "trial/redress-plugin-2",
        world: "eligibility-plugin",
        additional_derives: [PartialEq, Eq],
    });
}
