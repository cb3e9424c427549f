//! `schedule`: each time opens one case, whatever happens to the host and its clock.

use redress::backtest::trial::Trial;
use redress::backtest::{self, Select};
use redress_domain::clock::{Instant, Span};
use redress_domain::workflow::canary::Bounds;
use redress_store::work::{ClaimRequest, Kind};
use redress_tests::world::{Merchant, World};

use super::{Case, Role, Shop, Started, Web, json, key, stands};

const COUNT: &str = "workflow: stock-count
zone: Europe/London
triggers: [{ schedule: { cron: 0 9 * * Mon-Fri, type: count } }]
steps:
  - id: look
    review: { queue: floor, title: Count, next: { right: done }, timeout: { after: 20d, then: done } }
  - { id: done, finish: { result: counted } }
";

/// Monday, 2 March 2026, 09:00 in London.
const MONDAY: i64 = redress_tests::world::START;
const HOUR: Span = Span::from_millis(3_600_000);
const DAY: Span = Span::from_days(1);

/// What the loop of a host does with schedules.
fn look(merchant: &Merchant) {
    let engine = &merchant.engine;
    let now = engine.clock().now();
    engine.plan_schedules(now).unwrap();
    while engine.run_due_slice(&[Kind::Schedule], now).unwrap().claimed > 0 {}
}

/// When the cases were opened, the first one first.
fn opened(merchant: &Merchant) -> Vec<String> {
    let mut all: Vec<Case> = merchant.cases().unwrap().into_iter().map(|id| merchant.case(id).unwrap()).collect();
    all.sort_by_key(|case| case.opened_at);
    all.iter().map(|case| case.opened_at.to_string()[..16].to_owned()).collect()
}

fn counting() -> Shop {
    let shop = Shop::with(COUNT).unwrap();
    look(&shop.merchant);
    shop
}

fn pass(shop: &Shop, span: Span) {
    shop.world.pass(span);
    look(&shop.merchant);
}

fn next(merchant: &Merchant) -> Option<String> {
    merchant.engine.next_due(Kind::Schedule).unwrap().map(|at| at.to_string()[..16].to_owned())
}

#[test]
fn each_time_opens_one_case_and_no_other_moment_does() {
    let shop = counting();
    assert_eq!((opened(&shop.merchant).len(), next(&shop.merchant)), (0, Some("2026-03-03T09:00".to_owned())));
    pass(&shop, Span::from_millis(DAY.millis() - 1));
    assert_eq!(opened(&shop.merchant).len(), 0, "not early");
    pass(&shop, Span::from_millis(1));
    look(&shop.merchant);
    assert_eq!(opened(&shop.merchant), ["2026-03-03T09:00"]);
    for _ in 0..7 * 24 {
        pass(&shop, HOUR);
    }
    let days = ["03", "04", "05", "06", "09", "10"].map(|day| format!("2026-03-{day}T09:00"));
    assert_eq!(opened(&shop.merchant), days, "no case at the weekend");
    let case = shop.merchant.case(shop.merchant.cases().unwrap()[0]).unwrap();
    assert_eq!((stands(&case), case.kind.as_str(), &*case.channel), ("look", "count", "schedule"));
    assert_eq!(case.started, Some(Started::Schedule { at: case.opened_at }));
    assert_eq!((case.customer, case.order, case.lines.len()), (None, None, 0));
}

#[test]
fn of_the_times_that_were_missed_the_newest_opens_a_case() {
    let shop = counting();
    pass(&shop, Span::from_millis(DAY.millis() * 10 + HOUR.millis()));
    assert_eq!(opened(&shop.merchant), ["2026-03-12T09:00"], "ten days are one case");
    assert_eq!(next(&shop.merchant).as_deref(), Some("2026-03-13T09:00"));
    // Monday to Sunday: the newest is the one of Friday, and it was opened.
    pass(&shop, DAY);
    pass(&shop, DAY);
    assert_eq!(opened(&shop.merchant), ["2026-03-12T09:00", "2026-03-13T09:00"]);
}

