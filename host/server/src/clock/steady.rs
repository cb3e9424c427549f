//! The clock of a host that serves: it follows the machine's, but not where that jumps.
//!
//! A wall clock that is set ten years on would make every wait due and let refunds go; one that is set back would hold
//! everything up. So the time is carried on by the clock that only counts, and the wall clock may correct it by a few seconds a
//! minute and no more. What is further away is reported and not followed. The time never goes back while the host runs.
//!
//! ```text
//! wall clock       within 5 s of the count: followed      further away: counted on, reported, `jumped`
//! at the start     before the last heartbeat              the heartbeat is gone on from: `jumped`
//!                  more than 400 days after it,           the heartbeat is gone on from, and nothing is
//!                  or still where it had jumped to        done that waited: `held`, until a person accepts it
//! ```

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redress_domain::clock::{Instant, Span};
use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::{Clock, random_bytes};

/// How far the wall clock may be from the count and is still followed. A clock that is kept by NTP stays within milliseconds; five
/// seconds leave room for its first correction and for a leap second.
pub const FOLLOWED_MAX: Span = Span::from_millis(5_000);
/// How often the count begins anew at the wall clock: with the above it bounds how fast the wall clock can pull the time away.
const ANCHORED_EVERY: Duration = Duration::from_secs(60);
/// How long a host may have been down and is believed. Thirty days are an outage, more than a year is a wrong clock.
pub const DOWN_MAX: Span = Span::from_days(400);

/// What a host remembers of its time when it stops, or dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The host's time.
    pub at: Instant,
    /// How far the wall clock was away, where it had jumped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jumped_ms: Option<i64>,
}

/// Whether a wall clock that contradicts the last heartbeat is to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It is not.
    Heartbeat,
    /// A person has looked at the machine's clock and says that it is right.
    Wall,
}

/// How the host's time stands to the machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It follows the wall clock.
    Follows,
    /// The wall clock has jumped; the time goes on without it.
    Jumped,
    /// The wall clock contradicted the last heartbeat by so much that nothing is done which waited for its time.
    Held,
}

impl Standing {
    /// The word in answers and figures.
    pub fn word(self) -> &'static str {
        match self {
            Self::Follows => "follows",
            Self::Jumped => "jumped",
            Self::Held => "held",
        }
    }
}

/// What the clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The host's time.
    pub now: Instant,
    /// How it stands to the machine's.
    pub standing: Standing,
    /// How far the wall clock is ahead of it, in milliseconds.
    pub deviation_ms: i64,
}

/// The clock of a host that serves.
#[derive(Debug)]
pub struct SteadyClock {
    machine: Arc<dyn Machine>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The time from which is counted on.
    anchor: Instant,
    /// What the machine had counted then.
    counted: Duration,
    /// The last time that was given: none earlier is given again.
    last: Instant,
    standing: Standing,
}

impl SteadyClock {
    /// Begin at the machine's time, as far as the last heartbeat lets it be believed.
    pub fn start(machine: Arc<dyn Machine>, heartbeat: Option<Heartbeat>, trust: Trust) -> Self {
        let wall = machine.wall();
        let (anchor, standing) = match heartbeat {
            Some(last) if trust == Trust::Heartbeat => begin(wall, last),
            _ => (wall, Standing::Follows),
        };
        let state = State { anchor, counted: machine.counted(), last: anchor, standing };
        tell(standing, wall, anchor);
        Self { machine, state: Mutex::new(state) }
    }

    /// What the clock shows, and how that stands to the machine's.
    pub fn read(&self) -> Reading {
        let mut state = self.state();
        let (wall, counted) = (self.machine.wall(), self.machine.counted());
        let passed = counted.saturating_sub(state.counted);
        let steady = state.anchor.after(span(passed));
        let deviation_ms = wall.unix_ms() - steady.unix_ms();
        let near = deviation_ms.abs() <= FOLLOWED_MAX.millis();
        let standing = match (state.standing, near) {
            // Only a person ends it, by a restart: the wall clock was believed to be wrong, and may be wrong again.
            (Standing::Held, _) => Standing::Held,
            (_, true) => Standing::Follows,
            (_, false) => Standing::Jumped,
        };
        let now = if standing == Standing::Follows { wall } else { steady };
        if standing != state.standing {
            tell(standing, wall, steady);
            state.standing = standing;
        }
        if standing == Standing::Follows && passed >= ANCHORED_EVERY {
            (state.anchor, state.counted) = (wall, counted);
        }
        state.last = state.last.max(now);
        Reading { now: state.last, standing, deviation_ms }
    }

