//! `/v1/connectors`: where effects go, one for each kind and one for each system that workflows ask. Secrets go in and never come out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use axum::extract::{OriginalUri, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use redress_domain::clock::Span;
use redress_domain::workflow::duration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Json;
use super::page::{Named, Page, Paging, Params};
use super::problem::{FieldProblem, Problem, ProblemBody, chain};
use super::tenancy::{State, Tenant};
use super::wire::name;
use super::{codes, listed};
use crate::engine::Engine;
use crate::outbox::connectors::{self, ANSWER_WITHIN, Connector, KEY_LIFETIME, Kind, Smtp, Webhook};
use crate::outbox::probe::{self, Probed};
use crate::outbox::secret::{Hidden, Secret};

/// Where the effects of a kind are to go.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "how", rename_all = "snake_case", deny_unknown_fields)]
pub enum SetConnector {
    /// A signed request (Standard Webhooks); for payments, stock, notifications and systems that workflows ask.
    Webhook {
        /// The address, over HTTPS.
        #[schema(max_length = 2048)]
        url: String,
        /// What requests are signed with: `whsec_` and base64. It is never shown again.
        #[schema(write_only)]
        secret: String,
        /// Whether a request that comes again under its key does nothing more.
        #[serde(default = "yes")]
        idempotent: bool,
        /// For how long the receiver knows a key, as `24h`; at most 31 days.
        #[schema(example = "24h")]
        key_lifetime: Option<String>,
        /// How long the receiver may take to settle what it accepted, as `3d`; at most 31 days.
        #[schema(example = "3d")]
        answer_within: Option<String>,
    },
    /// A mail server; for mail.
    Smtp {
        /// `smtps://host` (TLS) or `smtp://host` (STARTTLS).
        #[schema(max_length = 2048)]
        url: String,
        /// The sender.
        #[schema(example = "Shop <returns@shop.example>")]
        from: String,
        /// Who logs in, where the server asks.
        user: Option<String>,
        /// With what. It is never shown again.
        #[schema(write_only)]
        password: Option<String>,
        /// Where people of a queue are reached: its name, and an address. A message to a queue that is not named here goes to the
        /// notification webhook.
        #[serde(default)]
        queues: BTreeMap<String, String>,
    },
    /// A folder of mails, for development; where the host allows it.
    Folder {
        /// Where the files go.
        path: String,
        /// The sender.
        from: String,
        /// Where people of a queue are reached.
        #[serde(default)]
        queues: BTreeMap<String, String>,
    },
    /// Money that is paid in name only, for demonstration; where the host allows it.
    Simulated {},
}

/// Where the effects of a kind go.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Connector)]
pub struct ConnectorView {
    /// `payment`, `stock`, `notification`, `mail`, or `http:<name>`.
    pub kind: String,
    /// `webhook`, `smtp`, `folder` or `simulated`.
    pub how: &'static str,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Who logs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Where people of a queue are reached by mail.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub queues: BTreeMap<String, String>,
    /// Whether a request that comes again under its key does nothing more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// For how long the receiver knows a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_lifetime: Option<String>,
    /// How long the receiver may take to settle what it accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_within: Option<String>,
}

/// List the connectors, without their secrets.
#[utoipa::path(
    get, path = "/v1/connectors", operation_id = "connector.list", tag = "connectors", params(Paging),
    responses(
        (status = 200, body = Page<ConnectorView>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    tenant: Tenant,
    address: OriginalUri,
    Params(paging): Params<Paging>,
) -> Result<Response, Problem> {
    let all = tenant.read(|engine| connectors::list(engine).map_err(refused)).await?;
    let rows = all.iter().map(|(kind, one)| (kind.to_string(), ConnectorView::of(kind, one))).collect();
    Ok(listed::page("connectors", rows, &paging)?.respond(&address))
}

/// Set where the effects of a kind go, in place of what was set. What waited for a connector is sent now.
#[utoipa::path(
    put, path = "/v1/connectors/{kind}", operation_id = "connector.set", tag = "connectors", request_body = SetConnector,
    params(("kind" = String, Path, description = "`payment`, `stock`, `notification`, `mail`, or `http:<name>` for a system that workflows ask")),
    responses(
        (status = 200, body = ConnectorView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "connector.set", skip_all)]
pub(super) async fn set(
    tenant: Tenant,
    Shared(state): Shared<State>,
    Named(kind): Named<String>,
    Json(body): Json<SetConnector>,
) -> Result<axum::Json<ConnectorView>, Problem> {
    let (kind, connector) = (known(&kind)?, body.domain()?);
    let by = tenant.caller.actor();
    let set = tenant.read(move |engine| {
        connectors::set(engine, state.app.host().key(), &state.outbox, &kind, &connector, &by).map_err(refused)?;
        Ok::<_, Problem>(ConnectorView::of(&kind, &get(engine, &kind)?))
    });
    Ok(axum::Json(set.await?))
}

/// Remove the connector of a kind. Effects of the kind wait from then on.
#[utoipa::path(
    delete, path = "/v1/connectors/{kind}", operation_id = "connector.remove", tag = "connectors",
    params(("kind" = String, Path, description = "`payment`, `stock`, `notification`, `mail`, or `http:<name>` for a system that workflows ask")),
    responses(
        (status = 204, description = "it is gone"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "connector.remove", skip_all)]
pub(super) async fn remove(tenant: Tenant, Named(kind): Named<String>) -> Result<StatusCode, Problem> {
    let kind = known(&kind)?;
    let by = tenant.caller.actor();
    let name = kind.to_string();
    let was = tenant.read(move |engine| connectors::remove(engine, &kind, &by).map_err(refused)).await?;
    if was { Ok(StatusCode::NO_CONTENT) } else { Err(missing(&name)) }
}

/// What came of trying a connector.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectorTested {
    /// `payment`, `stock`, `notification`, `mail`, or `http:<name>`.
    pub kind: String,
    /// Whether the receiver was reached and took what it was asked: a 2xx, a login at a mail server, a file in a folder.
    pub good: bool,
    /// What it answered, of HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// A code for what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Try a connector: a signed request of the type `connector.test` that asks for nothing, a login at a mail server, a file in a folder.
/// No effect leaves, and nothing is recorded.
#[utoipa::path(
    post, path = "/v1/connectors/{kind}/test", operation_id = "connector.test", tag = "connectors",
    params(("kind" = String, Path, description = "`payment`, `stock`, `notification`, `mail`, or `http:<name>` for a system that workflows ask")),
    responses(
        (status = 200, body = ConnectorTested),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "connector.test", skip_all)]
