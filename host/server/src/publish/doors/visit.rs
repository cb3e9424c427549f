//! One look at the files of one tenant.

use std::path::Path;

use redress_domain::case::command::{Actor, ActorKind};
use redress_domain::codec;
use redress_domain::ids::Digest;
use redress_domain::workflow::diagnostic::{self, Diagnostic, Range};
use redress_domain::workflow::overlay;
use redress_store::objects::Objects;
use serde::Serialize;

use super::document::{self, Kind};
use super::files::{self, Found, Wanted};
use super::limits::{EFFORT_MAX, PLUGIN_EFFORT, WORKFLOW_BYTES_MAX};
use super::tests::Tests;
use super::together::{Group, Member, Read, Ready, Texts};
use super::{DoorState, Folders, Refused, Report, Seen, Tenant};
use crate::engine::log::{self, Record};
use crate::engine::{self, Engine};
use crate::publish::bundle::{self, Bundle, Part};
use crate::publish::suite::{Failed, TestFile};
use crate::publish::way::{Door, Tried, Way, past_name, refused_name};
use crate::publish::{Error, cases, chain, diagnostics, past, plugins, workflows};

/// The code of a file that says something else than what is active.
const DIFFERS: &str = "file_differs";

/// One look at the files of one tenant.
pub(super) struct Visit<'a> {
    engine: &'a Engine,
    objects: &'a Objects,
    before: Tenant,
    after: Tenant,
    effort: u32,
    tests: Tests,
    /// Workflows that this look found, by path.
    texts: Texts,
    report: &'a mut Report,
}

/// What the door remembers of a file.
#[derive(Clone, Copy)]
struct Known {
    /// What was handed in last.
    handed_in: Option<Digest>,
    /// What the tenant had when that was refused; none where it was taken.
    refused_under: Option<Digest>,
    /// What had become active under its name when it was refused first.
    past: Option<Digest>,
}

/// What became of handing a file in.
enum Outcome {
    Accepted(Digest),
    Refused(Refused),
    Failed(Trouble),
}

/// Why a file could not be looked at or handed in: in a sentence for who asks, and with all causes for the log.
struct Trouble {
    sentence: String,
    causes: String,
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self { sentence: why.clone(), causes: why }
    }
}

impl From<engine::Error> for Trouble {
    fn from(error: engine::Error) -> Self {
        Self::from(Error::Engine(error))
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self { sentence: error.to_string(), causes: chain(&error) }
    }
}

impl<'a> Visit<'a> {
    pub(super) fn new(engine: &'a Engine, objects: &'a Objects, before: Tenant, report: &'a mut Report) -> Self {
        Self {
            engine,
            objects,
            before,
            after: Tenant::default(),
            effort: 0,
            tests: Tests::default(),
            texts: Texts::default(),
            report,
        }
    }

    /// What is to be remembered.
    pub(super) fn end(self) -> Tenant {
        self.after
    }

    /// Plugins first: the workflows that came with them need them.
    pub(super) fn look(&mut self, folders: &Folders) {
        self.after.tests.clone_from(&self.before.tests);
        for (folder, wanted) in [(&folders.plugins, Wanted::Plugins), (&folders.workflows, Wanted::Workflows)] {
            let Some(folder) = folder else { continue };
            if let Err(why) = self.look_behind(folder, wanted) {
                self.report.failed.push((self.engine.record().slug.to_string(), why.causes));
                self.keep(wanted);
            }
        }
    }

    fn look_behind(&mut self, folder: &Path, wanted: Wanted) -> Result<(), Trouble> {
        let found = files::find(folder, self.engine.record().slug.as_str(), wanted)?;
        if wanted == Wanted::Workflows {
            self.tests = Tests::read(&found);
            self.after.tests = self.tests.contents();
        }
        let has = self.has(wanted)?;
        for file in found.into_iter().filter(|file| !Tests::are_in(file)) {
            let path = file.path.clone();
            if let Err(why) = self.look_at(file, wanted, has) {
                self.unreadable(path, why);
            }
        }
        self.hand_in_found(has);
        Ok(())
    }

    /// Hand in the workflows that are to be: those that depend on each other as one bundle, every other by itself.
    fn hand_in_found(&mut self, has: Digest) {
        let mut texts = std::mem::take(&mut self.texts);
        for group in texts.groups() {
            match group {
                Group::One(ready) => {
                    let Ready { file, tried, past } = *ready;
                    self.hand_in(file, Wanted::Workflows, has, tried, past);
                }
                Group::Several(members) => self.hand_in_together(members, has),
            }
        }
    }

