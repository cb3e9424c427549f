//! Work on all cores, with the results in the order of the work.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What `work` makes of each item.
///
/// # Errors
/// The machine gives no threads.
pub(crate) fn each<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Result<Vec<R>, std::io::Error> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else { return done };
            done.push((place, work(item)));
        }
    };
    thread::scope(|scope| {
        let named = |_| thread::Builder::new().name("backtest".to_owned()).spawn_scoped(scope, take);
        let threads: Vec<_> = (0..threads.clamp(1, items.len().max(1))).map(named).collect::<Result<_, _>>()?;
        let mut all = Vec::with_capacity(items.len());
        for thread in threads {
            // A panic is a fault of ours; it ends the backtest as it would on one thread.
            all.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all.sort_unstable_by_key(|(place, _)| *place);
        Ok(all.into_iter().map(|(_, result)| result).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_work() {
        let items: Vec<usize> = (0..1_000).collect();
        let doubled: Vec<usize> = (0..1_000).map(|one| one * 2).collect();
        assert_eq!(each(&items, 3, |one| one * 2).unwrap(), doubled);
        assert_eq!(each(&[0_u8; 0], 3, |one| *one).unwrap(), [0; 0]);
    }
}
