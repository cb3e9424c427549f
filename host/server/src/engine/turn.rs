//! One turn: load, advance with asks answered by the sandbox, one append. Reruns on a conflict with the same time and ids.

use std::sync::Arc;

use redress_domain::ask::{Answered, Ask, Failure};
use redress_domain::case::Case;
use redress_domain::case::child::Pin;
use redress_domain::case::command::{Body, Command, Open, Rejection};
use redress_domain::case::entry::Entry;
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::decision::Decision;
use redress_domain::facts::Facts;
use redress_domain::ids::CaseId;
use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::run::{self, Input, Progress, Run, needs, route};
use redress_sandbox::{INFRASTRUCTURE_CODES, SAID_CODES, SUSPECT_CODES};
use redress_store::batch::{Batch, Idem, Stream, Version};
use redress_store::row::Row;
use redress_store::snapshot::Snapshot;
use redress_store::work::{ClaimRef, WorkItem, WorkKey};

use super::commit::{self, Beside};
use super::error::Error;
use super::hold::{self, Stance};
use super::listing::Before;
use super::personal::Contact;
use super::question::Question;
use super::repeat::Repeat;
use super::staged::{After, Shadowed};
use super::{Inner, Receipt, Seen, ask, facts, messages, personal, stay, told};

/// What a turn is computed from; kept over reruns.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// The case; minted for one that is opened.
    pub(super) case: CaseId,
    /// The number of a case that is opened.
    pub(super) number: Option<String>,
    /// What is to happen.
    pub(super) command: Command,
    /// Business time, where the submission said it.
    pub(super) said_at: Option<Instant>,
    /// The turn that the case must stand at.
    pub(super) expect: Option<u64>,
    /// The request that is answered.
    pub(super) repeat: Option<Repeat>,
    /// How the customer of a new case is reached.
    pub(super) contact: Contact,
    /// What whoever did a work item keeps of it.
    pub(super) kept: Vec<Row>,
    /// What is to be done after the work item.
    pub(super) next: Option<WorkItem>,
}

/// What a turn comes to before it is committed.
pub(super) enum Computed {
    /// To be committed.
    Decided(Box<Decision>, Box<Beside>, Box<After>),
    /// The case is paused: what was claimed for it is left to who wakes it.
    Left(Receipt, Box<Batch>),
    /// The submission was seen before: nothing is to be done, but the request may have to be remembered.
    Seen(Receipt, Option<Idem>),
}

/// Compute a turn as of now.
pub(super) fn compute(inner: &Inner, order: &Order, claim: Option<&ClaimRef>) -> Result<Computed, Error> {
    let snapshot = inner.store.read()?;
    if let Body::Open(open) = &order.command.body
        && let Some(receipt) = seen_before(&snapshot, open, order.said_at)?
    {
        let idem = commit::seen(&receipt, order);
        return Ok(Computed::Seen(receipt, idem));
    }
    let case = match snapshot.load_case(order.case)? {
        Some(head) => Some(codec::decode::<Case>(&head.bytes).map_err(Error::damaged("case"))?),
        None => None,
    };
    if let (Some(expected), Some(case)) = (order.expect, &case)
        && case.turn != expected
    {
        return Err(Error::Stale { expected, found: case.turn });
    }
    let is_unfinished = |case: &Case| case.is_cut() || !case.deferred.is_empty();
    if order.command.body == Body::Continue && claim.is_none() && !case.as_ref().is_some_and(is_unfinished) {
        // A pass over due work took the run on before us, and its work item with it.
        return Ok(Computed::Seen(unchanged(order, case.as_ref()), None));
    }
    let stance = hold::stance(&snapshot, case.as_ref(), &order.command)?;
    if let Stance::Leave(version) = stance {
        return Ok(left(order, case.as_ref(), claim, version));
    }
    let pinned = case.as_ref().and_then(|case| case.revision);
    let pinned = pinned.map(|revision| inner.registry.definition(revision)).transpose()?;
    let facts = facts_of(inner, &snapshot, case.as_ref(), pinned.as_ref(), order)?;
    let mut command = order.command.clone();
    let mut rows = personal::lift(&mut command, order.case, case.as_ref(), pinned.as_deref());
    rows.extend(personal::contact(&command.body, order.case, &order.contact));
    let input = Input {
        tenant: inner.record.id,
        command,
        facts,
        jurisdiction: inner.record.jurisdiction.clone(),
        opening: order.number.clone().map(|number| (order.case, number)),
    };
    let (before, stayed) = (Before::of(case.as_ref()), stay::Before::of(case.as_ref()));
    let mut woken = Vec::new();
    if let (Body::Migrate(_), Some(case)) = (&order.command.body, &case) {
        woken = hold::parked_of(&snapshot, case)?;
    }
    let (definition, run) = match (stance, case) {
        (Stance::Defer(_), Some(case)) => {
            let run = run::defer(pinned.as_deref(), case, input)?;
            (pinned, run)
        }
        (_, case) => begin(inner, &snapshot, pinned, case, input)?,
    };
    let (mut decision, shadowed) = advance(inner, definition.as_deref(), run);
    // What was kept is taken up turn by turn, from where the case is not paused any more.
    decision.resume |= !decision.case.deferred.is_empty() && hold::of_case(&snapshot, &decision.case)?.is_none();
    let cancel = done_work(&snapshot, &decision)?;
    rows.extend(before.rows(&snapshot, &decision)?);
    let (places, change) = stayed.rows(&snapshot, definition.as_deref(), &decision)?;
    rows.extend(places);
    rows.extend(order.kept.iter().cloned());
    let paused = match stance {
        Stance::Defer(version) => Some(version),
        Stance::Go | Stance::Leave(_) => None,
    };
    let (claim, repeat) = (claim.cloned(), order.repeat.clone());
    let (said_at, next) = (order.said_at, order.next.clone());
    let beside = Box::new(Beside { claim, next, cancel, woken, paused, rows, said_at, repeat });
    Ok(Computed::Decided(decision, beside, Box::new(After { change, shadowed })))
}