#[test]
fn a_clock_that_is_put_back_opens_nothing_again() {
    let shop = counting();
    pass(&shop, Span::from_millis(DAY.millis() + 60_000));
    let back = |millis: i64| shop.world.clock.set(shop.world.app.clock().now().after(Span::from_millis(-millis)));
    back(3_600_000);
    for _ in 0..4 {
        look(&shop.merchant);
        shop.world.pass(Span::from_millis(1_200_000));
    }
    look(&shop.merchant);
    assert_eq!(opened(&shop.merchant), ["2026-03-03T09:00"]);
    // A restart with a clock that is an hour behind changes nothing either.
    back(3_600_000);
    let cut = shop.world.power_cut().unwrap();
    let merchant = cut.reopen("acme").unwrap();
    for _ in 0..30 {
        look(&merchant);
        cut.pass(HOUR);
    }
    assert_eq!(opened(&merchant), ["2026-03-03T09:00", "2026-03-04T09:00"]);
}

#[test]
fn a_host_that_dies_after_any_commit_opens_each_case_once() {
    let shop = Shop::with(COUNT).unwrap();
    let mut cuts: Vec<World> = vec![shop.world.power_cut().unwrap()];
    for _ in 0..4 {
        look(&shop.merchant);
        cuts.push(shop.world.power_cut().unwrap());
        shop.world.pass(DAY);
    }
    look(&shop.merchant);
    let whole = opened(&shop.merchant);
    assert_eq!(whole.len(), 4);
    for (place, cut) in cuts.iter().enumerate() {
        let merchant = cut.reopen("acme").unwrap();
        let end = shop.world.app.clock().now();
        while cut.app.clock().now() < end {
            look(&merchant);
            cut.pass(HOUR);
        }
        look(&merchant);
        assert_eq!(opened(&merchant), whole, "after {place} commits");
    }
}

#[test]
fn an_item_that_was_taken_by_a_host_that_died_comes_back_and_opens_one_case() {
    let shop = counting();
    shop.world.pass(DAY);
    let engine = &shop.merchant.engine;
    let lost = ClaimRequest {
        who: "dead".to_owned(),
        kinds: vec![Kind::Schedule],
        max: 10,
        lease: Span::from_millis(30_000),
        now: engine.clock().now(),
    };
    assert_eq!(engine.store().claim(lost).unwrap().len(), 1);
    look(&shop.merchant);
    assert_eq!(opened(&shop.merchant).len(), 0, "somebody else may be at it");
    pass(&shop, Span::from_millis(30_000));
    look(&shop.merchant);
    assert_eq!(opened(&shop.merchant), ["2026-03-03T09:00"]);
}

/// Every ten minutes from an instant on, for some hours.
fn through(cron: &str, from: i64, hours: i64) -> Vec<String> {
    let shop = Shop::with(&COUNT.replace("0 9 * * Mon-Fri", cron)).unwrap();
    shop.world.clock.set(Instant::from_unix_ms(from));
    look(&shop.merchant);
    for _ in 0..hours * 6 {
        pass(&shop, Span::from_millis(600_000));
    }
    opened(&shop.merchant).into_iter().map(|at| at[11..].to_owned()).collect()
}

#[test]
fn a_time_that_clocks_show_twice_or_never_opens_one_case() {
    // 24 October 2026, 23:00 UTC, and 28 March: three hours before clocks in London change.
    let (autumn, spring) = (1_792_882_800_000_i64, 1_774_738_800_000_i64);
    assert_eq!(through("30 1 * * *", autumn, 5), ["00:30"], "the first of two");
    assert_eq!(through("30 * * * *", autumn + 3_000_000, 3), ["00:30", "01:30", "02:30"], "each hour is one");
    assert_eq!(through("30 1 * * *", spring, 5), ["01:00"], "at the end of the hour that is not");
    assert_eq!(through("30 * * * *", spring + 3_000_000, 3), ["00:30", "01:30", "02:30"]);
}

