//! The table of functions: what the checker accepts, the evaluator runs and the reference lists.

pub(super) mod amounts;
mod business;
pub(super) mod text;
pub(super) mod time;

use std::borrow::Cow;

use super::typed::{Form, Settings};
use super::{Context, EvalError};
use crate::value::Value;

/// One function of the language. `f(x, y)` may also be written `x.f(y)`.
#[derive(Debug)]
pub struct Function {
    /// The name.
    pub name: &'static str,
    /// How it is written.
    pub signature: &'static str,
    /// What it gives, in one sentence.
    pub doc: &'static str,
    /// An expression that uses it.
    pub example: &'static str,
    /// The value of the example.
    pub answer: &'static str,
    /// What the arguments must be.
    pub(super) params: &'static [Param],
    /// How many arguments may be left out at the end.
    pub(super) optional: usize,
    pub(super) result: Returns,
    /// Whether what it gives is always a whole number.
    pub(super) whole: bool,
    /// Whether it counts by the document's calendar.
    pub(super) calendar: bool,
    pub(super) run: Run,
}

/// What an argument must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Param {
    /// Text or the word of an enumeration.
    Text,
    Number,
    /// An instant, or a date written as a literal.
    Day,
    /// A date or an instant.
    Moment,
    Instant,
    /// A number, money or a price.
    Amount,
    /// A number, money, a price or a duration.
    Signed,
    /// Anything that has an order; all such arguments are of one type.
    Ordered,
    /// Anything that templates can print.
    Scalar,
    /// Text or any list.
    Sized,
    /// A list of numbers, money or prices.
    Amounts,
    /// Digits of a rounding; literal.
    Digits,
    /// A way of rounding; literal.
    Rounding,
    /// A regular expression; literal.
    Pattern,
    /// A form of dates and times; literal.
    Format,
    /// A time zone; literal.
    Zone,
    /// A span of time; literal.
    Span,
}

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Returns {
    Bool,
    Text,
    Texts,
    Number,
    Money,
    Price,
    Date,
    Instant,
    Duration,
    /// The type of the first argument.
    Same,
    /// The type of the items of the first argument.
    Item,
    /// A number for a number, money for money and for a price.
    Rounded,
    /// Said by the checker of the form.
    Form,
}

/// Evaluated arguments.
pub(super) type Args<'a> = [Cow<'a, Value>];

/// How a function is run.
#[derive(Debug)]
pub(super) enum Run {
    /// Whether there is a value at a path.
    Has,
    /// A default for an absent value.
    OrElse,
    /// A loop over a list.
    Loop(Form),
    /// Known when the expression is loaded; its argument is a literal.
    Literal,
    /// A function of values.
    Of(fn(&Args<'_>, &Settings, &mut Context) -> Result<Value, EvalError>),
}

/// All functions, in the order of the reference.
pub fn functions() -> &'static [Function] {
    &FUNCTIONS
}

/// The function of this name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

impl Function {
    const fn new(name: &'static str, params: &'static [Param], result: Returns, run: Run) -> Self {
        Self {
            name,
            signature: "",
            doc: "",
            example: "",
            answer: "",
            params,
            optional: 0,
            result,
            whole: false,
            calendar: false,
            run,
        }
    }

    /// The same, of which so many last arguments may be left out.
    const fn optional(mut self, optional: usize) -> Self {
        self.optional = optional;
        self
    }

    /// The same, whose value is always a whole number.
    const fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// The same, counting by the document's calendar.
    const fn by_calendar(mut self) -> Self {
        self.calendar = true;
        self
    }

