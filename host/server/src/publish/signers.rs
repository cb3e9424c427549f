//! Whose signatures count: public keys that the merchant registered, in the form of minisign (ed25519 over the digest of a file). A signed
//! component says who stands behind it; where the merchant wants it so, nobody hands in another.

use std::collections::BTreeMap;

use minisign_verify::{PublicKey, Signature};
use redress_domain::case::command::Actor;
use redress_domain::codec;
use redress_domain::ids::Slug;
use redress_store::row::{Row, RowKey};
use serde::{Deserialize, Serialize};

use super::Error;
use super::way::{Answer, Way};
use crate::engine::log::{self, Record, What};
use crate::engine::{self, Engine};

/// Where the store keeps them.
const POINTER: &str = "signers";
/// Most keys of a merchant.
pub const SIGNERS_MAX: usize = 32;
/// Most bytes of a signature's file: four short lines.
pub const SIGNATURE_BYTES_MAX: usize = 4 << 10;

/// Whose signatures count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signers {
    /// Public keys by the name that the merchant gave them, in base 64 as minisign writes them.
    pub keys: BTreeMap<String, String>,
    /// Whether a component without a signature of one of them is refused.
    pub required: bool,
}

/// Other signers.
#[derive(Debug)]
pub struct Change<'a> {
    /// All of them, from now on.
    pub signers: &'a Signers,
    /// Why, in a few words.
    pub note: &'a str,
    /// By whom.
    pub by: &'a Actor,
    /// The way in.
    pub way: Way,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, Signers>>,
}

/// Whose signatures count.
///
/// # Errors
/// The store cannot be read.
pub fn of(engine: &Engine) -> Result<Signers, engine::Error> {
    let bytes = engine.store().read()?.row(&RowKey::pointer(POINTER))?;
    let signers = bytes.map(|bytes| codec::decode(&bytes).map_err(engine::Error::damaged("signers"))).transpose()?;
    Ok(signers.unwrap_or_default())
}

/// Let the signatures of these keys count, and of no others. What is active stays so.
///
/// # Errors
/// A name or a key is none, or signatures are required and there is no key.
pub fn set(engine: &Engine, change: &Change<'_>) -> Result<Signers, Error> {
    let Change { signers, note, by, way, answer } = change;
    check(signers)?;
    let before = of(engine)?;
    log::record(engine, by, |next| {
        let idem = answer.as_ref().map(|answer| answer.record(next.at, signers));
        if before == **signers {
            return Record { idem, ..Record::default() };
        }
        let fact = What::SignersSet {
            keys: signers.keys.clone(),
            required: signers.required,
            note: (*note).to_owned(),
            from: way.origin(),
        };
        let row = Row::Put(RowKey::pointer(POINTER), codec::encode(*signers));
        Record { facts: vec![fact], rows: vec![row], idem, ..Record::default() }
    })?;
    Ok((*signers).clone())
}

fn check(signers: &Signers) -> Result<(), Error> {
    let unfit = |why: String| Err(Error::SignerUnfit(why));
    if signers.keys.len() > SIGNERS_MAX {
        return unfit(format!("{} keys, at most {SIGNERS_MAX}", signers.keys.len()));
    }
    if signers.required && signers.keys.is_empty() {
        return unfit("signatures are required and there is no key: nobody could push anything".to_owned());
    }
    for (name, key) in &signers.keys {
        if Slug::new(name).is_err() {
            return unfit(format!("{name:?} is no name: lower-case letters, digits, - and _"));
        }
        if PublicKey::from_base64(key).is_err() {
            return unfit(format!("the key of {name:?} is none: give the second line of minisign.pub"));
        }
    }
    Ok(())
}

/// Who signed a file: the name of the key.
///
/// # Errors
/// It is required and missing, or it is not a signature of this file by one of the merchant's keys.
pub(super) fn verify(engine: &Engine, file: &[u8], signature: Option<&str>) -> Result<Option<String>, Error> {
    let signers = of(engine)?;
    let Some(text) = signature else {
        return if signers.required { Err(Error::SignatureMissing) } else { Ok(None) };
    };
    let invalid = |why: &str| Error::SignatureInvalid(why.to_owned());
    if text.len() > SIGNATURE_BYTES_MAX {
        return Err(invalid("it is larger than a signature of minisign"));
    }
    let signature = Signature::decode(text).map_err(|_| invalid("it is not the file that minisign -S writes"))?;
    let is_signer = |(_, key): &(&String, &String)| {
        PublicKey::from_base64(key).is_ok_and(|key| key.verify(file, &signature, false).is_ok())
    };
    match signers.keys.iter().find(is_signer) {
        Some((name, _)) => Ok(Some(name.clone())),
        None if signers.keys.is_empty() => Err(invalid("no key is registered that it could be of")),
        None => Err(invalid("it is of another file, or of none of the registered keys")),
    }
}
