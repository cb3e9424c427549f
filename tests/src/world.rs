//! A host under test: the real engine, the real store on a temporary folder, real plugins.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, bail};
use redress::app::App;
use redress::clock::FixedClock;
use redress::config::Limits;
use redress::engine::canary::Watched;
use redress::engine::staged::{Stage, Staged};
use redress::engine::tenant::TenantRecord;
use redress::engine::{Engine, Error, Receipt, Submission, Target};
use redress::publish::hold::Held;
use redress::publish::way::Way;
use redress::publish::{canary, hold, plugins, staging, stock, workflows};
use redress_domain::case::command::{Actor, ActorKind, Body, Complete, Event, Open, Settle, Settled};
use redress_domain::case::{Case, External, Line};
use redress_domain::clock::{Instant, Span, Zone};
use redress_domain::decision::Turn;
use redress_domain::ids::{CaseId, CustomerId, Digest, OrderId, Sku, Slug, TaskId, TenantId};
use redress_domain::ledger::Ledger;
use redress_domain::money::{Currency, Price};
use redress_domain::order::{Order, OrderLine};
use redress_domain::value::Fields;
use redress_domain::workflow::canary::{Bounds, Percent};
use redress_sandbox::cell::Program;
use redress_sandbox::{PluginInfo, Sandbox, Wall};
use redress_store::batch::Version;

/// The instant at which every world begins: 2026-03-02, 09:00 in London.
pub const START: i64 = 1_772_442_000_000;

/// A host with its clock and its folder.
pub struct World {
    /// The host.
    pub app: App,
    /// Its clock, which stands still until it is moved.
    pub clock: Arc<FixedClock>,
    folder: Option<tempfile::TempDir>,
}

/// A merchant of the world.
#[derive(Clone)]
pub struct Merchant {
    /// Its engine.
    pub engine: Engine,
    objects: redress_store::objects::Objects,
}

impl World {
    /// A host on a new folder.
    pub fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut world = Self::on(folder.path())?;
        world.folder = Some(folder);
        Ok(world)
    }

    /// A host on a new folder that has so many threads for turns.
    pub fn of_threads(turn_workers: usize) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let clock = Arc::new(FixedClock::at(Instant::from_unix_ms(START)));
        let limits = Limits { turn_workers, ..Limits::default() };
        let app = App::with_sandbox(folder.path(), sandbox()?, clock.clone(), limits)?;
        Ok(Self { app, clock, folder: Some(folder) })
    }

    /// A host on this folder, which stays.
    pub fn on(folder: &Path) -> anyhow::Result<Self> {
        let clock = Arc::new(FixedClock::at(Instant::from_unix_ms(START)));
        let app = App::with_sandbox(folder, sandbox()?, clock.clone(), Limits::default())?;
        Ok(Self { app, clock, folder: None })
    }

    /// A host on this folder with a sandbox of somebody's own, which begins at this moment.
    pub fn with_sandbox(folder: &Path, sandbox: Sandbox, at: Instant) -> anyhow::Result<Self> {
        let clock = Arc::new(FixedClock::at(at));
        let app = App::with_sandbox(folder, sandbox, clock.clone(), Limits::default())?;
        Ok(Self { app, clock, folder: None })
    }

    /// A host on this folder as the product starts one: with a sandbox and an artifact cache of its own. Worlds that follow
    /// each other on a folder share a clock, so that ids are not minted twice.
    pub fn started_on(folder: &Path, clock: &Arc<FixedClock>) -> Result<Self, redress::app::Error> {
        let app = App::open(folder, clock.clone(), Limits::default())?;
        Ok(Self { app, clock: clock.clone(), folder: None })
    }

    /// The same folder, opened again by a new host, as after a restart.
    pub fn restart(self) -> anyhow::Result<Self> {
        let Self { app, clock, folder } = self;
        let folder = folder.context("a world on a folder of its own")?;
        drop(app);
        let app = App::with_sandbox(folder.path(), sandbox()?, clock.clone(), Limits::default())?;
        Ok(Self { app, clock, folder: Some(folder) })
    }

    /// A host on a copy of this folder as it is at this moment, as after a power cut. Called where no commit is under way.
    pub fn power_cut(&self) -> anyhow::Result<Self> {
        Self::after_a_power_cut(&self.folder().context("a world on a folder of its own")?, self.app.clock().now())
    }

    /// A host on a copy of a folder that another one uses, as after a power cut at this moment.
    pub fn after_a_power_cut(folder: &Path, at: Instant) -> anyhow::Result<Self> {
        let copy = quick_folder()?;
        copy_folder(folder, copy.path())?;
        let mut world = Self::on(copy.path())?;
        world.clock.set(at);
        world.folder = Some(copy);
        Ok(world)
    }

    /// The data folder.
    pub fn folder(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.path().to_owned())
    }

    /// A merchant in London with the stock plugins under their own names.
    pub fn merchant(&self, slug: &str) -> anyhow::Result<Merchant> {
        let merchant = self.bare_merchant(slug)?;
        for name in ["purchase-match", "refund-quote"] {
            let stock = stock::find(name).with_context(|| format!("stock plugin {name}"))?;
            merchant.push(name, stock.bytes)?;
        }
        Ok(merchant)
    }

    /// A merchant in London without any plugin of its own.
    pub fn bare_merchant(&self, slug: &str) -> anyhow::Result<Merchant> {
        self.merchant_of(TenantRecord {
            id: TenantId::mint(self.app.clock().now(), self.app.clock().random()),
            slug: Slug::new(slug)?,
            zone: Zone::Europe__London,
            currency: gbp(),
            locale: "en".to_owned(),
            jurisdiction: "UK".to_owned(),
            created_at: self.app.clock().now(),
        })
    }

    /// A merchant elsewhere, without any plugin of its own.
    pub fn merchant_of(&self, record: TenantRecord) -> anyhow::Result<Merchant> {
        Ok(Merchant { engine: self.app.create_tenant(record)?, objects: self.app.host().objects() })
    }

    /// A merchant that was made before.
    pub fn reopen(&self, slug: &str) -> anyhow::Result<Merchant> {
        loop {
            match self.app.engine(slug) {
                // The writer of the engine before has answered and is about to let go of the file.
                Err(error) if error.code() == "data_in_use" => std::thread::yield_now(),
                other => return Ok(Merchant { engine: other?, objects: self.app.host().objects() }),
            }
        }
    }

    /// Move the clock on.
    pub fn pass(&self, span: Span) {
        self.clock.set(self.app.clock().now().after(span));
    }
}

