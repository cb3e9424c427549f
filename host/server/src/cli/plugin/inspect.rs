//! `redress plugin inspect`: what a plugin says about itself and what it is made of. Nothing of it is run.

use std::borrow::Cow;
use std::path::PathBuf;

use redress_domain::ids::Digest;
use redress_sandbox::inspect::shape;
use serde_json::{Value as Json, json};

use super::opened::{self, sandbox};
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::publish::{self, plugins};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress plugin inspect build/restocking-fee.wasm
  redress plugin inspect std/refund-quote --output json
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The plugin: a component, a core module with its types, or a stock one as std/NAME.
    file: PathBuf,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let bytes = opened::bytes(&args.file)?;
    let sandbox = sandbox()?;
    let component = plugins::component(&sandbox, &bytes)?;
    let shape = shape(&component).map_err(publish::Error::Refused)?;
    let info = sandbox.describe(&component).map_err(publish::Error::Refused);
    let manifest = info.as_ref().ok().and_then(|info| serde_json::to_value(&info.manifest).ok());
    let told = json!({
        "digest": Digest::of(&component).to_string(),
        "core_module": matches!(component, Cow::Owned(_)),
        "manifest": manifest,
        "shape": shape,
    });
    if at.format() == Format::Json {
        out.json(&told)?;
    } else {
        text(&told, out)?;
    }
    // It is shown what there is, also where no host would take it.
    info.map(drop).map_err(Error::from)
}

fn text(told: &Json, out: &mut Out<'_>) -> Result<(), Error> {
    let manifest = &told["manifest"];
    let mut lines = Vec::new();
    if !manifest.is_null() {
        lines.push(("name", format!("{} {}", word(&manifest["name"]), word(&manifest["version"]))));
        lines.push(("built with", word(&manifest["sdk"])));
        lines.push(("hooks", word(&manifest["hooks"])));
        for name in ["params", "provides"] {
            let fields = manifest[name].as_object().into_iter().flatten();
            lines.extend(fields.map(|(key, value)| (name, format!("{key}: {}", kind(value)))));
        }
        for name in ["facts", "attributes"] {
            if manifest[name].as_array().is_some_and(|list| !list.is_empty()) {
                lines.push((name, word(&manifest[name])));
            }
        }
    }
    let shape = &told["shape"];
    lines.push(("imports", word(&shape["imports"])));
    lines.push(("exports", word(&shape["exports"])));
    let of = |name: &str| word(&shape[name]);
    lines.push(("bytes", format!("{}, of them code {}, data {}", of("bytes"), of("code_bytes"), of("data_bytes"))));
    lines.push(("functions", format!("{} in {} modules", of("functions"), of("modules"))));
    if told["core_module"] == true {
        lines.push(("made of", "a core module; bytes and digest are the component's".to_owned()));
    }
    lines.push(("sha256", word(&told["digest"])));
    lines.iter().try_for_each(|(name, value)| out.data(&format!("{name:<11} {}\n", crate::cli::words::clean(value))))
}

fn kind(value: &Json) -> String {
    let required = if value["required"] == true { ", required" } else { "" };
    let default = value["default"].as_str().map(|text| format!(" = {text}")).unwrap_or_default();
    format!("{}{default}{required}", word(value.get("type").unwrap_or(value)))
}

fn word(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(parts) => parts.iter().map(word).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
