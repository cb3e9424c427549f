//! Overlays: a document that extends a pinned base by patches is turned into one whole document, which is checked as one.
//!
//! Overlay and base stand in one text, the base behind the overlay, so that everything that is checked knows its place. What is found
//! in the base is told at the line of the overlay that caused it, with the place in the base behind the message.

mod head;
mod patch;
mod path;
pub mod rebase;
mod seal;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::ids::Slug;
use crate::workflow::definition::Definition;
use crate::workflow::diagnostic::{Diagnostic, Range, line_column, suggest};
use crate::workflow::diff;
use crate::workflow::load::{self, Environment};
use crate::workflow::problems::Problems;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema::{DOCUMENT, OVERLAY};
use crate::workflow::yaml::{self, Kind, Node};

/// The most patches: a document that says more is one of its own.
pub const PATCHES_MAX: usize = 64;
/// The fewest letters of a revision that pin a base.
const REVISION_LETTERS_MIN: usize = 12;

/// The pin of a base that is published together with its overlay.
pub const BESIDE: &str = "bundle";

/// Fields that an overlay takes from its base.
const FROM_BASE: [&str; 3] = ["steps", "triggers", "sealed"];

/// An overlay and its base as one document.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The document.
    pub tree: Node,
    /// What its places are counted in: the overlay, a line end, the base.
    text: String,
}

/// Whether a document is an overlay.
pub fn is_overlay(tree: &Node) -> bool {
    diff::field(tree, "extends").is_some()
}

/// The base that a text names, where it is an overlay.
pub fn base_of(source: &str) -> Option<String> {
    let tree = yaml::parse(source, &Problems::new())?;
    match &diff::field(&tree, "extends")?.kind {
        Kind::Scalar(scalar) => Some(scalar.text.clone()),
        _ => None,
    }
}

/// A base as a document names it: its name, and its number or the beginning of its revision.
pub fn pin(text: &str) -> Option<(&str, &str)> {
    let (name, pin) = text.split_once('@')?;
    Slug::new(name.strip_prefix("std/").unwrap_or(name)).ok()?;
    let is_number =
        (1..=9).contains(&pin.len()) && !pin.starts_with('0') && pin.bytes().all(|one| one.is_ascii_digit());
    let is_revision = (REVISION_LETTERS_MIN..=64).contains(&pin.len())
        && pin.bytes().all(|one| matches!(one, b'0'..=b'9' | b'a'..=b'f'));
    let is_beside = pin == BESIDE && !name.starts_with("std/");
    (is_number || is_revision || is_beside).then_some((name, pin))
}

/// The workflow that is published together with an overlay and that this extends; none where a text pins its base, or is no overlay.
pub fn base_beside(source: &str) -> Option<Slug> {
    let base = base_of(source)?;
    let (name, pin) = pin(&base)?;
    Slug::new(name).ok().filter(|_| pin == BESIDE)
}

/// The whole document that a text is: the text itself, or an overlay with its base.
///
/// # Errors
/// What is wrong with the overlay, before it is checked what the whole says.
pub fn whole(source: &str, environment: &Environment) -> Result<Node, Vec<Diagnostic>> {
    let problems = Problems::new();
    let tree = yaml::parse(source, &problems);
    let whole = match tree {
        Some(tree) if is_overlay(&tree) => {
            resolve(&At::root(&tree, source, &problems), environment, usize::MAX).map(|resolved| resolved.tree)
        }
        tree => tree,
    };
    let found = problems.into_sorted();
    whole.filter(|_| found.is_empty()).ok_or(found)
}

/// Check an overlay.
pub(super) fn load(
    source: &str,
    tree: &Node,
    problems: Problems,
    environment: &Environment,
) -> Result<Definition, Vec<Diagnostic>> {
    let resolved = resolve(&At::root(tree, source, &problems), environment, usize::MAX);
    match resolved {
        Some(resolved) if problems.is_empty() => {
            let blame = Blame { source, tree, environment, text: &resolved.text };
            load::check(&resolved.text, &resolved.tree, Problems::new(), environment)
                .map(|definition| Definition { warnings: blame.of(definition.warnings.clone()), ..definition })
                .map_err(|found| blame.of(found))
        }
        _ => Err(load::refused(problems)),
    }
}

/// Put an overlay on its base, with so many of its patches. Reports what is wrong with the overlay itself.
fn resolve(root: &At<'_>, environment: &Environment, patches_max: usize) -> Option<Resolved> {
    let more: Vec<_> =
        DOCUMENT.fields.iter().map(|field| field.name).filter(|name| !FROM_BASE.contains(name)).collect();
    let fields = root.fields_and(&OVERLAY, &more)?;
    let extends = fields.require("extends")?;
    let (name, base) = base(&extends, environment)?;
    let text = format!("{}\n{base}", root.source());
    let mut tree = yaml::parse(base, &Problems::new())
        .or_else(|| extends.refuse("unknown_base", format!("the base `{name}` cannot be read")))?;
    if is_overlay(&tree) {
        let help = "extend the base of that one, and patch it here";
        return extends.refuse_with("nested_base", format!("`{name}` is an overlay itself"), help);
    }
    shift(&mut tree, root.source().len() + 1);
    let sealed = seal::Sealed::of(&tree, name);
    head::merge(&mut tree, root, &sealed);
    let patches = patches(&fields);
    let mut patching = patch::Patching::new(&mut tree, &sealed);
    for at in patches.iter().take(patches_max) {
        patching.apply(at);
    }
    Some(Resolved { tree, text })
}

