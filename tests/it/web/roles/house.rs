//! Two merchants that have one of everything, and a key of every role.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;
use redress::engine::staged::Stage;
use redress::http::tenancy::State;
use redress::keys::{Keys, Role};
use redress::outbox;
use redress::outbox::connectors::{self, Connector, Kind};
use redress::publish::cases::{self, Keep};
use redress::publish::draft::{self, Save};
use redress::publish::way::Way;
use redress_domain::case::Case;
use redress_domain::case::command::Open;
use redress_domain::ids::Slug;
use redress_domain::workflow::canary::Bounds;
use redress_tests::guests::integer_step;
use redress_tests::web::Web;
use redress_tests::world::{Merchant, World, a_return, admin, days_ago, order};

use super::Who;

/// Money that is on its way.
const PAYING: &str = "  - { id: pay, refund: { amount: 1.00 } }
  - { id: done, finish: { result: refunded } }
";
/// A person looks.
const LOOKING: &str =
    "  - { id: look, review: { queue: desk, title: Look, next: { go: done }, timeout: { never: a person must look } } }
  - { id: done, finish: { result: seen } }
";
/// Goods are on their way.
const WAITING: &str = "  - { id: goods, await: { event: goods_received, timeout: { after: 14d, then: done } } }
  - { id: done, finish: { result: done } }
";

/// A host with two merchants.
pub(super) struct House {
    world: World,
    pub(super) web: Web,
    /// The merchant whose keys ask.
    pub(super) own: Side,
    /// Another one.
    pub(super) others: Side,
    keys: BTreeMap<Role, String>,
    revoked: String,
    made: AtomicU32,
}

/// One merchant.
pub(super) struct Side {
    merchant: Merchant,
    name: &'static str,
    /// What is there from the beginning, and stays.
    pub(super) base: Things,
}

/// The things that a request may name, each in the state that its requests are meant for.
#[derive(Debug, Clone)]
pub(super) struct Things {
    pub(super) tenant: String,
    pub(super) order: String,
    /// Of a case that waits for goods.
    pub(super) case: String,
    /// Open, of another case.
    pub(super) task: String,
    /// On its way, of a third case.
    pub(super) effect: String,
    /// With an earlier revision.
    pub(super) workflow: String,
    pub(super) revision: String,
    pub(super) earlier: String,
    /// On hold.
    pub(super) held: String,
    /// With an earlier component.
    pub(super) plugin: String,
    pub(super) digest: String,
    /// Kept under the plugin's name.
    pub(super) plugin_case: String,
    pub(super) key: String,
    /// Set.
    pub(super) connector: String,
}

impl House {
    pub(super) fn new() -> anyhow::Result<Self> {
        let world = World::new()?;
        let allowing = outbox::Settings { allow_simulated: true, ..outbox::Settings::default() };
        let web = Web::on(State::new(world.app.clone(), Keys::load(world.app.host())?).sending(allowing));
        let side = |name: &'static str| Side::new(&world, &web, name);
        let (own, others) = (side("alpha")?, side("beta")?);
        let tenant = own.merchant.engine.record().id;
        let mut keys = BTreeMap::from([(Role::Operator, web.operator()?)]);
        for role in [Role::Admin, Role::Agent, Role::Integrator, Role::Viewer] {
            keys.insert(role, web.key(tenant, role)?);
        }
        let revoked = web.key(tenant, Role::Admin)?;
        let id = id_of(&revoked)?;
        web.state.keys.revoke(world.app.host(), id, world.app.clock().now())?;
        Ok(Self { world, web, own, others, keys, revoked, made: AtomicU32::new(0) })
    }

    /// The key that somebody asks with.
    pub(super) fn key(&self, who: Who) -> Option<&str> {
        match who {
            Who::Nobody => None,
            Who::Revoked => Some(&self.revoked),
            Who::Key(role) => self.keys.get(&role).map(String::as_str),
        }
    }

    /// A number that was not given before.
    pub(super) fn number(&self) -> u32 {
        self.made.fetch_add(1, Ordering::Relaxed)
    }
}

impl Side {
    fn new(world: &World, web: &Web, name: &'static str) -> anyhow::Result<Self> {
        let merchant = world.bare_merchant(name)?;
        let limits = "limits: { refund_max: 1.00 }\n";
        for (kind, more, steps) in [("pay", limits, PAYING), ("look", "", LOOKING)] {
            merchant.publish(&document(&format!("{kind}-{name}"), kind, more, steps))?;
        }
        let events = "events: { goods_received: { rma: text } }\n";
        merchant.publish(&document(&format!("wait-{name}"), "wait", events, WAITING))?;
        let found = document(&format!("found-{name}"), "found", "events: { parcel_found: {} }\n", LOOKING);
        merchant.publish(&found.replace("case_opened: {", "event: { name: parcel_found,"))?;
        merchant.order(&order(&format!("o-{name}"), "c1", days_ago(10), &[("A1", 5, "2.55")])?)?;
        let key = id_of(&web.key(merchant.engine.record().id, Role::Viewer)?)?.to_owned();
        let (workflow, [held, earlier, revision]) = versions(&merchant, &format!("versions-{name}"))?;
        let (plugin, digest) = components(&merchant, &format!("plugin-{name}"))?;
        // The other one has set what this one has not.
        let connector = if name == "alpha" { Kind::Payment } else { Kind::Mail };
        let side = Things {
            tenant: name.to_owned(),
            order: format!("o-{name}"),
            case: String::new(),
            task: String::new(),
            effect: String::new(),
            workflow,
            revision,
            earlier,
            held,
            plugin,
            digest,
            plugin_case: "seven".to_owned(),
            key,
            connector: connector.to_string(),
        };
        let mut side = Self { merchant, name, base: side };
        side.connect(world, &connector)?;
        side.base = side.with_cases()?;
        Ok(side)
    }

