//! What may happen to a case: commands, with who, when and from where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::child::{Called, Ended};
use super::lane::LaneId;
use super::start::Start;
use super::{External, Line, Reply};
use crate::clock::Instant;
use crate::ids::{CustomerId, Digest, OrderId, Slug, TaskId};
use crate::money::Currency;
use crate::value::{Fields, Value};
use crate::verdict::Remedy;

/// A command with everything about it that the records keep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Business time: rules see it as `now`.
    pub occurred_at: Instant,
    /// The server's time when it was accepted.
    pub recorded_at: Instant,
    /// Who.
    pub actor: Actor,
    /// How it came in: `import`, `api`, `console`, `timer` ...
    pub channel: String,
    /// From which system or file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Why, from people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What.
    pub body: Body,
}

/// Who gives a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// A person, a key, or the host itself.
    pub kind: ActorKind,
    /// Which one; never a name.
    pub id: String,
    /// In which role.
    pub role: String,
}

impl Actor {
    /// The host itself: timers, recovery, continuation.
    pub fn host() -> Self {
        Self { kind: ActorKind::Host, id: "host".into(), role: "host".into() }
    }
}

/// What kind of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// Somebody.
    Person,
    /// A key of the API or the command line.
    Key,
    /// An import.
    Import,
    /// The host itself.
    Host,
}

/// What is to happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Open a case.
    Open(Box<Open>),
    /// A person's answer to a task.
    Complete(Complete),
    /// A person takes a task.
    Claim(TaskId),
    /// A task is given back.
    Release(TaskId),
    /// Something happened outside.
    Event(Event),
    /// A timer is due.
    Timer(Timer),
    /// The outcome of an effect.
    Settle(Settle),
    /// A person has an effect delivered again, under the same key.
    Resend(Digest),
    /// A sub-case has ended; from the host only.
    SubCase(Box<Ended>),
    /// The case goes on with another revision of its workflow.
    Migrate(Box<Migrate>),
    /// A person ends the case.
    Cancel,
    /// Go on with a long run; from the host only.
    Continue,
}

impl Body {
    /// The name in records and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open(_) => "case.open",
            Self::Complete(_) => "task.complete",
            Self::Claim(_) => "task.claim",
            Self::Release(_) => "task.release",
            Self::Event(_) => "case.event",
            Self::Timer(_) => "timer.fire",
            Self::Settle(_) => "effect.settle",
            Self::Resend(_) => "effect.resend",
            Self::SubCase(_) => "case.sub_case",
            Self::Migrate(_) => "case.migrate",
            Self::Cancel => "case.cancel",
            Self::Continue => "case.continue",
        }
    }
}

/// A case to open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// `return`, `exchange` ...
    pub kind: Slug,
    /// The name that another system gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
    /// Opened from the past.
    pub history: bool,
    /// Whose case it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The order it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The currency of its amounts.
    pub currency: Currency,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The legal basis claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// The merchant's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub attributes: Fields,
    /// The items.
    pub lines: Vec<Line>,
    /// By which case, where it is a sub-case: no trigger is asked then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<Box<Called>>,
    /// By what, where it names its workflow: no condition of a trigger is asked then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Box<Start>>,
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Complete {
    /// The task.
    pub task: TaskId,
    /// The choice: one of the review's, or of a built-in task's.
    pub outcome: String,
    /// What was filled in.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub form: Fields,
    /// Of an imported case: the person confirms that what follows is paid for real.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live: bool,
    /// For a failed plugin: what the person decides, line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<PersonVerdict>,
}

/// What a person decides of a line in place of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PersonVerdict {
    /// The line of the case.
    pub line: u32,
    /// The remedy; never a review.
    pub remedy: Remedy,
    /// For how many units, taken from the newest purchases with something left.
    pub quantity: u32,
    /// A reason code.
    pub reason: String,
}

/// Something that happened outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// What it carries.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// A timer that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// The wait at a step ends.
    Wait {
        /// The step.
        step: Slug,
        /// The turn in which the wait began.
        since: u64,
        /// The lane that waits.
        #[serde(default, skip_serializing_if = "LaneId::is_main")]
        lane: LaneId,
    },
    /// A reservation lapses.
    Reservation {
        /// The turn in which the units were promised.
        since: u64,
    },
    /// Something happens to a task that is not answered.
    Task {
        /// The task.
        task: TaskId,
    },
    /// Somebody is reminded of what an await waits for.
    Remind {
        /// The step.
        step: Slug,
        /// The turn in which the wait began.
        since: u64,
        /// The lane that waits.
        #[serde(default, skip_serializing_if = "LaneId::is_main")]
        lane: LaneId,
        /// The instants of this reminder and of those after it.
        rest: Vec<Instant>,
    },
    /// The case is open for as long as its workflow allows.
    OpenFor,
}

/// How a case goes on with another revision of its workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Migrate {
    /// The revision that it leaves.
    pub from: Digest,
    /// The revision that it goes to.
    pub to: Digest,
    /// Steps that are called otherwise there, by their names of before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<Slug, Slug>,
    /// What variables hold there; what is not named is kept, or begins with its default.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vars: BTreeMap<String, Carry>,
    /// What becomes of the time at which the wait ends.
    pub timers: Timers,
}

/// What a variable holds after a migration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carry {
    /// What it held, if anything.
    Keep,
    /// The default of the revision to go to.
    Default,
    /// This.
    Value(Value),
}

/// What becomes of the time at which a wait ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timers {
    /// It ends when it would have ended.
    Keep,
    /// It ends when it would have ended had it begun on the other revision.
    Recompute,
}

/// The outcome of an effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settle {
    /// The effect.
    pub key: Digest,
    /// What became of it.
    pub outcome: Settled,
    /// The provider's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What a system answered that was asked something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// Why it was declined, a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl Settle {
    /// An outcome that says nothing more.
    pub fn new(key: Digest, outcome: Settled) -> Self {
        Self { key, outcome, reference: None, reply: None, code: None }
    }
}

/// What became of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// It happened.
    Confirmed,
    /// It did not and will not.
    Declined,
    /// Nobody knows.
    Unknown,
}

/// A command that the rules refuse. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// A stable code.
    pub code: &'static str,
    /// For a person.
    pub message: String,
    /// The fields of the submission that it is about.
    pub fields: Vec<String>,
}

impl Rejection {
    /// A refusal that belongs to no field.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fields: Vec::new() }
    }
}
