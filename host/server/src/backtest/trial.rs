//! What is on trial: a candidate workflow, candidate plugins, and what stays active beside them.

use std::sync::Arc;

use redress_domain::ids::{Digest, Slug};
use redress_domain::workflow::definition::{Definition, PluginRef};

use super::Error;
use crate::engine::Engine;
use crate::publish::{self, plugins, workflows};

/// A component that takes the place of a plugin, for the trial.
#[derive(Debug, Clone)]
pub struct Override {
    /// The plugin's name, without a version.
    pub name: String,
    /// The component.
    pub bytes: Vec<u8>,
}

/// All that would be active, and which of it is on trial.
#[derive(Debug)]
pub struct Trial {
    pub(super) active: Vec<Arc<Definition>>,
    pub(super) on_trial: Vec<usize>,
}

impl Trial {
    /// Check a candidate and put it in the place of the active workflow of its name. Without a text the active workflows that call
    /// an exchanged plugin are on trial. Nothing is stored.
    ///
    /// # Errors
    /// The candidate has problems, a component is refused, or nothing on trial calls it.
    pub fn new(engine: &Engine, source: Option<&str>, overrides: &[Override]) -> Result<Self, Error> {
        let (mut available, mut exchanged) = (plugins::available(engine)?, Vec::new());
        for one in overrides {
            let component = plugins::component(engine.sandbox(), &one.bytes)?;
            let info = engine.sandbox().load(&component).map_err(publish::Error::Refused)?;
            let (reference, plugin) =
                plugins::known(&one.name, &info).ok_or_else(|| publish::Error::Name(one.name.clone()))?;
            available.insert(reference.clone(), plugin);
            exchanged.push(reference);
        }
        let mut active = engine.registry().active();
        let sources = match source {
            Some(source) => vec![source.to_owned()],
            None => callers(engine, &exchanged)?,
        };
        let mut on_trial = Vec::new();
        for source in sources {
            let candidate = workflows::check_with(engine, &source, available.clone())?;
            let place = active.iter().position(|one| one.workflow == candidate.workflow).unwrap_or(active.len());
            match active.get_mut(place) {
                Some(before) => *before = candidate,
                None => active.push(candidate),
            }
            on_trial.push(place);
        }
        let trial = Self { active, on_trial };
        trial.check(&exchanged)?;
        Ok(trial)
    }

    fn check(&self, exchanged: &[PluginRef]) -> Result<(), Error> {
        if self.on_trial.is_empty() && exchanged.is_empty() {
            return Err(Error::Nothing);
        }
        let is_called = |plugin: &&PluginRef| self.definitions().any(|one| one.plugins.contains_key(*plugin));
        match exchanged.iter().find(|plugin| !is_called(plugin)) {
            Some(plugin) => Err(Error::NotCalled(plugin.to_string())),
            None => Ok(()),
        }
    }

    /// The workflows on trial.
    pub fn definitions(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.on_trial.iter().filter_map(|place| self.active.get(*place))
    }

    pub(super) fn named(&self) -> Vec<(Slug, Digest)> {
        self.definitions().map(|one| (one.workflow.clone(), one.revision)).collect()
    }

    pub(super) fn concerns(&self, workflow: Option<&Slug>) -> bool {
        workflow.is_some_and(|workflow| self.definitions().any(|one| one.workflow == *workflow))
    }
}

/// The texts of the active workflows that call one of these plugins.
fn callers(engine: &Engine, exchanged: &[PluginRef]) -> Result<Vec<String>, Error> {
    let mut sources = Vec::new();
    for definition in engine.registry().active() {
        if exchanged.iter().any(|plugin| definition.plugins.contains_key(plugin)) {
            sources.extend(workflows::find(engine, definition.revision)?.map(|revision| revision.source));
        }
    }
    Ok(sources)
}
