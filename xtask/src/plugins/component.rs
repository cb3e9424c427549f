//! From a core module to a component, and what every stock component must be.

use anyhow::{Context as _, bail, ensure};
use wasmparser::{Parser, Payload, Validator, WasmFeatures};
use wit_component::ComponentEncoder;

/// The only interfaces that a component may import; the second holds types and nothing to call.
const IMPORTS: [&str; 2] = ["redress:plugin/log@0.1.0", "redress:plugin/types@0.1.0"];

/// The interfaces of which it exports exactly one.
const HOOKS: [&str; 4] = [
    "redress:plugin/eligibility@0.1.0",
    "redress:plugin/compliance@0.1.0",
    "redress:plugin/refund@0.1.0",
    "redress:plugin/step@0.1.0",
];

/// Where the SDK writes the manifest.
const MANIFEST_SECTION: &str = "redress:manifest";

/// A stock plugin is copied into memory at every call and should stay far below what merchants may upload.
const BYTES_MAX: usize = 100 * 1024;

/// Make a component of a module that the SDK compiled. No adapter: there is nothing to adapt.
pub(super) fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    ComponentEncoder::default().validate(true).module(module)?.encode()
}

/// Refuse a component that the sandbox would refuse, or that is not what its name says.
pub(super) fn check(component: &[u8], name: &str) -> anyhow::Result<()> {
    ensure!(component.len() < BYTES_MAX, "it is {} bytes, fewer than {BYTES_MAX} are wanted", component.len());
    Validator::new_with_features(features()).validate_all(component).context("it uses what the sandbox leaves off")?;
    let contents = Contents::read(component)?;
    if let Some(stranger) = contents.imports.iter().find(|import| !IMPORTS.contains(&import.as_str())) {
        bail!("it imports {stranger}, and only the log may be imported");
    }
    let hooks = contents.exports.iter().filter(|export| HOOKS.contains(&export.as_str())).count();
    ensure!(hooks == 1, "it exports {hooks} hooks, expected one");
    let [manifest] = contents.manifests.as_slice() else {
        bail!("it has {} sections {MANIFEST_SECTION}, expected one", contents.manifests.len());
    };
    let manifest: serde_json::Value = serde_json::from_slice(manifest).context("its manifest is not JSON")?;
    ensure!(manifest["name"] == name, "its manifest says the name {}", manifest["name"]);
    Ok(())
}

/// The features of WebAssembly that the sandbox has on.
fn features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::FLOATS
        | WasmFeatures::COMPONENT_MODEL
}

/// What a component shows without running.
#[derive(Default)]
struct Contents {
    imports: Vec<String>,
    exports: Vec<String>,
    manifests: Vec<Vec<u8>>,
}

impl Contents {
    fn read(component: &[u8]) -> anyhow::Result<Self> {
        let mut contents = Self::default();
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(component) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ComponentImportSection(imports) if depth == 0 => {
                    for import in imports {
                        contents.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        contents.exports.push(export?.name.name.to_owned());
                    }
                }
                Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                    contents.manifests.push(section.data().to_vec());
                }
                _ => {}
            }
        }
        Ok(contents)
    }
}
