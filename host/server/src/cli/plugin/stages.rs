//! `redress plugin show`, `stage`, `activate`, `rollback`, `stop`, `remove`: the way of a component, and back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use axum::http::Method;
use serde_json::{Value as Json, json};

use super::push;
use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::session::{read_bytes, read_text};
use crate::cli::shown::{self, Column};

pub(super) const SHOW: &str = "\
Examples:
  redress plugin show sizes@1 --tenant shop --data data
  redress plugin show sizes@1 --output json --server http://127.0.0.1:7373 --key-file viewer.key
";

pub(super) const STAGE: &str = "\
Examples:
  redress plugin stage sizes.wasm --shadow --note \"new table\" --server http://127.0.0.1:7373 --key-file admin.key
  redress plugin stage sizes@1 --canary 10 --server http://127.0.0.1:7373 --key-file admin.key
  redress plugin stage sizes.wasm --canary 5 --name sizes --tenant shop --data data
";

pub(super) const ACTIVATE: &str = "\
Examples:
  redress plugin activate sizes@1 --server http://127.0.0.1:7373 --key-file admin.key
  redress plugin activate sizes@1 --digest 2f1c9a0b --tenant shop --data data
";

pub(super) const ROLLBACK: &str = "\
Examples:
  redress plugin rollback sizes@1 --server http://127.0.0.1:7373 --key-file admin.key
  redress plugin rollback sizes@1 --digest 2f1c9a0b --tenant shop --data data
";

pub(super) const STOP: &str = "\
Examples:
  redress plugin stop sizes@1 --note \"rounds down\" --server http://127.0.0.1:7373 --key-file admin.key
";

pub(super) const REMOVE: &str = "\
Examples:
  redress plugin remove sizes@1 --note \"nothing calls it\" --tenant shop --data data
";

pub(super) const GRANT: &str = "\
Examples:
  redress plugin grant often customer.cases_365d customer.refunds_365d --note \"who returns often\" --tenant shop --data data
  redress plugin grant often --note \"not any more\" --server http://127.0.0.1:7373 --key-file admin.key
";

/// A plugin is told nothing beside the case but what its manifest asks for and its merchant grants. Without a fact it is granted nothing.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct GrantArgs {
    /// Its name, without a version.
    plugin: String,
    /// What it may be told; these facts and no others.
    facts: Vec<String>,
    /// Why, in a few words.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

pub(super) const SIGNERS: &str = "\
Examples:
  redress plugin signers --tenant shop --data data
  redress plugin signers --key anna=RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3 --required --note \"two eyes\" --tenant shop --data data
  redress plugin signers --none --note \"not needed any more\" --server http://127.0.0.1:7373 --key-file admin.key
";

/// Without an option they are shown. A key is the second line of the file `minisign.pub`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SignersArgs {
    /// A key whose signatures count; these, and no others. May be given several times.
    #[arg(long = "key", value_name = "NAME=KEY", value_parser = crate::cli::words::pair)]
    keys: Vec<(String, String)>,
    /// Refuse components without a signature.
    #[arg(long, requires = "keys")]
    required: bool,
    /// Let no signature count, and require none.
    #[arg(long, conflicts_with_all = ["keys", "required"])]
    none: bool,
    /// Why, in a few words.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

/// One plugin.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Named {
    /// Its name and major version.
    #[arg(value_name = "NAME@MAJOR")]
    plugin: String,
}

/// A shadow is asked what the active component is asked; what it answers is compared and not used. A canary decides a share of the new
/// cases of every workflow that calls the plugin. What was staged before ends.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct StageArgs {
    /// A component to put beside the active one; or the name and major version of a plugin whose staged component goes on.
    #[arg(value_name = "FILE|NAME@MAJOR")]
    what: String,
    /// Ask it beside the active component, and use nothing of what it answers.
    #[arg(long, group = "stage")]
    shadow: bool,
    /// Let it decide this share of the new cases, in percent.
    #[arg(long, value_name = "PERCENT", group = "stage", required_unless_present = "shadow", value_parser = clap::value_parser!(u8).range(1..=99))]
    canary: Option<u8>,
    /// The name that workflows call it by; without it the one in its manifest.
    #[arg(long)]
    name: Option<String>,
    /// Its signature, as `minisign -S` writes it.
    #[arg(long, value_name = "FILE.minisig")]
    signature: Option<PathBuf>,
    /// Why, in a few words.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ActivateArgs {
    #[command(flatten)]
    of: Named,
    /// The component, by the first digits of its digest, eight at least: one that is staged or was active before. Without it the one that
    /// is staged.
    #[arg(long, value_name = "SHA256", value_parser = digits)]
    digest: Option<String>,
}

