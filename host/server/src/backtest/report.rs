//! The report as one JSON document: figures first, then where they come from, then cases to open.

use std::collections::BTreeMap;

use redress_domain::backtest::again::Unknown;
use redress_domain::backtest::side::Side;
use redress_domain::backtest::tally::{Compared, Day, Flip, Named, Pair, Sum, Tally};
use redress_domain::money::Currency;
use serde_json::{Map, Value as Json, json};

use super::Report;

/// The report, for programs. Amounts are texts with the decimals of their currency.
pub fn json(report: &Report) -> Json {
    let tally = &report.tally;
    let total = tally.refund_total();
    let reviews = tally.reviews;
    let on_trial = report.on_trial.iter();
    json!({
        "cases": tally.cases,
        "flipped": tally.flipped,
        "refund_total_before": amount(total.before, tally.currency),
        "refund_total_after": amount(total.after, tally.currency),
        "unknown": tally.unknown_total(),
        "currency": tally.currency,
        "on_trial": on_trial.map(|(name, revision)| json!({ "workflow": name, "revision": revision })).collect::<Vec<_>>(),
        "from_scratch": report.from_scratch,
        "whole": report.whole,
        "still_open": tally.still_open,
        "assumed": tally.assumed,
        "elsewhere": tally.elsewhere,
        "outcome_changed": tally.outcome_changed,
        "amount_changed": tally.amount_changed,
        "path_changed": tally.path_changed,
        "reviews_before": reviews.before,
        "reviews_after": reviews.after,
        "outcomes": counts(&tally.outcomes),
        "reasons": counts(&tally.reasons),
        "queues": counts(&tally.queues),
        "refunds": refunds(tally),
        "flips": tally.flips.iter().map(|(kind, flip)| flipped(kind, flip, tally.currency)).collect::<Vec<_>>(),
        "other_path": tally.other_path.iter().map(compared).collect::<Vec<_>>(),
        "days": tally.days.iter().map(|(day, figures)| one_day(&day.to_string(), figures, tally.currency)).collect::<Vec<_>>(),
        "unknown_by_code": tally.unknown,
        "unknown_cases": tally.unknown_cases.iter().map(unknown).collect::<Vec<_>>(),
        "answers_reused": report.answers_reused,
        "plugin_calls": report.plugin_calls,
    })
}

/// `1234.50`
pub(crate) fn amount(sum: Sum, currency: Currency) -> String {
    sum.amount(currency).to_string()
}

fn counts(figures: &BTreeMap<String, Pair<u64>>) -> Json {
    let one =
        |(name, pair): (&String, &Pair<u64>)| (name.clone(), json!({ "before": pair.before, "after": pair.after }));
    Json::Object(figures.iter().map(one).collect::<Map<_, _>>())
}

fn refunds(tally: &Tally) -> Json {
    let one = |(code, (currency, pair)): (&String, &(Currency, Pair<Sum>))| {
        let (before, after) = (amount(pair.before, *currency), amount(pair.after, *currency));
        (code.clone(), json!({ "before": before, "after": after }))
    };
    Json::Object(tally.refunds.iter().map(one).collect::<Map<_, _>>())
}

fn flipped((from, to): &(String, String), flip: &Flip, currency: Currency) -> Json {
    json!({
        "from": from,
        "to": to,
        "cases": flip.cases,
        "refund_before": amount(flip.refunds.before, currency),
        "refund_after": amount(flip.refunds.after, currency),
        "examples": flip.examples.iter().map(compared).collect::<Vec<_>>(),
    })
}

fn one_day(day: &str, figures: &Day, currency: Currency) -> Json {
    json!({
        "day": day,
        "cases": figures.cases,
        "flipped": figures.flipped,
        "refund_before": amount(figures.refunds.before, currency),
        "refund_after": amount(figures.refunds.after, currency),
        "reviews_before": figures.reviews.before,
        "reviews_after": figures.reviews.after,
    })
}

fn compared(compared: &Compared) -> Json {
    let mut object = named(&compared.case);
    object.insert("before".to_owned(), side(&compared.before));
    object.insert("after".to_owned(), side(&compared.after));
    Json::Object(object)
}

fn unknown((case, unknown): &(Named, Unknown)) -> Json {
    let mut object = named(case);
    object.insert("code".to_owned(), unknown.code.into());
    object.insert("step".to_owned(), unknown.step.clone().into());
    object.insert("why".to_owned(), unknown.why.clone().into());
    Json::Object(object)
}

fn named(case: &Named) -> Map<String, Json> {
    Map::from_iter([
        ("id".to_owned(), case.id.to_string().into()),
        ("number".to_owned(), case.number.clone().into()),
        ("external_id".to_owned(), case.external.clone().into()),
        ("opened_at".to_owned(), case.opened_at.to_string().into()),
    ])
}

fn side(side: &Side) -> Json {
    json!({
        "outcome": side.outcome.word(),
        "result": side.result,
        "refunded": side.refunded.amount().to_string(),
        "currency": side.refunded.currency(),
        "path": side.path,
        "queues": side.queues,
        "reasons": side.reasons,
    })
}
