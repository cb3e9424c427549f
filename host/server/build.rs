//! Embeds the stock plugins, which `cargo xtask plugins` compiles to WebAssembly, the pages about error codes, the examples
//! of the API, and the bases that workflows may extend.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The plugins that are shipped with the binary, in the order of their names.
const STOCK: [&str; 4] = ["device-compliance", "purchase-match", "refund-quote", "return-window"];

fn main() {
    let folder = folder();
    println!("cargo::rerun-if-env-changed=REDRESS_STOCK_PLUGINS");
    let mut code = String::from("/// The plugins that are shipped with the binary.\npub const STOCK: &[Stock] = &[\n");
    for name in STOCK {
        let file = folder.join(format!("{name}.wasm"));
        println!("cargo::rerun-if-changed={}", file.display());
        assert!(file.is_file(), "stock plugin {} is not built; run `cargo xtask plugins` first", file.display());
        writeln!(code, "    Stock {{ name: {name:?}, bytes: include_bytes!({:?}) }},", file.display().to_string())
            .expect("writing to a string");
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("stock.rs"), code).expect("OUT_DIR can be written");
    fs::write(out.join("error_pages.rs"), error_pages()).expect("OUT_DIR can be written");
    fs::write(out.join("examples.rs"), examples()).expect("OUT_DIR can be written");
    fs::write(out.join("bases.rs"), bases()).expect("OUT_DIR can be written");
    fs::write(out.join("kit.rs"), kit()).expect("OUT_DIR can be written");
}

/// What `redress plugin new` writes: templates, the contract, the SDK in Rust with the versions that it needs.
fn kit() -> String {
    let sdk = root().join("plugin-sdk");
    let mut rows = String::new();
    for folder in ["rust/src", "rust/macros/src", "templates", "wit"] {
        println!("cargo::rerun-if-changed={}", sdk.join(folder).display());
        tree(&sdk, &sdk.join(folder), &mut rows);
    }
    let lock = root().join("plugins/Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    writeln!(rows, "    (\"templates/rust/Cargo.lock\", include_str!({:?})),", lock.display().to_string())
        .expect("writing to a string");
    let manifest = root().join("Cargo.toml");
    println!("cargo::rerun-if-changed={}", manifest.display());
    let manifest = fs::read_to_string(manifest).expect("the workspace has a manifest");
    let version = |name: &str| {
        let line = manifest.lines().find(|line| line.starts_with(&format!("{name} = "))).expect("the SDK's dependency");
        let line = &line[name.len()..];
        let from = line.find(char::is_numeric).expect("a dependency has a version");
        line[from..].split('"').next().expect("a version is quoted").to_owned()
    };
    let versions = ["wit-bindgen", "proc-macro2", "quote", "syn"].map(version);
    format!("const KIT: &[File] = &[\n{rows}];\nconst VERSIONS: [&str; 4] = {versions:?};\n")
}

/// The files below a folder as rows of a table: path below the root, content.
fn tree(root: &Path, folder: &Path, rows: &mut String) {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            tree(root, &path, rows);
            continue;
        }
        let name = path.strip_prefix(root).expect("it lies below").to_string_lossy().replace('\\', "/");
        writeln!(rows, "    ({name:?}, include_str!({:?})),", path.display().to_string()).expect("writing to a string");
    }
}

/// A table of the pages in `docs/errors`, by code.
fn error_pages() -> String {
    let files = files(&root().join("docs/errors"), "md");
    format!("/// The pages about codes, by code.\npub const PAGES: &[(&str, &str)] = &[\n{files}];\n")
}

/// A table of the examples of the API, by operation.
fn examples() -> String {
    let files = files(&root().join("host/server/src/http/examples"), "json");
    format!("/// The examples, by operation.\nconst EXAMPLES: &[(&str, &str)] = &[\n{files}];\n")
}

/// A table of the bases in `workflows/std`, a folder for each with its numbered files: `name@number` and the text.
fn bases() -> String {
    let folder = root().join("workflows/std");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut folders: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    let mut rows = String::new();
    for folder in folders {
        let name = folder.file_name().expect("a folder has a name").to_string_lossy().into_owned();
        rows += &files(&folder, "yaml").replace("    (\"", &format!("    (\"std/{name}@"));
    }
    format!(
        "/// The bases that are shipped with the binary, by name and number.\npub const BASES: &[(&str, &str)] = &[\n{rows}];\n"
    )
}

/// The files of a kind in a folder as rows of a table: name without its ending, content.
fn files(folder: &Path, kind: &str) -> String {
    println!("cargo::rerun-if-changed={}", folder.display());
    let files = fs::read_dir(folder).expect("the folder can be read");
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("the folder can be read").path()).collect();
    paths.sort();
    let mut rows = String::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == kind)) {
        let name = path.file_stem().expect("a file has a name").to_string_lossy();
        // The tests of a base lie beside it, as `1.test.yaml`.
        if kind == "yaml" && name.ends_with(".test") {
            continue;
        }
        writeln!(rows, "    ({name:?}, include_str!({:?})),", path.display().to_string()).expect("writing to a string");
    }
    rows
}

fn root() -> PathBuf {
    Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR")).join("../..")
}

/// Where `cargo xtask plugins` puts them: `target/stock-plugins` of this workspace, unless said otherwise.
fn folder() -> PathBuf {
    if let Some(folder) = env::var_os("REDRESS_STOCK_PLUGINS") {
        return folder.into();
    }
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("stock-plugins")
}
