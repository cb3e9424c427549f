//! `redress plugin new`: a folder that builds, with a rule to change, a test and a case.

use std::fs;
use std::path::{Path, PathBuf};

use redress_domain::ids::Slug;
use redress_sandbox::Hook;
use serde_json::json;

use super::kit::{self, HookName, Lang};
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress plugin new restocking-fee --hook refund --lang rust
  redress plugin new two-at-most --hook eligibility --lang js
  redress plugin new days-over --hook step --lang python
  redress plugin new recall --hook compliance --lang c
";

/// Where the lock file of the stock plugins stands in the kit: the versions that are known to build.
const LOCK: &str = "templates/rust/Cargo.lock";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The folder to write; its name is the plugin's: words of lower case letters and digits with a hyphen between them, a letter first.
    #[arg(value_name = "NAME", value_parser = named)]
    folder: PathBuf,
    /// The question that it answers.
    #[arg(long, value_enum)]
    hook: HookName,
    /// What it is written in. Rust and C plugins are kilobytes and take microseconds; JavaScript and Python are megabytes and take
    /// milliseconds.
    #[arg(long, value_enum, default_value_t = Lang::Rust)]
    lang: Lang,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let hook = args.hook.hook();
    let (folder, name) = (&args.folder, name_of(&args.folder));
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        let help = "nothing was written; choose another name, or move away what is there";
        return Err(Error::Taken { path: folder.clone(), help });
    }
    let files = files(name, hook, args.lang);
    for (path, text) in &files {
        write(&folder.join(path), text)?;
    }
    let written: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    if at.format() == Format::Json {
        return out
            .json(&json!({ "folder": folder.display().to_string(), "name": name, "hook": hook, "files": written }));
    }
    for path in written.iter().filter(|path| !path.starts_with("sdk/")) {
        out.data(&format!("{}/{path}\n", folder.display()))?;
    }
    out.say(&format!(
        "next: cd {} && redress plugin build && redress plugin check build/{name}.wasm --cases cases",
        folder.display()
    ));
    Ok(())
}

/// The plugin's name is that of its folder, as workflows will call it.
fn named(text: &str) -> Result<PathBuf, String> {
    let folder = PathBuf::from(text);
    let name = name_of(&folder);
    // As the manifest wants it, and as workflows do.
    let is_name = Slug::new(name).is_ok() && !name.contains('_') && name.split('-').all(|word| !word.is_empty());
    if is_name {
        Ok(folder)
    } else {
        let expected = "a plugin's name is words of lower case letters and digits with a hyphen between them, a letter first: restocking-fee";
        Err(expected.to_owned())
    }
}

fn name_of(folder: &Path) -> &str {
    folder.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, text)).map_err(Error::Write)
}

