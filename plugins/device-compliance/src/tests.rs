//! The rows of the table, one fact changed at a time.

use std::collections::BTreeSet;

use redress_plugin::compliance::{Attribute, Disposition, Failure, LineVerdict, Remedy, Tier, Value};
use redress_plugin::eligibility::Bag;
use redress_plugin::testing::{self, RequestBuilder, bought, moment};
use redress_plugin::types::{Request, Take, Unit, Verdict};

use self::Stated::{Nothing, Truth, Word};
use super::{DeviceCompliance, quality, withdrawal};

/// Everything stated, nothing wrong: a sealed class II device, sold at a distance, received on day 996 of 1,000.
const NOTHING_WRONG: [(&str, Stated); 20] = [
    ("body_contact", Truth(false)),
    ("cleanable", Truth(false)),
    ("defect", Truth(false)),
    ("device_class", Word("II")),
    ("distance_sale", Truth(true)),
    ("excluded_kind", Word("none")),
    ("exclusion_confirmed", Truth(true)),
    ("expired_at_sale", Truth(false)),
    ("inner_seal", Word("intact")),
    ("opened", Truth(false)),
    ("recalled", Truth(false)),
    ("registered_at_sale", Truth(true)),
    ("seal_disputed", Truth(false)),
    ("sterile", Truth(true)),
    ("temperature_controlled", Truth(false)),
    ("transit_damage", Truth(false)),
    ("udi_match", Truth(true)),
    ("used", Truth(false)),
    ("withdrawal_informed", Truth(true)),
    ("wrong_item", Truth(false)),
];

