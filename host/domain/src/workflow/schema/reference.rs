//! The reference of the language, as Markdown, made from its tables.

use std::fmt;

use crate::workflow::builtin;
use crate::workflow::expr::functions;
use crate::workflow::schema::{
    ATTRIBUTES, CALENDAR, CALLED, CASE_OPENED, COMPENSATE, DEFAULTS, DOCUMENT, ESCALATE, EVENT_START, INSERT, LIMITS,
    MANUAL, ON_ERROR, OVERLAY, PATCH, REMOVE, REPLACE, RETRY, SCHEDULE, SET, SLA, STEP, STEP_KINDS, Shape, TIMEOUT,
    TRIGGER, Table, VARIABLE, own_codes,
};

/// Every field, step kind and built-in name with its sentence. `workflows/README.md` holds it; a test compares.
pub fn reference() -> String {
    let mut out = String::new();
    for (title, table) in [
        ("The document", &DOCUMENT),
        ("`calendar`", &CALENDAR),
        ("`triggers`", &TRIGGER),
        ("`case_opened`", &CASE_OPENED),
        ("`called`", &CALLED),
        ("`manual`", &MANUAL),
        ("`event`", &EVENT_START),
        ("`schedule`", &SCHEDULE),
        ("`attributes`", &ATTRIBUTES),
        ("`limits`", &LIMITS),
        ("`defaults`", &DEFAULTS),
        ("`vars`, long form", &VARIABLE),
        ("Every step", &STEP),
        ("`on_error`", &ON_ERROR),
        ("`retry`", &RETRY),
        ("`compensate`", &COMPENSATE),
        ("`timeout`", &TIMEOUT),
        ("`sla`", &SLA),
        ("`escalate`", &ESCALATE),
        ("An overlay", &OVERLAY),
        ("An entry of `patch`", &PATCH),
        ("`set`", &SET),
        ("`replace`", &REPLACE),
        ("`insert`", &INSERT),
        ("`remove`", &REMOVE),
    ] {
        out += &format!("### {title}\n\n{}\n", fields(table));
    }
    out += "## Step kinds\n\n";
    for kind in STEP_KINDS {
        let waits = if kind.waits { " It needs a `timeout`." } else { "" };
        out += &format!("### `{}`\n\n{}{waits}\n\n```yaml\n{}\n```\n\n", kind.name, kind.doc, kind.example);
        out += &match kind.shape {
            Shape::Map(table) => format!("{}\n", fields(table)),
            Shape::List(Shape::Map(table)) => format!("{}\n", fields(table)),
            shape => format!("Behind it stands a {shape}.\n\n"),
        };
        let codes: Vec<_> = own_codes(kind.name).iter().map(|code| format!("`{code}`")).collect();
        if !codes.is_empty() {
            out += &format!("Fails with {}.\n\n", codes.join(", "));
        }
    }
    out += "## Names\n\n| root | |\n| --- | --- |\n";
    for (name, doc) in builtin::ROOTS {
        out += &format!("| `{name}` | {doc} |\n");
    }
    for record in builtin::RECORDS {
        out += &format!(
            "\n### The record `{}`\n\n{}\n\n| field | type | |\n| --- | --- | --- |\n",
            record.name, record.doc
        );
        for field in record.fields {
            out += &format!("| `{}` | {} | {} |\n", field.name, field.kind, field.doc);
        }
    }
    out += "\n### Functions\n\n`f(x, y)` may also be written `x.f(y)`.\n\n| function | | |\n| --- | --- | --- |\n";
    for function in functions::functions() {
        let row = [function.signature, function.doc, function.example].map(cell);
        out += &format!("| `{}` | {} | `{}` |\n", row[0], row[1], row[2]);
    }
    out
}

fn fields(table: &Table) -> String {
    let mut out = "| field | | |\n| --- | --- | --- |\n".to_owned();
    for field in table.fields {
        let required = if field.required { ", required" } else { "" };
        out += &format!("| `{}` | {}{required} | {} |\n", field.name, field.shape, field.doc);
    }
    out
}

/// A bar would end the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("whole number"),
            Self::Text => f.write_str("text"),
            Self::Flag => f.write_str("true or false"),
            Self::Words => f.write_str("text, or one per locale"),
            Self::Name => f.write_str("name"),
            Self::Choice(words) => write!(f, "one of {}", words.join(", ")),
            Self::Currency => f.write_str("currency"),
            Self::Zone => f.write_str("time zone"),
            Self::Duration => f.write_str("duration"),
            Self::Hours => f.write_str("business hours"),
            Self::Type => f.write_str("type"),
            Self::Variable => f.write_str("type, or map of `type` and `default`"),
            Self::Condition => f.write_str("condition"),
            Self::Input => f.write_str("expression"),
            Self::Row => f.write_str("row"),
            Self::Match => f.write_str("match"),
            Self::Value(kind) => write!(f, "value ({kind})"),
            Self::Plugin => f.write_str("plugin"),
            Self::Base => f.write_str("base"),
            Self::Workflow => f.write_str("workflow"),
            Self::Step => f.write_str("step"),
            Self::Timeout => f.write_str("timeout"),
            Self::Map(_) => f.write_str("map"),
            Self::Names(inner) => write!(f, "map of {inner} by name"),
            Self::List(inner) => write!(f, "list of {inner}"),
            Self::OneOrMany(inner) => write!(f, "{inner}, or a list"),
            Self::Join => f.write_str("`all`, `any`, or a whole number"),
            Self::StepMap => f.write_str("step"),
            Self::StepBody => f.write_str("step without its `id`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "<!-- made from the tables of the language, do not edit -->\n\n";
    const END: &str = "<!-- end of what is made from the tables -->\n";

    #[test]
    fn the_readme_holds_the_reference() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../workflows/README.md");
        let readme = std::fs::read_to_string(path).unwrap();
        let (before, rest) = readme.split_once(BEGIN).unwrap();
        let (written, after) = rest.split_once(END).unwrap();
        if std::env::var_os("REDRESS_BLESS").is_some() {
            std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", reference())).unwrap();
        } else {
            assert_eq!(written, reference(), "run it again with REDRESS_BLESS=1");
        }
    }
}
