//! Problems of a document as data for editors and the API: places as lines and UTF-16 columns from 0, as the Language Server
//! Protocol counts them.

use redress_domain::workflow::diagnostic::{Diagnostic, Range, Severity};

/// A problem with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The stable code.
    pub code: String,
    /// How much it weighs.
    pub severity: Severity,
    /// The path in the document; empty for the document itself.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
    /// The first place.
    pub start: Place,
    /// One past the last place.
    pub end: Place,
}

/// A place in a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 0.
    pub line: u32,
    /// The column in UTF-16 units, from 0.
    pub character: u32,
}

/// The problems of a text, each with its place.
pub fn ranges(source: &str, problems: &[Diagnostic]) -> Vec<Located> {
    problems.iter().map(|problem| located(source, problem)).collect()
}

fn located(source: &str, problem: &Diagnostic) -> Located {
    let Range { start, end } = problem.range;
    Located {
        code: problem.code.clone(),
        severity: problem.severity,
        path: problem.path.clone(),
        message: problem.message.clone(),
        help: problem.help.clone(),
        start: place(source, start),
        end: place(source, end.max(start)),
    }
}

/// The place of a byte; inside a character it is the character's, behind the end the end's.
fn place(source: &str, byte: usize) -> Place {
    let mut at = byte.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    let before = &source[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Place { line: count(before.matches('\n').count()), character: count(before[line_start..].encode_utf16().count()) }
}

#[cfg(test)]
mod tests {
    use redress_domain::workflow::load::{self, Environment};

    use super::*;

    fn at(line: u32, character: u32) -> Place {
        Place { line, character }
    }

    #[test]
    fn chinese_counts_one_unit_and_an_emoji_two() {
        // 退货 is two units, the parcel two, the blank between them one.
        let source = "a\n退货 📦x\n";
        let wrong = source.find('x').unwrap();
        let problem = Diagnostic::new("odd", Range::new(wrong, wrong + 1), "x is odd");
        let [found] = &ranges(source, &[problem])[..] else { panic!() };
        assert_eq!((found.start, found.end), (at(1, 5), at(1, 6)));
    }

    #[test]
    fn a_problem_of_a_real_document_stands_where_an_editor_underlines_it() {
        let source = "format: 1\nworkflow: returns\nlimits: { '退货 📦': 1, colour: 2 }\n";
        let problems = load::load(source, &Environment::default()).unwrap_err();
        let found = ranges(source, &problems);
        let [colour] = &found.iter().filter(|one| one.message.contains("colour")).collect::<Vec<_>>()[..] else {
            panic!("{found:?}")
        };
        assert_eq!((colour.start, colour.end), (at(2, 22), at(2, 28)), "{colour:?}");
    }

    #[test]
    fn a_range_over_lines_and_one_behind_the_end_have_places() {
        let source = "one\r\ntwo\n退";
        let places = |start, end| {
            let found = ranges(source, &[Diagnostic::new("odd", Range::new(start, end), "")]).remove(0);
            (found.start, found.end)
        };
        assert_eq!(places(1, 7), (at(0, 1), at(1, 2)));
        // Inside the last character, and far behind it.
        assert_eq!(places(10, 99), (at(2, 0), at(2, 1)));
    }
}
