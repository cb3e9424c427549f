//! A case: one customer matter, its lines, and where it stands. Changed only by entries, through `evolve`.

pub mod child;
pub mod command;
pub mod deadline;
mod effect;
pub mod entry;
pub mod evolve;
pub mod lane;
mod message;
pub mod migrated;
pub mod number;
pub mod start;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::{Instant, Span};
use crate::ids::{CaseId, CustomerId, Digest, OrderId, Sku, Slug, TaskId};
use crate::money::{Currency, Money};
use crate::order::Unit;
use crate::value::{Fields, Value};
use crate::verdict::{Outcome, Quote, Reason, Remedy, Take, Verdict};
use child::{Child, Parent};
use command::Command;
use deadline::{Deadline, Proposal};
pub use effect::{Effect, EffectState, Exchange, Item, Refund, Reply, Request, Retry, What};
use lane::{Lane, LaneId};
pub use message::{Message, Piece, RECIPIENT_NAME, Texts};
use start::Started;

/// Most lines of one case; the largest cancellation of the first data set has 101.
pub const LINES_MAX: usize = 1_000;
/// Most events kept for later waits.
pub const EVENTS_MAX: usize = 100;
/// How long a kept event can still end a wait.
pub const EVENTS_KEPT_FOR: Span = Span::from_days(90);

/// A case as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The id.
    pub id: CaseId,
    /// The number that people read and type.
    pub number: String,
    /// `return`, `exchange`, `complaint` ...
    pub kind: Slug,
    /// The name that another system gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
    /// Opened from the past: effects settle as history, nothing leaves the process.
    pub history: bool,
    /// The workflow it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Slug>,
    /// The revision it is pinned to, and with it the plugins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Digest>,
    /// Business time of its opening; windows compare with it.
    pub opened_at: Instant,
    /// Business time of its last entry.
    pub changed_at: Instant,
    /// How many turns it took; the version in the store.
    pub turn: u64,
    /// Whose case it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The order it is about, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The currency of its amounts.
    pub currency: Currency,
    /// Why it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The legal basis that the customer claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// How it came in.
    pub channel: String,
    /// The merchant's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub attributes: Fields,
    /// The items in it.
    pub lines: Vec<Line>,
    /// Where the main line stands; while there are lanes, at the step that they belong to.
    pub status: Status,
    /// Where its branches and iterations stand, while there are any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lanes: BTreeMap<LaneId, Lane>,
    /// The lane that the last entries were of.
    #[serde(default, skip_serializing_if = "LaneId::is_main")]
    pub lane: LaneId,
    /// What each `for_each` that runs goes through, as it was when it began.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub elements: BTreeMap<String, Vec<Value>>,
    /// How often each `again` has led back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub visits: BTreeMap<String, u32>,
    /// What came of it, once closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Reasons that belong to no line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Variables that have a value.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub vars: Fields,
    /// What each step gave, in the words of the expression language or typed; in an iteration with its name before the step's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Output>,
    /// Units promised to the case and not yet refunded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<Held>,
    /// Tasks that wait for a person.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<TaskId, Task>,
    /// Refunds, restocks and notices, by effect key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub effects: BTreeMap<Digest, Effect>,
    /// What would undo the steps that have done something, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compensations: Vec<Compensation>,
    /// Events that nothing waited for yet, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Arrived>,
    /// Events that came of several that a lane awaits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gathered: BTreeMap<LaneId, Vec<Gathered>>,
    /// What came while its revision was on hold, in the order in which it is taken up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deferred: Vec<Command>,
    /// The case that opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// What started it, where that was no `case_opened`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Started>,
    /// The cases that it opened.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub children: BTreeMap<CaseId, Child>,
}

