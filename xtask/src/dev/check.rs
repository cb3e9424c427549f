//! `--check`: what the guide shows, done and looked at.

use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::Value as Json;

use super::api::{self, Api};
use super::children::wait_for;
use super::{Demo, guide};
use crate::shell;

/// Do what is printed, and wait until the money and the mails are where they belong.
pub(super) fn run(demo: &Demo) -> anyhow::Result<()> {
    let retail = answered(demo, &guide::retail(demo))?;
    seen_to_the_end(demo, "online-retail", &retail)?;
    let medical = answered(demo, &guide::medical(demo))?;
    println!("check: return {} of medical-device waits at {}", medical["number"], medical["step"]);
    answered(demo, &guide::parcel(demo, number(&medical)?))?;
    seen_to_the_end(demo, "medical-device", &medical)
}

/// Refunded, paid once by the provider, and told to the customer.
fn seen_to_the_end(demo: &Demo, merchant: &str, opened: &Json) -> anyhow::Result<()> {
    let viewer = Api::new(&demo.host, demo.folder.key(merchant, "viewer"));
    let address = format!("/v1/cases/{}", number(opened)?);
    let mut last = Json::Null;
    wait_for("the return to be refunded", || {
        last = viewer.get(&address)?.context("the case is there")?;
        Ok(last["result"] == "refunded")
    })
    .with_context(|| format!("the case as it stands: {last}"))?;
    println!("check: return {} of {merchant} is closed: {}", last["number"], last["result"]);

    let refund = key(&last, "refund").context("the case has a refund")?;
    let paid = api::read(&format!("{}/effects", demo.provider))?;
    let Some(paid) = paid.as_array().and_then(|all| all.iter().find(|one| one["key"] == refund)) else {
        bail!("the provider does not know the refund {refund}: {paid}");
    };
    if paid["outcome"] != "confirmed" || paid["effects"] != 1 {
        bail!("the provider did not confirm the refund once: {paid}");
    }
    println!("check: the provider paid it once: {} {}", paid["amount"], paid["currency"]);

    let mails = demo.folder.mail(merchant)?;
    // Mails are sent beside the money: a moment later than the case is closed.
    let mut mail = None;
    wait_for("the customer's mail", || {
        last = viewer.get(&address)?.context("the case is there")?;
        mail = key(&last, "notice").map(|notice| mails.join(notice).with_extension("eml"));
        Ok(mail.as_ref().is_some_and(|mail| mail.exists()))
    })?;
    println!("check: the customer's mail is {}", mail.unwrap_or_default().display());
    Ok(())
}

/// Do it as a user does: with a shell, in the repository's folder.
fn answered(demo: &Demo, shown: &str) -> anyhow::Result<Json> {
    let answer = shell::output(Command::new("bash").args(["-c", shown]).current_dir(&demo.root))?;
    let case: Json = serde_json::from_slice(&answer).context("the answer is no JSON")?;
    if case["number"].is_null() {
        bail!("this was answered with {case}:\n{shown}");
    }
    Ok(case)
}

fn number(case: &Json) -> anyhow::Result<&str> {
    case["number"].as_str().context("a case has a number")
}

/// The key of a confirmed effect.
fn key<'a>(case: &'a Json, kind: &str) -> Option<&'a str> {
    let mut effects = case["effects"].as_array()?.iter();
    effects.find(|effect| effect["kind"] == kind && effect["state"] == "confirmed")?["key"].as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refund_that_is_on_its_way_is_not_there_yet() {
        let case = |state: &str| {
            serde_json::json!({ "effects": [
                { "kind": "notice", "state": "confirmed", "key": "n" }, { "kind": "refund", "state": state, "key": "r" }] })
        };
        assert_eq!(key(&case("intended"), "refund"), None);
        assert_eq!(key(&case("confirmed"), "refund"), Some("r"));
    }
}
