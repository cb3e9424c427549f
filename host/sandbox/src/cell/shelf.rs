//! The plugins that a cell holds, as its host knows them: by their bytes, and by when they were asked for.

use std::collections::BTreeMap;

use crate::Digest;

/// Plugins that a cell holds at most, however small: each with an image of a memory takes a file of the cell for every memory that it has.
const PLUGINS_MAX: usize = 120;

/// What a cell holds.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    held: BTreeMap<Digest, Held>,
    /// How often something was asked for, by which the order of use is known.
    asked: u64,
}

#[derive(Debug)]
struct Held {
    bytes: usize,
    asked: u64,
}

impl Shelf {
    /// Whether a plugin is there, which counts as asked for.
    pub(super) fn has(&mut self, digest: &Digest) -> bool {
        self.asked += 1;
        let asked = self.asked;
        self.held.get_mut(digest).map(|held| held.asked = asked).is_some()
    }

    /// Puts a plugin there. Gives those that are there no more, because they were not asked for longest and the bytes of all are at most
    /// so many; a plugin that has more than that by itself is there alone.
    pub(super) fn put(&mut self, digest: Digest, bytes: usize, bytes_max: usize) -> Vec<Digest> {
        let mut all: usize = self.held.values().map(|held| held.bytes).sum();
        let mut gone = Vec::new();
        while all.saturating_add(bytes) > bytes_max || self.held.len() >= PLUGINS_MAX {
            let oldest = self.held.iter().min_by_key(|(_, held)| held.asked).map(|(digest, _)| *digest);
            let Some(oldest) = oldest else { break };
            all -= self.held.remove(&oldest).map_or(0, |held| held.bytes);
            gone.push(oldest);
        }
        self.held.insert(digest, Held { bytes, asked: self.asked });
        gone
    }

    /// A plugin that could not be taken in is not there.
    pub(super) fn remove(&mut self, digest: &Digest) {
        self.held.remove(digest);
    }
}

#[cfg(test)]
mod tests {
    use super::{PLUGINS_MAX, Shelf};

    #[test]
    fn what_was_not_asked_for_longest_makes_room() {
        let mut shelf = Shelf::default();
        let [one, two, three, large] = [1, 2, 3, 4].map(|number| [number; 32]);
        for digest in [one, two] {
            assert!(!shelf.has(&digest));
            assert!(shelf.put(digest, 40, 100).is_empty());
        }
        assert!(shelf.has(&one));
        assert!(!shelf.has(&three));
        assert_eq!(shelf.put(three, 40, 100), [two]);
        assert!(!shelf.has(&large));
        assert_eq!(shelf.put(large, 1_000, 100), [one, three]);
        assert!(shelf.has(&large) && !shelf.has(&one));
        shelf.remove(&large);
        assert!(!shelf.has(&large));
    }

    #[test]
    fn many_small_plugins_make_room_for_each_other() {
        let mut shelf = Shelf::default();
        let all: Vec<[u8; 32]> = (0..=PLUGINS_MAX).map(|number| [u8::try_from(number).unwrap(); 32]).collect();
        let gone = all.iter().flat_map(|digest| {
            assert!(!shelf.has(digest));
            shelf.put(*digest, 1, 1 << 20)
        });
        assert_eq!(gone.collect::<Vec<_>>(), all[..1]);
    }
}
