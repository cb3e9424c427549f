//! What is written beside the code: a first line in every file, the changelog, the decisions.

use super::{Files, Problem};

const CHANGELOG: &str = "CHANGELOG.md";
const DECISIONS: &str = "docs/decisions/";

/// Every Rust file says in its first line what it is.
pub(super) fn file_docs(files: &Files) -> Vec<Problem> {
    let silent = files.rust().filter(|file| !file.text.starts_with("//! "));
    silent.map(|file| Problem::at(&file.path, 1, "must open with a `//! ` line that says what it is")).collect()
}

/// The changelog is there and has a place for what is not released yet.
pub(super) fn changelog(files: &Files) -> Vec<Problem> {
    let Some(file) = files.get(CHANGELOG) else { return vec![Problem::of_file(CHANGELOG, "is missing")] };
    if file.lines().any(|(_, line)| line.trim_end() == "## Unreleased") {
        return Vec::new();
    }
    vec![Problem::of_file(CHANGELOG, "has no section `## Unreleased`")]
}

/// Decisions are `NNNN-title.md`, numbered from 0001, none twice and none missing.
pub(super) fn decisions(files: &Files) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut numbered = Vec::new();
    for file in files.0.iter().filter(|file| file.path.starts_with(DECISIONS)) {
        match number(&file.path[DECISIONS.len()..]) {
            Some(number) => numbered.push((number, &file.path)),
            None => problems.push(Problem::of_file(&file.path, "is not named `NNNN-title.md`")),
        }
    }
    numbered.sort();
    let expected = (1..).zip(&numbered);
    let wrong = expected.filter(|(expected, (number, _))| expected != number);
    problems.extend(
        wrong.take(1).map(|(expected, (_, path))| Problem::of_file(path, format!("number {expected:04} comes next"))),
    );
    problems
}

fn number(name: &str) -> Option<u32> {
    let (digits, title) = name.split_once('-')?;
    let slug = title.strip_suffix(".md")?;
    let is_slug = !slug.is_empty() && slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if digits.len() == 4 && is_slug { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_say_what_it_is_is_found() {
        let files = Files::of(&[
            ("a.rs", "//! What it is.\n"),
            ("b.rs", "use std::fmt;\n//! Late.\n"),
            ("c.rs", ""),
            ("d.md", ""),
        ]);
        assert_eq!(file_docs(&files).iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), ["b.rs", "c.rs"]);
    }

    #[test]
    fn a_changelog_without_a_place_for_the_next_change_is_found() {
        assert_eq!(changelog(&Files::of(&[])).len(), 1);
        assert_eq!(changelog(&Files::of(&[("CHANGELOG.md", "# Changes\n\n## 0.1.0\n")])).len(), 1);
        assert_eq!(changelog(&Files::of(&[("CHANGELOG.md", "# Changes\n\n## Unreleased\n")])), []);
    }

    #[test]
    fn a_gap_a_double_and_a_strange_name_among_decisions_are_found() {
        let of = |names: &[&str]| {
            let paths: Vec<String> = names.iter().map(|name| format!("{DECISIONS}{name}")).collect();
            let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
            decisions(&Files::of(&files)).len()
        };
        assert_eq!(of(&["0001-a.md", "0002-b.md"]), 0);
        assert_eq!(of(&["0001-a.md", "0003-c.md", "0004-d.md"]), 1);
        assert_eq!(of(&["0001-a.md", "0001-b.md"]), 1);
        assert_eq!(of(&["0001-a.md", "notes.md"]), 1);
    }
}
