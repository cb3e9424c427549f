//! The manifest of plugins that have no macro to write it: `plugin.json`, put into a custom section of the component.

use std::path::Path;

use redress_sandbox::Class;
use redress_sandbox::manifest::{Manifest, SECTION};
use serde_json::Value as Json;

use super::Built;
use super::params::Defaults;
use crate::cli::error::Error;

const FILE: &str = "plugin.json";

/// What `plugin.json` says.
pub(super) struct Written {
    json: Json,
    name: String,
    class: Class,
    /// The parameters that have a default.
    pub(super) defaults: Defaults,
    /// The hook whose world is built.
    pub(super) hook: String,
}

/// Read it, and check it as a host will; of which class it is follows from the language. What was built before is gone then.
pub(super) fn read(folder: &Path, class: Class) -> Result<Written, Error> {
    let path = folder.join(FILE);
    let text = std::fs::read_to_string(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    let refused = |problem: String| Error::Document {
        code: "upload_manifest",
        file: path.display().to_string(),
        count: 1,
        problems: vec![problem],
        help: "docs/plugin-contract.md tells what a manifest says",
    };
    let sdk = sdk("");
    let manifest = Manifest::parse_source(&text, &sdk, class).map_err(|problem| refused(problem.to_string()))?;
    let mut json: Json = serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
    with_required(&mut json);
    let [hook] = manifest.hooks[..] else {
        return Err(refused("names several hooks; one is built here".to_owned()));
    };
    let mut defaults = Defaults::new();
    for (name, param) in manifest.params.iter().filter(|(_, param)| param.default.is_some()) {
        let too_long = || refused(format!("the default of {name} has more than the 18 digits of a decimal"));
        defaults.push((name.clone(), param.default_value().ok_or_else(too_long)?));
    }
    super::without_earlier(folder, &manifest.name)?;
    Ok(Written { json, name: manifest.name, class, defaults, hook: hook.name().to_owned() })
}

impl Written {
    /// The component, or the core module that becomes one, with the manifest in it.
    pub(super) fn put_into(mut self, component: &Path, tool: &str) -> Result<Built, Error> {
        let mut bytes =
            std::fs::read(component).map_err(|source| Error::Read { path: component.to_owned(), source })?;
        with_sdk(&mut self.json, self.class, tool);
        bytes.extend(section(SECTION, self.json.to_string().as_bytes()));
        Ok(Built { name: self.name, bytes })
    }
}

fn sdk(tool: &str) -> String {
    format!("redress {} {tool}", env!("CARGO_PKG_VERSION")).trim_end().to_owned()
}

/// What it was built with, in place of whatever stands there; and whether it brings an interpreter, which needs more room.
fn with_sdk(json: &mut Json, class: Class, tool: &str) {
    if let Some(fields) = json.as_object_mut() {
        fields.insert("class".to_owned(), Json::from(class.name()));
        fields.insert("sdk".to_owned(), Json::from(sdk(tool)));
    }
}

/// Whether a workflow must give a parameter is written out by the rule of the Rust SDK: unless it has a default, or says that it need not
/// be there.
fn with_required(json: &mut Json) {
    let params = json.get_mut("params").and_then(Json::as_object_mut);
    for param in params.into_iter().flat_map(|params| params.values_mut()).filter_map(Json::as_object_mut) {
        let is_optional = param.get("type").and_then(Json::as_str).is_some_and(|kind| kind.ends_with('?'));
        if !param.contains_key("required") {
            let required = !param.contains_key("default") && !is_optional;
            param.insert("required".to_owned(), Json::from(required));
        }
    }
}

/// A custom section: its number, its length, its name with its length, its content.
fn section(name: &str, content: &[u8]) -> Vec<u8> {
    let mut inner = leb128(name.len());
    inner.extend(name.as_bytes());
    inner.extend(content);
    let mut section = vec![0];
    section.extend(leb128(inner.len()));
    section.extend(inner);
    section
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        // Seven bits at a time, the lowest first.
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_as_long_as_it_says() {
        let content = vec![b' '; 300];
        let section = section("redress:manifest", &content);
        assert_eq!(section[..3], [0, 0xbd, 0x02]);
        assert_eq!(section.len(), 3 + 1 + 16 + 300);
        assert_eq!((leb128(0), leb128(127), leb128(128)), (vec![0], vec![127], vec![0x80, 1]));
    }
}
