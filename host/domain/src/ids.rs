//! Names of things: typed ids, slugs and digests. Randomness and time are arguments.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::clock::Instant;

/// Crockford's alphabet, lower case: no letter that reads as a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 26 letters of five bits hold 128 bits.
const LETTERS: usize = 26;

/// Why a text is not the name that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct NotAName {
    /// The text as it was given.
    pub text: String,
    /// What was expected, for a person.
    pub expected: &'static str,
}

fn base32(id: Uuid) -> String {
    let bits = id.as_u128();
    (0..LETTERS).rev().map(|i| ALPHABET[(bits >> (5 * i)) as usize & 31] as char).collect()
}

fn from_base32(text: &str) -> Option<Uuid> {
    let mut bits: u128 = 0;
    if text.len() != LETTERS || text.as_bytes()[0] > b'7' {
        return None;
    }
    for byte in text.bytes() {
        let digit = ALPHABET.iter().position(|&letter| letter == byte)?;
        bits = bits << 5 | digit as u128;
    }
    Some(Uuid::from_u128(bits))
}

/// UUIDv7: 48 bits of milliseconds, then 74 random bits, so that keys grow with time.
fn uuid_v7(at: Instant, random: u128) -> Uuid {
    let millis = (at.unix_ms().max(0) as u128) & 0xffff_ffff_ffff;
    let (high, low) = ((random >> 62) & 0xfff, random & ((1 << 62) - 1));
    Uuid::from_u128(millis << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix in the written form.
            pub const PREFIX: &'static str = $prefix;

            /// Mint an id from the server's time and random bits, of which 74 are used.
            pub fn mint(at: Instant, random: u128) -> Self {
                Self(uuid_v7(at, random))
            }

            /// The server's time that it was minted from.
            pub fn minted_at(&self) -> Instant {
                Instant::from_unix_ms(i64::try_from(self.0.as_u128() >> 80).unwrap_or_default())
            }

            /// The 16 bytes that storage keys use; they sort by time.
            pub fn bytes(&self) -> [u8; 16] {
                *self.0.as_bytes()
            }

            /// The id that these 16 bytes of a storage key name.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, base32(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = NotAName;

            fn from_str(text: &str) -> Result<Self, NotAName> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(from_base32)
                    .map(Self)
                    .ok_or_else(|| NotAName { text: text.to_owned(), expected: concat!("an id that begins with ", $prefix, "_") })
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAName;

            fn try_from(text: String) -> Result<Self, NotAName> {
                text.parse()
            }
        }
    };
}

typed_id!(
    /// A merchant of this host. Immutable; its file is named after it.
    TenantId, "tenant"
);
typed_id!(
    /// One customer matter.
    CaseId, "case"
);
typed_id!(
    /// A piece of work for a person.
    TaskId, "task"
);
typed_id!(
    /// One run of an import.
    ImportId, "import"
);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Longest accepted, in bytes: it is part of storage keys.
            pub const BYTES_MAX: usize = 128;

            /// Accept what the merchant's own system calls it: 1 to 128 bytes without control characters.
            pub fn new(text: &str) -> Result<Self, NotAName> {
                if text.is_empty() || text.len() > Self::BYTES_MAX || text.chars().any(char::is_control) {
                    return Err(NotAName { text: text.to_owned(), expected: "1 to 128 bytes without control characters" });
                }
                Ok(Self(text.to_owned()))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// The merchant's own order number.
    OrderId
);
text_id!(
    /// The subject id of a customer: the key of the `people` rows, never a name or an address.
    CustomerId
);
text_id!(
    /// A stock code; letters keep their case.
    Sku
);

/// A short name in our own texts: lower-case letters, digits, `-` and `_`, beginning with a letter, at most 64.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Slug(String);

impl Slug {
    /// Accept a name, or say what a name is.
    pub fn new(text: &str) -> Result<Self, NotAName> {
        let tail = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let good = text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(tail);
        let expected = "a name of lower-case letters, digits, - and _, beginning with a letter, at most 64";
        if good { Ok(Self(text.to_owned())) } else { Err(NotAName { text: text.to_owned(), expected }) }
    }

    /// A name of our own, in our own code.
    pub(crate) fn from_static(name: &'static str) -> Self {
        debug_assert!(Self::new(name).is_ok(), "{name}");
        Self(name.to_owned())
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> String {
        slug.0
    }
}

impl TryFrom<String> for Slug {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        Self::new(&text)
    }
}

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest that these 32 bytes are.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first twelve digits: enough for a person.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let bad = || NotAName { text: text.to_owned(), expected: "64 hexadecimal digits" };
        if text.len() != 64 || !text.is_ascii() {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_written_form_and_sorts_by_time() {
        let early = CaseId::mint(Instant::from_unix_ms(1_000), u128::MAX);
        let late = CaseId::mint(Instant::from_unix_ms(1_001), 0);
        assert_eq!(early.to_string().parse(), Ok(early));
        assert!(early.bytes() < late.bytes() && early.to_string() < late.to_string());
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let task = TaskId::mint(Instant::from_unix_ms(1), 7).to_string();
        assert!(task.parse::<CaseId>().is_err());
        assert!("case_".parse::<CaseId>().is_err());
        assert!("case_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<CaseId>().is_err());
    }

    #[test]
    fn a_digest_reads_back_and_anything_else_is_refused() {
        let digest = Digest::of(b"redress");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("xy".repeat(32).parse::<Digest>().is_err());
    }
}
