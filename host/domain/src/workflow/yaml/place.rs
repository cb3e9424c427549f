//! Where things stand: from what the scanner counts, and from what a scalar says, to bytes of the file.

use crate::workflow::diagnostic::Range;
use crate::workflow::yaml::{Scalar, Style};

/// For every byte of a scalar's text where it stands in the written form; none where an escape makes the two differ.
pub(super) fn align(written: &str, scalar: &Scalar) -> Option<Vec<usize>> {
    let bytes = written.as_bytes();
    let mut at = match scalar.style {
        Style::Plain => 0,
        Style::Quoted => 1,
        Style::Literal | Style::Folded if written.starts_with(['|', '>']) => written.find('\n')? + 1,
        Style::Literal | Style::Folded => 0,
    };
    let single = scalar.style == Style::Quoted && bytes.first() == Some(&b'\'');
    let skip_blank = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        at
    };
    let mut positions = Vec::with_capacity(scalar.text.len() + 1);
    for &byte in scalar.text.as_bytes() {
        if bytes.get(at) != Some(&byte) {
            let next = skip_blank(at);
            if byte.is_ascii_whitespace() {
                // A fold: one space or line break of the text stands for the blanks of the written form.
                positions.push(at.min(bytes.len()));
                at = next;
                continue;
            }
            at = next;
        }
        if bytes.get(at) != Some(&byte) {
            return None;
        }
        positions.push(at);
        at += if single && byte == b'\'' { 2 } else { 1 };
    }
    positions.push(at.min(bytes.len()));
    Some(positions)
}

/// The scanner counts characters; our ranges count bytes.
pub(super) struct Positions {
    /// The byte of every character; none for a text of ASCII, where both are the same.
    bytes: Option<Vec<usize>>,
    length: usize,
    /// The first byte of every line behind the first.
    lines: Vec<usize>,
}

impl Positions {
    pub(super) fn new(source: &str) -> Self {
        let bytes = (!source.is_ascii()).then(|| source.char_indices().map(|(byte, _)| byte).collect());
        let lines = source.match_indices('\n').map(|(newline, _)| newline + 1).collect();
        Self { bytes, length: source.len(), lines }
    }

    pub(super) fn byte(&self, index: usize) -> usize {
        match &self.bytes {
            Some(bytes) => bytes.get(index).copied().unwrap_or(self.length),
            None => index.min(self.length),
        }
    }

    /// The line that a byte stands in, counted from 1.
    pub(super) fn line(&self, byte: usize) -> usize {
        1 + self.lines.partition_point(|start| *start <= byte)
    }

    pub(super) fn range(&self, span: saphyr_parser::Span) -> Range {
        let start = self.byte(span.start.index());
        Range::new(start, self.byte(span.end.index()).max(start))
    }
}
