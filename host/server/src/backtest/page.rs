//! The report as one page with pictures, for people: no script, nothing from elsewhere, every text escaped.

mod chart;

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use redress_domain::backtest::side::Side;
use redress_domain::backtest::tally::{Compared, Day, Named, Pair, Tally};

use super::Report;
use super::report::amount;
use chart::{BARS_MAX, Bar};

const STYLE: &str = include_str!("page/style.css");
/// Nothing but the style that stands in the page itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page.
pub fn html(report: &Report) -> String {
    let tally = &report.tally;
    let names: Vec<_> = report.on_trial.iter().map(|(name, _)| name.to_string()).collect();
    let title = escaped(&format!("Backtest: {}", names.join(", ")));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    );
    page += &about(report);
    page += &tiles(tally);
    page += &flips(tally);
    page += &pictures(tally);
    page += &figures("Reasons", "reason", &tally.reasons);
    page += &figures("Queues", "queue", &tally.queues);
    page += &examples(tally);
    page += &unknown(tally);
    page += &days(tally);
    page + "</body></html>\n"
}

/// Text that is text, wherever it stands in a page.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter if letter.is_control() => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}

fn about(report: &Report) -> String {
    let revisions: Vec<_> =
        report.on_trial.iter().map(|(name, digest)| escaped(&format!("{name} {}", digest.short()))).collect();
    let how = match (report.from_scratch, report.whole) {
        (true, _) => {
            "The whole history was run anew: each case found what the candidate left of the purchases before it."
        }
        (false, true) => "Each closed case was played to its end again by itself, with all that was recorded of it.",
        (false, false) => {
            "Each case was decided again by itself, with the facts recorded for it, up to its first wait."
        }
    };
    format!(
        "<p class=\"dim\">Revision {}. {how}</p><p class=\"dim\">{} answers of plugins from the record, {} asked anew.</p>\n",
        revisions.join(", "),
        report.answers_reused,
        report.plugin_calls
    )
}

fn tiles(tally: &Tally) -> String {
    let (refunds, reviews) = (tally.refund_total(), tally.reviews);
    let arrow = |before: String, after: String| format!("{before} \u{2192} {after}");
    let money = arrow(amount(refunds.before, tally.currency), amount(refunds.after, tally.currency));
    let unknown = tally.unknown_total();
    let tile = |class: &str, figure: &str, name: &str| {
        format!("<div class=\"tile {class}\"><b>{}</b>{}</div>", escaped(figure), escaped(name))
    };
    let mut html = "<div class=\"tiles\">".to_owned();
    html += &tile("", &tally.cases.to_string(), "cases decided again");
    html += &tile("", &tally.flipped.to_string(), "flipped: another outcome or another amount");
    html += &tile("", &tally.path_changed.to_string(), "would take another way");
    html += &tile("", &money, &format!("refunds, {}", tally.currency));
    for (code, (currency, pair)) in tally.refunds.iter().filter(|(code, _)| *code != tally.currency.code()) {
        let money = arrow(amount(pair.before, *currency), amount(pair.after, *currency));
        html += &tile("", &money, &format!("refunds, {code}"));
    }
    html += &tile("", &arrow(reviews.before.to_string(), reviews.after.to_string()), "wait for a person");
    html += &tile(if unknown > 0 { "warn" } else { "" }, &unknown.to_string(), "unknown");
    html + "</div>\n"
}

fn flips(tally: &Tally) -> String {
    let mut html = "<h2>What flips</h2>\n".to_owned();
    if tally.flips.is_empty() {
        return html + "<p>Nothing: every customer would get the same.</p>\n";
    }
    html += "<div class=\"scroll\"><table><tr><th>was</th><th>would be</th><th class=\"n\">cases</th>\
             <th class=\"n\">refunds before</th><th class=\"n\">after</th></tr>\n";
    for ((from, to), flip) in &tally.flips {
        let to = if from == to { format!("{to}, another amount") } else { to.clone() };
        let (before, after) = (amount(flip.refunds.before, tally.currency), amount(flip.refunds.after, tally.currency));
        html += &format!(
            "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{before}</td><td class=\"n\">{after}</td></tr>\n",
            escaped(from),
            escaped(&to),
            flip.cases
        );
    }
    html + "</table></div>\n"
}

