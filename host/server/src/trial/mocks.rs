//! The mocks of a test, in place of plugins.

use std::collections::BTreeMap;

use redress_domain::ask::{Answer, Ask, Failure};
use redress_domain::workflow::run::Run;
use redress_domain::workflow::trial::{Mock, Trial};

use crate::engine::stand_in::StandIn;

/// Answers by the name under which the workflow calls a plugin.
pub(super) struct Mocks(BTreeMap<String, Mock>);

impl Mocks {
    pub(super) fn of(trial: &Trial) -> Self {
        Self(trial.mocks.iter().map(|(plugin, mock)| (plugin.to_string(), mock.clone())).collect())
    }
}

impl StandIn for Mocks {
    fn answer(&self, ask: &Ask, run: &Run) -> Option<Result<Answer, Failure>> {
        Some(self.0.get(&ask.plugin)?.answer(run.case(), &run.facts()))
    }

    fn opens_sub_cases(&self) -> bool {
        false
    }
}
