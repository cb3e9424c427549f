//! The merchant's own cases of a plugin: questions under its name, each with what must be answered where that is said. What is handed in
//! under the name is asked them before it is taken, beside what every upload is asked.
//!
//! A case is kept as the file that it came as, so that authors and the host ask the same. How many there are is a pointer of the
//! name; the files lie in a table of their own.

use redress_domain::case::command::Actor;
use redress_domain::codec;
use redress_domain::ids::{Digest, Slug};
use redress_sandbox::PluginInfo;
use redress_sandbox::conformance::{self, Case, Mistake, Report, Rule};
use redress_store::row::{Row, RowKey};
use redress_store::scan::Scan;
use redress_store::snapshot::Snapshot;
use serde::{Deserialize, Serialize};

use super::way::{Answer, Way};
use super::{Error, plugins};
use crate::engine::log::{self, Record, Since, What};
use crate::engine::{self, Engine};

/// Names of what is kept of a plugin in the store's pointers begin with this.
const POINTER: &str = "cases/";
/// Bytes of a case: a request of the largest size, which is 256 KiB as it is asked, written out by a person.
pub const CASE_BYTES_MAX: usize = 1 << 20;
/// Cases of a plugin: each is asked some four times, and a plugin in JavaScript answers some 2,000 questions in the seconds of a dry run.
const CASES_MAX: u32 = 200;
/// Bytes of the cases of a plugin: they are held in memory while it is tried.
const BYTES_MAX: u64 = 4 << 20;
/// Bytes of the cases of a merchant.
const MERCHANT_BYTES_MAX: u64 = 32 << 20;
/// Cases of a merchant.
const MERCHANT_CASES_MAX: u32 = 2_000;
/// Cases that are told one by one where a component answers them otherwise.
const DIFFERING_MAX: usize = 20;

/// A case that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name.
    pub case: Slug,
    /// The file.
    pub source: String,
    /// Since when, by whom and why.
    pub since: Since,
}

/// What is kept of a plugin's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Room {
    cases: u32,
    bytes: u64,
    /// Of everything that ever was kept and removed, so that two moments can be told apart.
    mark: Digest,
}

/// A case to be kept.
#[derive(Debug)]
pub struct Keep<'a> {
    /// The plugin, without a version.
    pub plugin: &'a str,
    /// Its name.
    pub case: &'a str,
    /// The file.
    pub source: &'a str,
    /// Why, in a few words.
    pub note: &'a str,
    /// By whom.
    pub by: &'a Actor,
    /// The way in.
    pub way: Way,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, Kept>>,
}

/// A case that a component answers otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// The case.
    pub case: String,
    /// Where, what was answered, and what was expected.
    pub detail: String,
}

/// The cases by which a component was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tried(Option<Digest>);

/// Keep a case under the name of a plugin, whether there is one of this name yet or not, in place of the case of the same name.
///
/// # Errors
/// It is none, a name is none, or there is no more room.
pub fn keep(engine: &Engine, keep: &Keep<'_>) -> Result<Kept, Error> {
    let Keep { plugin, case: name, source, note, by, way, answer } = keep;
    let (plugin, case) = names(plugin, name)?;
    read(&case, source).map_err(|mistakes| Error::CaseInvalid { case: case.to_string(), mistakes })?;
    let _alone = engine.publishing();
    let snapshot = now(engine)?;
    let before = find(&snapshot, &plugin, &case)?;
    let is_same = before.as_ref().is_some_and(|before| before.source == *source);
    let room = room(&snapshot, &plugin)?;
    let content = Digest::of(source.as_bytes());
    let other = Room {
        cases: room.map_or(0, |room| room.cases) + u32::from(before.is_none()),
        bytes: room.map_or(0, |room| room.bytes) - size(before.as_ref()) + source.len() as u64,
        mark: mark(room, &plugin, &case, Some(content)),
    };
    has_room(&snapshot, &plugin, room, other)?;
    drop(snapshot);
    let kept = |at| Kept {
        case: case.clone(),
        source: (*source).to_owned(),
        since: Since { at, by: (*by).clone(), note: (*note).to_owned(), from: way.origin() },
    };
    log::record(engine, by, |next| {
        let new = before.clone().filter(|_| is_same).unwrap_or_else(|| kept(next.at));
        let idem = answer.as_ref().map(|answer| answer.record(next.at, &new));
        if is_same {
            return Record { idem, ..Record::default() };
        }
        let fact = What::PluginCaseKept {
            plugin: plugin.to_string(),
            case: case.clone(),
            content,
            note: (*note).to_owned(),
            from: way.origin(),
        };
        let row = Row::Put(RowKey::plugin_case(plugin.as_str(), case.as_str()), codec::encode(&new));
        Record {
            facts: vec![fact],
            rows: vec![row, Row::Put(pointer(&plugin), codec::encode(&other))],
            idem,
            ..Record::default()
        }
    })?;
    get(engine, plugin.as_str(), case.as_str())
}

