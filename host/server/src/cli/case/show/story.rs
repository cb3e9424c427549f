//! What is known of a case, put together: the case, its journal, its revision, and what was said of each line.

use std::collections::BTreeMap;

use redress_domain::case::entry::Entry;
use redress_domain::case::{Case, EffectState, Item, Output, What};
use redress_domain::clock::Zone;
use redress_domain::codec;
use redress_domain::decision::Turn;
use redress_domain::facts::Purchase;
use redress_domain::ids::{CaseId, Digest, OrderId, Slug};
use redress_domain::money::Money;
use redress_domain::verdict::{LineVerdict, Take};
use redress_store::batch::Version;
use redress_store::snapshot::Snapshot;

use crate::cli::error::Error;
use crate::engine::log::Since;
use crate::engine::{self, Engine};
use crate::publish::workflows::{self, Revision};

/// Turns that are read at once.
const PAGE_TURNS: usize = 256;

/// A case with everything that led to it.
pub(super) struct Story {
    pub(super) case: Case,
    /// The tenant's zone, for people.
    pub(super) zone: Zone,
    /// The revision that it is pinned to.
    pub(super) revision: Option<Revision>,
    /// Since when its revision is on hold, by whom and why.
    pub(super) paused: Option<Since>,
    /// The plugins that the revision is pinned to, and those that were asked: their names.
    pub(super) plugins: BTreeMap<Digest, String>,
    /// The journal, oldest first.
    pub(super) turns: Vec<Turn>,
    /// What was said of each line and taken for it, in the order of the case's lines.
    pub(super) lines: Vec<LineStory>,
}

/// Why a line came out as it did.
#[derive(Default)]
pub(super) struct LineStory {
    /// Out of which purchases.
    pub(super) takes: Vec<LineTake>,
    /// What plugins and people said of it, oldest first.
    pub(super) opinions: Vec<Opinion>,
}

/// Units of a purchase for a line.
pub(super) struct LineTake {
    pub(super) take: Take,
    pub(super) state: TakeState,
    /// The money for it, once it is booked.
    pub(super) amount: Option<Money>,
    /// The purchase as it was last read.
    pub(super) purchase: Option<Purchase>,
}

/// How far a take has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakeState {
    /// A verdict names it; nothing is held.
    Proposed,
    /// Promised to the case.
    Reserved,
    /// Its refund is booked.
    Refunded,
}

impl TakeState {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Reserved => "reserved",
            Self::Refunded => "refunded",
        }
    }
}

/// What was said of a line in one step.
pub(super) struct Opinion {
    pub(super) turn: u64,
    pub(super) step: Slug,
    /// The plugin; none where a person decided.
    pub(super) plugin: Option<Digest>,
    pub(super) verdict: LineVerdict,
}

impl Story {
    /// Read a case and its journal, as of one moment.
    pub(super) fn read(engine: &Engine, snapshot: &Snapshot, id: CaseId) -> Result<Option<Self>, Error> {
        let Some(head) = snapshot.load_case(id)? else { return Ok(None) };
        let case: Case = codec::decode(&head.bytes).map_err(engine::Error::damaged("case"))?;
        let revision = case.revision.map(|revision| workflows::find(engine, revision)).transpose()?.flatten();
        let turns = turns(snapshot, id)?;
        Ok(Some(Self {
            zone: engine.record().zone,
            paused: engine.hold_of(&case)?.map(|hold| hold.since),
            plugins: plugins(revision.as_ref(), &turns),
            lines: lines(&case, &turns),
            revision,
            turns,
            case,
        }))
    }

    /// The name of a component, with the beginning of its digest.
    pub(super) fn plugin(&self, digest: Digest) -> String {
        match self.plugins.get(&digest) {
            Some(name) => format!("{name} {}", digest.short()),
            None => digest.short(),
        }
    }
}

fn turns(snapshot: &Snapshot, id: CaseId) -> Result<Vec<Turn>, Error> {
    let (mut from, mut turns) = (Version(1), Vec::new());
    loop {
        let rows = snapshot.journal(id, from, PAGE_TURNS)?;
        for row in &rows {
            turns.push(codec::decode(&row.record).map_err(engine::Error::damaged("turn"))?);
            from = row.turn.next();
        }
        if rows.len() < PAGE_TURNS {
            return Ok(turns);
        }
    }
}

fn plugins(revision: Option<&Revision>, turns: &[Turn]) -> BTreeMap<Digest, String> {
    let asked = turns.iter().flat_map(|turn| &turn.asks).map(|asked| (asked.ask.digest, asked.ask.plugin.clone()));
    let pinned = revision.into_iter().flat_map(|revision| &revision.plugins);
    asked.chain(pinned.map(|(name, digest)| (*digest, name.clone()))).collect()
}

fn lines(case: &Case, turns: &[Turn]) -> Vec<LineStory> {
    let mut lines: Vec<LineStory> = case.lines.iter().map(|_| LineStory::default()).collect();
    for (turn, entry) in turns.iter().flat_map(|turn| turn.entries.iter().map(move |entry| (turn.number, entry))) {
        let Entry::Gave { step, plugin, output: Output::Verdict(verdict) } = entry else { continue };
        for said in &verdict.lines {
            if let Some(line) = lines.get_mut(said.line as usize) {
                line.opinions.push(Opinion { turn, step: step.clone(), plugin: *plugin, verdict: said.clone() });
            }
        }
    }
    for (number, line) in (0..).zip(&mut lines) {
        line.takes = takes(case, turns, number, &line.opinions);
    }
    lines
}

/// What is refunded and what is held; where nothing is, what the last verdict names.
fn takes(case: &Case, turns: &[Turn], line: u32, opinions: &[Opinion]) -> Vec<LineTake> {
    let one = |take: &Take, state, amount| LineTake {
        take: take.clone(),
        state,
        amount,
        purchase: purchase(turns, &take.order, take.line),
    };
    let refunded = refunded(case).filter(|item| item.line == line);
    let mut takes: Vec<_> = refunded.map(|item| one(&item.take, TakeState::Refunded, Some(item.amount))).collect();
    let held = case.reserved.iter().filter(|held| held.line == line);
    takes.extend(held.map(|held| one(&held.take, TakeState::Reserved, None)));
    if takes.is_empty() {
        let named = opinions.iter().rev().map(|opinion| &opinion.verdict.takes).find(|takes| !takes.is_empty());
        takes.extend(named.into_iter().flatten().map(|take| one(take, TakeState::Proposed, None)));
    }
    takes
}

/// What the refunds of the case are for; a declined one gave its units back.
fn refunded(case: &Case) -> impl Iterator<Item = &Item> {
    let sent = case.effects.values().filter(|effect| effect.state != EffectState::Declined);
    sent.flat_map(|effect| match &effect.what {
        What::Refund(refund) => refund.items.as_slice(),
        What::Restock { .. } | What::Notice { .. } | What::Http(_) | What::Exchange(_) => &[],
    })
}

fn purchase(turns: &[Turn], order: &OrderId, line: u32) -> Option<Purchase> {
    turns.iter().rev().find_map(|turn| turn.facts.purchase(order, line)).cloned()
}
