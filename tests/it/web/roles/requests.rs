//! A request that is good, for every operation. A route without one fails the test.

use redress::http::Served;
use redress_tests::guests::integer_step;
use redress_tests::web::Asking;
use serde_json::{Value as Json, json};

use super::house::{House, Things, document};

impl House {
    /// A good request of an operation about these things.
    pub(super) fn request(&self, served: &Served, things: &Things) -> Asking<'_> {
        let address = address(served, things);
        let n = self.number();
        let request = self.web.ask(served.method, &address);
        match &*served.operation {
            "plugin.put" => {
                let component = integer_step("count", "(i64.const 1)").component().unwrap();
                request.raw("application/wasm", &component)
            }
            "plugin.stage" => {
                let component = integer_step("count", "(i64.const 4)").component().unwrap();
                self.web.ask(served.method, &format!("{address}?stage=shadow")).raw("application/wasm", &component)
            }
            operation => match body(operation, things, n) {
                Some(body) => request.named(&format!("r{n}")).json(&body),
                None => request,
            },
        }
    }
}

/// The address of the things.
fn address(served: &Served, things: &Things) -> String {
    let key = if served.path.starts_with("/v1/keys") { &things.key } else { &things.effect };
    let plugin = things.plugin.split('@').next().unwrap_or_default().to_owned();
    let is_case = served.operation.starts_with("plugin_case.");
    let without_version = ["plugin.put", "plugin.stage", "plugin.grant", "plugin.grants"];
    let name = if is_case || without_version.contains(&&*served.operation) { &plugin } else { &things.plugin };
    let parts = [
        ("{tenant}", &things.tenant),
        ("{order}", &things.order),
        ("{case}", if is_case { &things.plugin_case } else { &things.case }),
        ("{task}", &things.task),
        ("{key}", key),
        ("{workflow}", &things.workflow),
        ("{revision}", &things.revision),
        ("{name}", name),
        ("{kind}", &things.connector),
    ];
    let address = parts.iter().fold(served.path.clone(), |address, (part, name)| address.replace(part, name));
    assert!(!address.contains('{'), "{} has a part that nothing is named for", served.path);
    address
}

/// The body of a request; none where nothing is sent.
fn body(operation: &str, things: &Things, n: u32) -> Option<Json> {
    let done = "  - { id: done, finish: { result: done } }\n";
    Some(match operation {
        "order.get" | "order.list" | "case.get" | "case.list" | "case.timeline" | "case.replay" | "case.replay_all"
        | "task.get" | "task.list" => {
            return None;
        }
        "effect.get" | "effect.list" | "event.list" | "event.stream" | "connector.list" | "connector.remove" => {
            return None;
        }
        "workflow.get" | "workflow.list" | "workflow.revisions" | "revision.get" | "file.list" | "hold.list"
        | "draft.list" | "draft.get" | "draft.discard" | "plugin_case.list" | "plugin_case.get"
        | "plugin_case.remove" => return None,
        "plugin.get" | "plugin.list" | "plugin.grants" | "signer.list" | "key.get" | "key.list" | "tenant.get"
        | "tenant.list" | "tenant.own" => {
            return None;
        }
        "order.put" => json!({
            "customer": "c1", "currency": "GBP", "placed_at": "2026-02-20T10:00:00Z",
            "lines": [{ "sku": "A1", "quantity": 5, "unit_price": { "amount": "2.55", "currency": "GBP" } }],
        }),
        "case.open" => json!({ "kind": "look", "lines": [{ "sku": "A1", "quantity": 1 }] }),
        "event.tell" => json!({ "source": "wms", "id": n.to_string(), "name": "parcel_found" }),
        "case.event" => json!({ "name": "goods_received", "fields": { "rma": "R1" } }),
        "case.cancel" | "effect.redeliver" => json!({ "reason": "the customer keeps it" }),
        "task.claim" | "task.release" | "plugin.rollback" | "key.revoke" | "connector.test" => json!({}),
        "task.complete" => json!({ "outcome": "go" }),
        "effect.outcome" => json!({ "outcome": "confirmed" }),
        "workflow.validate" | "workflow.publish" => {
            json!({ "source": document(&format!("new-{n}"), "never", "", done), "note": "new" })
        }
        "bundle.publish" => {
            let source = document(&format!("new-{n}"), "never", "", done);
            json!({ "files": [{ "name": "new.yaml", "source": source }], "note": "new" })
        }
        "workflow.rollback" | "canary.promote" | "canary.stop" => json!({ "note": "back" }),
        "workflow.migrate" => json!({ "from": things.earlier, "to": things.revision, "dry_run": true }),
        "workflow.hold" => json!({ "revision": things.earlier, "note": "it refunds twice" }),
        "workflow.resume" => json!({ "revision": things.held, "note": "it was nothing" }),
        "draft.put" => json!({ "source": document(&things.workflow, "never", "", done), "note": "for January" }),
        "draft.publish" => json!({}),
        "revision.gc" => json!({ "dry_run": true }),
        "canary.start" => {
            json!({ "source": document(&things.workflow, "never", "", done), "percent": 5, "note": "a trial" })
        }
        "plugin.grant" => json!({ "facts": ["order.lines"], "note": "small orders are taken back" }),
        "plugin_case.put" => json!({ "hook": "step" }),
        "signer.set" => json!({ "keys": {}, "note": "nobody signs" }),
        "plugin.restage" => json!({ "stage": "shadow", "note": "once more" }),
        "plugin.unstage" | "plugin.remove" => json!({ "note": "it is not needed" }),
        "plugin.activate" => json!({ "digest": things.digest }),
        "connector.set" => json!({ "how": "simulated" }),
        "key.create" => json!({ "name": "desk", "role": "viewer" }),
        "tenant.create" => json!({
            "name": format!("tenant-{n}"), "zone": "Europe/London", "currency": "GBP", "locale": "en", "jurisdiction": "UK",
        }),
        other => panic!("{other} has no request here: every route has one"),
    })
}
