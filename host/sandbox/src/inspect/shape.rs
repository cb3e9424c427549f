//! What a component is made of, for who wants to look at it. It refuses nothing but what cannot be read.

use serde::Serialize;
use wasmparser::{Parser, Payload};

use super::Refusal;

/// What a component is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// Its bytes.
    pub bytes: usize,
    /// Bytes of function bodies.
    pub code_bytes: usize,
    /// Bytes of data segments, which are copied at every call.
    pub data_bytes: usize,
    /// Bytes of custom sections.
    pub custom_bytes: usize,
    /// Functions in all modules.
    pub functions: usize,
    /// Core modules.
    pub modules: usize,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
    /// The interfaces that it exports.
    pub exports: Vec<String>,
}

/// Looks at what a component is made of.
///
/// # Errors
///
/// It cannot be read.
pub fn shape(bytes: &[u8]) -> Result<Shape, Refusal> {
    let malformed = |error: wasmparser::BinaryReaderError| Refusal::Malformed { detail: error.to_string() };
    let mut shape = Shape { bytes: bytes.len(), ..Shape::default() };
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::ModuleSection { .. } => {
                depth += 1;
                shape.modules += 1;
            }
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CodeSectionEntry(body) => {
                shape.functions += 1;
                shape.code_bytes += body.range().len();
            }
            Payload::DataSection(section) => {
                for data in section {
                    shape.data_bytes += data.map_err(malformed)?.data.len();
                }
            }
            Payload::CustomSection(section) => shape.custom_bytes += section.data().len() + section.name().len(),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    shape.imports.push(import.map_err(malformed)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    shape.exports.push(export.map_err(malformed)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(shape)
}