    /// The same, with its lines in the reference.
    const fn doc(
        mut self,
        signature: &'static str,
        doc: &'static str,
        example: &'static str,
        answer: &'static str,
    ) -> Self {
        self.signature = signature;
        self.doc = doc;
        self.example = example;
        self.answer = answer;
        self
    }
}

static FUNCTIONS: [Function; 34] = {
    use Param as P;
    use Returns as R;
    use Run::Of;
    [
        Function::new("has", &[], R::Form, Run::Has).doc(
            "has(path)",
            "Whether there is a value at a path; guards reads of it behind `&&`, `||` and `? :`.",
            "has(case.note) && case.note == \"torn\"",
            "true",
        ),
        Function::new("orElse", &[], R::Form, Run::OrElse).doc(
            "orElse(x, default)",
            "The value, or the default where it is absent.",
            "orElse(case.claim, \"goodwill\")",
            "goodwill",
        ),
        Function::new("exists", &[], R::Form, Run::Loop(Form::Exists)).doc(
            "list.exists(x, condition)",
            "Whether the condition holds for some element.",
            "[1, 2].exists(x, x > 1)",
            "true",
        ),
        Function::new("all", &[], R::Form, Run::Loop(Form::All)).doc(
            "list.all(x, condition)",
            "Whether the condition holds for every element; yes for an empty list.",
            "[1, 2].all(x, x > 1)",
            "false",
        ),
        Function::new("filter", &[], R::Form, Run::Loop(Form::Filter)).doc(
            "list.filter(x, condition)",
            "The elements for which the condition holds, in their order.",
            "[1, 2, 3].filter(x, x != 2)",
            "[1, 3]",
        ),
        Function::new("map", &[], R::Form, Run::Loop(Form::Map)).doc(
            "list.map(x, value)",
            "The value for each element, in their order.",
            "[1, 2].map(x, x * 10)",
            "[10, 20]",
        ),
        Function::new("size", &[P::Sized], R::Number, Of(text::size)).whole().doc(
            "size(x)",
            "How many elements a list or characters a text has.",
            "size([4, 5])",
            "2",
        ),
        Function::new("sum", &[P::Amounts], R::Item, Of(amounts::sum)).doc(
            "sum(list)",
            "The sum of a list of numbers, money or prices; nothing gives zero.",
            "sum([1.5, 2])",
            "3.5",
        ),
        Function::new("min", &[P::Ordered, P::Ordered], R::Same, Of(amounts::min)).doc(
            "min(a, b)",
            "The smaller of two.",
            "min(3, 2)",
            "2",
        ),
        Function::new("max", &[P::Ordered, P::Ordered], R::Same, Of(amounts::max)).doc(
            "max(a, b)",
            "The larger of two.",
            "max(3, 2)",
            "3",
        ),
        Function::new("abs", &[P::Signed], R::Same, Of(amounts::abs)).doc(
            "abs(x)",
            "The value without its sign.",
            "abs(-2)",
            "2",
        ),
        Function::new("round", &[P::Amount, P::Digits, P::Rounding], R::Rounded, Of(amounts::round)).optional(1).doc(
            "round(x, digits[, half_away|half_even|up])",
            "Rounds to so many decimals, halves away from zero unless said otherwise; a price becomes money.",
            "round(2.345, 2)",
            "2.35",
        ),
        Function::new("number", &[P::Text], R::Number, Of(amounts::number)).doc(
            "number(text)",
            "The number that a text of digits, sign and point writes; anything else is an error.",
            "number(\"-2.50\") + 1",
            "-1.5",
        ),
        Function::new("money", &[P::Number], R::Money, Of(amounts::money)).doc(
            "money(number)",
            "The amount in the document's currency; more decimals than it has are an error.",
            "money(12.5)",
            "GBP 12.50",
        ),
        Function::new("price", &[P::Number], R::Price, Of(amounts::price)).doc(
            "price(number)",
            "The exact amount in the document's currency, with any number of decimals.",
            "price(0.001)",
            "GBP 0.001",
        ),
        Function::new("text", &[P::Scalar], R::Text, Of(text::text)).doc(
            "text(x)",
            "The value as templates print it.",
            "text(2.50) + \" kg\"",
            "2.5 kg",
        ),
        Function::new("matches", &[P::Text, P::Pattern], R::Bool, Of(text::matches)).doc(
            "matches(text, pattern)",
            "Whether the pattern is found in the text; anchor it with ^ and $. The pattern is a literal.",
            "matches(\"85123A\", r\"^\\d{5}[A-Z]*$\")",
            "true",
        ),
        Function::new("starts_with", &[P::Text, P::Text], R::Bool, Of(text::starts_with)).doc(
            "starts_with(text, beginning)",
            "Whether the text begins so.",
            "\"C536379\".starts_with(\"C\")",
            "true",
        ),
        Function::new("ends_with", &[P::Text, P::Text], R::Bool, Of(text::ends_with)).doc(
            "ends_with(text, end)",
            "Whether the text ends so.",
            "ends_with(\"85123A\", \"A\")",
            "true",
        ),
        Function::new("contains", &[P::Text, P::Text], R::Bool, Of(text::contains)).doc(
            "contains(text, part)",
            "Whether the part stands in the text; for lists it is `x in list`.",
            "contains(\"gift card\", \"card\")",
            "true",
        ),
        Function::new("split", &[P::Text, P::Text], R::Texts, Of(text::split)).doc(
            "split(text, separator)",
            "The pieces between separators, at most 1,000.",
            "split(\"a,b\", \",\")[1]",
            "b",
        ),
        Function::new("replace", &[P::Text, P::Text, P::Text], R::Text, Of(text::replace)).doc(
            "replace(text, part, by)",
            "The text with every occurrence of a part replaced.",
            "replace(\"1,250\", \",\", \"\")",
            "1250",
        ),
        Function::new("trim", &[P::Text], R::Text, Of(text::trim)).doc(
            "trim(text)",
            "The text without white space at its ends.",
            "trim(\" a b \")",
            "a b",
        ),
        Function::new("upper", &[P::Text], R::Text, Of(text::upper)).doc(
            "upper(text)",
            "The text in capitals.",
            "upper(\"85123a\")",
            "85123A",
        ),
        Function::new("lower", &[P::Text], R::Text, Of(text::lower)).doc(
            "lower(text)",
            "The text in small letters.",
            "lower(\"EUR\")",
            "eur",
        ),
        Function::new("instant", &[P::Text, P::Format, P::Zone], R::Instant, Of(time::instant)).optional(1).doc(
            "instant(text, format[, zone])",
            "The instant that a text writes; without a zone in the document's. Format and zone are literals.",
            "instant(\"31/05/2011 00:30\", \"%d/%m/%Y %H:%M\", \"Europe/London\")",
            "2011-05-30T23:30:00.000Z",
        ),
        Function::new("date", &[P::Day], R::Date, Of(time::date)).doc(
            "date(instant) or date(\"2026-01-31\")",
            "The calendar day of an instant in the document's zone, or the day that a literal writes.",
            "date(case.opened_at)",
            "2011-05-31",
        ),
        Function::new("days_between", &[P::Moment, P::Moment], R::Number, Of(time::days_between)).whole().doc(
            "days_between(from, to)",
            "Calendar days from one date or instant to another, in the document's zone; negative if `to` is earlier.",
            "days_between(date(\"2026-01-31\"), date(\"2026-02-02\"))",
            "2",
        ),
        Function::new("add_days", &[P::Moment, P::Number], R::Same, Of(time::add_days)).doc(
            "add_days(moment, days)",
            "The date so many days later, or the instant with the same local time on that day.",
            "add_days(date(\"2026-01-31\"), 2)",
            "2026-02-02",
        ),
        Function::new("is_business_day", &[P::Moment], R::Bool, Of(business::is_business_day)).by_calendar().doc(
            "is_business_day(moment)",
            "Whether people work on the day of a date or an instant, by the document's calendar and in its zone.",
            "is_business_day(date(\"2026-12-28\"))",
            "false",
        ),
        Function::new(
            "business_days_between",
            &[P::Moment, P::Moment],
            R::Number,
            Of(business::business_days_between),
        )
        .by_calendar()
        .whole()
        .doc(
            "business_days_between(from, to)",
            "How many business days lie behind the day of `from` up to that of `to`, which counts; negative if `to` is earlier.",
            "business_days_between(date(\"2026-12-24\"), date(\"2026-12-29\"))",
            "1",
        ),
        Function::new(
            "add_business_days",
            &[P::Moment, P::Number],
            R::Same,
            Of(business::add_business_days),
        )
        .by_calendar()
        .doc(
            "add_business_days(moment, days)",
            "The date so many business days later, or the instant with the same local time on that day; at most 2,500.",
            "add_business_days(date(\"2026-12-24\"), 1)",
            "2026-12-29",
        ),
        Function::new(
            "add_business_hours",
            &[P::Instant, P::Number],
            R::Instant,
            Of(business::add_business_hours),
        )
        .by_calendar()
        .doc(
            "add_business_hours(instant, hours)",
            "When so many business hours have elapsed since an instant; at most 2,500.",
            "add_business_hours(instant(\"2026-12-24 16:00\", \"%Y-%m-%d %H:%M\"), 2.5)",
            "2026-12-29T10:30:00.000Z",
        ),
        Function::new("duration", &[P::Span], R::Duration, Run::Literal).doc(
            "duration(\"30d\")",
            "A span of time in s, m, h or d (24 hours); the text is a literal.",
            "duration(\"30d\")",
            "30d",
        ),
    ]
};
