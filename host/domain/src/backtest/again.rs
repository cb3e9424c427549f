//! Deciding a recorded case again: the same command and the same facts, other rules.

use crate::ask::{Answered, Ask};
use crate::case::Case;
use crate::case::child::Pin;
use crate::case::command::{Actor, Body, Command, Rejection};
use crate::case::entry::{Entry, Opened};
use crate::case::evolve::{self, Impossible, Stamp};
use crate::decision::{Decision, Turn};
use crate::facts::{Facts, LedgerAt};
use crate::ids::TenantId;
use crate::workflow::definition::Definition;
use crate::workflow::run::{self, Input, Progress, Run, route};

use super::side::Side;

/// Turns that a run may be cut into before its first wait; more than any workflow of the language's size can need.
pub const STRETCH_TURNS_MAX: usize = 64;

/// The code of an expression that reads what nobody recorded.
const MISSING: &str = "expression_missing";

/// The first stretch of a case: from its opening to its first wait, as it was recorded.
#[derive(Debug, Clone)]
pub struct Stretch {
    turns: Vec<Turn>,
    /// The case at its first wait.
    pub case: Case,
}

impl Stretch {
    /// The stretch that begins with a case's first turn; `next` gives the turns after it, one by one, and is asked only where a
    /// long run was cut.
    ///
    /// # Errors
    /// The journal does not fold, or `next` failed.
    pub fn read<E: From<Impossible>>(
        first: Turn,
        mut next: impl FnMut(u64) -> Result<Option<Turn>, E>,
    ) -> Result<Option<Self>, E> {
        let mut turns = vec![first];
        loop {
            let stamped = turns.iter().map(|turn| (Stamp { at: turn.at, turn: turn.number }, &turn.entries[..]));
            let Some(case) = evolve::fold(stamped)? else { return Ok(None) };
            let is_cut = case.is_cut() && turns.len() < STRETCH_TURNS_MAX;
            match if is_cut { next(case.turn + 1)? } else { None } {
                Some(turn) => turns.push(turn),
                None => return Ok(Some(Self { turns, case })),
            }
        }
    }

    /// What the decision came to.
    pub fn side(&self) -> Side {
        Side::of(&self.case, self.entries())
    }

    /// Questions and answers of the stretch.
    pub fn answers(&self) -> impl Iterator<Item = (&Ask, &Answered)> {
        self.turns.iter().flat_map(|turn| &turn.asks).map(|asked| (&asked.ask, &asked.answered))
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.turns.iter().flat_map(|turn| &turn.entries)
    }

    fn opened(&self) -> Option<(&Turn, &Opened)> {
        let first = self.turns.first()?;
        match first.entries.first()? {
            Entry::Opened(opened) => Some((first, opened)),
            _ => None,
        }
    }
}

/// The rules that a case is decided by again.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'d> {
    /// All that would be active; the trigger chooses among them.
    pub active: &'d [&'d Definition],
    /// Those of them that are on trial, by their place.
    pub on_trial: &'d [usize],
    /// The merchant.
    pub tenant: TenantId,
    /// The law that applies, where the record does not say it.
    pub jurisdiction: &'d str,
}

/// What became of a case that was decided again.
#[derive(Debug, Clone, PartialEq)]
pub enum Again {
    /// The rules on trial have nothing to do with it.
    Elsewhere,
    /// It was decided.
    Decided(Side),
    /// The rules would need what nobody recorded.
    Unknown(Unknown),
}

/// Why nobody can say what would have come of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// A stable code: `fact_missing`, `too_long`, `record_incomplete`.
    pub code: &'static str,
    /// The step that needs it, where one does.
    pub step: Option<String>,
    /// For a person; quotes no data.
    pub why: String,
}

impl Rules<'_> {
    /// Decide a case again. `answer` speaks for the plugins.
    pub fn again(&self, stretch: &Stretch, answer: &mut dyn FnMut(&Definition, &Ask, &Run) -> Answered) -> Again {
        let Some((first, opened)) = stretch.opened() else {
            return unknown("record_incomplete", None, "its first record does not tell how it was opened");
        };
        let asked = first.asks.first().map(|asked| asked.ask.jurisdiction.clone());
        let input = Input {
            tenant: self.tenant,
            command: first.command.clone(),
            facts: first.facts.clone(),
            jurisdiction: asked.unwrap_or_else(|| self.jurisdiction.to_owned()),
            opening: Some((opened.id, opened.number.clone())),
        };
        if opened_by_pin(&input.command.body) {
            return Again::Elsewhere;
        }
        let routed = route::route(self.active.iter().copied(), &input);
        let on_trial = || self.on_trial.iter().filter_map(|place| self.active.get(*place));
        let was_theirs = opened.workflow.as_ref().is_some_and(|was| on_trial().any(|one| one.workflow == *was));
        let is_theirs = match &routed {
            // What others refuse as well is not for the rules on trial to answer.
            Err(_) => route::route(self.others(), &input).is_ok(),
            Ok(chosen) => chosen.is_some_and(|chosen| on_trial().any(|one| one.revision == chosen.revision)),
        };
        if !was_theirs && !is_theirs {
            return Again::Elsewhere;
        }
        let decided = routed.and_then(|chosen| decide(chosen, input, answer));
        match decided {
            Err(rejection) => Again::Decided(Side::refused(rejection.code, stretch.case.currency)),
            Ok(None) => unknown("too_long", None, "its run is cut too often before its first wait"),
            Ok(Some((case, entries))) => match missing(&entries, stretch) {
                Some(unknown) => Again::Unknown(unknown),
                None => Again::Decided(Side::of(&case, &entries)),
            },
        }
    }
}

