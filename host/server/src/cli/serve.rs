//! `redress serve`: the host, until it is told to stop.

use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Global;
use super::error::Error;
use super::output::Out;
use crate::clock::machine::ThisMachine;
use crate::clock::steady::Trust;
use crate::config::{Connections, Limits};
use crate::outbox;
use crate::outbox::guard::Allowed;
use crate::publish::doors::Folders;
use crate::serve::gate;
use crate::serve::open::{self, Opened};
use crate::serve::{self, Serving, Settings};
use crate::telemetry::Form;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress serve --data data
  redress serve --data data --workflows workflows --plugins plugins
  redress serve --data data --listen 127.0.0.1:8080 --log json
  curl -s http://127.0.0.1:7373/readyz
";

/// Opening takes no longer where there are few tenants; where it does, it is told how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// Prints the address once it answers. SIGTERM and SIGINT stop it: what was asked is answered within 10 seconds, a second signal
/// ends it at once. The first start of a data folder writes the operator's key to `operator.key`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to listen; port 0 is any that is free.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7373", env = "REDRESS_LISTEN", hide_env_values = true)]
    listen: String,
    /// Believe the machine's clock although it contradicts when the host was last up. Look at it first.
    #[arg(long)]
    accept_clock: bool,
    /// Serve although the last decisions come out otherwise on this engine. Look at them first: redress replay --all.
    #[arg(long)]
    accept_decisions: bool,
    /// What the log on standard error looks like.
    #[arg(
        long,
        value_name = "FORM",
        value_enum,
        default_value = "human",
        env = "REDRESS_LOG_FORM",
        hide_env_values = true
    )]
    pub(super) log: Form,
    /// Publish the workflows in this folder when they change: DIR/TENANT/NAME.yaml.
    #[arg(long, value_name = "DIR", env = "REDRESS_WORKFLOWS", hide_env_values = true)]
    workflows: Option<PathBuf>,
    /// Publish the plugins in this folder when they change: DIR/TENANT/NAME.wasm.
    #[arg(long, value_name = "DIR", env = "REDRESS_PLUGINS", hide_env_values = true)]
    plugins: Option<PathBuf>,
    /// A host that effects may go to whatever its address, also without TLS: HOST or HOST:PORT; may be given several times.
    #[arg(long, value_name = "HOST", env = "REDRESS_ALLOW_CONNECTOR", value_delimiter = ',', hide_env_values = true)]
    allow_connector: Vec<Allowed>,
    /// Allow money that is paid in name only, and mails that become files: for demonstration and development.
    #[arg(long)]
    allow_simulated: bool,
    /// Connections at once; those beyond are told to come again.
    #[arg(long, value_name = "N", default_value_t = Connections::default().open_max, env = "REDRESS_CONNECTIONS_MAX", hide_env_values = true)]
    connections_max: usize,
    /// Requests that are answered at once; those beyond are told to come again.
    #[arg(long, value_name = "N", default_value_t = Connections::default().requests_max, env = "REDRESS_REQUESTS_MAX", hide_env_values = true)]
    requests_max: usize,
    /// Threads that run turns; as many as the machine has cores, unless told otherwise.
    #[arg(long, value_name = "N", env = "REDRESS_TURN_WORKERS", hide_env_values = true)]
    turn_workers: Option<usize>,
    /// Run plugins in processes of their own: a second wall behind the sandbox, for 20 to 65 microseconds more a call.
    #[arg(long, env = "REDRESS_PLUGIN_PROCESSES", hide_env_values = true)]
    plugin_processes: bool,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let trust = if args.accept_clock { Trust::Wall } else { Trust::Heartbeat };
    let usual = at.limits();
    let plugin_wall = if args.plugin_processes { at.processes()? } else { usual.plugin_wall.clone() };
    let turn_workers = args.turn_workers.unwrap_or(usual.turn_workers);
    let limits = Limits { turn_workers, plugin_wall, ..usual };
    let opened = open::open(at.folder()?, Arc::new(ThisMachine), trust, limits)?;
    if let Some(path) = &opened.operator_key {
        out.say(&format!("first start: the operator's key is in {}", path.display()));
    }
    // Cases go on with what was compiled before; who uploads is told the same.
    if let Err(refusal) = opened.app.sandbox().try_compiler() {
        tracing::error!(code = refusal.code(), "no plugin can be uploaded: {refusal}");
    }
    open_tenants(&opened, out)?;
    match gate::check(&opened.app) {
        Err(error) if args.accept_decisions => tracing::warn!("{error}: it is served because that was asked for"),
        checked => checked?,
    }
    let runtime = Builder::new_multi_thread().enable_all().build().map_err(serve::Error::Machine)?;
    runtime.block_on(serve(args, &opened, out))
    // The runtime ends before the host that it serves: the files close last, with nobody left to write.
}

fn open_tenants(opened: &Opened, out: &mut Out<'_>) -> Result<(), Error> {
    let mut told = Instant::now();
    open::tenants(&opened.app, |done, all| {
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            out.say(&format!("opening tenants: {done} of {all}"));
        }
    })?;
    Ok(())
}

async fn serve(args: &Args, opened: &Opened, out: &mut Out<'_>) -> Result<(), Error> {
    // Listened for from the beginning: a signal during the start is not lost.
    let mut signals = Signals::listen().map_err(serve::Error::Machine)?;
    let connections =
        Connections { open_max: args.connections_max, requests_max: args.requests_max, ..Connections::default() };
    let outbox = outbox::Settings { allowed: args.allow_connector.clone(), allow_simulated: args.allow_simulated };
    let folders = Folders { workflows: args.workflows.clone(), plugins: args.plugins.clone() };
    let settings = Settings { listen: args.listen.clone(), connections, outbox, folders };
    let serving = Serving::start(opened, settings).await?;
    let address = serving.address();
    if !address.ip().is_loopback() {
        tracing::warn!("keys and cases travel as plain text to {address}: put a proxy with TLS in front");
    }
    out.data(&format!("listening on http://{address}\n"))?;
    out.flush().map_err(Error::Write)?;
    let signal = signals.next().await;
    tracing::info!("{signal}: requests in flight are answered, then the host stops");
    tokio::select! {
        () = serving.stop() => {}
        signal = signals.next() => {
            tracing::warn!("{signal} again: the host stops at once; what was acknowledged is safe");
            process::exit(1);
        }
    }
    tracing::info!("the host has stopped");
    Ok(())
}

/// The signals that stop a host.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
