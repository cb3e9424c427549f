//! Every example of the API is executed: one story of one merchant, told request by request, compared with what is written.
//!
//! `REDRESS_BLESS=1` writes the examples; the document then shows them. They are read in review like code.

mod recorder;

use std::collections::BTreeSet;

use redress::http::api;
use redress_domain::clock::Span;
use redress_tests::guests::integer_step;
use serde_json::{Value as Json, json};

use recorder::{Recorder, text};

/// A return: taken as bought, held, paid back once the goods are there.
const RETURNS: &str = "format: 1
workflow: returns
currency: GBP
triggers: [{ case_opened: { type: return } }]
events: { goods_received: { rma: text? } }
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 30 } }, as: matched }
  - { id: hold, approve: { lines: =matched.lines, until: 30d } }
  - { id: goods, await: { event: goods_received, timeout: { after: 14d, then: late } } }
  - { id: quote, call: { plugin: std/refund-quote@0 }, as: quote }
  - { id: pay, refund: { quote: =quote } }
  - { id: done, finish: { result: refunded } }
  - { id: late, finish: { result: not_sent } }
";

/// A complaint: a person looks at it.
const COMPLAINTS: &str = "format: 1
workflow: complaints
triggers: [{ case_opened: { type: complaint } }]
steps:
  - id: look
    review:
      queue: desk
      title: Look at the complaint
      ask: { note: text? }
      next: { justified: done, not_justified: done }
      timeout: { never: a person must look }
    migration_point: true
  - { id: done, finish: { result: answered } }
";

/// A parcel that nobody announced: somebody looks whose it is.
const PARCELS: &str = "format: 1
workflow: parcels
triggers:
  - event:
      name: parcel_found
      match: 'event.label == false'
      type: found
      reason: no_label
      set: { shelf: =event.shelf }
events: { parcel_found: { shelf: text, label: bool } }
vars: { shelf: text }
steps:
  - id: look
    review: { queue: dock, title: 'Whose is it? Shelf {{ shelf }}', next: { known: done, unknown: done }, timeout: { after: 30d, then: done } }
  - { id: done, finish: { result: seen } }
";

#[tokio::test]
async fn every_example_is_what_the_api_answers() {
    let mut story = Recorder::new().unwrap();
    merchant(&mut story).await;
    rules(&mut story).await;
    connectors(&mut story).await;
    orders(&mut story).await;
    a_return(&mut story).await;
    a_complaint(&mut story).await;
    a_parcel(&mut story).await;
    a_migration(&mut story).await;
    a_hold(&mut story).await;
    what_happened(&mut story).await;
    let told: BTreeSet<&str> = story.told.iter().map(String::as_str).collect();
    let table = api().table();
    let all: BTreeSet<&str> = table.iter().map(|served| &*served.operation).collect();
    assert_eq!(told, all, "every route has an example");
    assert_eq!(story.written(), all.iter().map(|name| format!("{name}.json")).collect(), "every example is of a route");
}

/// The operator makes the merchant, and a key for its admin; the admin makes the others.
async fn merchant(story: &mut Recorder) {
    let shop = json!({
        "name": "shop", "zone": "Europe/London", "currency": "GBP", "locale": "en", "jurisdiction": "UK",
    });
    story.tell("tenant.create", "operator", "/v1/tenants", Some(&shop)).await;
    story.tell("tenant.list", "operator", "/v1/tenants", None).await;
    story.tell("tenant.get", "operator", "/v1/tenants/shop", None).await;
    let admin = json!({ "name": "Grace", "role": "admin" });
    let made = story.tell_for("key.create", "operator", "shop", "/v1/keys", &admin).await;
    story.hold("admin", text(&made["secret"]));
    for role in ["agent", "integrator", "viewer"] {
        let body = json!({ "name": format!("the {role}"), "role": role });
        let made = story.ask("admin", "POST", "/v1/keys", Some(&body)).await;
        story.hold(role, text(&made["secret"]));
    }
    story.tell("tenant.own", "viewer", "/v1/tenant", None).await;
    story.tell("key.list", "admin", "/v1/keys?limit=2", None).await;
    let lost = story.ask("admin", "POST", "/v1/keys", Some(&json!({ "name": "lost", "role": "viewer" }))).await;
    let address = format!("/v1/keys/{}", text(&lost["id"]));
    story.tell("key.get", "admin", &address, None).await;
    story.tell("key.revoke", "admin", &format!("{address}/revoke"), Some(&json!({}))).await;
}

