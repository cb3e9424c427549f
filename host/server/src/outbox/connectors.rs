//! Connectors: where the effects of a tenant go. One for each kind, kept under a pointer of the tenant's file.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use redress_domain::case::command::Actor;
use redress_domain::clock::Span;
use redress_domain::codec;
use redress_store::host_key::HostKey;
use redress_store::row::{Row, RowKey};
use redress_store::snapshot::Snapshot;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::guard::{Guard, Refused};
use super::secret::{Hidden, Sealed, Secret, Unreadable, Vault};
use super::{Settings, mail, waiting, webhook};
use crate::engine::log::{self, Next, Record, What};
use crate::engine::{self, Engine};

/// How long the key of a payment webhook is good, where the connector does not say otherwise.
pub const KEY_LIFETIME: Span = Span::from_days(1);
/// How long a provider may take to settle what it accepted, where the connector does not say otherwise.
pub const ANSWER_WITHIN: Span = Span::from_days(3);
/// The longest that a connector may ask for: what nobody answered for a month is a person's.
const SPAN_MAX: Span = Span::from_days(31);
/// An address of a connector; longer ones are no addresses.
const TEXT_BYTES_MAX: usize = 2_048;

/// What a connector carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Money back.
    Payment,
    /// Goods.
    Stock,
    /// Messages, handed to the merchant's own system.
    Notification,
    /// Messages by e-mail.
    Mail,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Payment, Self::Stock, Self::Notification, Self::Mail];

    /// The word in commands and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Stock => "stock",
            Self::Notification => "notification",
            Self::Mail => "mail",
        }
    }

    fn pointer(self) -> String {
        format!("connector/{}", self.word())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = || Self::ALL.map(Self::word).join(", ");
        Self::ALL
            .into_iter()
            .find(|kind| kind.word() == text)
            .ok_or_else(|| format!("{text:?} is not one of {}", words()))
    }
}

/// A connector; `S` is how it holds its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connector<S = Secret> {
    /// A signed request.
    Webhook(Webhook<S>),
    /// A mail server.
    Smtp(Smtp<S>),
    /// A folder of mails, for development.
    Folder {
        /// Where the files go.
        path: PathBuf,
        /// The sender.
        from: String,
    },
    /// Money that is paid in name only, for demonstration and development.
    Simulated,
}

/// Where signed requests go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook<S = Secret> {
    /// The address.
    pub url: String,
    /// What requests are signed with: `whsec_` and base64.
    pub secret: S,
    /// Whether a request that comes again under its key does nothing more.
    pub idempotent: bool,
    /// For how long the receiver knows a key.
    pub key_lifetime: Span,
    /// How long the receiver may take to settle what it accepted.
    pub answer_within: Span,
}

/// A mail server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Smtp<S = Secret> {
    /// `smtps://host` (TLS), `smtp://host` (STARTTLS); `smtp-plain://host` for hosts that the operator allows.
    pub url: String,
    /// The sender.
    pub from: String,
    /// Who logs in, where the server asks.
    pub user: Option<String>,
    /// With what.
    pub password: Option<S>,
}

impl Webhook<Secret> {
    /// A receiver that knows keys for a day and settles within three.
    pub fn new(url: impl Into<String>, secret: Secret) -> Self {
        let (key_lifetime, answer_within) = (KEY_LIFETIME, ANSWER_WITHIN);
        Self { url: url.into(), secret, idempotent: true, key_lifetime, answer_within }
    }
}