    /// Files of which one extends another as it is published beside it. While one of them is being written the others wait.
    fn hand_in_together(&mut self, members: Vec<Member>, has: Digest) {
        let effort = u32::try_from(members.len()).unwrap_or(u32::MAX);
        let rests = |member: &Member| {
            self.tests
                .beside(&member.text.path, &member.text.bytes)
                .iter()
                .all(|test| self.tests.rests(&test.name, &self.before.tests))
        };
        if members.iter().any(|member| member.text.changing || !rests(member))
            || self.effort.saturating_add(effort) > EFFORT_MAX
        {
            return self.wait(members);
        }
        self.effort += effort;
        let (mut parts, mut tests, mut doors) = (Vec::new(), Vec::new(), Vec::new());
        for Member { text, ready, activate } in &members {
            let tried = ready.as_ref().map_or(Tried::Never, |ready| ready.tried);
            let door = Door { path: text.path.clone(), content: text.content, tried };
            let file = TestFile { name: text.path.clone(), source: String::from_utf8_lossy(&text.bytes).into_owned() };
            if *activate {
                tests.extend(self.tests.beside(&text.path, &text.bytes));
            }
            parts.push(Part { file, way: Way::Door(door.clone()), activate: *activate });
            doors.push(door);
        }
        let (by, note) = (actor(), "files of one folder that depend on each other");
        let bundle = Bundle { parts: &parts, tests: &tests, note, by: &by, answer: None };
        match bundle::publish(self.engine, &bundle) {
            Ok(revisions) => {
                let activated = members.into_iter().filter(|member| member.activate);
                for (member, revision) in activated.zip(revisions) {
                    let what = revision.revision;
                    tracing::info!("{} was taken: {what}", member.text.path);
                    self.report.accepted.push((member.text.path.clone(), what));
                    self.seen(member.text.into_read(), Wanted::Workflows, DoorState::Published(what));
                }
            }
            Err(error) => {
                for (member, door) in members.into_iter().zip(doors).filter(|(member, _)| member.activate) {
                    self.refused_together(member, &door, &error, has);
                }
            }
        }
    }

    fn refused_together(&mut self, member: Member, door: &Door, error: &Error, has: Digest) {
        let past = member.ready.and_then(|ready| ready.past);
        let file = member.text.into_read();
        let refused = match of_file(error, &file) {
            Ok(refused) => refused,
            Err(why) => return self.not_handed_in(file, Wanted::Workflows, why),
        };
        match remember_refused(self.engine, door, has, past) {
            Ok(()) => self.refused(file, Wanted::Workflows, refused),
            Err(error) => self.not_handed_in(file, Wanted::Workflows, error.into()),
        }
    }

    /// What would be handed in is looked at again soon; what is as it was stays so.
    fn wait(&mut self, members: Vec<Member>) {
        for member in members.into_iter().filter(|member| member.ready.is_some()) {
            self.report.pending += 1;
            self.seen(member.text.into_read(), Wanted::Workflows, DoorState::Changing);
        }
    }

    /// What a refusal may depend on besides the file itself: of a workflow the plugins and the tests beside it, of a plugin the
    /// workflows that call it.
    fn has(&self, wanted: Wanted) -> Result<Digest, engine::Error> {
        fn digest(what: &impl Serialize) -> Digest {
            Digest::of(&codec::encode(what))
        }
        Ok(match wanted {
            Wanted::Workflows => match self.tests.contents() {
                tests if tests.is_empty() => digest(&plugins::list(self.engine)?),
                tests => digest(&(plugins::list(self.engine)?, tests)),
            },
            Wanted::Plugins => cases::and(self.engine, &workflows::actives(self.engine)?)?,
        })
    }

    /// A folder that cannot be read is not one whose files are gone.
    fn keep(&mut self, wanted: Wanted) {
        let is_plugin = |path: &str| plugin_name(path).is_some();
        let kept = self.before.files.iter().filter(|(path, _)| is_plugin(path) == (wanted == Wanted::Plugins));
        self.after.files.extend(kept.map(|(path, seen)| (path.clone(), seen.clone())));
    }

