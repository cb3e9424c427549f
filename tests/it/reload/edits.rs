//! Every way in which files come and go, while clients ask: a half-written text, a save by rename, a swapped mount, a file that is
//! deleted and comes back, a broken text over a good one, a neighbour whose folder is broken. Then going back, under the same load.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use redress_tests::world::World;
use serde_json::json;
use tokio::task::JoinSet;

use super::{Host, SEEN_WITHIN, Site, load, log_of, rules};

/// Edits under load, unless `REDRESS_EDITS` says otherwise: 1,000 take a minute.
const EDITS: usize = 120;
/// From one to the next.
const PACE: Duration = Duration::from_millis(60);
/// How often the rules are taken back.
const ROLLBACKS: usize = 20;

/// One edit after the other, each in another way than the one before.
struct Editor<'a> {
    site: &'a Site,
    edits: usize,
}

impl Editor<'_> {
    fn edit(&mut self) -> anyhow::Result<()> {
        self.edits += 1;
        let (file, text) = (self.site.file(), rules(1_000 + self.edits));
        match self.edits % 7 {
            0 => self.site.save(&text),
            1 => {
                // Half of it stands there for as long as the next edit takes to come.
                Ok(fs::write(file, &text[..text.len() / 2])?)
            }
            2 => Ok(fs::write(file, text)?),
            3 => Ok(fs::write(file, "format: 1\nworkflow: returns\nsteps: [\n")?),
            4 => self.mount(&text),
            5 => {
                fs::remove_file(file)?;
                self.site.save(&text)
            }
            _ => self.neighbour(),
        }
    }

    /// The mount of a cluster: the whole folder of data is swapped at once.
    fn mount(&self, text: &str) -> anyhow::Result<()> {
        let file = self.site.file();
        let folder = file.parent().context("a folder")?;
        let version = format!("..v{}", self.edits);
        fs::create_dir(folder.join(&version)).context("a version")?;
        fs::write(folder.join(&version).join("returns.yaml"), text)?;
        swap(&version, &folder.join("..data"))?;
        swap("..data/returns.yaml", &file)
    }

    fn neighbour(&self) -> anyhow::Result<()> {
        let folder = self.site.folder.path().join("workflows/nobody");
        fs::create_dir_all(&folder)?;
        Ok(fs::write(folder.join("broken.yaml"), format!("format: {}\n\t- [", self.edits))?)
    }
}

/// A link that comes to its place in one step.
fn swap(to: &str, place: &Path) -> anyhow::Result<()> {
    let new = place.with_file_name("..new");
    symlink(to, &new).with_context(|| format!("{} is made", new.display()))?;
    fs::rename(&new, place).with_context(|| format!("{} is put in place", new.display()))
}

/// Wait until the revision of this text is active.
async fn until_active(host: &Host<'_>, text: &str) -> anyhow::Result<()> {
    let world = World::new()?;
    let wanted = world.bare_merchant("acme")?.publish(text)?.revision.to_string();
    let deadline = Instant::now() + SEEN_WITHIN;
    while host.active().await? != wanted {
        ensure!(Instant::now() < deadline, "the last text is not active: {}", log_of(&host.site.log()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Take the rules back and bring them again; the longest that one of it took.
async fn back_and_forth(host: &Host<'_>) -> anyhow::Result<Duration> {
    let mut longest = Duration::ZERO;
    let mut to = None;
    for _ in 0..ROLLBACKS {
        let before = host.active().await?;
        let mut wish = json!({ "note": "under load" });
        if let Some(to) = to.replace(before.clone()) {
            wish["to"] = to.into();
        }
        let begun = Instant::now();
        let back = host.post("/v1/workflows/returns/rollback", &wish).await?;
        longest = longest.max(begun.elapsed());
        let now = host.active().await?;
        assert!(now != before && back["revision"] == now, "{before} -> {now}, answered {back}");
    }
    Ok(longest)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_files_are_edited_no_request_is_turned_away() -> anyhow::Result<()> {
    let edits = std::env::var("REDRESS_EDITS").map_or(EDITS, |edits| edits.parse().unwrap());
    let site = Site::new()?;
    site.save(&rules(90))?;
    let host = site.serve()?;
    let done = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    clients.spawn(load(site.client.clone(), host.process.address.clone(), site.key.clone(), done.clone()));
    let mut editor = Editor { site: &site, edits: 0 };
    let mut ticks = tokio::time::interval(PACE);
    for _ in 0..edits {
        ticks.tick().await;
        editor.edit().with_context(|| format!("edit {}", editor.edits))?;
    }
    let last = rules(45);
    site.save(&last)?;
    until_active(&host, &last).await?;
    let longest = back_and_forth(&host).await?;
    done.store(true, Ordering::SeqCst);
    let (asked, failed) = clients.join_next().await.context("the load")???;
    println!("{edits} edits, {asked} requests meanwhile, {} failed", failed.len());
    println!("{ROLLBACKS} rollbacks under the same load, the longest took {} ms", longest.as_millis());
    assert!(asked > edits, "requests were asked meanwhile");
    assert_eq!(failed, Vec::<String>::new());
    host.process.stop()
}