/// Plugins and workflows, each taken back once.
async fn rules(story: &mut Recorder) {
    story.pass(Span::from_millis(60_000));
    let component = |count: &str| integer_step("count", count).component().unwrap();
    let first = story.tell_component("plugin.put", "/v1/plugins/number", &component("(i64.const 7)")).await;
    story.put_component("/v1/plugins/number", &component("(i64.const 8)")).await;
    let back = story.tell("plugin.rollback", "admin", "/v1/plugins/number@0/rollback", Some(&json!({}))).await;
    assert_eq!(back["digest"], first["digest"]);
    let digest = json!({ "digest": first["digest"] });
    story.tell("plugin.activate", "admin", "/v1/plugins/number@0/activate", Some(&digest)).await;
    let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    let signers = json!({ "keys": { "anna": key }, "required": false, "note": "anna builds our plugins" });
    story.tell("signer.set", "admin", "/v1/signers", Some(&signers)).await;
    story.tell("signer.list", "viewer", "/v1/signers", None).await;
    let grant = json!({ "facts": ["customer.cases_365d"], "note": "who returns often is looked at" });
    story.tell("plugin.grant", "admin", "/v1/plugins/number/grants", Some(&grant)).await;
    story.tell("plugin.grants", "viewer", "/v1/plugins/number/grants", None).await;
    let case = json!({ "hook": "step", "expect": { "answer": { "provides": { "count": 7 } } } });
    story.tell("plugin_case.put", "admin", "/v1/plugins/number/cases/seven?note=as+agreed", Some(&case)).await;
    story.tell("plugin_case.list", "viewer", "/v1/plugins/number/cases", None).await;
    story.tell("plugin_case.get", "viewer", "/v1/plugins/number/cases/seven", None).await;
    story.tell("plugin_case.remove", "admin", "/v1/plugins/number/cases/seven", None).await;
    let nine = component("(i64.const 9)");
    let staged = "/v1/plugins/number/staged?stage=shadow&note=rounds+otherwise";
    story.tell_component("plugin.stage", staged, &nine).await;
    let again = json!({ "stage": "shadow", "note": "a week more" });
    story.tell("plugin.restage", "admin", "/v1/plugins/number@0/staged", Some(&again)).await;
    story.tell("plugin.get", "viewer", "/v1/plugins/number@0", None).await;
    let stop = json!({ "note": "it rounds down" });
    story.tell("plugin.unstage", "admin", "/v1/plugins/number@0/staged/stop", Some(&stop)).await;
    story.put_component("/v1/plugins/old-number", &nine).await;
    story
        .tell("plugin.remove", "admin", "/v1/plugins/old-number@0/remove", Some(&json!({ "note": "nothing calls it" })))
        .await;
    story.tell("plugin.list", "viewer", "/v1/plugins?limit=2", None).await;

    let slip = RETURNS.replace("finish: { result: refunded }", "finish: { resutl: refunded }");
    story.tell("workflow.validate", "viewer", "/v1/workflows/validate", Some(&json!({ "source": slip }))).await;
    story.ask("admin", "POST", "/v1/workflows", Some(&json!({ "source": COMPLAINTS, "note": "first" }))).await;
    let first = json!({ "source": RETURNS, "note": "thirty days" });
    let published = story.tell("workflow.publish", "admin", "/v1/workflows", Some(&first)).await;
    let longer = json!({ "source": RETURNS.replace("window_days: 30", "window_days: 90"), "note": "ninety days" });
    story.ask("admin", "POST", "/v1/workflows", Some(&longer)).await;
    let back = json!({ "note": "thirty days after all" });
    story.tell("workflow.rollback", "admin", "/v1/workflows/returns/rollback", Some(&back)).await;
    canary(story).await;
    drafts(story).await;
    bundle(story).await;
    story.tell("workflow.get", "viewer", "/v1/workflows/returns", None).await;
    story.tell("workflow.list", "viewer", "/v1/workflows", None).await;
    story.tell("workflow.revisions", "viewer", "/v1/workflows/returns/revisions", None).await;
    let revision = format!("/v1/revisions/{}", text(&published["revision"]));
    story.tell("revision.get", "viewer", &revision, None).await;
    story.tell("file.list", "viewer", "/v1/files", None).await;
}

/// A workflow and one that extends it, which change together.
async fn bundle(story: &mut Recorder) {
    let base = COMPLAINTS.replace("workflow: complaints", "workflow: doubts").replace("type: complaint", "type: doubt");
    let overlay = "format: 1\nworkflow: grave-doubts\nextends: doubts@bundle\npatch:\n  - set: { at: steps.look.review.queue, to: lead }\n";
    let files = [
        json!({ "name": "doubts.yaml", "source": base.replace("format: 1", "format: 1\ncurrency: GBP") }),
        json!({ "name": "grave-doubts.yaml", "source": overlay }),
    ];
    let body = json!({ "files": files, "note": "the lead looks at the grave ones" });
    story.tell("bundle.publish", "admin", "/v1/bundles", Some(&body)).await;
}

