//! Keys of the API: made once, shown once, kept as a hash.
//!
//! A key reads `rdr_<id>_<secret>_<check>`: the id finds the record, the check tells a mistyped key from a wrong one without
//! looking. The secret is 32 random bytes, so that its plain SHA-256 is as good as a slow hash.

pub mod issue;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::ids::{Digest, TenantId};
use redress_store::host::{Host, HostError, Setting};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;

use crate::clock::Clock;

/// What a key begins with, so that scanners of leaked secrets know it.
const PREFIX: &str = "rdr";
/// Letters of a key's id.
const ID_LETTERS: usize = 12;
/// How many keys a host keeps; each is held in memory.
pub const KEYS_MAX: usize = 100_000;
/// How many of them may be one tenant's, so that none uses up the room of the others.
pub const TENANT_KEYS_MAX: usize = 10_000;

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the host: makes tenants and keys, and may act for any tenant that it names.
    Operator,
    /// Runs a merchant: rules, keys, money that a person must decide.
    Admin,
    /// Works on cases and tasks.
    Agent,
    /// A shop, a warehouse or a payment provider: hands in orders, cases, events and outcomes.
    Integrator,
    /// Looks.
    Viewer,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Operator, Self::Admin, Self::Agent, Self::Integrator, Self::Viewer];

    /// The word in keys, records and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Admin => "admin",
            Self::Agent => "agent",
            Self::Integrator => "integrator",
            Self::Viewer => "viewer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.word() == text).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|role| role.word()).collect();
            format!("{text:?} is not one of {}", words.join(", "))
        })
    }
}

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The id in the key; not secret.
    pub id: String,
    /// Whose key it is; none for the operator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// What it may do.
    pub role: Role,
    /// Whether it may say when something happened.
    pub backdate: bool,
    /// What people call it.
    pub name: String,
    /// The SHA-256 of the whole key.
    pub hash: Digest,
    /// When it was made.
    pub created_at: Instant,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Instant>,
}

/// What a new key is to be.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Whose key it is; none for the operator's.
    pub tenant: Option<TenantId>,
    /// What it may do.
    pub role: Role,
    /// Whether it may say when something happened.
    pub backdate: bool,
    /// What people call it.
    pub name: String,
}

/// A key that was just made: the only moment at which it is known.
#[derive(Clone)]
pub struct Minted {
    /// The key itself.
    pub secret: String,
    /// What is kept of it.
    pub record: KeyRecord,
}

/// Why a key is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no key of this host, or a mistyped one.
    #[error("key is not one of this host")]
    Unknown,
    /// It was taken back.
    #[error("key was revoked")]
    Revoked,
}