impl Merchant {
    /// Push a plugin under a name.
    pub fn push(&self, name: &str, bytes: &[u8]) -> anyhow::Result<plugins::Active> {
        let upload = plugins::Upload { name, bytes, signature: None, by: &admin(), way: Way::Api, answer: None };
        Ok(plugins::push(&self.engine, &self.objects, &upload)?)
    }

    /// Put a component beside the active one of its name.
    pub fn stage(&self, name: &str, bytes: &[u8], stage: Stage) -> Result<Staged, redress::publish::Error> {
        self.staging(staging::Component::Upload(name, bytes, None), stage)
    }

    /// Let a staged component go further.
    pub fn restage(&self, plugin: &str, stage: Stage) -> Result<Staged, redress::publish::Error> {
        self.staging(staging::Component::Staged(plugin), stage)
    }

    fn staging(&self, what: staging::Component<'_>, stage: Stage) -> Result<Staged, redress::publish::Error> {
        let (by, bounds) = (admin(), Bounds::default());
        let staging = staging::Staging { what, stage, bounds, note: "test", by: &by, way: Way::Api, answer: None };
        staging::stage(&self.engine, &self.objects, &staging)
    }

    /// Take away what is staged.
    pub fn unstage(&self, plugin: &str) -> Result<Staged, redress::publish::Error> {
        let by = admin();
        staging::stop(&self.engine, &staging::End { plugin, note: "test", by: &by, way: Way::Api, answer: None })
    }

    /// Remove a plugin.
    pub fn remove(&self, plugin: &str) -> Result<plugins::Active, redress::publish::Error> {
        let by = admin();
        staging::remove(&self.engine, &staging::End { plugin, note: "test", by: &by, way: Way::Api, answer: None })
    }

    /// Publish a workflow.
    pub fn publish(&self, source: &str) -> anyhow::Result<workflows::Revision> {
        let by = admin();
        let publication = workflows::Publication { note: "test", ..workflows::Publication::new(source, &by, Way::Api) };
        match workflows::publish(&self.engine, &publication) {
            Err(redress::publish::Error::Invalid(problems)) => {
                let render = redress_domain::workflow::diagnostic::render;
                bail!("{}", problems.iter().map(|one| render("workflow", source, one)).collect::<String>())
            }
            other => Ok(other?),
        }
    }

    /// Go back to the revision before, or to this one.
    pub fn roll_back(
        &self,
        workflow: &str,
        to: Option<Digest>,
    ) -> Result<workflows::Revision, redress::publish::Error> {
        let by = admin();
        let back = workflows::Rollback { to, note: "it was wrong", by: &by, way: Way::Api, expect: None, answer: None };
        workflows::rollback(&self.engine, &Slug::new(workflow).expect("a name"), &back)
    }

