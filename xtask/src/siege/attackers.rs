//! Those who besiege: connections that do nothing, headers a byte at a time, bodies without end, and nonsense.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value as Json, json};

/// Connections that send their header a byte at a time.
const SLOW: usize = 50;
/// Threads that send nonsense.
const NONSENSE: usize = 2;
/// How large the body without end says it is.
const ENDLESS_BYTES: u64 = 10 << 30;

pub(super) struct Attackers {
    idle: Vec<TcpStream>,
    threads: Vec<JoinHandle<u64>>,
}

/// Begin.
pub(super) fn start(place: &str, key: &str, idle: usize, stop: &Arc<AtomicBool>) -> std::io::Result<Attackers> {
    let idle = (0..idle).filter_map(|_| TcpStream::connect(place).ok()).collect();
    let each = |attack: fn(&str, &str, &AtomicBool) -> u64| {
        let (place, key, stop) = (place.to_owned(), key.to_owned(), stop.clone());
        thread::Builder::new().name("attacker".to_owned()).spawn(move || attack(&place, &key, &stop))
    };
    let mut threads = (0..NONSENSE).map(|_| each(nonsense)).collect::<std::io::Result<Vec<_>>>()?;
    threads.push(each(slow_headers)?);
    threads.push(each(endless_body)?);
    Ok(Attackers { idle, threads })
}

impl Attackers {
    /// End, and tell how often each was answered or turned away.
    pub(super) fn join(self) -> Json {
        let turned_away: u64 = self.threads.into_iter().map(|thread| thread.join().unwrap_or_default()).sum();
        json!({ "idle_connections": self.idle.len(), "turned_away": turned_away })
    }
}

/// A header that never comes to its end, on many connections.
fn slow_headers(place: &str, _: &str, stop: &AtomicBool) -> u64 {
    let mut turned_away = 0;
    let mut open: Vec<TcpStream> = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        while open.len() < SLOW {
            let Ok(stream) = TcpStream::connect(place) else { break };
            open.push(stream);
        }
        let before = open.len();
        open.retain_mut(|stream| stream.write_all(b"G").is_ok());
        turned_away += (before - open.len()) as u64;
        thread::sleep(Duration::from_millis(100));
    }
    turned_away
}

/// Ten gibibytes, announced and then sent in pieces as fast as they are taken.
fn endless_body(place: &str, key: &str, stop: &AtomicBool) -> u64 {
    let mut turned_away = 0;
    let piece = vec![b' '; 64 << 10];
    let mut announced = true;
    while !stop.load(Ordering::SeqCst) {
        let Ok(mut stream) = TcpStream::connect(place) else { continue };
        let length = if announced {
            format!("Content-Length: {ENDLESS_BYTES}")
        } else {
            "Transfer-Encoding: chunked".to_owned()
        };
        let head = format!(
            "POST /v1/cases HTTP/1.1\r\nHost: siege\r\nAuthorization: Bearer {key}\r\nIdempotency-Key: endless\r\n\
             Content-Type: application/json\r\n{length}\r\n\r\n"
        );
        let mut sent = stream.write_all(head.as_bytes());
        while sent.is_ok() && !stop.load(Ordering::SeqCst) {
            if !announced {
                sent = stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes());
            }
            sent = sent.and_then(|()| stream.write_all(&piece));
            if !announced {
                sent = sent.and_then(|()| stream.write_all(b"\r\n"));
            }
        }
        turned_away += 1;
        announced = !announced;
        thread::sleep(Duration::from_millis(20));
    }
    turned_away
}

/// Bodies that are no JSON, of the wrong types, too deep, with numbers that are too large.
fn nonsense(place: &str, key: &str, stop: &AtomicBool) -> u64 {
    let deep = "[".repeat(100_000);
    let bodies = [
        "{".to_owned(),
        deep,
        r#"{"kind":5,"lines":"x"}"#.to_owned(),
        format!(r#"{{"kind":"return","lines":[{{"sku":"x","quantity":{}}}]}}"#, "9".repeat(4_000)),
        "\u{0}\u{1}".to_owned(),
    ];
    let mut turned_away = 0;
    for body in bodies.iter().cycle() {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let Ok(mut stream) = TcpStream::connect(place) else { continue };
        let request = format!(
            "POST /v1/cases HTTP/1.1\r\nHost: siege\r\nAuthorization: Bearer {key}\r\nIdempotency-Key: n{turned_away}\r\n\
             Content-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        drop(stream.write_all(request.as_bytes()));
        let mut answer = Vec::new();
        drop(stream.take(1 << 16).read_to_end(&mut answer));
        turned_away += u64::from(answer.starts_with(b"HTTP/1.1 4"));
        thread::sleep(Duration::from_millis(10));
    }
    turned_away
}
