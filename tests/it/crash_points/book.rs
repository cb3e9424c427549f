//! The provider: it acts once for each key, gives the same answer again, and remembers under which keys it was asked for what.

use std::collections::{BTreeMap, BTreeSet};

use redress::outbox::bench::{Received, Said, Sent};
use redress_domain::case::Reply;
use redress_domain::ids::Digest;
use redress_domain::value::{Fields, Value};
use serde_json::Value as Json;

/// What it says of one kind of request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Says {
    /// It did it.
    Yes,
    /// It does not do it, with this code.
    No(Option<&'static str>),
}

/// What a provider declines: the kind of request, and what must stand in it.
pub(super) type Declines = &'static [(&'static str, &'static str, Says)];

/// Everything that was asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    keys: BTreeMap<Digest, Known>,
    /// A key that came with two bodies.
    pub(super) conflicts: usize,
    pub(super) calls: usize,
}

#[derive(Debug, Clone)]
struct Known {
    /// What was asked for, without the name under which it was: of two requests for the same this is the same.
    leg: String,
    body: Digest,
    answer: Received,
    effects: usize,
}

impl Book {
    /// Take a request: act where its key is new.
    pub(super) fn take(&mut self, sent: &Sent<'_>, declines: Declines) -> Received {
        self.calls += 1;
        let body: Json = serde_json::from_slice(sent.body).expect("a request is JSON");
        let digest = Digest::of(sent.body);
        if let Some(known) = self.keys.get(&sent.key) {
            self.conflicts += usize::from(known.body != digest);
            return known.answer.clone();
        }
        let (kind, leg) = (body["type"].as_str().expect("a kind").to_owned(), leg(&body));
        let refused = declines.iter().find(|(of, holds, _)| *of == kind && leg.contains(holds)).map(|(.., says)| *says);
        let answer = match refused.unwrap_or(Says::Yes) {
            Says::No(code) => Received::Declined(code.map(str::to_owned)),
            Says::Yes => Received::Confirmed(said(&kind, &body)),
        };
        let effects = usize::from(matches!(answer, Received::Confirmed(_)));
        self.keys.insert(sent.key, Known { leg, body: digest, answer: answer.clone(), effects });
        answer
    }

    /// For everything but messages, of which two may say the same: under how many keys it was asked for, and how often it was done.
    pub(super) fn legs(&self) -> BTreeMap<String, (usize, usize)> {
        let mut keys: BTreeMap<&str, BTreeSet<Digest>> = BTreeMap::new();
        let mut done: BTreeMap<&str, usize> = BTreeMap::new();
        for (key, known) in self.keys.iter().filter(|(_, known)| !known.leg.starts_with("notice")) {
            keys.entry(&known.leg).or_default().insert(*key);
            *done.entry(&known.leg).or_default() += known.effects;
        }
        keys.into_iter().map(|(leg, keys)| (leg.to_owned(), (keys.len(), done[leg]))).collect()
    }
}

/// Kind and content of a request, without its key, its case and its time.
fn leg(body: &Json) -> String {
    let mut data = body["data"].clone();
    if let Some(data) = data.as_object_mut() {
        data.remove("hold_until");
    }
    format!("{} {data}", body["type"].as_str().expect("a kind"))
}

fn said(kind: &str, body: &Json) -> Said {
    let is_label = kind == "http.requested" && body["data"]["target"] == "carrier-label";
    let number = ("number".to_owned(), Value::text("L-1"));
    let fields = if is_label { Fields::from([number]) } else { Fields::new() };
    let reply = (kind == "http.requested").then(|| Reply { fields, wrong: Vec::new() });
    Said { reference: Some(format!("at-the-provider-{kind}")), reply }
}