    /// Decide what one file is to this door: unchanged, changing, or to be handed in.
    fn look_at(&mut self, found: Found, wanted: Wanted, has: Digest) -> Result<(), Trouble> {
        let max = match wanted {
            Wanted::Workflows => WORKFLOW_BYTES_MAX,
            Wanted::Plugins => self.engine.sandbox().upload_bytes_max(),
        };
        let Some(bytes) = files::read(&found.file?, max)? else { return Ok(()) };
        let file = Read { content: Digest::of(&bytes), path: found.path, bytes };
        let known = known(self.engine, &file.path)?;
        let before = self.before.files.get(&file.path).filter(|seen| seen.content == Some(file.content)).cloned();
        let is_same = known.handed_in == Some(file.content);
        if wanted == Wanted::Workflows && before.is_none() && !is_workflow(&file, &known) {
            return Ok(());
        }
        if wanted == Wanted::Workflows {
            let changing = before.is_none() && !is_same;
            self.texts.found(&file, changing, known.refused_under.is_some() && is_same, known.past);
        }
        match (before, is_same, known.refused_under) {
            (Some(seen), true, None) => self.remember(file.path, seen),
            (None, true, None) => self.seen(file, wanted, DoorState::Same),
            // What it was refused for is as it was.
            (Some(seen), true, Some(under)) if under == has => self.remember(file.path, seen),
            (None, true, Some(under)) if under == has => self.refused_before(file, wanted, known)?,
            (None, false, _) => {
                self.report.pending += 1;
                self.seen(file, wanted, DoorState::Changing);
            }
            (Some(_), false, _) => {
                let past = past(self.engine, &file, wanted)?;
                let tried = if known.handed_in.is_none() { Tried::First } else { Tried::Never };
                self.ready(file, wanted, has, tried, Some(past));
            }
            // What it was refused for has changed.
            (_, true, Some(_)) => self.ready(file, wanted, has, Tried::Before(known.past), None),
        }
        Ok(())
    }

    /// A workflow waits until all were looked at: others may depend on it.
    fn ready(&mut self, file: Read, wanted: Wanted, has: Digest, tried: Tried, past: Option<Digest>) {
        match wanted {
            Wanted::Workflows => self.texts.ready(Ready { file, tried, past }),
            Wanted::Plugins => self.hand_in(file, wanted, has, tried, past),
        }
    }

    fn hand_in(&mut self, file: Read, wanted: Wanted, has: Digest, tried: Tried, past: Option<Digest>) {
        let beside = if wanted == Wanted::Workflows { self.tests.beside(&file.path, &file.bytes) } else { Vec::new() };
        if beside.iter().any(|test| !self.tests.rests(&test.name, &self.before.tests)) {
            // Its tests are being written.
            self.report.pending += 1;
            return self.seen(file, wanted, DoorState::Changing);
        }
        let effort = if wanted == Wanted::Plugins { PLUGIN_EFFORT } else { 1 };
        if self.effort + effort > EFFORT_MAX {
            self.report.pending += 1;
            return self.seen(file, wanted, DoorState::Changing);
        }
        self.effort += effort;
        let way = Door { path: file.path.clone(), content: file.content, tried };
        let outcome = match wanted {
            Wanted::Workflows => publish(self.engine, &file, &way, &beside),
            Wanted::Plugins => push(self.engine, self.objects, &file, &way),
        };
        match outcome {
            Outcome::Accepted(what) => {
                tracing::info!("{} was taken: {what}", file.path);
                self.report.accepted.push((file.path.clone(), what));
                self.seen(file, wanted, DoorState::Published(what));
            }
            Outcome::Failed(why) => self.not_handed_in(file, wanted, why),
            // One that differs differs from whatever is active then: no past is one from which on it would count.
            Outcome::Refused(refused) => {
                match remember_refused(self.engine, &way, has, past.filter(|_| refused.code != DIFFERS)) {
                    Ok(()) => self.refused(file, wanted, refused),
                    Err(error) => self.not_handed_in(file, wanted, error.into()),
                }
            }
        }
    }

