//! Keys made and taken back on somebody's order: with the fact in the tenant's stream, and once for a request that comes again.
//!
//! Keys are in the system file, facts in the tenant's. A key is made before its fact is written: a crash in between leaves a key
//! whose secret nobody was shown. It is taken back before its fact is written, so that it opens nothing whatever happens next.

use std::sync::Arc;

use redress_domain::case::command::Actor;
use redress_store::batch::AppendError;

use super::{Error, KeyRecord, Keys, Minted, NewKey};
use crate::app::{self, App};
use crate::engine::log::{self, Record, What};
use crate::engine::repeat::{Given, Repeat};
use crate::engine::{self, Engine};

/// Why a key could not be made or taken back.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The keys.
    #[error(transparent)]
    Key(#[from] Error),
    /// The tenant's engine.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The tenant.
    #[error(transparent)]
    App(#[from] app::Error),
}

/// The answer to a request that may come again, made of what is kept of the key.
pub struct Answer<'a> {
    /// The request.
    pub repeat: Repeat,
    /// For whom the request was: its answer is looked for where that keeps its own.
    pub whose: Whose,
    /// The document that is answered when it comes again.
    pub document: &'a (dyn Fn(&KeyRecord) -> String + Sync),
}

/// For whom a request was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// For the host: its operator named no tenant.
    Host,
    /// For the tenant that was named.
    Tenant,
}

impl Answer<'_> {
    fn given(&self, key: &KeyRecord) -> Given {
        Given::Document((self.document)(key))
    }
}

/// Make a key of the host's operator.
///
/// # Errors
/// There are too many, or it could not be kept.
pub fn create_of_host(keys: &Keys, app: &App, new: NewKey, answer: Option<&Answer<'_>>) -> Result<Minted, Failure> {
    let beside = |key: &KeyRecord| answer.map(|answer| answer.repeat.setting(key.created_at, answer.given(key)));
    Ok(keys.create_beside(app.host(), app.clock(), new, beside)?)
}

/// Make a key of a tenant.
///
/// # Errors
/// There are too many, or it could not be kept.
pub fn create_of_tenant(
    keys: &Keys,
    app: &App,
    engine: &Engine,
    by: &Actor,
    new: NewKey,
    answer: Option<&Answer<'_>>,
) -> Result<Minted, Failure> {
    let minted = keys.create(app.host(), app.clock(), new)?;
    let key = &minted.record;
    let fact = What::KeyCreated { key: key.id.clone(), role: key.role.word().to_owned(), backdate: key.backdate };
    let recorded = log::record(engine, by, |next| Record {
        facts: vec![fact.clone()],
        idem: answer.map(|answer| answer.repeat.clone().record(next.at, answer.given(key))),
        ..Record::default()
    });
    match recorded {
        Ok(()) => Ok(minted),
        // The fact may be there: a key that is told of stays, and opens nothing.
        Err(error @ engine::Error::Append(AppendError::Unknown(_))) => {
            keys.revoke(app.host(), &key.id, key.created_at)?;
            Err(error.into())
        }
        // Nobody was shown it, and nobody is told of it.
        Err(error) => {
            keys.unmake(app.host(), &key.id)?;
            Err(error.into())
        }
    }
}

/// Take a key back; taking it back twice changes nothing.
///
/// # Errors
/// There is no such key, or it could not be kept.
pub fn revoke(
    keys: &Keys,
    app: &App,
    by: &Actor,
    id: &str,
    answer: Option<&Answer<'_>>,
) -> Result<Arc<KeyRecord>, Failure> {
    let key = keys.revoke(app.host(), id, app.clock().now())?;
    let of_tenant = answer.filter(|answer| answer.whose == Whose::Tenant);
    if let Some(tenant) = key.tenant {
        told(&app.engine_of(tenant)?, by, &key, of_tenant)?;
    }
    // Behind the fact: who asks again before it is here has the rest done.
    if let Some(answer) = answer.filter(|answer| answer.whose == Whose::Host) {
        let setting = answer.repeat.setting(app.clock().now(), answer.given(&key));
        app.host().put_setting(&setting.name, &setting.value).map_err(Error::from)?;
    }
    Ok(key)
}

/// The fact, where it is not there yet: an attempt before may have ended between the two files.
fn told(engine: &Engine, by: &Actor, key: &KeyRecord, answer: Option<&Answer<'_>>) -> Result<(), engine::Error> {
    let is_it = |what: &What| matches!(what, What::KeyRevoked { key: told } if *told == key.id);
    let is_told = log::read(engine)?.iter().any(|logged| is_it(&logged.what));
    log::record(engine, by, |next| Record {
        facts: if is_told { Vec::new() } else { vec![What::KeyRevoked { key: key.id.clone() }] },
        idem: answer.map(|answer| answer.repeat.clone().record(next.at, answer.given(key))),
        ..Record::default()
    })
}
