//! Asks, and writes down what was asked and answered.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use redress::http::State;
use redress::http::{Served, api};
use redress::keys::Keys;
use redress::outbox;
use redress_domain::clock::Span;
use redress_tests::web::{Asking, Got, Web};
use redress_tests::world::World;
use serde_json::{Map, Value as Json, json};

/// Headers of an answer that an example shows.
const SHOWN: [&str; 4] = ["etag", "link", "location", "content-type"];
/// What stands in an example for a key: nobody should learn to keep one in a file.
const SECRET: &str = "rdr_...";

/// What stands in an example for an engine: it is another one on another machine.
const ENGINE: &str = "wasmtime ...";

/// Tells a story.
pub(super) struct Recorder {
    world: World,
    web: Web,
    keys: BTreeMap<String, String>,
    asked: u32,
    /// The operations that were told of.
    pub(super) told: Vec<String>,
}

impl Recorder {
    pub(super) fn new() -> anyhow::Result<Self> {
        let world = World::new()?;
        // What is for development only is shown as well.
        let sending = outbox::Settings { allow_simulated: true, ..Default::default() };
        let web = Web::on(State::new(world.app.clone(), Keys::load(world.app.host())?).sending(sending));
        let keys = BTreeMap::from([("operator".to_owned(), web.operator()?)]);
        Ok(Self { world, web, keys, asked: 0, told: Vec::new() })
    }

    /// Time passes.
    pub(super) fn pass(&self, span: Span) {
        self.world.pass(span);
    }

    /// From now on a role asks with this key.
    pub(super) fn hold(&mut self, role: &str, key: &str) {
        self.keys.insert(role.to_owned(), key.to_owned());
    }

    /// A request of the story that no example shows.
    pub(super) async fn ask(&mut self, role: &str, method: &str, address: &str, body: Option<&Json>) -> Json {
        let name = self.name();
        let request = self.web.ask(method, address).by(&self.keys[role]).named(&name);
        let got = body.iter().fold(request, |request, body| request.json(body)).send().await;
        assert!(got.status.is_success(), "{method} {address}: {}", got.json());
        got.json()
    }

    /// The example of an operation.
    pub(super) async fn tell(&mut self, operation: &str, role: &str, address: &str, body: Option<&Json>) -> Json {
        self.send(operation, role, address, body, &[]).await
    }

    /// The example of an operation that the operator does for a tenant.
    pub(super) async fn tell_for(
        &mut self,
        operation: &str,
        role: &str,
        tenant: &str,
        address: &str,
        body: &Json,
    ) -> Json {
        self.send(operation, role, address, Some(body), &[("redress-tenant", tenant)]).await
    }

    async fn send(
        &mut self,
        operation: &str,
        role: &str,
        address: &str,
        body: Option<&Json>,
        more: &[(&str, &str)],
    ) -> Json {
        let method = served(operation).method;
        let mut headers: Vec<(String, String)> = Vec::new();
        if method == "POST" && operation != "workflow.validate" {
            headers.push(("idempotency-key".to_owned(), self.name()));
        }
        headers.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut request = with(self.web.ask(method, address).by(&self.keys[role]), &headers);
        if let Some(body) = body {
            request = request.json(body);
        }
        let got = request.send().await;
        let mut asked = asked(method, address, role, &headers);
        asked.extend(body.map(|body| ("body".to_owned(), body.clone())));
        self.write(operation, &asked, &got);
        if got.bytes.is_empty() { Json::Null } else { got.json() }
    }

    /// The example of an upload: the example names its kind, not its bytes.
    pub(super) async fn tell_component(&mut self, operation: &str, address: &str, component: &[u8]) -> Json {
        let got = self.upload(address, component).await;
        let mut asked = asked("PUT", address, "admin", &[]);
        asked.insert("content_type".to_owned(), json!("application/wasm"));
        self.write(operation, &asked, &got);
        got.json()
    }

    /// An upload that no example shows.
    pub(super) async fn put_component(&self, address: &str, component: &[u8]) {
        assert!(self.upload(address, component).await.status.is_success());
    }

    async fn upload(&self, address: &str, component: &[u8]) -> Got {
        self.web.ask("PUT", address).by(&self.keys["admin"]).raw("application/wasm", component).send().await
    }

    /// The example of a stream: the first event that it brings.
    pub(super) async fn follow(&mut self, operation: &str, role: &str, address: &str) {
        let mut stream = self.web.ask("GET", address).by(&self.keys[role]).follow().await;
        let (_, event) = stream.event().await.expect("an event");
        let answered = json!({ "status": 200, "headers": { "content-type": "text/event-stream" }, "body": event });
        self.compare(operation, &json!({ "request": asked("GET", address, role, &[]), "response": answered }));
    }

    /// The names of the files that are written.
    pub(super) fn written(&self) -> BTreeSet<String> {
        let files = fs::read_dir(folder()).unwrap();
        files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    /// A name for a request that may come again.
    fn name(&mut self) -> String {
        self.asked += 1;
        format!("request-{}", self.asked)
    }

    fn write(&mut self, operation: &str, asked: &Map<String, Json>, got: &Got) {
        assert!(got.status.is_success(), "{operation}: {}", got.json());
        let shown = SHOWN.iter().filter_map(|name| Some(((*name).to_owned(), json!(got.header(name)?))));
        let mut answered = json!({ "status": got.status.as_u16(), "headers": shown.collect::<Map<_, _>>() });
        if !got.bytes.is_empty() {
            answered["body"] = got.json();
        }
        if let Some(secret) = answered.pointer_mut("/body/secret") {
            *secret = json!(SECRET);
        }
        if let Some(Json::Object(engines)) = answered.pointer_mut("/body/engines") {
            *engines = std::mem::take(engines).into_values().map(|count| (ENGINE.to_owned(), count)).collect();
        }
        self.compare(operation, &json!({ "request": asked, "response": answered }));
    }

    fn compare(&mut self, operation: &str, example: &Json) {
        self.told.push(operation.to_owned());
        let path = folder().join(format!("{operation}.json"));
        let text = format!("{example:#}\n");
        if std::env::var_os("REDRESS_BLESS").is_some() {
            fs::write(&path, text).unwrap();
            return;
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        let differs = written.lines().zip(text.lines()).find(|(old, new)| old != new);
        assert!(written == text, "{operation} differs: {differs:?}; run it again with REDRESS_BLESS=1\n{text}");
    }
}

/// The route of an operation.
fn served(operation: &str) -> Served {
    let found = api().table().into_iter().find(|served| served.operation == operation);
    found.unwrap_or_else(|| panic!("{operation} has no route"))
}

fn asked(method: &str, address: &str, role: &str, headers: &[(String, String)]) -> Map<String, Json> {
    let headers: Map<_, _> = headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let mut asked = Map::from_iter([
        ("method".to_owned(), json!(method)),
        ("address".to_owned(), json!(address)),
        ("role".to_owned(), json!(role)),
    ]);
    if !headers.is_empty() {
        asked.insert("headers".to_owned(), Json::Object(headers));
    }
    asked
}

fn with<'a>(request: Asking<'a>, headers: &[(String, String)]) -> Asking<'a> {
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

/// The text in an answer.
pub(super) fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_else(|| panic!("{json} is no text"))
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../host/server/src/http/examples")
}
