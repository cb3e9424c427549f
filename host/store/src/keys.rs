//! The parts that keys and fixed fields are made of, and how they are read back.

use redress_domain::clock::Instant;
use redress_domain::ids::{CaseId, TaskId};

/// A key under construction; byte order is the order of its parts.
#[derive(Default)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// A part with more parts behind it: its length first, so that neighbouring parts never run together.
    pub(crate) fn text(mut self, text: &str) -> Self {
        // `RowKey` bounds every text far below 64 KiB; a longer one is cut off here and refused by its total length.
        self.0.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// The last part: whatever is left of the key.
    pub(crate) fn rest(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// One byte.
    pub(crate) fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    /// A number of 8 bytes.
    pub(crate) fn number(self, number: u64) -> Self {
        self.rest(&number.to_be_bytes())
    }

    /// An instant; those before 1970 sort before those after it.
    pub(crate) fn instant(self, at: Instant) -> Self {
        self.number(ordered(at))
    }

    /// The bytes.
    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }
}

/// The order-preserving form of an instant: the sign bit turned over.
pub(crate) fn ordered(at: Instant) -> u64 {
    at.unix_ms().cast_unsigned() ^ (1 << 63)
}

/// The instant behind its order-preserving form.
pub(crate) fn instant(ordered: u64) -> Instant {
    Instant::from_unix_ms((ordered ^ (1 << 63)).cast_signed())
}

/// Reads parts from the front; every method answers `None` when the bytes end early.
pub(crate) struct Parts<'a>(pub(crate) &'a [u8]);

impl<'a> Parts<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn instant(&mut self) -> Option<Instant> {
        self.number().map(instant)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let count = u16::from_be_bytes(self.array()?);
        std::str::from_utf8(self.take(count.into())?).ok()
    }

    pub(crate) fn case(&mut self) -> Option<CaseId> {
        self.array().map(CaseId::from_bytes)
    }

    pub(crate) fn task(&mut self) -> Option<TaskId> {
        self.array().map(TaskId::from_bytes)
    }
}

/// The first key behind all keys with this prefix; `None` when there is none, because the prefix is empty or all ones.
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_keep_their_order_across_1970() {
        let times = [-62_135_596_800_000, -1, 0, 1, 253_402_300_799_999].map(Instant::from_unix_ms);
        let keys = times.map(|at| Key::default().instant(at).done());
        assert!(keys.is_sorted());
        assert_eq!(keys.map(|key| Parts(&key).instant().unwrap()), times);
    }

    #[test]
    fn texts_never_run_together() {
        assert_ne!(Key::default().text("A").text("BC").done(), Key::default().text("AB").text("C").done());
        let key = Key::default().text("ab").number(7).rest(b"tail").done();
        let mut parts = Parts(&key);
        assert_eq!((parts.text(), parts.number(), parts.0), (Some("ab"), Some(7), &b"tail"[..]));
        assert_eq!(parts.number(), None);
    }

    #[test]
    fn the_end_of_a_prefix_lies_behind_all_its_keys_and_before_the_next() {
        assert_eq!(after_prefix(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(after_prefix(&[1, 255, 255]), Some(vec![2]));
        assert_eq!(after_prefix(&[255]), None);
        assert_eq!(after_prefix(&[]), None);
    }
}
