//! `cargo xtask dev`: a host with three demo merchants, a provider that plays the world outside, and mails in a folder.
//!
//! Everything is done as a user would do it: merchants, past orders and keys through the command line, the rest through the API.
//!
//! ```text
//! build ─► folder ─► merchants, their past ─► provider, host ─► keys, connectors, orders ─► guide ─► Ctrl-C
//! ```

mod merchants;

mod api;
mod children;
mod folder;
mod setup;

mod orders;

mod check;
mod guide;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::metadata::Workspace;
use crate::{plugins, shell, toolchain};
use children::Child;
use folder::Folder;

/// Between two looks at the processes: one that ended by itself ends the whole.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Where the demo lives and listens.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Where data, keys, mails and logs are; they are kept from one start to the next.
    #[arg(long, value_name = "DIR", default_value = "target/dev")]
    pub folder: PathBuf,
    /// The port of the host; 0 is any that is free.
    #[arg(long, default_value_t = 7373)]
    pub port: u16,
    /// The port of the provider; 0 is any that is free.
    #[arg(long, default_value_t = 7374)]
    pub provider_port: u16,
    /// Begin anew: what an earlier start left in the folder is deleted.
    #[arg(long)]
    pub fresh: bool,
    /// Try what is printed, tell what was seen, and stop: exit code 0 if a return was refunded and its mail was written.
    #[arg(long)]
    pub check: bool,
    /// The folder with the merchants' workflows, if it is not the repository's own.
    #[arg(long, value_name = "DIR")]
    pub workflows: Option<PathBuf>,
    /// Take `redress` and `redress-provider` from this folder in place of building them.
    #[arg(long, value_name = "DIR")]
    pub binaries: Option<PathBuf>,
}

/// What runs, and from where.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The product.
    pub redress: PathBuf,
    /// The provider.
    pub provider: PathBuf,
    /// The stock plugins, `<name>.wasm` each.
    pub plugins: PathBuf,
}

/// A demo that runs. Dropped, its processes are killed; the folder stays.
pub struct Demo {
    /// Where the host listens: `http://127.0.0.1:...`.
    pub host: String,
    /// Where the provider listens.
    pub provider: String,
    /// The folder that paths in the guide start from.
    root: PathBuf,
    folder: Folder,
    // The host first: it is stopped before those that it sends to.
    children: Vec<Child>,
}

/// Build, start, tell, and wait until it is stopped.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    // Said before anything is built or made: a port that somebody has is the most common reason why a demo does not start.
    free(options.port, "--port")?;
    free(options.provider_port, "--provider-port")?;
    let programs = programs(root, options)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let demo = Demo::start(root, options, &programs)?;
    println!("{}", guide::text(&demo));
    if options.check {
        let checked = demo.check();
        demo.stop()?;
        return checked;
    }
    let demo = runtime.block_on(until_stopped(demo))?;
    println!("\nstopping");
    demo.stop()
}

impl Demo {
    /// Start everything, and make what is not there yet. When this answers, the host is ready and the orders are in it.
    ///
    /// # Errors
    /// A step failed; what was started is stopped.
    pub fn start(root: &Path, options: &Options, programs: &Programs) -> anyhow::Result<Self> {
        if !shell::answers(std::process::Command::new("curl").arg("--version")) {
            bail!("curl is not installed; the host is set up with it, and so is all that the guide shows");
        }
        let workflows = options.workflows.clone().unwrap_or_else(|| root.join("workflows"));
        let folder = Folder::open(root, &options.folder, options.fresh)?;
        folder.put_plugins(&programs.plugins)?;
        setup::merchants(programs, &folder, &workflows)?;
        let provider = children::provider(programs, &folder, options.provider_port)?;
        let host = children::host(programs, &folder, &workflows, options.port)?;
        let mut demo = Self {
            host: host.address.clone(),
            provider: provider.address.clone(),
            root: root.to_owned(),
            folder,
            children: vec![host, provider],
        };
        demo.wait_until_ready()?;
        setup::keys(programs, &demo)?;
        setup::connectors(&demo)?;
        setup::orders(&demo, &workflows)?;
        Ok(demo)
    }

    /// Stop all processes, the host first, so that nothing is on its way to the others.
    ///
    /// # Errors
    /// One did not end by itself in time; it was killed.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.children.drain(..).try_for_each(Child::stop)
    }

    /// Do what the guide shows, and wait until the money and the mail are where they belong.
    ///
    /// # Errors
    /// Something did not come as it should.
    pub fn check(&self) -> anyhow::Result<()> {
        check::run(self)
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let ready = children::wait_for("the host to be ready", || {
            self.look()?;
            Ok(api::is_ready(&self.host))
        });
        ready.with_context(|| format!("its log is {}", self.folder.log("host").display()))
    }

    /// An error if a process has ended by itself.
    fn look(&mut self) -> anyhow::Result<()> {
        self.children.iter_mut().try_for_each(Child::look)
    }
}

async fn until_stopped(mut demo: Demo) -> anyhow::Result<Demo> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    loop {
        tokio::select! {
            _ = interrupt.recv() => return Ok(demo),
            _ = terminate.recv() => return Ok(demo),
            () = tokio::time::sleep(LOOK_EVERY) => demo.look()?,
        }
    }
}

fn free(port: u16, option: &str) -> anyhow::Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("port {port} could not be had: choose another with {option}")),
    }
}

fn programs(root: &Path, options: &Options) -> anyhow::Result<Programs> {
    toolchain::ensure_wasm_target(root)?;
    plugins::build(root)?;
    let target = Workspace::load(root)?.target_folder;
    let built = target.join("debug");
    let binaries = options.binaries.as_deref().unwrap_or(&built);
    if options.binaries.is_none() {
        eprintln!("building the host and the provider; the first time takes some minutes");
        // Of the whole workspace, as the tests are built: what they have compiled is not compiled once more.
        let bins = ["build", "--locked", "--workspace", "--bin", "redress", "--bin", "redress-provider"];
        shell::run(&mut shell::cargo(root, &bins))?;
    }
    let program = |name: &str| binaries.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    Ok(Programs {
        redress: program("redress"),
        provider: program("redress-provider"),
        plugins: root.join("target/stock-plugins"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_somebody_has_is_told_with_the_option_that_chooses_another() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = free(port, "--provider-port").unwrap_err().to_string();
        assert_eq!(error, format!("port {port} could not be had: choose another with --provider-port"));
        assert!(free(0, "--port").is_ok());
    }
}