impl<'d> Rules<'d> {
    fn others(&self) -> impl Iterator<Item = &'d Definition> {
        let places = self.on_trial;
        self.active.iter().enumerate().filter(|(place, _)| !places.contains(place)).map(|(_, one)| *one)
    }
}

/// Whether a case is a sub-case that names its revision: what would be active does not concern it.
pub fn opened_by_pin(body: &Body) -> bool {
    let Body::Open(open) = body else { return false };
    open.called.as_ref().is_some_and(|called| called.pin != Pin::Active)
}

/// What became of a case that was run anew, on a ledger of its own.
pub fn as_run(before: &Stretch, after: &Stretch) -> Again {
    missing(after.entries(), before).map_or_else(|| Again::Decided(after.side()), Again::Unknown)
}

fn unknown(code: &'static str, step: Option<String>, why: &str) -> Again {
    Again::Unknown(Unknown { code, step, why: why.to_owned() })
}

type Decided = (Case, Vec<Entry>);

/// Run to the first wait; none where the run is cut too often.
fn decide(
    definition: Option<&Definition>,
    input: Input,
    answer: &mut dyn FnMut(&Definition, &Ask, &Run) -> Answered,
) -> Result<Option<Decided>, Rejection> {
    let (tenant, jurisdiction) = (input.tenant, input.jurisdiction.clone());
    let mut decision = advance(definition, run::begin(definition, None, input)?, answer);
    let mut entries = std::mem::take(&mut decision.turn.entries);
    for _ in 1..STRETCH_TURNS_MAX {
        if !decision.resume {
            return Ok(Some((decision.case, entries)));
        }
        let input = Input {
            tenant,
            command: Command { actor: Actor::host(), body: Body::Continue, ..decision.turn.command },
            facts: moved_on(decision.turn.facts, &decision.case, decision.ledgers),
            jurisdiction: jurisdiction.clone(),
            opening: None,
        };
        decision = advance(definition, run::begin(definition, Some(decision.case), input)?, answer);
        entries.append(&mut decision.turn.entries);
    }
    Ok(None)
}

/// The facts as the decision leaves them: what it took is no longer left.
fn moved_on(
    facts: Facts,
    case: &Case,
    taken: std::collections::BTreeMap<crate::ids::OrderId, crate::decision::Taken>,
) -> Facts {
    let mut facts = facts;
    for (order, taken) in taken {
        facts.ledgers.insert(order, LedgerAt { version: taken.version + 1, ledger: Some(taken.ledger) });
    }
    facts.own.clone_from(&case.reserved);
    facts
}

fn advance(
    definition: Option<&Definition>,
    run: Run,
    answer: &mut dyn FnMut(&Definition, &Ask, &Run) -> Answered,
) -> Decision {
    let (mut run, mut answered) = (Box::new(run), None);
    loop {
        match run::advance(definition, run, answered.take()) {
            Progress::Decided(decision) => return *decision,
            Progress::Ask(asking) => {
                answered = asking.question().zip(definition).map(|(ask, definition)| answer(definition, ask, &asking));
                run = asking;
            }
        }
    }
}

/// What the run wanted to read and nobody had recorded. What failed in the same way when it was decided first is no news.
fn missing<'e>(entries: impl IntoIterator<Item = &'e Entry>, stretch: &Stretch) -> Option<Unknown> {
    let failure = |entry: &Entry| match entry {
        Entry::Failed { step, code, detail } if code == MISSING => Some((step.clone(), detail.clone())),
        _ => None,
    };
    let known: Vec<_> = stretch.entries().filter_map(failure).collect();
    let (step, why) =
        entries.into_iter().filter_map(failure).find(|(_, why)| !known.iter().any(|(_, known)| known == why))?;
    Some(Unknown { code: "fact_missing", step: Some(step.to_string()), why })
}