    /// Try a text on a share of the new cases.
    pub fn canary(
        &self,
        workflow: &str,
        text: &str,
        percent: u8,
        bounds: Bounds,
    ) -> Result<Watched, redress::publish::Error> {
        let (by, percent) = (admin(), Percent::new(percent).expect("a share"));
        let (tried, way) = (canary::Tried::Text(text), Way::Api);
        let start = canary::Start { tried, percent, bounds, note: "a trial", by: &by, way, expect: None, answer: None };
        canary::start(&self.engine, &Slug::new(workflow).expect("a name"), &start)
    }

    /// Make the canary of a workflow active, or stop it; answers its revision.
    pub fn end_canary(&self, workflow: &str, promote: bool) -> Result<Digest, redress::publish::Error> {
        let (by, workflow) = (admin(), Slug::new(workflow).expect("a name"));
        if promote {
            let end = canary::End { note: "it does well", by: &by, way: Way::Api, answer: None };
            canary::promote(&self.engine, &workflow, &end).map(|revision| revision.revision)
        } else {
            let end = canary::End { note: "enough", by: &by, way: Way::Api, answer: None };
            canary::stop(&self.engine, &workflow, &end).map(|watched| watched.canary.revision)
        }
    }

    /// Pause all cases of a revision, by its number.
    pub fn hold(&self, workflow: &str, number: u64) -> Result<Held, redress::publish::Error> {
        self.change_hold(workflow, number, hold::begin)
    }

    /// Let the cases of a revision go on, and do what they kept.
    pub fn resume(&self, workflow: &str, number: u64) -> Result<Held, redress::publish::Error> {
        let held = self.change_hold(workflow, number, hold::end)?;
        self.engine.run_due(self.engine.clock().now())?;
        Ok(held)
    }

    fn change_hold(
        &self,
        workflow: &str,
        number: u64,
        change: fn(&Engine, &Slug, &hold::Wish<'_>) -> Result<Held, redress::publish::Error>,
    ) -> Result<Held, redress::publish::Error> {
        let (workflow, revision, by) = (Slug::new(workflow).expect("a name"), number.to_string(), admin());
        let wish = hold::Wish { revision: &revision, note: "it refunds twice", by: &by, way: Way::Api, answer: None };
        change(&self.engine, &workflow, &wish)
    }

    /// Activate a component that was active before.
    pub fn activate(&self, plugin: &str, digest: Digest) -> Result<plugins::Active, redress::publish::Error> {
        let activation = plugins::Activation { plugin, digest, by: &admin(), way: Way::Api, answer: None };
        plugins::activate(&self.engine, &self.objects, &activation)
    }

    /// Take an order.
    pub fn order(&self, order: &Order) -> anyhow::Result<()> {
        let (sender, answer) = std::sync::mpsc::channel();
        self.engine.put_order(order, "test", order.id.as_str(), move |result| drop(sender.send(result)))?;
        answer.recv()??;
        Ok(())
    }

    /// Open a case.
    pub fn open(&self, open: Open) -> Result<Receipt, Error> {
        self.engine.execute(submission(Target::New, Body::Open(Box::new(open))))
    }

    /// Give a command to a case.
    pub fn command(&self, case: CaseId, body: Body) -> Result<Receipt, Error> {
        self.engine.execute(submission(Target::Case(case), body))
    }

    /// Answer a task.
    pub fn complete(&self, case: CaseId, task: TaskId, outcome: &str) -> Result<Receipt, Error> {
        let (outcome, form, lines) = (outcome.to_owned(), Fields::new(), Vec::new());
        self.command(case, Body::Complete(Complete { task, outcome, form, live: false, lines }))
    }

    /// Tell what happened outside.
    pub fn event(&self, case: CaseId, name: &str, fields: Fields) -> Result<Receipt, Error> {
        self.command(case, Body::Event(Event { name: name.to_owned(), fields }))
    }

    /// Tell the outcome of an effect.
    pub fn settle(&self, case: CaseId, key: Digest, outcome: Settled) -> Result<Receipt, Error> {
        self.command(case, Body::Settle(Settle::new(key, outcome)))
    }

    /// The case as it stands.
    pub fn case(&self, id: CaseId) -> anyhow::Result<Case> {
        self.engine.case(id)?.context("the case is there")
    }

    /// Do what is due by the world's clock.
    pub fn run_due(&self) -> anyhow::Result<usize> {
        Ok(self.engine.run_due(self.engine.clock().now())?)
    }

    /// The ledger of an order, if something happened to the order.
    pub fn ledger(&self, order: &str) -> anyhow::Result<Option<Ledger>> {
        let heads = self.engine.store().read()?.load_ledgers(&[OrderId::new(order)?])?;
        let head = heads.into_iter().next().flatten();
        Ok(head.map(|head| redress_domain::codec::decode(&head.bytes)).transpose()?)
    }

    /// The ids of all cases.
    pub fn cases(&self) -> anyhow::Result<Vec<CaseId>> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.engine.store().read()?.cases(after, 100)?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            after = Some(*last);
            all.extend(page.iter().map(|(id, _)| *id));
        }
    }

    /// The journal of a case.
    pub fn journal(&self, id: CaseId) -> anyhow::Result<Vec<Turn>> {
        let rows = self.engine.store().journal(id, Version(1), 10_000)?;
        rows.iter().map(|row| Ok(redress_domain::codec::decode(&row.record)?)).collect()
    }
}