    /// A file that was refused before the start, and nothing has changed: it is only looked at, so that its author is told again.
    fn refused_before(&mut self, file: Read, wanted: Wanted, known: Known) -> Result<(), Trouble> {
        let refused = match wanted {
            Wanted::Workflows => problems(self.engine, &file, &self.tests.beside(&file.path, &file.bytes)),
            Wanted::Plugins => plugins::read(self.engine.sandbox(), &file.bytes).err().map(|error| refused(&error)),
        };
        let text = "it was refused when it was handed in; save it with a change to hand it in again".to_owned();
        let refused = match refused {
            Some(refused) => refused,
            None if known.past != Some(past(self.engine, &file, wanted)?) => self::refused(&Error::Overtaken),
            None => Refused { code: "file_refused", problems: Vec::new(), text },
        };
        self.refused(file, wanted, refused);
        Ok(())
    }

    fn refused(&mut self, file: Read, wanted: Wanted, refused: Refused) {
        let state = DoorState::Refused(refused.clone());
        let is_told = self.before.files.get(&file.path).is_some_and(|seen| seen.state == state);
        if !is_told {
            tracing::warn!("{} was refused, what was active stays [{}]\n{}", file.path, refused.code, refused.text);
            self.report.refused.push(file.path.clone());
        }
        self.seen(file, wanted, state);
    }

    /// Something else than the file is in the way: it is handed in at the next look.
    fn not_handed_in(&mut self, file: Read, wanted: Wanted, why: Trouble) {
        self.report.failed.push((file.path.clone(), why.causes));
        self.seen(file, wanted, DoorState::Unreadable(why.sentence));
    }

    fn seen(&mut self, file: Read, wanted: Wanted, state: DoorState) {
        let text = (wanted == Wanted::Workflows).then_some(&file.bytes).and_then(|bytes| str::from_utf8(bytes).ok());
        let says = text.and_then(|text| document::says(text, self.engine.record()));
        self.remember(file.path, Seen { content: Some(file.content), state, says });
    }

    fn unreadable(&mut self, path: String, why: Trouble) {
        self.report.failed.push((path.clone(), why.causes));
        // The bytes that were seen before count no more: what can be read again is looked at twice again.
        let state = DoorState::Unreadable(why.sentence);
        self.remember(path, Seen { content: None, state, says: None });
    }

    fn remember(&mut self, path: String, seen: Seen) {
        self.after.files.insert(path, seen);
    }
}

/// The name of a plugin, which is that of its file.
pub(super) fn plugin_name(path: &str) -> Option<&str> {
    path.rsplit('/').next()?.strip_suffix(".wasm")
}

/// Who hands in what lies in a folder: the host, on behalf of who may write there.
fn actor() -> Actor {
    Actor { kind: ActorKind::Host, id: "door".to_owned(), role: "admin".to_owned() }
}

fn known(engine: &Engine, path: &str) -> Result<Known, engine::Error> {
    let snapshot = engine.store().read()?;
    Ok(Known {
        handed_in: snapshot.door(path)?,
        refused_under: snapshot.door(&refused_name(path))?,
        past: snapshot.door(&past_name(path))?,
    })
}

/// What became active so far under the name that a file has; of a text that says no name, nothing.
fn past(engine: &Engine, file: &Read, wanted: Wanted) -> Result<Digest, engine::Error> {
    match wanted {
        Wanted::Plugins => past::of_plugin(engine, plugin_name(&file.path).unwrap_or_default()),
        Wanted::Workflows => {
            let text = str::from_utf8(&file.bytes).ok();
            let says = text.and_then(|text| document::says(text, engine.record()));
            says.map_or(Ok(Digest::of(&[])), |says| past::of_workflow(engine, &says.workflow))
        }
    }
}

fn remember_refused(engine: &Engine, door: &Door, has: Digest, past: Option<Digest>) -> Result<(), engine::Error> {
    log::record(engine, &actor(), |_| Record { rows: door.refused(has, past), ..Record::default() })
}

/// Whether a file is for this door. One that was handed in before and says no more what it is was probably cut off: its author
/// wants to know.
fn is_workflow(file: &Read, known: &Known) -> bool {
    match str::from_utf8(&file.bytes).map(document::kind) {
        Ok(Kind::Workflow) => true,
        Ok(Kind::Other) => false,
        Ok(Kind::Unknown) | Err(_) => known.handed_in.is_some(),
    }
}