    /// What is to be remembered of the time.
    pub fn heartbeat(&self) -> Heartbeat {
        let reading = self.read();
        let jumped = reading.standing != Standing::Follows;
        Heartbeat { at: reading.now, jumped_ms: jumped.then_some(reading.deviation_ms) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Instant {
        self.read().now
    }

    fn random(&self) -> u128 {
        u128::from_le_bytes(random_bytes())
    }
}

/// Where the time begins, and whether the wall clock is believed.
fn begin(wall: Instant, last: Heartbeat) -> (Instant, Standing) {
    // A jump forward that was not followed is not believed because of a restart.
    let still_ahead = last.jumped_ms.is_some_and(|by| by > 0 && wall >= last.at.after(Span::from_millis(by)));
    if wall > last.at.after(DOWN_MAX) || still_ahead {
        (last.at, Standing::Held)
    } else if wall.unix_ms() < last.at.unix_ms() - FOLLOWED_MAX.millis() {
        (last.at, Standing::Jumped)
    } else {
        // A little before it: the heartbeat's time stands still until the wall clock has caught up.
        (wall.max(last.at), Standing::Follows)
    }
}

/// Say it once, when it begins and when it ends.
fn tell(standing: Standing, wall: Instant, steady: Instant) {
    let deviation_ms = wall.unix_ms() - steady.unix_ms();
    let advice = "check the machine's time and set it right, or restart with `--accept-clock` where it is right";
    match standing {
        Standing::Follows => tracing::info!(deviation_ms, "time follows the machine's clock: {wall}"),
        Standing::Jumped => tracing::error!(
            deviation_ms,
            "machine's clock says {wall}, the time that has passed says {steady}: the clock is not followed; {advice}"
        ),
        Standing::Held => tracing::error!(
            deviation_ms,
            "machine's clock says {wall}, the host was last up at {steady}: timers are held and effects not sent; {advice}"
        ),
    }
}

fn span(passed: Duration) -> Span {
    Span::from_millis(i64::try_from(passed.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    const START: i64 = 1_772_442_000_000;
    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;

    /// A machine whose clocks are moved by hand.
    #[derive(Debug)]
    struct Hand {
        wall: AtomicI64,
        counted: AtomicI64,
    }

    impl Hand {
        fn new() -> Arc<Self> {
            Arc::new(Self { wall: START.into(), counted: 1_000.into() })
        }

        /// Time passes, and the wall clock goes with it.
        fn pass(&self, ms: i64) {
            self.wall.fetch_add(ms, Ordering::SeqCst);
            self.counted.fetch_add(ms, Ordering::SeqCst);
        }

        /// Somebody sets the wall clock.
        fn jump(&self, ms: i64) {
            self.wall.fetch_add(ms, Ordering::SeqCst);
        }
    }

    impl Machine for Hand {
        fn wall(&self) -> Instant {
            Instant::from_unix_ms(self.wall.load(Ordering::SeqCst))
        }

        fn counted(&self) -> Duration {
            Duration::from_millis(self.counted.load(Ordering::SeqCst).unsigned_abs())
        }
    }

    fn started(hand: &Arc<Hand>) -> SteadyClock {
        SteadyClock::start(hand.clone(), None, Trust::Heartbeat)
    }

    fn after(hand: &Arc<Hand>, at: i64, jumped_ms: Option<i64>) -> SteadyClock {
        let last = Heartbeat { at: Instant::from_unix_ms(at), jumped_ms };
        SteadyClock::start(hand.clone(), Some(last), Trust::Heartbeat)
    }

    /// The time since the start, how it stands, and how far the wall clock is ahead.
    fn shown(clock: &SteadyClock) -> (i64, Standing, i64) {
        let reading = clock.read();
        (reading.now.unix_ms() - START, reading.standing, reading.deviation_ms)
    }

    #[test]
    fn a_wall_clock_that_goes_with_the_time_is_followed() {
        let hand = Hand::new();
        let clock = started(&hand);
        hand.pass(HOUR);
        assert_eq!(shown(&clock), (HOUR, Standing::Follows, 0));
    }

    #[test]
    fn a_correction_of_some_seconds_is_followed_and_never_goes_back() {
        let hand = Hand::new();
        let clock = started(&hand);
        hand.jump(5_000);
        assert_eq!(shown(&clock), (5_000, Standing::Follows, 5_000));
        hand.jump(-7_000);
        assert_eq!(shown(&clock), (5_000, Standing::Follows, -2_000), "it stands until the wall clock is there");
        hand.pass(8_000);
        assert_eq!(shown(&clock), (6_000, Standing::Follows, -2_000));
    }

    #[test]
    fn a_jump_is_not_followed_in_either_direction_and_its_end_is_seen() {
        for jump in [5_001, -5_001, 10 * 365 * DAY, -HOUR] {
            let hand = Hand::new();
            let clock = started(&hand);
            hand.pass(HOUR);
            hand.jump(jump);
            assert_eq!(shown(&clock), (HOUR, Standing::Jumped, jump));
            hand.pass(DAY);
            assert_eq!(shown(&clock), (HOUR + DAY, Standing::Jumped, jump), "it goes on steadily");
            hand.jump(-jump);
            assert_eq!(shown(&clock), (HOUR + DAY, Standing::Follows, 0));
        }
    }

    #[test]
    fn a_wall_clock_that_runs_fast_is_left_before_it_has_pulled_the_time_away() {
        let hand = Hand::new();
        let clock = started(&hand);
        for _ in 0..3_600 {
            hand.pass(1_000);
            hand.jump(1_000);
            clock.read();
        }
        let (now, standing, _) = shown(&clock);
        assert_eq!(standing, Standing::Jumped);
        assert!((HOUR..=HOUR + FOLLOWED_MAX.millis()).contains(&now), "{now}");
    }

    #[test]
    fn a_clock_that_drifts_is_followed_for_ever() {
        let hand = Hand::new();
        let clock = started(&hand);
        for _ in 0..24 * 60 {
            hand.pass(60_000);
            hand.jump(12);
            assert_eq!(clock.read().standing, Standing::Follows);
        }
        assert_eq!(shown(&clock).0, DAY + 24 * 60 * 12);
    }

    #[test]
    fn a_start_before_the_last_heartbeat_goes_on_from_it() {
        let hand = Hand::new();
        let clock = after(&hand, START + HOUR, None);
        assert_eq!(shown(&clock), (HOUR, Standing::Jumped, -HOUR));
        hand.pass(DAY);
        assert_eq!(shown(&clock).0, HOUR + DAY);
        hand.jump(HOUR);
        assert_eq!(shown(&clock), (HOUR + DAY, Standing::Follows, 0));
    }

    #[test]
    fn thirty_days_of_outage_are_believed_and_more_than_four_hundred_are_not() {
        let hand = Hand::new();
        for days in [0, 30, 400] {
            assert_eq!(shown(&after(&hand, START - days * DAY, None)), (0, Standing::Follows, 0), "{days} days");
        }
        let clock = after(&hand, START - 401 * DAY, None);
        assert_eq!(shown(&clock), (-401 * DAY, Standing::Held, 401 * DAY));
        hand.jump(-401 * DAY);
        assert_eq!(clock.read().standing, Standing::Held, "only a restart ends it");
    }

    #[test]
    fn a_restart_alone_does_not_make_a_jump_believed() {
        let hand = Hand::new();
        let clock = started(&hand);
        hand.jump(20 * DAY);
        let heartbeat = clock.heartbeat();
        assert_eq!(heartbeat.jumped_ms, Some(20 * DAY));
        hand.pass(HOUR);
        let again = SteadyClock::start(hand.clone(), Some(heartbeat), Trust::Heartbeat);
        assert_eq!(shown(&again), (0, Standing::Held, 20 * DAY + HOUR));
        hand.jump(-20 * DAY);
        let mended = SteadyClock::start(hand.clone(), Some(heartbeat), Trust::Heartbeat);
        assert_eq!(shown(&mended), (HOUR, Standing::Follows, 0));
    }

    #[test]
    fn a_person_may_say_that_the_wall_clock_is_right() {
        let hand = Hand::new();
        for at in [START - 4_000 * DAY, START + HOUR] {
            let last = Heartbeat { at: Instant::from_unix_ms(at), jumped_ms: Some(DAY) };
            let clock = SteadyClock::start(hand.clone(), Some(last), Trust::Wall);
            assert_eq!(shown(&clock), (0, Standing::Follows, 0));
        }
    }
}