#[test]
fn what_is_active_says_when_and_a_hold_puts_it_off() {
    let shop = counting();
    let text = |from: &str, to: &str| COUNT.replace(from, to);
    shop.publish(&text("0 9 * * Mon-Fri", "0 11 * * *")).unwrap();
    look(&shop.merchant);
    pass(&shop, Span::from_millis(DAY.millis() + HOUR.millis()));
    assert_eq!(opened(&shop.merchant), ["2026-03-02T11:00"], "the times of before are over");
    // Without a schedule nothing is opened, and what was due is not made up for when it comes back.
    shop.publish(&text("schedule: { cron: 0 9 * * Mon-Fri, type: count }", "case_opened: { type: count }")).unwrap();
    pass(&shop, DAY);
    assert_eq!(opened(&shop.merchant).len(), 1);
    shop.merchant.roll_back("stock-count", None).unwrap();
    look(&shop.merchant);
    assert_eq!(next(&shop.merchant).as_deref(), Some("2026-03-04T11:00"));
    pass(&shop, HOUR);
    assert_eq!(opened(&shop.merchant), ["2026-03-02T11:00", "2026-03-04T11:00"]);
    // Words and other steps are no other schedule.
    shop.publish(&text("0 9 * * Mon-Fri", "0  11 * * *").replace("title: Count", "title: Count again")).unwrap();
    pass(&shop, DAY);
    assert_eq!(opened(&shop.merchant).len(), 3);
    let number = 4;
    shop.merchant.hold("stock-count", number).unwrap();
    pass(&shop, DAY);
    pass(&shop, DAY);
    assert_eq!(opened(&shop.merchant).len(), 3, "on hold");
    shop.merchant.resume("stock-count", number).unwrap();
    pass(&shop, HOUR);
    assert_eq!(opened(&shop.merchant).last().map(String::as_str), Some("2026-03-07T11:00"), "the newest of two");
    assert_eq!(opened(&shop.merchant).len(), 4);
}

#[test]
fn a_canary_takes_what_the_active_schedule_opens_and_adds_no_times() {
    let shop = counting();
    let text = |from: &str, to: &str| format!("format: 1\ncurrency: GBP\n{}", COUNT.replace(from, to));
    let canary = |text: &str| shop.merchant.canary("stock-count", text, 99, Bounds::default()).unwrap().canary.revision;
    let last = || {
        let id = *shop.merchant.cases().unwrap().last().unwrap();
        shop.merchant.case(id).unwrap().revision.unwrap()
    };
    pass(&shop, DAY);
    let active = last();
    let fits = canary(&text("0 9 * * Mon-Fri", "'0 9,10 * * *'"));
    pass(&shop, HOUR);
    assert_eq!(opened(&shop.merchant).len(), 1, "its own times are not looked at");
    pass(&shop, DAY);
    assert_eq!(last(), fits);
    shop.merchant.end_canary("stock-count", false).unwrap();
    canary(&text("schedule: { cron: 0 9 * * Mon-Fri, type: count }", "case_opened: { type: count }"));
    pass(&shop, DAY);
    assert_eq!((last(), opened(&shop.merchant).len()), (active, 3));
    // A backtest decides it again on its workflow, whatever times the candidate has.
    let tally = |text: &str| {
        let trial = Trial::new(&shop.merchant.engine, Some(text), &[]).unwrap();
        backtest::run(&shop.merchant.engine, &trial, &Select::default(), &mut |_, _| {}).unwrap().tally
    };
    let same = tally(&text("0 9 * * Mon-Fri", "0 7 * * *"));
    assert_eq!((same.cases, same.path_changed), (3, 0));
}

#[tokio::test]
async fn what_is_live_tells_the_times_and_the_next_one() {
    let shop = counting();
    let web = Web::of(&shop.world).unwrap();
    let viewer = key(&web, &shop, Role::Viewer);
    let got = web.ask("GET", "/v1/workflows/stock-count").by(&viewer).send().await.json();
    let trigger = json!({
        "by": "schedule", "types": ["count"], "cron": "0 9 * * Mon-Fri", "zone": "Europe/London",
        "next": "2026-03-03T09:00:00.000Z",
    });
    assert_eq!(got["triggers"], json!([trigger]));
    pass(&shop, DAY);
    let case = shop.merchant.cases().unwrap()[0];
    let got = web.ask("GET", &format!("/v1/cases/{case}")).by(&viewer).send().await.json();
    assert_eq!(got["started"], json!({ "by": "schedule", "at": "2026-03-03T09:00:00.000Z" }));
    assert_eq!(Instant::from_unix_ms(MONDAY).after(DAY).to_string(), "2026-03-03T09:00:00.000Z");
}
