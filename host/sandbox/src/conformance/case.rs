//! A case: a question to a hook, and what must be answered. One JSON file each, the same for author and platform.
//!
//! ```json
//! {
//!   "hook": "eligibility",
//!   "request": { "args": { "window_days": 14 }, "lines": [{ "sku": "A1", "quantity": 2 }] },
//!   "expect": { "answer": { "lines": [{ "line": 0, "remedy": "deny" }] } }
//! }
//! ```
//!
//! What a request leaves out is filled in: a known customer, a case opened on 2026-01-15 at noon UTC, lines counted from 0, one
//! unit each, purchases five days earlier at 10.00 EUR a unit of which nothing was returned. What is expected is a part of
//! the answer: `answer` (each field that is written must be so, a list has as many entries), `cannot_decide` (codes of its
//! reasons) or `bad_input` (words of its text).

use serde_json::{Map, Value as Json, json};

use super::form::{Fill, Forms, Mistake};
use crate::call::{Answer, Attempt, Call};
use crate::contract::{Hook, Request, StepRequest};
use crate::failure::CallError;

/// When a case was opened that does not say when.
const OPENED: &str = "2026-01-15T12:00:00Z";
/// When something was bought that does not say when.
const BOUGHT: &str = "2026-01-10T12:00:00Z";

/// A question to a hook, and what must be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name, unique among those that are run together.
    pub name: String,
    /// The question.
    pub question: Question,
    /// What must be answered, where that is said.
    pub expect: Option<Expect>,
}

/// A question, with everything that the hook is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// To a hook that decides about a case.
    Decision(Hook, Box<Request>),
    /// To a step.
    Step(Box<StepRequest>),
}

/// What must be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// An answer with this in it, as programs hold it.
    Answer(Json),
    /// That it cannot decide, with these codes among its reasons.
    CannotDecide(Vec<String>),
    /// That it cannot use its input, with these words.
    BadInput(String),
}

impl Question {
    /// The hook that it is put to.
    #[must_use]
    pub fn hook(&self) -> Hook {
        self.call().hook()
    }

    /// As the sandbox is asked.
    #[must_use]
    pub fn call(&self) -> Call<'_> {
        match self {
            Self::Decision(Hook::Eligibility, request) => Call::Eligibility(request),
            Self::Decision(Hook::Compliance, request) => Call::Compliance(request),
            Self::Decision(_, request) => Call::Refund(request),
            Self::Step(request) => Call::Step(request),
        }
    }

    /// The request as people write it.
    #[must_use]
    pub fn written(&self) -> Json {
        // The records of the contract are plain data, which always becomes JSON.
        let held = match self {
            Self::Decision(_, request) => serde_json::to_value(request),
            Self::Step(request) => serde_json::to_value(request),
        };
        Forms::contract().show(request_of(self.hook()), &held.unwrap_or_default())
    }

    /// Reads a written request; what it leaves out is filled in.
    ///
    /// # Errors
    ///
    /// Everything in it that is not as the contract has it.
    pub fn read(hook: Hook, written: &Json) -> Result<Self, Vec<Mistake>> {
        let filled = fill(hook, written)?;
        let held = Forms::contract().read(request_of(hook), &filled, Fill::Empty)?;
        let failed = |error: serde_json::Error| vec![Mistake { at: String::new(), what: error.to_string() }];
        match hook {
            Hook::Step => serde_json::from_value(held).map(Box::new).map(Self::Step),
            _ => serde_json::from_value(held).map(|request| Self::Decision(hook, Box::new(request))),
        }
        .map_err(failed)
    }
}

