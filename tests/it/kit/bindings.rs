//! The bindings for C are written by `wit-bindgen` and committed, so that authors need nothing but clang. Here they are held to the
//! contract; `REDRESS_BLESS=1` writes them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use redress_sandbox::Hook;
use wit_bindgen_core::Files;
use wit_component::StringEncoding;

const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-sdk");

#[test]
fn bindings_for_c_are_those_of_the_contract() -> anyhow::Result<()> {
    for hook in Hook::ALL {
        let folder = Path::new(SDK).join("templates/c/bindings").join(hook.name());
        for (name, wanted) in bindings(hook)? {
            let path = folder.join(name);
            if std::env::var_os("REDRESS_BLESS").is_some() {
                std::fs::create_dir_all(&folder)?;
                std::fs::write(&path, &wanted)?;
            }
            let there = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            ensure!(there == wanted, "{} is not what the WIT says: REDRESS_BLESS=1 writes it", path.display());
        }
    }
    Ok(())
}

/// The files of a hook. Names are short: `redress_line_t` is the record `line`, whatever the hook, and `exports_plugin_quote` the
/// function `quote`.
fn bindings(hook: Hook) -> anyhow::Result<BTreeMap<String, String>> {
    let mut resolve = wit_bindgen_core::wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(wit())?;
    let world = resolve.select_world(&[package], Some(&world(hook)))?;
    let renamed = [("types", "redress"), ("log", "redress_log"), (hook.name(), "plugin")]
        .map(|(interface, name)| (format!("redress:plugin/{interface}@0.1.0"), name.to_owned()));
    let options = wit_bindgen_c::Opts {
        no_helpers: true,
        no_object_file: true,
        rename: renamed.to_vec(),
        rename_world: Some("redress".to_owned()),
        ..wit_bindgen_c::Opts::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files)?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).context("bindings are text");
    let mut written = files.iter().map(|(name, bytes)| Ok((name.to_owned(), text(bytes)?)));
    let mut written = written.by_ref().collect::<anyhow::Result<BTreeMap<_, _>>>()?;
    written.insert("types.c".to_owned(), types(hook)?);
    Ok(written)
}

/// The types of the world, of which the host makes a component. `wit-bindgen` would put them into an object file; as a text they
/// are compiled with the rest.
fn types(hook: Hook) -> anyhow::Result<String> {
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(wit())?;
    let world = resolve.select_world(&[package], Some(&world(hook)))?;
    let bytes = wit_component::metadata::encode(&resolve, world, StringEncoding::UTF8, None)?;
    let mut code = String::from(
        "// The types of the plugin's world, as the host reads them. Written by a test, like all bindings. DO NOT EDIT!\n\
         __asm__(\n    \".section \\\".custom_section.component-type:redress\\\",\\\"\\\",@\\n\"\n",
    );
    for row in bytes.chunks(32) {
        code.push_str("    \".ascii \\\"");
        for byte in row {
            match byte {
                // A question mark may begin a trigraph.
                b'"' | b'\\' | b'?' | ..b' ' | 127.. => write!(code, "\\\\{byte:03o}")?,
                _ => code.push(char::from(*byte)),
            }
        }
        code.push_str("\\\"\\n\"\n");
    }
    // The bindings call for it, so that none are linked without their types.
    code.push_str(");\n\nvoid __component_type_object_force_link_redress(void) {}\n");
    Ok(code)
}

fn wit() -> PathBuf {
    Path::new(SDK).join("wit/redress-plugin-0")
}

fn world(hook: Hook) -> String {
    format!("{hook}-plugin")
}
