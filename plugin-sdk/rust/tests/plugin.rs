//! A plugin as an author writes it, called natively through the attribute macro's expansion.

use redress_plugin::Described;
use redress_plugin::step::{Attribute, Bag, Cx, Decimal, Failure, Moment, Money, Step, StepAnswer, StepRequest};
use redress_plugin::testing;
use redress_plugin::types::Level;

struct Policy;

#[redress_plugin::plugin(
    name = "restocking-fee",
    version = "1.2.0",
    params(days: integer, share: decimal = 0.150, note: optional text, flat: money = Money::new(490, "EUR")),
    attributes = ["opened": boolean, "note"],
    provides(fee: decimal),
)]
impl Step for Policy {
    fn run(_req: &StepRequest, cx: &Cx) -> Result<StepAnswer, Failure> {
        let late = cx.arg_integer("days")? > 14;
        if let Some(note) = cx.optional_text("note")? {
            cx.log(Level::Info, format!("note: {note}"));
        }
        let fee = if late { cx.arg_decimal("share")? } else { Decimal::new(0, 0) };
        Ok(StepAnswer { provides: vec![Attribute::new("fee", fee)], ..StepAnswer::default() })
    }
}

fn asked(args: Vec<Attribute>) -> StepRequest {
    let now = Moment { unix_ms: 0, local_day: 0, local_second: 0 };
    let text = String::from;
    StepRequest { ask: text("ask_1"), now, seed: 0, zone: text("UTC"), jurisdiction: text("EU"), args }
}

#[test]
fn a_default_of_the_manifest_reaches_the_plugin_with_its_digits() {
    let run = testing::step::<Policy>(&asked(vec![Attribute::new("days", 20_i64)]));
    assert_eq!(run.answer.unwrap().provides.decimal("fee"), Ok(Some(Decimal::new(150, 3))));
    assert_eq!(run.log, []);
}

#[test]
fn an_amount_that_is_a_default_reaches_the_plugin() {
    assert_eq!(Cx::new::<Policy>(&[]).arg_money("flat"), Ok(&Money::new(490, "EUR")));
    let given = [Attribute::new("flat", Money::new(1, "GBP"))];
    assert_eq!(Cx::new::<Policy>(&given).arg_money("flat"), Ok(&Money::new(1, "GBP")));
}

#[test]
fn the_log_of_a_native_call_is_recorded_per_call() {
    let noted = asked(vec![Attribute::new("days", 1_i64), Attribute::new("note", "fragile")]);
    for _ in 0..2 {
        let run = testing::step::<Policy>(&noted);
        assert_eq!(run.log, [(Level::Info, "note: fragile".to_owned())]);
    }
}

#[test]
fn a_missing_parameter_ends_as_bad_input() {
    let run = testing::step::<Policy>(&asked(Vec::new()));
    assert_eq!(run.answer, Err(Failure::bad_input("parameter `days` is missing")));
}

#[test]
fn the_manifest_names_the_hook_and_its_parameters() {
    let manifest = Policy::MANIFEST;
    assert!(manifest.starts_with(r#"{"name":"restocking-fee","version":"1.2.0","#), "{manifest}");
    assert!(manifest.contains(r#""hooks":["step"]"#), "{manifest}");
    assert!(manifest.ends_with(r#""attributes":{"opened":"boolean","note":null}}"#), "{manifest}");
    assert!(manifest.contains(r#""share":{"type":"decimal","required":false,"default":"0.150"}"#), "{manifest}");
}