impl Case {
    /// Reads a case file. `name` is its name where it does not say another.
    ///
    /// # Errors
    ///
    /// Everything in it that is not as it must be.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Mistake>> {
        let wrong = |at: &str, what: String| vec![Mistake { at: at.to_owned(), what }];
        let written: Json = serde_json::from_str(text).map_err(|error| wrong("", format!("is not JSON: {error}")))?;
        let Some(fields) = written.as_object() else { return Err(wrong("", "is not an object".to_owned())) };
        let known = ["name", "note", "hook", "request", "expect"];
        if let Some(unknown) = fields.keys().find(|field| !known.contains(&field.as_str())) {
            return Err(wrong(&format!("/{unknown}"), format!("is no field of a case: {}", known.join(", "))));
        }
        let hook = fields.get("hook").and_then(Json::as_str);
        let Some(hook) = Hook::ALL.into_iter().find(|known| hook == Some(known.name())) else {
            return Err(wrong("/hook", format!("is not one of {}", Hook::ALL.map(Hook::name).join(", "))));
        };
        let below = |at: &'static str| {
            move |mistakes: Vec<Mistake>| {
                let moved = |one: Mistake| Mistake { at: format!("{at}{}", one.at), ..one };
                mistakes.into_iter().map(moved).collect::<Vec<_>>()
            }
        };
        let request = fields.get("request").cloned().unwrap_or_else(|| json!({}));
        let question = Question::read(hook, &request).map_err(below("/request"))?;
        let expect =
            fields.get("expect").map(|expect| Expect::read(hook, expect)).transpose().map_err(below("/expect"))?;
        let name = match fields.get("name") {
            Some(Json::String(name)) => name.clone(),
            Some(_) => return Err(wrong("/name", "is not a text".to_owned())),
            None => name.to_owned(),
        };
        Ok(Self { name, question, expect })
    }

    /// As it is written into a file.
    #[must_use]
    pub fn written(&self) -> Json {
        let mut file = Map::new();
        file.insert("name".to_owned(), Json::from(self.name.as_str()));
        file.insert("hook".to_owned(), Json::from(self.question.hook().name()));
        file.insert("request".to_owned(), self.question.written());
        Json::Object(file)
    }
}

impl Expect {
    fn read(hook: Hook, written: &Json) -> Result<Self, Vec<Mistake>> {
        let wrong = |what: &str| vec![Mistake { at: String::new(), what: what.to_owned() }];
        let one = written.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.iter().next());
        match one.map(|(kind, inner)| (kind.as_str(), inner)) {
            Some(("answer", part)) => {
                let moved = |one: Mistake| Mistake { at: format!("/answer{}", one.at), ..one };
                let read = Forms::contract().read(answer_of(hook), part, Fill::Leave);
                read.map(Self::Answer).map_err(|mistakes| mistakes.into_iter().map(moved).collect())
            }
            Some(("cannot_decide", Json::Array(codes))) => {
                let codes = codes.iter().map(|code| code.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
                codes.map(Self::CannotDecide).ok_or_else(|| wrong("`cannot_decide` is a list of the codes of reasons"))
            }
            Some(("bad_input", Json::String(words))) => Ok(Self::BadInput(words.clone())),
            _ => Err(wrong(
                "is not one of `answer` (an object), `cannot_decide` (a list of codes) and `bad_input` (a text)",
            )),
        }
    }

    /// How an ended call differs from what was expected; nothing where it does not.
    #[must_use]
    pub fn difference(&self, hook: Hook, ended: &Attempt) -> Option<String> {
        match (self, &ended.result) {
            (Self::Answer(part), Ok(answer)) => differs(part, &held(answer), "").map(|place| {
                let shown = Forms::contract().show(answer_of(hook), &held(answer));
                format!("{place}; the answer was {shown}")
            }),
            (Self::CannotDecide(codes), Err(CallError::CannotDecide(reasons))) => {
                let missing = codes.iter().find(|code| !reasons.iter().any(|reason| reason.code == **code))?;
                let given: Vec<_> = reasons.iter().map(|reason| reason.code.as_str()).collect();
                Some(format!("{missing:?} is not among the reasons {}", given.join(", ")))
            }
            (Self::BadInput(words), Err(CallError::BadInput(text))) if text.contains(words) => None,
            (Self::BadInput(words), Err(CallError::BadInput(text))) => {
                Some(format!("it cannot use its input, as was expected, but {words:?} is not among its words {text:?}"))
            }
            (expected, _) => {
                let expected = match expected {
                    Self::Answer(_) => "an answer",
                    Self::CannotDecide(_) => "that it cannot decide",
                    Self::BadInput(_) => "that it cannot use its input",
                };
                Some(format!("{expected} was expected and not {}", outcome(hook, ended)))
            }
        }
    }
}

