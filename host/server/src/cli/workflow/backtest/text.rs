//! The report for people at a terminal.

use std::collections::BTreeMap;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use redress_domain::backtest::side::Side;
use redress_domain::backtest::tally::{Compared, Named, Pair, Tally};

use crate::backtest::Report;
use crate::backtest::report::amount;
use crate::cli::words::{clean, count};

/// Examples of each kind of change that are shown; JSON and the page have more.
const EXAMPLES_SHOWN: usize = 3;

/// The report.
pub(super) fn report(report: &Report) -> String {
    let tally = &report.tally;
    let mut text = String::new();
    let names: Vec<_> = report.on_trial.iter().map(|(name, digest)| format!("{name} {}", digest.short())).collect();
    let how = match (report.from_scratch, report.whole) {
        (true, _) => "the whole history run anew",
        (false, true) => "each closed case by itself, to its end",
        (false, false) => "each case by itself, up to its first wait",
    };
    line(&mut text, &format!("{} on trial, {how}", names.join(", ")));
    text.push('\n');
    text += &totals(tally);
    text += &figures("reason", &tally.reasons);
    text += &figures("queue", &tally.queues);
    flips(&mut text, tally);
    other_path(&mut text, tally);
    unknown(&mut text, tally);
    if report.whole {
        let (open, assumed) = (cases(tally.still_open), cases(tally.assumed));
        line(&mut text, &format!("\n{open} still open, not decided again"));
        line(&mut text, &format!("{assumed} with a recorded outcome of an effect that has another content now"));
    }
    let (reused, called) = (report.answers_reused, report.plugin_calls);
    line(&mut text, &format!("\n{reused} answers of plugins from the record, {called} asked anew"));
    text
}

fn totals(tally: &Tally) -> String {
    let (refunds, reviews) = (tally.refund_total(), tally.reviews);
    let row = |(word, pair): (&String, &Pair<u64>)| [word.clone(), pair.before.to_string(), pair.after.to_string()];
    let mut rows: Vec<_> = tally.outcomes.iter().map(row).collect();
    let name = format!("refunds, {}", tally.currency);
    rows.push([name, amount(refunds.before, tally.currency), amount(refunds.after, tally.currency)]);
    for (code, (currency, pair)) in tally.refunds.iter().filter(|(code, _)| *code != tally.currency.code()) {
        rows.push([format!("refunds, {code}"), amount(pair.before, *currency), amount(pair.after, *currency)]);
    }
    let days = u64::try_from(tally.days.len()).unwrap_or(u64::MAX).max(1);
    let of_day = |count: u64| format!("{}.{}", count / days, count * 10 / days % 10);
    rows.push(["reviews a day".to_owned(), of_day(reviews.before), of_day(reviews.after)]);
    format!(
        "{} decided again: {} flipped ({} another outcome, {} another amount), {} another way, {} unknown\n\n{}",
        cases(tally.cases),
        tally.flipped,
        tally.outcome_changed,
        tally.amount_changed,
        tally.path_changed,
        tally.unknown_total(),
        table(["", "before", "after"], rows),
    )
}

fn figures(name: &str, figures: &BTreeMap<String, Pair<u64>>) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let row = |(word, pair): (&String, &Pair<u64>)| [clean(word), pair.before.to_string(), pair.after.to_string()];
    format!("\n{}", table([name, "before", "after"], figures.iter().map(row)))
}

fn flips(text: &mut String, tally: &Tally) {
    for ((from, to), flip) in &tally.flips {
        let (before, after) = (amount(flip.refunds.before, tally.currency), amount(flip.refunds.after, tally.currency));
        let arrow = if from == to { format!("{from}, another amount") } else { format!("{from} -> {to}") };
        line(text, &format!("\n{arrow}: {}, {} {before} -> {after}", cases(flip.cases), tally.currency));
        examples(text, &flip.examples);
    }
}

fn other_path(text: &mut String, tally: &Tally) {
    if let [_, ..] = tally.other_path.as_slice() {
        line(text, "\nanother way to the same end");
        examples(text, &tally.other_path);
    }
}

fn unknown(text: &mut String, tally: &Tally) {
    for (code, cases_of_it) in &tally.unknown {
        line(text, &format!("\nunknown, {code}: {}", cases(*cases_of_it)));
        for (case, unknown) in tally.unknown_cases.iter().filter(|(_, one)| one.code == *code).take(EXAMPLES_SHOWN) {
            let step = unknown.step.as_deref().map(|step| format!(" at {step}")).unwrap_or_default();
            line(text, &format!("  {}{step}: {}", name(case), clean(&unknown.why)));
        }
    }
}

fn examples(text: &mut String, examples: &[Compared]) {
    for one in examples.iter().take(EXAMPLES_SHOWN) {
        line(text, &format!("  {}: {} -> {}", name(&one.case), side(&one.before), side(&one.after)));
    }
}

/// `C536379 (00012)`
fn name(case: &Named) -> String {
    match &case.external {
        Some(external) => format!("{} ({})", clean(external), case.number),
        None => case.number.clone(),
    }
}

/// `deny GBP 0.00 outside_window`
fn side(side: &Side) -> String {
    let reasons = side.reasons.join(", ");
    let reasons = if reasons.is_empty() { String::new() } else { format!(" {}", clean(&reasons)) };
    format!("{} {}{reasons}", side.outcome.word(), side.refunded)
}

fn cases(of: u64) -> String {
    count(usize::try_from(of).unwrap_or(usize::MAX), "case")
}

/// Columns of figures, flush right behind the first.
fn table(head: [&str; 3], rows: impl IntoIterator<Item = [String; 3]>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(head);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let lines = table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned() + "\n");
    lines.collect()
}

fn line(text: &mut String, line: &str) {
    *text += line;
    text.push('\n');
}
