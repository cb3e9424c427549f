//! The rules of settlement: what may be sent again, what an answer means for the effect, and when silence becomes a person's.
//! Pure: the log so far, the terms of the connector, an answer and a time in; what to do out.

use redress_domain::case::command::Settled;
use redress_domain::clock::{Instant, Span};

use super::delivery::{Delivery, Outcome};
use crate::config;

/// Pauses are never shorter, whatever the dice say: a receiver that is down is not hammered.
const RETRY_MIN_MS: i64 = 100;

/// What a receiver promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// Whether a request that comes again under its key does nothing more, and for how long the receiver knows a key.
    pub(super) key: Key,
    /// How long it may take to settle what it accepted.
    pub(super) answer_within: Span,
    /// What silence comes to in the end.
    pub(super) silence: Settled,
}

/// What a receiver does with a key that it has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// It acts once, for as long as it knows the key.
    Idempotent(Span),
    /// It may act again. What certainly never left is still tried for so long.
    Repeats(Span),
}

/// What an attempt brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// What it means.
    pub(super) meaning: Meaning,
    /// The status of the answer, of HTTP.
    pub(super) status: Option<u16>,
    /// A code for what went wrong.
    pub(super) reason: Option<String>,
    /// How long the receiver asks to be left alone.
    pub(super) pause: Option<Span>,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It happened.
    Confirmed(Option<String>),
    /// It did not and will not.
    Declined(Option<String>),
    /// It is settled later.
    Accepted,
    /// Whether the receiver acted is not known.
    Lost,
    /// Nothing reached the receiver.
    NotSent,
}

impl Answer {
    pub(super) fn new(meaning: Meaning) -> Self {
        Self { meaning, status: None, reason: None, pause: None }
    }

    pub(super) fn because(meaning: Meaning, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::new(meaning) }
    }
}

/// What is to be done with an effect that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    /// Send it.
    Send,
    /// Asking again is not safe any more; the outcome may still come by itself.
    Wait(Instant),
    /// Nothing more can be learnt by sending.
    Settle(Settled, &'static str),
}

/// What is to be done after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// The outcome is known, or known to be unknown.
    Settle(Settled, Option<String>),
    /// Once more, from then on.
    Again(Outcome, Instant),
}

/// What is to be done with an effect that is due, after these attempts of its round.
pub(super) fn due(terms: &Terms, round: &[Delivery], now: Instant) -> Due {
    let Some(ends) = Ends::of(terms, round) else { return Due::Send };
    if let Some(answer_by) = ends.answer_by {
        return match terms.key {
            _ if now >= answer_by => Due::Settle(terms.silence, "no_answer"),
            Key::Idempotent(_) if now < ends.key => Due::Send,
            _ => Due::Wait(answer_by),
        };
    }
    let is_open = round.iter().any(|delivery| delivery.was_tried() && delivery.outcome == Outcome::Started);
    match terms.key {
        Key::Repeats(_) if is_open => Due::Settle(terms.silence, "sent_and_not_idempotent"),
        _ if now >= ends.key => Due::Settle(terms.silence, "key_lifetime_over"),
        _ => Due::Send,
    }
}

/// What is to be done after an answer; `round` ends with the attempt that it answers.
pub(super) fn after(
    terms: &Terms,
    limits: &config::Outbox,
    round: &[Delivery],
    answer: &Answer,
    now: Instant,
    random: u128,
) -> Next {
    let tries = round.iter().filter(|delivery| delivery.was_tried()).count();
    let again = now.after(pause(limits, tries, answer.pause, random));
    let ends = Ends::of(terms, round);
    let key_ends = ends.as_ref().map_or(now, |ends| ends.key);
    let answer_by = ends.and_then(|ends| ends.answer_by);
    match &answer.meaning {
        Meaning::Confirmed(reference) => Next::Settle(Settled::Confirmed, reference.clone()),
        Meaning::Declined(reference) => Next::Settle(Settled::Declined, reference.clone()),
        Meaning::Accepted => {
            let answer_by = answer_by.unwrap_or(now.after(terms.answer_within));
            Next::Again(Outcome::Accepted, ask_at(terms, again, key_ends, answer_by))
        }
        Meaning::Lost => match (terms.key, answer_by) {
            (_, Some(answer_by)) => Next::Again(Outcome::Retry, ask_at(terms, again, key_ends, answer_by)),
            (Key::Repeats(_), None) => Next::Settle(terms.silence, None),
            (Key::Idempotent(_), None) => Next::Again(Outcome::Retry, again.min(key_ends)),
        },
        Meaning::NotSent => match answer_by {
            Some(answer_by) => Next::Again(Outcome::Retry, ask_at(terms, again, key_ends, answer_by)),
            None => Next::Again(Outcome::Retry, again.min(key_ends)),
        },
    }
}

/// When to ask for what was accepted: while the key is known, then not before the receiver's time is over.
fn ask_at(terms: &Terms, again: Instant, key_ends: Instant, answer_by: Instant) -> Instant {
    match terms.key {
        Key::Idempotent(_) if again < key_ends => again.min(answer_by),
        _ => answer_by,
    }
}

/// The pause after so many tries: at most twice as long each time, anything shorter as likely, so that what failed together does
/// not come back together.
fn pause(limits: &config::Outbox, tries: usize, asked: Option<Span>, random: u128) -> Span {
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(u32::MAX).min(30);
    let most = limits.retry_first.millis().saturating_mul(1 << doublings).min(limits.retry_max.millis()).max(1);
    let drawn = i64::try_from(random % most.unsigned_abs() as u128).unwrap_or(most);
    let asked = asked.map_or(0, |span| span.millis().min(limits.retry_max.millis()));
    Span::from_millis(drawn.max(asked).max(RETRY_MIN_MS))
}

/// When what a receiver promised ends, once something was tried.
struct Ends {
    key: Instant,
    answer_by: Option<Instant>,
}

impl Ends {
    fn of(terms: &Terms, round: &[Delivery]) -> Option<Self> {
        let first = round.iter().find(|delivery| delivery.was_tried())?;
        let (Key::Idempotent(lifetime) | Key::Repeats(lifetime)) = terms.key;
        let accepted = round.iter().find(|delivery| delivery.outcome == Outcome::Accepted);
        let answer_by = accepted.map(|delivery| delivery.started_at.after(terms.answer_within));
        Some(Self { key: first.started_at.after(lifetime), answer_by })
    }
}