/// Without a digest it goes back to the component that was active before the present one. Who goes back twice comes two back.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RollbackArgs {
    #[command(flatten)]
    of: Named,
    /// The component to go back to, by the first digits of its digest, eight at least: one that was active before. redress plugin show lists
    /// them.
    #[arg(long, value_name = "SHA256", value_parser = digits)]
    digest: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct EndArgs {
    #[command(flatten)]
    of: Named,
    /// Why, in a few words.
    #[arg(long, value_name = "TEXT")]
    note: String,
}

const ACTIVE: [Column; 3] =
    [Column::text("plugin", "/plugin"), Column::text("version", "/version"), Column::digest("digest", "/digest")];

const STAGED: [Column; 9] = [
    Column::text("plugin", "/plugin"),
    Column::text("version", "/version"),
    Column::digest("digest", "/digest"),
    Column::text("stage", "/stage"),
    Column::count("percent", "/percent"),
    Column::count("asked", "/compared/asked"),
    Column::count("equal", "/compared/equal"),
    Column::count("different", "/compared/different"),
    Column::count("failed", "/compared/failed"),
];

const HISTORY: [Column; 4] = [
    Column::text("since", "/at"),
    Column::text("version", "/version"),
    Column::digest("digest", "/digest"),
    Column::flag("active", "/active"),
];

/// The times that are shown, the newest first; --output json has all.
const HISTORY_MOST: usize = 10;

