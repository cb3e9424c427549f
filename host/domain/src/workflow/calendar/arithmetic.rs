//! Counting by a calendar: business hours elapse while people work, business days are days on which they do.

use chrono::{Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};

use super::Calendar;
use super::hours::Stretch;
use crate::clock::{Instant, Span};

/// The most days that are looked at for one count: a hundred years. What is further off is due then.
const DAYS_MAX: usize = 36_525;

impl Calendar {
    /// The instant at which so much business time has elapsed since this one.
    pub fn after_hours(&self, from: Instant, span: Span) -> Instant {
        let mut left = span.millis();
        let mut day = from.date(self.zone);
        for _ in 0..DAYS_MAX {
            for stretch in self.of_day(day) {
                let (opens, closes) = self.instants(day, *stretch);
                let begins = opens.max(from);
                let open = closes.unix_ms() - begins.unix_ms();
                if open >= left && open > 0 {
                    return begins.after(Span::from_millis(left));
                }
                left -= open.max(0);
            }
            let Some(next) = day.succ_opt() else { break };
            day = next;
        }
        from.after(Span::from_days(DAYS_MAX as i64))
    }

    /// The day so many business days after this one; before it where the number is below zero, itself where it is zero.
    pub fn after_days(&self, from: NaiveDate, days: i64) -> NaiveDate {
        let (mut day, mut left) = (from, days.unsigned_abs());
        for _ in 0..DAYS_MAX {
            if left == 0 {
                break;
            }
            let next = if days < 0 { day.pred_opt() } else { day.succ_opt() };
            let Some(next) = next else { break };
            day = next;
            left -= u64::from(self.is_business_day(day));
        }
        day
    }

    /// The same local time so many business days later; where clocks skip it, when they go on.
    pub fn instant_after_days(&self, from: Instant, days: i64) -> Instant {
        let local = from.utc().with_timezone(&self.zone).naive_local();
        let later = self.after_days(local.date(), days);
        if later == local.date() { from } else { self.first_instant(later.and_time(local.time())) }
    }

    /// How many business days lie behind one day up to another, which counts; below zero if it is the earlier one.
    pub fn days_between(&self, from: NaiveDate, to: NaiveDate) -> i64 {
        if to < from {
            return -self.days_between(to, from);
        }
        let all = (to - from).num_days();
        // Whole weeks are multiplied, the rest is looked at; then come the days that are not as their week has them.
        let by_week = |day: NaiveDate| !self.hours.of(day.weekday()).is_empty();
        let rest = (0..all % 7).filter_map(|back| to.checked_sub_days(Days::new(back.unsigned_abs())));
        let mut count = all / 7 * i64::try_from(self.hours.days()).unwrap_or(0);
        count += i64::try_from(rest.filter(|day| by_week(*day)).count()).unwrap_or(0);
        let named = self.holidays.iter().flat_map(|table| table.days_within(from, to));
        count + named.map(|day| i64::from(self.is_business_day(day)) - i64::from(by_week(day))).sum::<i64>()
    }

    /// When a stretch of a local day begins and ends. An hour that occurs twice is worked twice.
    fn instants(&self, day: NaiveDate, stretch: Stretch) -> (Instant, Instant) {
        let opens = self.first_instant(local(day, stretch.from));
        let closes = local(day, stretch.to);
        let closes = match self.zone.from_local_datetime(&closes) {
            LocalResult::Ambiguous(_, second) => Instant::from(second.to_utc()),
            LocalResult::Single(_) | LocalResult::None => self.first_instant(closes),
        };
        (opens, closes)
    }

    /// The first instant that clocks show as this, or, where they skip it, at which they go on.
    fn first_instant(&self, local: NaiveDateTime) -> Instant {
        // Clocks never skip more than a day; the minute is as fine as zones are.
        let later = (0..=24 * 60).filter_map(|minutes| local.checked_add_signed(TimeDelta::minutes(minutes)));
        later.filter_map(|local| Instant::from_local(local, self.zone)).next().unwrap_or_else(|| local.and_utc().into())
    }
}

/// The local time of a minute of a day; 1,440 is the beginning of the next.
fn local(day: NaiveDate, minute: u32) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::minutes(minute.into())).unwrap_or(NaiveDateTime::MAX)
}
