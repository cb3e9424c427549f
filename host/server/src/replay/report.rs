//! The report as one JSON document: figures first, then what differs.

use serde_json::{Value as Json, json};

use super::{Difference, Differs, Report};

/// The report, for programs.
pub fn json(report: &Report) -> Json {
    let differences: Vec<Json> = report.differences.iter().map(difference).collect();
    json!({
        "checked": report.checked,
        "different": report.different,
        "first_different": differences.first(),
        "cases": report.cases,
        "turns": report.turns,
        "followed": report.followed,
        "unknown": report.unknown.values().sum::<u64>(),
        "unknown_by_code": report.unknown,
        "fuel_moved": report.fuel_moved,
        "engines": report.engines,
        "differences": differences,
    })
}

fn difference(one: &Difference) -> Json {
    let (recorded, found) = sides(&one.what);
    json!({
        "tenant": one.case.tenant,
        "case": one.case.number,
        "id": one.case.id,
        "turn": one.turn,
        "ask": one.ask,
        "step": one.step,
        "plugin": one.plugin.as_ref().map(|(name, _)| name),
        "component": one.plugin.as_ref().map(|(_, digest)| digest),
        "differs": one.what.code(),
        "recorded": recorded,
        "found": found,
    })
}

/// What was recorded, and what there is now.
pub fn sides(what: &Differs) -> (Json, Json) {
    match what {
        Differs::Question { recorded, found } => (json!(recorded), json!(found)),
        Differs::Answer { recorded, found } | Differs::Entries { recorded, found, .. } => {
            (recorded.clone(), found.clone())
        }
        Differs::Fuel { recorded, found } => (json!(recorded), json!(found)),
        Differs::Count { recorded, found } => (json!(recorded), json!(found)),
        Differs::Refused(why) => (Json::Null, json!(why)),
    }
}
