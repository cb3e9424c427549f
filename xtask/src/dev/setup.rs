//! What a demo needs before it can be tried: merchants with their past, then keys, connectors and orders of a host that runs.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::folder::Folder;
use super::merchants::{MERCHANTS, Merchant, ROLES};
use super::orders::{self, Orders};
use super::{Demo, Programs};
use crate::shell;

/// Make the merchants that are not there, with their past. The host does not run yet: the past goes into its folder directly.
pub(super) fn merchants(programs: &Programs, folder: &Folder, workflows: &Path) -> anyhow::Result<()> {
    let there = if folder.data().exists() { tenants(programs, folder)? } else { Vec::new() };
    for merchant in MERCHANTS.iter().filter(|merchant| !folder.made(merchant.name).exists()) {
        eprintln!("making the merchant {}", merchant.name);
        if !there.iter().any(|name| name == merchant.name) {
            create(programs, folder, merchant)?;
        }
        if let Some((mapping, file)) = merchant.past {
            past(programs, folder, merchant, &workflows.join(merchant.name), (mapping, file))?;
        }
        fs::write(folder.made(merchant.name), "")?;
    }
    Ok(())
}

fn tenants(programs: &Programs, folder: &Folder) -> anyhow::Result<Vec<String>> {
    let mut command = redress(programs, &["tenant", "list", "--output", "json"]);
    let listed: Json = serde_json::from_slice(&shell::output(command.arg("--data").arg(folder.data()))?)?;
    let names = listed.as_array().context("a list of tenants")?.iter();
    Ok(names.filter_map(|tenant| tenant["name"].as_str().map(str::to_owned)).collect())
}

fn create(programs: &Programs, folder: &Folder, merchant: &Merchant) -> anyhow::Result<()> {
    let mut command = redress(programs, &["tenant", "create", merchant.name, "--zone", merchant.zone]);
    command.args(["--currency", merchant.currency, "--locale", merchant.locale]);
    run(command.args(["--jurisdiction", merchant.jurisdiction]).arg("--data").arg(folder.data()))
}

/// Orders and returns of long ago. They are decided on the way, by the rules in the folder.
fn past(
    programs: &Programs,
    folder: &Folder,
    merchant: &Merchant,
    home: &Path,
    (mapping, file): (&str, &str),
) -> anyhow::Result<()> {
    let command = |words: &[&str]| {
        let mut command = redress(programs, words);
        command.args(["--tenant", merchant.name]).arg("--data").arg(folder.data());
        command
    };
    for plugin in merchant.plugins {
        let component = folder.plugins().join(merchant.name).join(plugin).with_extension("wasm");
        run(command(&["plugin", "push", "--name", plugin]).arg(component))?;
    }
    run(command(&["workflow", "publish"]).arg(home.join("return.yaml")))?;
    run(command(&["import"]).arg("--map").arg(home.join(mapping)).arg(home.join(file)))
}

/// A key of each role for each merchant, in a file that only its owner reads.
pub(super) fn keys(programs: &Programs, demo: &Demo) -> anyhow::Result<()> {
    for merchant in &MERCHANTS {
        for role in ROLES {
            let path = demo.folder.key(merchant.name, role);
            match fs::metadata(&path) {
                Ok(file) if file.len() > 0 => continue,
                // Left by a start that was stopped before the key came.
                Ok(_) => fs::remove_file(&path)?,
                Err(_) => {}
            }
            let name = format!("demo {role}");
            let mut command = redress(programs, &["key", "create", "--role", role, "--name", &name]);
            if role == "integrator" {
                command.arg("--backdate");
            }
            command.args(["--tenant", merchant.name, "--server", &demo.host]);
            run(command.arg("--key-file").arg(demo.folder.operator_key()).arg("--out").arg(&path))?;
        }
    }
    Ok(())
}

/// Money, goods and messages go to the provider, mails into the folder. Set at every start: the provider may listen elsewhere.
pub(super) fn connectors(demo: &Demo) -> anyhow::Result<()> {
    let secret = demo.folder.secret()?;
    for merchant in &MERCHANTS {
        let admin = Api::new(&demo.host, demo.folder.key(merchant.name, "admin"));
        for kind in ["payment", "stock", "notification"] {
            let url = format!("{}/{kind}", demo.provider);
            let webhook = json!({ "how": "webhook", "url": url, "secret": secret });
            admin.put(&format!("/v1/connectors/{kind}"), &webhook)?;
        }
        let path = demo.folder.mail(merchant.name)?;
        let from = format!("returns@{}.example", merchant.name);
        admin.put("/v1/connectors/mail", &json!({ "how": "folder", "path": path, "from": from }))?;
    }
    Ok(())
}

/// The orders that the guide returns. Those that are there stay: cases may have taken from them.
pub(super) fn orders(demo: &Demo, workflows: &Path) -> anyhow::Result<()> {
    for merchant in &MERCHANTS {
        let integrator = Api::new(&demo.host, demo.folder.key(merchant.name, "integrator"));
        let file = Orders::read(&workflows.join(merchant.name).join("orders.json"))?;
        for (id, order) in file.moved_to(orders::today()?)? {
            let address = format!("/v1/orders/{id}");
            if integrator.get(&address)?.is_none() {
                integrator.put(&address, &order)?;
            }
        }
    }
    Ok(())
}

fn redress(programs: &Programs, words: &[&str]) -> Command {
    let mut command = Command::new(&programs.redress);
    // What the user set for a host of their own is not meant for the demo.
    for variable in ["REDRESS_DATA", "REDRESS_SERVER", "REDRESS_TENANT", "REDRESS_KEY_FILE", "REDRESS_KEY"] {
        command.env_remove(variable);
    }
    command.args(words);
    command
}

/// Our own standard output is the guide, so what the product says goes to standard error.
fn run(command: &mut Command) -> anyhow::Result<()> {
    shell::run(command.stdout(Stdio::from(std::io::stderr())))
}
