//! What the scanner stumbles over, in words of the trade.

use saphyr_parser::ScanError;

use super::place::Positions;
use crate::workflow::diagnostic::{Diagnostic, Range};
use crate::workflow::problems::Problems;

/// Say what the scanner stumbled over in words of the trade.
pub(super) fn report(source: &str, positions: &Positions, error: &ScanError, problems: &Problems) {
    let at = positions.byte(error.marker().index());
    let info = error.info();
    if info.contains("tab") && report_tabs(source, problems) {
        return;
    }
    let place = Range::new(at, at);
    let quote = "put the text between quotes, as in 'a: b'";
    let found = if info.contains("mapping values are not allowed") {
        Diagnostic::new("yaml", place, "a `:` followed by a space cannot stand in a text without quotes").help(quote)
    } else if info.contains("unknown anchor") {
        let found = Diagnostic::new("alias", place, "aliases (`*name`) are not part of the language");
        found.help("an expression or pattern that begins with `*` stands between quotes")
    } else if info.contains("expected ',' or") {
        Diagnostic::new("yaml", place, "a `,` or the closing bracket is missing here")
            .help("between `{ }` and `[ ]` a text with `,` `:` `{` or `[` stands between quotes")
    } else if info.contains("only valid inside a block") {
        Diagnostic::new("yaml", place, "a list item cannot begin here").help("is a `}` or `]` above not closed?")
    } else if info.contains("simple key") || info.contains("expected key") || info.contains("expected ':'") {
        let found = Diagnostic::new("yaml", place, "expected a field, as `name: value`");
        found.help("check the indentation and the line above: is a `:` missing, a quote not closed?")
    } else {
        Diagnostic::new("yaml", place, info.to_lowercase())
    };
    problems.report(found);
}

/// Every line that is indented with a tab; false where there is none.
fn report_tabs(source: &str, problems: &Problems) -> bool {
    let mut start = 0;
    let mut any = false;
    for line in source.split_inclusive('\n') {
        let indentation = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        if let Some(tab) = indentation.find('\t') {
            any = true;
            let found = Diagnostic::new("tab", Range::new(start + tab, start + tab + 1), "a tab cannot indent a line");
            problems.report(found.help("indent with spaces"));
        }
        start += line.len();
    }
    any
}
