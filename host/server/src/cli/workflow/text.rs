//! The text of a workflow as a command line names it: a file, or a revision of a name.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use redress_domain::ids::Digest;
use redress_domain::workflow::load::Environment;
use redress_domain::workflow::overlay;
use redress_domain::workflow::yaml::Node;
use serde_json::Value as Json;

use crate::cli::Global;
use crate::cli::door::{Door, part};
use crate::cli::error::Error;
use crate::cli::session::{Session, read_text};
use crate::publish::bases::{self, Base};
use crate::publish::workflows::{self, Revision};

/// A text and what to call it.
pub(super) struct Text {
    /// The file, or the name with the beginning of its revision.
    pub(super) name: String,
    /// The text.
    pub(super) source: String,
    /// What a revision was published with, where it is an overlay.
    base: Option<Base>,
    /// Of a revision the plugins that it is pinned to.
    pub(super) plugins: Option<BTreeMap<String, Digest>>,
}

/// Reads texts; the tenant is opened once, and only where it is needed.
pub(super) struct Reader<'a> {
    at: &'a Global,
    session: OnceCell<Session>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(at: &'a Global) -> Self {
        Self { at, session: OnceCell::new() }
    }

    /// Read what is named: a file where there is one, or where it ends like one; else a workflow of the tenant, with `@` and the
    /// number or the beginning of the hash of a revision.
    pub(super) fn read(&self, what: &str) -> Result<Text, Error> {
        let path = Path::new(what);
        let is_yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        if path.is_file() || is_yaml {
            let source = read_text(path)?;
            return Ok(Text { name: what.to_owned(), source, base: None, plugins: None });
        }
        let (name, revision) = what.split_once('@').map_or((what, None), |(name, revision)| (name, Some(revision)));
        if self.at.server.is_some() {
            return self.asked(name, revision);
        }
        let (found, _) = find(self.session()?, name, revision)?;
        let name = format!("{}@{} {}", found.workflow, found.number, &found.revision.to_string()[..12]);
        Ok(Text { name, source: found.source, base: found.base, plugins: Some(found.plugins) })
    }

    /// A revision as a running host has it. Of an overlay it answers the whole.
    fn asked(&self, name: &str, wanted: Option<&str>) -> Result<Text, Error> {
        let (found, _) = asked(&self.at.door()?, name, wanted)?;
        let revision = found["revision"].as_str().unwrap_or_default().to_owned();
        let text = |field: &str| found[field].as_str().map(str::to_owned);
        let digests = found["plugins"].as_object().into_iter().flatten();
        let plugins = digests.filter_map(|(name, digest)| Some((name.clone(), digest.as_str()?.parse().ok()?)));
        Ok(Text {
            name: format!("{name}@{} {}", found["number"], revision.get(..12).unwrap_or(&revision)),
            source: text("resolved").or_else(|| text("source")).unwrap_or_default(),
            base: None,
            plugins: Some(plugins.collect()),
        })
    }

    /// The document that a text is: of an overlay the whole, on its base.
    pub(super) fn whole(&self, text: &Text) -> Result<Node, Error> {
        let environment = Environment { bases: self.bases(text)?, ..Environment::default() };
        let invalid = |found: Vec<_>| {
            let help = "nothing was changed";
            Error::document("workflow_invalid", Path::new(&text.name), &text.source, &found, help)
        };
        overlay::whole(&text.source, &environment).map_err(invalid)
    }

    /// The bases that a text may extend.
    fn bases(&self, text: &Text) -> Result<BTreeMap<String, String>, Error> {
        match &text.base {
            Some(base) => Ok([(base.name.clone(), base.source.clone())].into()),
            None => self.named(overlay::base_of(&text.source).as_deref()),
        }
    }

    /// The bases that are shipped, and the tenant's own one of this name.
    fn named(&self, wanted: Option<&str>) -> Result<BTreeMap<String, String>, Error> {
        let is_own = wanted.is_some_and(|name| !name.starts_with("std/"));
        if is_own && self.at.tenant.is_some() {
            return Ok(bases::known(&self.session()?.engine, wanted, &BTreeMap::new())?);
        }
        Ok(bases::shipped())
    }

    /// The text of a base.
    pub(super) fn base(&self, name: &str) -> Result<String, Error> {
        let help = "those that are shipped begin with std/; for your own give --tenant NAME and --data DIR";
        let missing = || Error::NotFound { what: "base", name: name.to_owned(), help: help.to_owned() };
        self.named(Some(name))?.remove(name).ok_or_else(missing)
    }

    /// The tenant, where it was opened: a data folder is opened once.
    pub(super) fn into_session(self) -> Option<Session> {
        self.session.into_inner()
    }

    /// The tenant that the options name.
    pub(super) fn session(&self) -> Result<&Session, Error> {
        if let Some(session) = self.session.get() {
            return Ok(session);
        }
        let session = self.at.session()?;
        Ok(self.session.get_or_init(|| session))
    }
}

