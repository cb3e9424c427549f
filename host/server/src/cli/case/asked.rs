//! A case as a running host tells it: what it is, and what happened to it turn by turn. What was read and asked stays with the host.

use serde_json::{Value as Json, json};

use super::show;
use crate::cli::door::{Door, part};
use crate::cli::error::Error;
use crate::cli::words::clean;

/// The case and its turns, the first one first.
pub(super) fn turns(door: &Door, args: &show::Args) -> Result<(Json, Vec<Json>), Error> {
    let address = address(door, args)?;
    let case = door.get(&address).map_err(|error| named(error, args))?;
    Ok((case, door.all(&format!("{address}/timeline"))?))
}

/// Where a host has the case that is named.
pub(in crate::cli) fn address(door: &Door, args: &show::Args) -> Result<String, Error> {
    let name = match &args.source {
        None => args.case.clone(),
        Some(source) => {
            let named = format!("{source}:{}", args.case);
            let page = door.get(&format!("/v1/cases?external={}", part(&named)))?;
            let found = page["data"][0]["id"].as_str().map(str::to_owned);
            found.ok_or_else(|| show::not_found(&args.case))?
        }
    };
    Ok(format!("/v1/cases/{}", part(&name)))
}

/// A case that a host does not know may be known to it by another name.
pub(in crate::cli) fn named(error: Error, args: &show::Args) -> Error {
    match error {
        Error::Answered(answered) if answered.code == "case_not_found" && args.source.is_none() => Error::NotFound {
            what: "case",
            name: args.case.clone(),
            help: "a running host knows a number or an id; with --source NAME also what that system calls it"
                .to_owned(),
        },
        other => other,
    }
}

/// All of it for programs: the case of the API with its timeline under `turns`.
pub(super) fn whole(mut case: Json, turns: Vec<Json>) -> Json {
    case["turns"] = Json::Array(turns);
    case
}

/// The same for people.
pub(super) fn told(case: &Json, turns: &[Json]) -> String {
    let mut text = format!("{} {}\n", word(case, "/kind"), word(case, "/number"));
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            text += &format!("  {name:<10} {value}\n");
        }
    };
    fact("id", word(case, "/id"));
    fact("external", joined(" of ", [word(case, "/external/id"), word(case, "/external/source")]));
    let until = word(case, "/until");
    let until = if until.is_empty() { until } else { format!("until {until}") };
    fact("status", joined(", ", [joined(" at ", [word(case, "/status"), word(case, "/step")]), until]));
    for lane in list(case, "lanes") {
        fact(
            "lane",
            format!("{}: {}", word(lane, "/lane"), joined(" at ", [word(lane, "/status"), word(lane, "/step")])),
        );
    }
    fact("paused", joined(": ", [word(case, "/paused/at"), word(case, "/paused/note")]));
    fact("result", word(case, "/result"));
    let way = if case["on_its_way"].is_null() {
        String::new()
    } else {
        format!(", of it {} on its way", money(&case["on_its_way"]))
    };
    fact("remedy", format!("{}, {} refunded{way}", word(case, "/remedy"), money(&case["refunded"])));
    fact("because", list(case, "reasons").filter_map(Json::as_str).map(clean).collect::<Vec<_>>().join(", "));
    fact("customer", word(case, "/customer"));
    fact("order", word(case, "/order"));
    fact("workflow", joined(" revision ", [word(case, "/workflow/name"), word(case, "/workflow/revision")]));
    fact("opened", word(case, "/opened_at"));
    for (number, line) in list(case, "lines").enumerate() {
        let outcome = &line["outcome"];
        let came = match outcome["remedy"].as_str() {
            Some(remedy) => format!("{remedy} {} of {}", outcome["quantity"], line["quantity"]),
            None => "nothing yet".to_owned(),
        };
        let why: Vec<_> = list(outcome, "reasons").map(|reason| word(reason, "/code")).collect();
        let amount = if outcome["amount"].is_null() { String::new() } else { money(&outcome["amount"]) };
        let head = format!("{} x {}: {came}", line["quantity"], word(line, "/sku"));
        fact(&format!("line {number}"), joined(", ", [head, amount, why.join(", ")]));
    }
    for task in list(case, "tasks") {
        fact("task", format!("{} in {}: {}", word(task, "/id"), word(task, "/queue"), word(task, "/title")));
    }
    for effect in list(case, "effects") {
        let amount = if effect["amount"].is_null() { String::new() } else { money(&effect["amount"]) };
        let head = joined(" ", [word(effect, "/kind"), amount]);
        fact(
            "effect",
            format!("{} of {}: {head} {}", word(effect, "/key"), word(effect, "/step"), word(effect, "/state")),
        );
    }
    for turn in turns {
        text += &format!("\n{}\n", heading(turn));
        for ask in list(turn, "asks") {
            text += &format!("  asked {} at {}: {}\n", word(ask, "/plugin"), word(ask, "/step"), word(ask, "/outcome"));
        }
        list(turn, "entries").for_each(|one| text += &format!("  {}\n", entry(one)));
    }
    text
}

