//! YAML text into a tree that knows where everything stands.
//!
//! A subset that one page of rules can explain: no anchors, aliases, merge keys, tags or second documents, no duplicate keys, no
//! tabs. Each is reported and, where the text can still be read, reading goes on. Size, depth and number of nodes are bounded
//! before anything is built, so that a hostile file costs no more than an honest one.

mod place;
mod scan;
mod write;

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::workflow::diagnostic::{Diagnostic, Range};
use crate::workflow::problems::Problems;
use crate::workflow::yaml::place::{Positions, align};

/// The longest document: some two thousand steps, far above what a person reads.
pub const SOURCE_BYTES_MAX: usize = 256 * 1024;
/// The deepest nesting; the language itself needs eight.
pub const DEPTH_MAX: usize = 24;
/// The most scalars, lists and maps.
pub const NODES_MAX: usize = 20_000;

/// The beginning of a document, for what has no place of its own.
pub const START: Range = Range::new(0, 0);

/// A value of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it stands, quotes and brackets included.
    pub range: Range,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Text, or nothing where the text is empty and plain.
    Scalar(Scalar),
    /// Values in order.
    List(Vec<Node>),
    /// Named values in the order of the text; no name occurs twice.
    Map(Vec<Entry>),
    /// Something that was reported already: whoever meets it says nothing more.
    Broken,
}

/// The text of a value and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, without quotes and escapes.
    pub text: String,
    /// How it is written.
    pub style: Style,
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes; may be a number or yes-or-no.
    Plain,
    /// Between `'` or `"`: always a text.
    Quoted,
    /// After `|`: lines as they are.
    Literal,
    /// After `>`: lines joined.
    Folded,
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub key: Key,
    /// The value.
    pub value: Node,
}

/// The name of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The name itself.
    pub text: String,
    /// Where it stands.
    pub range: Range,
}

impl Node {
    /// The kind of value, for messages.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(scalar) if scalar.is_nothing() => "nothing",
            Kind::Scalar(scalar) if scalar.is_number() => "a number",
            Kind::Scalar(scalar) if scalar.is_bool() => "true or false",
            Kind::Scalar(_) => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
            Kind::Broken => "something unreadable",
        }
    }

    /// The range in the file of a part of this scalar's text; the start of the scalar where escapes or folding hide it.
    pub fn locate(&self, source: &str, part: Range) -> Range {
        let Kind::Scalar(scalar) = &self.kind else { return self.range };
        let Some(positions) = align(&source[self.range.start..self.range.end], scalar) else { return self.range };
        let at = |byte: usize| positions.get(byte).copied().unwrap_or(positions[positions.len() - 1]);
        let end = if part.end > part.start { at(part.end - 1) + 1 } else { at(part.start) };
        Range::new(at(part.start), end).shifted(self.range.start)
    }
}