    /// Things that no request has touched.
    pub(super) fn fresh(&self, house: &House) -> anyhow::Result<Things> {
        let n = house.number();
        self.connect(&house.world, &Kind::Payment)?;
        let key = id_of(&house.web.key(self.merchant.engine.record().id, Role::Viewer)?)?.to_owned();
        let (workflow, [held, earlier, revision]) = versions(&self.merchant, &format!("versions-{}-{n}", self.name))?;
        let (plugin, digest) = components(&self.merchant, &format!("plugin-{}-{n}", self.name))?;
        Ok(Things { workflow, revision, earlier, held, plugin, digest, key, ..self.with_cases()? })
    }

    fn with_cases(&self) -> anyhow::Result<Things> {
        let (waiting, looking, paying) = (self.open("wait")?, self.open("look")?, self.open("pay")?);
        let task = looking.tasks.keys().next().context("a task")?;
        let effect = paying.effects.keys().next().context("an effect")?;
        let (case, task, effect) = (waiting.id.to_string(), task.to_string(), effect.to_string());
        Ok(Things { case, task, effect, ..self.base.clone() })
    }

    fn open(&self, kind: &str) -> anyhow::Result<Case> {
        let open = Open { kind: Slug::new(kind)?, ..a_return("c1", &[("A1", 1)])? };
        self.merchant.case(self.merchant.open(open)?.case)
    }

    fn connect(&self, world: &World, kind: &Kind) -> anyhow::Result<()> {
        let connector = match kind {
            Kind::Mail => Connector::Folder {
                path: "mails".into(),
                from: "shop@shop.example".to_owned(),
                queues: BTreeMap::new(),
            },
            _ => Connector::Simulated,
        };
        let allowing = outbox::Settings { allow_simulated: true, ..outbox::Settings::default() };
        let key = world.app.host().key();
        Ok(connectors::set(&self.merchant.engine, key, &allowing, kind, &connector, &admin())?)
    }
}

impl Things {
    /// Names of nothing, each as a name is written.
    pub(super) fn missing() -> Self {
        Self {
            tenant: "nobody".to_owned(),
            order: "o-nobody".to_owned(),
            case: "case_00000000000000000000000000".to_owned(),
            task: "task_00000000000000000000000000".to_owned(),
            effect: "0".repeat(64),
            workflow: "nothing".to_owned(),
            revision: "0".repeat(64),
            earlier: "0".repeat(64),
            held: "0".repeat(64),
            plugin: "nothing@0".to_owned(),
            digest: "0".repeat(64),
            plugin_case: "nothing".to_owned(),
            key: "000000000000".to_owned(),
            connector: "nothing".to_owned(),
        }
    }
}

/// A workflow of three revisions, the first of them on hold, with a canary and a draft; and the three.
fn versions(merchant: &Merchant, name: &str) -> anyhow::Result<(String, [String; 3])> {
    let text =
        |result: &str| document(name, "never", "", &format!("  - {{ id: done, finish: {{ result: {result} }} }}\n"));
    let held = merchant.publish(&text("none"))?;
    merchant.hold(name, held.number)?;
    let earlier = merchant.publish(&text("one"))?.revision;
    let revision = merchant.publish(&text("two"))?.revision;
    merchant.canary(name, &text("three"), 10, Bounds::default())?;
    let (workflow, source, by) = (Slug::new(name)?, text("four"), admin());
    let save = Save { source: &source, note: "for January", by: &by, way: Way::Api, answer: None };
    draft::save(&merchant.engine, &workflow, &save)?;
    Ok((name.to_owned(), [held.revision, earlier, revision].map(|one| one.to_string())))
}

/// A plugin of two components with a third one as a shadow and a case, and the earliest one.
fn components(merchant: &Merchant, name: &str) -> anyhow::Result<(String, String)> {
    let earlier = merchant.push(name, &integer_step("count", "(i64.const 1)").component()?)?;
    merchant.push(name, &integer_step("count", "(i64.const 2)").component()?)?;
    merchant.stage(name, &integer_step("count", "(i64.const 3)").component()?, Stage::Shadow)?;
    let (source, note, by) = (r#"{"hook":"step"}"#, "it answers", admin());
    let keep = Keep { plugin: name, case: "seven", source, note, by: &by, way: Way::Api, answer: None };
    cases::keep(&merchant.engine, &keep)?;
    Ok((earlier.plugin, earlier.digest.to_string()))
}

pub(super) fn document(name: &str, kind: &str, more: &str, steps: &str) -> String {
    let head = format!("format: 1\nworkflow: {name}\ncurrency: GBP\n{more}");
    format!("{head}triggers: [{{ case_opened: {{ type: {kind} }} }}]\nsteps:\n{steps}")
}

fn id_of(key: &str) -> anyhow::Result<&str> {
    key.split('_').nth(1).context("a key has an id")
}