/// A text that is not ready yet, mended and published; and one that nobody wants any more.
async fn drafts(story: &mut Recorder) {
    let at = "/v1/workflows/refusals/draft";
    let text =
        COMPLAINTS.replace("workflow: complaints", "workflow: refusals").replace("type: complaint", "type: refusal");
    let slip = text.replace("finish: { result: answered }", "finish: { resutl: answered }");
    story.tell("draft.put", "admin", at, Some(&json!({ "source": slip, "note": "for January" }))).await;
    story.tell("draft.get", "viewer", at, None).await;
    story.tell("draft.list", "viewer", "/v1/drafts", None).await;
    story.ask("admin", "PUT", at, Some(&json!({ "source": text, "note": "for January" }))).await;
    let note = json!({ "note": "from today on" });
    story.tell("draft.publish", "admin", &format!("{at}/publish"), Some(&note)).await;
    story.ask("admin", "PUT", at, Some(&json!({ "source": slip, "note": "for February" }))).await;
    story.tell("draft.discard", "admin", at, None).await;
    let gc = json!({ "workflow": "returns", "older_than_days": 365, "dry_run": true });
    story.tell("revision.gc", "admin", "/v1/revisions/gc", Some(&gc)).await;
}

/// Another wording, tried, stopped, tried again and kept.
async fn canary(story: &mut Recorder) {
    let (at, asked) = ("/v1/workflows/complaints/canary", "title: Look at the complaint");
    let text = COMPLAINTS.replace(asked, "title: Read the complaint");
    let trial = json!({ "source": text, "percent": 10, "note": "other words", "stop": { "refunds_over": 20 } });
    let begun = story.tell("canary.start", "admin", at, Some(&trial)).await;
    let end = json!({ "note": "not before the holidays" });
    story.tell("canary.stop", "admin", &format!("{at}/stop"), Some(&end)).await;
    let again = json!({ "revision": begun["number"].to_string(), "percent": 50, "note": "after the holidays" });
    story.ask("admin", "POST", at, Some(&again)).await;
    let keep = json!({ "note": "the desk likes it" });
    let kept = story.tell("canary.promote", "admin", &format!("{at}/promote"), Some(&keep)).await;
    assert_eq!(kept["revision"], begun["revision"]);
}

async fn connectors(story: &mut Recorder) {
    let webhook = json!({
        "how": "webhook", "url": "https://pay.shop.example/redress", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "key_lifetime": "24h",
    });
    story.tell("connector.set", "admin", "/v1/connectors/payment", Some(&webhook)).await;
    story.ask("admin", "PUT", "/v1/connectors/stock", Some(&webhook)).await;
    story.tell("connector.remove", "admin", "/v1/connectors/stock", None).await;
    story.tell("connector.list", "admin", "/v1/connectors", None).await;
    let simulated = json!({ "how": "simulated" });
    story.ask("admin", "PUT", "/v1/connectors/payment", Some(&simulated)).await;
    story.tell("connector.test", "admin", "/v1/connectors/payment/test", Some(&json!({}))).await;
    story.ask("admin", "PUT", "/v1/connectors/payment", Some(&webhook)).await;
}

async fn orders(story: &mut Recorder) {
    let order = json!({
        "customer": "c1", "currency": "GBP", "placed_at": "2026-02-20T10:00:00Z",
        "lines": [{ "sku": "85123A", "quantity": 6, "unit_price": { "amount": "2.55", "currency": "GBP" } }],
        "payments": [{
            "id": "p1", "provider": "card", "reference": "ch_1", "captured": { "amount": "15.30", "currency": "GBP" },
        }],
    });
    story.tell("order.put", "integrator", "/v1/orders/536365", Some(&order)).await;
    story.tell("order.get", "viewer", "/v1/orders/536365", None).await;
    story.tell("order.list", "viewer", "/v1/orders", None).await;
}

