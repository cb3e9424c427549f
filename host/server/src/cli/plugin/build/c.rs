//! C: clang compiles the project and the SDK that lies in it, and links them without a system or a library.

use std::path::Path;

use redress_sandbox::Class;

use super::tool::Tools;
use super::{Built, manifest, params};
use crate::cli::error::Error;

const LLVM: &str = "apt-get install clang lld, or clang and lld of https://llvm.org, 14 or later";
const TARGET: &str = "--target=wasm32-unknown-unknown";
const SDK: &str = "sdk";
const PARAMS: &str = "build/params.c";
const MODULE: &str = "build/raw.wasm";
/// How it is linked; how it is compiled stands in the project, where editors read it.
const LINK: [&str; 3] =
    // A stack that overflows ends the call: it lies in front of the data and not behind them.
    ["-nostdlib", "-Wl,--no-entry,--strip-all,--stack-first,-zstack-size=65536", "@compile_flags.txt"];

pub(super) fn build(tools: &mut Tools<'_, '_>) -> Result<Built, Error> {
    let manifest = manifest::read(tools.folder, Class::Compiled)?;
    // By its path: the clang of a distribution may look for it by a name of its own.
    let mut args = vec![format!("-fuse-ld={}", linker(tools)?)];
    args.extend(LINK.map(str::to_owned));
    args.extend(sources(tools.folder, "")?);
    args.extend(sources(tools.folder, SDK)?);
    super::save(&tools.folder.join(PARAMS), params::c(&manifest.defaults).as_bytes())?;
    args.extend([PARAMS, "-o", MODULE].map(str::to_owned));
    let raw = tools.folder.join(MODULE);
    super::save(&raw, b"")?;
    tools.run("clang", &args.iter().map(String::as_str).collect::<Vec<_>>(), LLVM)?;
    manifest.put_into(&raw, "clang")
}

/// The linker that goes with clang, beside it or wherever programs are. clang itself would only say that it could not run it.
fn linker(tools: &Tools<'_, '_>) -> Result<String, Error> {
    let told = tools.ask("clang", &[TARGET, "--print-prog-name=wasm-ld"], LLVM)?;
    let path = told.map(|path| String::from_utf8_lossy(&path).trim().to_owned());
    // Where it found none it says the bare name.
    let found = path.filter(|path| Path::new(path).is_absolute());
    found.ok_or_else(|| Error::Tool { tool: "wasm-ld".to_owned(), help: format!("install it: {LLVM}") })
}

/// The C files of a folder of the project in the order of their names, so that the same project gives the same bytes.
fn sources(project: &Path, folder: &str) -> Result<Vec<String>, Error> {
    let path = project.join(folder);
    let refused = |source| Error::Read { path: path.clone(), source };
    let mut sources = Vec::new();
    for entry in path.read_dir().map_err(refused)? {
        let entry = entry.map_err(refused)?.path();
        let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if entry.is_file() && name.ends_with(".c") {
            // Not only the name: one that begins with a hyphen would be an option.
            sources.push(if folder.is_empty() { format!("./{name}") } else { format!("{folder}/{name}") });
        }
    }
    sources.sort();
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_c_files_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.c", "-o.c", "a.c", "a.h", "sdk/text.c"] {
            super::super::save(&folder.path().join(name), b"").unwrap();
        }
        assert_eq!(sources(folder.path(), "").unwrap(), ["./-o.c", "./a.c", "./b.c"]);
        assert_eq!(sources(folder.path(), SDK).unwrap(), ["sdk/text.c"]);
        assert!(matches!(sources(folder.path(), "none"), Err(Error::Read { .. })));
    }
}