/// What undoes something that a step did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compensation {
    /// The step.
    pub step: Slug,
    /// The lane that it stood in.
    #[serde(default, skip_serializing_if = "LaneId::is_main")]
    pub lane: LaneId,
    /// What is to be sent.
    pub what: What,
    /// How it is sent again, where the workflow says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// The effect that it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Digest>,
    /// Whether it is done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undone: bool,
}

/// A name in another system; unique per source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct External {
    /// Which system.
    pub source: String,
    /// Its name there.
    pub id: String,
}

/// An item of the case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The stock code.
    pub sku: Sku,
    /// Units asked for.
    pub quantity: u32,
    /// Why this line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The purchase it names, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bought: Option<Bought>,
    /// The unit, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// The merchant's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub attributes: Fields,
    /// What came of it so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// A purchase that a line names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bought {
    /// The order.
    pub order: OrderId,
    /// Its line, from 0.
    pub line: u32,
}

/// Where a case stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// About to enter a step; seen only between the turns of one long run.
    Running {
        /// The step.
        step: Slug,
    },
    /// At a step that waits.
    Waiting {
        /// The step.
        step: Slug,
        /// The turn in which the wait began: a timer of an earlier wait finds nothing.
        since: u64,
        /// When the wait ends by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Instant>,
    },
    /// No workflow took it.
    Held,
    /// Ended.
    Closed {
        /// Whether it ended by `fail`.
        failed: bool,
    },
}

impl Status {
    /// The word in lists.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Running { .. } => "running",
            Self::Waiting { .. } => "waiting",
            Self::Held => "held",
            Self::Closed { .. } => "closed",
        }
    }

    /// The step that it stands at.
    pub fn step(&self) -> Option<&Slug> {
        match self {
            Self::Running { step } | Self::Waiting { step, .. } => Some(step),
            Self::Held | Self::Closed { .. } => None,
        }
    }

    /// When the wait ends by itself, if it does.
    pub fn until(&self) -> Option<Instant> {
        match self {
            Self::Waiting { until, .. } => *until,
            Self::Running { .. } | Self::Held | Self::Closed { .. } => None,
        }
    }
}

/// What a step gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// A plugin's verdict.
    Verdict(Verdict),
    /// A plugin's quote.
    Quote(Quote),
    /// Named values: of a `step` plugin, a person, an event.
    Values(Fields),
    /// The step was skipped.
    Skipped,
}

/// Units of an order line that the case holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Held {
    /// The line of the case.
    pub line: u32,
    /// The purchase, and how many units.
    pub take: Take,
    /// The turn in which they were promised; promised once more, the later one counts.
    pub since: u64,
    /// When the promise ends by itself. None where the turn alone tells it, as before two promises of one turn could differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

/// Work for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// What it is about.
    pub about: About,
    /// Who works on it.
    pub queue: String,
    /// What it is called.
    pub title: String,
    /// When it was opened.
    pub opened_at: Instant,
    /// Reason codes that the case carries meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Opened for a case of the past: no timer, and live effects only once a person confirms a real payment.
    pub imported: bool,
    /// Who took it: an actor's id. Nobody else answers it meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// The lane that it was opened in.
    #[serde(default, skip_serializing_if = "LaneId::is_main")]
    pub lane: LaneId,
    /// When an answer is due, and what happens until then and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Deadline>,
    /// What one person answered, where a second one must agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Proposal>,
}

/// What a task is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A `review` step.
    Review {
        /// The step.
        step: Slug,
    },
    /// An `inspect` step.
    Inspection {
        /// The step.
        step: Slug,
    },
    /// A plugin, the ledger or an expression failed: try again, or a verdict per line.
    Failure {
        /// The step.
        step: Slug,
        /// What failed.
        code: String,
    },
    /// An effect whose outcome a person must settle: paid, not paid, or send again.
    Effect {
        /// The effect.
        key: Digest,
    },
    /// No trigger matched.
    Unrouted,
    /// The case is open for longer than its workflow allows.
    TooLong,
}

