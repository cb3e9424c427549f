//! `--check`: what the guide shows, done and looked at.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::Value as Json;

use super::api::{self, Api};
use super::children::wait_for;
use super::{Demo, guide};
use crate::shell;

/// Do what is printed, and wait until the money and the mail are where they belong.
pub(super) fn run(demo: &Demo) -> anyhow::Result<()> {
    let medical = opened(demo, &guide::medical(demo))?;
    println!("check: return {} of the medical devices waits at {}", medical["number"], medical["step"]);
    let case = opened(demo, &guide::retail(demo))?;
    let number = case["number"].as_str().context("a case has a number")?.to_owned();
    println!("check: return {number} of the wholesaler was decided: {}", case["remedy"]);

    let viewer = Api::new(&demo.host, demo.folder.key("online-retail", "viewer"));
    let address = format!("/v1/cases/{number}");
    let mut last = Json::Null;
    wait_for("the return to be refunded", || {
        last = viewer.get(&address)?.context("the case is there")?;
        Ok(last["result"] == "refunded")
    })
    .with_context(|| format!("the case as it stands: {last}"))?;
    let key = refund(&last).context("the case has a refund")?;
    let paid = api::read(&format!("{}/effects", demo.provider))?;
    let Some(paid) = paid.as_array().and_then(|all| all.iter().find(|one| one["key"] == key)) else {
        bail!("the provider does not know the refund {key}: {paid}");
    };
    if paid["outcome"] != "confirmed" || paid["effects"] != 1 {
        bail!("the provider did not confirm the refund once: {paid}");
    }
    println!("check: the provider paid it once: {} {}", paid["amount"], paid["currency"]);

    let mails = demo.folder.mail("online-retail")?;
    wait_for("its mail", || Ok(mail_of(&mails, &number)?.is_some()))?;
    let mail = mail_of(&mails, &number)?.context("the mail was there")?;
    println!("check: the customer's mail is {mail}");
    Ok(())
}

/// Do it as a user does: with a shell, in the repository's folder.
fn opened(demo: &Demo, shown: &str) -> anyhow::Result<Json> {
    let answer = shell::output(Command::new("bash").args(["-c", shown]).current_dir(&demo.root))?;
    let case: Json = serde_json::from_slice(&answer).context("the answer is no JSON")?;
    if case["number"].is_null() {
        bail!("the return was not opened: {case}");
    }
    Ok(case)
}

fn refund(case: &Json) -> Option<String> {
    let mut effects = case["effects"].as_array()?.iter();
    let refund = effects.find(|effect| effect["kind"] == "refund" && effect["state"] == "confirmed")?;
    refund["key"].as_str().map(str::to_owned)
}

/// A mail that names the case.
fn mail_of(folder: &Path, number: &str) -> anyhow::Result<Option<String>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "eml") && fs::read_to_string(&path)?.contains(number) {
            return Ok(Some(path.display().to_string()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_mail_that_names_the_case_is_its_mail() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.eml"), "Subject: Your return 00027 is refunded").unwrap();
        fs::write(folder.path().join("b.txt"), "00019").unwrap();
        assert_eq!(mail_of(folder.path(), "00019").unwrap(), None);
        assert!(mail_of(folder.path(), "00027").unwrap().unwrap().ends_with("a.eml"));
    }

    #[test]
    fn a_refund_that_is_on_its_way_is_not_there_yet() {
        let case = |state: &str| {
            serde_json::json!({ "effects": [
            { "kind": "notice", "state": "confirmed", "key": "n" }, { "kind": "refund", "state": state, "key": "r" }] })
        };
        assert_eq!((refund(&case("intended")), refund(&case("confirmed"))), (None, Some("r".to_owned())));
    }
}
