//! The two lanes of threads: one for who keeps to its budget, one behind it.

#[cfg(target_os = "linux")]
mod schedule;

/// How a thread is served by the machine, and whom it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Turns of tenants that keep to their budget, or whose turns are short.
    Prompt,
    /// Long turns of tenants in debt: they run on what the others leave of the cores.
    Patient,
}

/// How much less of a core the patient get where both want it: a sixtieth. It is not nothing, since they hold locks now and then for
/// which the others wait; threads that only got what nobody else wants made others wait longer.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;

/// How long the patient would run at a time if nobody woke: the most that Linux grants. From 6.12 on it lets a thread that wakes run at
/// once where it asks for less at a time than the one that runs, and everybody else asks for a few milliseconds. Without this a thread
/// that wakes waits for most of a millisecond, however nice the other is.
#[cfg(target_os = "linux")]
const SLICE: std::time::Duration = std::time::Duration::from_millis(100);

impl Lane {
    /// Both of them.
    pub(super) const BOTH: [Self; 2] = [Self::Prompt, Self::Patient];

    /// The one that this is not.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Prompt => Self::Patient,
            Self::Patient => Self::Prompt,
        }
    }

    /// What a thread of it is called; the system keeps 15 letters.
    pub(super) fn thread_name(self, n: usize) -> String {
        match self {
            Self::Prompt => format!("turn-{n}"),
            Self::Patient => format!("patient-turn-{n}"),
        }
    }

    /// Puts the calling thread into the lane. Elsewhere than on Linux both lanes get the same of the cores.
    pub(super) fn enter(self) {
        #[cfg(target_os = "linux")]
        if self == Self::Patient {
            if let Err(error) = rustix::process::nice(NICE) {
                tracing::warn!(%error, "turns of tenants over their budget run beside the others and not behind them");
            }
            if let Err(error) = schedule::set(NICE, SLICE) {
                tracing::debug!(%error, "turns of tenants over their budget give way less quickly");
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{Lane, schedule};

    #[test]
    fn a_patient_thread_gives_way_and_a_prompt_one_does_not() {
        for lane in Lane::BOTH {
            let thread = std::thread::Builder::new().name(lane.thread_name(0));
            let thread = thread.spawn(move || {
                let before = rustix::process::getpriority_process(None).unwrap();
                let slice_before = schedule::slice().unwrap();
                lane.enter();
                let after = rustix::process::getpriority_process(None).unwrap();
                ((before, slice_before), (after, schedule::slice().unwrap()))
            });
            let (before, after) = thread.unwrap().join().unwrap();
            // An older Linux knows of no slices and tells 0.
            let slice = if before.1.is_zero() { before.1 } else { super::SLICE };
            assert_eq!(after, if lane == Lane::Patient { (super::NICE, slice) } else { before }, "{lane:?}");
        }
    }
}
