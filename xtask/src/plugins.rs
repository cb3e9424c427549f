//! The stock plugins: compiled in their own workspace, made components, checked, and put where the server finds them.
//!
//! The bytes are the same on every machine and in every folder, because a plugin is known by their digest.

mod component;
pub(crate) mod stable_rustc;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use crate::shell::{self, PLUGINS_MANIFEST};
use crate::toolchain::{self, WASM_TARGET};

/// Where the components go, relative to the repository.
const COMPONENTS: &str = "target/stock-plugins";

/// Where they are compiled, relative to `plugins/`: not where a `cargo build` by hand would leave other bytes.
const COMPILED: &str = "target/stock";

/// A component that stands in `target/stock-plugins`.
pub(crate) struct Built {
    /// The plugin's name, as its manifest says.
    pub(crate) name: String,
    /// The file.
    pub(crate) path: PathBuf,
    /// Its size.
    pub(crate) bytes: usize,
    /// Its SHA-256, in hexadecimal.
    pub(crate) digest: String,
}

/// Build, and say what was built.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    for plugin in build(root)? {
        println!("{:<20} {:>7} bytes  sha256 {}  {}", plugin.name, plugin.bytes, plugin.digest, plugin.path.display());
    }
    Ok(())
}

/// Compile every plugin of `plugins/` and write the components whose bytes changed.
pub(crate) fn build(root: &Path) -> anyhow::Result<Vec<Built>> {
    toolchain::ensure_wasm_target(root)?;
    let plugins = root.join(PLUGINS_MANIFEST).parent().context("the plugins have a folder")?.to_owned();
    let machine = Machine::new(root)?;
    shell::run(&mut compile(&plugins, &machine)?)?;
    let modules = plugins.join(COMPILED).join(WASM_TARGET).join("release");
    let components = root.join(COMPONENTS);
    std::fs::create_dir_all(&components).with_context(|| format!("could not create {}", components.display()))?;
    let names = packages(&plugins)?;
    remove_strangers(&components, &names)?;
    names.iter().map(|name| build_one(name, &modules, &components, &machine)).collect()
}

fn build_one(name: &str, modules: &Path, components: &Path, machine: &Machine) -> anyhow::Result<Built> {
    let module = modules.join(format!("{}.wasm", name.replace('-', "_")));
    let module = std::fs::read(&module).with_context(|| format!("could not read {}", module.display()))?;
    let bytes = component::encode(&module).with_context(|| format!("could not make a component of {name}"))?;
    component::check(&bytes, name).with_context(|| format!("plugin {name} was refused"))?;
    machine.check_absent_from(&bytes).with_context(|| format!("plugin {name} was refused"))?;
    let path = components.join(format!("{name}.wasm"));
    if std::fs::read(&path).ok().as_deref() != Some(&bytes) {
        std::fs::write(&path, &bytes).with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(Built { name: name.to_owned(), path, bytes: bytes.len(), digest: hex(&Sha256::digest(&bytes)) })
}

/// Cargo over the plugins' workspace. In its folder, so that the `.cargo/config.toml` there holds.
fn compile(plugins: &Path, machine: &Machine) -> anyhow::Result<Command> {
    let flags = machine.remaps().iter().map(|flag| format!("\"{}\"", flag.escape_default())).collect::<Vec<_>>();
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(plugins);
    command.args(["build", "--release", "--locked", "--workspace", "--target", WASM_TARGET, "--target-dir", COMPILED]);
    command.args(["--config", &format!("target.{WASM_TARGET}.rustflags=[{}]", flags.join(","))]);
    stable_rustc::wrap(&mut command)?;
    // What the caller's environment says of flags would replace ours, and the bytes would be others.
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
        command.env_remove(variable);
    }
    Ok(command)
}

/// The folders of `plugins/` that hold a package, sorted.
fn packages(plugins: &Path) -> anyhow::Result<Vec<String>> {
    let entries = plugins.read_dir().with_context(|| format!("could not read {}", plugins.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// A component whose plugin is gone would still be embedded.
fn remove_strangers(components: &Path, names: &[String]) -> anyhow::Result<()> {
    for entry in components.read_dir()? {
        let path = entry?.path();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if !names.contains(&stem) {
            std::fs::remove_file(&path).with_context(|| format!("could not remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// The folders of this machine that a compiler would write into its output, and what stands there instead.
struct Machine {
    folders: Vec<(String, &'static str)>,
}

impl Machine {
    fn new(root: &Path) -> anyhow::Result<Self> {
        let mut rustc = Command::new("rustc");
        let sysroot = shell::output(rustc.current_dir(root).args(["--print", "sysroot"]))?;
        let sysroot = String::from_utf8(sysroot).context("the compiler's folder is not UTF-8")?.trim().to_owned();
        let cargo_home = match std::env::var("CARGO_HOME") {
            Ok(folder) => folder,
            Err(_) => format!("{}/.cargo", std::env::var("HOME").context("neither CARGO_HOME nor HOME is set")?),
        };
        let root = root.canonicalize()?.to_str().context("the repository's folder is not UTF-8")?.to_owned();
        // The compiler tries the last one first, and the repository may lie inside another of these.
        Ok(Self { folders: vec![(sysroot, "/rust"), (cargo_home, "/cargo"), (root, "/redress")] })
    }

    fn remaps(&self) -> Vec<String> {
        self.folders.iter().map(|(folder, name)| format!("--remap-path-prefix={folder}={name}")).collect()
    }

    fn check_absent_from(&self, component: &[u8]) -> anyhow::Result<()> {
        for (folder, _) in &self.folders {
            if component.windows(folder.len()).any(|window| window == folder.as_bytes()) {
                bail!("it holds the path {folder} of this machine, so its digest would differ elsewhere");
            }
        }
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_that_holds_a_path_of_the_machine_is_refused() {
        let machine = Machine { folders: vec![("/srv/ada/redress".to_owned(), "/redress")] };
        assert!(machine.check_absent_from(b"\0asm /redress/plugins").is_ok());
        let refused = machine.check_absent_from(b"\0asm /srv/ada/redress/plugins").unwrap_err().to_string();
        assert!(refused.contains("/srv/ada/redress"), "{refused}");
    }

    #[test]
    fn only_folders_with_a_package_are_plugins() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b", "a", "target"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        for name in ["a", "b"] {
            std::fs::write(folder.path().join(name).join("Cargo.toml"), "").unwrap();
        }
        assert_eq!(packages(folder.path()).unwrap(), ["a", "b"]);
    }

    #[test]
    fn a_component_without_its_plugin_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["kept.wasm", "gone.wasm"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        remove_strangers(folder.path(), &["kept".to_owned()]).unwrap();
        assert!(folder.path().join("kept.wasm").exists() && !folder.path().join("gone.wasm").exists());
    }
}
