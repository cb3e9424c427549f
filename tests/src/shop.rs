//! A merchant for one workflow, and the words that tests of single steps are written in.

use redress::engine::{Error, Receipt};
use redress_domain::case::command::{Body, Complete, Open, Rejection, Settled};
use redress_domain::case::entry::Entry;
use redress_domain::case::{About, Case, Status, Task, What};
use redress_domain::clock::Span;
use redress_domain::ids::{CaseId, Digest, TaskId};
use redress_domain::money::Money;
use redress_domain::order::{Order, Payment};
use redress_domain::value::{Fields, Value};

use crate::world::{Merchant, World, a_return, gbp};

/// A host, one merchant, and what it does.
pub struct Shop {
    /// The host.
    pub world: World,
    /// The merchant; the stock plugins are there as `std/...`.
    pub merchant: Merchant,
}

impl Shop {
    /// A merchant with a workflow of these steps, and of whatever else stands before them.
    pub fn with(document: &str) -> anyhow::Result<Self> {
        let shop = Self::empty()?;
        shop.publish(document)?;
        Ok(shop)
    }

    /// A merchant without a workflow.
    pub fn empty() -> anyhow::Result<Self> {
        let world = World::new()?;
        let merchant = world.bare_merchant("acme")?;
        Ok(Self { world, merchant })
    }

    /// Publish a document that lacks its head.
    pub fn publish(&self, document: &str) -> anyhow::Result<()> {
        let triggers =
            if document.contains("triggers:") { "" } else { "triggers: [{ case_opened: { type: return } }]\n" };
        let name = if document.contains("workflow:") { "" } else { "workflow: tried\n" };
        self.merchant.publish(&format!("format: 1\n{name}currency: GBP\n{triggers}{document}"))?;
        Ok(())
    }

    /// A return of customer `c1`.
    pub fn open(&self, lines: &[(&str, u32)]) -> anyhow::Result<Case> {
        self.take(a_return("c1", lines)?)
    }

    /// Any submission.
    pub fn take(&self, open: Open) -> anyhow::Result<Case> {
        let receipt = self.merchant.open(open)?;
        self.merchant.case(receipt.case)
    }

    /// The case, now.
    pub fn case(&self, case: &Case) -> anyhow::Result<Case> {
        self.merchant.case(case.id)
    }

    /// Answer the only open task; with these fields filled in.
    pub fn answer(&self, case: &Case, outcome: &str, form: &[(&str, Value)]) -> Result<Receipt, Error> {
        let form = form.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let (task, outcome) = (the_task(&self.case(case).expect("a case")).0, outcome.to_owned());
        self.merchant.command(case.id, Body::Complete(Complete { task, outcome, form, live: false, lines: Vec::new() }))
    }

    /// An event with one field.
    pub fn event(&self, case: &Case, name: &str, field: &str, value: &str) -> Result<Receipt, Error> {
        self.merchant.event(case.id, name, Fields::from([(field.to_owned(), Value::text(value))]))
    }

    /// Let time pass and do what is due.
    pub fn pass(&self, span: Span) -> anyhow::Result<usize> {
        self.world.pass(span);
        self.merchant.run_due()
    }

    /// The outcome of the effect of a step, for the leg of a payment where there are several.
    pub fn settle(&self, case: &Case, step: &str, payment: Option<&str>, outcome: Settled) -> anyhow::Result<Case> {
        let key = effect(&self.case(case)?, step, payment);
        self.merchant.settle(case.id, key, outcome)?;
        self.case(case)
    }

    /// The ledger's line: reserved, returned, refunded in minor units.
    pub fn line(&self, order: &str, line: u32) -> anyhow::Result<(u32, u32, i64)> {
        let ledger = self.merchant.ledger(order)?;
        let line = ledger.as_ref().and_then(|ledger| ledger.line(line));
        Ok(line.map_or((0, 0, 0), |line| (line.reserved, line.returned, line.refunded.minor())))
    }

    /// The names of all entries of a case.
    pub fn entries(&self, case: CaseId) -> anyhow::Result<Vec<Entry>> {
        Ok(self.merchant.journal(case)?.into_iter().flat_map(|turn| turn.entries).collect())
    }
}

/// The step at which a case waits, or what became of it.
#[must_use]
pub fn stands(case: &Case) -> &str {
    match &case.status {
        Status::Running { step } | Status::Waiting { step, .. } => step.as_str(),
        Status::Held => "(held)",
        Status::Closed { .. } => case.result.as_deref().unwrap_or("(closed)"),
    }
}

/// The only open task.
#[must_use]
pub fn the_task(case: &Case) -> (TaskId, Task) {
    assert_eq!(case.tasks.len(), 1, "{:?}", case.tasks);
    let (id, task) = case.tasks.first_key_value().expect("one task");
    (*id, task.clone())
}

/// The code of the failure that a person must mend.
#[must_use]
pub fn failure(case: &Case) -> String {
    match the_task(case).1.about {
        About::Failure { code, .. } => code,
        other => panic!("{other:?} is no failure"),
    }
}

/// The key of a step's effect, for the leg of a payment where there are several.
#[must_use]
pub fn effect(case: &Case, step: &str, payment: Option<&str>) -> Digest {
    let is_leg = |what: &What| match what {
        What::Refund(refund) => payment.is_none() || refund.payment.as_deref() == payment,
        _ => true,
    };
    let wanted = case.effects.iter().find(|(_, effect)| effect.step.as_str() == step && is_leg(&effect.what));
    *wanted.expect("an effect of the step").0
}

/// Why a command was refused.
#[must_use]
pub fn refused(result: Result<Receipt, Error>) -> Rejection {
    match result {
        Err(Error::Rejected(rejection)) => rejection,
        other => panic!("{other:?} is no refusal"),
    }
}

/// The order, paid in these parts; in minor units.
#[must_use]
pub fn paid_by(order: Order, payments: &[(&str, i64)]) -> Order {
    let payment = |(id, minor): &(&str, i64)| Payment {
        id: (*id).to_owned(),
        provider: "card".to_owned(),
        reference: (*id).to_owned(),
        captured: Money::from_minor(*minor, gbp()),
    };
    Order { payments: payments.iter().map(payment).collect(), ..order }
}
