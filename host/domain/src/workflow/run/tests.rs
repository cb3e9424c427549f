//! Turns without a host: commands in, decisions out, on one order whose ledger the decisions change.

mod again;
mod claims;
mod contradictions;
mod failures;
mod gathered;
mod http;
mod kinds;
mod lanes;
mod loops;
mod messages;
mod people;
mod resends;
mod retries;
mod starts;
mod subcases;
mod swaps;
mod tables;
mod undo;
mod waits;

use crate::ask::{Answer, Answered, Failure};
use crate::case::command::{Actor, ActorKind, Body, Command, Complete, Open, Rejection, Settle, Settled, Timer};
use crate::case::entry::Entry;
use crate::case::evolve::{self, Stamp};
use crate::case::{About, Case, Effect, EffectState, Line, Status, Task, What};
use crate::clock::{Instant, Span, Zone};
use crate::decision::Work;
use crate::facts::{Facts, LedgerAt, Purchase};
use crate::ids::{CaseId, CustomerId, Digest, OrderId, Sku, Slug, TaskId, TenantId};
use crate::ledger::Ledger;
use crate::money::{Currency, Money, Price};
use crate::order::Payment;
use crate::value::Fields;
use crate::verdict::{LineQuote, LineVerdict, Part, Quote, Remedy, Take, Tier, Verdict};
use crate::workflow::definition::{Definition, Hook, Plugin, PluginRef};
use crate::workflow::load::{Environment, load};
use crate::workflow::run::{self, Input, Progress};

/// A merchant with one workflow and one order: three of A1 for 2.50 each, 3.00 of it paid by card and the rest by voucher.
struct Desk {
    definition: Definition,
    facts: Facts,
    cases: Vec<Case>,
    journals: Vec<Vec<(Stamp, Vec<Entry>)>>,
    work: Vec<Work>,
    timers: Vec<(Instant, Nth, Timer)>,
    now: Instant,
    /// What the host's clock says, where that is later than the command.
    recorded: Option<Instant>,
}

/// Which case: the first that was opened is 0.
type Nth = usize;

impl Desk {
    /// A workflow of these steps.
    fn with(steps: &str) -> Self {
        Self::beside("", steps)
    }

    /// The same, with these lines before them.
    fn beside(head: &str, steps: &str) -> Self {
        Self::of(&format!("limits: {{ refund_max: 100.00 }}\n{head}steps:\n{steps}"))
    }

    /// A workflow of this document, which lacks its head.
    fn of(document: &str) -> Self {
        Self::started("  - case_opened: { type: return }\n", document)
    }

    /// The same, started by these triggers.
    fn started(triggers: &str, document: &str) -> Self {
        let source = format!("format: 1\nworkflow: tried\ncurrency: GBP\ntriggers:\n{triggers}{document}");
        let plugin = |name: &str, hook| {
            let digest = Digest::of(name.as_bytes());
            let plugin = Plugin {
                digest,
                hook,
                params: Default::default(),
                whole: Default::default(),
                provides: Default::default(),
                facts: Vec::new(),
                attributes: Default::default(),
            };
            (PluginRef { name: name.to_owned(), major: 0 }, plugin)
        };
        let plugins = [plugin("quote", Hook::Refund), plugin("match", Hook::Eligibility)].into();
        let environment =
            Environment { plugins, currency: Some(gbp()), zone: Some(Zone::UTC), ..Environment::default() };
        let definition = load(&source, &environment).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let facts = Facts { purchases: vec![purchase()], ..Facts::default() };
        Self {
            definition,
            facts,
            cases: Vec::new(),
            journals: Vec::new(),
            work: Vec::new(),
            timers: Vec::new(),
            now: Instant::from_unix_ms(1_000),
            recorded: None,
        }
    }

    /// Open a return of so many units of A1, each quoted at its price.
    fn open(&mut self, units: u32) -> Nth {
        self.open_as(units, |_| {})
    }

    /// The same, perhaps from the past.
    fn open_from(&mut self, units: u32, history: bool) -> Nth {
        self.open_as(units, |open| open.history = history)
    }

