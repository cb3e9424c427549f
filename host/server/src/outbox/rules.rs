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
    /// Acting twice harms nobody. It is tried for so long.
    Harmless(Span),
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

/// The attempts to deliver an effect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log<'a> {
    /// All of them, in order.
    pub(super) all: &'a [Delivery],
    /// The round that is under way: a person who sends the effect again begins another.
    pub(super) round: Instant,
}

impl<'a> Log<'a> {
    /// Those that may have reached the receiver and that nobody has answered for. A person who sends what had become unknown
    /// answers for all that was tried before; one who only hurries an effect answers for nothing.
    fn open(self, terms: &Terms) -> impl Iterator<Item = &'a Delivery> {
        let answered_for = self.all.iter().rposition(|delivery| delivery.outcome == Outcome::Unknown);
        let harmless = matches!(terms.key, Key::Harmless(_));
        let open = self.all.iter().skip(answered_for.map_or(0, |place| place + 1));
        open.filter(move |delivery| delivery.was_tried() && (!harmless || delivery.round == self.round))
    }

    /// How often it was tried in this round.
    fn tries(self) -> usize {
        self.all.iter().filter(|delivery| delivery.was_tried() && delivery.round == self.round).count()
    }
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

/// What is to be done with an effect that is due, after these attempts.
pub(super) fn due(terms: &Terms, log: Log<'_>, now: Instant) -> Due {
    let Some(ends) = Ends::of(terms, log) else { return Due::Send };
    if let Some(answer_by) = ends.answer_by {
        return match terms.key {
            _ if now >= answer_by => Due::Settle(terms.silence, "no_answer"),
            Key::Idempotent(_) | Key::Harmless(_) if now < ends.key => Due::Send,
            _ => Due::Wait(answer_by),
        };
    }
    let may_have_left = log.open(terms).any(|delivery| delivery.outcome == Outcome::Started);
    match terms.key {
        Key::Repeats(_) if may_have_left => Due::Settle(terms.silence, "sent_and_not_idempotent"),
        _ if now >= ends.key => Due::Settle(terms.silence, "key_lifetime_over"),
        _ => Due::Send,
    }
}

/// What is to be done after an answer; the log ends with the attempt that it answers.
pub(super) fn after(
    terms: &Terms,
    limits: &config::Outbox,
    log: Log<'_>,
    answer: &Answer,
    now: Instant,
    random: u128,
) -> Next {
    let again = now.after(pause(limits, log.tries(), answer.pause, random));
    let ends = Ends::of(terms, log);
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
            (Key::Idempotent(_) | Key::Harmless(_), None) => Next::Again(Outcome::Retry, again.min(key_ends)),
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
        Key::Idempotent(_) | Key::Harmless(_) if again < key_ends => again.min(answer_by),
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
    fn of(terms: &Terms, log: Log<'_>) -> Option<Self> {
        let first = log.open(terms).next()?;
        let (Key::Idempotent(lifetime) | Key::Harmless(lifetime) | Key::Repeats(lifetime)) = terms.key;
        let key = match terms.key {
            // Any attempt so far may be the one that the receiver acted on, also one that a person has answered for: it must
            // still know the oldest that it can have known when this round began.
            Key::Idempotent(_) => {
                let tried = log.all.iter().filter(|delivery| delivery.was_tried());
                let mut ends = tried.map(|delivery| delivery.started_at.after(lifetime));
                ends.find(|end| *end > log.round).unwrap_or(first.started_at.after(lifetime))
            }
            Key::Harmless(_) | Key::Repeats(_) => first.started_at.after(lifetime),
        };
        let accepted = log.open(terms).find(|delivery| delivery.outcome == Outcome::Accepted);
        let answer_by = accepted.map(|delivery| delivery.started_at.after(terms.answer_within));
        Some(Self { key, answer_by })
    }
}

#[cfg(test)]
mod tests {
    use super::super::connectors::Kind;
    use super::*;

    const MINUTE: i64 = 60_000;

