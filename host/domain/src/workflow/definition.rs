//! A workflow that has passed every check: what the interpreter runs. Built only by `load`.

mod message;
pub mod outward;
mod plugin;
pub mod review;
pub mod start;
mod subcase;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::case::Retry;
use crate::clock::{Span, Zone};
use crate::ids::{Digest, Slug};
use crate::money::Currency;
use crate::value::Type;
use crate::workflow::calendar::Calendar;
use crate::workflow::calendar::delay::Delay;
use crate::workflow::definition::review::Review;
use crate::workflow::definition::start::Starts;
use crate::workflow::diagnostic::Diagnostic;
use crate::workflow::expr::Expr;
use crate::workflow::table::Table;
pub use message::{Message, Notify};
pub use outward::{Restock, Undo};
pub use plugin::{Hook, Plugin, PluginRef};
pub use subcase::{CallInput, Callable, CalledBy, Run, misfits};
pub use waiting::{EventArm, Timeout, Until};

/// A checked document with the plugins that its calls resolved to.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The workflow's name; revisions of one name replace each other for new cases.
    pub workflow: Slug,
    /// Hash of the canonical document with the plugin digests.
    pub revision: Digest,
    /// What people see it called.
    pub title: Option<Words>,
    /// The currency of every amount in the document.
    pub currency: Currency,
    /// The zone in which days are counted.
    pub zone: Zone,
    /// When people work, where the document says so.
    pub calendar: Option<Arc<Calendar>>,
    /// Among matching triggers of several workflows the highest priority wins, then the name.
    pub priority: i64,
    /// What starts a case on this workflow.
    pub triggers: Vec<Trigger>,
    /// How it runs as a sub-case, where it does.
    pub called: Option<CalledBy>,
    /// What starts a case on it by its name.
    pub starts: Starts,
    /// Fields that the merchant adds to the built-in ones.
    pub attributes: Attributes,
    /// Of these, those that a case cannot do without.
    pub needs: Needs,
    /// Events that the steps may await, with the types of what they carry.
    pub events: BTreeMap<String, BTreeMap<String, Type>>,
    /// Bounds of one case.
    pub limits: Limits,
    /// Variables with their defaults.
    pub vars: BTreeMap<String, Variable>,
    /// What it tells while it waits, in its own words, by name.
    pub messages: BTreeMap<Slug, Arc<Message>>,
    /// Every step, those of branches and bodies right after the step that they belong to; a case begins at the first.
    pub steps: Vec<Step>,
    /// By an `again`, the steps that its way back leads through, those inside them included.
    pub ways_back: BTreeMap<Slug, BTreeSet<Slug>>,
    /// The plugins that the calls resolved to, by the reference as written.
    pub plugins: BTreeMap<PluginRef, Plugin>,
    /// What is worth a second look in its text. Nothing is refused for it.
    pub warnings: Vec<Diagnostic>,
}

impl Definition {
    /// The step of this name.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id.as_str() == id)
    }

    /// The step that follows this one in its list.
    pub fn after(&self, id: &str) -> Option<&Step> {
        let mut rest = self.steps.iter().skip_while(|step| step.id.as_str() != id);
        let step = rest.next()?;
        rest.find(|other| other.within == step.within)
    }
}

/// A text for people: one for all, or one per locale.
#[derive(Debug, Clone)]
pub enum Words<T = String> {
    /// The same in every locale.
    One(T),
    /// By locale, as `zh-CN`.
    Many(BTreeMap<String, T>),
}

impl<T> Words<T> {
    /// The same words in another form, where each of them has one.
    pub fn try_map<U>(self, mut map: impl FnMut(T) -> Option<U>) -> Option<Words<U>> {
        Some(match self {
            Self::One(words) => Words::One(map(words)?),
            Self::Many(many) => {
                // All are mapped before the first lack is noticed, so that each can report.
                let mapped: Vec<_> = many.into_iter().map(|(locale, words)| (locale, map(words))).collect();
                let whole = mapped.into_iter().map(|(locale, words)| Some((locale, words?)));
                Words::Many(whole.collect::<Option<_>>()?)
            }
        })
    }

    /// The words for a locale, else English, else whatever stands first.
    pub fn locale(&self, locale: &str) -> Option<&T> {
        match self {
            Self::One(words) => Some(words),
            Self::Many(many) => many.get(locale).or_else(|| many.get("en")).or_else(|| many.values().next()),
        }
    }
}