fn pictures(tally: &Tally) -> String {
    let bars = by_days(tally);
    if bars.is_empty() {
        return String::new();
    }
    let key = "<p class=\"key dim\"><i class=\"a\"></i>as it was<i class=\"b\"></i>as it would be</p>\n";
    let highest = |of: fn(&Day) -> Pair<i128>| {
        bars.iter().map(|(_, day)| of(day)).flat_map(|pair| [pair.before, pair.after]).max().unwrap_or(0)
    };
    let picture = |of: fn(&Day) -> Pair<i128>, show: &dyn Fn(i128) -> String, name: &str| {
        let bar = |(label, day): &(String, Day)| {
            let pair = of(day);
            let tells = format!("{label}: {} \u{2192} {}", show(pair.before), show(pair.after));
            Bar { tells, label: label.clone(), heights: [pair.before, pair.after] }
        };
        let bars: Vec<_> = bars.iter().map(bar).collect();
        chart::bars(name, &show(highest(of)), &bars)
    };
    let money =
        |minor| format!("{} {}", tally.currency, amount(redress_domain::backtest::tally::Sum(minor), tally.currency));
    let refunds = |day: &Day| Pair { before: day.refunds.before.0, after: day.refunds.after.0 };
    let reviews = |day: &Day| Pair { before: day.reviews.before.into(), after: day.reviews.after.into() };
    format!(
        "<h2>Money by day</h2>\n{key}{}\n<h2>Reviews by day</h2>\n{key}{}\n",
        picture(refunds, &money, "Refunds by day of opening"),
        picture(reviews, &|count| count.to_string(), "Cases that wait for a person, by day of opening"),
    )
}

/// Every day from the first to the last, those without cases too; several in one where there are too many.
fn by_days(tally: &Tally) -> Vec<(String, Day)> {
    let (Some((first, _)), Some((last, _))) = (tally.days.first_key_value(), tally.days.last_key_value()) else {
        return Vec::new();
    };
    let all = usize::try_from((*last - *first).num_days()).unwrap_or(0) + 1;
    let span = all.div_ceil(BARS_MAX);
    let mut bars: Vec<(String, Day)> = Vec::new();
    for place in 0..all.div_ceil(span) {
        let from = later(*first, place * span);
        let to = later(from, span - 1).min(*last);
        let mut sum = Day::default();
        tally.days.range(from..=to).for_each(|(_, day)| sum.add(day));
        let label = if span == 1 { from.to_string() } else { format!("{from} to {to}") };
        bars.push((label, sum));
    }
    bars
}

fn later(day: NaiveDate, days: usize) -> NaiveDate {
    day.checked_add_days(Days::new(days as u64)).unwrap_or(NaiveDate::MAX)
}

fn figures(title: &str, name: &str, figures: &BTreeMap<String, Pair<u64>>) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let mut html = format!(
        "<h2>{title}</h2>\n<table><tr><th>{name}</th><th class=\"n\">cases before</th><th class=\"n\">after</th></tr>\n"
    );
    for (word, pair) in figures {
        html += &format!(
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
            escaped(word),
            pair.before,
            pair.after
        );
    }
    html + "</table>\n"
}

fn examples(tally: &Tally) -> String {
    let flipped = tally.flips.iter().map(|((from, to), flip)| {
        let name = if from == to { format!("{from}, another amount") } else { format!("{from} \u{2192} {to}") };
        (name, flip.examples.as_slice())
    });
    let others = [("another way to the same end".to_owned(), tally.other_path.as_slice())];
    let mut html = String::new();
    for (name, examples) in flipped.chain(others).filter(|(_, examples)| !examples.is_empty()) {
        html += &format!("<h2>To open: {}</h2>\n", escaped(&name));
        html += "<div class=\"scroll\"><table><tr><th>case</th><th>opened</th><th>was</th><th>would be</th></tr>\n";
        for one in examples {
            html += &example(one);
        }
        html += "</table></div>\n";
    }
    html
}

fn example(one: &Compared) -> String {
    format!(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        named(&one.case),
        escaped(&one.case.opened_at.to_string()),
        side(&one.before),
        side(&one.after)
    )
}

fn named(case: &Named) -> String {
    let external = case.external.as_deref().map(|name| format!("{}<br>", escaped(name))).unwrap_or_default();
    format!("{external}{}<br><span class=\"dim\">{}</span>", escaped(&case.number), escaped(&case.id.to_string()))
}

fn side(side: &Side) -> String {
    let way: Vec<_> = side.path.iter().map(|step| escaped(step)).collect();
    format!(
        "{}, {}<br>{}<br><span class=\"dim\">{}</span>",
        escaped(side.outcome.word()),
        escaped(&side.refunded.to_string()),
        escaped(&side.reasons.join(", ")),
        way.join(" \u{203a} ")
    )
}