pub(super) async fn test(
    tenant: Tenant,
    Shared(state): Shared<State>,
    Named(kind): Named<String>,
) -> Result<axum::Json<ConnectorTested>, Problem> {
    let kind = known(&kind)?;
    let (host, of) = (state.app.host().key().clone(), kind.clone());
    let connector = tenant.read(move |engine| connectors::usable(engine, &host, &of).map_err(refused)).await?;
    let connector = connector.ok_or_else(|| missing(&kind.to_string()))?;
    let (limits, now) = (&state.app.limits().outbox, state.app.clock().now());
    let slug = tenant.engine.record().slug.as_str();
    let probed = probe::probe(&state.outbox, limits, slug, &connector, now).await;
    let Probed { good, status, reason } = probed.map_err(|error| Problem::internal(&error))?;
    Ok(axum::Json(ConnectorTested { kind: kind.to_string(), good, status, reason }))
}

fn get(engine: &Engine, kind: &Kind) -> Result<Connector<Hidden>, Problem> {
    connectors::get(engine, kind).map_err(refused)?.ok_or_else(|| missing(&kind.to_string()))
}

fn known(kind: &str) -> Result<Kind, Problem> {
    kind.parse().map_err(|_| missing(kind))
}

fn missing(kind: &str) -> Problem {
    Problem::new(codes::CONNECTOR_NOT_FOUND, format!("connector {kind:?} does not exist"))
}

fn refused(error: connectors::Error) -> Problem {
    use connectors::Error as E;
    let code = codes::named(error.code()).unwrap_or(codes::INTERNAL);
    match error {
        E::Engine(error) => error.into(),
        E::Field { field, .. } => {
            let told = FieldProblem::field(format!("/{field}"), code.name, error.to_string());
            Problem::new(code, error.to_string()).at(vec![told])
        }
        E::Address(_) => {
            Problem::new(code, chain(&error)).at(vec![FieldProblem::field("/url", code.name, chain(&error))])
        }
        E::Unfit { .. } | E::Full | E::NotAllowed(_) => Problem::new(code, error.to_string()),
        E::Secret(..) => {
            tracing::error!("{}", chain(&error));
            Problem::new(code, error.to_string())
        }
    }
}

impl SetConnector {
    fn domain(self) -> Result<Connector, Problem> {
        Ok(match self {
            Self::Webhook { url, secret, idempotent, key_lifetime, answer_within } => Connector::Webhook(Webhook {
                url,
                secret: Secret::new(secret),
                idempotent,
                key_lifetime: span("/key_lifetime", key_lifetime, KEY_LIFETIME)?,
                answer_within: span("/answer_within", answer_within, ANSWER_WITHIN)?,
            }),
            Self::Smtp { url, from, user, password, queues } => {
                Connector::Smtp(Smtp { url, from, user, password: password.map(Secret::new), queues })
            }
            Self::Folder { path, from, queues } => Connector::Folder { path: PathBuf::from(path), from, queues },
            Self::Simulated {} => Connector::Simulated,
        })
    }
}

fn span(pointer: &str, text: Option<String>, usual: Span) -> Result<Span, Problem> {
    text.map_or(Ok(usual), |text| name(pointer, duration::parse(&text)))
}

fn yes() -> bool {
    true
}

impl ConnectorView {
    fn of(kind: &Kind, connector: &Connector<Hidden>) -> Self {
        let mut view = Self {
            kind: kind.to_string(),
            how: connector.how(),
            url: None,
            path: None,
            from: None,
            user: None,
            queues: BTreeMap::new(),
            idempotent: None,
            key_lifetime: None,
            answer_within: None,
        };
        match connector {
            Connector::Webhook(webhook) => {
                view.url = Some(webhook.url.clone());
                view.idempotent = Some(webhook.idempotent);
                view.key_lifetime = Some(webhook.key_lifetime.to_string());
                view.answer_within = Some(webhook.answer_within.to_string());
            }
            Connector::Smtp(smtp) => {
                (view.url, view.from, view.user) = (Some(smtp.url.clone()), Some(smtp.from.clone()), smtp.user.clone());
                view.queues.clone_from(&smtp.queues);
            }
            Connector::Folder { path, from, queues } => {
                view.queues.clone_from(queues);
                (view.path, view.from) = (Some(path.display().to_string()), Some(from.clone()));
            }
            Connector::Simulated => {}
        }
        view
    }
}
