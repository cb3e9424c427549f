//! Backtest: what was decided once, decided again by other rules, and the two compared.
//!
//! Each case is decided with the facts that were recorded for it, up to its first wait. What the other rules decide changes nothing
//! for later cases: each is asked "and if it had been like this?" by itself. A closed case can also be played to its end, with the
//! events, answers and outcomes that were recorded for it.

pub mod again;
mod clockwork;
pub mod side;
pub mod tally;
pub mod whole;
