//! What plugins write for their merchant's eyes: bounded, and harmless on a terminal.
//!
//! Log lines are never part of a decision. What is over the limits is dropped and counted, not an error, so that a
//! talkative plugin still decides; the flood itself costs fuel.

use serde::{Deserialize, Serialize};

use crate::contract::Level;
use crate::limits::Limits;

/// One line that a plugin wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How loud.
    pub level: Level,
    /// The text, cut to the limit, without control characters.
    pub text: String,
}

/// The log of one call while it runs.
#[derive(Debug, Default)]
pub(crate) struct Log {
    lines: Vec<LogLine>,
    bytes: usize,
    dropped: u64,
}

impl Log {
    /// Keeps the line as far as the limits allow.
    pub(crate) fn push(&mut self, limits: &Limits, level: Level, text: &str) {
        let room = limits.log_bytes_max.saturating_sub(self.bytes).min(limits.log_line_bytes_max);
        if self.lines.len() >= limits.log_lines_max || room == 0 {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        let text = cleaned(text, room);
        self.bytes = self.bytes.saturating_add(text.len());
        self.lines.push(LogLine { level, text });
    }

    /// The lines kept, and how many were dropped.
    pub(crate) fn finish(self) -> (Vec<LogLine>, u64) {
        (self.lines, self.dropped)
    }
}

/// The text in at most `bytes_max` bytes. Line breaks and tabs become spaces, so that nothing can pass for another
/// line; other control characters, and those that turn the writing direction, go.
pub(crate) fn cleaned(text: &str, bytes_max: usize) -> String {
    let mut clean = String::new();
    for c in text.chars() {
        let c = match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => continue,
            c if c.is_control() => continue,
            c => c,
        };
        if clean.len() + c.len_utf8() > bytes_max {
            break;
        }
        clean.push(c);
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::{Log, cleaned};
    use crate::contract::Level;
    use crate::limits::Limits;

    #[test]
    fn control_characters_and_line_breaks_cannot_forge_a_line() {
        assert_eq!(cleaned("a\u{1b}[31mb\nERROR c\r\u{202e}d\u{0}", 100), "a[31mb ERROR c d");
    }

    #[test]
    fn a_line_is_cut_between_characters() {
        assert_eq!(cleaned("退货退货", 7), "退货");
    }

    #[test]
    fn lines_over_the_limit_are_counted_and_dropped() {
        let limits = Limits { log_lines_max: 2, log_bytes_max: 3, ..Limits::default() };
        let mut log = Log::default();
        for _ in 0..4 {
            log.push(&limits, Level::Info, "xx");
        }
        let (lines, dropped) = log.finish();
        assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["xx", "x"]);
        assert_eq!(dropped, 2);
    }
}
