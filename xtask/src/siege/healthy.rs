//! Healthy clients: each opens a return, reads it, reads the list, and begins again, on one connection that stays open.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value as Json, json};

/// What healthy clients saw.
pub(super) struct Measured {
    pub(super) p99: Duration,
    p50: Duration,
    requests: usize,
    failed: usize,
}

impl Measured {
    pub(super) fn json(&self) -> Json {
        json!({
            "requests": self.requests, "failed": self.failed,
            "p50_us": self.p50.as_micros(), "p99_us": self.p99.as_micros(),
        })
    }
}

/// So many clients, for so long.
pub(super) fn measure(place: &str, key: &str, clients: usize, lasting: Duration) -> anyhow::Result<Measured> {
    let until = Instant::now() + lasting;
    let work = |number: usize| {
        let (place, key) = (place.to_owned(), key.to_owned());
        let thread = thread::Builder::new().name(format!("healthy-{number}"));
        thread.spawn(move || client(&place, &key, number, until))
    };
    let threads = (0..clients).map(work).collect::<std::io::Result<Vec<_>>>()?;
    let (mut taken, mut failed) = (Vec::new(), 0);
    for thread in threads {
        let (times, lost) = thread.join().ok().context("a client")??;
        taken.extend(times);
        failed += lost;
    }
    ensure!(!taken.is_empty(), "no request was answered");
    taken.sort_unstable();
    let at = |percent: usize| taken[(taken.len() - 1) * percent / 100];
    Ok(Measured { p99: at(99), p50: at(50), requests: taken.len(), failed })
}

fn client(place: &str, key: &str, number: usize, until: Instant) -> anyhow::Result<(Vec<Duration>, usize)> {
    let mut connection = Connection::open(place)?;
    let (mut times, mut failed, mut round) = (Vec::new(), 0_usize, 0_u64);
    while Instant::now() < until {
        round += 1;
        let body =
            json!({ "kind": "return", "customer": { "id": "c1" }, "lines": [{ "sku": "85123A", "quantity": 1 }] });
        let name = format!("Idempotency-Key: siege-{number}-{}-{round}\r\n", std::process::id());
        let asked = [("POST", body.to_string(), name.as_str()), ("GET", String::new(), "")];
        for (method, body, more) in asked {
            let started = Instant::now();
            match connection.ask(method, "/v1/cases", key, more, &body) {
                Ok(status) if status < 400 => times.push(started.elapsed()),
                Ok(_) => failed += 1,
                Err(_) => {
                    failed += 1;
                    connection = Connection::open(place)?;
                }
            }
        }
    }
    Ok((times, failed))
}

struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    fn open(place: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(place)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { reader: BufReader::new(stream) })
    }

    fn ask(&mut self, method: &str, path: &str, key: &str, more: &str, body: &str) -> anyhow::Result<u16> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: siege\r\nAuthorization: Bearer {key}\r\n{more}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.reader.get_mut().write_all(head.as_bytes())?;
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        let status = line.split(' ').nth(1).context("a status")?.parse()?;
        let mut length = 0_u64;
        loop {
            line.clear();
            self.reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(found) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = found.trim().parse()?;
            }
        }
        std::io::copy(&mut self.reader.by_ref().take(length), &mut std::io::sink())?;
        Ok(status)
    }
}