/// Merchant's own fields by what they belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Of the case.
    pub case: BTreeMap<String, Type>,
    /// Of a line of the case.
    pub line: BTreeMap<String, Type>,
    /// Of the order.
    pub order: BTreeMap<String, Type>,
    /// Of a line of an order.
    pub order_line: BTreeMap<String, Type>,
    /// Of the customer.
    pub customer: BTreeMap<String, Type>,
}

/// Attributes that a submission must come with: the steps read them without asking whether they are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Of the case.
    pub case: BTreeSet<String>,
    /// Of each line.
    pub line: BTreeSet<String>,
}

/// Starts a case when one of these kinds is opened and the condition holds.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Kinds of case: `return`, `exchange` ...; empty for all.
    pub kinds: BTreeSet<String>,
    /// Further condition; reads the case before any step.
    pub when: Option<Expr>,
    /// What a submission must name; it is refused field by field otherwise.
    pub requires: BTreeSet<Required>,
}

/// A part of a submission that is optional in the core and that a trigger may require.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Required {
    /// The order that the lines are from.
    Order,
    /// Why the case was opened.
    Reason,
    /// Whose case it is.
    Customer,
    /// At least one line.
    Lines,
}

impl Required {
    /// The word in documents and submissions.
    pub fn word(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Reason => "reason",
            Self::Customer => "customer",
            Self::Lines => "lines",
        }
    }
}

/// Bounds of one case.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// The most that the case may refund; money.
    pub refund_max: Option<Expr>,
    /// How many lines a case may have; with 1 the root `item` exists.
    pub lines: Option<u32>,
    /// How long a case may be open before a person is asked what is to become of it.
    pub open_for: Option<Delay>,
}

/// A variable of the case.
#[derive(Debug, Clone)]
pub struct Variable {
    /// What it holds; without a default its reads need a guard.
    pub kind: Type,
    /// The value that a case begins with.
    pub default: Option<crate::value::Value>,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// The name that `then`, tasks and records use.
    pub id: Slug,
    /// The list that it stands in, where that is not the document's own.
    pub within: Option<Within>,
    /// For people.
    pub title: Option<Words>,
    /// The step is skipped where this does not hold.
    pub when: Option<Expr>,
    /// The name under which later steps read its output, beside `steps.<id>`.
    pub alias: Option<String>,
    /// What follows; the next step of its list where it is not said.
    pub then: Option<Slug>,
    /// Where failures go, by code; a built-in task where nothing matches.
    pub on_error: Vec<OnError>,
    /// How what it sends is sent again, where the document says so.
    pub retry: Option<Retry>,
    /// What undoes it once it has done its work.
    pub compensate: Option<Compensate>,
    /// Cases that wait here may be moved to another revision.
    pub migration_point: bool,
    /// What it does.
    pub kind: Kind,
}

/// A list of steps inside a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    /// The step that it belongs to.
    pub step: Slug,
    /// Which of its branches; none for the body of a `for_each`.
    pub branch: Option<Slug>,
}

/// Where a failure of a step goes.
#[derive(Debug, Clone)]
pub struct OnError {
    /// The code, or `None` for any.
    pub code: Option<String>,
    /// The step that follows.
    pub then: Slug,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Ask a plugin; pure, fuel is its limit.
    Call {
        /// Which plugin.
        plugin: PluginRef,
        /// Its parameters.
        with: BTreeMap<String, Expr>,
    },
    /// Go where the first condition that holds says; the last arm has none.
    Decide {
        /// The arms in order.
        arms: Vec<Arm>,
    },
    /// Set what the rows that match say.
    Table(Table),
    /// Assign variables. Every value is computed from the variables as they were before the step.
    Set {
        /// Variable and value; the order has no meaning.
        assignments: Vec<(String, Expr)>,
    },
    /// Reserve what a verdict allows, per order line.
    Approve {
        /// The lines of a verdict.
        lines: Expr,
        /// How long the reservation lasts.
        until: Delay,
    },
    /// Wait for a person.
    Review(Review),
    /// Wait for a person who looks at the goods; without outcomes of its own it leads on.
    Inspect(Review),
    /// Wait for an event, or for several.
    Await {
        /// The events; of several the first that matches wins.
        arms: Vec<EventArm>,
        /// Instead, each of them must come, in any order.
        all: bool,
        /// When somebody is reminded, counted from entering the step.
        remind: Vec<Delay>,
        /// The end of waiting.
        timeout: Timeout,
    },
    /// Wait for a time.
    Wait(Until),
    /// Send money back.
    Refund {
        /// How much, and out of what.
        amount: RefundOf,
        /// How: `original` unless said otherwise.
        method: String,
        /// A code for the records.
        reason: Option<Expr>,
    },
    /// Put the goods somewhere.
    Restock(Restock),
    /// Tell somebody.
    Notify(Notify),
    /// Ask an endpoint of the merchant, and wait for its answer.
    Http(Http),
    /// Give other goods for those that come back.
    Exchange(Exchange),
    /// Open a case of another workflow.
    Run(Run),
    /// Undo what other steps did.
    Undo(Undo),
    /// Do several things at once.
    Parallel(Parallel),
    /// Do the same for each element of a list.
    ForEach(ForEach),
    /// Go back.
    Again {
        /// Where to.
        to: Slug,
        /// How often at most; then on.
        max_visits: u32,
    },
    /// End the case with a result.
    Finish {
        /// The result in one word.
        result: Slug,
    },
    /// End the case as failed.
    Fail {
        /// The code of the failure.
        code: Slug,
    },
}