pub(super) fn show(args: &Named, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let plugin = at.door()?.get(&address(&args.plugin))?;
    if at.format() != Format::Table {
        return print(&ACTIVE, &plugin, at, out);
    }
    print(&ACTIVE, &plugin, at, out)?;
    let used: Vec<&str> = plugin["used_by"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    out.data(&format!("called by: {}\n", if used.is_empty() { "nothing".to_owned() } else { used.join(", ") }))?;
    let past: Vec<Json> = plugin["history"].as_array().into_iter().flatten().take(HISTORY_MOST).cloned().collect();
    shown::rows(&HISTORY, &past).print(at.format(), out)?;
    if plugin["staged"].is_null() {
        return out.data("nothing is staged\n");
    }
    print(&STAGED, &plugin["staged"], at, out)?;
    for example in plugin["staged"]["compared"]["examples"].as_array().into_iter().flatten() {
        let text = |key: &str| crate::cli::words::clean(example[key].as_str().unwrap_or_default());
        let place = format!("{}, turn {}, step {}", text("case"), example["turn"], text("step"));
        out.data(&format!("{place}\n  active: {}\n  staged: {}\n", text("active"), text("shadow")))?;
    }
    Ok(())
}

pub(super) fn stage(args: &StageArgs, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let stage = if args.shadow { "shadow" } else { "canary" };
    let staged = if Path::new(&args.what).is_file() {
        upload(args, stage, at)?
    } else {
        let mut wish = json!({ "stage": stage, "note": args.note });
        if let Some(percent) = args.canary {
            wish["percent"] = percent.into();
        }
        at.door()?.post(&format!("{}/staged", address(&args.what)), &wish)?
    };
    print(&STAGED, &staged, at, out)
}

fn upload(args: &StageArgs, stage: &str, at: &Global) -> Result<Json, Error> {
    let bytes = read_bytes(Path::new(&args.what))?;
    let signature = args.signature.as_deref().map(read_text).transpose()?;
    let percent = args.canary.map(|percent| format!("&percent={percent}")).unwrap_or_default();
    let wish = format!("stage={stage}{percent}&note={}", part(&args.note));
    let address = format!("{}/staged?{wish}", address(&push::name_of(args.name.as_deref(), &bytes)?));
    push::hand_in(&at.door()?, &address, bytes, signature.as_deref())
}

pub(super) fn activate(args: &ActivateArgs, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let (door, address) = (at.door()?, address(&args.of.plugin));
    let digest = match &args.digest {
        Some(digits) => component(&door.get(&address)?, digits, true)?,
        None => {
            let plugin = door.get(&address)?;
            let staged = plugin["staged"]["digest"].as_str().map(ToOwned::to_owned);
            staged.ok_or_else(|| Error::NotFound {
                what: "staged component",
                name: args.of.plugin.clone(),
                help: "redress plugin stage puts one beside the active one; --digest names one that was active before"
                    .to_owned(),
            })?
        }
    };
    let active = door.post(&format!("{address}/activate"), &json!({ "digest": digest }))?;
    print(&ACTIVE, &active, at, out)
}

pub(super) fn rollback(args: &RollbackArgs, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let (door, address) = (at.door()?, address(&args.of.plugin));
    let active = match &args.digest {
        Some(digits) => {
            let digest = component(&door.get(&address)?, digits, false)?;
            door.post(&format!("{address}/activate"), &json!({ "digest": digest }))?
        }
        None => door.post(&format!("{address}/rollback"), &json!({}))?,
    };
    print(&ACTIVE, &active, at, out)
}

/// The component of a plugin whose digest begins so: of those that were active, and the staged one where that counts.
fn component(plugin: &Json, digits: &str, counts_staged: bool) -> Result<String, Error> {
    let past = plugin["history"].as_array().into_iter().flatten().map(|became| &became["digest"]);
    let staged = Some(&plugin["staged"]["digest"]).filter(|_| counts_staged);
    let known: BTreeSet<&str> = past.chain(staged).filter_map(Json::as_str).collect();
    let mut found = known.iter().filter(|digest| digest.starts_with(digits));
    match (found.next(), found.next()) {
        (Some(digest), None) => Ok((*digest).to_owned()),
        (Some(_), Some(_)) => Err(Error::Ambiguous { what: "component", beginning: digits.to_owned() }),
        (None, _) => {
            let help = "redress plugin show lists those that were active".to_owned();
            Err(Error::NotFound { what: "component", name: digits.to_owned(), help })
        }
    }
}

/// The beginning of a digest, or all of it.
fn digits(text: &str) -> Result<String, String> {
    let is_digest = (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let expected = "a digest is 64 digits of 0 to 9 and a to f, of which the first eight may do: 2f1c9a0b";
    if is_digest { Ok(text.to_ascii_lowercase()) } else { Err(expected.to_owned()) }
}

pub(super) fn stop(args: &EndArgs, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let last = at.door()?.post(&format!("{}/staged/stop", address(&args.of.plugin)), &json!({ "note": args.note }))?;
    print(&STAGED, &last, at, out)
}

pub(super) fn remove(args: &EndArgs, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let gone = at.door()?.post(&format!("{}/remove", address(&args.of.plugin)), &json!({ "note": args.note }))?;
    print(&ACTIVE, &gone, at, out)
}

pub(super) fn grant(args: &GrantArgs, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let wish = json!({ "facts": args.facts, "note": args.note });
    let granted = at.door()?.send(Method::PUT, &format!("{}/grants", address(&args.plugin)), Some(&wish), &[])?;
    if at.format() == Format::Json {
        return out.json(&granted);
    }
    let is_granted = |name: &Json| granted["facts"].as_array().is_some_and(|facts| facts.contains(name));
    let row = |one: &Json| json!({ "fact": one["name"], "granted": is_granted(&one["name"]), "about": one["about"] });
    let rows: Vec<Json> = granted["offered"].as_array().into_iter().flatten().map(row).collect();
    let columns = [Column::text("fact", "/fact"), Column::flag("granted", "/granted"), Column::text("about", "/about")];
    shown::rows(&columns, &rows).print(at.format(), out)
}

pub(super) fn signers(args: &SignersArgs, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let door = at.door()?;
    let signers = if args.keys.is_empty() && !args.none {
        door.get("/v1/signers")?
    } else {
        let keys: BTreeMap<&String, &String> = args.keys.iter().map(|(name, key)| (name, key)).collect();
        let wish = json!({ "keys": keys, "required": args.required, "note": args.note });
        door.send(Method::PUT, "/v1/signers", Some(&wish), &[])?
    };
    if at.format() == Format::Json {
        return out.json(&signers);
    }
    let row = |(name, key): (&String, &Json)| json!({ "name": name, "key": key });
    let rows: Vec<Json> = signers["keys"].as_object().into_iter().flatten().map(row).collect();
    shown::rows(&[Column::text("name", "/name"), Column::text("key", "/key")], &rows).print(at.format(), out)?;
    out.say(if signers["required"] == true { "a signature is required" } else { "no signature is required" });
    Ok(())
}

fn address(plugin: &str) -> String {
    format!("/v1/plugins/{}", part(plugin))
}

fn print(columns: &[Column], object: &Json, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    if at.format() == Format::Json {
        return out.json(object);
    }
    shown::rows(columns, std::slice::from_ref(object)).print(at.format(), out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_named_by_the_first_digits_that_no_other_has() {
        let of = |begin: &str| format!("{begin:0<64}");
        let (first, twin, staged) = (of("aaaabbbb1"), of("aaaabbbb2"), of("cccccccc"));
        let history = [&first, &twin, &first].map(|digest| json!({ "digest": digest }));
        let plugin = json!({ "history": history, "staged": { "digest": staged } });
        let found = |digits: &str, counts_staged| {
            component(&plugin, digits, counts_staged).map_err(|error| error.code().to_owned())
        };
        assert_eq!(found("aaaabbbb1", false), Ok(first.clone()));
        assert_eq!(found(&twin, true), Ok(twin.clone()));
        assert_eq!(found("aaaabbbb", true), Err("component_ambiguous".to_owned()));
        assert_eq!(found("cccccccc", true), Ok(staged.clone()));
        assert_eq!(found("cccccccc", false), Err("not_found".to_owned()));
        assert_eq!(digits("AAAABBBB"), Ok("aaaabbbb".to_owned()));
        for wrong in ["aaaabbb", "aaaabbbg", &of("a").repeat(2)] {
            assert!(digits(wrong).is_err(), "{wrong}");
        }
    }
}
