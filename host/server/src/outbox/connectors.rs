//! Connectors: where the effects of a tenant go. One for each kind, kept under a pointer of the tenant's file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use redress_domain::case::command::Actor;
use redress_domain::clock::Span;
use redress_domain::codec;
use redress_domain::ids::Slug;
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
/// How connectors to the merchant's own systems begin.
const HTTP: &str = "http:";
/// Under which pointer the names of these stand.
const NAMES: &str = "connectors/http";
/// Systems of one merchant.
const NAMES_MAX: usize = 64;
/// Queues with an address of their own.
const QUEUES_MAX: usize = 256;
/// An address of a connector; longer ones are no addresses.
const TEXT_BYTES_MAX: usize = 2_048;

/// What a connector carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// Requests to a system of the merchant's own, by its name.
    Http(Slug),
}

impl Kind {
    /// The kinds of which a tenant has one each.
    pub const SINGLE: [Self; 4] = [Self::Payment, Self::Stock, Self::Notification, Self::Mail];

    fn pointer(&self) -> String {
        format!("connector/{self}")
    }
}

/// The word in commands and records.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payment => f.write_str("payment"),
            Self::Stock => f.write_str("stock"),
            Self::Notification => f.write_str("notification"),
            Self::Mail => f.write_str("mail"),
            Self::Http(name) => write!(f, "{HTTP}{name}"),
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix(HTTP) {
            return Slug::new(name).map(Self::Http).map_err(|error| error.to_string());
        }
        let words = || Self::SINGLE.map(|kind| kind.to_string()).join(", ");
        let named = Self::SINGLE.into_iter().find(|kind| kind.to_string() == text);
        named.ok_or_else(|| format!("{text:?} is not one of {}, http:<name>", words()))
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
        /// Where people of a queue are reached.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        queues: BTreeMap<String, String>,
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
    /// Where people of a queue are reached.
    #[serde(default = "BTreeMap::new", skip_serializing_if = "BTreeMap::is_empty")]
    pub queues: BTreeMap<String, String>,
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
    /// There are too many.
    #[error("{NAMES_MAX} systems have a connector already")]
    Full,
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
            Self::Full => "connectors_full",
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
    kind: &Kind,
    connector: &Connector,
    by: &Actor,
) -> Result<(), Error> {
    check(settings, kind, connector)?;
    let vault = Vault::of(host, engine.record().id);
    let kept = connector.map(|field, secret| vault.seal(&place(kind, field), secret));
    let row = Row::Put(RowKey::pointer(&kind.pointer()), codec::encode(&kept));
    let what = What::ConnectorSet { kind: kind.to_string(), how: connector.how().to_owned(), to: connector.host() };
    if let Kind::Http(name) = kind {
        let names = names(&engine.store().read().map_err(engine::Error::from)?)?;
        if !names.contains(name) && names.len() >= NAMES_MAX {
            return Err(Error::Full);
        }
    }
    let recorded = |snapshot: &Snapshot, _: Next| {
        let (facts, mut rows) = (vec![what.clone()], vec![row.clone()]);
        if let Kind::Http(name) = kind {
            let mut names = names(snapshot)?;
            names.insert(name.clone());
            rows.push(Row::Put(RowKey::pointer(NAMES), codec::encode(&names)));
        }
        Ok(Record { facts, rows, work: waiting::made_due(snapshot)?, idem: None })
    };
    Ok(log::record_beside(engine, by, recorded)?)
}

/// Remove the connector of a kind; effects of the kind wait from then on. Answers whether there was one.
///
/// # Errors
/// It could not be recorded.
pub fn remove(engine: &Engine, kind: &Kind, by: &Actor) -> Result<bool, Error> {
    if kept(&engine.store().read().map_err(engine::Error::from)?, kind)?.is_none() {
        return Ok(false);
    }
    log::record_beside(engine, by, |snapshot: &Snapshot, _: Next| {
        let facts = vec![What::ConnectorRemoved { kind: kind.to_string() }];
        let mut rows = vec![Row::Delete(RowKey::pointer(&kind.pointer()))];
        if let Kind::Http(name) = kind {
            let mut names = names(snapshot)?;
            names.remove(name);
            rows.push(Row::Put(RowKey::pointer(NAMES), codec::encode(&names)));
        }
        Ok(Record { facts, rows, ..Record::default() })
    })?;
    Ok(true)
}

/// The connector of a kind, without its secrets.
///
/// # Errors
/// The store cannot be read.
pub fn get(engine: &Engine, kind: &Kind) -> Result<Option<Connector<Hidden>>, Error> {
    let kept = kept(&engine.store().read().map_err(engine::Error::from)?, kind)?;
    Ok(kept.map(|kept| kept.map(|_, _| Hidden)))
}

