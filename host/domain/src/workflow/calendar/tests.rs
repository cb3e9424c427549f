//! Business time over weekends, holidays, swapped days and the nights on which clocks change.

use proptest::prelude::*;

use super::delay::Delay;
use super::*;
use crate::clock::{Instant, Span};

fn calendar(zone: Zone, hours: &str, table: Option<&str>) -> Calendar {
    let holidays = table.map(|name| Arc::new(stock::find(name).unwrap()));
    Calendar { zone, hours: Hours::parse(hours).unwrap(), holidays }
}

fn berlin() -> Calendar {
    calendar(Zone::Europe__Berlin, "Mon-Fri 08:00-17:00", Some("de"))
}

fn shanghai() -> Calendar {
    calendar(Zone::Asia__Shanghai, "Mon-Fri 09:00-18:00", Some("cn"))
}

/// `2026-04-02 16:00`, on the clocks of the calendar.
fn at(calendar: &Calendar, local: &str) -> Instant {
    let local = chrono::NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M").unwrap();
    Instant::from_local(local, calendar.zone).unwrap()
}

fn after(calendar: &Calendar, from: &str, delay: &str) -> String {
    let due = Delay::parse(delay).unwrap().after(at(calendar, from), Some(calendar));
    due.utc().with_timezone(&calendar.zone).format("%a %Y-%m-%d %H:%M %z").to_string()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn business_hours_elapse_only_while_people_work() {
    let berlin = berlin();
    assert_eq!(after(&berlin, "2026-11-25 10:00", "4bh"), "Wed 2026-11-25 14:00 +0100");
    assert_eq!(after(&berlin, "2026-11-25 16:00", "4bh"), "Thu 2026-11-26 11:00 +0100");
    assert_eq!(
        after(&berlin, "2026-11-25 08:00", "9bh"),
        "Wed 2026-11-25 17:00 +0100",
        "the end of the day, not the next"
    );
    assert_eq!(after(&berlin, "2026-11-25 17:00", "1bh"), "Thu 2026-11-26 09:00 +0100");
    assert_eq!(after(&berlin, "2026-11-27 16:30", "1bh"), "Mon 2026-11-30 08:30 +0100", "over a weekend");
    assert_eq!(after(&berlin, "2026-11-28 03:00", "1bh"), "Mon 2026-11-30 09:00 +0100", "from within one");
    let breaks = calendar(Zone::UTC, "Mon-Fri 08:00-12:00, Mon-Fri 13:00-17:00", None);
    assert_eq!(after(&breaks, "2026-11-25 11:00", "2bh"), "Wed 2026-11-25 14:00 +0000", "over a break");
}

#[test]
fn holidays_are_no_business_days() {
    let berlin = berlin();
    // Good Friday and Easter Monday.
    assert_eq!(after(&berlin, "2026-04-02 16:00", "2bh"), "Tue 2026-04-07 09:00 +0200");
    assert_eq!(after(&berlin, "2026-04-02 16:00", "1bd"), "Tue 2026-04-07 16:00 +0200");
    assert_eq!(after(&berlin, "2026-04-04 10:00", "2bd"), "Wed 2026-04-08 10:00 +0200", "counted from a day off");
    assert!(!berlin.is_business_day(day("2026-12-25")) && berlin.is_business_day(day("2026-12-28")));
}

#[test]
fn a_swapped_day_is_worked_with_the_hours_of_the_week() {
    let shanghai = shanghai();
    // The Saturday before Spring Festival is worked, then nine days are not, and so is the Saturday after it.
    assert_eq!(after(&shanghai, "2026-02-13 17:00", "2bh"), "Sat 2026-02-14 10:00 +0800");
    assert_eq!(after(&shanghai, "2026-02-14 17:00", "2bh"), "Tue 2026-02-24 10:00 +0800");
    assert_eq!(after(&shanghai, "2026-02-13 10:00", "2bd"), "Tue 2026-02-24 10:00 +0800");
    assert!(shanghai.is_business_day(day("2026-02-28")) && !shanghai.is_business_day(day("2026-03-01")));
    // Without its table it is a Saturday like any other.
    let week = calendar(Zone::Asia__Shanghai, "Mon-Fri 09:00-18:00", None);
    assert!(!week.is_business_day(day("2026-02-28")) && week.is_business_day(day("2026-02-16")));
    // A day that has hours of its own keeps them.
    let saturdays = calendar(Zone::Asia__Shanghai, "Mon-Fri 09:00-18:00, Sat 10:00-12:00", Some("cn"));
    assert_eq!(saturdays.of_day(day("2026-02-14")), [Stretch { from: 600, to: 720 }]);
}

#[test]
fn in_a_year_that_no_table_knows_only_the_week_counts() {
    let shanghai = shanghai();
    let table = shanghai.holidays.as_ref().unwrap();
    assert!(table.covers(2026) && !table.covers(2027));
    assert_eq!(after(&shanghai, "2026-12-31 17:00", "2bh"), "Fri 2027-01-01 10:00 +0800");
    assert!(!shanghai.is_business_day(day("2027-01-02")));
    assert_eq!(shanghai.unknown_years([2025, 2026, 2027]), [2027]);
    assert_eq!(shanghai.known_years().unwrap(), "cn of 2025, 2026; in other years only the week counts");
}

#[test]
fn an_hour_that_clocks_skip_is_not_worked_and_one_that_occurs_twice_is_worked_twice() {
    let night = calendar(Zone::Europe__Berlin, "Mon-Sun 01:00-05:00", None);
    // On 2026-03-29 clocks go from 02:00 to 03:00: the stretch has three hours.
    assert_eq!(after(&night, "2026-03-29 01:00", "3bh"), "Sun 2026-03-29 05:00 +0200");
    assert_eq!(after(&night, "2026-03-29 01:00", "4bh"), "Mon 2026-03-30 02:00 +0200");
    // On 2026-10-25 they go from 03:00 back to 02:00: it has five.
    assert_eq!(after(&night, "2026-10-25 01:00", "5bh"), "Sun 2026-10-25 05:00 +0100");
    assert_eq!(after(&night, "2026-10-25 01:00", "2bh"), "Sun 2026-10-25 02:00 +0100", "the second time");
    // Opening in the hour that is skipped is opening when clocks go on; closing in the one that comes twice is the second time.
    let skipped = calendar(Zone::Europe__Berlin, "Mon-Sun 02:30-04:00", None);
    assert_eq!(after(&skipped, "2026-03-29 00:00", "1bh"), "Sun 2026-03-29 04:00 +0200");
    let twice = calendar(Zone::Europe__Berlin, "Mon-Sun 01:30-02:30", None);
    assert_eq!(after(&twice, "2026-10-25 00:00", "2bh"), "Sun 2026-10-25 02:30 +0100");
    // The same time of day on a day that skips it.
    assert_eq!(after(&night, "2026-03-28 02:30", "1bd"), "Sun 2026-03-29 03:00 +0200");
}

#[test]
fn the_length_of_a_day_of_work_does_not_change_with_the_clocks_of_another_hour() {
    let berlin = berlin();
    assert_eq!(after(&berlin, "2026-03-27 16:00", "2bh"), "Mon 2026-03-30 09:00 +0200");
    assert_eq!(after(&berlin, "2026-10-23 16:00", "2bh"), "Mon 2026-10-26 09:00 +0100");
    assert_eq!(after(&berlin, "2026-10-23 16:00", "1bd"), "Mon 2026-10-26 16:00 +0100");
}

#[test]
fn business_days_between_count_the_last_day_and_not_the_first() {
    let (berlin, shanghai) = (berlin(), shanghai());
    assert_eq!(berlin.days_between(day("2026-04-02"), day("2026-04-07")), 1);
    assert_eq!(berlin.days_between(day("2026-04-07"), day("2026-04-02")), -1);
    assert_eq!(berlin.days_between(day("2026-04-02"), day("2026-04-02")), 0);
    assert_eq!(shanghai.days_between(day("2026-02-13"), day("2026-02-24")), 2, "the worked Saturday and the day after");
    // 261 days from Monday to Friday, of which seven holidays; 2026-10-03 and 2026-12-26 are Saturdays.
    assert_eq!(berlin.days_between(day("2025-12-31"), day("2026-12-31")), 261 - 7);
}

#[test]
fn the_published_days_off_are_as_many_as_the_notices_say() {
    let table = stock::find("cn").unwrap();
    let off = |from: &str, to: &str| {
        let days = day(from).iter_days().take_while(|date| *date <= day(to));
        days.filter(|date| table.is_off(*date)).count()
    };
    // Year by year, as the notices count them.
    for (from, to, count) in [
        ("2025-01-01", "2025-01-01", 1),
        ("2025-01-28", "2025-02-04", 8),
        ("2025-04-04", "2025-04-06", 3),
        ("2025-05-01", "2025-05-05", 5),
        ("2025-05-31", "2025-06-02", 3),
        ("2025-10-01", "2025-10-08", 8),
        ("2026-01-01", "2026-01-03", 3),
        ("2026-02-15", "2026-02-23", 9),
        ("2026-04-04", "2026-04-06", 3),
        ("2026-05-01", "2026-05-05", 5),
        ("2026-06-19", "2026-06-21", 3),
        ("2026-09-25", "2026-09-27", 3),
        ("2026-10-01", "2026-10-07", 7),
    ] {
        assert_eq!(off(from, to), count, "{from}");
    }
    assert_eq!((off("2025-01-01", "2025-12-31"), off("2026-01-01", "2026-12-31")), (28, 33));
    // Every day that is worked in exchange is a Saturday or a Sunday.
    let worked = day("2025-01-01").iter_days().take(730).filter(|date| table.is_worked(*date));
    let worked: Vec<_> = worked.map(|date| (date.to_string(), date.weekday().num_days_from_monday() >= 5)).collect();
    assert_eq!(worked.len(), 11);
    assert!(worked.iter().all(|(_, weekend)| *weekend), "{worked:?}");
}

#[test]
fn names_of_days_make_no_version_and_days_do() {
    let file = |name: &str, day: &str| {
        let text = format!(
            "format: 1\ncalendar: own\nyear: 2026\nsource: we\nverified: yes it was\nholidays: [{{ on: {day}, name: {name} }}]\n"
        );
        Holidays::read([text.as_str()]).unwrap().version()
    };
    assert_eq!(file("Founding day", "2026-05-04"), file("Day of the firm", "2026-05-04"));
    assert_ne!(file("Founding day", "2026-05-04"), file("Founding day", "2026-05-05"));
}

#[test]
fn a_wrong_table_is_refused_with_its_place() {
    let wrong = |entries: &str| {
        let text = format!("format: 1\ncalendar: own\nyear: 2026\nsource: we\nverified: so\nholidays: [{entries}]\n");
        Holidays::read([text.as_str()]).unwrap_err().remove(0).code
    };
    assert_eq!(wrong("{ on: 2025-05-04 }"), "bad_literal");
    assert_eq!(wrong("{ on: 2026-05-04 }, { from: 2026-05-01, to: 2026-05-05 }"), "duplicate_day");
    assert_eq!(wrong("{ from: 2026-05-04 }"), "missing_field");
    assert_eq!(wrong("{ from: 2026-05-05, to: 2026-05-04 }"), "bad_literal");
    assert_eq!(wrong("{ on: 2026-05-05, day: monday }"), "unknown_field");
}

proptest! {
    /// Counting on and counting between agree, on every calendar and over every kind of day.
    #[test]
    fn counting_on_and_between_agree(start in 0_i64..1_200, days in -300_i64..300, table in 0_usize..4) {
        let calendar = calendar(
            Zone::UTC,
            ["Mon-Fri 09:00-17:00", "Sun-Thu 09:00-17:00", "Sat 10:00-11:00", "Mon-Sat 08:00-12:00"][table],
            [Some("cn"), None, Some("gb"), Some("de")][table],
        );
        let from = day("2024-06-01") + chrono::TimeDelta::days(start);
        let to = calendar.after_days(from, days);
        if days >= 0 {
            prop_assert_eq!(calendar.days_between(from, to), days);
        } else {
            // Back from a day that counts itself: it is not behind the day that is reached.
            prop_assert_eq!(calendar.days_between(to, from), -days - 1 + i64::from(calendar.is_business_day(from)));
        }
        let slowly = from.iter_days().skip(1).take_while(|day| *day <= to).filter(|day| calendar.is_business_day(*day));
        if days >= 0 {
            prop_assert_eq!(slowly.count() as i64, days);
        }
    }

    /// Business hours come in the order in which they are counted, and the sum of two counts is the count of the sum.
    #[test]
    fn business_hours_add_up(start in 0_i64..17_000, first in 1_i64..200, second in 1_i64..200) {
        let calendar = shanghai();
        let from = Instant::from_unix_ms(1_735_689_600_000 + start * 3_600_000);
        let hours = |hours: i64| Span::from_millis(hours * 3_600_000);
        let one = calendar.after_hours(from, hours(first));
        prop_assert!(one > from);
        prop_assert_eq!(calendar.after_hours(one, hours(second)), calendar.after_hours(from, hours(first + second)));
    }
}