/// Remove a case: nothing is asked it any more.
///
/// # Errors
/// There is none of this name.
pub fn remove(engine: &Engine, plugin: &str, case: &str, by: &Actor, way: &Way) -> Result<(), Error> {
    let missing = || Error::NoCase { plugin: plugin.to_owned(), case: case.to_owned() };
    let (plugin, case) = names(plugin, case).map_err(|_| missing())?;
    let _alone = engine.publishing();
    let snapshot = now(engine)?;
    let (before, room) = (find(&snapshot, &plugin, &case)?.ok_or_else(missing)?, room(&snapshot, &plugin)?);
    drop(snapshot);
    let left = room.filter(|room| room.cases > 1).map(|room| Room {
        cases: room.cases - 1,
        bytes: room.bytes - size(Some(&before)),
        mark: mark(Some(room), &plugin, &case, None),
    });
    log::record(engine, by, |_| {
        let fact = What::PluginCaseRemoved { plugin: plugin.to_string(), case: case.clone(), from: way.origin() };
        let room = match &left {
            Some(left) => Row::Put(pointer(&plugin), codec::encode(left)),
            None => Row::Delete(pointer(&plugin)),
        };
        let rows = vec![Row::Delete(RowKey::plugin_case(plugin.as_str(), case.as_str())), room];
        Record { facts: vec![fact], rows, ..Record::default() }
    })?;
    Ok(())
}

/// The cases of a plugin, by name.
///
/// # Errors
/// The store cannot be read.
pub fn list(engine: &Engine, plugin: &str) -> Result<Vec<Kept>, engine::Error> {
    all(&now(engine)?, plugin)
}

/// A case of a plugin.
///
/// # Errors
/// There is none of this name.
pub fn get(engine: &Engine, plugin: &str, case: &str) -> Result<Kept, Error> {
    let missing = || Error::NoCase { plugin: plugin.to_owned(), case: case.to_owned() };
    let (plugin, case) = names(plugin, case).map_err(|_| missing())?;
    find(&now(engine)?, &plugin, &case)?.ok_or_else(missing)
}

/// What a plugin of a merchant would meet: other things, and the cases of all plugins. It is another one where a case was kept or removed.
pub(super) fn and(engine: &Engine, others: &impl Serialize) -> Result<Digest, engine::Error> {
    let marks: Vec<Digest> = rooms(&now(engine)?)?.into_iter().map(|room| room.mark).collect();
    // Of a merchant without cases it is what it was before there were any.
    let met = if marks.is_empty() { codec::encode(others) } else { codec::encode(&(others, marks)) };
    Ok(Digest::of(&met))
}

/// Ask a compiled component everything that is asked before one is taken under a name: the merchant's own cases, and what every upload is.
pub(super) fn try_out(engine: &Engine, plugin: &str, info: &PluginInfo) -> Result<Tried, Error> {
    let snapshot = now(engine)?;
    let (kept, room) = (all(&snapshot, plugin)?, marked(&snapshot, plugin)?);
    drop(snapshot);
    let (mut own, mut differing) = (Vec::with_capacity(kept.len()), Vec::new());
    for one in &kept {
        let case = one.case.to_string();
        match read(&one.case, &one.source) {
            Ok(read) if info.hooks.contains(&read.question.hook()) => own.push(read),
            Ok(read) => {
                let detail = format!("it asks the hook {}, which the plugin does not have", read.question.hook());
                differing.push(Differing { case, detail });
            }
            Err(mistakes) => {
                let first = mistakes.first().map(ToString::to_string).unwrap_or_default();
                differing.push(Differing { case, detail: format!("it cannot be read any more: {first}") });
            }
        }
    }
    if !differing.is_empty() {
        return Err(otherwise(plugin, differing.len(), differing));
    }
    match conformance::dry_run(engine.sandbox(), &info.digest, &own) {
        Some(report) => judge(plugin, own.len(), &report).map(|()| room),
        None => Ok(room),
    }
}

/// What follows from what was found out: the rules that all plugins keep come first.
fn judge(plugin: &str, own: usize, report: &Report) -> Result<(), Error> {
    let is_other = report.first_error().is_some_and(|found| found.rule == Rule::Expected);
    if !is_other {
        conformance::verdict(report).map_err(plugins::refused)?;
    }
    let of_rule = report.findings.iter().filter(|found| found.rule == Rule::Expected);
    let differing: Vec<Differing> = of_rule
        .map(|found| Differing { case: found.case.clone(), detail: found.detail.chars().take(1_000).collect() })
        .collect();
    let count = report.rules.iter().find(|count| count.rule == Rule::Expected).map_or(0, |count| count.broken);
    if !differing.is_empty() {
        return Err(otherwise(plugin, count, differing));
    }
    if report.own_left > 0 {
        return Err(Error::CasesUnasked { plugin: plugin.to_owned(), left: report.own_left, of: own });
    }
    Ok(())
}

