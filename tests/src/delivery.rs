//! A shop whose effects leave: an outbox that is driven by hand, and providers that answer it.

use redress::config;
use redress::engine::Engine;
use redress::outbox::connectors::{self, Connector, Kind, Webhook};
use redress::outbox::delivery::{self, Delivery};
use redress::outbox::secret::Secret;
use redress::outbox::{Outbox, Settings};
use redress_domain::case::Case;
use redress_domain::clock::Span;
use redress_domain::ids::Digest;
use tokio::runtime::Runtime;

use crate::provider::{Options, Provider};
use crate::shop::{Shop, effect};
use crate::world::{World, admin, days_ago, order};

/// What providers and connectors of these tests sign with.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A return that is paid back at once.
pub const PAY: &str = "
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90 } } }
  - { id: quote, call: { plugin: std/refund-quote@0 }, as: quote }
  - { id: pay, refund: { quote: =quote } }
  - { id: done, finish: { result: refunded } }
";

/// A shop, its outbox, and the runtime that both the outbox and the providers run on.
pub struct Trial {
    /// The shop: three hundred of A1 for 2.50 were sold to `c1`.
    pub shop: Shop,
    /// Its outbox, which sends when it is told to.
    pub outbox: Outbox,
    /// Where everything runs.
    pub runtime: Runtime,
    folder: tempfile::TempDir,
}

impl Trial {
    /// A shop with a workflow, and no connector.
    pub fn with(document: &str) -> anyhow::Result<Self> {
        let shop = Shop::with(document)?;
        shop.merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 300, "2.50")])?)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let outbox = outbox(&shop.world, &runtime, &settings())?;
        Ok(Self { shop, outbox, runtime, folder: tempfile::tempdir()? })
    }

    /// The same, with an honest provider for payments.
    pub fn paid(document: &str) -> anyhow::Result<(Self, Provider)> {
        let trial = Self::with(document)?;
        let provider = trial.provider(|_| {})?;
        trial.connect(Kind::Payment, webhook(&provider, "payment"))?;
        Ok((trial, provider))
    }

    /// A provider by the clock of this world.
    pub fn provider(&self, change: impl FnOnce(&mut Options)) -> anyhow::Result<Provider> {
        let mut options = Options::honest(SECRET, self.folder.path().join("book"));
        change(&mut options);
        self.runtime.block_on(Provider::start(options, self.shop.world.clock.clone()))
    }

    /// A folder of this trial.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Set a connector.
    pub fn connect(&self, kind: Kind, connector: Connector) -> Result<(), connectors::Error> {
        let (engine, key) = (self.engine(), self.shop.world.app.host().key());
        connectors::set(engine, key, self.outbox.settings(), &kind, &connector, &admin())
    }

    /// The merchant's engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.shop.merchant.engine
    }

    /// Send what is due.
    pub fn send(&self) -> anyhow::Result<usize> {
        Ok(self.runtime.block_on(self.outbox.pass(self.engine()))?)
    }

    /// Let time pass, and send what is due then.
    pub fn send_after(&self, span: Span) -> anyhow::Result<usize> {
        self.shop.world.pass(span);
        self.send()
    }

    /// Open a return of one unit, and answer it with the key of its refund.
    pub fn refund(&self) -> anyhow::Result<(Case, Digest)> {
        let case = self.shop.open(&[("A1", 1)])?;
        let key = effect(&case, "pay", None);
        Ok((case, key))
    }

    /// The delivery log of an effect.
    pub fn log(&self, key: Digest) -> anyhow::Result<Vec<Delivery>> {
        Ok(delivery::of(self.engine(), key)?)
    }
}

/// An outbox of a world that sends when it is told to.
pub fn outbox(world: &World, runtime: &Runtime, settings: &Settings) -> anyhow::Result<Outbox> {
    let limits = config::Outbox::default();
    Ok(Outbox::new(world.app.host().key(), runtime.handle(), settings.clone(), limits)?)
}

/// This machine is allowed, and nothing that is paid in name only.
#[must_use]
pub fn settings() -> Settings {
    Settings { allowed: vec!["127.0.0.1".parse().expect("an address")], allow_simulated: false }
}

/// A webhook to a provider.
#[must_use]
pub fn webhook(provider: &Provider, path: &str) -> Connector {
    Connector::Webhook(Webhook::new(provider.url(path), Secret::new(SECRET)))
}
