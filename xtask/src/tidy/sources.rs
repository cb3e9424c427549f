//! Where dependencies come from: the public registry and nowhere else.

use super::{Files, Problem};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Settings that send cargo to another registry, and the marks of the usual mirrors.
const MIRROR_SETTINGS: &[&str] = &["[source.", "[registries.", "replace-with", "index ="];
const MIRROR_HOSTS: &[&str] =
    &[concat!("arti", "factory"), concat!("jf", "rog"), concat!("rs", "proxy.cn"), concat!("index-", "url")];

/// Every package of a lock file that is neither ours nor from crates.io.
pub(super) fn lock_files(files: &Files) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files.0.iter().filter(|file| file.path == "Cargo.lock" || file.path.ends_with("/Cargo.lock")) {
        for (line, text) in file.lines() {
            let source = text.strip_prefix("source = \"").and_then(|rest| rest.strip_suffix('"'));
            if let Some(source) = source.filter(|source| *source != CRATES_IO) {
                problems.push(Problem::at(&file.path, line, format!("locked to {source}, not to crates.io")));
            }
        }
    }
    problems
}

/// Every mention of a machine's own registry mirror.
pub(super) fn mirrors(files: &Files) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &files.0 {
        let is_cargo_config = file.path.contains(".cargo/") || file.path.ends_with("Cargo.toml");
        for (line, text) in file.lines() {
            let host = MIRROR_HOSTS.iter().find(|host| text.contains(*host));
            let setting = MIRROR_SETTINGS.iter().find(|setting| is_cargo_config && text.starts_with(*setting));
            if let Some(mark) = host.or(setting) {
                problems.push(Problem::at(
                    &file.path,
                    line,
                    format!("`{mark}` belongs to one machine's registry mirror"),
                ));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_from_elsewhere_is_found() {
        let lock = format!(
            "[[package]]\nname = \"a\"\nsource = \"{CRATES_IO}\"\n\n[[package]]\nname = \"b\"\nsource = \"git+https://example.org/b\"\n"
        );
        let found =
            lock_files(&Files::of(&[("Cargo.lock", &lock), ("plugins/Cargo.lock", &lock), ("notes.md", &lock)]));
        assert_eq!(
            found.iter().map(|p| (p.path.as_str(), p.line)).collect::<Vec<_>>(),
            [("Cargo.lock", Some(7)), ("plugins/Cargo.lock", Some(7))]
        );
    }

    #[test]
    fn a_mirror_is_found_by_its_setting_or_its_host() {
        let config = "[alias]\nxtask = \"run\"\n[source.crates-io]\nreplace-with = \"mirror\"\n";
        let script = format!("curl https://example.org/{}/api\n", MIRROR_HOSTS[0]);
        let found =
            mirrors(&Files::of(&[(".cargo/config.toml", config), (".ci/run", &script), ("a.rs", "replace-with")]));
        assert_eq!(found.iter().map(|p| p.line).collect::<Vec<_>>(), [Some(3), Some(4), Some(1)]);
    }
}
