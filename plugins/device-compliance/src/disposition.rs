//! Block e: where the unit goes, whatever the customer may ask.
//!
//! A fact that nobody stated yet is no reason to ask a person about the money: the unit waits in quarantine, and the
//! reason `inspection_needed` names what has to be looked at.

use redress_plugin::compliance::Reason;

use crate::facts::{Facts, Missing};
use crate::law::Jurisdiction::{self, Cn, Eu};
use crate::law::Mark::{self, V1, V2};
use crate::law::{citation, missing_facts};
use crate::quality::is_device;
use crate::withdrawal::seal;

/// What the rows of the block say of a unit.
pub(crate) struct Handling {
    /// It may never be sold again.
    pub(crate) is_unsaleable: bool,
    /// It may not be the unit that was sold.
    pub(crate) is_swap_suspected: bool,
    /// Why, with what is still to be inspected.
    pub(crate) reasons: Vec<Reason>,
}

/// A row of the block.
struct UnitRule {
    row: &'static str,
    /// Where it holds; everywhere, if empty.
    jurisdictions: &'static [Jurisdiction],
    article: &'static str,
    mark: Mark,
    effect: Effect,
    /// The code of the reason, when the row holds for the unit.
    judge: fn(&Facts<'_>) -> Result<Option<&'static str>, Missing>,
}

/// What a row that holds means for the unit.
#[derive(PartialEq, Eq)]
enum Effect {
    Quarantine,
    Unsaleable,
    SwapSuspected,
}

const RULES: &[UnitRule] = &[
    UnitRule {
        row: "e-43",
        jurisdictions: &[],
        article: "ISO 13485:2016 7.5.8",
        mark: V2,
        effect: Effect::Quarantine,
        judge: |_| Ok(Some("quarantine_until_inspected")),
    },
    UnitRule {
        row: "e-44",
        jurisdictions: &[Cn],
        article: "Regulation on Supervision of Medical Devices art. 55; Distribution Measures (Order 54) art. 45",
        mark: V1,
        effect: Effect::Unsaleable,
        judge: never_restock,
    },
    UnitRule {
        row: "e-45",
        jurisdictions: &[Cn],
        article: "Regulation on Supervision of Medical Devices art. 47; Distribution Measures (Order 54) art. 33",
        mark: V1,
        effect: Effect::Quarantine,
        judge: storage_unknown,
    },
    UnitRule {
        row: "e-47",
        jurisdictions: &[Cn],
        article: "Distribution Measures (Order 54) art. 30, 38",
        mark: V1,
        effect: Effect::SwapSuspected,
        judge: another_unit,
    },
    UnitRule {
        row: "e-47",
        jurisdictions: &[Eu],
        article: "Regulation (EU) 2017/745 art. 25",
        mark: V1,
        effect: Effect::SwapSuspected,
        judge: another_unit,
    },
    UnitRule {
        row: "e-48",
        jurisdictions: &[],
        article: "ISO 13485:2016 (contamination)",
        mark: V2,
        effect: Effect::Quarantine,
        judge: never_as_new,
    },
];

/// Ask every row of the block that holds in the jurisdiction.
pub(crate) fn handle(facts: &Facts<'_>, jurisdiction: Jurisdiction) -> Handling {
    let mut handling = Handling { is_unsaleable: false, is_swap_suspected: false, reasons: Vec::new() };
    let mut missing = Vec::new();
    let holds = |rule: &&UnitRule| rule.jurisdictions.is_empty() || rule.jurisdictions.contains(&jurisdiction);
    for rule in RULES.iter().filter(holds) {
        let found = (rule.judge)(facts);
        let (used, params) = facts.take_notes();
        match found {
            Ok(None) => {}
            Ok(Some(code)) => {
                handling.is_unsaleable |= rule.effect == Effect::Unsaleable;
                handling.is_swap_suspected |= rule.effect == Effect::SwapSuspected;
                let pack = if rule.jurisdictions.is_empty() { Jurisdiction::Unknown } else { jurisdiction };
                let cites = citation(rule.row, rule.article, rule.mark, pack);
                handling.reasons.push(Reason { used, params, ..Reason::new(code) }.citing(cites));
            }
            Err(fact) => missing.push(fact),
        }
    }
    handling.reasons.extend(missing_facts("inspection_needed", &missing));
    handling
}

/// 44: one of these is enough, whatever is not known of the others.
fn never_restock(facts: &Facts<'_>) -> Result<Option<&'static str>, Missing> {
    if !is_device(facts)? {
        return Ok(None);
    }
    let seal = seal(facts);
    let compromised = facts.truth("sterile").and_then(|sterile| Ok(sterile && seal? != "intact"));
    let grounds = [
        (seal.map(|seal| seal == "broken"), "seal_broken"),
        (compromised, "sterile_pack_compromised"),
        (facts.expired_now(), "expired"),
        (facts.truth("registered_at_sale").map(|registered| !registered), "unregistered"),
        (facts.truth("udi_match").map(|matches| !matches), "udi_mismatch"),
        (facts.truth("recalled"), "recalled"),
    ];
    if let Some((_, code)) = grounds.iter().find(|(ground, _)| *ground == Ok(true)) {
        return Ok(Some(code));
    }
    grounds.into_iter().try_for_each(|(ground, _)| ground.map(|_| ()))?;
    Ok(None)
}

/// 45: a temperature-controlled device of which nobody knows how it was kept.
fn storage_unknown(facts: &Facts<'_>) -> Result<Option<&'static str>, Missing> {
    let is_unknown = facts.truth("temperature_controlled")? && !facts.truth("storage_known")?;
    Ok(is_unknown.then_some("storage_unknown"))
}

/// 47: the device identifier or serial number is not the one that was sold.
fn another_unit(facts: &Facts<'_>) -> Result<Option<&'static str>, Missing> {
    let matches = facts.truth("udi_match");
    if matches.is_err() && !is_device(facts)? {
        return Ok(None);
    }
    Ok((!matches?).then_some("swap_suspected"))
}

/// 48: body contact, or used.
fn never_as_new(facts: &Facts<'_>) -> Result<Option<&'static str>, Missing> {
    let (body_contact, used) = (facts.truth("body_contact"), facts.truth("used"));
    if body_contact == Ok(true) || used == Ok(true) {
        return Ok(Some("biohazard"));
    }
    body_contact.and(used)?;
    Ok(None)
}
