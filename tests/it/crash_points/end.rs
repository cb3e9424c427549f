//! The end of a case, as far as it must be the same whatever happened on the way.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use redress_domain::case::evolve::{self, Stamp};
use redress_domain::case::{Case, Effect, What};
use redress_domain::codec;
use redress_domain::decision::Turn;
use redress_domain::ids::CaseId;
use redress_store::audit::{self, Verified};
use redress_store::batch::Version;
use redress_tests::shop::stands;
use redress_tests::world::Merchant;

use super::book::Book;

/// The end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    stands: String,
    refunded: String,
    /// Every effect: its step, what it is, what became of it.
    effects: Vec<String>,
    undone: Vec<bool>,
    tasks: Vec<String>,
    vars: String,
    /// Promised units and the ledgers.
    books: String,
    /// What the provider was asked for and how often it did it.
    legs: BTreeMap<String, (usize, usize)>,
}

impl End {
    /// Read the end of the only case; everything that is kept must be whole.
    pub(super) fn read(merchant: &Merchant, orders: &[&str], book: &Book) -> anyhow::Result<Self> {
        let cases = merchant.cases()?;
        ensure!(cases.len() == 1, "there are {} cases", cases.len());
        let verified = audit::verify(&merchant.engine.store().read()?)?;
        ensure!(matches!(verified, Verified::Intact(_)), "{verified:?}");
        let case = folded(merchant, cases[0])?;
        ensure!(book.conflicts == 0, "a key came with two bodies");
        for (leg, (keys, done)) in book.legs() {
            ensure!(keys == 1 && done <= 1, "{leg} was asked for under {keys} keys and done {done} times");
        }
        let mut effects: Vec<String> = case.effects.values().map(told).collect();
        effects.sort();
        let ledgers: Vec<_> = orders.iter().map(|order| merchant.ledger(order)).collect::<Result<_, _>>()?;
        let task = |task: &redress_domain::case::Task| format!("{} {:?}", task.queue, task.title);
        Ok(Self {
            stands: format!("{} {}", stands(&case), case.status.word()),
            refunded: case.refunded().to_string(),
            effects,
            undone: case.compensations.iter().map(|one| one.undone).collect(),
            tasks: case.tasks.values().map(task).collect(),
            vars: format!("{:?}", case.vars),
            books: format!("{:?} {ledgers:?}", case.reserved.iter().map(|held| &held.take).collect::<Vec<_>>()),
            legs: book.legs(),
        })
    }

    /// How the case ended.
    pub(super) fn stands(&self) -> &str {
        self.stands.split(' ').next().unwrap_or_default()
    }
}

fn told(effect: &Effect) -> String {
    let what = match &effect.what {
        What::Refund(refund) => format!("{} of {:?} by {:?}", refund.amount, refund.order, refund.payment),
        What::Restock { to, goods, .. } => format!("{goods:?} to {to}"),
        What::Notice { template, to, channel, .. } => format!("{template} to {to} by {channel}"),
        What::Http(request) => format!("{} {:?}", request.target, effect.reply),
        What::Exchange(exchange) => format!("{} of {}", exchange.quantity, exchange.sku),
    };
    format!("{} {}: {what} is {} {:?}", effect.step, effect.lane, effect.state.word(), effect.code)
}

/// The case; its journal must fold to its snapshot.
fn folded(merchant: &Merchant, id: CaseId) -> anyhow::Result<Case> {
    let now = merchant.engine.store().read()?;
    let snapshot = now.load_case(id)?.context("a case")?.bytes;
    let rows = now.journal(id, Version(1), 10_000)?;
    let turns: Vec<Turn> = rows.iter().map(|row| Ok(codec::decode(&row.record)?)).collect::<anyhow::Result<_>>()?;
    let stamped = turns.iter().map(|turn| (Stamp { at: turn.at, turn: turn.number }, turn.entries.as_slice()));
    let case = evolve::fold(stamped).ok().flatten().context("a journal that folds")?;
    ensure!(codec::encode(&case) == snapshot, "the journal folds to another case");
    Ok(case)
}
