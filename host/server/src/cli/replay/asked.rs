//! A replay by a running host, part by part, and what the parts come to together.

use std::thread;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{Args, told};
use crate::cli::Global;
use crate::cli::case::asked::{address, named};
use crate::cli::case::show;
use crate::cli::door::{Door, part};
use crate::cli::error::Error;
use crate::import::progress::{Progress, Unit};
use crate::replay::{DIFFERENCES_MAX, Report, report};

/// Cases of a part: the host ends it before where they take long.
const PART_CASES: u64 = 100;
/// How often a part is asked for that the host has no place for.
const TRIES: u32 = 60;
/// How long it is waited in between.
const PAUSE: Duration = Duration::from_secs(1);
/// Figures that add up.
const FIGURES: [&str; 7] = ["checked", "different", "cases", "turns", "followed", "unknown", "fuel_moved"];

/// What a replay found, as the data folder tells it.
pub(super) fn found(args: &Args, at: &Global) -> Result<Json, Error> {
    let mut whole = report::json(&Report::default());
    let door = at.door()?;
    if let Some(case) = &args.what {
        let case = show::Args { case: case.clone(), source: args.source.clone() };
        let address = format!("{}/replay", address(&door, &case)?);
        let mut turn = 1;
        loop {
            let found = patient(&door, &format!("{address}?turn={turn}")).map_err(|error| named(error, &case))?;
            add(&mut whole, &found);
            match found["next_turn"].as_u64() {
                Some(next) => turn = next,
                None => return Ok(whole),
            }
        }
    }
    match all(args, &door, &mut whole) {
        // It is the host's own key, and no merchant was named: all of them, as in a data folder.
        Err(Error::Answered(answered)) if answered.code == "tenant_required" => {
            for tenant in door.all("/v1/tenants")? {
                let door = at.door()?.of(tenant["name"].as_str().unwrap_or_default());
                all(args, &door, &mut whole)?;
            }
            Ok(whole)
        }
        other => other.map(|()| whole),
    }
}

/// Every case of a merchant.
fn all(args: &Args, door: &Door, whole: &mut Json) -> Result<(), Error> {
    let day = |name: &str, day: Option<chrono::NaiveDate>| day.map(|day| format!("&{name}={day}")).unwrap_or_default();
    let kind = args.kind.as_ref().map(|kind| format!("&kind={kind}")).unwrap_or_default();
    let which = format!("{}{}{kind}", day("since", args.since), day("until", args.until));
    let (mut left, mut cursor, mut progress) = (args.limit.unwrap_or(u64::MAX), String::new(), None::<Progress>);
    let mut done = 0;
    loop {
        let found = patient(door, &format!("/v1/replay?limit={}{which}{cursor}", left.min(PART_CASES)))?;
        add(whole, &found);
        let cases = found["cases"].as_u64().unwrap_or_default();
        (done, left) = (done + cases, left.saturating_sub(cases));
        let next = found["next_cursor"].as_str().map(|next| format!("&cursor={}", part(next)));
        // One part is over before anybody wonders.
        if let (None, Some(_)) = (&progress, &next) {
            let total = found["about"].as_u64().unwrap_or_default().min(args.limit.unwrap_or(u64::MAX));
            progress.insert(Progress::to_stderr()).begin("replay", total, Unit::Things);
        }
        progress.iter_mut().for_each(|bar| bar.reached(done));
        match next {
            Some(next) if left > 0 => cursor = next,
            _ => break,
        }
    }
    progress.iter_mut().for_each(Progress::end);
    Ok(())
}

/// A part, also of a host that has no place for it just now.
fn patient(door: &Door, address: &str) -> Result<Json, Error> {
    for _ in 1..TRIES {
        match door.get(address) {
            Err(Error::Answered(answered)) if answered.code == "overloaded" => thread::sleep(PAUSE),
            other => return other,
        }
    }
    door.get(address)
}

/// What was found before, and in one part more.
fn add(whole: &mut Json, part: &Json) {
    for name in FIGURES {
        whole[name] = json!(whole[name].as_u64().unwrap_or_default() + part[name].as_u64().unwrap_or_default());
    }
    for name in ["unknown_by_code", "engines"] {
        for (key, n) in told::counts(&part[name]) {
            whole[name][key] = json!(whole[name][key].as_u64().unwrap_or_default() + n);
        }
    }
    if let (Some(all), Some(more)) = (whole["differences"].as_array_mut(), part["differences"].as_array()) {
        let room = DIFFERENCES_MAX.saturating_sub(all.len());
        all.extend(more.iter().take(room).cloned());
    }
    if whole["first_different"].is_null() {
        whole["first_different"] = part["first_different"].clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_the_first_difference_stays_the_first() {
        let part = |n: u64, engine: &str| {
            json!({
                "checked": n, "different": 1, "first_different": { "turn": n }, "cases": 1, "turns": n, "followed": 0, "unknown": n,
                "unknown_by_code": { "sandbox_busy": n }, "fuel_moved": 2, "engines": { engine: n }, "differences": [{ "turn": n }],
            })
        };
        let mut whole = report::json(&Report::default());
        for (n, engine) in [(2, "one"), (3, "two"), (4, "one")] {
            add(&mut whole, &part(n, engine));
        }
        let wanted = json!({
            "checked": 9, "different": 3, "first_different": { "turn": 2 }, "cases": 3, "turns": 9, "followed": 0, "unknown": 9,
            "unknown_by_code": { "sandbox_busy": 9 }, "fuel_moved": 6, "engines": { "one": 6, "two": 3 },
            "differences": [{ "turn": 2 }, { "turn": 3 }, { "turn": 4 }],
        });
        assert_eq!(whole, wanted);
        (0..200).for_each(|_| add(&mut whole, &part(1, "one")));
        assert_eq!(
            (whole["differences"].as_array().unwrap().len(), &whole["different"]),
            (DIFFERENCES_MAX, &json!(203))
        );
    }
}
