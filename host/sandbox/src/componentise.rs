//! A core module that carries the types of its world becomes a component, as `wasm-tools component new` would make it.
//!
//! Compilers without a component target (`wasm32-unknown-unknown`, clang) leave the types in a custom section that
//! `wit-bindgen` wrote. No adapter is used: what a module imports beside the contract would be refused anyway. The plugin is
//! the component, and so is its digest; the same module gives the same component as long as `wit-component` is the same.

use std::borrow::Cow;

use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

use crate::inspect::{self, Refusal};
use crate::limits::Limits;
use crate::sandbox::unpanicked;

/// The beginning of the names of the sections in which bindings leave their types.
const TYPES_SECTION: &str = "component-type";

/// The component that the bytes are, or are made into. What is neither is given back as it is, for
/// [`inspect`](crate::inspect::inspect) to say what it is.
///
/// # Errors
///
/// Why no component can be made of a core module: it has no types, imports what nobody gives, or is more than a plugin may be.
pub fn componentise<'b>(bytes: &'b [u8], limits: &Limits) -> Result<Cow<'b, [u8]>, Refusal> {
    if !Parser::is_core_wasm(bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    // Cheap before dear: what the encoder walks through was counted before.
    inspect::check_counts(bytes, limits)?;
    let module = Module::read(bytes)?;
    if let Some(import) = module.imports.iter().find(|import| import.starts_with("wasi") || import.starts_with("env."))
    {
        return Err(inspect::forbidden(import));
    }
    if !module.has_types {
        return Err(Refusal::CoreModule);
    }
    unpanicked(|| encode(bytes)).map(Cow::Owned)
}

fn encode(module: &[u8]) -> Result<Vec<u8>, Refusal> {
    let encoder = ComponentEncoder::default().validate(true).module(module);
    encoder.and_then(|mut encoder| encoder.encode()).map_err(|error| Refusal::NoComponent {
        // The first causes say what was being done, the last one what is wrong.
        detail: format!("{error:#}").chars().take(500).collect(),
    })
}

/// What is asked of a core module before a component is made of it.
#[derive(Default)]
struct Module {
    /// What it imports, as `module.name`.
    imports: Vec<String>,
    has_types: bool,
}

impl Module {
    fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let malformed = |error: wasmparser::BinaryReaderError| Refusal::Malformed { detail: error.to_string() };
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(malformed)? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import.map_err(malformed)?;
                        module.imports.push(format!("{}.{}", import.module, import.name));
                    }
                }
                Payload::CustomSection(section) => module.has_types |= section.name().starts_with(TYPES_SECTION),
                _ => {}
            }
        }
        Ok(module)
    }
}
