//! `redress doctor`: whether a data folder, or a running host, is as it must be; and what to do where it is not.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use redress_domain::ids::Slug;

use super::error::Error;
use super::listing::{Cell, Listing};
use super::output::Out;
use super::words;
use super::{Global, door::Door, door::part};
use crate::outbox::delivery::NO_CONNECTOR;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress doctor --data data
  redress doctor --server http://127.0.0.1:7373 --key-file operator.key
";

/// Bytes that should be free where the data folder lies: some days of a busy merchant.
const FREE_BYTES_MIN: u64 = 1 << 30;

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// One thing that was looked at.
struct Finding {
    what: String,
    state: State,
    detail: String,
    help: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    Odd,
    Bad,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Odd => "warning",
            Self::Bad => "failed",
        }
    }
}

pub(super) fn run(at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let mut findings = Vec::new();
    if at.server.is_none() {
        let folder = at.folder()?;
        findings.extend(files(folder));
    }
    match at.door() {
        Ok(door) => findings.extend(host(at, &door)),
        Err(error) => findings.push(bad(if at.server.is_some() { "host" } else { "data folder" }, &error)),
    }
    show(&findings, at, out)?;
    let failed = findings.iter().filter(|finding| finding.state == State::Bad).count();
    if failed == 0 { Ok(()) } else { Err(Error::Unwell(failed)) }
}

fn show(findings: &[Finding], at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let row = |finding: &Finding| {
        let help = if finding.state == State::Good { "" } else { finding.help };
        vec![Cell::text(finding.state.word()), Cell::text(&finding.what), Cell::text(&finding.detail), Cell::text(help)]
    };
    let listing = Listing {
        columns: vec!["state", "what", "found", "what to do"],
        hidden: &[],
        zone: redress_domain::clock::Zone::UTC,
        rows: findings.iter().map(row).collect(),
    };
    listing.print(at.format(), out)
}

/// What can be seen without opening anything.
fn files(folder: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in ["host.key", "operator.key"] {
        let Ok(file) = std::fs::metadata(folder.join(name)) else { continue };
        let open = file.permissions().mode() & 0o077 != 0;
        findings.push(Finding {
            what: name.to_owned(),
            state: if open { State::Bad } else { State::Good },
            detail: format!("mode {:04o}", file.permissions().mode() & 0o7777),
            help: "others can read it: chmod 600, then make new keys",
        });
    }
    if let Some(free) = free_bytes(folder) {
        findings.push(Finding {
            what: "free space".to_owned(),
            state: if free < FREE_BYTES_MIN { State::Odd } else { State::Good },
            detail: format!("{} MiB", free >> 20),
            help: "make room: a full disk stops every write",
        });
    }
    findings
}

fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// What the host itself says.
fn host(at: &Global, door: &Door) -> Vec<Finding> {
    let mut findings = Vec::new();
    if at.server.is_some() {
        findings.push(match door.get("/readyz") {
            Ok(_) => good("ready", "yes"),
            Err(error) => bad("ready", &error),
        });
    }
    match &at.tenant {
        Some(tenant) => findings.extend(tenant_findings(door, tenant)),
        None => findings.push(match door.get("/v1/tenants?limit=100") {
            Ok(page) => {
                let names = page["data"].as_array().map(Vec::as_slice).unwrap_or_default();
                let names: Vec<&str> = names.iter().filter_map(|tenant| tenant["name"].as_str()).collect();
                let detail = format!("{} ({})", names.len(), names.join(", "));
                Finding { help: "--tenant NAME looks at one of them", ..good("tenants", &detail) }
            }
            Err(error) => bad("tenants", &error),
        }),
    }
    findings
}

fn tenant_findings(door: &Door, tenant: &str) -> Vec<Finding> {
    if Slug::new(tenant).is_err() {
        return vec![Finding { state: State::Bad, help: "tenant list shows the tenants", ..good("tenant", tenant) }];
    }
    let looked_at = [
        ("workflows", "/v1/workflows", "no case can be decided: publish one"),
        (
            "connectors",
            "/v1/connectors",
            "refunds and messages wait until there is one: redress connector set payment ..., docs/webhooks.md",
        ),
    ];
    let mut findings: Vec<Finding> = looked_at
        .into_iter()
        .map(|(what, address, help)| match door.get(address) {
            Ok(page) => {
                let count = page["data"].as_array().map_or(0, Vec::len);
                let state = if count == 0 { State::Odd } else { State::Good };
                Finding { state, help, ..good(what, &count.to_string()) }
            }
            Err(error) => bad(what, &error),
        })
        .collect();
    findings.push(match door.get("/v1/effects?state=unknown&limit=100") {
        Ok(page) => {
            let count = page["data"].as_array().map_or(0, Vec::len);
            let state = if count == 0 { State::Good } else { State::Odd };
            Finding {
                state,
                help: "a person must say what became of them: task list --queue problems, task complete",
                ..good("unknown effects", &count.to_string())
            }
        }
        Err(error) => bad("unknown effects", &error),
    });
    findings.push(stuck(door).unwrap_or_else(|error| bad("effects without a connector", &error)));
    findings.push(files_apart(door).unwrap_or_else(|error| bad("watched files", &error)));
    findings
}

/// What waits because nobody said where it goes, by the connector that it needs. Of the earliest hundred.
fn stuck(door: &Door) -> Result<Finding, Error> {
    let page = door.get("/v1/effects?state=intended&limit=100")?;
    let mut waiting: BTreeMap<String, u32> = BTreeMap::new();
    for effect in page["data"].as_array().into_iter().flatten() {
        let effect = door.get(&format!("/v1/effects/{}", part(effect["key"].as_str().unwrap_or_default())))?;
        let last = effect["deliveries"].as_array().and_then(|all| all.last());
        if let Some(last) = last.filter(|last| last["reason"] == NO_CONNECTOR) {
            *waiting.entry(last["connector"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    let told: Vec<String> = waiting.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let (state, detail) = if told.is_empty() { (State::Good, "0".to_owned()) } else { (State::Odd, told.join(", ")) };
    let help = "they leave as soon as there is one: redress connector set KIND ...";
    Ok(Finding { state, help, ..good("effects without a connector", &detail) })
}

/// Files of watched folders that say something else than what is active.
fn files_apart(door: &Door) -> Result<Finding, Error> {
    let files = door.all("/v1/files")?;
    let apart = files.iter().filter(|file| file["differs_from_active"] == true);
    let names: Vec<&str> = apart.filter_map(|file| file["path"].as_str()).collect();
    let (state, detail) = match &names[..] {
        [] => (State::Good, format!("{}, none differs from what is active", files.len())),
        some => (State::Odd, format!("{}: {}", words::count(some.len(), "file"), words::clean(&some.join(", ")))),
    };
    let help = "they say something else than what is active: save one with a change to publish it, or write into it what is active";
    Ok(Finding { state, help, ..good("watched files", &detail) })
}

fn good(what: &str, detail: &str) -> Finding {
    Finding { what: what.to_owned(), state: State::Good, detail: detail.to_owned(), help: "" }
}

fn bad(what: &str, error: &Error) -> Finding {
    let detail = format!("[{}] {error}", error.code());
    Finding { what: what.to_owned(), state: State::Bad, detail, help: "see the code's page in docs/errors" }
}
