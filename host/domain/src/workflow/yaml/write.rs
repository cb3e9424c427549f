//! A tree back into text: one way of writing for every tree, in the subset that the reader takes. Comments are gone.

use std::fmt::Write as _;

use crate::workflow::yaml::{Entry, Kind, Node, Scalar, Style};

/// Lists and maps that fit into a line of this length are written in one.
const LINE_MAX: usize = 120;

impl Node {
    /// The text of the tree, as a document.
    pub fn write(&self) -> String {
        let mut out = String::new();
        match &self.kind {
            Kind::Map(entries) => entries.iter().for_each(|entry| put_entry(&mut out, entry, 0)),
            _ => {
                out += &self.inline();
                out.push('\n');
            }
        }
        out
    }

    /// The text of a value in one line.
    pub fn inline(&self) -> String {
        match &self.kind {
            Kind::Scalar(scalar) => text(scalar, true),
            Kind::List(items) => format!("[{}]", items.iter().map(Self::inline).collect::<Vec<_>>().join(", ")),
            Kind::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Kind::Map(entries) => {
                let one = |entry: &Entry| format!("{}: {}", key(&entry.key.text), entry.value.inline());
                format!("{{ {} }}", entries.iter().map(one).collect::<Vec<_>>().join(", "))
            }
            Kind::Broken => String::new(),
        }
    }
}

fn put_entry(out: &mut String, entry: &Entry, indent: usize) {
    let name = key(&entry.key.text);
    out.extend(std::iter::repeat_n(' ', indent));
    out.push_str(&name);
    out.push(':');
    put_value(out, &entry.value, indent, indent + name.len() + 2);
}

/// What stands behind a key: in the same line where it fits, else in the lines below. At the edge of the document maps and lists
/// always stand below.
fn put_value(out: &mut String, value: &Node, indent: usize, column: usize) {
    match &value.kind {
        Kind::Scalar(scalar) => {
            out.push(' ');
            put_scalar(out, scalar, indent + 2);
        }
        Kind::Map(entries) if !entries.is_empty() && (indent == 0 || !fits(value, column)) => {
            out.push('\n');
            entries.iter().for_each(|entry| put_entry(out, entry, indent + 2));
        }
        Kind::List(items) if !items.is_empty() && (indent == 0 || !fits(value, column)) => {
            out.push('\n');
            items.iter().for_each(|item| put_item(out, item, indent + 2));
        }
        _ => {
            let _ = writeln!(out, " {}", value.inline());
        }
    }
}

fn put_item(out: &mut String, item: &Node, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
    out.push_str("- ");
    match &item.kind {
        Kind::Scalar(scalar) => put_scalar(out, scalar, indent + 2),
        Kind::Map(entries) if !entries.is_empty() && !fits(item, indent + 2) => {
            let mut first = String::new();
            entries.iter().for_each(|entry| put_entry(&mut first, entry, indent + 2));
            // The first field stands behind the dash.
            out.push_str(first.trim_start_matches(' '));
        }
        Kind::List(items) if !items.is_empty() && !fits(item, indent + 2) => {
            let mut first = String::new();
            items.iter().for_each(|item| put_item(&mut first, item, indent + 2));
            out.push_str(first.trim_start_matches(' '));
        }
        _ => {
            let _ = writeln!(out, "{}", item.inline());
        }
    }
}

fn put_scalar(out: &mut String, scalar: &Scalar, indent: usize) {
    if !is_literal(scalar) {
        let _ = writeln!(out, "{}", text(scalar, false));
        return;
    }
    out.push_str(if scalar.text.ends_with('\n') { "|\n" } else { "|-\n" });
    for line in scalar.text.trim_end_matches('\n').split('\n') {
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        out.push_str(line);
        out.push('\n');
    }
}

/// Whether a text is best written as lines: several of them, which a literal block keeps as they are.
fn is_literal(scalar: &Scalar) -> bool {
    let lines = scalar.text.strip_suffix('\n').unwrap_or(&scalar.text);
    lines.contains('\n')
        && !lines.starts_with([' ', '\n'])
        && !lines.ends_with('\n')
        && lines.split('\n').all(|line| !line.ends_with([' ', '\t', '\r']) && !line.starts_with('\t'))
}

fn fits(node: &Node, column: usize) -> bool {
    !has_lines(node) && column + node.inline().chars().count() <= LINE_MAX
}

fn has_lines(node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar(scalar) => is_literal(scalar),
        Kind::List(items) => items.iter().any(has_lines),
        Kind::Map(entries) => entries.iter().any(|entry| has_lines(&entry.value)),
        Kind::Broken => false,
    }
}

fn key(name: &str) -> String {
    text(&Scalar { text: name.to_owned(), style: Style::Quoted }, true)
}