#[derive(Clone, Copy)]
enum Stated {
    Truth(bool),
    Word(&'static str),
    Nothing,
}

type Changes<'a> = &'a [(&'static str, Stated)];

/// A case of this jurisdiction with one line, and the changed facts. Received so many days before.
fn case(jurisdiction: &str, days: i32, changes: Changes<'_>) -> RequestBuilder {
    let unchanged = NOTHING_WRONG.iter().filter(|(key, _)| changes.iter().all(|(changed, _)| changed != key));
    let attribute = |(key, stated): &(&str, Stated)| match *stated {
        Truth(truth) => Some(Attribute::new(*key, truth)),
        Word(word) => Some(Attribute::new(*key, word)),
        Nothing => None,
    };
    let attributes = unchanged.chain(changes).filter_map(attribute).collect();
    let case = RequestBuilder::new().jurisdiction(jurisdiction).line_with("KN95", 2, |line| {
        line.attributes = attributes;
        line.unit = Some(Unit { lot: None, serial: None, expiry_day: Some(5_000), udi: None });
    });
    case.purchase_with("1", "KN95", 900, 2, |purchase| purchase.delivered = Some(moment(1_000 - days, 0)))
}

fn judge(case: RequestBuilder) -> LineVerdict {
    check(&case.build()).unwrap().lines.remove(0)
}

fn check(request: &Request) -> Result<Verdict, Failure> {
    testing::check::<DeviceCompliance>(request).answer
}

/// Remedy and reasons of blocks b and c, as `allow c-22 seven_day_return`.
fn remedy(case: RequestBuilder) -> String {
    let verdict = judge(case);
    let remedy = match verdict.remedy {
        Remedy::Allow => "allow",
        Remedy::Deny => "deny",
        Remedy::Review => "review",
    };
    let mut words = vec![remedy.to_owned()];
    for reason in &verdict.reasons {
        let row = reason.cites.as_ref().map_or("", |cites| cites.rule.as_str());
        if !row.starts_with('e') && reason.code != "inspection_needed" {
            words.push(format!("{row} {}", reason.code).trim().to_owned());
        }
    }
    words.join(" ")
}

const CN_ROWS: [(i32, Changes<'static>, &str); 24] = [
    (4, &[], "allow c-22 seven_day_return"),
    (7, &[], "allow c-22 seven_day_return"),
    (8, &[], "deny c-22 withdrawal_period_over"),
    (4, &[("distance_sale", Truth(false))], "deny c-22 not_a_distance_sale"),
    (4, &[("defect", Truth(true)), ("inner_seal", Word("broken"))], "allow b-14 quality_defect"),
    (8, &[("defect", Truth(true))], "review b-15 quality_defect_after_7_days"),
    (400, &[("expired_at_sale", Truth(true))], "allow b-17 expired_at_sale"),
    (400, &[("registered_at_sale", Truth(false))], "allow b-17 unregistered_at_sale"),
    (400, &[("registered_at_sale", Truth(false)), ("expired_at_sale", Nothing)], "allow b-17 unregistered_at_sale"),
    (400, &[("transit_damage", Truth(true))], "allow b-21 transit_damage"),
    (400, &[("wrong_item", Truth(true)), ("transit_damage", Nothing)], "allow b-21 wrong_item"),
    (4, &[("excluded_kind", Word("made_to_order"))], "deny c-24 excluded_by_law"),
    (4, &[("excluded_kind", Word("newspaper"))], "deny c-24 excluded_by_law"),
    (4, &[("excluded_kind", Word("health_hygiene"))], "deny c-25 exclusion_confirmed"),
    (
        4,
        &[("excluded_kind", Word("health_hygiene")), ("exclusion_confirmed", Truth(false))],
        "allow c-26 exclusion_not_confirmed",
    ),
    (
        4,
        &[
            ("excluded_kind", Word("value_drops_on_trial")),
            ("exclusion_confirmed", Truth(false)),
            ("inner_seal", Word("broken")),
        ],
        "review c-26 exclusion_not_confirmed c-29 sealed_pack_damaged",
    ),
    (4, &[("opened", Truth(true))], "allow c-22 seven_day_return c-28 opened_to_inspect"),
    (4, &[("inner_seal", Word("broken"))], "deny c-29 sealed_pack_damaged"),
    (4, &[("inner_seal", Word("broken")), ("seal_disputed", Truth(true))], "review c-29 seal_disputed"),
    (4, &[("inner_seal", Word("broken")), ("device_class", Word("none"))], "review c-22 condition_disputed"),
    (4, &[("inner_seal", Word("none"))], "allow c-22 seven_day_return"),
    (4, &[("inner_seal", Word("none")), ("used", Truth(true))], "review c-22 condition_disputed"),
    // A quality right is granted before anybody asks whether the pack was opened or confirmed to be excluded.
    (4, &[("wrong_item", Truth(true)), ("excluded_kind", Word("health_hygiene"))], "allow b-21 wrong_item"),
    (4, &[("defect", Truth(true)), ("excluded_kind", Nothing)], "allow b-14 quality_defect"),
];

const EU_ROWS: [(i32, Changes<'static>, &str); 14] = [
    (14, &[], "allow c-32 withdrawal"),
    (15, &[], "deny c-32 withdrawal_period_over"),
    (15, &[("withdrawal_informed", Truth(false))], "review c-36 not_informed_of_withdrawal"),
    (4, &[("distance_sale", Truth(false))], "deny c-32 not_a_distance_sale"),
    (4, &[("excluded_kind", Word("health_hygiene"))], "allow c-32 withdrawal"),
    (
        4,
        &[("excluded_kind", Word("health_hygiene")), ("inner_seal", Word("broken"))],
        "deny c-33 unsealed_hygiene_goods",
    ),
    (
        4,
        &[("excluded_kind", Word("health_hygiene")), ("inner_seal", Word("broken")), ("cleanable", Truth(true))],
        "allow c-34 unsealed_but_cleanable",
    ),
    (4, &[("excluded_kind", Word("made_to_order"))], "deny c-35 made_to_order"),
    (4, &[("excluded_kind", Word("perishable"))], "review c-32 kind_without_rule"),
    (4, &[("defect", Truth(true))], "review b-19 lack_of_conformity"),
    (731, &[("defect", Truth(true))], "review b-19 lack_of_conformity_after_2_years"),
    (4, &[("transit_damage", Truth(true))], "review b-21 transit_damage"),
    (4, &[("wrong_item", Truth(true))], "review b-21 wrong_item"),
    (4, &[("inner_seal", Word("broken"))], "allow c-32 withdrawal"),
];

const UK_ROWS: [(i32, Changes<'static>, &str); 9] = [
    (14, &[], "allow c-39 cancellation"),
    (15, &[], "deny c-39 withdrawal_period_over"),
    (15, &[("withdrawal_informed", Truth(false))], "review c-39 not_informed_of_withdrawal"),
    (
        4,
        &[("excluded_kind", Word("health_hygiene")), ("inner_seal", Word("broken"))],
        "deny c-39 unsealed_hygiene_goods",
    ),
    (4, &[("excluded_kind", Word("health_hygiene"))], "allow c-39 cancellation"),
    (4, &[("excluded_kind", Word("opened_media"))], "review c-39 kind_without_rule"),
    (30, &[("defect", Truth(true))], "review b-20 faulty"),
    (31, &[("defect", Truth(true))], "review b-20 faulty_after_30_days"),
    (4, &[("transit_damage", Truth(true))], "review b-21 transit_damage"),
];

fn rows() -> impl Iterator<Item = (&'static str, i32, Changes<'static>, &'static str)> {
    let cn = CN_ROWS.into_iter().map(|(days, changes, expected)| ("CN", days, changes, expected));
    let eu = EU_ROWS.into_iter().map(|(days, changes, expected)| ("EU", days, changes, expected));
    let uk = UK_ROWS.into_iter().map(|(days, changes, expected)| ("UK", days, changes, expected));
    cn.chain(eu).chain(uk)
}

#[test]
fn each_row_says_what_the_table_of_law_says() {
    for (at, (jurisdiction, days, changes, expected)) in rows().enumerate() {
        assert_eq!(remedy(case(jurisdiction, days, changes)), expected, "example {at} of {jurisdiction}");
    }
}

#[test]
fn each_row_of_blocks_b_and_c_has_an_example() {
    let all: BTreeSet<&str> = quality::RULES.iter().chain(withdrawal::RULES).map(|rule| rule.row).collect();
    let shown: Vec<&str> = rows().map(|(_, _, _, expected)| expected).collect();
    let without: Vec<_> = all.iter().filter(|row| shown.iter().all(|text| !text.contains(**row))).collect();
    assert!(without.is_empty(), "rows without an example: {without:?}");
}

#[test]
fn a_row_that_was_not_verified_never_allows_and_never_denies() {
    for (jurisdiction, days, changes, _) in rows() {
        let verdict = judge(case(jurisdiction, days, changes));
        let unverified = verdict.reasons.iter().filter_map(|reason| reason.cites.as_ref());
        let unverified = unverified.filter(|cites| !matches!(cites.mark.as_str(), "V1" | "V2")).count();
        assert!(unverified == 0 || verdict.remedy == Remedy::Review, "{verdict:?}");
    }
}

#[test]
fn a_missing_fact_is_named_and_left_to_a_person() {
    let needed = [
        "defect",
        "device_class",
        "registered_at_sale",
        "transit_damage",
        "wrong_item",
        "distance_sale",
        "excluded_kind",
        "inner_seal",
        "opened",
    ];
    for key in needed {
        let verdict = judge(case("CN", 4, &[(key, Nothing)]));
        assert_eq!(verdict.remedy, Remedy::Review, "{key}");
        let reason = verdict.reasons.iter().find(|reason| reason.code == "facts_missing").unwrap();
        assert_eq!(
            (reason.params.text("missing"), reason.used.as_slice()),
            (Ok(Some(key)), [key.to_owned()].as_slice())
        );
    }
}

#[test]
fn all_missing_facts_of_both_blocks_are_asked_at_once() {
    let verdict = judge(case("CN", 4, &[("wrong_item", Nothing), ("excluded_kind", Nothing), ("defect", Nothing)]));
    assert_eq!(verdict.reasons[0].params.text("missing"), Ok(Some("defect, excluded_kind, wrong_item")));
}

#[test]
fn a_fact_in_an_unlisted_word_or_another_type_is_missing() {
    for stated in [Word("torn"), Truth(true)] {
        assert_eq!(remedy(case("CN", 4, &[("inner_seal", stated)])), "review facts_missing");
    }
    assert_eq!(remedy(case("CN", 4, &[("defect", Word("no"))])), "review facts_missing");
}

#[test]
fn without_a_date_of_receipt_a_person_decides() {
    let undelivered = |case: RequestBuilder| {
        let mut request = case.build();
        request.purchases[0].delivered = None;
        check(&request).unwrap().lines.remove(0)
    };
    assert_eq!(undelivered(case("CN", 4, &[])).reasons[0].params.text("missing"), Ok(Some("purchases.delivered")));
    let twice = case("CN", 4, &[]).purchase("2", "KN95", 950, 1);
    assert_eq!(judge(twice).reasons[0].params.text("missing"), Ok(Some("line.bought")));
}

#[test]
fn the_purchase_is_the_one_named_or_the_ones_that_an_earlier_opinion_takes() {
    let two = || case("CN", 4, &[]).purchase_with("2", "KN95", 800, 2, |it| it.delivered = Some(moment(900, 0)));
    let mut named = two().build();
    named.lines[0].bought = bought("2", 0);
    assert_eq!(check(&named).unwrap().lines[0].remedy, Remedy::Deny);
    let taking = |orders: &[&str]| {
        let takes = orders.iter().map(|order| Take { order: (*order).to_owned(), line: 0, quantity: 1 }).collect();
        let lines = vec![LineVerdict::allow(0, 2).taking(takes)];
        remedy(two().earlier("purchase-match", Verdict { lines, ..Verdict::default() }))
    };
    assert_eq!(taking(&["1"]), "allow c-22 seven_day_return");
    assert_eq!(taking(&["2"]), "deny c-22 withdrawal_period_over");
    assert_eq!(taking(&["1", "2"]), "review c-22 purchases_differ");
}

#[test]
fn a_fact_may_stand_on_the_purchase_or_the_case() {
    let open: Changes<'_> = &[("excluded_kind", Word("health_hygiene")), ("exclusion_confirmed", Nothing)];
    let confirmed = |truth: bool| {
        let mut request = case("CN", 4, open).build();
        request.purchases[0].attributes.push(Attribute::new("exclusion_confirmed", truth));
        check(&request).unwrap().lines[0].remedy
    };
    assert_eq!([confirmed(true), confirmed(false)], [Remedy::Deny, Remedy::Allow]);
    assert_eq!(judge(case("CN", 4, open).case_attribute("exclusion_confirmed", true)).remedy, Remedy::Deny);
    assert_eq!(judge(case("CN", 4, open)).remedy, Remedy::Review);
}

#[test]
fn an_allowed_line_carries_its_tier_its_quantity_and_a_full_citation() {
    let verdict = judge(case("CN", 4, &[("defect", Truth(true))]));
    assert_eq!((verdict.tier, verdict.quantity), (Tier::Quality, 2));
    let reason = &verdict.reasons[0];
    let cites = reason.cites.as_ref().unwrap();
    let texts = [&cites.pack, &cites.rule, &cites.article, &cites.mark].map(String::as_str);
    assert_eq!(texts, ["devices-cn", "b-14", "Consumer Rights Protection Law art. 24", "V1"]);
    assert_eq!(reason.used, ["defect", "purchases.delivered"]);
    assert_eq!(reason.params.text("freight"), Ok(Some("merchant")));
    assert_eq!(judge(case("CN", 4, &[])).tier, Tier::Statutory);
}

#[test]
fn a_refusal_says_by_which_days() {
    let reason = judge(case("CN", 9, &[])).reasons.remove(0);
    assert_eq!(reason.params.integer("days"), Ok(Some(9)));
    assert_eq!(reason.params.integer("days_most"), Ok(Some(7)));
}

#[test]
fn members_of_the_union_stand_under_its_law_and_unknown_countries_under_a_persons() {
    assert_eq!(remedy(case("DE", 14, &[])), "allow c-32 withdrawal");
    assert_eq!(remedy(case("GB", 14, &[])), "allow c-39 cancellation");
    assert_eq!(remedy(case("CN-GD", 7, &[])), "allow c-22 seven_day_return");
    assert_eq!(remedy(case("US", 1, &[])), "review no_law_pack");
}

#[test]
fn every_unit_goes_to_quarantine_whatever_the_remedy() {
    for (days, jurisdiction) in [(4, "CN"), (8, "CN"), (4, "US")] {
        let verdict = judge(case(jurisdiction, days, &[]));
        assert_eq!(verdict.disposition, Some(Disposition::Quarantine));
        assert!(verdict.reasons.iter().any(|reason| reason.code == "quarantine_until_inspected"));
    }
}

#[test]
fn a_unit_that_may_never_be_sold_again_goes_where_the_merchant_says() {
    let grounds: [(&str, Stated, &str); 5] = [
        ("inner_seal", Word("broken"), "seal_broken"),
        ("inner_seal", Word("none"), "sterile_pack_compromised"),
        ("registered_at_sale", Truth(false), "unregistered"),
        ("recalled", Truth(true), "recalled"),
        ("expiry", Nothing, "expired"),
    ];
    for (key, stated, code) in grounds {
        let mut request = case("CN", 4, &[(key, stated)]).build();
        if key == "expiry" {
            request.lines[0].unit = Some(Unit { lot: None, serial: None, expiry_day: Some(999), udi: None });
        }
        let verdict = check(&request).unwrap().lines.remove(0);
        assert!(verdict.reasons.iter().any(|reason| reason.code == code), "{code}: {verdict:?}");
        assert_eq!(verdict.disposition, Some(Disposition::Scrap), "{code}");
        request.args.push(Attribute::new("unsaleable", "return_to_maker"));
        assert_eq!(check(&request).unwrap().lines[0].disposition, Some(Disposition::ReturnToMaker), "{code}");
    }
}

#[test]
fn nothing_is_destroyed_while_a_person_has_to_decide() {
    let verdict = judge(case("CN", 4, &[("inner_seal", Word("broken")), ("seal_disputed", Truth(true))]));
    assert_eq!((verdict.remedy, verdict.disposition), (Remedy::Review, Some(Disposition::Quarantine)));
}

#[test]
fn another_unit_than_was_sold_is_a_persons_and_stays_in_quarantine() {
    for jurisdiction in ["CN", "EU"] {
        let verdict = judge(case(jurisdiction, 4, &[("udi_match", Truth(false))]));
        assert_eq!((verdict.remedy, verdict.quantity), (Remedy::Review, 0));
        assert_eq!(verdict.disposition, Some(Disposition::Quarantine));
        assert!(verdict.reasons.iter().any(|reason| reason.code == "swap_suspected"));
    }
}

#[test]
fn storage_and_contact_keep_a_unit_from_the_shelf_but_not_the_money_from_the_customer() {
    let warm: Changes<'_> = &[("temperature_controlled", Truth(true)), ("storage_known", Truth(false))];
    for (changes, code) in [(warm, "storage_unknown"), (&[("body_contact", Truth(true))], "biohazard")] {
        let verdict = judge(case("CN", 4, changes));
        assert_eq!((verdict.remedy, verdict.disposition), (Remedy::Allow, Some(Disposition::Quarantine)));
        assert!(verdict.reasons.iter().any(|reason| reason.code == code), "{code}");
    }
}

#[test]
fn what_only_an_inspection_can_tell_is_asked_for_without_stopping_the_remedy() {
    let verdict = judge(case("CN", 4, &[("udi_match", Nothing), ("body_contact", Nothing)]));
    assert_eq!(verdict.remedy, Remedy::Allow);
    let reason = verdict.reasons.iter().find(|reason| reason.code == "inspection_needed").unwrap();
    assert_eq!(reason.params.text("missing"), Ok(Some("body_contact, udi_match")));
}

#[test]
fn a_unit_past_its_own_expiry_day_at_the_sale_was_unlawful_whatever_is_stated() {
    let mut request = case("CN", 4, &[]).build();
    request.lines[0].unit = Some(Unit { lot: None, serial: None, expiry_day: Some(899), udi: None });
    assert_eq!(check(&request).unwrap().lines[0].reasons[0].code, "expired_at_sale");
}

#[test]
fn an_unknown_place_for_unsaleable_units_is_bad_input() {
    let answer = check(&case("CN", 4, &[]).arg("unsaleable", Value::Text("bin".into())).build());
    assert!(matches!(answer, Err(Failure::BadInput(what)) if what.contains("`bin`")));
}
