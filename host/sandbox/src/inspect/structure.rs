//! One walk over all sections of a component, nested ones too: what there is and how much of it.
//!
//! Counting comes before validation, so that a component made to be expensive is refused cheaply.

use wasmparser::{Parser, Payload};

use super::Refusal;
use crate::limits::Limits;
use crate::manifest;

/// What stands at the top of a component, and its manifests wherever they are.
#[derive(Debug, Default)]
pub(super) struct Structure<'a> {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
    pub(super) manifests: Vec<&'a [u8]>,
}

/// Parts of a component that are passed over in search of its manifest. An interpreter has some ten thousand functions.
const PASSED_OVER_MAX: usize = 500_000;

/// The first manifest, wherever it is.
pub(super) fn first_manifest(bytes: &[u8]) -> Option<&[u8]> {
    let payloads = Parser::new(0).parse_all(bytes).take(PASSED_OVER_MAX).map_while(Result::ok);
    let mut manifests = payloads.filter_map(|payload| match payload {
        Payload::CustomSection(section) if section.name() == manifest::SECTION => Some(section.data()),
        _ => None,
    });
    manifests.next()
}

/// How much there is so far.
#[derive(Debug, Default)]
struct Counts {
    custom_bytes: usize,
    functions: usize,
    types: usize,
    parts: usize,
    data_bytes: usize,
}

impl<'a> Structure<'a> {
    pub(super) fn read(bytes: &'a [u8], limits: &Limits) -> Result<Self, Refusal> {
        let mut structure = Self::default();
        let mut counts = Counts::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(malformed)?;
            counts.add(&payload, limits)?;
            match payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        structure.imports.push(import.map_err(malformed)?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        structure.exports.push(export.map_err(malformed)?.name.name.to_owned());
                    }
                }
                Payload::CustomSection(section) if section.name() == manifest::SECTION => {
                    structure.manifests.push(section.data());
                }
                _ => {}
            }
        }
        Ok(structure)
    }
}

impl Counts {
    fn add(&mut self, payload: &Payload<'_>, limits: &Limits) -> Result<(), Refusal> {
        match payload {
            Payload::CustomSection(section) => {
                let bytes = section.data().len().saturating_add(section.name().len());
                grow(&mut self.custom_bytes, bytes, "bytes of custom sections", limits.custom_section_bytes_max)
            }
            Payload::FunctionSection(section) => {
                grow(&mut self.functions, section.count() as usize, "functions", limits.functions_max)
            }
            Payload::CodeSectionEntry(body) => {
                at_most(body.range().len(), "bytes in one function", limits.function_bytes_max)
            }
            Payload::TypeSection(section) => self.add_types(section.count(), limits),
            Payload::CoreTypeSection(section) => self.add_types(section.count(), limits),
            Payload::ComponentTypeSection(section) => self.add_types(section.count(), limits),
            Payload::ComponentAliasSection(section) => self.add_types(section.count(), limits),
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => self.add_parts(1, limits),
            Payload::InstanceSection(section) => self.add_parts(section.count(), limits),
            Payload::ComponentInstanceSection(section) => self.add_parts(section.count(), limits),
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    let pages = usize::try_from(memory.map_err(malformed)?.initial).unwrap_or(usize::MAX);
                    at_most(pages.saturating_mul(64 << 10), "bytes of memory", limits.memory_bytes_max)?;
                }
                Ok(())
            }
            Payload::TableSection(section) => {
                for table in section.clone() {
                    let elements = usize::try_from(table.map_err(malformed)?.ty.initial).unwrap_or(usize::MAX);
                    at_most(elements, "table elements", limits.table_elements_max)?;
                }
                Ok(())
            }
            Payload::DataSection(section) => {
                for data in section.clone() {
                    let bytes = data.map_err(malformed)?.data.len();
                    grow(&mut self.data_bytes, bytes, "bytes of data segments", limits.data_bytes_max)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn add_types(&mut self, more: u32, limits: &Limits) -> Result<(), Refusal> {
        grow(&mut self.types, more as usize, "types and aliases", limits.types_max)
    }

    fn add_parts(&mut self, more: u32, limits: &Limits) -> Result<(), Refusal> {
        grow(&mut self.parts, more as usize, "modules, components and instances", limits.parts_max)
    }
}

fn grow(count: &mut usize, more: usize, what: &'static str, max: usize) -> Result<(), Refusal> {
    *count = count.saturating_add(more);
    at_most(*count, what, max)
}

fn at_most(got: usize, what: &'static str, max: usize) -> Result<(), Refusal> {
    if got > max { Err(Refusal::TooMany { what, got, max }) } else { Ok(()) }
}

fn malformed(error: wasmparser::BinaryReaderError) -> Refusal {
    Refusal::Malformed { detail: error.to_string() }
}
