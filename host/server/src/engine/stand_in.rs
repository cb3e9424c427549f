//! Who answers in place of plugins, where a workflow is tried out: the engine asks here first.

use redress_domain::ask::{Answer, Ask, Failure};
use redress_domain::workflow::run::Run;

/// Answers some questions in place of the plugins that they are put to. What it answers is checked like the answer of a plugin.
pub trait StandIn: Send + Sync {
    /// The answer, or how the plugin is to fail; `None` for a question that goes to the plugin itself. `run` holds the case and the
    /// facts that the question is about.
    fn answer(&self, ask: &Ask, run: &Run) -> Option<Result<Answer, Failure>>;

    /// Whether sub-cases are really opened; otherwise whoever tries the workflow out says how they end.
    fn opens_sub_cases(&self) -> bool {
        true
    }
}
