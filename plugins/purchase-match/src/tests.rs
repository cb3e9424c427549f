//! The rules of the match, line by line.

use redress_plugin::eligibility::{Bag, Failure, LineVerdict, Remedy, Request};
use redress_plugin::testing::{self, RequestBuilder, bought, moment};

use super::{PurchaseMatch, TAKES_MAX};

/// A case opened at noon of day 1,000, with a window of 90 days and goods of five digits and letters.
fn case() -> RequestBuilder {
    RequestBuilder::new().arg("window_days", 90_i64).arg("sku_digits", 5_i64)
}

fn verdicts(request: &Request) -> Vec<LineVerdict> {
    testing::evaluate::<PurchaseMatch>(request).answer.unwrap().lines
}

/// One line as text: remedy, quantity, takes, reasons.
fn shown(verdict: &LineVerdict) -> String {
    let takes = verdict.takes.iter().map(|take| format!(" {}/{}x{}", take.order, take.line, take.quantity));
    let reasons = verdict.reasons.iter().map(|reason| format!(" {}", reason.code));
    let remedy = match verdict.remedy {
        Remedy::Allow => format!("allow {}", verdict.quantity),
        Remedy::Deny => "deny".to_owned(),
        Remedy::Review => "review".to_owned(),
    };
    remedy + &takes.collect::<String>() + &reasons.collect::<String>()
}

