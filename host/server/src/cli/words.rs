//! Records in words: what people read of reasons, purchases and money.

use redress_domain::case::child::{ChildState, Ending};
use redress_domain::case::entry::{TableInput, TableRow};
use redress_domain::case::start::Started;
use redress_domain::value::Fields;
use redress_domain::verdict::{LineQuote, LineVerdict, Quote, Reason, Take, Verdict};
use serde_json::{Value as Json, json};

/// Text that sends the terminal no commands.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// `NAME=VALUE`
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is no NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A text as a value of a type, where that is known; whatever does not fit goes as it is, and the host says so.
pub(super) fn typed(text: &str, kind: Option<&str>) -> Json {
    match kind.map(|kind| kind.trim_end_matches('?')) {
        Some("bool" | "number") => guessed(text),
        Some("money") => match text.split_once(' ') {
            Some((amount, currency)) => json!({ "amount": amount, "currency": currency }),
            None => Json::from(text),
        },
        _ => Json::from(text),
    }
}

/// `true`, `false`, a whole number, or a text.
pub(super) fn guessed(text: &str) -> Json {
    match (text.parse::<bool>(), text.parse::<i64>()) {
        (Ok(flag), _) => Json::from(flag),
        (_, Ok(number)) if number.to_string() == text => Json::from(number),
        _ => Json::from(text),
    }
}

/// `1 problem`, `2 problems`
pub(super) fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// What started a case, where that was not its type.
pub(super) fn started(started: &Started) -> String {
    match started {
        Started::Manual => "somebody who named its workflow".to_owned(),
        Started::Event { name } => format!("event {name}"),
        Started::Schedule { at } => format!("its schedule, {at}"),
    }
}

/// How a sub-case ended.
pub(super) fn ending(ending: &Ending) -> String {
    match ending {
        Ending::Finished(result) => format!("finished: {result}"),
        Ending::Failed(code) => format!("failed: {code}"),
        Ending::Cancelled => "was cancelled".to_owned(),
        Ending::Refused { code, detail } => format!("was refused, {code}: {detail}"),
    }
}

/// Where a sub-case stands, as far as the case knows that opened it.
pub(super) fn child_state(state: &ChildState) -> String {
    match state {
        ChildState::Awaited => "its end is awaited".to_owned(),
        ChildState::Alone => "goes on by itself".to_owned(),
        ChildState::CalledOff => "is called off".to_owned(),
        ChildState::Ended(how) => ending(how),
    }
}

/// `quantity_exceeds_purchase (asked 6, left 4), under UK Consumer Rights Act s. 20 [uk/short-term-reject, V1], from line.quantity`
pub(super) fn reason(reason: &Reason) -> String {
    let mut words = reason.code.clone();
    if !reason.params.is_empty() {
        words += &format!(" ({})", fields(&reason.params));
    }
    if let Some(cites) = &reason.cites {
        words += &format!(", under {} [{}/{}, {}]", cites.article, cites.pack, cites.rule, cites.mark);
    }
    if !reason.used.is_empty() {
        words += &format!(", from {}", reason.used.join(", "));
    }
    words
}

