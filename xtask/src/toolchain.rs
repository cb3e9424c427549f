//! The pinned toolchain's WebAssembly target: found, added, or asked for in plain words.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::shell;

/// What stock plugins are compiled to.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Make sure that the toolchain of `rust-toolchain.toml` can compile plugins, adding the target where it is missing.
pub(crate) fn ensure_wasm_target(root: &Path) -> anyhow::Result<()> {
    if has_wasm_target(root)? {
        return Ok(());
    }
    println!("the target {WASM_TARGET} is missing; adding it");
    let added = shell::run(Command::new("rustup").current_dir(root).args(["target", "add", WASM_TARGET]));
    match added {
        Ok(()) if has_wasm_target(root)? => Ok(()),
        Ok(()) => bail!("{}", advice("rustup added it, but to another toolchain than the one in use")),
        Err(error) => bail!("{}", advice(&format!("{error:#}"))),
    }
}

/// Asks the compiler itself, so that a toolchain without rustup (a distribution's, a container's) is as good.
fn has_wasm_target(root: &Path) -> anyhow::Result<bool> {
    let mut command = Command::new("rustc");
    command.current_dir(root).args(["--print", "target-libdir", "--target", WASM_TARGET]);
    let answer = shell::output(&mut command).context("the Rust compiler does not answer: is rustup installed?")?;
    let folder = PathBuf::from(String::from_utf8_lossy(&answer).trim());
    Ok(holds_core(&folder))
}

fn holds_core(folder: &Path) -> bool {
    let Ok(entries) = folder.read_dir() else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

fn advice(reason: &str) -> String {
    format!(
        "plugins cannot be compiled: the target {WASM_TARGET} is missing and could not be added ({reason}).\n\
         Do one of these and start again:\n  \
         - with rustup and a connection: rustup target add {WASM_TARGET}\n  \
         - without a connection: install the `rust-std` component of {WASM_TARGET} for the version in rust-toolchain.toml\n  \
         - without rustup: use a Rust of that version that comes with the target"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_the_core_library_is_not_a_target() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!holds_core(folder.path()));
        assert!(!holds_core(&folder.path().join("missing")));
        std::fs::write(folder.path().join("libcore-0123.rlib"), "").unwrap();
        assert!(holds_core(folder.path()));
    }

    #[test]
    fn the_advice_names_the_target_the_reason_and_a_command() {
        let text = advice("no connection");
        assert!(text.contains("no connection") && text.contains("rustup target add wasm32-unknown-unknown"), "{text}");
    }
}
