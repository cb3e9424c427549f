//! Sandboxes that are wrong on purpose: each lets something through that makes decisions unrepeatable, so that a test can show that
//! replay finds it. Only tests are built with them.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicI64, Ordering};

use crate::call::Call;
use crate::contract::{Request, StepRequest};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// The bits of a NaN are the processor's.
    NanBits,
    /// A plugin sees a clock that goes on, instead of the time of the request.
    Clock,
    /// A plugin sees the random seed of a hash map, instead of the seed of the request.
    HashSeed,
}

/// A question as a wrong host puts it.
pub(crate) enum Changed {
    Request(Box<Request>),
    Step(Box<StepRequest>),
}

impl Changed {
    pub(crate) fn of(call: Call<'_>, mutant: Mutant) -> Self {
        match call {
            Call::Eligibility(request) | Call::Compliance(request) | Call::Refund(request) => {
                let mut request = Box::new(request.clone());
                (request.now.unix_ms, request.seed) = leaked(mutant, request.now.unix_ms, request.seed);
                Self::Request(request)
            }
            Call::Step(request) => {
                let mut request = Box::new(request.clone());
                (request.now.unix_ms, request.seed) = leaked(mutant, request.now.unix_ms, request.seed);
                Self::Step(request)
            }
        }
    }

    /// The same question about what was changed.
    pub(crate) fn put<'c>(&'c self, call: Call<'c>) -> Call<'c> {
        match (call, self) {
            (Call::Eligibility(_), Self::Request(request)) => Call::Eligibility(request),
            (Call::Compliance(_), Self::Request(request)) => Call::Compliance(request),
            (Call::Refund(_), Self::Request(request)) => Call::Refund(request),
            (Call::Step(_), Self::Step(request)) => Call::Step(request),
            (call, _) => call,
        }
    }
}

fn leaked(mutant: Mutant, now: i64, seed: u64) -> (i64, u64) {
    static CLOCK: AtomicI64 = AtomicI64::new(0);
    match mutant {
        Mutant::NanBits => (now, seed),
        Mutant::Clock => (now + CLOCK.fetch_add(1, Ordering::Relaxed), seed),
        Mutant::HashSeed => (now, RandomState::new().hash_one(seed)),
    }
}
