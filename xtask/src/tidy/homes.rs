//! Calls that have one home: the only writer of a tenant's file, the only reader of the clock.

use super::{Files, Problem};

/// What is called, where alone, and why. Written in two halves so that this file is no stranger itself.
const HOMES: &[(&str, &str, &str)] = &[
    (concat!("begin", "_write("), "host/store/src/append.rs", "one place writes, so that one place keeps the promises"),
    (concat!("Utc::", "now"), "host/server/src/clock.rs", "time is an argument"),
    (concat!("SystemTime::", "now"), "host/server/src/clock.rs", "time is an argument"),
];

/// Every call outside its home; comments may speak of it, and tests may do by hand what the product must not.
pub(super) fn check(files: &Files) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files.rust().filter(|file| !file.path.contains("/src/tests/")) {
        for (line, text) in file.lines().filter(|(_, text)| !text.trim_start().starts_with("//")) {
            for (call, _, why) in HOMES.iter().filter(|(call, home, _)| file.path != *home && text.contains(call)) {
                problems.push(Problem::at(&file.path, line, format!("{call} is not called here: {why}")));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_outside_its_home_is_found_and_one_at_home_or_in_a_comment_is_not() {
        let (write, now) = (HOMES[0].0, HOMES[1].0);
        let stray = format!("//! Reads.\n// {now} is banned\nlet at = {now}();\n");
        let home = format!("db.{write})?;");
        let files = Files::of(&[
            ("host/store/src/append.rs", &home),
            ("host/store/src/read.rs", &home),
            ("host/store/src/tests/damage.rs", &home),
            ("host/server/src/engine/turn.rs", &stray),
        ]);
        let found: Vec<_> = check(&files).into_iter().map(|problem| (problem.path, problem.line)).collect();
        assert_eq!(
            found,
            [("host/store/src/read.rs".to_owned(), Some(1)), ("host/server/src/engine/turn.rs".to_owned(), Some(3))]
        );
    }
}