/// A folder in memory where the machine has one: for tests that open hundreds of hosts and need no disk to last.
pub fn quick_folder() -> std::io::Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()) } else { tempfile::tempdir() }
}

/// Copy a folder with all that is in it.
pub fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()))?;
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// One sandbox for all worlds of the process: the stock plugins are compiled once and stay. Calls share nothing. Its clock is far away,
/// so that a busy machine changes no outcome; and uploads are not tried out, so that plugins that mean harm come in.
fn sandbox() -> anyhow::Result<Sandbox> {
    static SANDBOX: OnceLock<(Sandbox, Vec<Arc<PluginInfo>>)> = OnceLock::new();
    if let Some((sandbox, _)) = SANDBOX.get() {
        return Ok(sandbox.clone());
    }
    let limits =
        redress_sandbox::Limits { wall_clock_ms: 60_000, dry_run_ms_max: 0, ..redress_sandbox::Limits::default() };
    let new = Sandbox::new(redress_sandbox::Config { limits, wall: wall(), ..redress_sandbox::Config::default() })?;
    let stock = plugins::hold_stock(&new)?;
    Ok(SANDBOX.get_or_init(|| (new, stock)).0.clone())
}

/// Where plugins of worlds run: in this process, or, where `REDRESS_TEST_PROCESSES` names the binary, in processes of their own, so that
/// every test can be run with the second wall too.
fn wall() -> Wall {
    std::env::var_os("REDRESS_TEST_PROCESSES")
        .map_or(Wall::Sandbox, |path| Wall::Cells(Program { path: path.into(), args: vec!["sandbox-run".into()] }))
}

/// An order of one customer, each line bought at the given instant: stock code, units, unit price.
pub fn order(id: &str, customer: &str, at: Instant, lines: &[(&str, u32, &str)]) -> anyhow::Result<Order> {
    let line = |(sku, quantity, price): &(&str, u32, &str)| {
        let unit_price = Price::new(price.parse()?, gbp());
        Ok(OrderLine {
            sku: Sku::new(sku)?,
            quantity: *quantity,
            at,
            delivered_at: None,
            unit_price,
            paid: OrderLine::price_of(unit_price, *quantity)?,
            units: Vec::new(),
            attributes: Fields::new(),
        })
    };
    Ok(Order {
        id: OrderId::new(id)?,
        customer: Some(CustomerId::new(customer)?),
        currency: gbp(),
        placed_at: at,
        lines: lines.iter().map(line).collect::<anyhow::Result<_>>()?,
        payments: Vec::new(),
        attributes: Fields::new(),
    })
}

/// A return of these stock codes and units.
pub fn a_return(customer: &str, lines: &[(&str, u32)]) -> anyhow::Result<Open> {
    let line = |(sku, quantity): &(&str, u32)| {
        Ok(Line {
            sku: Sku::new(sku)?,
            quantity: *quantity,
            reason: None,
            bought: None,
            unit: None,
            attributes: Fields::new(),
            outcome: None,
        })
    };
    Ok(Open {
        kind: Slug::new("return")?,
        external: None,
        history: false,
        customer: Some(CustomerId::new(customer)?),
        order: None,
        currency: gbp(),
        reason: None,
        claim: None,
        attributes: Fields::new(),
        lines: lines.iter().map(line).collect::<anyhow::Result<_>>()?,
        called: None,
        start: None,
    })
}

/// The same return from the past, under another system's name.
pub fn from_history(open: Open, id: &str) -> Open {
    Open { external: Some(External { source: "test".to_owned(), id: id.to_owned() }), history: true, ..open }
}

/// A command of an agent, now.
pub fn submission(target: Target, body: Body) -> Submission {
    let actor = Actor { kind: ActorKind::Person, id: "ada".to_owned(), role: "agent".to_owned() };
    Submission::new(target, actor, "test", body)
}

/// Who publishes.
pub fn admin() -> Actor {
    Actor { kind: ActorKind::Person, id: "grace".to_owned(), role: "admin".to_owned() }
}

/// Pounds.
pub fn gbp() -> Currency {
    "GBP".parse().expect("GBP is a currency")
}

/// So many days before the world begins.
pub fn days_ago(days: i64) -> Instant {
    Instant::from_unix_ms(START).after(Span::from_days(-days))
}