/// How a call ended, as people read it: `answer`, `cannot_decide`, `bad_input`, or `failed` with its code.
#[must_use]
pub fn outcome(hook: Hook, ended: &Attempt) -> Json {
    match &ended.result {
        Ok(answer) => json!({ "answer": Forms::contract().show(answer_of(hook), &held(answer)) }),
        Err(CallError::CannotDecide(reasons)) => {
            let reasons = serde_json::to_value(reasons).unwrap_or_default();
            let verdict = json!({ "reasons": reasons });
            json!({ "cannot_decide": Forms::contract().show("verdict", &verdict)["reasons"] })
        }
        Err(CallError::BadInput(text)) => json!({ "bad_input": text }),
        Err(error) => json!({ "failed": { "code": error.code(), "detail": error.to_string() } }),
    }
}

fn held(answer: &Answer) -> Json {
    match answer {
        Answer::Verdict(verdict) => serde_json::to_value(verdict),
        Answer::Quote(quote) => serde_json::to_value(quote),
        Answer::Step(step) => serde_json::to_value(step),
    }
    .unwrap_or_default()
}

/// The first place where what must be there is not.
fn differs(expected: &Json, got: &Json, at: &str) -> Option<String> {
    match (expected, got) {
        _ if is_value(expected) && is_value(got) => value_differs(expected, got, at),
        (Json::Object(expected), Json::Object(got)) => {
            let differs = |(name, part): (&String, &Json)| {
                differs(part, got.get(name).unwrap_or(&Json::Null), &format!("{at}/{name}"))
            };
            expected.iter().find_map(differs)
        }
        // Of an open bag what is expected must be among what is there.
        (Json::Array(expected), Json::Array(got))
            if !expected.is_empty() && expected.iter().all(|one| one.get("key").is_some()) =>
        {
            expected.iter().find_map(|one| {
                let place = format!("{at}/{}", one["key"].as_str().unwrap_or_default());
                match got.iter().find(|other| other["key"] == one["key"]) {
                    Some(other) => differs(&one["value"], &other["value"], &place),
                    None => Some(format!("{place} is missing")),
                }
            })
        }
        (Json::Array(expected), Json::Array(got)) if expected.len() != got.len() => {
            Some(format!("{at} has {} entries and not {}", got.len(), expected.len()))
        }
        (Json::Array(expected), Json::Array(got)) => {
            let pairs = expected.iter().zip(got).enumerate();
            pairs.into_iter().find_map(|(place, (one, other))| differs(one, other, &format!("{at}/{place}")))
        }
        (expected, got) if expected == got => None,
        (expected, got) => Some(format!("{at} is {got} and not {expected}")),
    }
}

/// Whether it is a value of the contract, as the types of Rust write one: the case's name and what it holds.
fn is_value(held: &Json) -> bool {
    const CASES: [&str; 6] = ["Text", "Integer", "Decimal", "Boolean", "Timestamp", "Money"];
    held.as_object().is_some_and(|held| held.len() == 1 && held.keys().all(|case| CASES.contains(&case.as_str())))
}

/// Of a value too only the part that is written must be so, as the currency of an amount; a decimal is what it is worth, 5 and 5.0 alike.
fn value_differs(expected: &Json, got: &Json, at: &str) -> Option<String> {
    let held = |value: &Json| value.as_object().and_then(|value| Some(value.iter().next()?.1.clone()));
    let is_same_case =
        expected.as_object().map(|one| one.keys().eq(got.as_object().into_iter().flat_map(|one| one.keys())));
    let is_same = match (worth(expected), worth(got)) {
        (Some(expected), Some(got)) => expected == got,
        _ => is_same_case == Some(true) && differs(&held(expected)?, &held(got)?, at).is_none(),
    };
    let shown = |value| Forms::contract().show("value", value);
    (!is_same).then(|| format!("{at} is {} and not {}", shown(got), shown(expected)))
}

