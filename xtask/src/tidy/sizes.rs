//! Files and functions that fit a reader. Known exceptions among functions stand in a file that only ever shrinks.

use std::collections::BTreeMap;

use super::{File, Files, Problem};

/// Lines of a file before its tests: the house aims for 400, and this is where it stops.
const FILE_LINES_MAX: usize = 500;
/// Lines of a function: what fits on a screen.
const FUNCTION_LINES_MAX: usize = 70;
/// `path function lines`, one a row: functions that may stay as long as they are, never longer.
const RATCHET: &str = "xtask/long-functions.txt";

/// Every file that is too long.
pub(super) fn files(files: &Files) -> Vec<Problem> {
    let long = files.rust().map(|file| (file, code(file).len())).filter(|(_, lines)| *lines > FILE_LINES_MAX);
    long.map(|(file, lines)| {
        Problem::of_file(&file.path, format!("{lines} lines before its tests, {FILE_LINES_MAX} is the limit"))
    })
    .collect()
}

/// Every function that is too long and not excused, and every excuse that is no longer needed.
pub(super) fn functions(files: &Files) -> Vec<Problem> {
    let Some(ratchet) = files.get(RATCHET) else { return vec![Problem::of_file(RATCHET, "is missing")] };
    let mut problems = Vec::new();
    let mut excused = BTreeMap::new();
    for (row, text) in ratchet.lines().filter(|(_, text)| !text.is_empty() && !text.starts_with('#')) {
        match text.split(' ').collect::<Vec<_>>()[..] {
            [path, name, lines] if lines.parse::<usize>().is_ok() => {
                excused.insert((path, name), (row, lines.parse().unwrap_or(0)));
            }
            _ => problems.push(Problem::at(RATCHET, row, "is not `path function lines`")),
        }
    }
    for (file, function) in files.rust().flat_map(|file| long_functions(file).into_iter().map(move |long| (file, long)))
    {
        let limit = excused.remove(&(file.path.as_str(), function.name)).map_or(FUNCTION_LINES_MAX, |(_, lines)| lines);
        if function.lines > limit {
            let what = format!("`{}` has {} lines, {limit} is the limit", function.name, function.lines);
            problems.push(Problem::at(&file.path, function.line, what));
        }
    }
    let needless = excused.into_iter().map(|((path, name), (row, _))| {
        Problem::at(RATCHET, row, format!("`{name}` of {path} needs no excuse any more"))
    });
    problems.extend(needless);
    problems
}

struct Function<'a> {
    name: &'a str,
    line: usize,
    lines: usize,
}

fn long_functions(file: &File) -> Vec<Function<'_>> {
    let code = code(file);
    let starts = code.iter().enumerate().filter_map(|(at, line)| Some((at, function_name(line)?)));
    let functions = starts.map(|(at, name)| Function { name, line: at + 1, lines: length(&code[at..]) });
    functions.filter(|function| function.lines > FUNCTION_LINES_MAX).collect()
}

/// The lines before the tests at the end of the file.
fn code(file: &File) -> Vec<&str> {
    let lines: Vec<&str> = file.text.lines().collect();
    let is_tests = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
    let end = lines.windows(2).position(is_tests).unwrap_or(lines.len());
    lines[..end].to_vec()
}

fn function_name(line: &str) -> Option<&str> {
    let mut words = line.trim_start().split(' ');
    let before = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern", "\"C\""];
    let keyword = words.find(|word| !before.contains(word))?;
    let name = words.next().filter(|_| keyword == "fn")?;
    name.split(['(', '<']).next()
}

/// From a function's first line to the line that closes it: formatted code closes at the indent where it opened.
fn length(code: &[&str]) -> usize {
    let indent = code[0].len() - code[0].trim_start().len();
    let closes = |line: &&str| {
        let text = line.trim_start();
        line.len() - text.len() == indent && (text.starts_with('}') || text.ends_with(';'))
    };
    if code[0].ends_with(['}', ';']) {
        return 1;
    }
    code.iter().skip(1).position(closes).map_or(code.len(), |at| at + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, lines: usize) -> String {
        format!("    pub(crate) async fn {name}<T>(\n{}    }}\n", "        x();\n".repeat(lines - 2))
    }

    fn told(ratchet: &str, code: &str) -> Vec<String> {
        functions(&Files::of(&[(RATCHET, ratchet), ("a.rs", code)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_is_measured_without_its_tests() {
        let (code, tests) = ("x\n".repeat(FILE_LINES_MAX), "#[cfg(test)]\nmod tests {\n}\n");
        assert_eq!(files(&Files::of(&[("a.rs", &format!("{code}{tests}"))])), []);
        assert_eq!(files(&Files::of(&[("a.rs", &format!("{code}x\n{tests}"))])).len(), 1);
        let helper = format!("#[cfg(test)]\nmod tests;\n{code}");
        assert_eq!(files(&Files::of(&[("a.rs", &helper)])).len(), 1);
    }

    #[test]
    fn a_function_is_measured_from_its_name_to_its_brace() {
        assert_eq!(told("", &function("fits", 70)), [""; 0]);
        assert_eq!(told("", &format!("\n{}", function("long", 71))), ["a.rs:2: `long` has 71 lines, 70 is the limit"]);
    }

    #[test]
    fn a_declaration_and_a_one_liner_do_not_reach_into_what_follows() {
        let code = format!(
            "    fn declared();\n    fn short() {{}}\n    fn over(\n        a: u8,\n    );\n{}",
            "x\n".repeat(90)
        );
        assert_eq!(told("", &code), [""; 0]);
    }

    #[test]
    fn an_excuse_holds_for_what_it_names_and_only_while_it_is_needed() {
        let excuse = "# known\na.rs long 80\n";
        assert_eq!(told(excuse, &function("long", 80)), [""; 0]);
        assert_eq!(told(excuse, &function("long", 81)), ["a.rs:1: `long` has 81 lines, 80 is the limit"]);
        assert_eq!(
            told(excuse, &function("long", 70)),
            ["xtask/long-functions.txt:2: `long` of a.rs needs no excuse any more"]
        );
        assert_eq!(told("a.rs long\n", ""), ["xtask/long-functions.txt:1: is not `path function lines`"]);
    }
}
