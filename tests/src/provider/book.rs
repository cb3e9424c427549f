//! The book of the provider: every call is written down and flushed before it is answered, so that a provider that is killed
//! knows afterwards what it did.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::Context as _;
use redress_domain::ids::Digest;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Options;

/// What became of an effect here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Confirmed,
    /// It was refused.
    Declined,
}

/// What a request told.
pub struct Told {
    /// The key.
    pub key: String,
    pub(super) kind: String,
    tenant: String,
    body: Digest,
    amount: Option<(Decimal, String)>,
}

/// The key came before with another body.
#[derive(Debug)]
pub struct OtherBody;

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Requests that were signed well.
    pub calls: u64,
    /// Different keys.
    pub keys: u64,
    /// How often something was done: more than one for a key is one too many.
    pub effects: u64,
    /// Calls under a key that had come before.
    pub repeated: u64,
    /// Calls under a known key with another body.
    pub conflicts: u64,
    /// Money that left, by currency.
    pub amount: BTreeMap<String, Decimal>,
}

/// An effect as the provider knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Known {
    /// The key.
    pub key: String,
    /// `refund.requested` ...
    pub kind: String,
    /// Whose.
    pub tenant: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How often it was asked for.
    pub calls: u64,
    /// How often it was done.
    pub effects: u64,
    /// How much, of money.
    pub amount: Option<Decimal>,
    /// In which currency.
    pub currency: Option<String>,
    #[serde(skip)]
    body: Digest,
}

/// One line of the book: one call.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    key: String,
    kind: String,
    tenant: String,
    body: Digest,
    outcome: Outcome,
    acted: bool,
    amount: Option<Decimal>,
    currency: Option<String>,
}

/// Everything that was told and done.
pub struct Book {
    file: File,
    known: BTreeMap<String, Known>,
    conflicts: u64,
}

impl Told {
    /// Read a body that was signed well.
    pub fn read(key: String, body: &[u8]) -> Result<Self, String> {
        let read: serde_json::Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let text = |at: &str| read.pointer(at).and_then(serde_json::Value::as_str).map(ToOwned::to_owned);
        if text("/id").as_deref() != Some(&key) {
            return Err("the id in the body is not the one in the header".to_owned());
        }
        let amount = text("/data/amount/amount").map(|amount| amount.parse::<Decimal>());
        let amount = amount.transpose().map_err(|error| error.to_string())?;
        Ok(Self {
            key,
            kind: text("/type").ok_or("the body has no type")?,
            tenant: text("/tenant").ok_or("the body has no tenant")?,
            body: Digest::of(body),
            amount: amount.zip(text("/data/amount/currency")),
        })
    }
}

impl Book {
    /// Open a book, or begin one. A last line that was not finished never happened: nobody was answered.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create(true).read(true).append(true).open(path);
        let mut file = file.with_context(|| format!("the book {}", path.display()))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(u64::try_from(whole)?)?;
        file.seek(SeekFrom::End(0))?;
        let mut book = Self { file, known: BTreeMap::new(), conflicts: 0 };
        for line in text[..whole].lines() {
            book.count(serde_json::from_str(line)?);
        }
        Ok(book)
    }

    /// Take a call: act where the key is new, and write it down. Answers the outcome and which call of its key it is.
    pub fn take(&mut self, told: &Told, options: &Options) -> Result<(Outcome, u64), OtherBody> {
        let known = self.known.get(&told.key);
        if known.is_some_and(|known| known.body != told.body) {
            self.conflicts += 1;
            return Err(OtherBody);
        }
        let too_much =
            options.decline_above.zip(told.amount.as_ref()).is_some_and(|(most, (amount, _))| *amount > most);
        let decided = if too_much { Outcome::Declined } else { Outcome::Confirmed };
        let outcome = known.map_or(decided, |known| known.outcome);
        let acted = outcome == Outcome::Confirmed && (known.is_none() || options.forgetful);
        let (amount, currency) = told.amount.clone().unzip();
        let line = Line {
            key: told.key.clone(),
            kind: told.kind.clone(),
            tenant: told.tenant.clone(),
            body: told.body,
            outcome,
            acted,
            amount,
            currency,
        };
        let written = serde_json::to_string(&line).map(|text| format!("{text}\n"));
        let written = written.map_err(std::io::Error::other).and_then(|text| {
            self.file.write_all(text.as_bytes())?;
            self.file.sync_data()
        });
        // A provider that cannot write down what it does must not do it.
        written.expect("the book can be written");
        Ok((outcome, self.count(line)))
    }

    fn count(&mut self, line: Line) -> u64 {
        let known = self.known.entry(line.key.clone()).or_insert_with(|| Known {
            key: line.key,
            kind: line.kind,
            tenant: line.tenant,
            outcome: line.outcome,
            calls: 0,
            effects: 0,
            amount: line.amount,
            currency: line.currency,
            body: line.body,
        });
        known.calls += 1;
        known.effects += u64::from(line.acted);
        known.calls
    }

    /// What was counted.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats { conflicts: self.conflicts, ..Stats::default() };
        for known in self.known.values() {
            stats.calls += known.calls;
            stats.keys += 1;
            stats.effects += known.effects;
            stats.repeated += known.calls - 1;
            if let (Some(amount), Some(currency)) = (known.amount, &known.currency) {
                *stats.amount.entry(currency.clone()).or_default() += amount * Decimal::from(known.effects);
            }
        }
        stats
    }

    /// Every effect by its key.
    pub fn effects(&self) -> Vec<Known> {
        self.known.values().cloned().collect()
    }
}
