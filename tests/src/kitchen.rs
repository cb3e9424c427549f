//! A merchant whose cases meet everything that can happen to one: random commands, repeatable by their seed.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use redress::engine::{Error, Receipt, Target};
use redress::publish::workflows;
use redress_domain::case::command::{
    Actor, ActorKind, Body, Carry, Complete, Event, Migrate, Open, PersonVerdict, Settle, Settled, Timer, Timers,
};
use redress_domain::case::lane::LaneId;
use redress_domain::case::{About, Case, Effect, EffectState, Task, What};
use redress_domain::clock::Span;
use redress_domain::ids::{CaseId, Digest, OrderId, Slug, TaskId};
use redress_domain::money::{Currency, Money};
use redress_domain::order::{Order, Payment};
use redress_domain::value::{Fields, Value};
use redress_domain::verdict::Remedy;
use redress_domain::workflow::canary::Bounds;
use redress_sandbox::Hook;
use redress_sandbox::contract::{Reason, Verdict};
use redress_store::work::Kind;

use crate::guests::{Guest, counting};
use crate::world::{Merchant, World, a_return, days_ago, from_history, gbp, order, submission};

/// A workflow that has every step kind.
pub const KITCHEN_SINK: &str = include_str!("../fixtures/workflows/kitchen-sink.yaml");

/// A workflow whose cases are in several places at once.
pub const CROWD: &str = include_str!("../golden/kinds/parallel/good.yaml");

/// A workflow whose cases open others, and wait for them in every way.
pub const ERRAND: &str = include_str!("../fixtures/workflows/errand.yaml");

/// The workflow of those that they open.
pub const LOOK: &str = include_str!("../fixtures/workflows/errand-look.yaml");

/// Numbers that look random and repeat with their seed.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) % u64::from(sides)).unwrap_or(0)
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: u32) -> bool {
        self.roll(times) == 0
    }

    /// One of these.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(u32::try_from(from.len()).unwrap_or(u32::MAX)) as usize].clone()
    }
}

/// The merchant, with its dice.
pub struct Kitchen {
    /// The host.
    pub world: World,
    /// The merchant.
    pub merchant: Merchant,
    dice: Dice,
    /// When holds begin and end, so that the rest is as it is without them.
    holds: Dice,
    held: bool,
    opened: u32,
    /// The active revision of the kitchen sink, and the one that cases go on with.
    revisions: [Digest; 2],
    /// Commands that were refused, by code.
    pub refused: BTreeMap<&'static str, u32>,
}

/// Codes with which a command may be refused here. Anything else is a fault.
const REFUSALS: [&str; 14] = [
    "case_closed",
    "effect_not_found",
    "effect_settled",
    "field_required",
    "migration_refused",
    "refund_not_bookable",
    "second_person_needed",
    "task_claimed",
    "task_not_open",
    "unknown_event",
    "unknown_outcome",
    "wrong_attributes",
    "wrong_event",
    "wrong_form",
];

impl Kitchen {
    /// A merchant with plugins, workflows and orders.
    pub fn new(seed: u64) -> anyhow::Result<Self> {
        let world = World::new()?;
        let merchant = world.bare_merchant("kitchen")?;
        let care = Reason { code: "handle_with_care".to_owned(), cites: None, used: Vec::new(), params: Vec::new() };
        let care = Verdict { lines: Vec::new(), reasons: vec![care], duties: Vec::new(), provides: Vec::new() };
        merchant.push("care", &Guest::new(Hook::Compliance).verdict(&care).component()?)?;
        merchant.push("broken", &Guest::new(Hook::Eligibility).component()?)?;
        merchant.push("counting", &counting().component()?)?;
        merchant.publish(CROWD)?;
        merchant.publish(&long_workflow())?;
        merchant.publish(LOOK)?;
        merchant.publish(ERRAND)?;
        let first = merchant.publish(KITCHEN_SINK)?.revision;
        // Some cases begin with another revision, and others go on with it.
        let never = Bounds { min_cases: 10_000, ..Bounds::default() };
        let second = merchant.canary("kitchen-sink", &renamed_sink(), 20, never)?.canary.revision;
        let (dice, holds, refused) = (Dice::new(seed), Dice::new(!seed), BTreeMap::new());
        let revisions = [first, second];
        let mut kitchen = Self { world, merchant, dice, holds, held: false, opened: 0, revisions, refused };
        for number in 0..20 {
            let order = kitchen.an_order(number)?;
            kitchen.merchant.order(&order)?;
        }
        Ok(kitchen)
    }

