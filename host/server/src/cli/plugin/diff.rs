//! `redress plugin diff`: which cases two plugins answer differently, before one takes the place of the other.

use std::path::PathBuf;

use redress_domain::clock::Zone;
use redress_sandbox::conformance::{self, Case, outcome};
use serde_json::{Value as Json, json};

use super::opened::{self, Opened};
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::{Format, Out};
use crate::cli::words;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress plugin diff old.wasm build/restocking-fee.wasm --cases cases
  redress plugin diff std/refund-quote build/my-quote.wasm --cases cases --output json
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The plugin as it is.
    old: PathBuf,
    /// The plugin as it would be.
    new: PathBuf,
    /// The cases: a folder of *.json, or one file. Built-in and generated ones are asked as well.
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// What the generated cases begin from: the same seed asks the same.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// How many cases are generated for each hook.
    #[arg(long, value_name = "COUNT", default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    generated: u32,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let mut cases = args.cases.as_deref().map(opened::cases).transpose()?.unwrap_or_default();
    let old = Opened::new(&args.old, out)?;
    let new = Opened::beside(old.sandbox.clone(), &args.new, out)?;
    let shared: Vec<_> = old.plugin.hooks.iter().filter(|hook| new.plugin.hooks.contains(hook)).collect();
    if shared.is_empty() {
        let help = "only plugins that answer the same question can be compared".to_owned();
        return Err(Error::NotFound { what: "hook of", name: args.old.display().to_string(), help });
    }
    cases.retain(|case| shared.contains(&&case.question.hook()));
    // With the parameters that the new one requires: the old one leaves alone what it does not know.
    cases.extend(shared.iter().flat_map(|hook| conformance::built_in(**hook, &new.plugin)));
    cases.extend(shared.iter().flat_map(|hook| conformance::generated(**hook, &new.plugin, args.seed, args.generated)));
    let differences: Vec<Json> = cases.iter().filter_map(|case| difference(case, &old, &new)).collect();
    if at.format() == Format::Json {
        return out.json(&json!({ "cases": cases.len(), "different": differences.len(), "differences": differences }));
    }
    let columns = vec!["case", "place", "old", "new", "fuel_old", "fuel_new"];
    let row = |one: &Json| {
        let text = |name: &str| Cell::text(shown(&one[name]));
        let mut row: Vec<Cell> = ["case", "place", "old", "new"].map(text).into();
        row.extend(["fuel_old", "fuel_new"].map(|name| Cell::Count(one[name].as_u64().unwrap_or_default())));
        row
    };
    let rows: Vec<_> = differences.iter().map(row).collect();
    if !rows.is_empty() {
        Listing { columns, hidden: &[], zone: Zone::UTC, rows }.print(at.format(), out)?;
    }
    out.say(&format!("{} of {} answered differently", differences.len(), words::count(cases.len(), "case")));
    Ok(())
}

/// How the two answer a case differently: the first place of it, and both wholes for programs.
fn difference(case: &Case, old: &Opened, new: &Opened) -> Option<Json> {
    let hook = case.question.hook();
    let [one, other] = [old, new].map(|opened| opened.sandbox.attempt(&opened.plugin.digest, case.question.call()));
    let (was, is) = (outcome(hook, &one), outcome(hook, &other));
    let (place, before, after) = first(&was, &is, String::new())?;
    Some(json!({
        "case": case.name, "hook": hook, "place": place, "old": before, "new": after,
        "fuel_old": one.fuel, "fuel_new": other.fuel, "outcome_old": was, "outcome_new": is,
    }))
}

fn first(was: &Json, is: &Json, at: String) -> Option<(String, Json, Json)> {
    match (was, is) {
        (Json::Object(one), Json::Object(other)) if one.keys().eq(other.keys()) => {
            one.iter().find_map(|(key, value)| first(value, &other[key], format!("{at}/{key}")))
        }
        (Json::Array(one), Json::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            pairs.into_iter().find_map(|(place, (one, other))| first(one, other, format!("{at}/{place}")))
        }
        (one, other) if one == other => None,
        (one, other) => Some((at, one.clone(), other.clone())),
    }
}

/// Short enough for a table; programs get the whole.
fn shown(value: &Json) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.chars().count() <= 60 { text } else { text.chars().take(57).chain("...".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_that_differs_is_told_with_both_values() {
        let was = json!({ "answer": { "lines": [{ "line": 0, "remedy": "allow" }] } });
        let is = json!({ "answer": { "lines": [{ "line": 0, "remedy": "deny" }] } });
        let place = |one: &Json, other: &Json| first(one, other, String::new()).map(|(place, ..)| place);
        assert_eq!(place(&was, &was), None);
        assert_eq!(place(&was, &is).as_deref(), Some("/answer/lines/0/remedy"));
        assert_eq!(place(&was, &json!({ "bad_input": "x" })).as_deref(), Some(""));
        assert_eq!(place(&was, &json!({ "answer": { "lines": [] } })).as_deref(), Some("/answer/lines"));
    }
}