/// `asked 6, left 4`
pub(super) fn fields(fields: &Fields) -> String {
    fields.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

/// `2 of order 536365 line 3`; lines count from 0, as in the records.
pub(super) fn take(take: &Take) -> String {
    format!("{} of order {} line {}", take.quantity, take.order, take.line)
}

/// `allow 4 (goodwill), taking 4 of order 536365 line 3`
pub(super) fn line_verdict(verdict: &LineVerdict) -> String {
    let takes: Vec<_> = verdict.takes.iter().map(take).collect();
    let takes = if takes.is_empty() { String::new() } else { format!(", taking {}", takes.join(" and ")) };
    let goes = verdict.disposition.map(|goes| format!(", goes to {}", goes.word())).unwrap_or_default();
    format!("{} {} ({}){takes}{goes}", verdict.remedy.word(), verdict.quantity, verdict.tier.word())
}

/// `verdict: line 0 allow 4, line 1 deny 0; tell the authority by rule eu/15`
pub(super) fn verdict(verdict: &Verdict) -> String {
    let line = |one: &LineVerdict| format!("line {} {} {}", one.line, one.remedy.word(), one.quantity);
    let lines: Vec<_> = verdict.lines.iter().map(line).collect();
    let mut words = format!("verdict: {}", if lines.is_empty() { "no lines".to_owned() } else { lines.join(", ") });
    for duty in &verdict.duties {
        words += &format!("; tell the {} by rule {}", duty.to.word(), duty.rule);
    }
    if !verdict.provides.is_empty() {
        words += &format!("; {}", fields(&verdict.provides));
    }
    words + &beside(&verdict.reasons)
}

/// `quote: line 0 GBP 10.20 goods for 4 of order 536365 line 3`
pub(super) fn quote(quote: &Quote) -> String {
    let line = |one: &LineQuote| {
        let parts: Vec<_> = one.parts.iter().map(|part| format!("{} {}", part.amount, part.kind)).collect();
        format!("line {} {} for {}", one.line, parts.join(" and "), take(&one.take))
    };
    let lines: Vec<_> = quote.lines.iter().map(line).collect();
    let words = format!("quote: {}", if lines.is_empty() { "nothing".to_owned() } else { lines.join(", ") });
    let given = if quote.provides.is_empty() { String::new() } else { format!("; {}", fields(&quote.provides)) };
    words + &given + &beside(&quote.reasons)
}

/// `row 2 of the table ("broken" | <= 30), where seen.seal is broken, days is 12`
pub(super) fn table(rows: &[TableRow], inputs: &[TableInput]) -> String {
    let row = |row: &TableRow| format!("row {} of the table ({})", row.number, row.cells.join(" | "));
    let rows: Vec<_> = rows.iter().map(row).collect();
    let rows = if rows.is_empty() { "no row of the table".to_owned() } else { rows.join(" and ") };
    let input = |input: &TableInput| match &input.value {
        Some(value) => format!("{} is {value}", input.expression),
        None => format!("{} is a text that no row names", input.expression),
    };
    format!("{rows}, where {}", inputs.iter().map(input).collect::<Vec<_>>().join(", "))
}

fn beside(reasons: &[Reason]) -> String {
    reasons.iter().map(|one| format!("; {}", reason(one))).collect()
}

#[cfg(test)]
mod tests {
    use redress_domain::value::Value;
    use redress_domain::verdict::Citation;

    use super::*;

    #[test]
    fn a_reason_tells_its_figures_its_law_and_what_it_looked_at() {
        let params = Fields::from([("asked".to_owned(), Value::whole(6)), ("left".to_owned(), Value::whole(4))]);
        let cites = Citation {
            pack: "uk".to_owned(),
            rule: "reject".to_owned(),
            article: "CRA 2015 s. 20".to_owned(),
            mark: "V1".to_owned(),
        };
        let given = Reason {
            cites: Some(cites),
            used: vec!["line.quantity".to_owned()],
            params,
            ..Reason::code("quantity_exceeds_purchase")
        };
        assert_eq!(
            reason(&given),
            "quantity_exceeds_purchase (asked 6, left 4), under CRA 2015 s. 20 [uk/reject, V1], from line.quantity"
        );
        assert_eq!(reason(&Reason::code("not_purchased")), "not_purchased");
    }

    #[test]
    fn a_table_tells_its_row_and_what_it_looked_at() {
        let input = |expression: &str, value| TableInput { expression: expression.to_owned(), value };
        let inputs = [input("seen.seal", Some(Value::text("broken"))), input("case.claim", None)];
        let row = TableRow { number: 2, cells: vec!["\"broken\"".to_owned(), "-".to_owned()] };
        assert_eq!(
            table(&[row], &inputs),
            "row 2 of the table (\"broken\" | -), where seen.seal is broken, case.claim is a text that no row names"
        );
        assert_eq!(table(&[], &inputs[..1]), "no row of the table, where seen.seal is broken");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }

    #[test]
    fn a_value_is_read_as_its_type_or_as_what_it_looks_like() {
        for (text, read) in [("true", json!(true)), ("7", json!(7)), ("007", json!("007")), ("A7", json!("A7"))] {
            assert_eq!((guessed(text), typed(text, Some("number?"))), (read.clone(), read));
        }
        assert_eq!(typed("12.50 GBP", Some("money")), json!({ "amount": "12.50", "currency": "GBP" }));
        assert_eq!((typed("7", Some("text")), typed("7", None)), (json!("7"), json!("7")));
        assert!(pair("shelf").is_err());
    }
}