    /// The same in several lines, of which the first is quoted.
    fn open_lines(&mut self, units: &[u32]) -> Nth {
        self.open_as(1, |open| {
            let line = open.lines[0].clone();
            open.lines = units.iter().map(|units| Line { quantity: *units, ..line.clone() }).collect();
        })
    }

    /// The same, of a submission that is changed before.
    fn open_as(&mut self, units: u32, change: impl FnOnce(&mut Open)) -> Nth {
        let line = Line {
            sku: Sku::new("A1").unwrap(),
            quantity: units,
            reason: None,
            bought: None,
            unit: None,
            attributes: Fields::new(),
            outcome: None,
        };
        let mut open = Open {
            kind: Slug::from_static("return"),
            external: None,
            history: false,
            customer: Some(CustomerId::new("c1").unwrap()),
            order: None,
            currency: gbp(),
            reason: None,
            claim: None,
            attributes: Fields::new(),
            lines: vec![line],
            called: None,
            start: None,
        };
        change(&mut open);
        let new = self.cases.len();
        self.journals.push(Vec::new());
        self.turn(new, &agent("ada"), Body::Open(Box::new(open))).unwrap();
        new
    }

    /// The workflow that would take a case.
    fn routed(&self, open: Open) -> Option<String> {
        let input = self.input(0, &agent("ada"), Body::Open(Box::new(open)));
        let found = run::route::route([&self.definition], &input).unwrap();
        found.map(|found| found.workflow.to_string())
    }

    /// Promise units of the order to a case, as an `approve` does.
    fn promise(&mut self, case: Nth, units: u32) {
        let mut ledger = self.facts.ledgers.get(&order()).and_then(|at| at.ledger.clone()).unwrap_or_else(|| {
            let purchase = purchase();
            Ledger::new(purchase.order_paid, &purchase.payments)
        });
        ledger.know(0, 3, pence(750));
        ledger.reserve(0, units).unwrap();
        self.facts.ledgers.insert(order(), LedgerAt { version: 1, ledger: Some(ledger) });
        let entry = Entry::Reserved { line: 0, take: Take { order: order(), line: 0, quantity: units }, until: None };
        let stamp = Stamp { at: self.cases[case].changed_at, turn: self.cases[case].turn };
        let mut changed = Some(self.cases[case].clone());
        evolve::apply(&mut changed, &entry, stamp).unwrap();
        self.cases[case] = changed.unwrap();
        self.journals[case].last_mut().unwrap().1.push(entry);
    }

    /// Give a command as an agent.
    fn give(&mut self, case: Nth, body: Body) -> Result<(), Rejection> {
        self.turn(case, &agent("ada"), body)
    }

    /// One turn, and the books as it leaves them.
    fn turn(&mut self, nth: Nth, actor: &Actor, body: Body) -> Result<(), Rejection> {
        let before = self.cases.get(nth).cloned();
        self.facts.own = before.as_ref().map(|case| case.reserved.clone()).unwrap_or_default();
        let input = self.input(nth, actor, body);
        let mut run = Box::new(run::begin(Some(&self.definition), before, input)?);
        let mut answer = None;
        let decision = loop {
            match run::advance(Some(&self.definition), run, answer.take()) {
                Progress::Decided(decision) => break decision,
                Progress::Ask(asking) => {
                    answer = Some(match asking.question().map(|ask| ask.hook) {
                        Some(Hook::Eligibility) => matched(asking.case()),
                        _ => quoted(asking.case()),
                    });
                    run = asking;
                }
            }
        };
        for (order, taken) in decision.ledgers {
            let at = LedgerAt { version: taken.version + 1, ledger: Some(taken.ledger) };
            self.facts.ledgers.insert(order, at);
        }
        self.work = decision.work;
        self.timers.extend(self.work.iter().filter_map(|work| match work {
            Work::Timer { due, timer } => Some((*due, nth, timer.clone())),
            Work::Effect { .. } | Work::Message { .. } => None,
        }));
        assert_eq!(decision.resume, decision.case.is_cut());
        let stamp = Stamp { at: decision.turn.at, turn: decision.turn.number };
        self.journals[nth].push((stamp, decision.turn.entries));
        let folded = evolve::fold(self.journals[nth].iter().map(|(stamp, entries)| (*stamp, entries.as_slice())));
        assert_eq!(folded.unwrap().as_ref(), Some(&decision.case), "the journal folds to the case");
        if nth == self.cases.len() {
            self.cases.push(decision.case)
        } else {
            self.cases[nth] = decision.case
        }
        Ok(())
    }

