//! The loaded plugins by their digests.
//!
//! With a thousand plugins every call finds its own cold, outside of the processor's caches, and each comparison on the way to it is a
//! wait for memory. So the way is short: the digest itself, which is as good as random, says in which of many small lists a plugin is.

use std::sync::{Arc, PoisonError, RwLock};

use crate::Digest;

/// Lists; a thousand plugins are four to a list.
const LISTS: usize = 256;

/// What is kept of each plugin.
pub(crate) struct Plugins<T> {
    lists: Box<[List<T>]>,
}

/// In the order of the digests, so that many in one list cost little too.
type List<T> = RwLock<Vec<(Digest, Arc<T>)>>;

impl<T> Default for Plugins<T> {
    fn default() -> Self {
        Self { lists: (0..LISTS).map(|_| List::default()).collect() }
    }
}

impl<T> Plugins<T> {
    fn list(&self, digest: &Digest) -> &List<T> {
        &self.lists[usize::from(digest[0])]
    }

    /// The plugin of a digest.
    pub(crate) fn find(&self, digest: &Digest) -> Option<Arc<T>> {
        let list = self.list(digest).read().unwrap_or_else(PoisonError::into_inner);
        let place = list.binary_search_by(|(one, _)| one.cmp(digest)).ok()?;
        Some(list[place].1.clone())
    }

    /// Keeps a plugin, in place of what was kept under its digest.
    pub(crate) fn insert(&self, digest: Digest, plugin: Arc<T>) {
        let mut list = self.list(&digest).write().unwrap_or_else(PoisonError::into_inner);
        match list.binary_search_by(|(one, _)| one.cmp(&digest)) {
            Ok(place) => list[place].1 = plugin,
            Err(place) => list.insert(place, (digest, plugin)),
        }
    }

    /// Forgets a plugin. Tells whether there was one.
    pub(crate) fn remove(&self, digest: &Digest) -> bool {
        let mut list = self.list(digest).write().unwrap_or_else(PoisonError::into_inner);
        let place = list.binary_search_by(|(one, _)| one.cmp(digest));
        place.map(|place| list.remove(place)).is_ok()
    }

    /// Forgets those that are not wanted. Tells how many.
    pub(crate) fn retain(&self, is_wanted: impl Fn(&T) -> bool) -> usize {
        let forget = |list: &List<T>| {
            let mut list = list.write().unwrap_or_else(PoisonError::into_inner);
            let before = list.len();
            list.retain(|(_, plugin)| is_wanted(plugin));
            before - list.len()
        };
        self.lists.iter().map(forget).sum()
    }

    /// How many there are that are like this.
    pub(crate) fn count(&self, is_like: impl Fn(&T) -> bool) -> usize {
        let count = |list: &List<T>| {
            let list = list.read().unwrap_or_else(PoisonError::into_inner);
            list.iter().filter(|(_, plugin)| is_like(plugin)).count()
        };
        self.lists.iter().map(count).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Plugins;

    #[test]
    fn plugins_are_found_by_all_of_their_digest_whichever_list_they_share() {
        let plugins = Plugins::default();
        let digest = |first: u8, last: u8| {
            let mut digest = [7; 32];
            (digest[0], digest[31]) = (first, last);
            digest
        };
        for number in [3, 1, 2] {
            plugins.insert(digest(9, number), Arc::new(number));
            plugins.insert(digest(number, 0), Arc::new(number + 10));
        }
        assert_eq!(plugins.count(|_| true), 6);
        assert_eq!(plugins.find(&digest(9, 2)).as_deref(), Some(&2));
        assert_eq!(plugins.find(&digest(2, 0)).as_deref(), Some(&12));
        assert_eq!(plugins.find(&digest(9, 4)), None);
        plugins.insert(digest(9, 2), Arc::new(20));
        assert_eq!((plugins.find(&digest(9, 2)).as_deref(), plugins.count(|_| true)), (Some(&20), 6));
        assert!(plugins.remove(&digest(9, 1)) && !plugins.remove(&digest(9, 1)));
        assert_eq!(plugins.find(&digest(9, 3)).as_deref(), Some(&3));
        assert_eq!(plugins.retain(|number| *number < 10), 4);
        assert_eq!((plugins.count(|_| true), plugins.find(&digest(9, 3)).as_deref()), (1, Some(&3)));
    }
}