/// What the turn reads beside the case, with what its plugins are told.
fn facts_of(
    inner: &Inner,
    snapshot: &Snapshot,
    case: Option<&Case>,
    pinned: Option<&Arc<Definition>>,
    order: &Order,
) -> Result<Facts, Error> {
    let mut facts = facts::load(snapshot, case, &order.command.body)?;
    let deciding = deciding(inner, case, pinned, order)?;
    told::load(snapshot, &deciding, case, &order.command, &mut facts)?;
    Ok(facts)
}

/// The definitions whose plugins may be asked in this turn: the one that the case is pinned to and the one that it moves to; of a case
/// that is opened, all that may take it.
fn deciding(
    inner: &Inner,
    case: Option<&Case>,
    pinned: Option<&Arc<Definition>>,
    order: &Order,
) -> Result<Vec<Arc<Definition>>, Error> {
    if case.is_none() {
        let mut all = inner.registry.active();
        all.extend(inner.registry.canaries());
        if let Body::Open(open) = &order.command.body
            && let Some(called) = &open.called
        {
            all.extend(inner.registry.pinned(&called.workflow, &called.pin));
        }
        return Ok(all);
    }
    let moves_to = match &order.command.body {
        Body::Migrate(plan) => Some(inner.registry.definition(plan.to)?),
        _ => None,
    };
    Ok(pinned.cloned().into_iter().chain(moves_to).collect())
}

fn unchanged(order: &Order, case: Option<&Case>) -> Receipt {
    Receipt { case: order.case, turn: case.map_or(0, |case| case.turn), seen: Seen::Unchanged }
}

/// A run that was cut waits until its case is woken: its work item goes, and whoever ends the hold writes another.
fn left(order: &Order, case: Option<&Case>, claim: Option<&ClaimRef>, paused: Version) -> Computed {
    let receipt = unchanged(order, case);
    let Some(claim) = claim else { return Computed::Seen(receipt, None) };
    let mut batch = Box::new(Batch::default());
    batch.depend(Stream::Tenant, paused);
    batch.work.finish.push(claim.clone());
    Computed::Left(receipt, batch)
}

/// The turn with what it goes on by: what the case is pinned to, what takes it, or what it moves to.
fn begin(
    inner: &Inner,
    snapshot: &Snapshot,
    pinned: Option<Arc<Definition>>,
    case: Option<Case>,
    input: Input,
) -> Result<(Option<Arc<Definition>>, Run), Error> {
    if let (Body::Migrate(plan), Some(old), Some(case)) = (&input.command.body, &pinned, &case) {
        if hold::of(snapshot, plan.to)?.is_some() {
            return Err(Rejection::new("migration_refused", "on_hold: the revision to go to is on hold").into());
        }
        let new = inner.registry.definition(plan.to)?;
        let run = run::migrate(old, &new, case.clone(), input)?;
        return Ok((Some(new), run));
    }
    let definition = match &case {
        Some(_) => pinned,
        None => route(inner, &input)?,
    };
    if let (None, Some(taking)) = (&case, &definition) {
        hold::check_open(snapshot, taking.revision)?;
        needs::check(taking, &input.command)?;
    }
    let run = run::begin(definition.as_deref(), case, input)?;
    Ok((definition, run))
}

/// The workflow that takes a new case: of each the active revision, or its canary where the case's id falls to that. The past
/// is decided by what is active.
fn route(inner: &Inner, input: &Input) -> Result<Option<Arc<Definition>>, Error> {
    if let Body::Open(open) = &input.command.body
        && let Some(called) = open.called.as_ref().filter(|called| called.pin != Pin::Active)
    {
        return Ok(inner.registry.pinned(&called.workflow, &called.pin));
    }
    let active = match (&input.command.body, &input.opening) {
        (Body::Open(open), Some((case, _))) if !open.history => inner.registry.offered(*case),
        _ => inner.registry.active(),
    };
    let chosen = route::route(active.iter().map(AsRef::as_ref), input)?;
    let chosen = chosen.and_then(|chosen| active.iter().find(|one| one.revision == chosen.revision).cloned());
    Ok(chosen.map(|chosen| instead_of_canary(inner, chosen, input)))
}