/// Mantissa and scale of a decimal without the zeros at its end.
fn worth(value: &Json) -> Option<(i64, u64)> {
    let decimal = value.get("Decimal")?;
    let (mut mantissa, mut scale) = (decimal["mantissa"].as_i64()?, decimal["scale"].as_u64()?);
    while scale > 0 && mantissa % 10 == 0 {
        (mantissa, scale) = (mantissa / 10, scale - 1);
    }
    Some((mantissa, scale))
}

fn request_of(hook: Hook) -> &'static str {
    if hook == Hook::Step { "step-request" } else { "request" }
}

fn answer_of(hook: Hook) -> &'static str {
    match hook {
        Hook::Eligibility | Hook::Compliance => "verdict",
        Hook::Refund => "quote",
        Hook::Step => "step-answer",
    }
}

/// The written request with what it leaves out.
fn fill(hook: Hook, written: &Json) -> Result<Json, Vec<Mistake>> {
    let Some(fields) = written.as_object() else {
        return Err(vec![Mistake { at: String::new(), what: "is not an object".to_owned() }]);
    };
    let mut filled = fields.clone();
    let mut or = |name: &str, value: Json| {
        filled.entry(name.to_owned()).or_insert(value);
    };
    or("ask", json!("ask_1"));
    or("now", json!(OPENED));
    or("zone", json!("UTC"));
    or("jurisdiction", json!("EU"));
    if hook == Hook::Step {
        return Ok(Json::Object(filled));
    }
    or("customer", json!({ "id": "cus_1" }));
    or("about", json!({}));
    let now = filled["now"].clone();
    let about = json!({ "id": "case_1", "number": "R-1", "kind": "return", "opened": now, "channel": "api" });
    merge(filled.get_mut("about"), &about);
    let mut mistakes = Vec::new();
    each(filled.get_mut("lines"), |at, line| merge(Some(line), &json!({ "index": at, "quantity": 1 })));
    each(filled.get_mut("purchases"), |at, purchase| {
        let (quantity, currency) =
            (purchase.get("quantity").and_then(Json::as_i64).unwrap_or(1), purchase["paid"]["currency"].clone());
        if purchase.get("unit_price").is_some() != purchase.get("paid").is_some() {
            let what = "tells only one of `unit_price` and `paid`; both are facts of the order".to_owned();
            mistakes.push(Mistake { at: format!("/purchases/{at}"), what });
        }
        let currency = if currency.is_string() { currency } else { json!("EUR") };
        let paid = json!({ "minor": quantity.saturating_mul(1_000), "currency": currency });
        let base = json!({
            "order": "1001", "line": at, "at": BOUGHT, "quantity": 1, "left": quantity, "unit_price": "10.00",
            "paid": paid, "refunded": { "minor": 0, "currency": currency },
        });
        merge(Some(purchase), &base);
    });
    each(filled.get_mut("earlier"), |_, opinion| {
        merge(Some(opinion), &json!({ "step": "match", "plugin": "std/purchase-match@0" }));
        each(opinion.pointer_mut("/verdict/lines"), |at, line| {
            merge(Some(line), &json!({ "line": at, "tier": "goodwill" }));
        });
    });
    if mistakes.is_empty() { Ok(Json::Object(filled)) } else { Err(mistakes) }
}

/// Adds what is not there.
fn merge(written: Option<&mut Json>, base: &Json) {
    let (Some(Json::Object(written)), Json::Object(base)) = (written, base) else { return };
    for (name, value) in base {
        written.entry(name.clone()).or_insert_with(|| value.clone());
    }
}