/// The connector of a kind with its secrets, for whoever sends through it.
///
/// # Errors
/// The store cannot be read, or the secrets cannot be opened with this host's key.
pub fn usable(engine: &Engine, host: &HostKey, kind: &Kind) -> Result<Option<Connector>, Error> {
    let snapshot = engine.store().read().map_err(engine::Error::from)?;
    opened(&snapshot, &Vault::of(host, engine.record().id), kind)
}

/// All connectors of a tenant, without their secrets.
///
/// # Errors
/// The store cannot be read.
pub fn list(engine: &Engine) -> Result<Vec<(Kind, Connector<Hidden>)>, Error> {
    let named = names(&engine.store().read().map_err(engine::Error::from)?)?.into_iter().map(Kind::Http);
    let each = Kind::SINGLE.into_iter().chain(named);
    let read = |kind: Kind| Ok(get(engine, &kind)?.map(|connector| (kind, connector)));
    each.map(read).filter_map(Result::transpose).collect()
}

/// The merchant's own systems that have a connector, by name.
///
/// # Errors
/// The store cannot be read.
pub fn systems(engine: &Engine) -> Result<BTreeSet<Slug>, engine::Error> {
    names(&engine.store().read().map_err(engine::Error::from)?)
}

/// The merchant's own systems that have a connector, or had one a moment ago.
fn names(snapshot: &Snapshot) -> Result<BTreeSet<Slug>, engine::Error> {
    let bytes = snapshot.pointer(NAMES)?;
    let names = bytes.map(|bytes| codec::decode(&bytes).map_err(engine::Error::damaged("names of connectors")));
    Ok(names.transpose()?.unwrap_or_default())
}

/// The connector of a kind with its secrets in the open, to send with.
pub(super) fn opened(snapshot: &Snapshot, vault: &Vault, kind: &Kind) -> Result<Option<Connector>, Error> {
    let open = |kept: Connector<Sealed>| kept.try_map(|field, sealed| vault.open(&place(kind, field), sealed));
    kept(snapshot, kind)?.map(open).transpose().map_err(|error| Error::Secret(kind.clone(), error))
}

/// Whether there is a connector of a kind.
pub(super) fn is_set(snapshot: &Snapshot, kind: &Kind) -> Result<bool, engine::Error> {
    Ok(kept(snapshot, kind)?.is_some())
}

pub(super) fn kept(snapshot: &Snapshot, kind: &Kind) -> Result<Option<Connector<Sealed>>, engine::Error> {
    let bytes = snapshot.pointer(&kind.pointer())?;
    bytes.map(|bytes| codec::decode(&bytes).map_err(engine::Error::damaged("connector"))).transpose()
}

fn place(kind: &Kind, field: &str) -> String {
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

    /// Where people of a queue are reached by mail, if this says it.
    pub(super) fn address_of(&self, queue: &str) -> Option<&str> {
        match self {
            Self::Smtp(Smtp { queues, .. }) | Self::Folder { queues, .. } => queues.get(queue).map(String::as_str),
            Self::Webhook(_) | Self::Simulated => None,
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
                queues: smtp.queues.clone(),
            }),
            Self::Folder { path, from, queues } => {
                Connector::Folder { path: path.clone(), from: from.clone(), queues: queues.clone() }
            }
            Self::Simulated => Connector::Simulated,
        })
    }
}

fn check(settings: &Settings, kind: &Kind, connector: &Connector) -> Result<(), Error> {
    let fits = match connector {
        Connector::Webhook(_) => *kind != Kind::Mail,
        Connector::Smtp(_) | Connector::Folder { .. } => *kind == Kind::Mail,
        Connector::Simulated => *kind == Kind::Payment,
    };
    if !fits {
        return Err(Error::Unfit { kind: kind.clone(), how: connector.how() });
    }
    match connector {
        Connector::Webhook(webhook) => check_webhook(&Guard::new(settings), webhook),
        Connector::Smtp(smtp) => {
            sender("from", &smtp.from)?;
            reachable(&smtp.queues)?;
            let server = mail::server(&short("url", &smtp.url)?).map_err(|why| Error::Field { field: "url", why })?;
            Guard::new(settings).permits_mail(&server).map_err(Error::Address)
        }
        Connector::Folder { .. } | Connector::Simulated if !settings.allow_simulated => {
            Err(Error::NotAllowed(connector.how()))
        }
        Connector::Folder { from, queues, .. } => {
            sender("from", from)?;
            reachable(queues)
        }
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

fn reachable(queues: &BTreeMap<String, String>) -> Result<(), Error> {
    if queues.len() > QUEUES_MAX {
        let why = format!("{} queues have an address, at most {QUEUES_MAX} may", queues.len());
        return Err(Error::Field { field: "queues", why });
    }
    queues.iter().try_for_each(|(queue, address)| {
        short("queues", queue)?;
        sender("queues", address)
    })
}

fn sender(field: &'static str, text: &str) -> Result<(), Error> {
    let parsed: Result<lettre::message::Mailbox, _> = short(field, text)?.parse();
    parsed.map(drop).map_err(|error| Error::Field { field, why: error.to_string() })
}
