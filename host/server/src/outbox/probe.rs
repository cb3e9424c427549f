//! Trying a connector before anything depends on it: a signed request that asks for nothing, a login at a mail server, a file in a folder.
//! It goes the way that effects go, with the same guard and the same limits, and is no effect: nothing is recorded and nothing comes back.

use std::path::Path;

use redress_domain::clock::Instant;
use redress_domain::ids::Digest;
use serde_json::json;

use super::connectors::Connector;
use super::reply::Expect;
use super::webhook::Http;
use super::{Error, Settings, mail};
use crate::clock::random_bytes;
use crate::config;

/// The type of a request that only asks whether somebody is there.
const TYPE: &str = "connector.test";

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// Whether the receiver was reached and took what it was asked: a 2xx, a login, a file.
    pub good: bool,
    /// What it answered, of HTTP.
    pub status: Option<u16>,
    /// A code for what went wrong.
    pub reason: Option<String>,
}

impl Probed {
    fn of(result: Result<(), String>) -> Self {
        Self { good: result.is_ok(), status: None, reason: result.err() }
    }
}

/// Try a connector of a tenant.
///
/// # Errors
/// The machine has no certificates to trust.
pub async fn probe(
    settings: &Settings,
    limits: &config::Outbox,
    tenant: &str,
    connector: &Connector,
    now: Instant,
) -> Result<Probed, Error> {
    Ok(match connector {
        Connector::Simulated | Connector::Folder { .. } if !settings.allow_simulated => {
            Probed::of(Err("connector_not_allowed".to_owned()))
        }
        Connector::Simulated => Probed::of(Ok(())),
        Connector::Folder { path, .. } => Probed::of(folder(path).await),
        Connector::Smtp(smtp) => Probed::of(mail::greet(settings, limits, smtp).await),
        Connector::Webhook(webhook) => {
            let key = Digest::of(&random_bytes::<32>());
            let body = json!({ "type": TYPE, "id": key.to_string(), "tenant": tenant, "data": {} });
            let body = body.to_string().into_bytes();
            let answer = Http::new(limits)?.send(settings, webhook, key, body, &Expect::Thanks, now).await;
            let good = answer.status.is_some_and(|status| (200..300).contains(&status));
            let refused = answer.status.filter(|_| !good).map(|status| format!("status_{status}"));
            Probed { good, status: answer.status, reason: refused.or(answer.reason) }
        }
    })
}

async fn folder(path: &Path) -> Result<(), String> {
    let file = path.join(format!(".{}", Digest::of(&random_bytes::<32>()).short()));
    let written = async {
        tokio::fs::create_dir_all(path).await?;
        tokio::fs::write(&file, b"").await?;
        tokio::fs::remove_file(&file).await
    };
    written.await.map_err(|_: std::io::Error| "folder_not_written".to_owned())
}
