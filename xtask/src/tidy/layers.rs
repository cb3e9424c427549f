//! The module order inside the server: `cli > serve > http, import, backtest, replay > publish > trial > outbox > engine`. A lower layer never
//! names a higher one.

use super::{File, Files, Problem};

const SERVER: &str = "host/server/src/";

/// Layers from the bottom; a layer may use those below it. What is not named here (configuration, clock) is for all.
const LAYERS: &[&[&str]] = &[
    &["engine"],
    &["outbox"],
    &["trial"],
    &["publish"],
    &["http", "import", "backtest", "replay"],
    &["serve"],
    &["cli"],
];

/// Every upward use.
pub(super) fn check(files: &Files) -> Vec<Problem> {
    files
        .rust()
        .filter_map(|file| Some((file, own_layer(&file.path)?)))
        .flat_map(|(file, own)| upward(file, own))
        .collect()
}

fn own_layer(path: &str) -> Option<usize> {
    let module = path.strip_prefix(SERVER)?.split(['/', '.']).next()?;
    layer(module)
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

fn upward(file: &File, own: usize) -> Vec<Problem> {
    let is_upward = |module: &str| layer(module).is_some_and(|other| other > own);
    let mut problems = Vec::new();
    for (at, _) in file.text.match_indices("crate::") {
        let line = 1 + file.text[..at].matches('\n').count();
        let start = file.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        if file.text[start..at].trim_start().starts_with("//") {
            continue;
        }
        for module in named(&file.text[at + "crate::".len()..]).into_iter().filter(|module| is_upward(module)) {
            problems.push(Problem::at(
                &file.path,
                line,
                format!("a lower layer uses `crate::{module}`: hand in a command instead"),
            ));
        }
    }
    problems
}

/// The modules that a path after `crate::` begins with: one, or those of a braced list.
fn named(rest: &str) -> Vec<&str> {
    let Some(list) = rest.strip_prefix('{') else { return vec![first_name(rest)] };
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, letter) in list.char_indices() {
        match letter {
            ',' if depth == 0 => {
                names.push(first_name(list[start..at].trim_start()));
                start = at + 1;
            }
            '}' if depth == 0 => {
                names.push(first_name(list[start..at].trim_start()));
                break;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    names
}

fn first_name(path: &str) -> &str {
    let end = path.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(path.len());
    &path[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> Vec<String> {
        check(&Files::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_engine_does_not_know_who_calls_it() {
        let told = told(
            "host/server/src/engine/turn.rs",
            "use std::fmt;\n\nuse crate::import::Row;\nuse crate::clock::now;\n",
        );
        assert_eq!(told.len(), 1);
        assert!(
            told[0].starts_with("host/server/src/engine/turn.rs:3: a lower layer uses `crate::import`"),
            "{told:?}"
        );
    }

    #[test]
    fn a_braced_list_is_read_to_its_end_and_not_beyond() {
        let text = "use crate::{\n    clock::{Clock, cli},\n    cli::exit,\n    http,\n};\nlet x = {publish};\n";
        assert_eq!(told("host/server/src/publish.rs", text).len(), 2);
    }

    #[test]
    fn downward_uses_comments_and_modules_for_all_are_fine() {
        assert_eq!(told("host/server/src/cli/case.rs", "use crate::engine::Engine;"), [""; 0]);
        assert_eq!(told("host/server/src/engine.rs", "//! Called by `crate::cli`.\nuse crate::config;"), [""; 0]);
        assert_eq!(told("host/store/src/engine.rs", "use crate::cli;"), [""; 0]);
    }
}
