//! Deciding a recorded case again: the same command and the same facts, other rules.

use crate::ask::{Answered, Ask};
use crate::case::Case;
use crate::case::child::Pin;
use crate::case::command::{Actor, Body, Command, Rejection};
use crate::case::entry::{Entry, Opened};
use crate::case::evolve::{self, Impossible, Stamp};
use crate::clock::Instant;
use crate::decision::{Decision, Turn, Work};
use crate::facts::{Facts, LedgerAt};
use crate::ids::TenantId;
use crate::workflow::definition::Definition;
use crate::workflow::run::{self, Input, Progress, Run, route};

use super::side::Side;

/// Turns that a run may be cut into before its first wait; more than any workflow of the language's size can need.
pub const STRETCH_TURNS_MAX: usize = 64;

/// Turns of a case that are played again; a longer case is unknown.
pub const WHOLE_TURNS_MAX: usize = 10_000;

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

    /// The whole life of a case: every turn that it has had.
    ///
    /// # Errors
    /// The journal does not fold, or `next` failed.
    pub fn read_whole<E: From<Impossible>>(
        first: Turn,
        mut next: impl FnMut(u64) -> Result<Option<Turn>, E>,
    ) -> Result<Option<Self>, E> {
        let mut turns = vec![first];
        while turns.len() < WHOLE_TURNS_MAX {
            match next(turns.len() as u64 + 1)? {
                Some(turn) => turns.push(turn),
                None => break,
            }
        }
        let stamped = turns.iter().map(|turn| (Stamp { at: turn.at, turn: turn.number }, &turn.entries[..]));
        Ok(evolve::fold(stamped)?.map(|case| Self { turns, case }))
    }

    /// What the decision came to.
    pub fn side(&self) -> Side {
        Side::of(&self.case, self.entries())
    }

    /// What came of it in the end, of a whole life.
    pub fn end(&self) -> Side {
        Side::of_whole(&self.case, self.turns.iter().flat_map(|turn| &turn.entries))
    }

    /// Questions and answers of the stretch.
    pub fn answers(&self) -> impl Iterator<Item = (&Ask, &Answered)> {
        self.turns.iter().flat_map(|turn| &turn.asks).map(|asked| (&asked.ask, &asked.answered))
    }

    /// The turns in their order.
    pub(super) fn turns(&self) -> &[Turn] {
        &self.turns
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
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

/// Who speaks for the plugins.
pub type Answers<'a> = dyn FnMut(&Definition, &Ask, &Run) -> Answered + 'a;

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

/// Which rules a case is decided by again.
pub(super) enum Chosen<'d> {
    /// None that are on trial.
    Elsewhere,
    /// What its record does not tell.
    Unknown(Unknown),
    /// These, where any takes it, and how it is opened.
    By(Result<Option<&'d Definition>, Rejection>, Box<Input>),
}

impl<'d> Rules<'d> {
    /// Decide a case again, up to its first wait. `answer` speaks for the plugins.
    pub fn again(&self, stretch: &Stretch, answer: &mut Answers<'_>) -> Again {
        let (routed, input) = match self.choose(stretch) {
            Chosen::Elsewhere => return Again::Elsewhere,
            Chosen::Unknown(unknown) => return Again::Unknown(unknown),
            Chosen::By(routed, input) => (routed, *input),
        };
        match routed.and_then(|chosen| Played::open(chosen, input, answer)) {
            Err(rejection) => Again::Decided(Side::refused(rejection.code, stretch.case.currency)),
            Ok(None) => too_long(),
            Ok(Some(played)) => played.told(stretch),
        }
    }

    pub(super) fn choose(&self, stretch: &Stretch) -> Chosen<'d> {
        let Some((first, opened)) = stretch.opened() else {
            return Chosen::Unknown(Unknown {
                code: "record_incomplete",
                step: None,
                why: "its first record does not tell how it was opened".to_owned(),
            });
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
            return Chosen::Elsewhere;
        }
        let routed = route::route(self.active.iter().copied(), &input);
        let on_trial = || self.on_trial.iter().filter_map(|place| self.active.get(*place));
        let was_theirs = opened.workflow.as_ref().is_some_and(|was| on_trial().any(|one| one.workflow == *was));
        let is_theirs = match &routed {
            // What others refuse as well is not for the rules on trial to answer.
            Err(_) => route::route(self.others(), &input).is_ok(),
            Ok(chosen) => chosen.is_some_and(|chosen| on_trial().any(|one| one.revision == chosen.revision)),
        };
        if was_theirs || is_theirs { Chosen::By(routed, Box::new(input)) } else { Chosen::Elsewhere }
    }

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

fn too_long() -> Again {
    let why = "its run is cut too often before its first wait".to_owned();
    Again::Unknown(Unknown { code: "too_long", step: None, why })
}

/// A case that is decided again, as far as it has come.
pub(super) struct Played<'d> {
    definition: Option<&'d Definition>,
    tenant: TenantId,
    jurisdiction: String,
    /// The case as it stands.
    pub(super) case: Case,
    facts: Facts,
    entries: Vec<Entry>,
    /// What is to be done later, in the order in which it was wanted.
    pub(super) later: Vec<Work>,
    /// How it goes on, where its run was cut.
    cut: Option<Command>,
}

