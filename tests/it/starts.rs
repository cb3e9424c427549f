//! Cases that are started by the name of their workflow, on the real engine and over HTTP.

use redress::keys::Role;
use redress_domain::case::Case;
use redress_domain::case::start::Started;
use redress_domain::ids::CaseId;
use redress_tests::shop::{Shop, stands};
use redress_tests::web::{Got, Web};
use redress_tests::world::Merchant;
use serde_json::{Value as Json, json};

mod events;
mod named;
mod schedules;

/// A case of this answer.
fn case_of(merchant: &Merchant, got: &Got) -> Case {
    let json = got.json();
    let id: CaseId = json["id"].as_str().unwrap_or_else(|| panic!("no case: {json}")).parse().unwrap();
    merchant.case(id).unwrap()
}

fn key(web: &Web, shop: &Shop, role: Role) -> String {
    web.key(shop.merchant.engine.record().id, role).unwrap()
}

/// The codes of the fields that a problem is about.
fn pointers(got: &Got) -> Vec<String> {
    let json = got.json();
    let all = json["errors"].as_array().cloned().unwrap_or_default();
    all.iter().map(|one: &Json| one["pointer"].as_str().unwrap_or_default().to_owned()).collect()
}
