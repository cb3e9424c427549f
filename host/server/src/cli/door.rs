//! The way to a host: over HTTP to one that runs, or through the same routes on a data folder that this process opens. A command
//! that speaks through a door does the same on both.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use redress_domain::clock::Instant;
use redress_domain::ids::Digest;
use serde_json::Value as Json;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use super::Global;
use super::answered::Answered;
use super::error::Error;
use crate::clock::random_bytes;
use crate::http::service;
use crate::http::tenancy::{Caller, State};
use crate::keys::{KeyRecord, Keys, Role};
use crate::tls;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Bytes of a key file: a key and a line end.
const KEY_FILE_BYTES_MAX: u64 = 4_096;

/// An open door.
pub(super) struct Door {
    runtime: Runtime,
    to: To,
    tenant: Option<String>,
}

enum To {
    Server { base: String, key: String, client: reqwest::Client },
    // Boxed: a host is much larger than an address.
    Folder(Box<Folder>),
}

struct Folder {
    router: Router,
    caller: Caller,
}

impl Global {
    /// The door that the options name: `--server`, else `--data`.
    pub(super) fn door(&self) -> Result<Door, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(Error::Runtime)?;
        let to = match &self.server {
            Some(server) => {
                let base = server.trim_end_matches('/').to_owned();
                let client = tls::client().timeout(ANSWER_WITHIN).build();
                let client = client.map_err(|source| Error::unreachable(&base, source))?;
                To::Server { base, key: self.key()?, client }
            }
            None => To::Folder(Box::new(self.open_folder()?)),
        };
        Ok(Door { runtime, to, tenant: self.tenant.clone() })
    }

    fn open_folder(&self) -> Result<Folder, Error> {
        let app = self.host()?;
        let keys = Keys::load(app.host()).map_err(Error::Keys)?;
        let router = service::router(&State::new(app, keys));
        Ok(Folder { router, caller: here() })
    }

    /// The key: from a file, or from the environment; never from the command line, which others can read.
    fn key(&self) -> Result<String, Error> {
        if let Some(path) = &self.key_file {
            return read_key(path);
        }
        let help = "give --key-file FILE, or set REDRESS_KEY_FILE or REDRESS_KEY";
        std::env::var("REDRESS_KEY").map_err(|_| Error::Missing { what: "key", help })
    }
}

fn read_key(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > KEY_FILE_BYTES_MAX {
        return Err(failed(std::io::Error::other("it is too large to hold a key")));
    }
    Ok(std::fs::read_to_string(path).map_err(failed)?.trim().to_owned())
}

/// Who opens the data folder may do everything: the files are theirs.
fn here() -> Caller {
    let key = KeyRecord {
        id: "cli".to_owned(),
        tenant: None,
        role: Role::Operator,
        backdate: true,
        name: "command line".to_owned(),
        hash: Digest::of(&random_bytes::<32>()),
        created_at: Instant::from_unix_ms(0),
        revoked_at: None,
    };
    Caller { key: Arc::new(key) }
}

impl Door {
    /// The same door, for another tenant.
    pub(super) fn of(self, tenant: &str) -> Self {
        Self { tenant: Some(tenant.to_owned()), ..self }
    }

    /// Read.
    pub(super) fn get(&self, address: &str) -> Result<Json, Error> {
        self.send(Method::GET, address, None, &[])
    }

