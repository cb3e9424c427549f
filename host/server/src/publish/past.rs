//! How often something became active under a name: whether something came in since a file was refused.

use redress_domain::codec;
use redress_domain::ids::{Digest, Slug};

use crate::engine::log::{self, Logged, What};
use crate::engine::{self, Engine};

/// Of a workflow. It changes with each publication and each way back, whatever it is back to. A revision that only follows its
/// plugin says what the one before said, and does not count.
///
/// # Errors
/// The store cannot be read.
pub(super) fn of_workflow(engine: &Engine, name: &Slug) -> Result<Digest, engine::Error> {
    let follows = |turn: &[Logged]| turn.iter().any(|one| matches!(one.what, What::PluginActivated { .. }));
    let is_own = |one: &Logged| match &one.what {
        What::WorkflowPublished { workflow, .. } | What::WorkflowActivated { workflow, .. } => workflow == name,
        _ => false,
    };
    let turns = log::turns(engine)?;
    Ok(count(turns.iter().filter(|turn| !follows(turn)).flatten().filter(|one| is_own(one))))
}

/// Of a plugin, whatever its major version.
///
/// # Errors
/// The store cannot be read.
pub(super) fn of_plugin(engine: &Engine, name: &str) -> Result<Digest, engine::Error> {
    let is_own = |one: &&Logged| match &one.what {
        What::PluginActivated { plugin, .. } => plugin.split('@').next() == Some(name),
        _ => false,
    };
    Ok(count(log::read(engine)?.iter().filter(is_own)))
}

/// The past of a name only grows: as many facts are the same facts.
fn count<'a>(facts: impl Iterator<Item = &'a Logged>) -> Digest {
    Digest::of(&codec::encode(&(facts.count() as u64)))
}