/// The first case that is answered otherwise, and how.
pub(super) fn first(differing: &[Differing]) -> String {
    differing.first().map(|one| format!("{}: {}", one.case, one.detail)).unwrap_or_default()
}

fn otherwise(plugin: &str, count: usize, mut differing: Vec<Differing>) -> Error {
    differing.truncate(DIFFERING_MAX);
    Error::CasesDiffer { plugin: plugin.to_owned(), count, differing }
}

/// Whether the cases are still those by which a component was tried. Called with the right to publish.
pub(super) fn still(engine: &Engine, plugin: &str, tried: Tried) -> Result<(), Error> {
    if marked(&now(engine)?, plugin)? == tried {
        return Ok(());
    }
    // Somebody changed what it is held to while it was tried: it has to be tried again.
    Err(Error::Engine(engine::Error::Conflict(1)))
}

fn marked(snapshot: &Snapshot, plugin: &str) -> Result<Tried, engine::Error> {
    // A name that is none has no cases.
    let Ok(plugin) = Slug::new(plugin) else { return Ok(Tried(None)) };
    Ok(Tried(room(snapshot, &plugin)?.map(|room| room.mark)))
}

fn names(plugin: &str, case: &str) -> Result<(Slug, Slug), Error> {
    let plugin = Slug::new(plugin).map_err(|_| Error::Name(plugin.to_owned()))?;
    let none = |error: redress_domain::ids::NotAName| {
        let mistakes = vec![Mistake { at: "/name".to_owned(), what: error.to_string() }];
        Error::CaseInvalid { case: case.to_owned(), mistakes }
    };
    Ok((plugin, Slug::new(case).map_err(none)?))
}

/// A case under the name by which it is kept, whatever the file says.
fn read(name: &Slug, source: &str) -> Result<Case, Vec<Mistake>> {
    if source.len() > CASE_BYTES_MAX {
        let what = format!("it has {} bytes, at most {CASE_BYTES_MAX}", source.len());
        return Err(vec![Mistake { at: String::new(), what }]);
    }
    Case::parse(name.as_str(), source).map(|case| Case { name: name.to_string(), ..case })
}

/// Whether a file says what must be answered, and the hook that it asks.
pub fn about(kept: &Kept) -> Option<(redress_sandbox::Hook, bool)> {
    read(&kept.case, &kept.source).ok().map(|case| (case.question.hook(), case.expect.is_some()))
}

fn has_room(snapshot: &Snapshot, plugin: &Slug, before: Option<Room>, other: Room) -> Result<(), Error> {
    let full = |why: String| Err(Error::CasesFull(why));
    if other.cases > CASES_MAX || other.bytes > BYTES_MAX {
        return full(format!("plugin {plugin} has at most {CASES_MAX} cases of {BYTES_MAX} bytes together"));
    }
    let (mut cases, mut bytes) = (u64::from(other.cases), other.bytes);
    for room in rooms(snapshot)?.into_iter().filter(|room| Some(*room) != before) {
        cases += u64::from(room.cases);
        bytes += room.bytes;
    }
    if cases > u64::from(MERCHANT_CASES_MAX) || bytes > MERCHANT_BYTES_MAX {
        return full(format!(
            "at most {MERCHANT_CASES_MAX} cases of {MERCHANT_BYTES_MAX} bytes together are kept for all plugins"
        ));
    }
    Ok(())
}

fn pointer(plugin: &Slug) -> RowKey {
    RowKey::pointer(&format!("{POINTER}{plugin}"))
}

fn size(kept: Option<&Kept>) -> u64 {
    kept.map_or(0, |kept| kept.source.len() as u64)
}

fn mark(before: Option<Room>, plugin: &Slug, case: &Slug, content: Option<Digest>) -> Digest {
    Digest::of(&codec::encode(&(before.map(|room| room.mark), plugin, case, content)))
}

fn room(snapshot: &Snapshot, plugin: &Slug) -> Result<Option<Room>, engine::Error> {
    let bytes = snapshot.row(&pointer(plugin))?;
    bytes.map(|bytes| codec::decode(&bytes).map_err(engine::Error::damaged("room of cases"))).transpose()
}

fn rooms(snapshot: &Snapshot) -> Result<Vec<Room>, engine::Error> {
    super::rows_of(snapshot, &Scan::Pointers(POINTER.to_owned()), "room of cases")
}

fn find(snapshot: &Snapshot, plugin: &Slug, case: &Slug) -> Result<Option<Kept>, engine::Error> {
    let bytes = snapshot.row(&RowKey::plugin_case(plugin.as_str(), case.as_str()))?;
    bytes.map(|bytes| codec::decode(&bytes).map_err(engine::Error::damaged("case of a plugin"))).transpose()
}

fn all(snapshot: &Snapshot, plugin: &str) -> Result<Vec<Kept>, engine::Error> {
    super::rows_of(snapshot, &Scan::PluginCases(plugin.to_owned()), "case of a plugin")
}

fn now(engine: &Engine) -> Result<Snapshot, engine::Error> {
    Ok(engine.store().read()?)
}
