//! What law asks of returned goods, medical devices above all: the first rows of the project's table of law.
//!
//! Blocks are asked in order: quality rights (b), withdrawal without a reason (c), where the unit goes (e). What an
//! earlier block grants no later one withdraws. A row whose source was not read (mark M or U) never grants and never
//! refuses: it leaves the line to a person, as does a row that lacks a fact. `README.md` lists rows and facts.
//!
//! Parameter `unsaleable`: where units go that may never be sold again, `scrap` or `return_to_maker`.

mod disposition;
mod facts;
mod law;
mod quality;
mod withdrawal;

use redress_plugin::compliance::{
    Compliance, Cx, Disposition, Failure, Line, LineVerdict, Reason, Remedy, Request, Tier, Verdict,
};
use redress_plugin::purchases::Purchases;

use crate::disposition::Handling;
use crate::facts::Facts;
use crate::law::{Findings, Jurisdiction};

struct DeviceCompliance;

#[redress_plugin::plugin(
    name = "device-compliance",
    version = "0.1.0",
    params(unsaleable: text = "scrap"),
    attributes = [
        "body_contact": boolean, "cleanable": boolean, "defect": boolean, "device_class": text,
        "distance_sale": boolean, "excluded_kind": text, "exclusion_confirmed": boolean, "expired_at_sale": boolean,
        "inner_seal": text, "opened": boolean, "recalled": boolean, "registered_at_sale": boolean,
        "seal_disputed": boolean, "sterile": boolean, "storage_known": boolean, "temperature_controlled": boolean,
        "transit_damage": boolean, "udi_match": boolean, "used": boolean, "withdrawal_informed": boolean,
        "wrong_item": boolean,
    ],
)]
impl Compliance for DeviceCompliance {
    fn check(req: &Request, cx: &Cx) -> Result<Verdict, Failure> {
        let unsaleable = match cx.arg_text("unsaleable")? {
            "scrap" => Disposition::Scrap,
            "return_to_maker" => Disposition::ReturnToMaker,
            other => {
                let expected = "expected `scrap` or `return_to_maker`";
                return Err(Failure::bad_input(format!("`unsaleable` is `{other}`, {expected}")));
            }
        };
        let jurisdiction = Jurisdiction::parse(&req.jurisdiction);
        let bought = Purchases::new(&req.purchases);
        let lines = req.lines.iter().map(|line| judge(&Facts::new(req, &bought, line), jurisdiction, unsaleable));
        Ok(Verdict { lines: lines.collect(), ..Verdict::default() })
    }
}

fn judge(facts: &Facts<'_>, jurisdiction: Jurisdiction, unsaleable: Disposition) -> LineVerdict {
    let remedy = remedy(facts, jurisdiction);
    let handling = disposition::handle(facts, jurisdiction);
    dispose(remedy, handling, unsaleable)
}

/// Blocks b and c: what the customer may ask.
fn remedy(facts: &Facts<'_>, jurisdiction: Jurisdiction) -> LineVerdict {
    let line = facts.line;
    if jurisdiction == Jurisdiction::Unknown {
        let reason = Reason::new("no_law_pack").using(["jurisdiction"]);
        return LineVerdict::review(line.index, reason).in_tier(Tier::Statutory);
    }
    let quality = Findings::of(quality::RULES, facts, jurisdiction);
    if !quality.grants.is_empty() {
        return verdict(line, Remedy::Allow, Tier::Quality, quality.grants);
    }
    let withdrawal = Findings::of(withdrawal::RULES, facts, jurisdiction);
    if quality.is_open() {
        // With what block c lacks as well, as far as its rows got, so that a person is asked once.
        return verdict(line, Remedy::Review, Tier::Quality, quality.open_reasons(&withdrawal.missing));
    }
    let disagree = !withdrawal.grants.is_empty() && !withdrawal.refusals.is_empty();
    let silent = withdrawal.grants.is_empty() && withdrawal.refusals.is_empty();
    if withdrawal.is_open() || disagree || silent {
        let mut reasons = withdrawal.open_reasons(&[]);
        reasons.extend(withdrawal.grants.into_iter().chain(withdrawal.refusals));
        if reasons.is_empty() {
            reasons.push(Reason::new("no_rule_applies"));
        }
        return verdict(line, Remedy::Review, Tier::Statutory, reasons);
    }
    if withdrawal.refusals.is_empty() {
        verdict(line, Remedy::Allow, Tier::Statutory, withdrawal.grants)
    } else {
        verdict(line, Remedy::Deny, Tier::Statutory, withdrawal.refusals)
    }
}

fn verdict(line: &Line, remedy: Remedy, tier: Tier, reasons: Vec<Reason>) -> LineVerdict {
    let quantity = if remedy == Remedy::Allow { line.quantity } else { 0 };
    LineVerdict { remedy, reasons, ..LineVerdict::allow(line.index, quantity) }.in_tier(tier)
}

/// Block e: where the unit goes, whatever the customer may ask.
fn dispose(mut verdict: LineVerdict, handling: Handling, unsaleable: Disposition) -> LineVerdict {
    if handling.is_swap_suspected {
        // Nothing is withdrawn: whether this is the unit that was sold is what a person has to see.
        verdict.remedy = Remedy::Review;
        verdict.quantity = 0;
    }
    verdict.reasons.extend(handling.reasons);
    // While a person has to decide, the unit is evidence and must not be destroyed.
    let is_open = verdict.remedy == Remedy::Review;
    verdict.disposed(if handling.is_unsaleable && !is_open { unsaleable } else { Disposition::Quarantine })
}

#[cfg(test)]
mod tests;
