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

#[cfg(test)]
mod tests {
    use super::*;

    /// A component with these parts and the manifest of a plugin called `a`.
    fn refusal(parts: &str) -> String {
        let manifest = r#"(core module (@custom "redress:manifest" "{\"name\":\"a\"}"))"#;
        let component = wat::parse_str(format!("(component {manifest} {parts})")).unwrap();
        check(&component, "a").err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    const HOOK: &str = r#"(instance $hook) (export "redress:plugin/step@0.1.0" (instance $hook))"#;

    #[test]
    fn only_the_log_and_the_types_may_be_imported() {
        let with = |import: &str| refusal(&format!(r#"(import "{import}" (instance)) {HOOK}"#));
        assert_eq!(with("redress:plugin/log@0.1.0"), "");
        assert_eq!(with("redress:plugin/types@0.1.0"), "");
        let refused = with("wasi:cli/environment@0.2.0");
        assert_eq!(refused, "it imports wasi:cli/environment@0.2.0, and only the log may be imported");
    }

    #[test]
    fn a_component_has_one_hook_and_the_manifest_of_its_name() {
        assert_eq!(refusal(""), "it exports 0 hooks, expected one");
        let second = r#"(core module (@custom "redress:manifest" "{}"))"#;
        assert_eq!(refusal(&format!("{HOOK} {second}")), "it has 2 sections redress:manifest, expected one");
        let component = wat::parse_str(format!("(component {HOOK})")).unwrap();
        assert!(check(&component, "a").is_err_and(|error| error.to_string().contains("0 sections")));
    }

    #[test]
    fn a_manifest_of_another_name_is_refused() {
        let manifest = r#"(core module (@custom "redress:manifest" "{\"name\":\"b\"}"))"#;
        let component = wat::parse_str(format!("(component {manifest} {HOOK})")).unwrap();
        assert_eq!(check(&component, "a").unwrap_err().to_string(), "its manifest says the name \"b\"");
    }

    #[test]
    fn what_the_sandbox_leaves_off_is_refused() {
        assert!(refusal(&format!("{HOOK} (core module (memory i64 1))")).contains("the sandbox leaves off"));
    }

    #[test]
    fn a_large_component_is_refused() {
        let data = format!(r#"(core module (memory 2) (data (i32.const 0) "{}"))"#, "x".repeat(BYTES_MAX));
        assert!(refusal(&format!("{HOOK} {data}")).contains("fewer than 102400 are wanted"));
    }
}
