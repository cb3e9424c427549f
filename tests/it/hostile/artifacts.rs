//! Compiled plugins on disk, where somebody else may write: what is not as this host wrote it is compiled again, and a person is
//! called.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redress::clock::FixedClock;
use redress_domain::ask::Answer;
use redress_domain::clock::Instant;
use redress_domain::ids::Digest;
use redress_domain::money::Money;
use redress_domain::verdict::Outcome;
use redress_sandbox::Stats;
use redress_tests::world::{Merchant, START, World, a_return, days_ago, from_history, order};

use super::PLAIN;

/// A data folder over several starts of the product.
struct Installation {
    folder: tempfile::TempDir,
    clock: Arc<FixedClock>,
}

/// What a case came to, without what tells it from others.
#[derive(Debug, PartialEq)]
struct Decided {
    result: Option<String>,
    outcomes: Vec<Option<Outcome>>,
    refunded: Money,
    /// Answers in the order of the questions.
    answers: Vec<Result<Answer, String>>,
}

impl Installation {
    /// A new one that was started once, with a merchant and what one case came to.
    fn new() -> anyhow::Result<(Self, Decided)> {
        let clock = Arc::new(FixedClock::at(Instant::from_unix_ms(START)));
        let installation = Self { folder: tempfile::tempdir()?, clock };
        let world = installation.start()?;
        let merchant = world.merchant("acme")?;
        merchant.publish(PLAIN)?;
        merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 9, "2.50"), ("B2", 1, "4.00")])?)?;
        let decided = a_case(&merchant, "R1")?;
        assert_eq!(decided.result.as_deref(), Some("refunded"));
        Ok((installation, decided))
    }

    fn start(&self) -> Result<World, redress::app::Error> {
        World::started_on(self.folder.path(), &self.clock)
    }

    /// Start again, decide the same case once more under another name, and tell what the sandbox counted.
    fn again(&self, name: &str) -> anyhow::Result<(Stats, Decided)> {
        let world = self.start()?;
        let decided = a_case(&world.reopen("acme")?, name)?;
        Ok((world.app.sandbox().stats(), decided))
    }

    fn artifacts(&self) -> anyhow::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(self.folder.path().join("artifacts"))?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("host.key")
    }
}

/// Customer c1 sends one A1 back, and a C3 that was never bought.
fn a_case(merchant: &Merchant, name: &str) -> anyhow::Result<Decided> {
    let open = from_history(a_return("c1", &[("A1", 1), ("C3", 1)])?, name);
    let case = merchant.case(merchant.open(open)?.case)?;
    let asks = merchant.journal(case.id)?.into_iter().flat_map(|turn| turn.asks);
    Ok(Decided {
        result: case.result.clone(),
        outcomes: case.lines.iter().map(|line| line.outcome.clone()).collect(),
        refunded: case.refunded(),
        answers: asks.map(|asked| asked.answered.outcome.map_err(|failure| failure.code)).collect(),
    })
}

fn flip(path: &Path, place: usize) -> anyhow::Result<()> {
    let mut bytes = fs::read(path)?;
    bytes[place] ^= 1;
    Ok(fs::write(path, bytes)?)
}

#[test]
fn a_second_start_loads_what_the_first_compiled() -> anyhow::Result<()> {
    let (installation, before) = Installation::new()?;
    let plugins = installation.artifacts()?.len();
    assert!(plugins > 0);
    let (stats, after) = installation.again("R2")?;
    assert_eq!((stats.compiled, stats.cache_hits, stats.cache_alarms), (0, plugins as u64, 0));
    assert_eq!(after, before);
    Ok(())
}

#[test]
fn a_flipped_byte_is_compiled_again_and_alarms_and_decides_nothing() -> anyhow::Result<()> {
    let (installation, before) = Installation::new()?;
    let artifacts = installation.artifacts()?;
    let whole: Vec<Vec<u8>> = artifacts.iter().map(fs::read).collect::<Result<_, _>>()?;
    // One in the MAC, one in the middle of the code, one at the end.
    let places = [5, whole[1].len() / 2, whole[2].len() - 1];
    artifacts.iter().zip(places).try_for_each(|(path, place)| flip(path, place))?;
    let (stats, after) = installation.again("R2")?;
    assert_eq!((stats.compiled, stats.cache_hits, stats.cache_alarms), (3, artifacts.len() as u64 - 3, 3));
    assert_eq!(after, before);
    for (path, bytes) in artifacts.iter().zip(&whole) {
        assert_eq!(&fs::read(path)?, bytes, "the artifact is written anew");
    }
    let (stats, _) = installation.again("R3")?;
    assert_eq!((stats.compiled, stats.cache_alarms), (0, 0), "and nothing alarms any more");
    Ok(())
}

#[test]
fn what_was_sealed_with_another_key_is_never_loaded() -> anyhow::Result<()> {
    let (installation, before) = Installation::new()?;
    flip(&installation.key(), 0)?;
    let plugins = installation.artifacts()?.len() as u64;
    let (stats, after) = installation.again("R2")?;
    assert_eq!((stats.compiled, stats.cache_hits, stats.cache_alarms), (plugins, 0, plugins));
    assert_eq!(after, before);
    Ok(())
}

#[test]
fn without_its_key_a_host_does_not_start() -> anyhow::Result<()> {
    let (installation, before) = Installation::new()?;
    let key = fs::read(installation.key())?;
    fs::remove_file(installation.key())?;
    let error = installation.start().map(drop).expect_err("no key, no start");
    assert_eq!(error.code(), "data_not_opened");
    assert!(format!("{:#}", anyhow::Error::from(error)).contains("host.key"));
    assert!(!installation.key().exists(), "a key that is lost is not replaced in silence");

    // The old key, put back with the rights that it had, opens everything again.
    restore(&installation.key(), &key)?;
    let (stats, after) = installation.again("R2")?;
    assert_eq!((stats.compiled, stats.cache_alarms), (0, 0));
    assert_eq!(after, before);
    Ok(())
}

#[test]
fn the_artifacts_may_be_deleted_at_any_time() -> anyhow::Result<()> {
    let (installation, before) = Installation::new()?;
    let artifacts = installation.artifacts()?;
    fs::remove_dir_all(installation.folder.path().join("artifacts"))?;
    let (stats, after) = installation.again("R2")?;
    assert_eq!((stats.compiled, stats.cache_hits, stats.cache_alarms), (artifacts.len() as u64, 0, 0));
    assert_eq!((installation.artifacts()?, after), (artifacts, before));
    Ok(())
}

#[test]
fn what_a_binary_ships_stays_when_a_later_one_ships_something_else() -> anyhow::Result<()> {
    let (installation, _) = Installation::new()?;
    let world = installation.start()?;
    let objects = world.app.host().objects();
    for stock in redress::publish::stock::STOCK {
        assert_eq!(objects.get(Digest::of(stock.bytes))?, stock.bytes, "{}", stock.name);
    }
    Ok(())
}

/// Write a key as the host itself does: closed to others.
fn restore(path: &Path, key: &[u8]) -> anyhow::Result<()> {
    fs::write(path, key)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}
