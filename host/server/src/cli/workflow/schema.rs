//! `redress workflow schema`: the JSON Schema of workflows, for editors.

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::publish::schema;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow schema > workflow-1.json
  redress workflow schema --tenant shop --data data > workflow-1.json
  redress workflow schema --server https://redress.example --key-file admin.key > workflow-1.json

The first line of a workflow tells an editor where it lies:
  # yaml-language-server: $schema=workflow-1.json
";

/// Without a data folder and a host it is the general one; with one of them the merchant's, which knows its plugins and queues.
pub(super) fn run(at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let is_general = at.server.is_none() && (at.data.is_none() || at.tenant.is_none());
    let schema = if is_general { schema::general() } else { at.door()?.get(schema::ADDRESS)? };
    out.json(&schema)
}