fn each(list: Option<&mut Json>, mut change: impl FnMut(usize, &mut Json)) {
    for (at, one) in list.and_then(Json::as_array_mut).into_iter().flatten().enumerate() {
        change(at, one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Attribute, Decimal, LineVerdict, Money, Remedy, StepAnswer, Tier, Value, Verdict};

    fn ended(result: Result<Answer, CallError>) -> Attempt {
        Attempt { result, fuel: 1, fuel_max: 2, log: Vec::new(), log_dropped: 0, major: None }
    }

    fn denied() -> Attempt {
        let reason =
            crate::contract::Reason { code: "late".to_owned(), cites: None, used: Vec::new(), params: Vec::new() };
        let (takes, reasons) = (Vec::new(), vec![reason]);
        let line = LineVerdict {
            line: 0,
            remedy: Remedy::Deny,
            quantity: 0,
            takes,
            disposition: None,
            tier: Tier::Goodwill,
            reasons,
        };
        let (reasons, duties, provides) = (Vec::new(), Vec::new(), Vec::new());
        ended(Ok(Answer::Verdict(Verdict { lines: vec![line], reasons, duties, provides })))
    }

    fn case(expect: &str) -> Case {
        Case::parse(
            "a",
            &format!(r#"{{"hook":"eligibility","request":{{"lines":[{{"sku":"A"}}]}},"expect":{expect}}}"#),
        )
        .unwrap()
    }

    #[test]
    fn what_a_request_leaves_out_is_filled_in() {
        let text = r#"{"hook":"refund","request":{"lines":[{"sku":"A"},{"sku":"B","quantity":3}],
            "purchases":[{"sku":"A","quantity":4}],"earlier":[{"verdict":{"lines":[{"remedy":"allow"}]}}]}}"#;
        let Question::Decision(Hook::Refund, request) = Case::parse("a", text).unwrap().question else { panic!() };
        assert_eq!([request.lines[1].index, request.lines[0].quantity, request.lines[1].quantity], [1, 1, 3]);
        let bought = &request.purchases[0];
        assert_eq!((bought.left, bought.paid.minor, bought.paid.currency.as_str()), (4, 4_000, "EUR"));
        assert_eq!((request.about.opened, request.earlier[0].verdict.lines[0].tier), (request.now, Tier::Goodwill));
        assert!(request.customer.is_some());
        let anonymous = Case::parse("a", r#"{"hook":"refund","request":{"customer":null}}"#).unwrap();
        assert!(matches!(anonymous.question, Question::Decision(_, request) if request.customer.is_none()));
    }

    #[test]
    fn what_is_no_case_is_told_at_its_place() {
        let told = |text: &str| Case::parse("a", text).unwrap_err()[0].to_string();
        assert!(told("{").starts_with("/: is not JSON: EOF"));
        assert!(told(r#"{"hook":"payment"}"#).starts_with("/hook: is not one of eligibility, compliance"));
        assert!(told(r#"{"hook":"step","expects":1}"#).starts_with("/expects: is no field of a case"));
        assert!(told(r#"{"hook":"step","request":{"lines":[]}}"#).starts_with("/request/lines: is no field"));
        assert!(told(r#"{"hook":"step","expect":{"answers":{}}}"#).starts_with("/expect: is not one of `answer`"));
        let paid = r#"{"hook":"refund","request":{"purchases":[{"unit_price":"2.50"}]}}"#;
        assert!(told(paid).starts_with("/request/purchases/0: tells only one of"));
    }

    #[test]
    fn a_decimal_is_what_it_is_worth_and_another_type_is_another_value() {
        let value = Value::Decimal(Decimal { mantissa: 50, scale: 1 });
        let provides = vec![Attribute { key: "part".to_owned(), value }];
        let ended = ended(Ok(Answer::Step(StepAnswer { provides, reasons: Vec::new() })));
        let difference = |part: &str| {
            let text = format!(r#"{{"hook":"step","expect":{{"answer":{{"provides":{{"part":{part}}}}}}}}}"#);
            Case::parse("a", &text).unwrap().expect.unwrap().difference(Hook::Step, &ended)
        };
        assert_eq!(difference(r#"{"decimal":"5"}"#), None);
        assert_eq!(difference(r#"{"decimal":"5.00"}"#), None);
        let other = difference(r#"{"decimal":"0.5"}"#).unwrap();
        assert!(other.starts_with(r#"/provides/part is {"decimal":"5.0"} and not {"decimal":"0.5"}"#), "{other}");
        let text = difference(r#""5.0""#).unwrap();
        assert!(text.starts_with(r#"/provides/part is {"decimal":"5.0"} and not "5.0""#), "{text}");
    }

    #[test]
    fn of_an_amount_only_what_is_written_must_be_so() {
        let value = Value::Money(Money { minor: 490, currency: "EUR".to_owned() });
        let provides = vec![Attribute { key: "fee".to_owned(), value }];
        let ended = ended(Ok(Answer::Step(StepAnswer { provides, reasons: Vec::new() })));
        let difference = |money: &str| {
            let text =
                format!(r#"{{"hook":"step","expect":{{"answer":{{"provides":{{"fee":{{"money":{money}}}}}}}}}}}"#);
            Case::parse("a", &text).unwrap().expect.unwrap().difference(Hook::Step, &ended)
        };
        for same in [r#"{"minor":490}"#, r#"{"currency":"EUR"}"#, r#"{"minor":490,"currency":"EUR"}"#] {
            assert_eq!(difference(same), None, "{same}");
        }
        for other in [r#"{"minor":491}"#, r#"{"minor":490,"currency":"GBP"}"#] {
            assert!(difference(other).unwrap().contains("/provides/fee is "), "{other}");
        }
    }

    #[test]
    fn a_failure_of_other_words_tells_both() {
        let ended = ended(Err(CallError::BadInput("parameter `share` is missing".to_owned())));
        let difference = |words| {
            case(&format!(r#"{{"bad_input":"{words}"}}"#)).expect.unwrap().difference(Hook::Eligibility, &ended)
        };
        assert_eq!(difference("`share`"), None);
        let other = difference("limit").unwrap();
        assert!(other.contains(r#""limit" is not among its words "parameter `share` is missing""#), "{other}");
    }

    #[test]
    fn an_answer_is_compared_with_the_part_of_it_that_is_expected() {
        let difference = |expect: &str| case(expect).expect.unwrap().difference(Hook::Eligibility, &denied());
        assert_eq!(difference(r#"{"answer":{"lines":[{"remedy":"deny","reasons":[{"code":"late"}]}]}}"#), None);
        let other = difference(r#"{"answer":{"lines":[{"remedy":"allow"}]}}"#).unwrap();
        assert!(other.starts_with(r#"/lines/0/remedy is "Deny" and not "Allow"; the answer was {"lines""#), "{other}");
        let fewer = difference(r#"{"answer":{"lines":[]}}"#).unwrap();
        assert!(fewer.starts_with("/lines has 1 entries and not 0"), "{fewer}");
        assert!(difference(r#"{"answer":{"provides":{"fee":1}}}"#).unwrap().starts_with("/provides/fee is missing"));
        assert!(difference(r#"{"bad_input":"x"}"#).unwrap().starts_with("that it cannot use its input was expected"));
    }

    #[test]
    fn a_refusal_to_decide_is_compared_by_its_codes_and_words() {
        let expects = |expect: &str, error: CallError| {
            case(expect).expect.unwrap().difference(Hook::Eligibility, &ended(Err(error))).is_none()
        };
        let reason =
            crate::contract::Reason { code: "torn".to_owned(), cites: None, used: Vec::new(), params: Vec::new() };
        assert!(expects(r#"{"cannot_decide":["torn"]}"#, CallError::CannotDecide(vec![reason.clone()])));
        assert!(!expects(r#"{"cannot_decide":["worn"]}"#, CallError::CannotDecide(vec![reason])));
        assert!(expects(r#"{"bad_input":"days"}"#, CallError::BadInput("`days` is missing".to_owned())));
        assert!(!expects(r#"{"bad_input":"weeks"}"#, CallError::BadInput("`days` is missing".to_owned())));
        assert!(!expects(r#"{"bad_input":"days"}"#, CallError::StackOverflow));
    }
}
