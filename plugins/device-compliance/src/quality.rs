//! Block b: rights to faultless goods. No agreement takes them away.

use crate::facts::{Facts, Missing, Period};
use crate::law::Jurisdiction::{Cn, Eu, Uk};
use crate::law::Mark::{M, V1};
use crate::law::{Finding, Rule};

/// The rows, in the order of the table.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        row: "b-14",
        jurisdiction: Cn,
        article: "Consumer Rights Protection Law art. 24",
        mark: V1,
        judge: cn_defect,
    },
    Rule {
        row: "b-15",
        jurisdiction: Cn,
        article: "Consumer Rights Protection Law art. 24",
        mark: V1,
        judge: cn_late_defect,
    },
    Rule {
        row: "b-17",
        jurisdiction: Cn,
        article: "Regulation on Supervision of Medical Devices art. 55, 86; Distribution Measures (Order 54) art. 45",
        mark: V1,
        judge: cn_unlawful_at_sale,
    },
    Rule { row: "b-19", jurisdiction: Eu, article: "Directive (EU) 2019/771", mark: M, judge: eu_lack_of_conformity },
    Rule { row: "b-20", jurisdiction: Uk, article: "Consumer Rights Act 2015 s. 22", mark: M, judge: uk_faulty },
    Rule {
        row: "b-21",
        jurisdiction: Cn,
        article: "Consumer Rights Protection Law art. 24",
        mark: V1,
        judge: not_as_sent,
    },
    Rule { row: "b-21", jurisdiction: Eu, article: "Directive (EU) 2019/771", mark: M, judge: not_as_sent },
    Rule { row: "b-21", jurisdiction: Uk, article: "Consumer Rights Act 2015 s. 22", mark: M, judge: not_as_sent },
];

/// 14: does not meet quality requirements, within 7 days of receipt.
fn cn_defect(facts: &Facts<'_>) -> Result<Finding, Missing> {
    if !facts.truth("defect")? {
        return Ok(Finding::Silent);
    }
    facts.note("freight", "merchant");
    Ok(match facts.since_receipt(7)? {
        Period::Within => Finding::Grant("quality_defect"),
        Period::Over => Finding::Silent,
        Period::Differs => Finding::Person("purchases_differ"),
    })
}

/// 15: the same later. Whether there is a ground to rescind, or repair and replacement come first, a person weighs.
fn cn_late_defect(facts: &Facts<'_>) -> Result<Finding, Missing> {
    let is_late = facts.truth("defect")? && facts.since_receipt(7)? == Period::Over;
    facts.note("freight", "merchant");
    Ok(if is_late { Finding::Person("quality_defect_after_7_days") } else { Finding::Silent })
}

/// 17: expired, or without registration or certificate, when it was sold.
fn cn_unlawful_at_sale(facts: &Facts<'_>) -> Result<Finding, Missing> {
    if !is_device(facts)? {
        return Ok(Finding::Silent);
    }
    // Either is enough, so one that is known decides while the other is not.
    let (expired, registered) = (facts.expired_at_sale(), facts.truth("registered_at_sale"));
    if expired == Ok(true) {
        return Ok(Finding::Grant("expired_at_sale"));
    }
    if registered == Ok(false) {
        return Ok(Finding::Grant("unregistered_at_sale"));
    }
    expired.and(registered)?;
    Ok(Finding::Silent)
}

/// 19: lack of conformity within 2 years.
fn eu_lack_of_conformity(facts: &Facts<'_>) -> Result<Finding, Missing> {
    if !facts.truth("defect")? {
        return Ok(Finding::Silent);
    }
    Ok(match facts.since_receipt(730)? {
        Period::Within => Finding::Grant("lack_of_conformity"),
        Period::Over | Period::Differs => Finding::Person("lack_of_conformity_after_2_years"),
    })
}

/// 20: faulty within 30 days. Later there are other remedies, so a fault never falls through to a refusal.
fn uk_faulty(facts: &Facts<'_>) -> Result<Finding, Missing> {
    if !facts.truth("defect")? {
        return Ok(Finding::Silent);
    }
    Ok(match facts.since_receipt(30)? {
        Period::Within => Finding::Grant("faulty"),
        Period::Over | Period::Differs => Finding::Person("faulty_after_30_days"),
    })
}

/// 21: damaged on the way, or another item than was ordered.
fn not_as_sent(facts: &Facts<'_>) -> Result<Finding, Missing> {
    let (damaged, wrong) = (facts.truth("transit_damage"), facts.truth("wrong_item"));
    if damaged == Ok(true) {
        return Ok(Finding::Grant("transit_damage"));
    }
    if wrong == Ok(true) {
        return Ok(Finding::Grant("wrong_item"));
    }
    damaged.and(wrong)?;
    Ok(Finding::Silent)
}

/// Whether the goods are a medical device of any class.
pub(crate) fn is_device(facts: &Facts<'_>) -> Result<bool, Missing> {
    Ok(facts.word("device_class", &["I", "II", "III", "none"])? != "none")
}
