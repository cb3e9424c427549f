//! Closed cases played to their end by other rules: what happened outside happens again, and what never happened is unknown.

use redress::backtest::trial::Trial;
use redress::backtest::{self, Report, Select};
use redress_domain::ask::Ask;
use redress_domain::backtest::again::{Again, Rules, Stretch};
use redress_domain::case::Case;
use redress_domain::case::command::{Body, Settled};
use redress_domain::case::evolve::Impossible;
use redress_domain::clock::Span;
use redress_tests::kitchen::Kitchen;
use redress_tests::shop::{Shop, stands};
use redress_tests::world::{days_ago, order};

/// A person, then the goods within ten days, then money and a person where it is declined.
const RULES: &str = "events: { goods_received: { state: text } }
vars:
  fee: { type: money, default: 0.00 }
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90, sku_digits: 5, sku_letters: any } }, as: matched }
  - { id: price, call: { plugin: std/refund-quote@0 }, as: quote }
  - id: look
    review: { queue: returns, title: Look, ask: { note: 'text?' }, next: { yes: hold, no: refused }, timeout: { after: 5d, then: refused } }
    as: seen
  - { id: hold, approve: { lines: =matched.lines, until: 60d } }
  - id: goods
    await: { event: goods_received, match: 'event.state == \"new\"', remind: [3d], timeout: { after: 10d, then: refused } }
  - { id: rest, wait: { for: 1d } }
  - { id: pay, refund: { quote: =quote }, on_error: [{ match: declined, then: finance }], then: done }
  - id: finance
    review: { queue: finance, title: Pay by hand, next: { paid: done }, timeout: { never: money is owed } }
  - { id: done, finish: { result: refunded } }
  - { id: refused, finish: { result: denied } }
";

fn candidate(before: &str, after: &str) -> String {
    assert!(RULES.contains(before), "{before}");
    let document = RULES.replace(before, after);
    format!("format: 1\nworkflow: tried\ncurrency: GBP\ntriggers: [{{ case_opened: {{ type: return }} }}]\n{document}")
}

fn try_out(shop: &Shop, source: &str) -> anyhow::Result<Report> {
    let trial = Trial::new(&shop.merchant.engine, Some(source), &[])?;
    let select = Select { whole: true, ..Select::default() };
    Ok(backtest::run(&shop.merchant.engine, &trial, &select, &mut |_, _| {})?)
}

fn outcomes(report: &Report) -> Vec<(&str, u64, u64)> {
    report.tally.outcomes.iter().map(|(word, pair)| (word.as_str(), pair.before, pair.after)).collect()
}

fn unknown(report: &Report) -> Vec<(&str, Option<&str>)> {
    report.tally.unknown_cases.iter().map(|(_, unknown)| (unknown.code, unknown.step.as_deref())).collect()
}

/// A shop whose customer bought enough to give back in every test.
fn shop() -> anyhow::Result<Shop> {
    let shop = Shop::with(RULES)?;
    shop.merchant.order(&order("100001", "c1", days_ago(10), &[("30001A", 9, "20.00")])?)?;
    Ok(shop)
}

/// A case whose goods come back after so many days.
fn returned(shop: &Shop, days: i64) -> anyhow::Result<Case> {
    let case = shop.open(&[("30001A", 1)])?;
    shop.answer(&case, "yes", &[])?;
    shop.pass(Span::from_days(days))?;
    shop.event(&case, "goods_received", "state", "new")?;
    shop.pass(Span::from_days(1))?;
    shop.case(&case)
}

fn paid(shop: &Shop, days: i64) -> anyhow::Result<Case> {
    let case = returned(shop, days)?;
    shop.settle(&case, "pay", None, Settled::Confirmed)
}