impl About {
    /// The step that asks a person for an answer of its own.
    pub fn asking(&self) -> Option<&Slug> {
        match self {
            Self::Review { step } | Self::Inspection { step } => Some(step),
            Self::Failure { .. } | Self::Effect { .. } | Self::Unrouted | Self::TooLong => None,
        }
    }
}

/// An event that arrived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrived {
    /// Its name.
    pub name: String,
    /// When it happened.
    pub at: Instant,
    /// What it carries.
    pub fields: Fields,
}

/// One of several events that a wait needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gathered {
    /// Which of them it is, by its place in the step.
    pub arm: u32,
    /// What came.
    pub event: Arrived,
}

impl Arrived {
    /// Whether it can still end a wait.
    pub fn is_kept(&self, now: Instant) -> bool {
        self.at.after(EVENTS_KEPT_FOR) >= now
    }
}

impl Case {
    /// The case's remedy: any review is a review, else any allowed unit is allow, else deny.
    pub fn remedy(&self) -> Remedy {
        let open = self.tasks.values().any(|task| !matches!(task.about, About::Effect { .. } | About::TooLong));
        let outcomes = || self.lines.iter().filter_map(|line| line.outcome.as_ref());
        // A line that no plugin spoke of is nobody's decision yet.
        let undecided = self.status == Status::Held || self.lines.is_empty() || outcomes().count() < self.lines.len();
        if open || undecided || outcomes().any(|outcome| outcome.remedy == Remedy::Review) {
            Remedy::Review
        } else if outcomes().any(|outcome| outcome.remedy == Remedy::Allow) {
            Remedy::Allow
        } else {
            Remedy::Deny
        }
    }

    /// The codes that made the remedy what it is, sorted, each once: of a review only what asks for a person.
    pub fn decisive_reasons(&self) -> Vec<&str> {
        let review = self.remedy() == Remedy::Review;
        let of_task = self.tasks.values().flat_map(|task| &task.reasons);
        let decides = |outcome: &&Outcome| !review || outcome.remedy == Remedy::Review;
        let of_line = self.lines.iter().filter_map(|line| line.outcome.as_ref()).filter(decides);
        let reasons = of_task.chain(of_line.flat_map(|outcome| &outcome.reasons)).chain(&self.reasons);
        let codes: std::collections::BTreeSet<&str> = reasons.map(|reason| reason.code.as_str()).collect();
        codes.into_iter().collect()
    }

    /// Money refunded or on its way: every leg that was not declined.
    pub fn refunded(&self) -> Money {
        self.refunds(|state| state != EffectState::Declined)
    }

    /// Of it the money of which nobody has said yet that it is there.
    pub fn on_its_way(&self) -> Money {
        self.refunds(|state| matches!(state, EffectState::Intended | EffectState::Unknown))
    }

    fn refunds(&self, counts: impl Fn(EffectState) -> bool) -> Money {
        let amount = |effect: &Effect| match &effect.what {
            What::Refund(refund) if counts(effect.state) => Some(refund.amount),
            _ => None,
        };
        // One currency per case, and the ledger capped every leg.
        Money::sum(self.currency, self.effects.values().filter_map(amount)).unwrap_or(Money::zero(self.currency))
    }

    /// Whether nothing more will happen.
    pub fn is_closed(&self) -> bool {
        matches!(self.status, Status::Closed { .. })
    }

    /// What a step gave, once for each iteration that it ran in.
    pub fn outputs_of<'a>(&'a self, step: &'a str) -> impl Iterator<Item = &'a Output> {
        let is_of = move |key: &str| key.strip_suffix(step).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        self.outputs.iter().filter(move |(key, _)| is_of(key)).map(|(_, output)| output)
    }

    /// The value of a step's output in expressions.
    pub fn output(&self, step: &str) -> Option<Value> {
        let output = self.outputs.get(step)?;
        crate::workflow::run::shapes::output(self, output)
    }
}