/// Why a connector was not set.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kind cannot be carried so.
    #[error("a {how} connector cannot carry {kind}")]
    Unfit {
        /// The kind.
        kind: Kind,
        /// How.
        how: &'static str,
    },
    /// The host does not allow what is for development only.
    #[error("a {0} connector is for development only, this host does not allow it")]
    NotAllowed(&'static str),
    /// A field that is not what it should be.
    #[error("{field} of the connector is wrong: {why}")]
    Field {
        /// Which.
        field: &'static str,
        /// Why, quoting no secret.
        why: String,
    },
    /// The address is not one that this host sends to.
    #[error("address of the connector was refused")]
    Address(#[source] Refused),
    /// The engine could not record it.
    #[error("connector could not be recorded")]
    Engine(#[from] engine::Error),
    /// The secret cannot be read with this host's key.
    #[error("secret of the {0} connector could not be opened")]
    Secret(Kind, #[source] Unreadable),
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unfit { .. } => "connector_unfit",
            Self::NotAllowed(_) => "connector_not_allowed",
            Self::Field { .. } => "connector_invalid",
            Self::Address(_) => "connector_address_refused",
            Self::Engine(error) => error.code(),
            Self::Secret(..) => "connector_secret_unreadable",
        }
    }
}

/// Set the connector of a kind. What waited for one becomes due now.
///
/// # Errors
/// The connector is not sound, this host does not allow it, or it could not be recorded.
pub fn set(
    engine: &Engine,
    host: &HostKey,
    settings: &Settings,
    kind: Kind,
    connector: &Connector,
    by: &Actor,
) -> Result<(), Error> {
    check(settings, kind, connector)?;
    let vault = Vault::of(host, engine.record().id);
    let kept = connector.map(|field, secret| vault.seal(&place(kind, field), secret));
    let row = Row::Put(RowKey::pointer(&kind.pointer()), codec::encode(&kept));
    let what =
        What::ConnectorSet { kind: kind.word().to_owned(), how: connector.how().to_owned(), to: connector.host() };
    let recorded = |snapshot: &Snapshot, _: Next| {
        let (facts, rows) = (vec![what.clone()], vec![row.clone()]);
        Ok(Record { facts, rows, work: waiting::made_due(snapshot)?, idem: None })
    };
    Ok(log::record_beside(engine, by, recorded)?)
}

/// Remove the connector of a kind; effects of the kind wait from then on. Answers whether there was one.
///
/// # Errors
/// It could not be recorded.
pub fn remove(engine: &Engine, kind: Kind, by: &Actor) -> Result<bool, Error> {
    if kept(&engine.store().read().map_err(engine::Error::from)?, kind)?.is_none() {
        return Ok(false);
    }
    log::record(engine, by, |_| {
        let facts = vec![What::ConnectorRemoved { kind: kind.word().to_owned() }];
        Record { facts, rows: vec![Row::Delete(RowKey::pointer(&kind.pointer()))], ..Record::default() }
    })?;
    Ok(true)
}

/// The connector of a kind, without its secrets.
///
/// # Errors
/// The store cannot be read.
pub fn get(engine: &Engine, kind: Kind) -> Result<Option<Connector<Hidden>>, Error> {
    let kept = kept(&engine.store().read().map_err(engine::Error::from)?, kind)?;
    Ok(kept.map(|kept| kept.map(|_, _| Hidden)))
}

/// All connectors of a tenant, without their secrets.
///
/// # Errors
/// The store cannot be read.
pub fn list(engine: &Engine) -> Result<Vec<(Kind, Connector<Hidden>)>, Error> {
    let each = Kind::ALL.into_iter().map(|kind| Ok(get(engine, kind)?.map(|connector| (kind, connector))));
    each.filter_map(Result::transpose).collect()
}

/// The connector of a kind with its secrets in the open, to send with.
pub(super) fn opened(snapshot: &Snapshot, vault: &Vault, kind: Kind) -> Result<Option<Connector>, Error> {
    let open = |kept: Connector<Sealed>| kept.try_map(|field, sealed| vault.open(&place(kind, field), sealed));
    kept(snapshot, kind)?.map(open).transpose().map_err(|error| Error::Secret(kind, error))
}

/// Whether there is a connector of a kind.
pub(super) fn is_set(snapshot: &Snapshot, kind: Kind) -> Result<bool, engine::Error> {
    Ok(kept(snapshot, kind)?.is_some())
}

fn kept(snapshot: &Snapshot, kind: Kind) -> Result<Option<Connector<Sealed>>, engine::Error> {
    let bytes = snapshot.pointer(&kind.pointer())?;
    bytes.map(|bytes| codec::decode(&bytes).map_err(engine::Error::damaged("connector"))).transpose()
}

fn place(kind: Kind, field: &str) -> String {
    format!("{kind}|{field}")
}

impl<S> Connector<S> {
    /// The word for how it carries things.
    pub fn how(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Smtp(_) => "smtp",
            Self::Folder { .. } => "folder",
            Self::Simulated => "simulated",
        }
    }

    /// The host that it goes to: all that records tell, because what follows in an address may be a secret.
    pub(super) fn host(&self) -> Option<String> {
        let url = match self {
            Self::Webhook(webhook) => &webhook.url,
            Self::Smtp(smtp) => &smtp.url,
            Self::Folder { .. } | Self::Simulated => return None,
        };
        Url::parse(url).ok()?.host_str().map(ToOwned::to_owned)
    }

    fn map<T>(&self, mut change: impl FnMut(&'static str, &S) -> T) -> Connector<T> {
        let changed = self.try_map(|field, secret| Ok::<_, std::convert::Infallible>(change(field, secret)));
        changed.unwrap_or_else(|never| match never {})
    }

    fn try_map<T, E>(&self, mut change: impl FnMut(&'static str, &S) -> Result<T, E>) -> Result<Connector<T>, E> {
        Ok(match self {
            Self::Webhook(webhook) => Connector::Webhook(Webhook {
                url: webhook.url.clone(),
                secret: change("secret", &webhook.secret)?,
                idempotent: webhook.idempotent,
                key_lifetime: webhook.key_lifetime,
                answer_within: webhook.answer_within,
            }),
            Self::Smtp(smtp) => Connector::Smtp(Smtp {
                url: smtp.url.clone(),
                from: smtp.from.clone(),
                user: smtp.user.clone(),
                password: smtp.password.as_ref().map(|password| change("password", password)).transpose()?,
            }),
            Self::Folder { path, from } => Connector::Folder { path: path.clone(), from: from.clone() },
            Self::Simulated => Connector::Simulated,
        })
    }
}

fn check(settings: &Settings, kind: Kind, connector: &Connector) -> Result<(), Error> {
    let fits = match connector {
        Connector::Webhook(_) => kind != Kind::Mail,
        Connector::Smtp(_) | Connector::Folder { .. } => kind == Kind::Mail,
        Connector::Simulated => kind == Kind::Payment,
    };
    if !fits {
        return Err(Error::Unfit { kind, how: connector.how() });
    }
    match connector {
        Connector::Webhook(webhook) => check_webhook(&Guard::new(settings), webhook),
        Connector::Smtp(smtp) => {
            sender("from", &smtp.from)?;
            let server = mail::server(&short("url", &smtp.url)?).map_err(|why| Error::Field { field: "url", why })?;
            Guard::new(settings).permits_mail(&server).map_err(Error::Address)
        }
        Connector::Folder { .. } | Connector::Simulated if !settings.allow_simulated => {
            Err(Error::NotAllowed(connector.how()))
        }
        Connector::Folder { from, .. } => sender("from", from),
        Connector::Simulated => Ok(()),
    }
}

fn check_webhook(guard: &Guard, webhook: &Webhook) -> Result<(), Error> {
    let url = Url::parse(&short("url", &webhook.url)?);
    let url = url.map_err(|error| Error::Field { field: "url", why: error.to_string() })?;
    guard.permits(&url).map_err(Error::Address)?;
    webhook::check_secret(&webhook.secret).map_err(|why| Error::Field { field: "secret", why })?;
    for (field, span) in [("key_lifetime", webhook.key_lifetime), ("answer_within", webhook.answer_within)] {
        if span.millis() <= 0 || span > SPAN_MAX {
            let why = format!("{} ms is not between 1 ms and 31 days", span.millis());
            return Err(Error::Field { field, why });
        }
    }
    Ok(())
}

fn short(field: &'static str, text: &str) -> Result<String, Error> {
    if text.len() <= TEXT_BYTES_MAX {
        return Ok(text.to_owned());
    }
    Err(Error::Field { field, why: format!("it has {} bytes, at most {TEXT_BYTES_MAX} are taken", text.len()) })
}

fn sender(field: &'static str, text: &str) -> Result<(), Error> {
    let parsed: Result<lettre::message::Mailbox, _> = short(field, text)?.parse();
    parsed.map(drop).map_err(|error| Error::Field { field, why: error.to_string() })
}