/// A scalar in one line. A number, yes-or-no and nothing are written as they are; a text that would read as one stands between
/// quotes.
fn text(scalar: &Scalar, flow: bool) -> String {
    if scalar.is_number() || scalar.is_bool() || scalar.is_nothing() {
        return scalar.text.clone();
    }
    let text = &scalar.text;
    let plain = Scalar { text: text.clone(), style: Style::Plain };
    let is_other = plain.is_number() || plain.is_bool() || plain.is_nothing();
    if !is_other && is_plain(text, flow) {
        return text.clone();
    }
    if text.chars().any(char::is_control) {
        return format!("\"{}\"", escaped(text));
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether a text needs no quotes, wherever it stands. Stricter than YAML: the rule is to be seen at a glance.
fn is_plain(text: &str, flow: bool) -> bool {
    let begins = text.starts_with(|c: char| c.is_alphanumeric() || c == '=' || c == '_' || c == '/');
    let special = |c: char| c.is_control() || "#\"'`\\%".contains(c) || (flow && ",[]{}".contains(c));
    let colon = text.contains(": ") || text.ends_with(':') || (flow && text.contains(':'));
    begins && !text.chars().any(special) && !colon && !text.ends_with(' ')
}

fn escaped(text: &str) -> String {
    let one = |letter: char| match letter {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '\r' => "\\r".to_owned(),
        letter => letter.to_string(),
    };
    text.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::workflow::problems::Problems;
    use crate::workflow::yaml::{self, Entry, Key, Kind, Node, START, Scalar, Style};

    fn read(source: &str) -> Node {
        let problems = Problems::new();
        let node = yaml::parse(source, &problems);
        node.unwrap_or_else(|| panic!("{source}\n{:?}", problems.into_sorted()))
    }

    /// What a tree says: a text is a text however it is quoted.
    fn says(node: &Node) -> String {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.is_number() || scalar.is_bool() || scalar.is_nothing() => {
                format!("plain {}", scalar.text)
            }
            Kind::Scalar(scalar) => format!("text {:?}", scalar.text),
            Kind::List(items) => format!("[{}]", items.iter().map(says).collect::<Vec<_>>().join(",")),
            Kind::Map(entries) => {
                let one = |entry: &Entry| format!("{:?}:{}", entry.key.text, says(&entry.value));
                format!("{{{}}}", entries.iter().map(one).collect::<Vec<_>>().join(","))
            }
            Kind::Broken => "broken".to_owned(),
        }
    }

    #[test]
    fn what_is_written_reads_as_what_it_was_and_is_written_the_same_again() {
        for file in ["online-retail", "medical-device"] {
            let path = format!("{}/../../workflows/{file}/return.yaml", env!("CARGO_MANIFEST_DIR"));
            let node = read(&std::fs::read_to_string(path).unwrap());
            let written = node.write();
            assert_eq!(says(&read(&written)), says(&node), "{written}");
            assert_eq!(read(&written).write(), written);
        }
    }

    #[test]
    fn the_lines_of_a_long_condition_stay_lines() {
        let source = "when: |\n  one &&\n    two\nthen: x\n";
        assert_eq!(read(source).write(), source);
    }

    fn scalar() -> impl Strategy<Value = Node> {
        let text = prop_oneof![
            "[ -~]{0,12}",
            "[a-z:#'\" \\n,]{0,12}",
            Just("true".to_owned()),
            Just("90".to_owned()),
            Just("~".to_owned()),
            Just("- a".to_owned()),
            Just("退货: 是\n".to_owned()),
        ];
        text.prop_map(|text| Node { range: START, kind: Kind::Scalar(Scalar { text, style: Style::Quoted }) })
    }

    fn tree() -> impl Strategy<Value = Node> {
        scalar().prop_recursive(4, 40, 5, |inner| {
            let list = prop::collection::vec(inner.clone(), 0..5)
                .prop_map(|items| Node { range: START, kind: Kind::List(items) });
            let map = prop::collection::btree_map("[a-z:' ]{1,8}", inner, 0..5).prop_map(|entries| {
                let one = |(text, value)| Entry { key: Key { text, range: START }, value };
                Node { range: START, kind: Kind::Map(entries.into_iter().map(one).collect()) }
            });
            prop_oneof![list, map]
        })
    }

    proptest! {
        #[test]
        fn any_tree_is_read_as_it_was_written(value in tree()) {
            let key = Key { text: "value".to_owned(), range: START };
            let node = Node { range: START, kind: Kind::Map(vec![Entry { key, value }]) };
            let written = node.write();
            prop_assert_eq!(says(&read(&written)), says(&node), "{}", written);
        }
    }
}