fn unknown(tally: &Tally) -> String {
    if tally.unknown.is_empty() {
        return String::new();
    }
    let mut html =
        "<h2>Unknown</h2>\n<p>Nobody recorded what the candidate would need here. These cases are in no total.</p>\n\
                    <div class=\"scroll\"><table><tr><th>case</th><th>step</th><th>why</th></tr>\n"
            .to_owned();
    for (case, unknown) in &tally.unknown_cases {
        let step = unknown.step.as_deref().map(escaped).unwrap_or_default();
        html += &format!("<tr><td>{}</td><td>{step}</td><td>{}</td></tr>\n", named(case), escaped(&unknown.why));
    }
    html + "</table></div>\n"
}

fn days(tally: &Tally) -> String {
    let mut html = "<h2>Every day</h2>\n<details><summary>as a table</summary><div class=\"scroll\"><table><tr><th>day</th>\
                    <th class=\"n\">cases</th><th class=\"n\">flipped</th><th class=\"n\">refunds before</th><th class=\"n\">after</th>\
                    <th class=\"n\">reviews before</th><th class=\"n\">after</th></tr>\n"
        .to_owned();
    for (day, figures) in &tally.days {
        let refunds = [figures.refunds.before, figures.refunds.after].map(|sum| amount(sum, tally.currency));
        html += &format!("<tr><td>{day}</td>");
        let counts = [figures.cases.to_string(), figures.flipped.to_string()];
        let reviews = [figures.reviews.before.to_string(), figures.reviews.after.to_string()];
        for figure in counts.iter().chain(&refunds).chain(&reviews) {
            html += &format!("<td class=\"n\">{figure}</td>");
        }
        html += "</tr>\n";
    }
    html + "</table></div></details>\n"
}

#[cfg(test)]
mod tests {
    use redress_domain::backtest::again::Unknown;
    use redress_domain::backtest::side::Outcome;
    use redress_domain::clock::{Instant, Zone};
    use redress_domain::ids::{CaseId, Digest, Slug};
    use redress_domain::money::Money;

    use super::*;

    const EVIL: &str = "<script>alert('x')</script>\" onload=\"y";

    fn compared(days: i64, before: i64, after: i64) -> Compared {
        let currency = "GBP".parse().unwrap();
        let side = |minor: i64| Side {
            outcome: Outcome::Ended(EVIL.to_owned()),
            result: None,
            refunded: Money::from_minor(minor, currency),
            path: vec![EVIL.to_owned()],
            queues: vec![EVIL.to_owned()],
            reasons: vec![EVIL.to_owned()],
            asked: false,
        };
        let at = Instant::from_unix_ms(days * 86_400_000);
        let case =
            Named { id: CaseId::mint(at, 1), number: EVIL.to_owned(), external: Some(EVIL.to_owned()), opened_at: at };
        Compared { case, before: side(before), after: side(after) }
    }

    fn report(tally: Tally) -> Report {
        let on_trial = vec![(Slug::new("shop-return").unwrap(), Digest::of(b"x"))];
        Report { on_trial, from_scratch: false, whole: false, tally, answers_reused: 1, plugin_calls: 2 }
    }

    fn tally() -> Tally {
        Tally::new(Zone::UTC, "GBP".parse().unwrap())
    }

    #[test]
    fn nothing_that_a_record_says_is_markup() {
        let mut tally = tally();
        tally.compared(compared(1, 500, 0));
        let why = Unknown { code: "fact_missing", step: Some(EVIL.to_owned()), why: EVIL.to_owned() };
        tally.unknown(compared(1, 0, 0).case, why);
        let page = html(&report(tally));
        assert!(!page.contains("<script") && !page.contains("\" onload=\""), "{page}");
        assert!(page.matches("&lt;script&gt;").count() > 8, "{page}");
        assert!(
            !page.contains("http://") && !page.contains("https://") && !page.contains("src="),
            "nothing from elsewhere"
        );
    }

    #[test]
    fn many_days_become_fewer_bars_with_the_same_total() {
        let mut tally = tally();
        (0..1_000).for_each(|day| tally.compared(compared(day * 2, 100, 50)));
        let bars = by_days(&tally);
        assert!(bars.len() <= BARS_MAX && bars.len() > BARS_MAX / 2, "{}", bars.len());
        assert_eq!(bars.iter().map(|(_, day)| day.refunds.before.0).sum::<i128>(), 100_000);
        assert_eq!(bars.iter().map(|(_, day)| day.cases).sum::<u64>(), 1_000);
    }

    #[test]
    fn a_report_of_nothing_is_a_page_too() {
        let page = html(&report(tally()));
        assert!(page.contains("every customer would get the same") && page.ends_with("</html>\n"));
    }
}
