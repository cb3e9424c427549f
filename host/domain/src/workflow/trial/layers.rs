//! A map that is written in several places: in the test, in the test that it uses, for the whole document.

use crate::workflow::reader::{At, Fields};
use crate::workflow::schema::Table;

/// The same map in several places, the nearest first.
#[derive(Debug, Clone)]
pub(super) struct Layers<'d>(Vec<Fields<'d>>);

impl<'d> Layers<'d> {
    pub(super) fn new(layers: Vec<Fields<'d>>) -> Self {
        Self(layers)
    }

    /// The field where it is written nearest.
    pub(super) fn get(&self, name: &str) -> Option<At<'d>> {
        self.0.iter().find(|fields| fields.has(name))?.get(name)
    }

    /// Whether the field is written anywhere.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|fields| fields.has(name))
    }

    /// The field wherever it is written, the nearest first.
    pub(super) fn all(&self, name: &str) -> Vec<At<'d>> {
        self.0.iter().filter_map(|fields| fields.get(name)).collect()
    }

    /// The maps behind a field, wherever it is written; `more` are names that stand beside those of the table.
    pub(super) fn inside(&self, name: &str, table: &Table, more: &[&str]) -> Self {
        Self(self.all(name).iter().filter_map(|at| at.fields_and(table, more)).collect())
    }
}
