//! Replay: a recorded turn computed again by the rules that it was computed by.
//!
//! The case as it stood, the command and the facts come from the record; who speaks for the plugins is handed in. The same
//! rules and the same answers give the same entries, or the record does not say all that a decision rests on.

use crate::ask::{Answered, Ask};
use crate::case::Case;
use crate::case::command::{Body, Rejection};
use crate::case::entry::{Entry, Opened};
use crate::decision::{Decision, Turn};
use crate::ids::{Digest, TenantId};
use crate::workflow::definition::Definition;
use crate::workflow::run::{self, Input, Progress, Run};

/// Who speaks for the plugins; `None` where nobody has an answer.
pub type Answers<'a> = dyn FnMut(&Definition, &Ask, &Run) -> Option<Answered> + 'a;

/// The revisions that a turn was computed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revisions {
    /// What the case was pinned to, or was opened with; none of a case that no workflow took.
    pub pinned: Option<Digest>,
    /// What the turn moved it to.
    pub moved_to: Option<Digest>,
}

impl Revisions {
    /// Those of a turn of a case that stood like this before it.
    pub fn of(case: Option<&Case>, turn: &Turn) -> Self {
        let pinned = match case {
            Some(case) => case.revision,
            None => opened(turn).and_then(|opened| opened.revision),
        };
        let moved_to = match &turn.command.body {
            Body::Migrate(plan) if !is_deferred(turn) => Some(plan.to),
            _ => None,
        };
        Self { pinned, moved_to }
    }
}

/// What a turn is computed by again.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'d> {
    /// What the case is pinned to.
    pub pinned: Option<&'d Definition>,
    /// What the turn moved it to.
    pub moved_to: Option<&'d Definition>,
    /// The merchant.
    pub tenant: TenantId,
    /// The law that applies where the record does not say it.
    pub jurisdiction: &'d str,
}

/// Why a turn could not be computed again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stuck {
    /// The rules refuse what they once took.
    #[error("the command is refused now: {0}")]
    Rejected(#[from] Rejection),
    /// A question that nobody has an answer to.
    #[error("a question was asked that nobody answered")]
    Unanswered,
}

/// Compute a turn again, of a case that stood like this before it.
///
/// # Errors
/// The rules refuse the command, or ask what nobody answers.
pub fn again(rules: Rules<'_>, case: Option<Case>, turn: &Turn, answers: &mut Answers<'_>) -> Result<Decision, Stuck> {
    let (definition, run) = begin(rules, case, turn)?;
    let (mut run, mut answer) = (Box::new(run), None);
    loop {
        match run::advance(definition, run, answer.take()) {
            Progress::Decided(decision) => return Ok(*decision),
            Progress::Ask(asking) => {
                let asked = asking.question().zip(definition);
                answer = asked.and_then(|(ask, definition)| answers(definition, ask, &asking));
                if answer.is_none() {
                    return Err(Stuck::Unanswered);
                }
                run = asking;
            }
        }
    }
}

fn begin<'d>(rules: Rules<'d>, case: Option<Case>, turn: &Turn) -> Result<(Option<&'d Definition>, Run), Rejection> {
    let asked = turn.asks.first().map(|asked| asked.ask.jurisdiction.clone());
    let input = Input {
        tenant: rules.tenant,
        command: turn.command.clone(),
        facts: turn.facts.clone(),
        jurisdiction: asked.unwrap_or_else(|| rules.jurisdiction.to_owned()),
        opening: opened(turn).map(|opened| (opened.id, opened.number.clone())),
    };
    Ok(match (case, rules.pinned, rules.moved_to) {
        (Some(case), pinned, _) if is_deferred(turn) => (pinned, run::defer(pinned, case, input)?),
        (Some(case), Some(old), Some(new)) => (Some(new), run::migrate(old, new, case, input)?),
        (case, pinned, _) => (pinned, run::begin(pinned, case, input)?),
    })
}

fn opened(turn: &Turn) -> Option<&Opened> {
    turn.entries.iter().find_map(|entry| match entry {
        Entry::Opened(opened) => Some(&**opened),
        _ => None,
    })
}

/// The command was kept for later, because the revision was on hold.
fn is_deferred(turn: &Turn) -> bool {
    turn.entries.iter().any(|entry| matches!(entry, Entry::Deferred { .. }))
}
