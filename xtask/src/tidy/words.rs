//! Words that have no place in what is handed in: unfinished work, paths of one machine.

use super::{Files, Problem};

/// Written in two halves so that this file does not break its own rule.
const UNFINISHED: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!"), concat!("unimplemented", "!")];

/// Where people and build machines keep their checkouts and their own things.
const MACHINE: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/work", "space/"),
    concat!("C:\\Us", "ers\\"),
];

/// Every word that says that something is unfinished, in code and prose alike.
pub(super) fn unfinished(files: &Files) -> Vec<Problem> {
    find(files, UNFINISHED, |word| format!("`{word}`: finish it, or say in an issue what is left"))
}

/// Every path that exists on one machine only.
pub(super) fn machine_paths(files: &Files) -> Vec<Problem> {
    find(files, MACHINE, |path| format!("`{path}` is a path of one machine"))
}

fn find(files: &Files, words: &[&str], what: impl Fn(&str) -> String) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &files.0 {
        for (line, text) in file.lines() {
            let found = words.iter().filter(|word| stands_alone(text, word));
            problems.extend(found.map(|word| Problem::at(&file.path, line, what(word))));
        }
    }
    problems
}

/// Whether the word occurs and is not the tail of a longer one; a word of letters is not the head of one either.
fn stands_alone(text: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
    let open_ended = !word.ends_with(char::is_alphanumeric);
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(is_part);
        let after = text[at + word.len()..].chars().next().is_some_and(is_part);
        !before && (open_ended || !after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(check: fn(&Files) -> Vec<Problem>, text: &str) -> Vec<usize> {
        check(&Files::of(&[("a.md", text)])).into_iter().filter_map(|problem| problem.line).collect()
    }

    #[test]
    fn unfinished_work_is_found_in_any_file() {
        let text = UNFINISHED.iter().map(|word| format!("// {word} (later)\n")).collect::<String>();
        assert_eq!(lines(unfinished, &text), [1, 2, 3, 4]);
        let longer = format!("a{}s and {}S and todo = \"warn\"\n", UNFINISHED[0], UNFINISHED[1]);
        assert_eq!(lines(unfinished, &longer), [0; 0]);
    }

    #[test]
    fn a_path_of_one_machine_is_found_and_a_path_of_the_repository_is_not() {
        let text = MACHINE.iter().map(|path| format!("see ({path}x)\n")).collect::<String>();
        assert_eq!(lines(machine_paths, &text), [1, 2, 3, 4, 5, 6]);
        assert_eq!(
            lines(machine_paths, "a/home/b, ../work/c, host/store/work/d, https://example.org/workflows/"),
            [0; 0]
        );
    }
}
