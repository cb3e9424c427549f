//! What a replay found, for people.

use serde_json::Value as Json;

use crate::cli::words::{clean, count};

/// Differences that are shown; JSON has more.
const SHOWN: usize = 10;

/// Most characters of a side that are shown; JSON has all.
const SIDE_CHARS: usize = 300;

/// The report, as it is told in JSON.
pub(super) fn text(report: &Json) -> String {
    let of = |name: &str| report[name].as_u64().unwrap_or_default();
    let number = |n: u64, what| count(usize::try_from(n).unwrap_or(usize::MAX), what);
    let mut text = format!(
        "{} of plugins made again, in {} of {}: {}\n",
        number(of("checked"), "decision"),
        number(of("turns"), "turn"),
        number(of("cases"), "case"),
        match of("different") {
            0 => "nothing differs".to_owned(),
            n => format!("{n} different"),
        }
    );
    let differences = report["differences"].as_array().map(Vec::as_slice).unwrap_or_default();
    differences.iter().take(SHOWN).for_each(|one| text += &difference(one));
    if differences.len() > SHOWN {
        text += &format!("and {} more: --output json has them\n", of("different") - SHOWN as u64);
    }
    if of("followed") > 0 {
        let followed = number(of("followed"), "question");
        text += &format!("{followed} after a difference of the same turn: not counted\n");
    }
    if of("fuel_moved") > 0 {
        text += &format!("{} with other fuel on another engine\n", number(of("fuel_moved"), "decision"));
    }
    for (code, n) in counts(&report["unknown_by_code"]) {
        text += &format!("{} that cannot be made again: {}\n", number(n, "decision"), clean(code));
    }
    for (engine, n) in counts(&report["engines"]) {
        text += &format!("{} by engine {}\n", number(n, "decision"), clean(engine));
    }
    text
}

/// How often there is something, by its name.
pub(super) fn counts(of: &Json) -> impl Iterator<Item = (&String, u64)> {
    of.as_object().into_iter().flatten().map(|(name, n)| (name, n.as_u64().unwrap_or_default()))
}

fn difference(one: &Json) -> String {
    let word = |name: &str| clean(one[name].as_str().unwrap_or_default());
    let tenant = if word("tenant").is_empty() { String::new() } else { format!("{} ", word("tenant")) };
    let ask = match one["ask"].as_u64() {
        Some(ask) => {
            let component: String = word("component").chars().take(12).collect();
            format!(", question {ask}: step {} asks {} ({component})", word("step"), word("plugin"))
        }
        None => String::new(),
    };
    format!(
        "  {tenant}case {}, turn {}{ask}: {} differs\n    recorded: {}\n    now:      {}\n",
        word("case"),
        one["turn"],
        word("differs"),
        side(&one["recorded"]),
        side(&one["found"])
    )
}

fn side(value: &Json) -> String {
    let text = match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = clean(&text);
    match text.char_indices().nth(SIDE_CHARS) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text,
    }
}