impl Scalar {
    /// Whether nothing is written, or one of the words that YAML reads as nothing.
    pub fn is_nothing(&self) -> bool {
        self.style == Style::Plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// Whether it is a number: digits with at most one point, without quotes.
    pub fn is_number(&self) -> bool {
        let digits = self.text.strip_prefix('-').unwrap_or(&self.text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        self.style == Style::Plain && all_digits(whole) && all_digits(fraction)
    }

    /// Whether it is `true` or `false`, without quotes.
    pub fn is_bool(&self) -> bool {
        self.style == Style::Plain && matches!(self.text.as_str(), "true" | "false")
    }
}

/// Read a document. What is wrong is reported; there is a tree where the text could be read to its end.
pub fn parse(source: &str, problems: &Problems) -> Option<Node> {
    if source.len() > SOURCE_BYTES_MAX {
        let message = format!("the file has {} bytes, the most is {SOURCE_BYTES_MAX}", source.len());
        problems.report(Diagnostic::new("too_large", START, message));
        return None;
    }
    if let Some((at, odd)) = source.char_indices().find(|(_, c)| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        let message = format!("the character U+{:04X} cannot stand in a document", odd as u32);
        problems.report(Diagnostic::new("yaml", Range::new(at, at + odd.len_utf8()), message));
        return None;
    }
    let mut builder =
        Builder { source, positions: Positions::new(source), problems, stack: Vec::new(), nodes: 0, root: None };
    for event in Parser::new_from_str(source) {
        match event {
            Ok((Event::DocumentStart(_), span)) if builder.root.is_some() => {
                let range = builder.positions.range(span);
                let found = Diagnostic::new("many_documents", range, "a second document begins here");
                problems.report(found.help("one file holds one document: remove `---`"));
                return builder.root;
            }
            Ok((event, span)) => {
                let range = builder.positions.range(span);
                builder.take(event, range).ok()?;
            }
            Err(error) => {
                scan::report(source, &builder.positions, &error, problems);
                return None;
            }
        }
    }
    if builder.root.is_none() {
        problems.report(Diagnostic::new("empty_document", START, "the document is empty"));
    }
    builder.root
}

/// Reading stopped: the reason has been reported.
struct Stopped;

/// A list or map that is not finished yet.
enum Open {
    List {
        start: usize,
        items: Vec<Node>,
    },
    /// With the place of each name among the entries, so that finding one given twice does not take looking at all.
    Map {
        start: usize,
        entries: Vec<Entry>,
        names: BTreeMap<String, usize>,
        key: Pending,
    },
}

/// What stands before the value that comes next in a map.
enum Pending {
    Nothing,
    Key(Key),
    /// A key that was reported: its value is read and dropped.
    Dropped,
}

struct Builder<'s> {
    source: &'s str,
    positions: Positions,
    problems: &'s Problems,
    stack: Vec<Open>,
    nodes: usize,
    root: Option<Node>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, range: Range) -> Result<(), Stopped> {
        match event {
            Event::Scalar(text, style, _, _) => {
                self.count(range)?;
                let range = self.without_properties(range);
                let scalar = Scalar { text: text.into_owned(), style: style_of(style) };
                self.push(Node { range: self.trimmed(range), kind: Kind::Scalar(scalar) });
            }
            Event::SequenceStart(..) => {
                self.open(range, |start| Open::List { start, items: Vec::new() })?;
            }
            Event::MappingStart(..) => {
                self.open(range, |start| Open::Map {
                    start,
                    entries: Vec::new(),
                    names: BTreeMap::new(),
                    key: Pending::Nothing,
                })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(range),
            Event::Alias(_) => {
                self.count(range)?;
                let found = Diagnostic::new("alias", range, "aliases (`*name`) are not part of the language");
                self.problems.report(found.help("write the value out where it is needed"));
                self.push(Node { range, kind: Kind::Broken });
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn count(&mut self, range: Range) -> Result<(), Stopped> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let message = format!("the document has more than {NODES_MAX} values");
            self.problems.report(Diagnostic::new("too_large", range, message));
            return Err(Stopped);
        }
        Ok(())
    }

    fn open(&mut self, range: Range, frame: impl FnOnce(usize) -> Open) -> Result<(), Stopped> {
        self.count(range)?;
        let start = self.without_properties(range).start;
        self.stack.push(frame(start));
        if self.stack.len() > DEPTH_MAX {
            let message = format!("lists and maps are nested deeper than {DEPTH_MAX}");
            self.problems.report(Diagnostic::new("too_deep", Range::new(start, start + 1), message));
            return Err(Stopped);
        }
        Ok(())
    }

    fn close(&mut self, range: Range) {
        let Some(open) = self.stack.pop() else { return };
        let (start, inner_end, kind) = match open {
            Open::List { start, items } => (start, items.last().map(|item| item.range.end), Kind::List(items)),
            Open::Map { start, entries, .. } => {
                (start, entries.last().map(|entry| entry.value.range.end.max(entry.key.range.end)), Kind::Map(entries))
            }
        };
        // In block style the closing event stands at whatever follows, which may be many lines below.
        let flow = self.source[start..].starts_with(['{', '[']);
        let end = if flow { range.end } else { inner_end.unwrap_or(start) };
        self.push(Node { range: Range::new(start, end.max(start)), kind });
    }

    fn push(&mut self, node: Node) {
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return;
        };
        let (entries, names, key) = match open {
            Open::List { items, .. } => return items.push(node),
            Open::Map { entries, names, key, .. } => (entries, names, key),
        };
        match std::mem::replace(key, Pending::Nothing) {
            Pending::Nothing => {
                let first =
                    |text: &str| names.get(text).map(|place| self.positions.line(entries[*place].key.range.start));
                *key = key_of(node, first, self.problems);
            }
            Pending::Key(name) => {
                names.insert(name.text.clone(), entries.len());
                entries.push(Entry { key: name, value: node });
            }
            Pending::Dropped => {}
        }
    }

    /// Report the anchor and the tag before a value, and give the range of the value itself.
    fn without_properties(&self, range: Range) -> Range {
        let mut start = range.start;
        while let Some(mark @ ('&' | '!')) = self.source[start..].chars().next() {
            let rest = &self.source[start..];
            let length = rest.find([' ', '\n', '\r', '\t', ',']).unwrap_or(rest.len());
            let word = Range::new(start, start + length);
            let found = if mark == '&' {
                let message = format!("anchors (`{}`) are not part of the language", &rest[..length]);
                Diagnostic::new("anchor", word, message).help("write the value out where it is needed")
            } else {
                let message = format!("tags (`{}`) are not part of the language", &rest[..length]);
                Diagnostic::new("tag", word, message)
                    .help("quotes make a text; numbers and true/false are written plain")
            };
            self.problems.report(found);
            start += length + rest[length..].len() - rest[length..].trim_start().len();
        }
        Range::new(start, range.end.max(start))
    }

    fn trimmed(&self, range: Range) -> Range {
        let text = &self.source[range.start..range.end];
        Range::new(range.start, range.start + text.trim_end().len())
    }
}

/// The key that a scalar is, unless it cannot be one. `first` gives the line in which a name stands already.
fn key_of(node: Node, first: impl Fn(&str) -> Option<usize>, problems: &Problems) -> Pending {
    let Kind::Scalar(Scalar { text, .. }) = node.kind else {
        if node.kind != Kind::Broken {
            problems.report(Diagnostic::new("yaml", node.range, "a key is a plain name, not a list or a map"));
        }
        return Pending::Dropped;
    };
    if text == "<<" {
        let found = Diagnostic::new("merge_key", node.range, "merge keys (`<<`) are not part of the language");
        problems.report(found.help("write the fields out where they are needed"));
        return Pending::Dropped;
    }
    if let Some(line) = first(&text) {
        let found = Diagnostic::new("duplicate_key", node.range, format!("`{text}` is given twice"));
        problems.report(found.help(format!("it stands already in line {line}")));
        return Pending::Dropped;
    }
    Pending::Key(Key { text, range: node.range })
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> (Option<Node>, Vec<Diagnostic>) {
        let problems = Problems::new();
        let node = parse(source, &problems);
        (node, problems.into_sorted())
    }

    fn codes(source: &str) -> Vec<(String, String)> {
        let (_, found) = read(source);
        found.into_iter().map(|d| (d.code, source[d.range.start..d.range.end].to_owned())).collect()
    }

    fn entries(node: &Node) -> &[Entry] {
        match &node.kind {
            Kind::Map(entries) => entries,
            other => panic!("not a map: {other:?}"),
        }
    }

    #[test]
    fn every_key_and_value_knows_where_it_stands() {
        let source = "titel: 标题 # note\nsteps:\n  - { id: a, when: 'x == \"ü\"' }\nlast: [1, 2]\n";
        let (node, found) = read(source);
        assert_eq!(found, []);
        let node = node.unwrap();
        let text = |range: Range| &source[range.start..range.end];
        let [title, steps, last] = entries(&node) else { panic!() };
        assert_eq!((text(title.key.range), text(title.value.range)), ("titel", "标题"));
        assert_eq!(text(steps.value.range), "- { id: a, when: 'x == \"ü\"' }");
        assert_eq!(text(last.value.range), "[1, 2]");
        let Kind::List(items) = &steps.value.kind else { panic!() };
        assert_eq!(text(entries(&items[0])[1].value.range), "'x == \"ü\"'");
    }

    #[test]
    fn a_part_of_a_text_is_found_in_the_file() {
        for (source, part) in [
            ("when: case.total > 5", "total"),
            ("when: 'it''s > total'", "total"),
            ("when: \"a > total\"", "total"),
            ("when: |\n  first line &&\n    total\n", "total"),
            ("when: first line\n  && total\n", "total"),
            ("{when: ü > total}", "total"),
        ] {
            let (node, _) = read(source);
            let node = node.unwrap();
            let value = &entries(&node)[0].value;
            let Kind::Scalar(scalar) = &value.kind else { panic!() };
            let at = scalar.text.find(part).unwrap();
            let found = value.locate(source, Range::new(at, at + part.len()));
            assert_eq!(&source[found.start..found.end], part, "in {source:?}");
        }
    }

    #[test]
    fn a_text_with_escapes_is_located_as_a_whole() {
        let source = "when: \"a\\u0020> b\"";
        let (node, _) = read(source);
        let node = node.unwrap();
        let found = entries(&node)[0].value.locate(source, Range::new(4, 5));
        assert_eq!(&source[found.start..found.end], "\"a\\u0020> b\"");
    }

    #[test]
    fn what_the_subset_leaves_out_is_reported_and_reading_goes_on() {
        let source = "a: &x 1\nb: *x\nc: !!str 3\na: 2\n<<: 4\nd: {e: 1, e: 2}\n";
        assert_eq!(
            codes(source),
            [
                ("anchor", "&x"),
                ("alias", "*x"),
                ("tag", "!!str"),
                ("duplicate_key", "a"),
                ("merge_key", "<<"),
                ("duplicate_key", "e")
            ]
            .map(|(code, text)| (code.to_owned(), text.to_owned()))
        );
        assert!(read(source).0.is_some());
    }

    #[test]
    fn every_tab_that_indents_is_reported() {
        assert_eq!(codes("a:\n\tb: 1\n\tc: 2\n").iter().filter(|(code, _)| code == "tab").count(), 2);
    }

    #[test]
    fn a_second_document_and_an_empty_one_are_reported() {
        assert_eq!(codes("a: 1\n---\nb: 2\n"), [("many_documents".to_owned(), "---".to_owned())]);
        assert_eq!(codes("# nothing\n")[0].0, "empty_document");
        assert_eq!(codes("")[0].0, "empty_document");
    }

    #[test]
    fn size_depth_and_number_of_nodes_are_bounded() {
        assert_eq!(codes(&format!("a: {}", "x".repeat(SOURCE_BYTES_MAX)))[0].0, "too_large");
        assert_eq!(codes(&format!("a: {}", "[".repeat(DEPTH_MAX + 1)))[0].0, "too_deep");
        assert_eq!(codes(&format!("a: {}", "[".repeat(200_000)))[0].0, "yaml", "the scanner's own limit comes first");
        assert_eq!(codes(&format!("[{}]", "1,".repeat(NODES_MAX + 1)))[0].0, "too_large");
    }

    #[test]
    fn a_zero_byte_cannot_cut_a_document_short() {
        assert_eq!(codes("a: 1\n\0b: 2\n")[0].0, "yaml");
    }

    #[test]
    fn line_ends_of_windows_and_a_byte_order_mark_do_not_move_anything() {
        let source = "\u{feff}a: 1\r\nb: two\r\n";
        let (node, found) = read(source);
        assert_eq!(found, []);
        let node = node.unwrap();
        let value = &entries(&node)[1].value;
        assert_eq!(&source[value.range.start..value.range.end], "two");
    }
}
