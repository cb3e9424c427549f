//! Secrets of connectors: sealed for the file, open only while something is sent, never shown.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use redress_domain::ids::TenantId;
use redress_store::host_key::HostKey;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::clock::random_bytes;

/// What the key of a tenant's secrets is derived for: another purpose gets another key.
const PURPOSE: &[u8] = b"redress connector secrets 1";
/// XChaCha takes nonces so long that drawing them at random never repeats one.
const NONCE_BYTES: usize = 24;

/// A secret in the open. It shows itself to nobody but `text`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret that was handed in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A secret as it is kept: nonce and ciphertext.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed(#[serde(with = "bytes")] Vec<u8>);

/// A secret that is there and is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hidden;

/// A secret that cannot be opened: the file came from another host, or was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret could not be opened with this host's key")]
pub struct Unreadable;

/// The key of one tenant's secrets.
pub(super) struct Vault {
    cipher: XChaCha20Poly1305,
    tenant: TenantId,
}

impl Vault {
    /// The vault of a tenant on this host.
    pub(super) fn of(host: &HostKey, tenant: TenantId) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(host.bytes()).expect("HMAC takes keys of any length");
        mac.update(PURPOSE);
        mac.update(&tenant.bytes());
        let key = mac.finalize().into_bytes();
        Self { cipher: XChaCha20Poly1305::new_from_slice(&key).expect("SHA-256 gives 32 bytes"), tenant }
    }

    /// Close a secret. Where it belongs is sealed with it, so that no ciphertext can take another's place.
    pub(super) fn seal(&self, place: &str, secret: &Secret) -> Sealed {
        let nonce: [u8; NONCE_BYTES] = random_bytes();
        let aad = self.aad(place);
        let payload = Payload { msg: secret.text().as_bytes(), aad: &aad };
        let closed = self.cipher.encrypt(&XNonce::from(nonce), payload).expect("a short text can be encrypted");
        Sealed([&nonce[..], &closed].concat())
    }

    /// Open a secret in the place that it was sealed for.
    pub(super) fn open(&self, place: &str, sealed: &Sealed) -> Result<Secret, Unreadable> {
        let (nonce, closed) = sealed.0.split_first_chunk::<NONCE_BYTES>().ok_or(Unreadable)?;
        let payload = Payload { msg: closed, aad: &self.aad(place) };
        let open = self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| Unreadable)?;
        Ok(Secret(String::from_utf8(open).map_err(|_| Unreadable)?))
    }

    fn aad(&self, place: &str) -> Vec<u8> {
        format!("{}|{place}", self.tenant).into_bytes()
    }
}

/// As a string of bytes; a list of numbers would be half as long again.
mod bytes {
    use std::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_byte_buf(Bytes)
    }

    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a sealed secret")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use redress_domain::clock::Instant;

    use super::*;

    fn vault(tenant: u128) -> Vault {
        let folder = tempfile::tempdir().unwrap();
        let host = redress_store::host::Host::open_or_create(folder.path(), [7; 32]).unwrap();
        Vault::of(host.key(), TenantId::mint(Instant::from_unix_ms(0), tenant))
    }

    #[test]
    fn a_secret_opens_in_its_own_place_of_its_own_tenant_and_nowhere_else() {
        let (vault, secret) = (vault(1), Secret::new("whsec_c2VjcmV0"));
        let sealed = vault.seal("payment|secret", &secret);
        assert_eq!(vault.open("payment|secret", &sealed), Ok(secret.clone()));
        assert_eq!(vault.open("stock|secret", &sealed), Err(Unreadable));
        assert_eq!(self::vault(2).open("payment|secret", &sealed), Err(Unreadable));
        for place in 0..sealed.0.len() {
            let mut bent = sealed.clone();
            bent.0[place] ^= 1;
            assert_eq!(vault.open("payment|secret", &bent), Err(Unreadable), "byte {place}");
        }
        assert_ne!(vault.seal("payment|secret", &secret), sealed, "no nonce is used twice");
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