#[track_caller]
fn check(case: RequestBuilder, expected: &[&str]) {
    let lines: Vec<String> = verdicts(&case.build()).iter().map(shown).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_customer_must_be_known_before_anything_else_is_asked() {
    check(case().anonymous().line("POST", 1).line("85123A", 1), &["review customer_unknown"; 2]);
}

#[test]
fn goods_have_the_shape_that_the_parameters_say() {
    let shapes = ["POST", "8512", "851234", "85123a-", "85123", "85123AbC"];
    let ask = |case: RequestBuilder| shapes.iter().fold(case, |case, sku| case.line(sku, 1));
    let (not, is) = ("review not_a_product", "deny not_purchased");
    check(ask(case()), &[not, not, not, not, is, is]);
    check(ask(case().arg("sku_letters", "none")), &[not, not, not, not, is, not]);
    check(ask(RequestBuilder::new().arg("window_days", 90_i64)), &[is; 6]);
}

#[test]
fn parameters_that_make_no_sense_are_bad_input() {
    let none = RequestBuilder::new;
    for wrong in [
        case().arg("sku_letters", "some"),
        none(),
        none().arg("window_days", "90"),
        none().arg("window_days", 90_i64).arg("sku_digits", -1_i64),
    ] {
        let answer = testing::evaluate::<PurchaseMatch>(&wrong.line("85123A", 1).build()).answer;
        assert!(matches!(answer, Err(Failure::BadInput(_))), "{answer:?}");
    }
}

#[test]
fn nothing_bought_of_exactly_this_code_before_the_case_is_not_purchased() {
    let case = case().line("85123A", 1).purchase("1", "85123a", 990, 5).purchase("2", "85123A", 1_001, 5);
    let used_up = case.purchase_with("3", "85123A", 990, 5, |purchase| purchase.left = 0);
    check(used_up, &["deny not_purchased"]);
}

#[test]
fn a_purchase_at_the_very_moment_of_the_case_counts() {
    let at = |second| case().line("85123A", 1).purchase_with("1", "85123A", 1_000, 1, |p| p.at = moment(1_000, second));
    check(at(43_200), &["allow 1 1/0x1"]);
    check(at(43_201), &["deny not_purchased"]);
}

#[test]
fn the_window_counts_calendar_days_and_not_hours() {
    // 90 days and nearly 12 hours ago, but 90 dates.
    let early = |day| case().line("85123A", 1).purchase_with("1", "85123A", day, 1, |p| p.at = moment(day, 1));
    check(early(910), &["allow 1 1/0x1"]);
    check(early(909), &["deny outside_window"]);
}

#[test]
fn a_line_outside_the_window_says_how_many_days_would_have_done() {
    let case = case().line("85123A", 1).purchase("1", "85123A", 500, 1).purchase("2", "85123A", 905, 1);
    let verdict = &verdicts(&case.build())[0];
    let reason = &verdict.reasons[0];
    assert_eq!(reason.code, "outside_window");
    assert_eq!(reason.params.integer("days"), Ok(Some(95)));
    assert_eq!(reason.params.integer("window_days"), Ok(Some(90)));
    assert!(reason.used.contains(&"args.window_days".to_owned()));
}

#[test]
fn the_latest_purchase_is_taken_first_then_the_greater_order_then_the_greater_line() {
    let case = case()
        .line("85123A", 7)
        .purchase("9", "85123A", 980, 2)
        .purchase("10", "85123A", 990, 2)
        .purchase("11", "85123A", 990, 2)
        .purchase("11", "85123A", 990, 2);
    check(case, &["allow 7 11/1x2 11/0x2 10/0x2 9/0x1"]);
}

#[test]
fn what_cannot_be_covered_is_said_on_the_allowed_line() {
    let case = case().line("85123A", 10).purchase("1", "85123A", 990, 4).purchase("2", "85123A", 800, 9);
    check(case.clone(), &["allow 4 1/0x4 quantity_exceeds_purchase"]);
    let reason = verdicts(&case.build()).remove(0).reasons.remove(0);
    assert_eq!(reason.params.integer("asked"), Ok(Some(10)));
    assert_eq!(reason.params.integer("left"), Ok(Some(4)));
}

#[test]
fn one_code_twice_in_a_case_takes_from_what_the_first_line_left() {
    let lines = case().line("85123A", 3).line("85123A", 3).line("85123A", 3);
    check(
        lines.clone().purchase("1", "85123A", 990, 4),
        &["allow 3 1/0x3", "allow 1 1/0x1 quantity_exceeds_purchase", "deny not_purchased"],
    );
    check(
        lines.purchase("1", "85123A", 990, 3).purchase("2", "85123A", 100, 3),
        &["allow 3 1/0x3", "deny outside_window", "deny outside_window"],
    );
}

#[test]
fn a_line_that_names_its_order_line_takes_from_that_one_only() {
    let named = |order| case().line_with("85123A", 3, |line| line.bought = bought(order, 0)).line("85123A", 9);
    let with = |case: RequestBuilder| {
        case.purchase("1", "85123A", 990, 2).purchase("2", "85123A", 980, 5).purchase("3", "85123A", 10, 5)
    };
    let rest = "allow 7 1/0x2 2/0x5 quantity_exceeds_purchase";
    check(with(named("2")), &["allow 3 2/0x3", "allow 4 1/0x2 2/0x2 quantity_exceeds_purchase"]);
    check(with(named("3")), &["deny outside_window", rest]);
    check(with(named("4")), &["deny not_purchased", rest]);
}

#[test]
fn allowed_goods_go_to_quarantine_and_denied_ones_nowhere() {
    let verdicts = verdicts(&case().line("85123A", 1).line("85123B", 1).purchase("1", "85123A", 990, 1).build());
    assert_eq!(verdicts[0].disposition, Some(redress_plugin::eligibility::Disposition::Quarantine));
    assert_eq!(verdicts[1].disposition, None);
}

#[test]
fn more_purchases_than_an_answer_may_name_are_left_to_a_person_and_take_nothing() {
    let many = TAKES_MAX + 1;
    let quantity = u32::try_from(many).unwrap();
    let lines = case().line("85123A", quantity).line("85123A", quantity - 1);
    let request = (0..many).fold(lines, |case, order| case.purchase(&format!("{order:05}"), "85123A", 990, 1)).build();
    let verdicts = verdicts(&request);
    assert_eq!(shown(&verdicts[0]), "review too_many_takes");
    assert_eq!(verdicts[1].takes.len(), TAKES_MAX);
}
