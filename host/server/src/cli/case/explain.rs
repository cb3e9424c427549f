//! `redress case explain`: which conditions decided a case, and the value of each of their parts.

use redress_domain::case::entry::Entry;
use redress_domain::clock::Zone;
use redress_domain::codec;
use redress_domain::decision::{Condition, Turn};
use redress_domain::ids::CaseId;
use redress_store::batch::Version;
use redress_store::snapshot::Snapshot;
use serde_json::{Value as Json, json};

use super::asked;
use super::show::{self, entries, record};
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::words::clean;
use crate::engine;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress case explain 00019 --tenant shop --data data
  redress case explain C536379 --output json --tenant shop --data data
  redress case explain 00019 --server http://127.0.0.1:7373 --key-file desk1.key
";

/// Turns that are read at once.
const PAGE_TURNS: usize = 256;

#[derive(Debug, clap::Args)]
#[group(skip)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    case: show::Args,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let format = at.format();
    if format == Format::Csv {
        let help = "use --output table or --output json";
        return Err(Error::Form { command: "an explanation", form: "csv", help });
    }
    if at.server.is_some() {
        let (case, turns) = asked::turns(&at.door()?, &args.case)?;
        return match format {
            Format::Json => out.json(&asked::explained(&case, &turns)),
            Format::Table | Format::Csv => out.data(&asked::explanation(&turns)),
        };
    }
    let session = at.session()?;
    let snapshot = session.engine.store().read()?;
    let id = show::find(&snapshot, &args.case)?.ok_or_else(|| show::not_found(&args.case.case))?;
    let turns = turns(&snapshot, id)?;
    if turns.is_empty() {
        return Err(show::not_found(&args.case.case));
    }
    match format {
        Format::Json => out.json(&json(id, &turns)),
        Format::Table | Format::Csv => out.data(&text(&turns, session.engine.record().zone)),
    }
}

fn turns(snapshot: &Snapshot, case: CaseId) -> Result<Vec<Turn>, Error> {
    let (mut all, mut from) = (Vec::<Turn>::new(), Version(1));
    loop {
        let rows = snapshot.journal(case, from, PAGE_TURNS)?;
        for row in &rows {
            all.push(codec::decode(&row.record).map_err(engine::Error::damaged("turn"))?);
            from = row.turn.next();
        }
        if rows.len() < PAGE_TURNS {
            return Ok(all);
        }
    }
}

fn json(case: CaseId, turns: &[Turn]) -> Json {
    let turn = |turn: &Turn| {
        let tables = turn.entries.iter().filter(|entry| matches!(entry, Entry::TableMatched { .. }));
        let ended = turn.entries.iter().filter(|entry| matches!(entry, Entry::SubCaseEnded(_)));
        json!({
            "turn": turn.number,
            "at": turn.at.to_string(),
            "command": turn.command.body.name(),
            "conditions": turn.conditions.iter().map(record::condition).collect::<Vec<_>>(),
            "tables": tables.map(entries::json).collect::<Vec<_>>(),
            "sub_cases": ended.map(entries::json).collect::<Vec<_>>(),
            "way": turn.entries.iter().filter_map(went).map(|(step, then)| json!({ "step": step, "then": then })).collect::<Vec<_>>(),
        })
    };
    json!({ "case": case, "turns": turns.iter().map(turn).collect::<Vec<_>>() })
}

/// Where a decision led; a step that was passed by leads nowhere of its own.
fn went(entry: &Entry) -> Option<(String, Option<String>)> {
    match entry {
        Entry::Decided { step, then, .. } => Some((step.to_string(), Some(then.to_string()))),
        Entry::Skipped { step } => Some((step.to_string(), None)),
        _ => None,
    }
}

fn text(turns: &[Turn], zone: Zone) -> String {
    let mut text = String::new();
    for turn in turns {
        text += &format!("turn {}, {}, {}\n", turn.number, turn.command.body.name(), turn.at.display(zone));
        let before = text.len();
        turn.conditions.iter().for_each(|one| condition(one, &mut text));
        for entry in &turn.entries {
            match entry {
                Entry::TableMatched { .. } | Entry::SubCaseIntended { .. } | Entry::SubCaseEnded(_) => {
                    text += &format!("  {}\n", clean(&entries::sentence(entry, zone)))
                }
                entry => text += &led(entry),
            }
        }
        if text.len() == before {
            text += "  nothing was decided by a condition\n";
        }
    }
    text
}

fn led(entry: &Entry) -> String {
    match went(entry) {
        Some((step, Some(then))) => format!("  {step} led to {then}\n"),
        Some((step, None)) => format!("  {step} was passed by\n"),
        None => String::new(),
    }
}

fn condition(one: &Condition, text: &mut String) {
    *text += &format!("  {}: {} {}\n", one.step, word(one.holds), clean(&one.source));
    let is_whole = one.parts.len() == 1 && one.parts[0].source == one.source;
    for part in &one.parts {
        let values: Vec<_> = part.values.iter().map(|(what, value)| format!("{what} = {value}")).collect();
        let values = if values.is_empty() { String::new() } else { format!("    ({})", values.join(", ")) };
        match is_whole {
            true if values.is_empty() => {}
            true => *text += &format!("      {}\n", clean(values.trim())),
            false => *text += &format!("    {} {}{}\n", word(part.holds), clean(&part.source), clean(&values)),
        }
    }
}

fn word(holds: bool) -> &'static str {
    if holds { "yes" } else { "no " }
}

#[cfg(test)]
mod tests {
    use redress_domain::ids::Slug;
    use redress_domain::workflow::expr::Leaf;

    use super::*;

    #[test]
    fn each_part_is_told_with_what_it_compared() {
        let leaf = |source: &str, holds, values: &[(&str, &str)]| Leaf {
            source: source.to_owned(),
            holds,
            values: values.iter().map(|(what, value)| ((*what).to_owned(), (*value).to_owned())).collect(),
        };
        let leaves = vec![
            leaf("quote.total > review_over", true, &[("quote.total", "GBP 520.00"), ("review_over", "GBP 500.00")]),
            leaf("has(case.reason)", false, &[]),
        ];
        let source = "quote.total > review_over && has(case.reason)";
        let mut told = String::new();
        condition(&Condition::new(&Slug::new("size").unwrap(), source, false, leaves), &mut told);
        assert_eq!(
            told,
            "  size: no  quote.total > review_over && has(case.reason)\n    \
             yes quote.total > review_over    (quote.total = GBP 520.00, review_over = GBP 500.00)\n    \
             no  has(case.reason)\n"
        );
    }
}