    fn input(&self, nth: Nth, actor: &Actor, body: Body) -> Input {
        let at = self.now;
        let command = Command {
            occurred_at: at,
            recorded_at: self.recorded.unwrap_or(at),
            actor: actor.clone(),
            channel: "test".to_owned(),
            source: None,
            reason: None,
            body,
        };
        Input {
            tenant: TenantId::mint(at, 1),
            command,
            facts: self.facts.clone(),
            jurisdiction: "UK".to_owned(),
            opening: Some((CaseId::mint(Instant::from_unix_ms(0), nth as u128), format!("R-{nth}"))),
        }
    }

    /// Let time pass; what is due by then fires, the earliest first.
    fn pass(&mut self, span: Span) {
        self.pass_to(self.now.after(span));
    }

    /// The same, up to an instant.
    fn pass_to(&mut self, until: Instant) {
        while let Some(place) = self.next_timer(until) {
            let (due, case, timer) = self.timers.remove(place);
            self.now = due;
            self.turn(case, &Actor::host(), Body::Timer(timer)).unwrap();
        }
        self.now = until;
    }

    /// Let time pass while the host is down; then what is due is done at once.
    fn sleep_to(&mut self, until: Instant) {
        self.recorded = Some(until);
        self.pass_to(until);
        self.recorded = None;
    }

    fn next_timer(&self, until: Instant) -> Option<usize> {
        let due = self.timers.iter().enumerate().filter(|(_, (due, _, _))| *due <= until);
        due.min_by_key(|(place, (due, _, _))| (*due, *place)).map(|(place, _)| place)
    }

    /// What its provider says of an effect.
    fn settle(&mut self, case: Nth, key: Digest, outcome: Settled) {
        self.give(case, Body::Settle(Settle::new(key, outcome))).unwrap();
    }

    /// Answer the only open task, as this actor.
    fn answer_as(&mut self, case: Nth, actor: &Actor, outcome: &str) -> Result<(), Rejection> {
        let (task, outcome) = (self.task(case).0, outcome.to_owned());
        let complete = Complete { task, outcome, form: Fields::new(), live: false, lines: Vec::new() };
        self.turn(case, actor, Body::Complete(complete))
    }

    fn answer(&mut self, case: Nth, outcome: &str) -> Result<(), Rejection> {
        self.answer_as(case, &agent("ada"), outcome)
    }

    /// The only open task.
    fn task(&self, case: Nth) -> (TaskId, &Task) {
        let tasks = &self.cases[case].tasks;
        assert_eq!(tasks.len(), 1, "{tasks:?}");
        tasks.iter().map(|(id, task)| (*id, task)).next().unwrap()
    }

    /// The reason of the only open task, where it asks what became of this effect.
    fn asked_of(&self, case: Nth, key: Digest) -> &str {
        let task = self.task(case).1;
        assert_eq!(task.about, About::Effect { key });
        &task.reasons[0].code
    }

    /// The leg of a payment, or the only effect of a step.
    fn effect(&self, case: Nth, name: &str) -> (Digest, &Effect) {
        let is_named = |effect: &Effect| match &effect.what {
            What::Refund(refund) => refund.payment.as_deref() == Some(name),
            _ => effect.step.as_str() == name,
        };
        let mut found = self.cases[case].effects.iter().filter(|(_, effect)| is_named(effect));
        let (key, effect) = found.next().expect("an effect of this name");
        assert!(found.next().is_none());
        (*key, effect)
    }

    fn key(&self, case: Nth, name: &str) -> Digest {
        self.effect(case, name).0
    }

    fn state(&self, case: Nth, name: &str) -> EffectState {
        self.effect(case, name).1.state
    }