#[test]
fn what_is_active_comes_to_the_same_end_with_everything_that_happened() -> anyhow::Result<()> {
    let shop = shop()?;
    let ended = paid(&shop, 4)?;
    assert_eq!(stands(&ended), "refunded");
    // Declined, and paid by hand.
    let declined = returned(&shop, 2)?;
    shop.settle(&declined, "pay", None, Settled::Declined)?;
    shop.answer(&declined, "paid", &[])?;
    // No goods, no answer, given up by a person, and one that goes on.
    let late = shop.open(&[("30001A", 1)])?;
    shop.answer(&late, "yes", &[])?;
    let silent = shop.open(&[("30001A", 1)])?;
    let cancelled = shop.open(&[("30001A", 1)])?;
    shop.merchant.command(cancelled.id, Body::Cancel)?;
    shop.pass(Span::from_days(11))?;
    assert_eq!((stands(&shop.case(&late)?), stands(&shop.case(&silent)?)), ("denied", "denied"));
    shop.open(&[("30001A", 1)])?;

    let report = try_out(&shop, &candidate("", ""))?;
    assert_eq!((report.tally.cases, report.tally.still_open, report.tally.unknown_total()), (5, 1, 0), "{report:#?}");
    assert_eq!((report.tally.flipped, report.tally.path_changed, report.tally.assumed), (0, 0, 0), "{report:#?}");
    assert_eq!((report.tally.reviews.before, report.tally.reviews.after), (5, 5), "each was asked of a person");
    assert_eq!(report.plugin_calls, 0);
    Ok(())
}

#[test]
fn a_shorter_wait_is_over_before_the_goods_come() -> anyhow::Result<()> {
    let shop = shop()?;
    paid(&shop, 2)?;
    paid(&shop, 8)?;
    let report = try_out(&shop, &candidate("remind: [3d], timeout: { after: 10d", "timeout: { after: 6d"))?;
    assert_eq!((report.tally.cases, report.tally.flipped, report.tally.unknown_total()), (2, 1, 0), "{report:#?}");
    assert_eq!(report.tally.refund_total().before.0, 4_000);
    assert_eq!(report.tally.refund_total().after.0, 2_000);
    Ok(())
}

#[test]
fn what_somebody_would_have_had_to_say_and_never_did_is_unknown() -> anyhow::Result<()> {
    let shop = shop()?;
    paid(&shop, 2)?;
    let late = shop.open(&[("30001A", 1)])?;
    shop.answer(&late, "yes", &[])?;
    shop.pass(Span::from_days(11))?;
    assert_eq!(stands(&shop.case(&late)?), "denied");
    // The goods had not come when nobody waited any more; whether they would have come then nobody knows.
    let longer = try_out(&shop, &candidate("timeout: { after: 10d", "timeout: { after: 30d"))?;
    assert_eq!(unknown(&longer), [("event_missing", Some("goods"))]);
    // Another person than was ever asked.
    let second = "  - { id: second, review: { queue: chief, title: Again, next: { ok: rest }, timeout: { after: 9d, then: refused } } }\n";
    let more = try_out(&shop, &candidate("  - { id: rest,", &format!("{second}  - {{ id: rest,")))?;
    assert_eq!(unknown(&more), [("answer_missing", Some("second"))]);
    // An answer that is none any more.
    let other = try_out(&shop, &candidate("next: { yes: hold,", "next: { sure: hold,"))?;
    assert_eq!(unknown(&other), [("answer_does_not_fit", Some("look")), ("answer_does_not_fit", Some("look"))]);
    // A message that was never sent holds nothing up: the one that was paid stays so.
    let told = "  - { id: tell, notify: { template: closed, to: customer } }\n  - { id: rest,";
    let tells = try_out(&shop, &candidate("  - { id: rest,", told))?;
    assert_eq!((tells.tally.cases, tells.tally.flipped, tells.tally.unknown_total()), (2, 0, 0), "{tells:#?}");
    Ok(())
}

/// A complaint about no goods, made good.
const GOODWILL: &str = "limits: { refund_max: 50.00 }
vars:
  goodwill: { type: money, default: 20.00 }
steps:
  - { id: look, review: { queue: care, title: Look, next: { yes: pay, no: refused }, timeout: { after: 5d, then: refused } } }
  - { id: pay, refund: { amount: =goodwill }, then: done }
  - { id: done, finish: { result: made_good } }
  - { id: refused, finish: { result: denied } }
