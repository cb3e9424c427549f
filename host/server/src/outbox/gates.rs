//! How many requests go to one host at once, over all tenants: a host that hangs must not hold what others need.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A gate for each host that something is on its way to.
#[derive(Clone, Default)]
pub(super) struct Gates(Arc<Mutex<BTreeMap<String, usize>>>);

/// The right to send to a host; given back when it is dropped.
pub(super) struct Passage {
    gates: Gates,
    host: String,
}

impl Gates {
    /// Enter where fewer than `max` are on their way.
    pub(super) fn enter(&self, host: &str, max: usize) -> Option<Passage> {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = inside.entry(host.to_owned()).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Passage { gates: self.clone(), host: host.to_owned() })
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        let mut inside = self.gates.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(&self.host) {
            *count -= 1;
            if *count == 0 {
                inside.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_takes_no_more_than_its_share_until_one_comes_out() {
        let gates = Gates::default();
        let (one, other) = (gates.enter("a", 2).unwrap(), gates.enter("a", 2).unwrap());
        assert!(gates.enter("a", 2).is_none() && gates.enter("b", 2).is_some());
        drop(one);
        assert!(gates.enter("a", 2).is_some());
        drop(other);
        assert!(gates.0.lock().unwrap().is_empty(), "nothing is kept of hosts that nothing goes to");
    }
}