    /// Where a case stands, or what became of it.
    fn stands(&self, case: Nth) -> &str {
        match &self.cases[case].status {
            Status::Waiting { step, .. } | Status::Running { step } => step.as_str(),
            Status::Held => "(held)",
            Status::Closed { .. } => self.cases[case].result.as_deref().unwrap(),
        }
    }

    /// The order's line: reserved, returned, refunded; and what went back to card and voucher. In pence.
    fn books(&self) -> ((u32, u32, i64), [i64; 2]) {
        let Some(ledger) = self.facts.ledgers.get(&order()).and_then(|at| at.ledger.as_ref()) else {
            return ((0, 0, 0), [0, 0]);
        };
        let line = ledger.line(0).map_or((0, 0, 0), |line| (line.reserved, line.returned, line.refunded.minor()));
        let paid: Vec<i64> = ledger.payments().map(|(_, payment)| payment.refunded.minor()).collect();
        assert_eq!(ledger.refunded().minor(), line.2);
        (line, paid.try_into().unwrap())
    }

    /// The names of what the last turn recorded.
    fn last(&self, case: Nth) -> Vec<&'static str> {
        self.journals[case].last().unwrap().1.iter().map(Entry::name).collect()
    }
}

fn gbp() -> Currency {
    "GBP".parse().unwrap()
}

fn pence(minor: i64) -> Money {
    Money::from_minor(minor, gbp())
}

fn order() -> OrderId {
    OrderId::new("1001").unwrap()
}

fn purchase() -> Purchase {
    let payment = |id: &str, minor| Payment {
        id: id.to_owned(),
        provider: id.to_owned(),
        reference: id.to_owned(),
        captured: pence(minor),
    };
    Purchase {
        order: order(),
        line: 0,
        sku: Sku::new("A1").unwrap(),
        at: Instant::from_unix_ms(0),
        delivered_at: None,
        quantity: 3,
        unit_price: Price::new("2.50".parse().unwrap(), gbp()),
        paid: pence(750),
        order_paid: pence(750),
        payments: vec![payment("card", 300), payment("voucher", 450)],
        attributes: Fields::new(),
    }
}

fn quoted(case: &Case) -> Answered {
    let quantity = case.lines[0].quantity;
    let take = Take { order: order(), line: 0, quantity };
    let part = Part { kind: "goods".to_owned(), amount: pence(250 * i64::from(quantity)) };
    let lines = vec![LineQuote { line: 0, take, parts: vec![part] }];
    let quote = Quote { lines, reasons: Vec::new(), provides: Fields::new() };
    answered(Ok(Answer::Quote(quote)))
}

/// Every unit that was bought may come back; of more the plugin knows nothing.
fn matched(case: &Case) -> Answered {
    let line = |(place, line): (usize, &Line)| LineVerdict {
        line: place as u32,
        remedy: Remedy::Allow,
        quantity: line.quantity,
        takes: vec![Take { order: order(), line: 0, quantity: line.quantity }],
        disposition: None,
        tier: Tier::Goodwill,
        reasons: Vec::new(),
    };
    let lines: Vec<_> = case.lines.iter().enumerate().map(line).collect();
    if lines.iter().any(|line| line.quantity > 3) {
        let (code, detail) = ("plugin_cannot_decide".to_owned(), "more than were bought".to_owned());
        return answered(Err(Failure { code, detail, reasons: Vec::new() }));
    }
    let verdict = Verdict { lines, reasons: Vec::new(), duties: Vec::new(), provides: Fields::new() };
    answered(Ok(Answer::Verdict(verdict)))
}

fn answered(outcome: Result<Answer, Failure>) -> Answered {
    Answered { outcome, fuel: 1, request: Digest::of(b"request"), encoder: 1, contract: 0, engine: "test".to_owned() }
}

fn agent(id: &str) -> Actor {
    Actor { kind: ActorKind::Person, id: id.to_owned(), role: "agent".to_owned() }
}

fn admin(id: &str) -> Actor {
    Actor { role: "admin".to_owned(), ..agent(id) }
}

fn code(result: Result<(), Rejection>) -> &'static str {
    result.expect_err("a refusal").code
}