    /// Open so many cases and let so many things happen to them; after each, `look` at the case.
    pub fn run(
        &mut self,
        cases: u32,
        commands: u32,
        mut look: impl FnMut(&Merchant, CaseId) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut left = commands;
        while left > 0 || self.opened < cases {
            self.hold_or_resume()?;
            let touched = if self.opened < cases && self.dice.once_in(5) {
                self.open()?
            } else {
                left = left.saturating_sub(1);
                self.something_happens()?
            };
            if let Some(case) = touched {
                look(&self.merchant, case)?;
            }
        }
        Ok(())
    }

    /// The active revision is on hold for a while now and then.
    fn hold_or_resume(&mut self) -> anyhow::Result<()> {
        if !self.holds.once_in(if self.held { 8 } else { 40 }) {
            return Ok(());
        }
        let number = workflows::names::number(&self.merchant.engine, self.revisions[0])?;
        if self.held {
            self.merchant.resume("kitchen-sink", number)?;
        } else {
            self.merchant.hold("kitchen-sink", number)?;
        }
        self.held = !self.held;
        Ok(())
    }

    fn an_order(&mut self, number: u32) -> anyhow::Result<Order> {
        let customer = format!("c{}", number % 2);
        let quantity = 2 + self.dice.roll(4);
        let lines = [("A1", quantity, "2.55"), ("B2", 2, "7.10"), ("C3", 1, "0.00"), ("A1", 1, "2.45")];
        let at = days_ago(i64::from(1 + self.dice.roll(60)));
        let mut order = order(&format!("{number}/x"), &customer, at, &lines)?;
        let paid = order.paid_total()?.minor();
        let first = i64::from(self.dice.roll(u32::try_from(paid)?));
        let amounts = [("a", first), ("b", paid - first)];
        let payment = |(id, minor): (&str, i64)| Payment {
            id: id.to_owned(),
            provider: "card".to_owned(),
            reference: id.to_owned(),
            captured: Money::from_minor(minor, gbp()),
        };
        if !self.dice.once_in(3) {
            order.payments = amounts.into_iter().map(payment).collect();
        }
        Ok(order)
    }

    fn open(&mut self) -> anyhow::Result<Option<CaseId>> {
        self.opened += 1;
        let customer = format!("c{}", self.dice.roll(2));
        let count = 1 + self.dice.roll(3);
        let lines: Vec<_> = (0..count)
            .map(|_| (self.dice.pick(&["A1", "A1", "A1", "A1", "B2", "B2", "C3", "D4"]), 1 + self.dice.roll(3)))
            .collect();
        let mut open: Open = a_return(&customer, &lines)?;
        open.kind = Slug::new(self.dice.pick(&[
            "return",
            "return",
            "return",
            "return",
            "return",
            "exchange",
            "exchange",
            "complaint",
            "long",
            "crowd",
            "crowd",
            "crowd",
        ]))?;
        if self.opened.is_multiple_of(7) {
            open.kind = Slug::new("errand")?;
        }
        let word = |dice: &mut Dice, words: &[&str]| dice.once_in(2).then(|| dice.pick(words).to_owned());
        open.reason = word(&mut self.dice, &["broken", "flaky", "parcel", "other", "other"]);
        open.claim = word(&mut self.dice, &["hopeless", "look", "look", "card", "card", "card", "card"]);
        if self.dice.once_in(3) {
            open.attributes.insert("gift".to_owned(), Value::Bool(true));
        }
        if self.dice.once_in(20) {
            open.attributes.insert("number".to_owned(), Value::text("1"));
        }
        if self.dice.once_in(12) {
            open.currency = "EUR".parse::<Currency>()?;
        }
        if self.dice.once_in(25) {
            open.customer = None;
        }
        if self.dice.once_in(4) {
            open.order = Some(OrderId::new(&format!("{}/x", self.dice.roll(22)))?);
        }
        if self.dice.once_in(4) {
            open = from_history(open, &format!("R{}", self.opened));
        }
        let mut submission = submission(Target::New, Body::Open(Box::new(open)));
        submission.channel = self.dice.pick(&["console", "api"]).to_owned();
        let result = self.merchant.engine.execute(submission);
        self.took(result)
    }