/// A canary that does not take what starts a case leaves it to the active revision, which said who may start what.
fn instead_of_canary(inner: &Inner, chosen: Arc<Definition>, input: &Input) -> Arc<Definition> {
    if run::start::check(&chosen, input).is_ok() {
        return chosen;
    }
    inner.registry.pinned(&chosen.workflow, &Pin::Active).unwrap_or(chosen)
}

/// The case that was opened under this name before, as it stands.
fn seen_before(snapshot: &Snapshot, open: &Open, said_at: Option<Instant>) -> Result<Option<Receipt>, Error> {
    let Some(external) = &open.external else { return Ok(None) };
    let Some((case, content)) = snapshot.case_by_external(&external.source, &external.id)? else { return Ok(None) };
    let turn = snapshot.load_case(case)?.map_or(0, |head| head.version.0);
    let same = content == commit::content(open, said_at);
    Ok(Some(Receipt { case, turn, seen: if same { Seen::Unchanged } else { Seen::Changed } }))
}

/// The turn to its end, and what shadows are to be asked once it is stored.
fn advance(inner: &Inner, definition: Option<&Definition>, run: Run) -> (Box<Decision>, Vec<Shadowed>) {
    let (mut run, mut answer, mut shadowed) = (Box::new(run), None, Vec::new());
    loop {
        match run::advance(definition, run, answer.take()) {
            Progress::Decided(decision) => {
                let fuel = decision.turn.asks.iter().map(|asked| asked.answered.fuel);
                inner.workers.spent(inner.record.id, fuel.fold(0, u64::saturating_add));
                return (decision, shadowed);
            }
            Progress::Ask(asking) => {
                // Only a definition has steps that ask.
                let (ask, definition) = asking.question().zip(definition).expect("a run that asks has a question");
                let told = inner.stand_in.as_ref().and_then(|stand_in| stand_in.answer(ask, &asking));
                answer = Some(match told {
                    Some(told) => ask::told(&inner.sandbox, told),
                    None => {
                        let (answered, question) = answer_of(inner, definition, ask, &asking);
                        let shadow = inner.shadows.of(&ask.plugin, ask.digest).zip(question);
                        let of = |(shadow, question)| Shadowed::new(shadow, ask, question, &answered);
                        shadowed.extend(shadow.map(of));
                        answered
                    }
                });
                run = asking;
            }
        }
    }
}

/// What a plugin says; nothing of one that rests.
fn answer_of(inner: &Inner, definition: &Definition, ask: &Ask, run: &Run) -> (Answered, Option<Question>) {
    let resting = inner.breakers.resting(ask.digest, inner.clock.now());
    let is_resting = resting.is_some();
    let known = |request| resting.map(|failure| Answered { request, ..ask::told(&inner.sandbox, Err(failure)) });
    let (answered, question) = ask::answer(&inner.sandbox, definition, ask, run, known);
    match &answered.outcome {
        _ if is_resting => {}
        Err(failure) if SAID_CODES.contains(&failure.code.as_str()) => inner.breakers.answered(ask.digest),
        // The host's trouble is not the plugin's; but a plugin that is interrupted may work at what fuel does not measure, and one whose
        // process is lost may be what ends it.
        Err(Failure { code, .. }) if is_hosts(code) => {}
        Err(failure) => inner.breakers.failed(ask.digest, &failure.code, inner.clock.now()),
        Ok(_) => inner.breakers.answered(ask.digest),
    }
    (answered, question)
}

/// Whether a failure is the host's, and none that the plugin may have brought about.
fn is_hosts(code: &str) -> bool {
    INFRASTRUCTURE_CODES.contains(&code) && !SUSPECT_CODES.contains(&code)
}

/// The work items that this turn leaves nothing to do for: effects that it settled or sends anew, the run that it went on with, and
/// the opening of what it calls off.
fn done_work(snapshot: &Snapshot, decision: &Decision) -> Result<Vec<WorkKey>, Error> {
    let settled = decision.turn.entries.iter().filter_map(|entry| match entry {
        Entry::Settled { key, .. } | Entry::Resent { key, .. } => Some(commit::effect_key(key)),
        _ => None,
    });
    let is_continued = decision.turn.command.body == Body::Continue || decision.resume;
    let continued = is_continued.then(|| commit::resume_key(decision.case.id, decision.turn.number - 1));
    let mut done = Vec::new();
    for key in settled.chain(continued).chain(messages::needless(decision)) {
        if !done.contains(&key) && snapshot.work(&key)?.is_some() {
            done.push(key);
        }
    }
    Ok(done)
}
