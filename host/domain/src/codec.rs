//! The encoding of everything that is kept: a version byte, then CBOR with named fields.
//!
//! Deterministic: fields stand in the order of their declaration, maps are `BTreeMap`s, decimals and currencies are text, so
//! equal values give equal bytes. An unknown version byte or entry name refuses to decode; nothing is skipped.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version byte of everything written today.
pub const VERSION: u8 = 1;

/// Why kept bytes could not be read. It means a newer writer or a damaged file, never a user's mistake.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No bytes at all.
    #[error("an empty record")]
    Empty,
    /// Written by a version that this program does not know.
    #[error("record version {0} is not known to this program (newest known: {VERSION})")]
    Version(u8),
    /// Not what the version says.
    #[error("record could not be decoded")]
    Malformed(#[from] ciborium::de::Error<std::io::Error>),
    /// Something follows the record.
    #[error("record is followed by {0} bytes")]
    Trailing(usize),
}

/// The bytes of a value.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    // Writing into memory cannot fail, and every type we keep can be written.
    ciborium::into_writer(value, &mut bytes).expect("a kept type encodes");
    bytes
}

/// The value of kept bytes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let (&version, mut rest) = bytes.split_first().ok_or(DecodeError::Empty)?;
    if version != VERSION {
        return Err(DecodeError::Version(version));
    }
    let value = ciborium::from_reader(&mut rest)?;
    if rest.is_empty() { Ok(value) } else { Err(DecodeError::Trailing(rest.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reads_back_and_a_strange_version_or_a_tail_is_refused() {
        let bytes = encode(&("case", 7));
        assert_eq!(decode::<(String, u8)>(&bytes).unwrap(), ("case".to_owned(), 7));
        assert!(matches!(decode::<(String, u8)>(&[&[9], &bytes[1..]].concat()), Err(DecodeError::Version(9))));
        assert!(matches!(decode::<(String, u8)>(&[&bytes[..], &[0]].concat()), Err(DecodeError::Trailing(1))));
        assert!(matches!(decode::<(String, u8)>(&[]), Err(DecodeError::Empty)));
    }
}