/// The base that is named here.
fn base<'d, 'e>(at: &At<'d>, environment: &'e Environment) -> Option<(&'d str, &'e str)> {
    let name = at.text()?;
    if pin(name).is_none() {
        let help = "pinned by its number or its revision, as `std/consumer-return@1`";
        return at.refuse_with("bad_name", format!("{name:?} does not name a base"), help);
    }
    if let Some(base) = environment.bases.get(name) {
        return Some((name, base.as_str()));
    }
    let known: Vec<&str> = environment.bases.keys().map(String::as_str).collect();
    if base_is_beside(name) {
        let help = "publish both together: `redress workflow publish DIR`, or as files of one folder that is watched";
        return at.refuse_with(
            "unknown_base",
            format!("no workflow is published together with this one as `{name}`"),
            help,
        );
    }
    let plain = name.split('@').next().unwrap_or_default();
    let of_name: Vec<&str> = known.iter().copied().filter(|one| one.split('@').next() == Some(plain)).collect();
    let help = match suggest(name, known.iter().copied()) {
        _ if !of_name.is_empty() => format!("of this base there is {}", of_name.join(", ")),
        Some(near) => format!("did you mean `{near}`?"),
        None => "those that are shipped begin with `std/`; your own are workflows that you published".to_owned(),
    };
    at.refuse_with("unknown_base", format!("there is no base `{name}`"), help)
}

fn base_is_beside(name: &str) -> bool {
    pin(name).is_some_and(|(_, pin)| pin == BESIDE)
}

fn patches<'d>(fields: &Fields<'d>) -> Vec<At<'d>> {
    let Some(at) = fields.get("patch") else { return Vec::new() };
    let patches = at.list().unwrap_or_default();
    if patches.len() > PATCHES_MAX {
        let message = format!("the overlay has {} patches, the most is {PATCHES_MAX}", patches.len());
        at.refuse_with::<()>("too_large", message, "what differs so much is a workflow of its own");
        return Vec::new();
    }
    patches
}

/// Move every place of a tree.
fn shift(node: &mut Node, by: usize) {
    node.range = node.range.shifted(by);
    match &mut node.kind {
        Kind::List(items) => items.iter_mut().for_each(|item| shift(item, by)),
        Kind::Map(entries) => {
            for entry in entries {
                entry.key.range = entry.key.range.shifted(by);
                shift(&mut entry.value, by);
            }
        }
        Kind::Scalar(_) | Kind::Broken => {}
    }
}

/// Whose fault it is what was found in the base.
struct Blame<'a> {
    source: &'a str,
    tree: &'a Node,
    environment: &'a Environment,
    text: &'a str,
}

impl Blame<'_> {
    /// What was found, each at a line of the overlay.
    fn of(&self, found: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let start = self.source.len() + 1;
        let (mut foreign, own): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| one.range.start >= start);
        let problems = Problems::new();
        own.into_iter().for_each(|one| problems.report(self.lines(one)));
        let silent = Problems::new();
        let root = At::root(self.tree, self.source, &silent);
        let places = self.places(&root);
        // The base alone is sound, or is to blame itself: so each problem came with the first patch from which on it is there.
        for (count, place) in places.iter().enumerate() {
            if foreign.is_empty() {
                break;
            }
            let with: BTreeSet<Diagnostic> = self.with(&root, count).into_iter().collect();
            let (caused, rest): (Vec<_>, Vec<_>) = foreign.into_iter().partition(|one| with.contains(one));
            caused.into_iter().for_each(|one| problems.report(self.told(one, *place)));
            foreign = rest;
        }
        let last = places.first().copied().unwrap_or(yaml::START);
        foreign.into_iter().for_each(|one| problems.report(self.told(one, last)));
        problems.into_sorted()
    }

    /// What to point at: `extends`, then each patch.
    fn places(&self, root: &At<'_>) -> Vec<Range> {
        let Some(fields) = root.fields(&OVERLAY) else { return Vec::new() };
        let extends = fields.get("extends").map_or(yaml::START, |at| at.place());
        std::iter::once(extends).chain(patches(&fields).iter().map(At::place)).collect()
    }

    /// What is wrong with so many of the patches.
    fn with(&self, root: &At<'_>, patches: usize) -> Vec<Diagnostic> {
        let resolved = resolve(root, self.environment, patches);
        let check = |one: Resolved| match load::check(&one.text, &one.tree, Problems::new(), self.environment) {
            Ok(definition) => definition.warnings,
            Err(found) => found,
        };
        resolved.map(check).unwrap_or_default()
    }

    /// A problem of the base, at the place of the overlay that caused it.
    fn told(&self, found: Diagnostic, place: Range) -> Diagnostic {
        let (line, column) = self.in_base(found.range.start);
        let base = base_of(self.source).unwrap_or_default();
        let message = format!("{}, from base {base}, line {line}, column {column}", found.message);
        self.lines(Diagnostic { range: place, message, ..found })
    }

    /// A line that a help names is one of the overlay or of the base.
    fn lines(&self, found: Diagnostic) -> Diagnostic {
        let named = found.help.as_deref().and_then(|help| help.strip_prefix("it stands already in line "));
        let Some(line) = named.and_then(|line| line.parse::<usize>().ok()) else { return found };
        let own = self.source.split('\n').count();
        if line <= own {
            return found;
        }
        let help = format!("it stands already in line {} of the base", line - own);
        Diagnostic { help: Some(help), ..found }
    }

    fn in_base(&self, byte: usize) -> (usize, usize) {
        let base = &self.text[self.source.len() + 1..];
        line_column(base, byte.saturating_sub(self.source.len() + 1))
    }
}