fn publish(engine: &Engine, file: &Read, door: &Door, beside: &[TestFile]) -> Outcome {
    let Ok(source) = str::from_utf8(&file.bytes) else { return Outcome::Refused(not_text(file)) };
    let (by, note) = (actor(), format!("file {}", file.path));
    let way = Way::Door(door.clone());
    let publication = workflows::Publication { note: &note, beside, ..workflows::Publication::new(source, &by, way) };
    match workflows::publish(engine, &publication) {
        Ok(revision) => Outcome::Accepted(revision.revision),
        Err(Error::Invalid(problems)) => Outcome::Refused(invalid(&file.path, source, &problems)),
        Err(Error::Tests(failed)) => Outcome::Refused(untrue(&file.path, source, &failed)),
        Err(error @ (Error::Overtaken | Error::OlderFile)) => Outcome::Refused(refused(&error)),
        Err(error) => Outcome::Failed(error.into()),
    }
}

/// What is wrong with a file of several that were refused together.
fn of_file(error: &Error, file: &Read) -> Result<Refused, Trouble> {
    let source = String::from_utf8_lossy(&file.bytes);
    let Error::Bundle(files) = error else {
        return Err(Trouble { sentence: error.to_string(), causes: chain(error) });
    };
    match files.iter().find(|(other, _)| other.name == file.path).map(|(_, error)| error) {
        Some(Error::Invalid(problems)) => Ok(invalid(&file.path, &source, problems)),
        Some(Error::Tests(failed)) => Ok(untrue(&file.path, &source, failed)),
        Some(other) => Ok(refused(other)),
        None => {
            let names: Vec<&str> = files.iter().map(|(other, _)| other.name.as_str()).collect();
            let text = format!("it is published together with {}, which was refused", names.join(" and "));
            Ok(Refused { code: "bundle_refused", problems: Vec::new(), text })
        }
    }
}

/// What is wrong with a workflow that was refused before; of one that is published together with others that is not looked at.
fn problems(engine: &Engine, file: &Read, beside: &[TestFile]) -> Option<Refused> {
    let Ok(source) = str::from_utf8(&file.bytes) else { return Some(not_text(file)) };
    if overlay::base_beside(source).is_some() {
        return None;
    }
    match workflows::try_out(engine, source, beside) {
        Err(Error::Invalid(problems)) => Some(invalid(&file.path, source, &problems)),
        Err(Error::Tests(failed)) => Some(untrue(&file.path, source, &failed)),
        _ => None,
    }
}

fn not_text(file: &Read) -> Refused {
    let text = String::from_utf8_lossy(&file.bytes);
    let at = text.find(char::REPLACEMENT_CHARACTER).unwrap_or_default();
    let problem = Diagnostic::new("not_utf8", Range::new(at, at), "the file is not UTF-8 from here on");
    invalid(&file.path, &text, &[problem])
}

fn push(engine: &Engine, objects: &Objects, file: &Read, door: &Door) -> Outcome {
    let by = actor();
    let name = plugin_name(&file.path).unwrap_or_default();
    let (bytes, way) = (&file.bytes, Way::Door(door.clone()));
    let upload = plugins::Upload { name, bytes, signature: None, by: &by, way, answer: None };
    match plugins::push(engine, objects, &upload) {
        Ok(active) => Outcome::Accepted(active.digest),
        Err(error) if error.is_infrastructure() => Outcome::Failed(error.into()),
        Err(error) if error.is_about_the_file() => Outcome::Refused(refused(&error)),
        Err(error) => Outcome::Failed(error.into()),
    }
}

fn invalid(path: &str, source: &str, problems: &[Diagnostic]) -> Refused {
    let text = problems.iter().map(|problem| diagnostic::render(path, source, problem)).collect();
    Refused { code: "workflow_invalid", problems: diagnostics::ranges(source, problems), text }
}

/// Tests that do not pass: the places are those in the workflow itself, the text tells of the files beside it as well.
fn untrue(path: &str, source: &str, failed: &[Failed]) -> Refused {
    let (mut problems, mut text) = (Vec::new(), String::new());
    for Failed { file, problems: found } in failed {
        let (name, source) = file.as_ref().map_or((path, source), |file| (file.name.as_str(), file.source.as_str()));
        text.extend(found.iter().map(|problem| diagnostic::render(name, source, problem)));
        if file.is_none() {
            problems.extend(diagnostics::ranges(source, found));
        }
    }
    Refused { code: "tests_failed", problems, text }
}

fn refused(error: &Error) -> Refused {
    Refused { code: error.code(), problems: Vec::new(), text: chain(error) }
}
