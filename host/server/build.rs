//! Embeds the stock plugins, which `cargo xtask plugins` compiles to WebAssembly.

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
}

/// Where `cargo xtask plugins` puts them: `target/stock-plugins` of this workspace, unless said otherwise.
fn folder() -> PathBuf {
    if let Some(folder) = env::var_os("REDRESS_STOCK_PLUGINS") {
        return folder.into();
    }
    let root = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR")).join("../..");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("stock-plugins")
}