/// A return: opened, received, refunded. Another one, ended.
async fn a_return(story: &mut Recorder) {
    story.pass(Span::from_days(1));
    let two = json!({
        "kind": "return", "customer": { "id": "c1" }, "reason": "damaged",
        "external": { "source": "shop", "id": "R-1001" }, "lines": [{ "sku": "85123A", "quantity": 2 }],
    });
    let case = story.tell("case.open", "integrator", "/v1/cases", Some(&two)).await;
    assert_eq!(case["status"], "waiting", "{case:#}");
    let address = format!("/v1/cases/{}", text(&case["id"]));
    story.pass(Span::from_days(3));
    let goods = json!({ "name": "goods_received", "fields": { "rma": "RMA-7" } });
    let paying = story.tell("case.event", "integrator", &format!("{address}/events"), Some(&goods)).await;
    let effect = format!("/v1/effects/{}", text(&paying["effects"][0]["key"]));
    story.tell("effect.list", "viewer", "/v1/effects?state=intended", None).await;
    let again = json!({ "reason": "the provider lost it" });
    story.tell("effect.redeliver", "admin", &format!("{effect}/redeliver"), Some(&again)).await;
    let outcome = json!({ "outcome": "confirmed", "reference": "re_1" });
    story.tell("effect.outcome", "integrator", &format!("{effect}/outcome"), Some(&outcome)).await;
    story.tell("effect.get", "viewer", &effect, None).await;
    let closed = story.tell("case.get", "viewer", &address, None).await;
    assert_eq!(closed["result"], "refunded", "{closed:#}");
    story.tell("case.timeline", "viewer", &format!("{address}/timeline"), None).await;

    let replayed = story.tell("case.replay", "viewer", &format!("{address}/replay"), None).await;
    assert_eq!(replayed["different"], 0, "{replayed:#}");
    story.tell("case.replay_all", "viewer", "/v1/replay?kind=return&limit=1", None).await;

    let one = json!({ "kind": "return", "customer": { "id": "c1" }, "lines": [{ "sku": "85123A", "quantity": 1 }] });
    let other = story.ask("agent", "POST", "/v1/cases", Some(&one)).await;
    let cancel = format!("/v1/cases/{}/cancel", text(&other["number"]));
    story.tell("case.cancel", "agent", &cancel, Some(&json!({ "reason": "the customer keeps it" }))).await;
    story.tell("case.list", "viewer", "/v1/cases?customer=c1", None).await;
}

/// A complaint, and the person who answers it.
async fn a_complaint(story: &mut Recorder) {
    let complaint =
        json!({ "kind": "complaint", "customer": { "id": "c1" }, "lines": [{ "sku": "85123A", "quantity": 1 }] });
    let case = story.ask("agent", "POST", "/v1/cases", Some(&complaint)).await;
    let task = format!("/v1/tasks/{}", text(&case["tasks"][0]["id"]));
    story.tell("task.list", "viewer", "/v1/tasks?queue=desk", None).await;
    story.tell("task.claim", "agent", &format!("{task}/claim"), Some(&json!({}))).await;
    story.tell("task.get", "viewer", &task, None).await;
    story.tell("task.release", "agent", &format!("{task}/release"), Some(&json!({}))).await;
    let answer = json!({ "outcome": "justified", "form": { "note": "a photo shows it" } });
    story.tell("task.complete", "agent", &format!("{task}/complete"), Some(&answer)).await;
}

/// A parcel without a label is found.
async fn a_parcel(story: &mut Recorder) {
    let parcels = json!({ "source": PARCELS, "note": "somebody must look" });
    story.ask("admin", "POST", "/v1/workflows", Some(&parcels)).await;
    let found = json!({
        "source": "wms", "id": "4711", "name": "parcel_found", "fields": { "shelf": "D2", "label": false },
    });
    story.tell("event.tell", "integrator", "/v1/events", Some(&found)).await;
}

/// A complaint that waits goes on with new words.
async fn a_migration(story: &mut Recorder) {
    let complaint = json!({ "kind": "complaint", "lines": [{ "sku": "85123A", "quantity": 1 }] });
    let case = story.ask("agent", "POST", "/v1/cases", Some(&complaint)).await;
    let text = COMPLAINTS.replace("title: Look at the complaint", "title: Answer the complaint");
    let words = json!({ "source": text, "note": "an answer is due" });
    let published = story.ask("admin", "POST", "/v1/workflows", Some(&words)).await;
    let to = published["number"].to_string();
    let wish = json!({ "from": case["workflow"]["number"].to_string(), "to": to, "steps": ["look"] });
    let moved = story.tell("workflow.migrate", "admin", "/v1/workflows/complaints/migrations", Some(&wish)).await;
    assert_eq!(moved["moved"], 1, "{moved:#}");
}

/// The complaints that wait are paused for an hour.
async fn a_hold(story: &mut Recorder) {
    let at = "/v1/workflows/complaints";
    let live = story.ask("viewer", "GET", at, None).await;
    let number = live["active"]["number"].to_string();
    let hold = json!({ "revision": number, "note": "the letters name the wrong shop" });
    story.tell("workflow.hold", "admin", &format!("{at}/hold"), Some(&hold)).await;
    story.tell("hold.list", "viewer", "/v1/holds", None).await;
    story.pass(Span::from_millis(3_600_000));
    let resume = json!({ "revision": number, "note": "they name the right one" });
    let held = story.tell("workflow.resume", "admin", &format!("{at}/resume"), Some(&resume)).await;
    assert_eq!(held["open_cases"], 1, "{held:#}");
}

async fn what_happened(story: &mut Recorder) {
    let page: Json = story.tell("event.list", "integrator", "/v1/events?limit=3", None).await;
    let after = text(&page["next_cursor"]).to_owned();
    story.follow("event.stream", "integrator", &format!("/v1/events/stream?after={after}")).await;
}