/// Why a key could not be made or taken back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system file.
    #[error("keys could not be kept")]
    Host(#[from] HostError),
    /// There are too many.
    #[error("there are {0} keys, revoked ones included: no more are made")]
    TooMany(usize),
    /// No such key.
    #[error("key {0:?} does not exist")]
    Missing(String),
    /// What is kept could not be read back.
    #[error("record of a key could not be read back")]
    Damaged(#[from] codec::DecodeError),
}

/// The keys of a host. Clones share everything.
#[derive(Clone, Default)]
pub struct Keys(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Held from looking at what there is until a change of it is on disk: one change at a time.
    changing: Mutex<()>,
    /// Every request looks here, so it is held for no longer than that takes, and never over a commit.
    known: RwLock<BTreeMap<String, Arc<KeyRecord>>>,
}

impl Keys {
    /// Read the keys of a host.
    ///
    /// # Errors
    /// The system file cannot be read.
    pub fn load(host: &Host) -> Result<Self, Error> {
        let mut keys = BTreeMap::new();
        for (id, bytes) in host.keys()? {
            keys.insert(id, Arc::new(codec::decode::<KeyRecord>(&bytes)?));
        }
        Ok(Self(Arc::new(Inner { changing: Mutex::default(), known: RwLock::new(keys) })))
    }

    /// Make a key. It is durable when it is answered.
    ///
    /// # Errors
    /// There are too many, or it could not be kept.
    pub fn create(&self, host: &Host, clock: &dyn Clock, new: NewKey) -> Result<Minted, Error> {
        self.create_beside(host, clock, new, |_| None)
    }

    /// Make a key, and write a setting with it, or neither.
    ///
    /// # Errors
    /// There are too many, or it could not be kept.
    pub fn create_beside(
        &self,
        host: &Host,
        clock: &dyn Clock,
        new: NewKey,
        beside: impl Fn(&KeyRecord) -> Option<Setting>,
    ) -> Result<Minted, Error> {
        let _alone = self.changing();
        room(&self.known(), new.tenant)?;
        loop {
            let minted = mint(clock, &new);
            let id = minted.record.id.clone();
            // Ids are random: one that is taken is drawn again.
            if host.new_key(&id, &codec::encode(&minted.record), beside(&minted.record).as_ref())? {
                self.know(Arc::new(minted.record.clone()));
                return Ok(minted);
            }
        }
    }

    /// Undo the making of a key that nobody was shown: it leaves no trace.
    ///
    /// # Errors
    /// The system file could not be written; the key stays, and its secret is nobody's.
    pub(crate) fn unmake(&self, host: &Host, id: &str) -> Result<(), Error> {
        let _alone = self.changing();
        host.remove_key(id)?;
        self.0.known.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        Ok(())
    }

    /// Take a key back. It opens nothing any more when this answers.
    ///
    /// # Errors
    /// There is no such key, or it could not be kept.
    pub fn revoke(&self, host: &Host, id: &str, at: Instant) -> Result<Arc<KeyRecord>, Error> {
        let _alone = self.changing();
        let known = self.get(id).ok_or_else(|| Error::Missing(id.to_owned()))?;
        if known.revoked_at.is_some() {
            return Ok(known);
        }
        let revoked = Arc::new(KeyRecord { revoked_at: Some(at), ..KeyRecord::clone(&known) });
        host.put_key(id, &codec::encode(&*revoked))?;
        self.know(revoked.clone());
        Ok(revoked)
    }

    /// The key of an id.
    pub fn get(&self, id: &str) -> Option<Arc<KeyRecord>> {
        self.known().get(id).cloned()
    }

    /// All keys, by id.
    pub fn list(&self) -> Vec<Arc<KeyRecord>> {
        self.known().values().cloned().collect()
    }

    /// Whose key a text is.
    ///
    /// # Errors
    /// It is none, or was revoked.
    pub fn check(&self, key: &str) -> Result<Arc<KeyRecord>, Refused> {
        let record = id_of(key).and_then(|id| self.get(id)).ok_or(Refused::Unknown)?;
        let same = Digest::of(key.as_bytes()).bytes().ct_eq(record.hash.bytes());
        if !bool::from(same) {
            return Err(Refused::Unknown);
        }
        if record.revoked_at.is_some() { Err(Refused::Revoked) } else { Ok(record) }
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.0.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> RwLockReadGuard<'_, BTreeMap<String, Arc<KeyRecord>>> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is on disk counts from here on.
    fn know(&self, record: Arc<KeyRecord>) {
        self.0.known.write().unwrap_or_else(PoisonError::into_inner).insert(record.id.clone(), record);
    }
}

fn room(keys: &BTreeMap<String, Arc<KeyRecord>>, tenant: Option<TenantId>) -> Result<(), Error> {
    let own = keys.values().filter(|key| tenant.is_some() && key.tenant == tenant).count();
    for (found, max) in [(keys.len(), KEYS_MAX), (own, TENANT_KEYS_MAX)] {
        if found >= max {
            return Err(Error::TooMany(found));
        }
    }
    Ok(())
}

fn mint(clock: &dyn Clock, new: &NewKey) -> Minted {
    let id: String = letters(clock.random()).chars().take(ID_LETTERS).collect();
    let secret = letters(clock.random()) + &letters(clock.random());
    let body = format!("{PREFIX}_{id}_{secret}");
    let secret = format!("{body}_{}", check_letters(&body));
    let record = KeyRecord {
        id,
        tenant: new.tenant,
        role: new.role,
        backdate: new.backdate,
        name: new.name.clone(),
        hash: Digest::of(secret.as_bytes()),
        created_at: clock.now(),
        revoked_at: None,
    };
    Minted { secret, record }
}

/// The id in a key, where the key can be one.
fn id_of(key: &str) -> Option<&str> {
    let (body, check) = key.rsplit_once('_')?;
    let mut parts = body.split('_');
    let (prefix, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
    let good = prefix == PREFIX && id.len() == ID_LETTERS && !secret.is_empty() && parts.next().is_none();
    (good && check_letters(body) == check).then_some(id)
}

/// 26 letters of Crockford's alphabet hold 128 bits.
fn letters(bits: u128) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    (0..26).map(|place| ALPHABET[(bits >> (5 * place)) as usize & 31] as char).collect()
}

fn check_letters(body: &str) -> String {
    let digest = Digest::of(body.as_bytes());
    let bits = digest.bytes()[..4].iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte));
    letters(bits).chars().take(6).collect()
}

impl fmt::Debug for Minted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minted").field("record", &self.record).finish_non_exhaustive()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;

    fn minted() -> Minted {
        let clock = FixedClock::at(Instant::from_unix_ms(0));
        mint(&clock, &NewKey { tenant: None, role: Role::Operator, backdate: false, name: "first".to_owned() })
    }

    #[test]
    fn a_key_names_its_record_and_a_mistyped_one_names_none() {
        let minted = minted();
        assert_eq!(id_of(&minted.secret), Some(minted.record.id.as_str()));
        for (place, letter) in minted.secret.char_indices() {
            let other = if letter == '7' { '8' } else { '7' };
            let mut slip = minted.secret.clone();
            slip.replace_range(place..=place, &other.to_string());
            assert_eq!(id_of(&slip), None, "{slip}");
        }
    }

    #[test]
    fn what_is_kept_and_told_of_a_key_does_not_hold_its_secret() {
        let minted = minted();
        let secret = minted.secret.split('_').nth(2).unwrap();
        assert!(!format!("{minted:?}").contains(secret));
        assert!(!String::from_utf8_lossy(&codec::encode(&minted.record)).contains(secret));
    }
}
