//! What the earlier opinions of a case agreed to take back.

use std::collections::{BTreeMap, BTreeSet};

use crate::types::{Opinion, Remedy, Take};

/// The takes of each line that the opinions agree on.
///
/// They are those of the last opinion that has any; none of a line that any opinion denies or leaves to a person.
#[derive(Clone, Debug)]
pub struct Agreed<'a> {
    takes: BTreeMap<u32, &'a [Take]>,
    not_allowed: BTreeSet<u32>,
}

impl<'a> Agreed<'a> {
    /// What these opinions agree on: `Agreed::new(&request.earlier)`.
    #[must_use]
    pub fn new(earlier: &'a [Opinion]) -> Self {
        let mut agreed = Self { takes: BTreeMap::new(), not_allowed: BTreeSet::new() };
        for line in earlier.iter().flat_map(|opinion| &opinion.verdict.lines) {
            if line.remedy != Remedy::Allow {
                agreed.not_allowed.insert(line.line);
            }
            if !line.takes.is_empty() {
                agreed.takes.insert(line.line, &line.takes);
            }
        }
        agreed
    }

    /// What is taken back of a line; nothing where that was not allowed.
    #[must_use]
    pub fn takes_of(&self, line: u32) -> &'a [Take] {
        if self.not_allowed.contains(&line) {
            return &[];
        }
        self.takes.get(&line).copied().unwrap_or_default()
    }
}