fn heading(turn: &Json) -> String {
    let why = word(turn, "/reason/text");
    let by = format!("{} by {}", word(turn, "/command"), word(turn, "/by/id"));
    format!("turn {}, {}, {}", turn["turn"], joined(": ", [by, why]), word(turn, "/at"))
}

/// An entry: its kind, and what it says.
fn entry(one: &Json) -> String {
    let codes: Vec<_> = list(one, "codes").filter_map(Json::as_str).map(clean).collect();
    let rows: Vec<_> = list(one, "rows").map(|row| format!("row {}", row["number"])).collect();
    let amount = if one["amount"].is_null() { String::new() } else { money(&one["amount"]) };
    let named = |label: &str, pointer: &str| {
        let value = word(one, pointer);
        if value.is_empty() { value } else { format!("{label} {value}") }
    };
    let parts = [
        joined(" ", [named("in", "/lane"), word(one, "/step")]),
        named("to", "/then"),
        named("because", "/because"),
        codes.join(" "),
        rows.join(" and "),
        amount,
        named("event", "/event"),
        named("task", "/task"),
        word(one, "/opened/title"),
        named("by", "/by"),
        named("until", "/until"),
        word(one, "/detail"),
    ];
    joined(": ", [word(one, "/type"), joined(", ", parts)])
}

/// Why a case went where it went, for programs: as the data folder tells it.
pub(super) fn explained(case: &Json, turns: &[Json]) -> Json {
    let turn = |turn: &Json| {
        let mut conditions = turn["conditions"].as_array().cloned().unwrap_or_default();
        for part in conditions.iter_mut().filter_map(|one| one["parts"].as_array_mut()).flatten() {
            // What compared nothing is left out on the wire.
            if part["values"].is_null() {
                part["values"] = json!([]);
            }
        }
        let of = |kinds: &[&str]| -> Vec<&Json> {
            list(turn, "entries").filter(|one| kinds.contains(&one["type"].as_str().unwrap_or_default())).collect()
        };
        let went = |one: &&Json| json!({ "step": one["step"], "then": one["then"] });
        json!({
            "turn": turn["turn"], "at": turn["at"], "command": turn["command"], "conditions": conditions,
            "tables": of(&["table.matched"]), "sub_cases": of(&["subcase.ended"]),
            "way": of(&["step.decided", "step.skipped"]).iter().map(went).collect::<Vec<_>>(),
        })
    };
    json!({ "case": case["id"], "turns": turns.iter().map(turn).collect::<Vec<_>>() })
}

/// The same for people.
pub(super) fn explanation(turns: &[Json]) -> String {
    let mut text = String::new();
    for turn in turns {
        text += &format!("turn {}, {}, {}\n", turn["turn"], word(turn, "/command"), word(turn, "/at"));
        let before = text.len();
        list(turn, "conditions").for_each(|one| condition(one, &mut text));
        for one in list(turn, "entries") {
            match one["type"].as_str().unwrap_or_default() {
                "step.decided" => text += &format!("  {} led to {}\n", word(one, "/step"), word(one, "/then")),
                "step.skipped" => text += &format!("  {} was passed by\n", word(one, "/step")),
                "table.matched" | "subcase.ended" | "subcase.intended" => text += &format!("  {}\n", entry(one)),
                _ => {}
            }
        }
        if text.len() == before {
            text += "  nothing was decided by a condition\n";
        }
    }
    text
}

fn condition(one: &Json, text: &mut String) {
    let holds = |one: &Json| if one["holds"] == true { "yes" } else { "no " };
    *text += &format!("  {}: {} {}\n", word(one, "/step"), holds(one), word(one, "/condition"));
    for part in list(one, "parts") {
        let values: Vec<_> =
            list(part, "values").map(|one| format!("{} = {}", word(one, "/expression"), word(one, "/value"))).collect();
        let values = if values.is_empty() { String::new() } else { format!("    ({})", values.join(", ")) };
        *text += &format!("    {} {}{values}\n", holds(part), word(part, "/part"));
    }
}

fn word(json: &Json, pointer: &str) -> String {
    json.pointer(pointer).and_then(Json::as_str).map(clean).unwrap_or_default()
}

fn money(json: &Json) -> String {
    format!("{} {}", word(json, "/currency"), word(json, "/amount"))
}

fn list<'a>(json: &'a Json, name: &str) -> impl Iterator<Item = &'a Json> {
    json[name].as_array().into_iter().flatten()
}

/// What there is of these, with this between.
fn joined<const N: usize>(between: &str, parts: [String; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}