    fn something_happens(&mut self) -> anyhow::Result<Option<CaseId>> {
        if self.dice.once_in(12) {
            let days = i64::from(self.dice.roll(12));
            self.world.pass(Span::from_days(days));
            self.merchant.run_due()?;
            return Ok(None);
        }
        let cases = self.merchant.cases()?;
        if cases.is_empty() {
            return Ok(None);
        }
        if self.dice.once_in(12)
            && let Some((case, key)) = self.a_declined_refund(&cases)?
        {
            let result = self.merchant.settle(case, key, Settled::Confirmed);
            return self.took(result);
        }
        if self.dice.once_in(8)
            && let Some(case) = self.a_case_at_a_look(&cases)?
        {
            let submission = submission(Target::Case(case), self.a_migration()?);
            let result = self.merchant.engine.execute(submission);
            return self.took(result);
        }
        let mut case = self.merchant.case(self.dice.pick(&cases))?;
        for _ in 0..(if self.dice.once_in(10) { 0 } else { 12 }) {
            // What is closed is met now and then, not most of the time.
            if case.is_closed() && case.tasks.is_empty() {
                case = self.merchant.case(self.dice.pick(&cases))?;
            }
        }
        let body = if self.dice.once_in(6) && case.revision == Some(self.revisions[0]) {
            self.a_migration()?
        } else {
            self.a_command(&case)?
        };
        let mut submission = submission(Target::Case(case.id), body);
        submission.actor = self.somebody();
        submission.reason = self.dice.once_in(2).then(|| "they asked for it".to_owned());
        let result = self.merchant.engine.execute(submission);
        self.took(result)
    }

    /// A case whose task would go to another queue on the other revision, if there is one.
    fn a_case_at_a_look(&mut self, cases: &[CaseId]) -> anyhow::Result<Option<CaseId>> {
        let mut waiting = Vec::new();
        for id in cases {
            let case = self.merchant.case(*id)?;
            let at_look = case.status.step().is_some_and(|step| step.as_str() == "look");
            waiting.extend((at_look && case.revision == Some(self.revisions[0])).then_some(*id));
        }
        Ok(if waiting.is_empty() { None } else { Some(self.dice.pick(&waiting)) })
    }

    fn a_migration(&mut self) -> anyhow::Result<Body> {
        let [from, to] = self.revisions;
        let timers = self.dice.pick(&[Timers::Keep, Timers::Recompute]);
        let steps =
            BTreeMap::from([(Slug::new("look")?, Slug::new("peek")?), (Slug::new("label")?, Slug::new("tag")?)]);
        let vars = BTreeMap::from([("window_days".to_owned(), Carry::Default)]);
        Ok(Body::Migrate(Box::new(Migrate { from, to, steps, vars, timers })))
    }

    /// A refund that was declined and that nobody is asked about, if there is one.
    fn a_declined_refund(&mut self, cases: &[CaseId]) -> anyhow::Result<Option<(CaseId, Digest)>> {
        let is_declined =
            |effect: &Effect| effect.state == EffectState::Declined && matches!(effect.what, What::Refund(_));
        let mut declined = Vec::new();
        for id in cases {
            let case = self.merchant.case(*id)?;
            let is_asked = |key: Digest| case.tasks.values().any(|task| task.about == About::Effect { key });
            let open = case.effects.iter().filter(|(key, effect)| is_declined(effect) && !is_asked(**key));
            declined.extend(open.map(|(key, _)| (*id, *key)));
        }
        Ok(if declined.is_empty() { None } else { Some(self.dice.pick(&declined)) })
    }

    /// Two agents and an admin.
    fn somebody(&mut self) -> Actor {
        let (id, role) = self.dice.pick(&[("ada", "agent"), ("ada", "agent"), ("bob", "agent"), ("grace", "admin")]);
        Actor { kind: ActorKind::Person, id: id.to_owned(), role: role.to_owned() }
    }

