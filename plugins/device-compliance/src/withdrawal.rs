//! Block c: giving goods back without a reason.

use crate::facts::{Facts, Missing, Period};
use crate::law::Jurisdiction::{Cn, Eu, Uk};
use crate::law::Mark::{M, V1, V2};
use crate::law::{Finding, Rule};
use crate::quality::is_device;

const CN_ARTICLE_25: &str = "Consumer Rights Protection Law art. 25";

/// The rows, in the order of the table.
pub(crate) const RULES: &[Rule] = &[
    Rule { row: "c-22", jurisdiction: Cn, article: CN_ARTICLE_25, mark: V1, judge: cn_seven_days },
    Rule {
        row: "c-24",
        jurisdiction: Cn,
        article: "Consumer Rights Protection Law art. 25(1)-(4)",
        mark: V1,
        judge: cn_excluded_by_law,
    },
    Rule {
        row: "c-25",
        jurisdiction: Cn,
        article: "Consumer Rights Protection Law art. 25 para 2; Interim Measures for 7-day returns art. 7",
        mark: V2,
        judge: cn_exclusion_confirmed,
    },
    Rule {
        row: "c-26",
        jurisdiction: Cn,
        article: "Measures for Penalties for Infringing Consumer Rights art. 9(2)",
        mark: V1,
        judge: cn_exclusion_unconfirmed,
    },
    Rule {
        row: "c-28",
        jurisdiction: Cn,
        article: "Measures for Penalties for Infringing Consumer Rights art. 9(3); Interim Measures for 7-day returns art. 8",
        mark: V2,
        judge: cn_opened_to_inspect,
    },
    Rule {
        row: "c-29",
        jurisdiction: Cn,
        article: "Interim Measures for 7-day returns art. 9",
        mark: V2,
        judge: cn_sealed_pack_damaged,
    },
    Rule { row: "c-32", jurisdiction: Eu, article: "Directive 2011/83/EU art. 9", mark: V1, judge: eu_fourteen_days },
    Rule {
        row: "c-33",
        jurisdiction: Eu,
        article: "Directive 2011/83/EU art. 16(e)",
        mark: V2,
        judge: eu_unsealed_hygiene,
    },
    Rule { row: "c-34", jurisdiction: Eu, article: "CJEU C-681/17 (slewo)", mark: V2, judge: eu_cleanable },
    Rule {
        row: "c-35",
        jurisdiction: Eu,
        article: "Directive 2011/83/EU art. 16(c)",
        mark: V2,
        judge: eu_made_to_order,
    },
    Rule { row: "c-36", jurisdiction: Eu, article: "Directive 2011/83/EU art. 10", mark: M, judge: eu_not_informed },
    Rule {
        row: "c-39",
        jurisdiction: Uk,
        article: "Consumer Contracts Regulations 2013 (SI 2013/3134) reg. 28(3)(a), 29-30",
        mark: V2,
        judge: uk_cancellation,
    },
];

/// What the goods are, as far as returning without a reason goes.
const KINDS: [&str; 8] = [
    "none",
    "made_to_order",
    "perishable",
    "opened_media",
    "newspaper",
    "health_hygiene",
    "value_drops_on_trial",
    "near_expiry_or_flawed",
];

/// 22: a distance sale, within 7 days, goods intact, not excluded.
fn cn_seven_days(facts: &Facts<'_>) -> Result<Finding, Missing> {
    if let Some(closed) = closed(facts, 7)? {
        return Ok(closed);
    }
    facts.note("freight", "buyer");
    if kind(facts)? != "none" {
        return Ok(Finding::Silent);
    }
    Ok(match seal(facts)? {
        "intact" => Finding::Grant("seven_day_return"),
        "none" if !facts.truth("used")? => Finding::Grant("seven_day_return"),
        "broken" if is_device(facts)? => Finding::Silent,
        _ => Finding::Person("condition_disputed"),
    })
}

/// 24: made to order, perishable, opened media, newspapers.
fn cn_excluded_by_law(facts: &Facts<'_>) -> Result<Finding, Missing> {
    let is_excluded = is_open(facts, 7)? && is_excluded_by_law(kind(facts)?);
    Ok(if is_excluded { Finding::Refuse("excluded_by_law") } else { Finding::Silent })
}

/// 25: unsuited to return, and the buyer confirmed that at this purchase.
fn cn_exclusion_confirmed(facts: &Facts<'_>) -> Result<Finding, Missing> {
    let is_confirmed = is_open(facts, 7)? && is_unsuited(kind(facts)?) && facts.truth("exclusion_confirmed")?;
    Ok(if is_confirmed { Finding::Refuse("exclusion_confirmed") } else { Finding::Silent })
}

/// 26: unsuited to return, and no confirmation was stored. Never a refusal: where row 29 refuses as well, a person.
fn cn_exclusion_unconfirmed(facts: &Facts<'_>) -> Result<Finding, Missing> {
    let is_unconfirmed = is_open(facts, 7)? && is_unsuited(kind(facts)?) && !facts.truth("exclusion_confirmed")?;
    facts.note("freight", "buyer");
    Ok(if is_unconfirmed { Finding::Grant("exclusion_not_confirmed") } else { Finding::Silent })
}

/// 28: the outer pack was opened to inspect, the necessary inner one is intact.
fn cn_opened_to_inspect(facts: &Facts<'_>) -> Result<Finding, Missing> {
    let is_intact_inside = is_open(facts, 7)? && kind(facts)? == "none" && seal(facts)? == "intact";
    let is_inspected = is_intact_inside && facts.truth("opened")?;
    Ok(if is_inspected { Finding::Grant("opened_to_inspect") } else { Finding::Silent })
}

