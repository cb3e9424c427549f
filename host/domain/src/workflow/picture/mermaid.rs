//! The picture for Mermaid, as wikis and code hosts draw it.

use crate::workflow::picture::{Look, Picture, Step};

pub(super) fn write(picture: &Picture) -> String {
    let mut out = format!("---\ntitle: {}\n---\nflowchart TD\n", quoted(&picture.title));
    for (place, step) in picture.boxes.iter().enumerate() {
        let (open, close) = brackets(step);
        let lines: Vec<_> = step.lines().iter().map(|line| escaped(line)).collect();
        out += &format!("  s{place}{open}\"{}\"{close}\n", lines.join("<br/>"));
    }
    for way in &picture.ways {
        let arrow = if way.sort.is_dashed() { "-.->" } else { "-->" };
        let label = way.label.as_ref().map(|label| format!("|\"{}\"|", escaped(label))).unwrap_or_default();
        out += &format!("  s{} {arrow}{label} s{}\n", way.from, way.to);
    }
    out
}

fn brackets(step: &Step) -> (&'static str, &'static str) {
    match step.look() {
        Look::Start | Look::End => ("([", "])"),
        Look::Choice => ("{{", "}}"),
        Look::Person => ("[/", "/]"),
        Look::Waiting => (">", "]"),
        Look::Effect => ("[[", "]]"),
        Look::Plain => ("[", "]"),
    }
}

/// Entities in Mermaid's own spelling: nothing that is left can end a text or begin an element.
fn escaped(text: &str) -> String {
    let one = |letter: char| match letter {
        '"' => "#quot;".to_owned(),
        '#' => "#35;".to_owned(),
        '<' => "#lt;".to_owned(),
        '>' => "#gt;".to_owned(),
        '&' => "#amp;".to_owned(),
        '`' => "#96;".to_owned(),
        letter if letter.is_control() => " ".to_owned(),
        letter => letter.to_string(),
    };
    text.chars().map(one).collect()
}

/// A text of the YAML that stands before a diagram.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " "))
}
