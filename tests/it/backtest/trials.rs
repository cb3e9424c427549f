//! Single cases on trial: which answers are taken from the record, what is unknown, what one case leaves for the next.

use redress::backtest::trial::{Override, Trial};
use redress::backtest::{self, Error, Report, Select};
use redress::publish::stock;
use redress_domain::case::command::Open;
use redress_domain::clock::Span;
use redress_domain::value::{Fields, Value};
use redress_tests::shop::Shop;
use redress_tests::world::{a_return, days_ago, order};

/// Who may take something back for how much.
const RULES: &str = "attributes: { case: { weight: number } }
triggers: [{ case_opened: { type: return, when: 'true' } }]
vars:
  review_over: { type: money, default: 500.00 }
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90, sku_digits: 5, sku_letters: any } }, as: matched }
  - id: route
    decide:
      - { when: 'matched.remedy == \"allow\"', then: price }
      - { else: refused }
  - { id: price, call: { plugin: std/refund-quote@0 }, as: quote }
  - id: size
    decide:
      - { when: quote.total > review_over, then: large }
      - { else: hold }
  - id: large
    review: { queue: returns, title: Large, next: { yes: hold, no: refused }, timeout: { after: 5d, then: refused } }
  - { id: hold, approve: { lines: =matched.lines, until: 30d } }
  - { id: pay, refund: { quote: =quote }, on_error: [{ match: declined, then: refused }] }
  - { id: done, finish: { result: refunded } }
  - { id: refused, finish: { result: denied } }
";

/// The same with its head, as `Shop::publish` writes it.
fn whole(document: &str) -> String {
    format!("format: 1\nworkflow: tried\ncurrency: GBP\n{document}")
}

/// A shop that took three units of 30001A back at 20.00 each, and then was asked for one more.
fn shop() -> anyhow::Result<Shop> {
    let shop = Shop::with(RULES)?;
    shop.merchant.order(&order("100001", "c1", days_ago(10), &[("30001A", 3, "20.00")])?)?;
    shop.take(weighing(&[("30001A", 3)])?)?;
    shop.world.pass(Span::from_days(1));
    shop.take(weighing(&[("30001A", 1)])?)?;
    Ok(shop)
}

fn weighing(lines: &[(&str, u32)]) -> anyhow::Result<Open> {
    Ok(Open { attributes: Fields::from([("weight".to_owned(), Value::whole(2))]), ..a_return("c1", lines)? })
}

fn try_out(shop: &Shop, source: &str, from_scratch: bool) -> anyhow::Result<Report> {
    let trial = Trial::new(&shop.merchant.engine, Some(source), &[])?;
    let run = if from_scratch { backtest::from_scratch } else { backtest::run };
    Ok(run(&shop.merchant.engine, &trial, &Select::default(), &mut |_, _| {})?)
}

fn outcomes(report: &Report) -> Vec<(&str, u64, u64)> {
    report.tally.outcomes.iter().map(|(word, pair)| (word.as_str(), pair.before, pair.after)).collect()
}

#[test]
fn what_is_active_flips_nothing_and_asks_no_plugin() -> anyhow::Result<()> {
    let report = try_out(&shop()?, &whole(RULES), false)?;
    assert_eq!((report.tally.cases, report.tally.flipped, report.tally.path_changed), (2, 0, 0));
    assert_eq!((report.answers_reused, report.plugin_calls), (3, 0));
    Ok(())
}

#[test]
fn an_answer_is_taken_from_the_record_only_where_the_same_was_asked() -> anyhow::Result<()> {
    let shop = shop()?;
    let other = RULES.replace("window_days: 90", "window_days: 5");
    let report = try_out(&shop, &whole(&other), false)?;
    assert_eq!((report.answers_reused, report.plugin_calls), (0, 2), "another parameter is another question");
    assert_eq!(outcomes(&report), [("allow", 1, 0), ("deny", 1, 2)]);
    let reasons: Vec<_> = report.tally.reasons.keys().map(String::as_str).collect();
    assert_eq!(reasons, ["not_purchased", "outside_window"]);
    Ok(())
}

#[test]
fn by_itself_a_case_finds_what_was_left_and_from_scratch_what_would_be() -> anyhow::Result<()> {
    let shop = shop()?;
    let strict = whole(&RULES.replace("default: 500.00", "default: 50.00"));
    assert_eq!(outcomes(&try_out(&shop, &strict, false)?), [("allow", 1, 0), ("deny", 1, 1), ("review", 0, 1)]);
    let anew = try_out(&shop, &strict, true)?;
    // The three units were not paid back, so the one of the day after is there.
    assert_eq!(outcomes(&anew), [("allow", 1, 1), ("deny", 1, 0), ("review", 0, 1)]);
    assert_eq!(anew.tally.refund_total().after.0, 2_000);
    Ok(())
}

