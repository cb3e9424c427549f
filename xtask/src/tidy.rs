//! `cargo xtask tidy`: what the compiler and clippy cannot see. One small check per rule; all problems are shown at once.

mod homes;
mod layers;
mod papers;
mod sizes;
mod sources;
mod walls;
mod words;

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::metadata::Workspace;

/// Run every check; an error if any rule is broken.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let files = Files::load(root)?;
    let workspace = Workspace::load(root)?;
    let mut problems = walls::check(&workspace.graph);
    problems.extend(CHECKS.iter().flat_map(|check| check(&files)));
    for problem in &problems {
        println!("{problem}");
    }
    if !problems.is_empty() {
        bail!("{} rules are broken", problems.len());
    }
    println!("tidy: {} files keep the rules", files.0.len());
    Ok(())
}

/// The checks that read files; [`walls`] reads the package graph.
const CHECKS: &[fn(&Files) -> Vec<Problem>] = &[
    papers::file_docs,
    papers::changelog,
    papers::decisions,
    sizes::files,
    sizes::functions,
    homes::check,
    layers::check,
    words::unfinished,
    words::machine_paths,
    sources::lock_files,
    sources::mirrors,
];

/// One broken rule at one place.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    path: String,
    line: Option<usize>,
    what: String,
}

impl Problem {
    fn of_file(path: &str, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, what: what.into() }
    }

    /// Lines are counted from 1.
    fn at(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: Some(line), what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.what),
            None => write!(f, "{}: {}", self.path, self.what),
        }
    }
}

/// A text file of the repository.
struct File {
    /// From the repository's folder, with `/`.
    path: String,
    text: String,
}

impl File {
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// The text files that belong to the repository: tracked, or new and not ignored.
struct Files(Vec<File>);

impl Files {
    fn load(root: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new("git");
        command.current_dir(root).args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
        let listed = match command.output() {
            Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
                .split('\0')
                .filter(|path| !path.is_empty())
                .map(str::to_owned)
                .collect(),
            // An unpacked archive, perhaps inside another checkout: everything but what builds leave.
            _ => walk(root, root)?,
        };
        let texts = listed.into_iter().filter_map(|path| {
            // Deleted but not yet committed, or no text: neither can break a rule about text.
            let text = String::from_utf8(std::fs::read(root.join(&path)).ok()?).ok()?;
            Some(File { path, text })
        });
        Ok(Self(texts.collect()))
    }

    /// All Rust files: all are our own code.
    fn rust(&self) -> impl Iterator<Item = &File> {
        self.0.iter().filter(|file| file.path.ends_with(".rs"))
    }

    fn get(&self, path: &str) -> Option<&File> {
        self.0.iter().find(|file| file.path == path)
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() }).collect())
    }
}

fn walk(root: &Path, folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut paths = Vec::new();
    let entries = folder.read_dir().with_context(|| format!("could not list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if name != "target" && name != ".git" {
                paths.extend(walk(root, &path)?);
            }
        } else {
            let relative = path.strip_prefix(root).context("a walk stays inside its root")?;
            paths.push(
                relative.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"),
            );
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_git_is_walked_and_build_output_left_out() {
        let root = tempfile::tempdir().unwrap();
        for path in ["src/lib.rs", "target/debug/made.rs", "README.md"] {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        assert_eq!(walk(root.path(), root.path()).unwrap(), ["README.md", "src/lib.rs"]);
    }

    #[test]
    fn a_problem_reads_like_a_compiler_message() {
        assert_eq!(Problem::at("a/b.rs", 7, "too long").to_string(), "a/b.rs:7: too long");
        assert_eq!(Problem::of_file("a/b.rs", "no docs").to_string(), "a/b.rs: no docs");
    }
}