    fn at(ms: i64) -> Instant {
        Instant::from_unix_ms(ms)
    }

    fn terms(key: Key) -> Terms {
        Terms { key, answer_within: Span::from_millis(72 * 60 * MINUTE), silence: Settled::Unknown }
    }

    fn idempotent() -> Terms {
        terms(Key::Idempotent(Span::from_days(1)))
    }

    fn tried(attempt: u32, started: i64, outcome: Outcome) -> Delivery {
        Delivery {
            attempt,
            round: at(0),
            started_at: at(started),
            ended_at: None,
            connector: Kind::Payment,
            how: Some("webhook".to_owned()),
            outcome,
            status: None,
            reason: None,
        }
    }

    fn next(terms: &Terms, all: &[Delivery], meaning: Meaning, now: i64, random: u128) -> Next {
        after(terms, &config::Outbox::default(), log(all, 0), &Answer::new(meaning), at(now), random)
    }

    fn log(all: &[Delivery], round: i64) -> Log<'_> {
        Log { all, round: at(round) }
    }

    fn due(terms: &Terms, all: &[Delivery], now: Instant) -> Due {
        super::due(terms, log(all, 0), now)
    }

    #[test]
    fn pauses_double_up_to_an_hour_and_anything_shorter_is_as_likely() {
        let limits = config::Outbox::default();
        let most = |tries| (0..4_000_u128).map(|random| pause(&limits, tries, None, random * 997).millis()).max();
        for (tries, expected) in
            [(1, 5_000), (2, 10_000), (3, 20_000), (10, 2_560_000), (11, 3_600_000), (99, 3_600_000)]
        {
            let most = most(tries).unwrap();
            assert!(most < expected && most > expected / 2, "{tries} tries: {most}");
        }
        assert_eq!(pause(&limits, 1, None, 0).millis(), RETRY_MIN_MS);
    }

    #[test]
    fn the_last_try_is_within_the_life_of_the_key_and_the_end_of_it_is_not_missed() {
        let (terms, day) = (idempotent(), 24 * 60 * MINUTE);
        let round: Vec<_> = (0..20).map(|n| tried(n + 1, i64::from(n) * MINUTE, Outcome::Retry)).collect();
        assert_eq!(due(&terms, &round, at(day - 1)), Due::Send);
        assert_eq!(due(&terms, &round, at(day)), Due::Settle(Settled::Unknown, "key_lifetime_over"));
        assert_eq!(next(&terms, &round, Meaning::Lost, day - 1, u128::MAX), Next::Again(Outcome::Retry, at(day)));
    }

    #[test]
    fn a_lost_answer_after_an_accepted_one_is_still_waited_for() {
        let (terms, answer_by) = (idempotent(), at(72 * 60 * MINUTE));
        let round = [tried(1, 0, Outcome::Accepted), tried(2, MINUTE, Outcome::Started)];
        assert!(matches!(next(&terms, &round, Meaning::Lost, MINUTE, 0), Next::Again(Outcome::Retry, _)));
        assert_eq!(due(&terms, &round, at(25 * 60 * MINUTE)), Due::Wait(answer_by));
        assert_eq!(due(&terms, &round, answer_by), Due::Settle(Settled::Unknown, "no_answer"));
        let repeats = self::terms(Key::Repeats(Span::from_days(1)));
        assert_eq!(due(&repeats, &round[..1], at(MINUTE)), Due::Wait(answer_by), "asking would be a second request");
        assert_eq!(next(&repeats, &round[..1], Meaning::Accepted, 1, 0), Next::Again(Outcome::Accepted, answer_by));
    }

    #[test]
    fn an_attempt_without_an_end_is_sent_again_only_where_the_key_is_known() {
        let round = [tried(1, 0, Outcome::Started)];
        assert_eq!(due(&idempotent(), &round, at(MINUTE)), Due::Send);
        let repeats = terms(Key::Repeats(Span::from_days(1)));
        assert_eq!(due(&repeats, &round, at(MINUTE)), Due::Settle(Settled::Unknown, "sent_and_not_idempotent"));
        assert_eq!(next(&repeats, &round, Meaning::Lost, MINUTE, 0), Next::Settle(Settled::Unknown, None));
        assert!(matches!(next(&repeats, &round, Meaning::NotSent, MINUTE, 0), Next::Again(Outcome::Retry, _)));
    }

    #[test]
    fn an_effect_that_a_person_hurries_is_sent_no_longer_than_its_first_attempt_is_known() {
        let (hour, terms) = (60 * MINUTE, idempotent());
        let mut all = vec![tried(1, 0, Outcome::Retry)];
        // Sent again by a person after 23 hours, and that answer is lost too.
        let hurried = 23 * hour;
        assert_eq!(super::due(&terms, log(&all, hurried), at(hurried)), Due::Send);
        all.push(Delivery { round: at(hurried), ..tried(2, hurried, Outcome::Retry) });
        assert_eq!(super::due(&terms, log(&all, hurried), at(24 * hour - 1)), Due::Send);
        let over = Due::Settle(Settled::Unknown, "key_lifetime_over");
        assert_eq!(super::due(&terms, log(&all, hurried), at(24 * hour)), over, "the first may be what was paid");
    }

    #[test]
    fn what_a_person_answers_for_is_sent_once_and_again_only_while_no_attempt_can_be_forgotten() {
        let (hour, terms) = (60 * MINUTE, idempotent());
        let mut all = vec![tried(1, 0, Outcome::Retry), tried(2, hour + 1, Outcome::Retry)];
        all.push(tried(3, 23 * hour, Outcome::Unknown));
        let answered = 25 * hour;
        assert_eq!(super::due(&terms, log(&all, answered), at(answered)), Due::Send, "it is the person's word");
        all.push(Delivery { round: at(answered), ..tried(4, answered, Outcome::Retry) });
        assert_eq!(super::due(&terms, log(&all, answered), at(25 * hour)), Due::Send);
        let over = Due::Settle(Settled::Unknown, "key_lifetime_over");
        assert_eq!(super::due(&terms, log(&all, answered), at(25 * hour + 1)), over, "the second may be what was paid");
        let late = 60 * hour;
        all.push(Delivery { round: at(late), ..tried(5, late, Outcome::Retry) });
        all[3].outcome = Outcome::Unknown;
        assert_eq!(super::due(&terms, log(&all, late), at(83 * hour)), Due::Send, "nothing older is known to anybody");
    }

    #[test]
    fn hurrying_never_makes_a_second_request_to_a_receiver_that_does_not_know_keys() {
        let repeats = terms(Key::Repeats(Span::from_days(1)));
        let (open, accepted) = ([tried(1, 0, Outcome::Started)], [tried(1, 0, Outcome::Accepted)]);
        let settled = Due::Settle(Settled::Unknown, "sent_and_not_idempotent");
        assert_eq!(super::due(&repeats, log(&open, MINUTE), at(MINUTE)), settled);
        let answer_by = at(72 * 60 * MINUTE);
        assert_eq!(super::due(&repeats, log(&accepted, MINUTE), at(MINUTE)), Due::Wait(answer_by));
        let answered_for = [tried(1, 0, Outcome::Unknown)];
        assert_eq!(super::due(&repeats, log(&answered_for, MINUTE), at(MINUTE)), Due::Send);
    }

    #[test]
    fn a_message_that_is_sent_again_begins_anew() {
        let harmless = terms(Key::Harmless(Span::from_days(3)));
        let all = [tried(1, 0, Outcome::Accepted)];
        let later = 100 * 24 * 60 * MINUTE;
        assert_eq!(super::due(&harmless, log(&all, later), at(later)), Due::Send);
    }

    #[test]
    fn what_was_never_tried_has_no_key_that_could_run_out() {
        let waiting = Delivery { how: None, ..tried(1, 0, Outcome::Retry) };
        assert_eq!(due(&idempotent(), &[waiting], at(1_000 * 60 * MINUTE)), Due::Send);
    }
}