impl Kind {
    /// What a person is asked, where one is.
    pub fn asked(&self) -> Option<&Review> {
        match self {
            Self::Review(review) | Self::Inspect(review) => Some(review),
            _ => None,
        }
    }

    /// The word in the document.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Call { .. } => "call",
            Self::Decide { .. } => "decide",
            Self::Table(_) => "table",
            Self::Set { .. } => "set",
            Self::Approve { .. } => "approve",
            Self::Review(_) => "review",
            Self::Inspect(_) => "inspect",
            Self::Await { .. } => "await",
            Self::Wait(_) => "wait",
            Self::Refund { .. } => "refund",
            Self::Restock { .. } => "restock",
            Self::Notify(_) => "notify",
            Self::Http(_) => "http",
            Self::Exchange(_) => "exchange",
            Self::Run(_) => "run",
            Self::Undo(_) => "undo",
            Self::Parallel(_) => "parallel",
            Self::ForEach(_) => "for_each",
            Self::Again { .. } => "again",
            Self::Finish { .. } => "finish",
            Self::Fail { .. } => "fail",
        }
    }
}

/// One arm of a `decide`.
#[derive(Debug, Clone)]
pub struct Arm {
    /// The condition; none in the last arm.
    pub when: Option<Expr>,
    /// The step that follows.
    pub then: Slug,
}

/// Several things at once.
#[derive(Debug, Clone)]
pub struct Parallel {
    /// When it is done.
    pub join: Join,
    /// The first step of each branch, by name: branches begin in the order of their names.
    pub branches: BTreeMap<Slug, Slug>,
    /// Variables that more than one of them may set, and what becomes of their values.
    pub merge: BTreeMap<String, Merge>,
}

/// When a `parallel` is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Once every branch came to its end.
    All,
    /// Once so many did; the others are called off.
    Count(u32),
}

/// What becomes of a variable that several lanes set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// Their values together.
    Sum,
    /// The value of the lane that came to its end last.
    Last,
    /// Their lists one after the other, in the order of the lanes.
    List,
}

/// The same for each element of a list.
#[derive(Debug, Clone)]
pub struct ForEach {
    /// The list.
    pub over: Expr,
    /// How many elements it may have.
    pub max: u32,
    /// What an element is called in the body.
    pub element: String,
    /// How many of them at once.
    pub at_once: u32,
    /// The first step of the body.
    pub first: Slug,
    /// Variables that more than one iteration may set, and what becomes of their values.
    pub merge: BTreeMap<String, Merge>,
}

/// A request to an endpoint of the merchant.
#[derive(Debug, Clone)]
pub struct Http {
    /// The connector `http:<target>`; never an address.
    pub target: Slug,
    /// What is sent.
    pub body: BTreeMap<String, Expr>,
    /// What the answer must hold; an optional type may be left out.
    pub expect: BTreeMap<String, Type>,
}

/// Other goods for those that come back.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What the customer gets.
    pub sku: Expr,
    /// How many; as many as come back where it is not said.
    pub quantity: Option<Expr>,
    /// How long the shop keeps them for the customer.
    pub hold_stock: Span,
    /// What becomes of a difference in price: `charge_or_refund`, or `none`.
    pub price_difference: String,
}

/// What undoes a step.
#[derive(Debug, Clone)]
pub enum Compensate {
    /// A system is asked to.
    Http(Http),
    /// Goods go elsewhere.
    Restock(Restock),
    /// Somebody is told.
    Notify(Notify),
}

/// How much a `refund` sends, and out of what.
#[derive(Debug, Clone)]
pub enum RefundOf {
    /// A quote, line by line.
    Quote(Expr),
    /// A bare amount, for a case without an order.
    Amount(Expr),
}
