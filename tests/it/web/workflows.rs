//! `/v1/workflows` and `/v1/plugins`: published, refused at the right place, and taken back.

use redress::keys::Role;
use redress_tests::guests::integer_step;
use redress_tests::web::{Got, Web};
use redress_tests::world::{Merchant, World};
use serde_json::{Value as Json, json};

use crate::publish::{asking, ending, seven};

struct Shop {
    _world: World,
    web: Web,
    merchant: Merchant,
    admin: String,
}

impl Shop {
    fn new() -> Self {
        let world = World::new().unwrap();
        let merchant = world.bare_merchant("acme").unwrap();
        let web = Web::of(&world).unwrap();
        let admin = web.key(merchant.engine.record().id, Role::Admin).unwrap();
        Self { _world: world, web, merchant, admin }
    }

    async fn publish(&self, source: &str) -> Got {
        self.web.ask("POST", "/v1/workflows").by(&self.admin).raw("text/yaml", source.as_bytes()).send().await
    }

    async fn post(&self, address: &str, body: &Json) -> Got {
        self.web.ask("POST", address).by(&self.admin).json(body).send().await
    }

    async fn put(&self, name: &str, component: &[u8]) -> Got {
        let address = format!("/v1/plugins/{name}");
        self.web.ask("PUT", &address).by(&self.admin).raw("application/wasm", component).send().await
    }

    async fn get(&self, address: &str) -> Got {
        self.web.ask("GET", address).by(&self.admin).send().await
    }

    /// How many revisions were ever stored.
    fn stored(&self) -> usize {
        redress::publish::workflows::list(&self.merchant.engine).unwrap().len()
    }
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap()
}

#[tokio::test]
async fn a_text_becomes_what_new_cases_take_and_can_be_read_back() {
    let shop = Shop::new();
    let first = shop.publish(&ending("one")).await;
    assert_eq!(first.status, 200, "{}", first.json());
    let revision = text(&first.json()["revision"]).to_owned();
    assert_eq!(first.header("etag"), Some(&*format!("\"{revision}\"")));
    let listed = shop.get("/v1/workflows").await.json();
    assert_eq!(listed["data"][0]["active"]["revision"], json!(revision));
    assert_eq!(listed["data"][0]["active"]["from"]["kind"], "api");
    assert_eq!(shop.get("/v1/workflows/returns").await.header("etag"), Some(&*format!("\"{revision}\"")));
    let read = shop.get(&format!("/v1/revisions/{revision}")).await.json();
    assert_eq!(read["source"], json!(ending("one")));
    // The same text in JSON is the same revision, and nothing new.
    let again = shop.post("/v1/workflows", &json!({ "source": ending("one"), "note": "again" })).await;
    assert_eq!((&again.json()["revision"], shop.stored()), (&json!(revision), 1));
}

#[tokio::test]
async fn a_text_with_problems_is_refused_with_their_places_and_what_was_active_stays() {
    let shop = Shop::new();
    let active = text(&shop.publish(&ending("one")).await.json()["revision"]).to_owned();
    // 退货 is two units and the parcel two: places are counted as editors do.
    let broken = format!("# 退货 📦\n{}", ending("two").replace("done: done", "done: 📦 }, colour: { x: nowhere"));
    for (address, found) in [("/v1/workflows/validate", "problems"), ("/v1/workflows", "errors")] {
        let got = shop.web.ask("POST", address).by(&shop.admin).raw("text/yaml", broken.as_bytes()).send().await;
        let problems = got.json()[found].clone();
        let colour = problems.as_array().unwrap().iter().find(|one| text(&one["detail"]).contains("colour"));
        let colour = colour.unwrap_or_else(|| panic!("{problems}"));
        let line = broken.lines().position(|line| line.contains("colour")).unwrap();
        let before = broken.lines().nth(line).unwrap().split("colour").next().unwrap().encode_utf16().count();
        let (start, end) =
            (json!({ "line": line, "character": before }), json!({ "line": line, "character": before + 6 }));
        assert_eq!(colour["range"], json!({ "start": start, "end": end }), "{colour}");
        if found == "errors" {
            assert_eq!(got.problem(), (422, "workflow_invalid".to_owned()));
        } else {
            assert_eq!((got.status.as_u16(), &got.json()["valid"]), (200, &json!(false)));
        }
    }
    assert_eq!(shop.get("/v1/workflows/returns").await.json()["active"]["revision"], json!(active));
    let good = shop.post("/v1/workflows/validate", &json!({ "source": ending("two") })).await.json();
    assert_eq!((&good["valid"], shop.stored()), (&json!(true), 1));
}

