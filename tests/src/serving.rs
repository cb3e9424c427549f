//! A host that serves, in this process, with a machine whose clocks are moved by hand; and a client that speaks plain TCP.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant as Moment};

use anyhow::{Context as _, bail};
use axum::Router;
use redress::clock::machine::Machine;
use redress::clock::steady::Trust;
use redress::config::{Connections, Limits};
use redress::serve::open::{self, Opened};
use redress::serve::{Serving, Settings};
use redress_domain::clock::{Instant, Span};
use serde_json::Value as Json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::START;

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(60);

/// A machine whose clocks are moved by hand.
#[derive(Debug)]
pub struct Hand {
    wall: AtomicI64,
    counted: AtomicI64,
}

impl Hand {
    /// At the instant at which every world begins.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { wall: START.into(), counted: 1_000.into() })
    }

    /// Time passes, and the wall clock goes with it.
    pub fn pass(&self, span: Span) {
        self.jump(span);
        self.counted.fetch_add(span.millis(), Ordering::SeqCst);
    }

    /// Somebody sets the wall clock.
    pub fn jump(&self, span: Span) {
        self.wall.fetch_add(span.millis(), Ordering::SeqCst);
    }
}

impl Machine for Hand {
    fn wall(&self) -> Instant {
        Instant::from_unix_ms(self.wall.load(Ordering::SeqCst))
    }

    fn counted(&self) -> Duration {
        Duration::from_millis(self.counted.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// Open a data folder as `redress serve` does.
pub fn opened(folder: &Path, hand: &Arc<Hand>) -> Result<Opened, redress::serve::Error> {
    let opened = open::open(folder, hand.clone(), Trust::Heartbeat, Limits::default())?;
    open::tenants(&opened.app, |_, _| {})?;
    Ok(opened)
}

/// Serve what is open on a free port.
pub async fn serving(
    opened: &Opened,
    connections: Connections,
    more: Router,
) -> Result<Serving, redress::serve::Error> {
    let listen = "127.0.0.1:0".to_owned();
    let settings = Settings { listen, connections, outbox: Default::default(), folders: Default::default() };
    Serving::with_routes(opened, settings, more).await
}

/// An answer as it came over the line.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The head, in small letters.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// Status and code, of a problem.
    pub fn problem(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap_or_default().to_owned())
    }
}

/// Send one request on a connection of its own and read the answer.
pub async fn ask(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> anyhow::Result<Answer> {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: redress\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    answer(&mut stream).await
}

/// `ask` for what needs nothing but its address.
pub async fn get(address: SocketAddr, path: &str) -> anyhow::Result<Answer> {
    ask(address, "GET", path, "", "").await
}

/// Everything that comes until the other side closes.
pub async fn answer(stream: &mut TcpStream) -> anyhow::Result<Answer> {
    let mut bytes = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.context("an answer in time")??;
    parse(&String::from_utf8(bytes)?)
}

/// One answer on a connection that stays open; its length is in its head.
pub async fn next_answer(stream: &mut TcpStream) -> anyhow::Result<Answer> {
    let mut bytes = Vec::new();
    loop {
        let mut some = [0; 4_096];
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut some)).await.context("an answer in time")??;
        if read == 0 {
            bail!("closed after {:?}", String::from_utf8_lossy(&bytes));
        }
        bytes.extend_from_slice(&some[..read]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return parse(&text);
            }
        }
    }
}

fn parse(text: &str) -> anyhow::Result<Answer> {
    let (head, body) = text.split_once("\r\n\r\n").with_context(|| format!("an answer, not {text:?}"))?;
    let status = head.split(' ').nth(1).context("a status")?.parse()?;
    Ok(Answer { status, head: head.to_lowercase(), body: body.to_owned() })
}

/// Wait until the other side has closed the connection; how long that took.
pub async fn closed(stream: &mut TcpStream) -> anyhow::Result<Duration> {
    let begun = Moment::now();
    let mut bytes = Vec::new();
    // A connection that is reset is closed as well.
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.context("closed in time")?.ok();
    Ok(begun.elapsed())
}

/// Look again and again until something is so.
pub async fn until<T>(mut looked: impl FnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    let begun = Moment::now();
    loop {
        if let Some(found) = looked()? {
            return Ok(found);
        }
        if begun.elapsed() > PATIENCE {
            bail!("it did not come true in {PATIENCE:?}");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