/// 29: a medical device whose necessary sealed pack is damaged is not intact; a person, when the buyer disputes it.
fn cn_sealed_pack_damaged(facts: &Facts<'_>) -> Result<Finding, Missing> {
    if !is_open(facts, 7)? || seal(facts)? != "broken" || !is_device(facts)? {
        return Ok(Finding::Silent);
    }
    let is_disputed = facts.truth("seal_disputed")?;
    Ok(if is_disputed { Finding::Person("seal_disputed") } else { Finding::Refuse("sealed_pack_damaged") })
}

/// 32: within 14 days of possession, no reason may be asked for.
fn eu_fourteen_days(facts: &Facts<'_>) -> Result<Finding, Missing> {
    match closed(facts, 14)? {
        // A buyer who was not told of the right has longer: row 36.
        Some(Finding::Refuse("withdrawal_period_over")) if !facts.truth("withdrawal_informed")? => {
            return Ok(Finding::Silent);
        }
        Some(closed) => return Ok(closed),
        None => {}
    }
    Ok(match kind(facts)? {
        "none" => Finding::Grant("withdrawal"),
        "health_hygiene" if seal(facts)? != "broken" => Finding::Grant("withdrawal"),
        "health_hygiene" | "made_to_order" => Finding::Silent,
        _ => Finding::Person("kind_without_rule"),
    })
}

/// 33: sealed for health or hygiene, unsealed after delivery, and nothing makes it saleable again.
fn eu_unsealed_hygiene(facts: &Facts<'_>) -> Result<Finding, Missing> {
    let is_lost = is_open(facts, 14)? && is_unsealed_hygiene(facts)? && !facts.truth("cleanable")?;
    Ok(if is_lost { Finding::Refuse("unsealed_hygiene_goods") } else { Finding::Silent })
}

/// 34: unsealed, but cleaning or disinfection makes it saleable.
fn eu_cleanable(facts: &Facts<'_>) -> Result<Finding, Missing> {
    let is_saved = is_open(facts, 14)? && is_unsealed_hygiene(facts)? && facts.truth("cleanable")?;
    Ok(if is_saved { Finding::Grant("unsealed_but_cleanable") } else { Finding::Silent })
}

/// 35: made to specification.
fn eu_made_to_order(facts: &Facts<'_>) -> Result<Finding, Missing> {
    let is_made = is_open(facts, 14)? && kind(facts)? == "made_to_order";
    Ok(if is_made { Finding::Refuse("made_to_order") } else { Finding::Silent })
}

/// 36: a buyer who was not informed has 12 months more.
fn eu_not_informed(facts: &Facts<'_>) -> Result<Finding, Missing> {
    let is_late = facts.truth("distance_sale")? && facts.since_receipt(14)? == Period::Over;
    let is_longer = is_late && !facts.truth("withdrawal_informed")?;
    Ok(if is_longer { Finding::Grant("not_informed_of_withdrawal") } else { Finding::Silent })
}

/// 39: 14 days; unsealed hygiene goods are out.
fn uk_cancellation(facts: &Facts<'_>) -> Result<Finding, Missing> {
    match closed(facts, 14)? {
        Some(Finding::Refuse("withdrawal_period_over")) if !facts.truth("withdrawal_informed")? => {
            return Ok(Finding::Person("not_informed_of_withdrawal"));
        }
        Some(closed) => return Ok(closed),
        None => {}
    }
    Ok(match kind(facts)? {
        "none" => Finding::Grant("cancellation"),
        "health_hygiene" if seal(facts)? == "broken" => Finding::Refuse("unsealed_hygiene_goods"),
        "health_hygiene" => Finding::Grant("cancellation"),
        _ => Finding::Person("kind_without_rule"),
    })
}

/// Why the right does not exist at all for this sale and day, if it does not.
fn closed(facts: &Facts<'_>, days: i64) -> Result<Option<Finding>, Missing> {
    if !facts.truth("distance_sale")? {
        return Ok(Some(Finding::Refuse("not_a_distance_sale")));
    }
    Ok(match facts.since_receipt(days)? {
        Period::Within => None,
        Period::Over => Some(Finding::Refuse("withdrawal_period_over")),
        Period::Differs => Some(Finding::Person("purchases_differ")),
    })
}

fn is_open(facts: &Facts<'_>, days: i64) -> Result<bool, Missing> {
    Ok(closed(facts, days)?.is_none())
}

fn kind(facts: &Facts<'_>) -> Result<&'static str, Missing> {
    facts.word("excluded_kind", &KINDS)
}

/// The necessary inner pack; `none` where the goods have none.
pub(crate) fn seal(facts: &Facts<'_>) -> Result<&'static str, Missing> {
    facts.word("inner_seal", &["intact", "broken", "none"])
}

fn is_excluded_by_law(kind: &str) -> bool {
    matches!(kind, "made_to_order" | "perishable" | "opened_media" | "newspaper")
}

fn is_unsuited(kind: &str) -> bool {
    matches!(kind, "health_hygiene" | "value_drops_on_trial" | "near_expiry_or_flawed")
}

fn is_unsealed_hygiene(facts: &Facts<'_>) -> Result<bool, Missing> {
    Ok(kind(facts)? == "health_hygiene" && seal(facts)? == "broken")
}
