//! Decisions in a file: with the questions, the answers and the components, so that they can be made again where nothing else is.
//!
//! A file holds no personal data: a question has none.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use redress_domain::ask::{Answered, Ask, Asked};
use redress_domain::ids::{CaseId, Digest};
use redress_domain::replay as again;
use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::run::Run;
use redress_sandbox::{Config, Sandbox};
use redress_store::objects::Objects;
use serde::{Deserialize, Serialize};

use super::compare::{self, Compared};
use super::judge::{Found, number, walk};
use super::{Difference, Differs, Error, Named, Report};
use crate::engine::Engine;
use crate::engine::question::Question;

/// What the file says it is.
const FORMAT: &str = "redress.decisions.1";

/// Most bytes of a file that is read: as many decisions of one case as a journal holds, with their components.
pub const FILE_BYTES_MAX: usize = 256 << 20;

/// The decisions of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    format: String,
    case: CaseId,
    number: String,
    decisions: Vec<Decided>,
    /// Components by their digest, in base 64.
    components: BTreeMap<Digest, String>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {
    turn: u64,
    /// Counted from 1 in its turn.
    ask: usize,
    recorded: Asked,
    question: Question,
}

/// The decisions of a case, with the components that made them.
///
/// # Errors
/// There is no such case, it cannot be read, or a component is nowhere.
pub fn export(engine: &Engine, objects: &Objects, case: CaseId) -> Result<Exported, Error> {
    let snapshot = engine.store().read()?;
    let mut exported = Exported {
        format: FORMAT.to_owned(),
        case,
        number: String::new(),
        decisions: Vec::new(),
        components: BTreeMap::new(),
    };
    let mut is_known = false;
    walk(&snapshot, case, |before, turn| {
        is_known = true;
        exported.number = number(before.as_ref(), turn);
        let Some(found) = Found::of(engine, before.as_ref(), turn) else { return Ok(()) };
        let mut asks = turn.asks.iter().zip(1..);
        let mut answers = |definition: &Definition, ask: &Ask, run: &Run| {
            let (recorded, ask_number) = asks.next()?;
            // What could not be put as a question was never a decision of a plugin.
            if let Ok(question) = Question::of(definition, ask, run) {
                let recorded = recorded.clone();
                exported.decisions.push(Decided { turn: turn.number, ask: ask_number, recorded, question });
            }
            Some(recorded.answered.clone())
        };
        // What stops here is told by a replay of the case; the decisions before it are in the file.
        drop(again::again(found.rules(engine), before, turn, &mut answers));
        Ok(())
    })?;
    if !is_known {
        return Err(Error::NoCase(case));
    }
    for decided in &exported.decisions {
        let digest = decided.recorded.ask.digest;
        if let Entry::Vacant(place) = exported.components.entry(digest) {
            let bytes = objects.get(digest).map_err(|error| Error::File(format!("component {digest}: {error}")))?;
            place.insert(BASE64.encode(bytes));
        }
    }
    Ok(exported)
}

impl Exported {
    /// Read a file.
    ///
    /// # Errors
    /// It is not one.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let file = |detail: String| Error::File(detail);
        if bytes.len() > FILE_BYTES_MAX {
            return Err(file(format!("it has {} bytes, at most {FILE_BYTES_MAX}", bytes.len())));
        }
        let read: Self = serde_json::from_slice(bytes).map_err(|error| file(error.to_string()))?;
        if read.format != FORMAT {
            return Err(file(format!("its format is {:?}, and this program reads {FORMAT:?}", read.format)));
        }
        Ok(read)
    }

    /// The file.
    pub fn write(&self) -> Vec<u8> {
        // Everything in it can be written.
        let mut bytes = serde_json::to_vec_pretty(self).expect("decisions are written as JSON");
        bytes.push(b'\n');
        bytes
    }

    /// How many decisions it holds.
    pub fn decisions(&self) -> usize {
        self.decisions.len()
    }

    /// Make every decision again, in a sandbox of its own.
    ///
    /// # Errors
    /// A component is not what its digest says, or there is no sandbox.
    pub fn replay(&self, config: Config) -> Result<Report, Error> {
        let sandbox = Sandbox::new(config).map_err(|error| Error::File(error.to_string()))?;
        let mut components = BTreeMap::new();
        for (digest, text) in &self.components {
            let bytes = BASE64.decode(text).map_err(|error| Error::File(format!("component {digest}: {error}")))?;
            if Digest::of(&bytes) != *digest {
                return Err(Error::File(format!("component {digest} is not what its digest says")));
            }
            components.insert(*digest.bytes(), bytes);
        }
        let sandbox = sandbox.with_library(Arc::new(move |digest| components.get(digest).cloned()));
        let mut report = Report { cases: 1, ..Report::default() };
        for decided in &self.decisions {
            self.decided(&sandbox, decided, &mut report);
        }
        let mut turns: Vec<u64> = self.decisions.iter().map(|decided| decided.turn).collect();
        turns.dedup();
        report.turns = turns.len() as u64;
        Ok(report)
    }

    fn decided(&self, sandbox: &Sandbox, decided: &Decided, report: &mut Report) {
        let Decided { turn, ask, recorded, question } = decided;
        report.checked += 1;
        let Answered { engine, .. } = &recorded.answered;
        *report.engines.entry(engine.clone()).or_default() += 1;
        match compare::again(sandbox, recorded, &recorded.ask, Ok(question.clone())).compared {
            Compared::Equal => {}
            Compared::FuelMoved => report.fuel_moved += 1,
            Compared::Unknown(code) => report.cannot(&code),
            Compared::Differs(what) => self.differs(*turn, *ask, recorded, what, report),
        }
    }

    fn differs(&self, turn: u64, ask: usize, recorded: &Asked, what: Differs, report: &mut Report) {
        let case = Named { tenant: String::new(), id: self.case, number: self.number.clone() };
        let plugin = Some((recorded.ask.plugin.clone(), recorded.ask.digest));
        let step = Some(recorded.ask.step.to_string());
        report.differs(Difference { case, turn, ask: Some(ask), step, plugin, what });
    }
}