";

#[test]
fn a_confirmed_refund_of_another_amount_is_taken_as_confirmed_and_counted() -> anyhow::Result<()> {
    let shop = Shop::with(GOODWILL)?;
    let case = shop.open(&[])?;
    shop.answer(&case, "yes", &[])?;
    let ended = shop.settle(&case, "pay", None, Settled::Confirmed)?;
    assert_eq!(stands(&ended), "made_good");
    let document = GOODWILL.replace("default: 20.00", "default: 15.00");
    let source = format!(
        "format: 1\nworkflow: tried\ncurrency: GBP\ntriggers: [{{ case_opened: {{ type: return }} }}]\n{document}"
    );
    let report = try_out(&shop, &source)?;
    assert_eq!((report.tally.cases, report.tally.flipped, report.tally.assumed), (1, 1, 1), "{report:#?}");
    assert_eq!((report.tally.refund_total().before.0, report.tally.refund_total().after.0), (2_000, 1_500));
    assert_eq!(outcomes(&report), [("made_good", 1, 1)]);
    Ok(())
}

/// Further lives of a merchant that are tried, each from a seed of its own; none where it is not set.
const FURTHER_LIVES: &str = "REDRESS_LIVES";

#[test]
fn whatever_happened_the_same_rules_come_to_the_same_end() -> anyhow::Result<()> {
    let further = std::env::var(FURTHER_LIVES).map_or(Ok(0), |lives| lives.parse::<u64>())?;
    (7..=7 + further).try_for_each(the_same_rules_come_to_the_same_end)
}

#[test]
fn the_same_rules_come_to_the_same_end_where_timers_went_off_late() -> anyhow::Result<()> {
    the_same_rules_come_to_the_same_end(21)
}

/// Everything that ever happens to a merchant, and each case again by the rules that it was decided by.
fn the_same_rules_come_to_the_same_end(seed: u64) -> anyhow::Result<()> {
    let mut kitchen = Kitchen::new(seed)?;
    kitchen.run(120, 700, |_, _| Ok(()))?;
    let merchant = &kitchen.merchant;
    let (mut same, mut differ) = (0, 0);
    for id in merchant.cases()? {
        let mut turns = merchant.journal(id)?.into_iter();
        let first = turns.next().expect("a first turn");
        let Some(whole) = Stretch::read_whole::<Impossible>(first, |_| Ok(turns.next()))? else { continue };
        let Some(definition) = whole.case.revision.and_then(|one| merchant.engine.registry().definition(one).ok())
        else {
            continue;
        };
        let moved = merchant.journal(id)?.iter().any(|turn| matches!(turn.command.body, Body::Migrate(_)));
        if !whole.case.is_closed() || moved {
            continue;
        }
        let rules = Rules {
            active: &[&definition],
            on_trial: &[0],
            tenant: merchant.engine.record().id,
            jurisdiction: &merchant.engine.record().jurisdiction,
        };
        let mut answers: Vec<_> = whole.answers().collect();
        let ended = rules.to_the_end(&whole, &mut |_, ask, _| {
            // The seed follows from the number of the turn; what a hold kept has turns of its own.
            let same = answers.iter().position(|(was, _)| Ask { seed: was.seed, ..ask.clone() } == **was);
            let Some(same) = same else {
                let left: Vec<_> = answers.iter().map(|(was, _)| was).filter(|was| was.step == ask.step).collect();
                panic!("seed {seed}, case {}: nobody was asked {ask:?}; still to ask are {left:?}", whole.case.number)
            };
            answers.remove(same).1.clone()
        });
        match ended.again {
            Again::Decided(side) if side == whole.end() => same += 1,
            other => {
                println!("case {}: {other:?}\nand not {:?}", whole.case.number, whole.end());
                differ += 1;
            }
        }
    }
    assert!(same > 50 && differ == 0, "seed {seed}: {same} cases come to the same end, {differ} to another");
    Ok(())
}
