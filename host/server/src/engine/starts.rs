//! Cases that are started by the name of their workflow.

use redress_domain::case::child::Pin;
use redress_domain::ids::Slug;
use redress_domain::workflow::definition::start::Manual;

use super::Engine;

impl Engine {
    /// How somebody starts a case under this workflow by naming it; none where nobody does.
    pub fn startable(&self, workflow: &Slug) -> Option<Manual> {
        self.registry().pinned(workflow, &Pin::Active)?.starts.manual.clone()
    }
}
