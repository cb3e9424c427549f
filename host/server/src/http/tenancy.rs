//! What handlers are given: the host, and the tenant that the caller's key is for.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use redress_domain::case::command::{Actor, ActorKind, Body};
use redress_domain::clock::Instant;

use super::codes;
use super::events::stream::Streams;
use super::problem::Problem;
use super::repeat::InFlight;
use super::replays::Replays;
use super::respond;
use crate::app::App;
use crate::engine::{Engine, Error, Receipt, Submission, Target};
use crate::keys::{KeyRecord, Keys, Role};
use crate::outbox;

/// What every handler may use. Clones share everything.
#[derive(Clone)]
pub struct State {
    /// The host.
    pub app: App,
    /// Who may come in.
    pub keys: Keys,
    /// Where effects may go.
    pub outbox: outbox::Settings,
    /// Requests that are under way and may come again.
    pub(super) in_flight: InFlight,
    /// Clients that follow what happens.
    pub streams: Streams,
    /// Decisions that are made again.
    pub(super) replays: Replays,
}

impl State {
    /// The state around a host.
    pub fn new(app: App, keys: Keys) -> Self {
        let (in_flight, streams, replays) = (InFlight::default(), Streams::default(), Replays::default());
        Self { app, keys, outbox: outbox::Settings::default(), in_flight, streams, replays }
    }

    /// With what the operator allows effects beyond what is safe for everybody.
    #[must_use]
    pub fn sending(self, outbox: outbox::Settings) -> Self {
        Self { outbox, ..self }
    }
}

/// Who calls, once the key was checked.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key.
    pub key: Arc<KeyRecord>,
}

impl Caller {
    /// How records name the caller. An operator that acts for a tenant does so as its admin.
    pub fn actor(&self) -> Actor {
        let role = if self.key.role == Role::Operator { Role::Admin } else { self.key.role };
        Actor { kind: ActorKind::Key, id: self.key.id.clone(), role: role.word().to_owned() }
    }
}

/// The tenant that a request is for, and who calls.
#[derive(Clone)]
pub struct Tenant {
    /// Its engine.
    pub engine: Engine,
    /// Who calls.
    pub caller: Caller,
}

impl Tenant {
    /// A command on a case of this tenant, from this caller.
    pub fn submission(&self, target: Target, body: Body) -> Submission {
        Submission::new(target, self.caller.actor(), "api", body)
    }

    /// When something happened, where the caller says so and may.
    pub fn occurred(&self, said: Option<Instant>) -> Result<Option<Instant>, Problem> {
        if said.is_some() && !self.caller.key.backdate {
            let detail = "only keys with the right `backdate` may give `occurred_at`";
            return Err(Problem::new(codes::BACKDATE_NOT_ALLOWED, detail));
        }
        Ok(said)
    }

    /// Hand a command in and wait until it is decided and durable. `guard` lives until then, even when the client has gone.
    pub async fn submit(&self, submission: Submission, guard: impl Send + 'static) -> Result<Receipt, Problem> {
        let (sender, answer) = tokio::sync::oneshot::channel();
        let then = move |result| {
            drop(guard);
            // The client may have gone; what was decided stays decided.
            drop(sender.send(result));
        };
        self.engine.submit(submission, then)?;
        Ok(answer.await.unwrap_or(Err(Error::Stopped))?)
    }

    /// Read from the tenant's file.
    pub async fn read<T, E>(&self, read: impl FnOnce(&Engine) -> Result<T, E> + Send + 'static) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Send + 'static,
        Problem: From<E>,
    {
        let engine = self.engine.clone();
        Ok(respond::blocking(move || read(&engine)).await??)
    }
}

/// For whom a request is that need not name a tenant: one that was named, or the host itself.
#[derive(Clone)]
pub enum Scope {
    /// For a tenant.
    Tenant(Box<Tenant>),
    /// For the host: its operator calls.
    Host(Caller),
}

impl Scope {
    /// Who calls.
    pub fn caller(&self) -> &Caller {
        match self {
            Self::Tenant(tenant) => &tenant.caller,
            Self::Host(caller) => caller,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Scope {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match parts.extensions.get::<Tenant>() {
            Some(tenant) => Ok(Self::Tenant(Box::new(tenant.clone()))),
            None => Caller::from_request_parts(parts, state).await.map(Self::Host),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Tenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // The check of the route put it there; a route of the host has none.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Problem::new(codes::TENANT_REQUIRED, "no tenant is named"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::new(codes::KEY_REQUIRED, "a key is required"))
    }
}
