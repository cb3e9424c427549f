//! What leaves the process for a case, and what is known of it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::lane::LaneId;
use super::message::Message;
use crate::clock::{Instant, Span};
use crate::ids::{OrderId, Sku, Slug};
use crate::money::Money;
use crate::value::{Fields, Type};
use crate::verdict::Take;

/// Something that leaves the process, or left it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The step that wanted it.
    pub step: Slug,
    /// The lane that it stood in.
    #[serde(default, skip_serializing_if = "LaneId::is_main")]
    pub lane: LaneId,
    /// How often the case had come back to the step before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub round: u32,
    /// What it is.
    pub what: What,
    /// What is known of it.
    pub state: EffectState,
    /// The provider's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What a system answered that was asked something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// Why it was declined, a code of the receiver's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How it is sent again, where its workflow says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// The compensation that it is, by its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u32>,
}

impl Effect {
    /// An effect of a step that is to leave.
    pub fn intended(step: Slug, what: What, retry: Option<Retry>) -> Self {
        Self {
            step,
            lane: LaneId::main(),
            round: 0,
            what,
            state: EffectState::Intended,
            reference: None,
            reply: None,
            code: None,
            retry,
            undoes: None,
        }
    }
}

/// How something is sent again that may have been lost. What is left out is as the host has it, whose limits hold in any case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// The most requests in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// The pause after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Span>,
    /// By what each further pause is longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<Decimal>,
    /// The longest pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Span>,
    /// How much shorter or longer a pause may be, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<u8>,
    /// Codes after which nothing is sent again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unless: Vec<String>,
}

/// What a system answered, as far as it could be read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The expected fields, each of its type.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
    /// Expected fields that were there and of another type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<String>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What an effect does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Money back, one leg.
    Refund(Refund),
    /// Goods somewhere.
    Restock {
        /// Where to.
        to: String,
        /// Stock codes and units.
        goods: Vec<(Sku, u32)>,
        /// The lot that they are of, where it was read off them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lot: Option<String>,
        /// The serial number of a single unit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        serial: Option<String>,
    },
    /// A message.
    Notice {
        /// Which text.
        template: Slug,
        /// Whom.
        to: String,
        /// How.
        channel: String,
        /// What it says, where the workflow has a text of its own under this name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<Box<Message>>,
    },
    /// A request to a system of the merchant.
    Http(Request),
    /// Other goods for those that come back.
    Exchange(Exchange),
}

impl What {
    /// The word in lists and on the wire.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Refund(_) => "refund",
            Self::Restock { .. } => "restock",
            Self::Notice { .. } => "notice",
            Self::Http(_) => "http",
            Self::Exchange(_) => "exchange",
        }
    }

    /// How much, where it is money.
    pub fn amount(&self) -> Option<Money> {
        match self {
            Self::Refund(refund) => Some(refund.amount),
            Self::Restock { .. } | Self::Notice { .. } | Self::Http(_) | Self::Exchange(_) => None,
        }
    }
}

/// Other goods for those that come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What the customer gets.
    pub sku: Sku,
    /// How many.
    pub quantity: u32,
    /// Until when the shop keeps them for the customer.
    pub hold_until: Instant,
    /// What becomes of a difference in price.
    pub price_difference: String,
    /// What comes back: units that count as returned, for no money.
    pub items: Vec<Item>,
}

/// A request to a system of the merchant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The connector `http:<target>`.
    pub target: Slug,
    /// What it is told.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub body: Fields,
    /// What its answer must hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub expect: BTreeMap<String, Type>,
}

/// One leg of a refund: one order, one payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    /// The order; none for a bare amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The payment of the order, where the shop told its payments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// How: `original` ...
    pub method: String,
    /// How much.
    pub amount: Money,
    /// A code for the records of the provider and the books.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it is for, where this leg is the first of its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
}

/// A take with the money refunded for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The line of the case.
    pub line: u32,
    /// The purchase.
    pub take: Take,
    /// The money.
    pub amount: Money,
}

/// What is known of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectState {
    /// Durable, not yet known to have happened.
    Intended,
    /// It happened.
    Confirmed,
    /// It did not and will not.
    Declined,
    /// It may have happened: a person's.
    Unknown,
}

impl EffectState {
    /// The word in records and expressions.
    pub fn word(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
            Self::Unknown => "unknown",
        }
    }
}