impl<'d> Played<'d> {
    /// Open it and run to the first wait, or to where the run is cut.
    pub(super) fn begin(
        definition: Option<&'d Definition>,
        input: Input,
        answer: &mut Answers<'_>,
    ) -> Result<Self, Rejection> {
        let (tenant, jurisdiction) = (input.tenant, input.jurisdiction.clone());
        let decision = advance(definition, run::begin(definition, None, input)?, answer);
        let mut played = Self {
            definition,
            tenant,
            jurisdiction,
            case: decision.case.clone(),
            facts: Facts::default(),
            entries: Vec::new(),
            later: Vec::new(),
            cut: None,
        };
        played.take(decision);
        Ok(played)
    }

    /// Open it and run to the first wait; none where the run is cut too often.
    pub(super) fn open(
        definition: Option<&'d Definition>,
        input: Input,
        answer: &mut Answers<'_>,
    ) -> Result<Option<Self>, Rejection> {
        let mut played = Self::begin(definition, input, answer)?;
        Ok(played.settle_down(answer)?.then_some(played))
    }

    /// Give it a command and run to the next wait, or to where the run is cut.
    pub(super) fn give(&mut self, command: Command, answer: &mut Answers<'_>) -> Result<(), Rejection> {
        let input = Input {
            tenant: self.tenant,
            command,
            facts: self.facts.clone(),
            jurisdiction: self.jurisdiction.clone(),
            opening: None,
        };
        let run = run::begin(self.definition, Some(self.case.clone()), input)?;
        let decision = advance(self.definition, run, answer);
        self.take(decision);
        Ok(())
    }

    /// Go on with a run that was cut, as of this time; nothing where none was.
    pub(super) fn go_on(&mut self, at: Option<Instant>, answer: &mut Answers<'_>) -> Result<(), Rejection> {
        match self.cut.take() {
            Some(command) => self.give(Command { occurred_at: at.unwrap_or(command.occurred_at), ..command }, answer),
            None => Ok(()),
        }
    }

    /// Run to the next wait; false where the run is cut too often.
    pub(super) fn settle_down(&mut self, answer: &mut Answers<'_>) -> Result<bool, Rejection> {
        for _ in 0..STRETCH_TURNS_MAX {
            if self.cut.is_none() {
                return Ok(true);
            }
            self.go_on(None, answer)?;
        }
        Ok(false)
    }

    /// The case and the facts as the decision leaves them: what it took is no longer left.
    fn take(&mut self, decision: Decision) {
        let go_on = || Command { actor: Actor::host(), body: Body::Continue, ..decision.turn.command.clone() };
        // Also where something else came in between: the rest of the run is still to come.
        self.cut = (decision.resume || decision.case.is_cut()).then(go_on);
        self.facts = decision.turn.facts;
        for (order, taken) in decision.ledgers {
            let now = LedgerAt { version: taken.version + 1, ledger: Some(taken.ledger) };
            self.facts.ledgers.insert(order, now);
        }
        self.facts.own.clone_from(&decision.case.reserved);
        self.entries.extend(decision.turn.entries);
        self.later.extend(decision.work);
        self.case = decision.case;
    }

    /// The facts as they were recorded: the case has done nothing to them that its record does not tell.
    pub(super) fn adopt(&mut self, facts: &Facts) {
        self.facts = Facts { own: self.case.reserved.clone(), ..facts.clone() };
    }

    /// What was read that was not there when the case was opened; what it took itself stays taken.
    pub(super) fn learn(&mut self, facts: &Facts) {
        for (order, at) in &facts.ledgers {
            self.facts.ledgers.entry(order.clone()).or_insert_with(|| at.clone());
        }
        if self.facts.purchases.is_empty() {
            self.facts.purchases.clone_from(&facts.purchases);
        }
        if self.facts.order.is_none() {
            self.facts.order.clone_from(&facts.order);
        }
    }

    /// What came of it by its first wait.
    fn told(&self, recorded: &Stretch) -> Again {
        match missing(&self.entries, recorded) {
            Some(unknown) => Again::Unknown(unknown),
            None => Again::Decided(Side::of(&self.case, &self.entries)),
        }
    }

    /// What came of it in the end.
    pub(super) fn told_in_the_end(&self, recorded: &Stretch) -> Again {
        match missing(&self.entries, recorded) {
            Some(unknown) => Again::Unknown(unknown),
            None => Again::Decided(Side::of_whole(&self.case, &self.entries)),
        }
    }

    /// The workflow that decides it, where one does.
    pub(super) fn definition(&self) -> Option<&'d Definition> {
        self.definition
    }
}

fn advance(definition: Option<&Definition>, run: Run, answer: &mut Answers<'_>) -> Decision {
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
