//! What to do about a mistake that is easily made: the name, number, duration or shape that was meant.

use rust_decimal::Decimal;

use crate::ids::Slug;
use crate::workflow::calendar::delay::Delay;
use crate::workflow::schema::{Field, Shape, Table};
use crate::workflow::yaml::{Kind, Node, Style};

/// How much of what was written a help says again.
const AGAIN_BYTES_MAX: usize = 40;

/// Fields whose names are by custom joined by `-`.
const DASHED: &[&str] = &["queue", "target", "template", "to"];

/// For a text that is no short name: the one that it comes to. `key` is the field that it stands behind.
pub(super) fn name(text: &str, key: Option<&str>) -> Option<String> {
    if text.starts_with('=') || text.contains("{{") {
        return Some(
            "a name is written out here, nothing is computed: a `decide` leads to one step for each".to_owned(),
        );
    }
    if !text.is_ascii() || text.contains(['@', '/', ':']) {
        return None;
    }
    let lower = text.trim().to_ascii_lowercase();
    let is_between = |c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_';
    let words: Vec<_> = lower.split(is_between).filter(|word| !word.is_empty()).collect();
    let meant = words.join(if key.is_some_and(|key| DASHED.contains(&key)) { "-" } else { "_" });
    Slug::new(&meant).is_ok().then(|| format!("did you mean `{meant}`?"))
}

/// For a text where a number stands: the number in it.
pub(super) fn number(text: &str) -> Option<String> {
    let is_part = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
    let start = text.find(is_part)?;
    let rest = &text[start..];
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let (digits, behind) = rest.split_at(end);
    if text.len() > AGAIN_BYTES_MAX || behind.contains(is_part) {
        return None;
    }
    // `12,50` is an amount; `1,000` may be a thousand or one.
    let written = match digits.split_once(',') {
        Some((whole, part)) if part.len() <= 2 => format!("{whole}.{part}"),
        Some(_) => return None,
        None => digits.to_owned(),
    };
    written.parse::<Decimal>().ok()?;
    Some(format!("write the number alone, with a point before its decimals: `{written}`"))
}

/// For a text that is no duration: the one that it comes to.
pub(super) fn duration(text: &str) -> Option<String> {
    if text.starts_with('=') {
        return Some("a duration is written out here, nothing is computed".to_owned());
    }
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(unit);
    let number: u32 = digits.parse().ok().filter(|number| *number > 0)?;
    let meant = match unit.trim().to_ascii_lowercase().as_str() {
        "" => return Some(format!("say of what: `{number}h` or `{number}d`")),
        "s" | "sec" | "secs" | "second" | "seconds" => format!("{number}s"),
        "m" | "min" | "mins" | "minute" | "minutes" => format!("{number}m"),
        "h" | "hr" | "hrs" | "hour" | "hours" => format!("{number}h"),
        "d" | "day" | "days" => format!("{number}d"),
        "w" | "week" | "weeks" => format!("{}d", number.checked_mul(7)?),
        "bh" | "business hours" | "working hours" => format!("{number}bh"),
        "bd" | "business days" | "working days" => format!("{number}bd"),
        _ => return None,
    };
    Some(format!("did you mean `{meant}`?"))
}

/// For a field that is missing: what it says, and how it is written.
pub(super) fn missing(field: &Field) -> String {
    let said = field.doc.split_once(". ").map_or(field.doc, |(first, _)| first).trim_end_matches('.');
    let mut letters = said.chars();
    let said = letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect());
    let name = field.name;
    match field.shape {
        Shape::Duration => format!("{said}, as `{name}: 21d`"),
        Shape::Step => format!("{said}, as `{name}: <step>`"),
        Shape::Choice(words) => format!("{said}; one of {}", words.join(", ")),
        _ => said,
    }
}

/// For something else where a map stands: the map that was meant.
pub(super) fn map(key: Option<&str>, table: &Table, node: &Node) -> Option<String> {
    let first = table.fields.first()?;
    let takes = |text: &str| !matches!(first.shape, Shape::Duration) || Delay::parse(text).is_ok();
    let written = match &node.kind {
        Kind::Scalar(scalar) if scalar.is_nothing() || scalar.is_number() || scalar.is_bool() => None,
        Kind::Scalar(scalar) => {
            let is_short = scalar.text.len() <= AGAIN_BYTES_MAX && !scalar.text.contains('\n');
            (is_short && scalar.style == Style::Plain && takes(&scalar.text)).then_some(scalar.text.as_str())
        }
        Kind::List(_) | Kind::Map(_) | Kind::Broken => None,
    };
    let field = |field: &Field| match written {
        Some(text) if field.name == first.name => format!("{}: {text}", field.name),
        _ => format!("{}: …", field.name),
    };
    let named = table.fields.iter().filter(|field| field.required || field.name == first.name);
    let fields: Vec<_> = named.map(field).collect();
    let key = key.map_or_else(String::new, |key| format!("{key}: "));
    Some(format!("as `{key}{{ {} }}`", fields.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_suggested_where_the_text_has_one_in_it() {
        let meant = |text: &str| name(text, None).unwrap_or_default();
        assert_eq!(meant("Credit Card"), "did you mean `credit_card`?");
        assert_eq!(name("Returns L1", Some("queue")).unwrap(), "did you mean `returns-l1`?");
        assert_eq!(meant("E-42"), "did you mean `e-42`?");
        for text in ["", "404", "2nd", "anna@example.com", "退款", "Geld zurück"] {
            assert_eq!(name(text, None), None, "{text}");
        }
        assert!(meant("=case.reason").contains("nothing is computed"));
    }

    #[test]
    fn a_number_is_suggested_only_where_there_is_no_doubt() {
        let meant = |text: &str| number(text).and_then(|help| help.rsplit('`').nth(1).map(str::to_owned));
        for (text, number) in [("£12.50", "12.50"), ("12,50", "12.50"), ("2.50 GBP", "2.50"), ("30d", "30")] {
            assert_eq!(meant(text).as_deref(), Some(number), "{text}");
        }
        for text in ["all", "1,000", "1 or 2", "1.2.3", ","] {
            assert_eq!(meant(text), None, "{text}");
        }
    }

    #[test]
    fn a_duration_is_suggested_by_its_unit() {
        let meant = |text: &str| duration(text).unwrap_or_default();
        for (text, duration) in
            [("3 weeks", "21d"), ("2w", "14d"), ("1 Hour", "1h"), ("2 days", "2d"), ("3 working days", "3bd")]
        {
            assert_eq!(meant(text), format!("did you mean `{duration}`?"), "{text}");
        }
        for text in ["1mo", "soon", "-2d", "1.5d", "0d", "", "99999999999 days"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