    /// Every row of a list that comes in pages.
    pub(super) fn all(&self, address: &str) -> Result<Vec<Json>, Error> {
        let separator = if address.contains('?') { '&' } else { '?' };
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{address}{separator}limit=100{cursor}"))?;
            all.extend(page["data"].as_array().cloned().unwrap_or_default());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={}", part(next)),
                None => return Ok(all),
            }
        }
    }

    /// Do something, once: the request has a name, so that a lost answer does nothing twice.
    pub(super) fn post(&self, address: &str, body: &Json) -> Result<Json, Error> {
        let name = format!("cli-{:032x}", u128::from_le_bytes(random_bytes()));
        self.send(Method::POST, address, Some(body), &[("idempotency-key", &name)])
    }

    /// A request, and the JSON that it is answered with.
    pub(super) fn send(
        &self,
        method: Method,
        address: &str,
        body: Option<&Json>,
        headers: &[(&str, &str)],
    ) -> Result<Json, Error> {
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let mut headers: Vec<(&str, &str)> = headers.to_vec();
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        self.send_bytes(method, address, bytes, &headers)
    }

    /// As `send`, with any body.
    pub(super) fn send_bytes(
        &self,
        method: Method,
        address: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Result<Json, Error> {
        let tenant = self.tenant.as_deref().map(|tenant| ("redress-tenant", tenant));
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain(tenant).collect();
        let (status, bytes) = match &self.to {
            To::Server { base, key, client } => {
                let mut request = client.request(method, format!("{base}{address}")).bearer_auth(key).body(body);
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                let answer = async {
                    let response = request.send().await?;
                    Ok((response.status().as_u16(), response.bytes().await?.to_vec()))
                };
                self.runtime.block_on(answer).map_err(|source| Error::unreachable(base, source))?
            }
            To::Folder(folder) => self.runtime.block_on(folder.ask(method, address, body, &headers))?,
        };
        let json = serde_json::from_slice(&bytes).unwrap_or(Json::Null);
        if (200..300).contains(&status) {
            Ok(json)
        } else {
            Err(Error::Answered(Box::new(Answered::of(status, &json))))
        }
    }

    /// A stream of lines from a running host, each handed over as it comes, until `each` has seen enough.
    pub(super) fn lines(
        &self,
        address: &str,
        headers: &[(&str, &str)],
        mut each: impl FnMut(&str) -> Result<Go, Error>,
    ) -> Result<(), Error> {
        let To::Server { base, key, client } = &self.to else {
            let help = "give --server URL: only a running host tells what happens next";
            return Err(Error::Missing { what: "server", help });
        };
        let mut request = client.get(format!("{base}{address}")).timeout(Duration::MAX).bearer_auth(key);
        let tenant = self.tenant.as_deref().map(|tenant| ("redress-tenant", tenant));
        for (name, value) in headers.iter().copied().chain(tenant) {
            request = request.header(name, value);
        }
        let failed = |source| Error::unreachable(base, source);
        let mut response = self.runtime.block_on(request.send()).map_err(failed)?;
        let status = response.status().as_u16();
        if status != 200 {
            let bytes = self.runtime.block_on(response.bytes()).map_err(failed)?;
            let json = serde_json::from_slice(&bytes).unwrap_or(Json::Null);
            return Err(Error::Answered(Box::new(Answered::of(status, &json))));
        }
        let mut pending = Vec::new();
        while let Some(chunk) = self.runtime.block_on(response.chunk()).map_err(failed)? {
            pending.extend_from_slice(&chunk);
            while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = pending.drain(..=end).collect();
                if each(String::from_utf8_lossy(&line).trim_end())? == Go::Stop {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// Whether a stream is read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    /// It is.
    On,
    /// Enough was seen.
    Stop,
}

impl Folder {
    async fn ask(
        &self,
        method: Method,
        address: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Result<(u16, Vec<u8>), Error> {
        let mut request = Request::builder().method(method).uri(address).extension(self.caller.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let wrong = |error: axum::http::Error| Error::Address { address: address.to_owned(), why: error.to_string() };
        let request = request.body(Body::from(body)).map_err(wrong)?;
        let Ok(response) = self.router.clone().oneshot(request).await;
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await;
        let bytes = bytes.map_err(|error| Error::Address { address: address.to_owned(), why: error.to_string() })?;
        Ok((status, bytes.to_vec()))
    }
}

/// A text as one part of an address.
pub(super) fn part(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte);
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}