/// Every file of a new project: where it goes, and its text.
fn files(name: &str, hook: Hook, lang: Lang) -> Vec<(String, String)> {
    let fill = |text: &str| kit::fill(text, name, hook);
    let template = |path: &str| kit::text(&format!("templates/{path}")).map(fill).unwrap_or_default();
    let mut files = vec![
        (format!("cases/{}.json", first_case(hook)), template(&format!("cases/{hook}.json"))),
        (".gitignore".to_owned(), "/build\n/target\n/node_modules\n/.venv\n__pycache__\n".to_owned()),
    ];
    let mut add = |path: &str, text: String| files.push((path.to_owned(), text));
    if lang != Lang::Rust {
        add("plugin.json", manifest(name, hook));
        add("wit/types.wit", kit::text("wit/redress-plugin-0/types.wit").unwrap_or_default().to_owned());
    }
    match lang {
        Lang::Rust => {
            add("Cargo.toml", template("rust/Cargo.toml"));
            add("Cargo.lock", kit::text(LOCK).unwrap_or_default().to_owned());
            add(".cargo/config.toml", template("rust/config.toml"));
            add("src/lib.rs", template(&format!("rust/src/{hook}.rs")));
            add("sdk/rust/Cargo.toml", template("rust/sdk.toml"));
            add("sdk/rust/macros/Cargo.toml", template("rust/macros.toml"));
            for (path, text) in kit::below("rust/").filter(|(path, _)| path.ends_with(".rs")) {
                add(&format!("sdk/rust/{path}"), text.to_owned());
            }
            for (path, text) in kit::below("wit/") {
                add(&format!("sdk/wit/{path}"), text.to_owned());
            }
        }
        Lang::C => {
            add("compile_flags.txt", template("c/compile_flags.txt"));
            add("plugin.c", template(&format!("c/{hook}.c")));
            let bindings = format!("templates/c/bindings/{hook}/");
            for (path, text) in kit::below("templates/c/sdk/").chain(kit::below(&bindings)) {
                add(&format!("sdk/{path}"), text.to_owned());
            }
        }
        Lang::Js => {
            add("package.json", template("js/package.json"));
            add("plugin.js", template(&format!("js/{hook}.js")));
            add("sdk/params.js", template("js/sdk/params.js"));
        }
        Lang::Python => {
            add("requirements.txt", template("python/requirements.txt"));
            add("app.py", template(&format!("python/{hook}.py")));
            add("sdk/params.py", template("python/sdk/params.py"));
        }
    }
    files
}

fn first_case(hook: Hook) -> &'static str {
    match hook {
        Hook::Eligibility => "one-too-many",
        Hook::Compliance => "recalled",
        Hook::Refund => "two-come-back",
        Hook::Step => "two-days-over",
    }
}

/// What a host reads of a plugin without running it; `build` adds what it was built with.
fn manifest(name: &str, hook: Hook) -> String {
    let (params, provides) = match hook {
        Hook::Eligibility => (json!({ "most": { "type": "integer", "default": 10 } }), json!({})),
        Hook::Step => (
            json!({ "days": { "type": "integer", "required": true }, "most": { "type": "integer", "default": 14 } }),
            json!({ "late": "boolean", "days_over": "integer" }),
        ),
        Hook::Compliance | Hook::Refund => (json!({}), json!({})),
    };
    let attributes = if hook == Hook::Compliance { vec!["recalled"] } else { Vec::new() };
    let manifest = json!({
        "name": name, "version": "0.1.0", "hook": hook, "params": params, "provides": provides, "facts": [], "attributes": attributes,
    });
    format!("{manifest:#}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use redress_sandbox::conformance::Case;

    use super::*;

    #[test]
    fn every_template_is_whole_and_its_case_is_one() {
        for hook in Hook::ALL {
            for lang in [Lang::Rust, Lang::C, Lang::Js, Lang::Python] {
                let files = files("a-b", hook, lang);
                let paths: BTreeSet<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
                assert_eq!(paths.len(), files.len());
                for (path, text) in &files {
                    let is_open = ["name", "hook", "sdk_version", "wit_bindgen", "proc_macro2", "quote", "syn"]
                        .iter()
                        .any(|name| text.contains(&format!("{{{{{name}}}}}")));
                    assert!(!text.is_empty() && !is_open, "{lang:?} {hook} {path}");
                }
                let case = files.iter().find(|(path, _)| path.starts_with("cases/")).unwrap();
                assert!(Case::parse("a", &case.1).unwrap().expect.is_some());
            }
        }
    }

    #[test]
    fn the_sdk_of_a_project_names_the_versions_that_this_workspace_names() {
        let root = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml")).unwrap();
        for (name, version) in ["wit-bindgen", "proc-macro2", "quote", "syn"]
            .iter()
            .zip(kit::fill("{{wit_bindgen}} {{proc_macro2}} {{quote}} {{syn}}", "", Hook::Step).split(' '))
        {
            let line = root.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
            assert!(line.contains(&format!("\"{version}\"")), "{name}: {version} is not that of {line}");
        }
    }
}