#[tokio::test]
async fn who_saw_another_revision_changes_nothing_and_going_back_goes_one_back_each_time() {
    let shop = Shop::new();
    let mut seen = Vec::new();
    for result in ["one", "two", "three"] {
        seen.push(text(&shop.publish(&ending(result)).await.json()["revision"]).to_owned());
    }
    let publish = shop.web.ask("POST", "/v1/workflows").by(&shop.admin).raw("text/yaml", ending("four").as_bytes());
    let stale = publish.header("if-match", &format!("\"{}\"", seen[0])).send().await;
    assert_eq!(stale.problem(), (412, "stale".to_owned()));
    for back in [&seen[1], &seen[0]] {
        let now = shop.post("/v1/workflows/returns/rollback", &json!({ "note": "wrong window" })).await;
        assert_eq!(now.json()["revision"], json!(back), "{}", now.json());
    }
    let end = shop.post("/v1/workflows/returns/rollback", &json!({ "note": "further" })).await;
    assert_eq!(end.problem(), (409, "rollback_impossible".to_owned()));
    let to = json!({ "to": seen[2], "note": "it was right" });
    assert_eq!(shop.post("/v1/workflows/returns/rollback", &to).await.json()["revision"], json!(seen[2]));
    let past = shop.get("/v1/workflows/returns/revisions").await.json();
    let told: Vec<_> = past["data"].as_array().unwrap().iter().map(|one| (text(&one["how"]), &one["active"])).collect();
    let (yes, no) = (json!(true), json!(false));
    let back = "rolled_back";
    let published = "published";
    assert_eq!(told, [(back, &yes), (back, &no), (back, &no), (published, &no), (published, &no), (published, &no)]);
    let nowhere = json!({ "to": "0".repeat(64), "note": "x" });
    let missing = shop.post("/v1/workflows/returns/rollback", &nowhere).await;
    assert_eq!(missing.problem(), (404, "revision_not_found".to_owned()));
}

#[tokio::test]
async fn a_publication_that_comes_again_is_answered_and_not_done_again() {
    let shop = Shop::new();
    let send = |result: &str, name: &str| {
        let ask = shop.web.ask("POST", "/v1/workflows").by(&shop.admin).named(name);
        ask.raw("text/yaml", ending(result).as_bytes()).send()
    };
    let first = send("one", "p").await;
    send("two", "q").await;
    // A repeated request is no publication: what came since stays.
    let again = send("one", "p").await;
    assert_eq!((again.header("idempotent-replayed"), again.json()), (Some("true"), first.json()));
    assert_eq!(again.header("etag"), first.header("etag"));
    let active = shop.get("/v1/workflows/returns").await.json();
    assert_ne!(active["active"]["revision"], first.json()["revision"]);
    assert_eq!(send("three", "p").await.problem(), (422, "idempotency_key_reused".to_owned()));
}

#[tokio::test]
async fn a_plugin_is_put_under_a_name_and_taken_back() {
    let shop = Shop::new();
    let eight = integer_step("count", "(i64.const 8)").component().unwrap();
    let first = shop.put("number", &seven()).await;
    assert_eq!(first.status, 200, "{}", first.json());
    assert_eq!((&first.json()["plugin"], &first.json()["hook"]), (&json!("number@0"), &json!("step")));
    shop.publish(&asking("numbers")).await;
    let second = shop.put("number", &eight).await.json();
    assert_eq!(shop.stored(), 2, "what calls it got a revision");
    let listed = shop.get("/v1/plugins").await.json();
    let names: Vec<_> = listed["data"].as_array().unwrap().iter().map(|one| text(&one["plugin"])).collect();
    assert_eq!(names[0], "number@0");
    assert!(names.contains(&"std/refund-quote@0"), "{names:?}");
    let back = shop.post("/v1/plugins/number@0/rollback", &json!({})).await;
    assert_eq!(back.json()["digest"], first.json()["digest"], "{}", back.json());
    let end = shop.post("/v1/plugins/number@0/rollback", &json!({})).await;
    assert_eq!(end.problem(), (409, "rollback_impossible".to_owned()));
    let again = shop.post("/v1/plugins/number@0/activate", &json!({ "digest": second["digest"] })).await;
    assert_eq!(again.json()["digest"], second["digest"]);
    let read = shop.get("/v1/plugins/number@0").await.json();
    let digests: Vec<_> = read["history"].as_array().unwrap().iter().map(|one| one["digest"].clone()).collect();
    let (one, two) = (&first.json()["digest"], &second["digest"]);
    assert_eq!(digests, [two.clone(), one.clone(), two.clone(), one.clone()]);
    assert_eq!(shop.get("/v1/plugins/std%2Frefund-quote@0").await.json()["stock"], json!(true));
}

#[tokio::test]
async fn what_is_no_plugin_is_refused_with_the_reason() {
    let shop = Shop::new();
    for (bytes, code) in [(&b""[..], "upload_empty"), (b"hello", "upload_not_wasm"), (b"\x1f\x8b\0\0", "upload_packed")]
    {
        assert_eq!(shop.put("odd", bytes).await.problem(), (422, code.to_owned()));
    }
    assert_eq!(shop.put("odd", &vec![0; 25 << 20]).await.problem(), (413, "body_too_large".to_owned()));
    let odd = shop.put("Odd%20Name", &seven()).await;
    assert_eq!(odd.problem(), (422, "plugin_name_invalid".to_owned()));
    let json = shop.web.ask("PUT", "/v1/plugins/odd").by(&shop.admin).json(&json!({})).send().await;
    assert_eq!(json.problem(), (415, "media_type_unsupported".to_owned()));
    // A component that provides something else breaks what calls it: nothing is changed.
    shop.put("number", &seven()).await;
    shop.publish(&asking("numbers")).await;
    let other = integer_step("size", "(i64.const 7)").component().unwrap();
    let breaks = shop.put("number", &other).await;
    assert_eq!(breaks.problem(), (409, "plugin_breaks_workflow".to_owned()));
    assert_eq!(shop.stored(), 1);
}