#[test]
fn a_fact_that_nobody_recorded_makes_a_case_unknown_and_no_total() -> anyhow::Result<()> {
    let shop = shop()?;
    shop.take(a_return("c2", &[("30001A", 1)])?)?;
    let heavy = RULES.replace("when: 'matched.remedy", "when: 'case.weight > 0 && matched.remedy");
    let report = try_out(&shop, &whole(&heavy), false)?;
    assert_eq!(report.tally.cases, 3);
    let unknown: Vec<_> = report.tally.unknown.iter().map(|(code, cases)| (*code, *cases)).collect();
    assert_eq!(unknown, [("fact_missing", 1)]);
    let (_, why) = &report.tally.unknown_cases[0];
    assert_eq!((why.step.as_deref(), why.why.contains("case.weight")), (Some("route"), true), "{why:?}");
    assert_eq!(report.tally.outcomes.values().map(|pair| pair.before).sum::<u64>(), 2);
    Ok(())
}

#[test]
fn a_candidate_plugin_is_tried_in_place_of_the_one_that_is_called() -> anyhow::Result<()> {
    let shop = shop()?;
    let bytes = stock::find("return-window").unwrap().bytes.to_vec();
    let over = |name: &str| Override { name: name.to_owned(), bytes: bytes.clone() };
    let with = |overrides: &[Override]| Trial::new(&shop.merchant.engine, Some(&whole(RULES)), overrides);
    assert!(matches!(with(&[over("nobody")]), Err(Error::NotCalled(_))));
    assert!(matches!(Trial::new(&shop.merchant.engine, None, &[]), Err(Error::Nothing)));
    let quote = stock::find("refund-quote").unwrap().bytes.to_vec();
    let same = Override { name: "std/refund-quote".to_owned(), bytes: quote };
    let trial = Trial::new(&shop.merchant.engine, None, &[same])?;
    let report = backtest::run(&shop.merchant.engine, &trial, &Select::default(), &mut |_, _| {})?;
    assert_eq!((report.tally.cases, report.tally.flipped, report.plugin_calls), (2, 0, 0), "the same component");
    Ok(())
}

#[test]
fn only_the_selected_cases_are_decided_again() -> anyhow::Result<()> {
    let shop = shop()?;
    let trial = Trial::new(&shop.merchant.engine, Some(&whole(RULES)), &[])?;
    let cases = |select: Select| {
        let report = backtest::run(&shop.merchant.engine, &trial, &select, &mut |_, _| {})?;
        anyhow::Ok(report.tally.cases)
    };
    let day = |text: &str| Some(text.parse().unwrap());
    assert_eq!(cases(Select { since: day("2026-03-03"), ..Select::default() })?, 1);
    assert_eq!(cases(Select { until: day("2026-03-02"), ..Select::default() })?, 1);
    assert_eq!(cases(Select { since: day("2026-03-02"), until: day("2026-03-03"), ..Select::default() })?, 2);
    assert_eq!(cases(Select { limit: Some(1), ..Select::default() })?, 1);
    let kind = |name: &str| redress_domain::ids::Slug::new(name).ok();
    assert_eq!(cases(Select { kind: kind("exchange"), ..Select::default() })?, 0);
    assert_eq!(cases(Select { kind: kind("return"), ..Select::default() })?, 2);
    Ok(())
}

#[test]
fn a_workflow_of_other_cases_has_nothing_to_do_with_these() -> anyhow::Result<()> {
    let shop = shop()?;
    let other = "format: 1\nworkflow: other\ncurrency: GBP\ntriggers: [{ case_opened: { type: complaint } }]\n\
                 steps: [{ id: done, finish: { result: seen } }]\n";
    let report = try_out(&shop, other, false)?;
    assert_eq!((report.tally.cases, report.tally.elsewhere), (0, 2));
    let wants = RULES.replace("when: 'true'", "requires: [order]");
    let refused = try_out(&shop, &whole(&wants), false)?;
    assert_eq!(outcomes(&refused), [("allow", 1, 0), ("deny", 1, 0), ("refused", 0, 2)]);
    Ok(())
}