/// A revision as a running host has it, and whether it is the active one. Without a hash or a number it is that.
pub(super) fn asked(door: &Door, name: &str, wanted: Option<&str>) -> Result<(Json, bool), Error> {
    let address = format!("/v1/workflows/{}", part(name));
    let active = door.get(&address)?["active"]["revision"].as_str().unwrap_or_default().to_owned();
    let revision = match wanted {
        None => active.clone(),
        Some(wanted) => past(door, &address, &wanted.to_ascii_lowercase())?,
    };
    Ok((door.get(&format!("/v1/revisions/{revision}"))?, revision == active))
}

/// The hash of a revision that was active once, by its number or the beginning of its hash.
fn past(door: &Door, address: &str, wanted: &str) -> Result<String, Error> {
    let mut found = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = door.get(&format!("{address}/revisions?limit=100{cursor}"))?;
        for row in page["data"].as_array().into_iter().flatten() {
            let revision = row["revision"].as_str().unwrap_or_default();
            if row["number"].as_u64().is_some_and(|number| wanted.parse() == Ok(number)) {
                return Ok(revision.to_owned());
            }
            if revision.starts_with(wanted) {
                found.insert(revision.to_owned());
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={}", part(next)),
            None => break,
        }
    }
    let help = "GET /v1/workflows/{workflow}/revisions lists those that were active".to_owned();
    match found.len() {
        0 => Err(Error::NotFound { what: "revision", name: wanted.to_owned(), help }),
        1 => Ok(found.pop_first().unwrap_or_default()),
        _ => Err(Error::Ambiguous { what: "revision", beginning: wanted.to_owned() }),
    }
}

/// A revision of a workflow, and whether it is the active one. Without a hash or a number it is that.
pub(super) fn find(session: &Session, name: &str, revision: Option<&str>) -> Result<(Revision, bool), Error> {
    let lists = || "redress workflow list shows all revisions".to_owned();
    let mut revisions = workflows::list(&session.engine)?;
    revisions.retain(|one| one.workflow.as_str() == name);
    if revisions.is_empty() {
        return Err(Error::NotFound { what: "workflow", name: name.to_owned(), help: lists() });
    }
    let actives = workflows::actives(&session.engine)?;
    let active = actives.into_iter().find(|(known, _)| known.as_str() == name).map(|(_, revision)| revision);
    let wanted = revision.unwrap_or_default().to_ascii_lowercase();
    let is_number = revisions.iter().any(|one| one.number.to_string() == wanted);
    match revision {
        None => revisions.retain(|one| Some(one.revision) == active),
        Some(_) if is_number => revisions.retain(|one| one.number.to_string() == wanted),
        Some(_) => revisions.retain(|one| one.revision.to_string().starts_with(&wanted)),
    }
    match revisions.len() {
        0 => Err(Error::NotFound { what: "revision", name: wanted, help: lists() }),
        1 => {
            let revision = revisions.remove(0);
            let is_active = Some(revision.revision) == active;
            Ok((revision, is_active))
        }
        _ => Err(Error::Ambiguous { what: "revision", beginning: wanted }),
    }
}