    /// What one case told another arrives soon after.
    fn took(&mut self, result: Result<Receipt, Error>) -> anyhow::Result<Option<CaseId>> {
        let now = self.world.app.clock().now();
        while self.merchant.engine.run_due_slice(&[Kind::Message], now)?.claimed > 0 {}
        match result {
            Ok(receipt) => Ok(Some(receipt.case)),
            Err(Error::Rejected(rejection)) if REFUSALS.contains(&rejection.code) => {
                *self.refused.entry(rejection.code).or_default() += 1;
                Ok(None)
            }
            Err(error @ (Error::Paused { .. } | Error::OnHold { .. })) => {
                *self.refused.entry(error.code()).or_default() += 1;
                Ok(None)
            }
            Err(error) => Err(error).context("a command failed"),
        }
    }

    fn a_command(&mut self, case: &Case) -> anyhow::Result<Body> {
        let tasks: Vec<(TaskId, Task)> = case.tasks.iter().map(|(id, task)| (*id, task.clone())).collect();
        let open = |state| matches!(state, EffectState::Intended | EffectState::Unknown);
        let effects = case.effects.iter().filter(|(_, effect)| open(effect.state));
        let effects: Vec<Digest> = effects.map(|(key, _)| *key).collect();
        let sent: Vec<Digest> = case.effects.keys().copied().collect();
        // Of a case that is over nothing but its questions is open.
        let is_asked = case.is_closed() && !tasks.is_empty() && !self.dice.once_in(4);
        Ok(match self.dice.roll(25) {
            _ if is_asked => {
                let (id, task) = self.dice.pick(&tasks);
                self.answer(case, id, &task)?
            }
            0..7 if !tasks.is_empty() => {
                let (id, task) = self.dice.pick(&tasks);
                self.answer(case, id, &task)?
            }
            7..13 if !effects.is_empty() => self.one_outcome(&effects),
            13..17 => self.event(case),
            17 => self.stray(case)?,
            18 if self.dice.once_in(3) => Body::Cancel,
            20..23 if !tasks.is_empty() => {
                let (id, task) = self.dice.pick(&tasks);
                if task.assignee.is_some() { Body::Release(id) } else { Body::Claim(id) }
            }
            23 if !sent.is_empty() => Body::Resend(self.dice.pick(&sent)),
            _ if !effects.is_empty() => self.one_outcome(&effects),
            _ if !tasks.is_empty() => {
                let (id, task) = self.dice.pick(&tasks);
                self.answer(case, id, &task)?
            }
            _ => self.event(case),
        })
    }

    fn answer(&mut self, case: &Case, task: TaskId, content: &Task) -> anyhow::Result<Body> {
        let outcomes: Vec<String> = match &content.about {
            About::Review { step } | About::Inspection { step } => self.outcomes_of(case, step)?,
            About::TooLong => ["keep", "keep", "close"].map(str::to_owned).to_vec(),
            About::Failure { .. } => ["try_again", "decide", "decide", "close"].map(str::to_owned).to_vec(),
            About::Effect { .. } if content.reasons.iter().any(|reason| reason.code == "confirmed_after_decline") => {
                ["paid", "paid", "recovered"].map(str::to_owned).to_vec()
            }
            About::Effect { .. } => ["paid", "not_paid", "resend"].map(str::to_owned).to_vec(),
            About::Unrouted => vec!["close".to_owned()],
        };
        let mut outcome = self.dice.pick(&outcomes);
        let mut form = Fields::new();
        if content.about.asking().is_some() {
            form.insert("state".to_owned(), Value::text(self.dice.pick(&["new", "worn"])));
            if self.dice.once_in(8) {
                form.clear();
            }
        }
        if self.dice.once_in(15) {
            outcome = "perhaps".to_owned();
        }
        let lines = (0..).zip(&case.lines).map(|(line, asked)| PersonVerdict {
            line,
            remedy: self.dice.pick(&[Remedy::Allow, Remedy::Allow, Remedy::Deny]),
            quantity: asked.quantity,
            reason: "seen".to_owned(),
        });
        let lines = lines.collect();
        Ok(Body::Complete(Complete { task, outcome, form, live: self.dice.once_in(2), lines }))
    }

    fn outcomes_of(&self, case: &Case, step: &Slug) -> anyhow::Result<Vec<String>> {
        let revision = case.revision.context("a case with a review runs on a revision")?;
        let definition = self.merchant.engine.registry().definition(revision)?;
        match definition.step(step.as_str()).and_then(|step| step.kind.asked()) {
            Some(asked) if asked.next.is_empty() => Ok(vec!["done".to_owned()]),
            Some(asked) => Ok(asked.next.keys().cloned().collect()),
            None => bail!("step {step} asks nobody"),
        }
    }

    fn one_outcome(&mut self, effects: &[Digest]) -> Body {
        let key = self.dice.pick(effects);
        self.outcome(key)
    }

    fn outcome(&mut self, key: Digest) -> Body {
        let outcome = self.dice.pick(&[Settled::Confirmed, Settled::Declined, Settled::Declined, Settled::Unknown]);
        let reference = self.dice.once_in(2).then(|| format!("ref-{}", self.dice.roll(1_000)));
        Body::Settle(Settle { reference, ..Settle::new(key, outcome) })
    }

    fn event(&mut self, case: &Case) -> Body {
        let rma = if self.dice.once_in(6) { "other".to_owned() } else { case.number.clone() };
        let parcels = Value::whole(1 + self.dice.roll(3));
        let (name, fields) = match self.dice.roll(20) {
            0 => ("called_off", Fields::from([("why".to_owned(), Value::text("changed my mind"))])),
            1 => ("called_off", Fields::from([("when".to_owned(), Value::text("today"))])),
            2 => ("never_declared", Fields::new()),
            _ => (
                "goods_received",
                Fields::from([("rma".to_owned(), Value::text(rma)), ("parcels".to_owned(), parcels)]),
            ),
        };
        Body::Event(Event { name: name.to_owned(), fields })
    }

    /// What nothing waits for, most of the time.
    fn stray(&mut self, case: &Case) -> anyhow::Result<Body> {
        let step = Slug::new(self.dice.pick(&["goods", "look", "rest", "pay"]))?;
        let lanes: Vec<LaneId> = case.lanes.keys().cloned().chain([LaneId::main()]).collect();
        let lane = self.dice.pick(&lanes);
        let since = u64::from(self.dice.roll(u32::try_from(case.turn)? + 1));
        Ok(match self.dice.roll(4) {
            0 => Body::Timer(Timer::Wait { step, since, lane }),
            1 => Body::Timer(Timer::Reservation { since: case.turn }),
            2 => Body::Continue,
            _ => self.outcome(case.effects.keys().next().copied().unwrap_or_else(|| Digest::of(b"nothing"))),
        })
    }
}

/// The same under other names, with another queue and other times.
#[must_use]
pub fn renamed_sink() -> String {
    let names = [("id: look", "id: peek"), ("then: look", "then: peek"), ("id: label", "id: tag")];
    let facts = [("queue: returns", "queue: office"), ("after: 5d", "after: 6d"), ("after: 21d", "after: 20d")];
    names.iter().chain(&facts).fold(KITCHEN_SINK.to_owned(), |text, (old, new)| text.replace(old, new))
}

/// More questions than one turn may ask: the first turn is cut on the main line, the second in a branch beside which another waits
/// for its turn.
#[must_use]
pub fn long_workflow() -> String {
    let mut text =
        String::from("format: 1\nworkflow: long\ncurrency: GBP\ntriggers:\n  - case_opened: { type: long }\nsteps:\n");
    let count = |n: u32| format!("- {{ id: count_{n}, call: {{ plugin: counting@0 }} }}\n");
    (0..40).for_each(|n| text += &format!("  {}", count(n)));
    text += "  - id: both\n    parallel:\n      branches:\n";
    for (branch, counts) in [("long", 40..68), ("short", 68..70)] {
        text += &format!("        {branch}:\n");
        counts.for_each(|n| text += &format!("          {}", count(n)));
    }
    text + "  - { id: counted, finish: { result: counted } }\n"
}
