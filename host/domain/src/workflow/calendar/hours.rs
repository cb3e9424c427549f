//! Business hours of a week as a document writes them: `Mon-Fri 09:00-17:30`, several parts with commas between them.

use chrono::Weekday;

/// Minutes of a day.
const DAY_MINUTES: u32 = 24 * 60;
/// The most parts: two for each day of the week.
const PARTS_MAX: usize = 14;

const DAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Mon),
    ("Tue", Weekday::Tue),
    ("Wed", Weekday::Wed),
    ("Thu", Weekday::Thu),
    ("Fri", Weekday::Fri),
    ("Sat", Weekday::Sat),
    ("Sun", Weekday::Sun),
];

/// The business hours of a week; at least one day has some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// From Monday on; in order, and none touches the next.
    week: [Vec<Stretch>; 7],
}

/// From one minute of the local day to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// The first minute.
    pub from: u32,
    /// One past the last minute; 1,440 is the end of the day.
    pub to: u32,
}

/// Why a text is no business hours; the part that is meant is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// There are none.
    #[error("no business hours: nothing would ever be due")]
    Nothing,
    /// More parts than anybody reads.
    #[error("business hours have at most {PARTS_MAX} parts")]
    TooMany,
    /// A part that reads as none.
    #[error("{0:?} is not a part of business hours")]
    Malformed(String),
    /// It ends before it begins.
    #[error("{0:?} ends before it begins")]
    Backwards(String),
    /// Two parts name the same minute of a day.
    #[error("two parts meet on {0}")]
    Overlap(&'static str),
}

impl Hours {
    /// Read business hours.
    ///
    /// # Errors
    /// The text is none.
    pub fn parse(text: &str) -> Result<Self, HoursError> {
        let mut week: [Vec<Stretch>; 7] = Default::default();
        let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        if parts.len() > PARTS_MAX {
            return Err(HoursError::TooMany);
        }
        for part in parts {
            let (days, stretch) = read(part)?;
            days.into_iter().for_each(|day| week[day].push(stretch));
        }
        for (day, stretches) in week.iter_mut().enumerate() {
            stretches.sort();
            if stretches.windows(2).any(|pair| pair[0].to >= pair[1].from) {
                return Err(HoursError::Overlap(DAYS[day].0));
            }
        }
        if week.iter().all(Vec::is_empty) { Err(HoursError::Nothing) } else { Ok(Self { week }) }
    }

    /// Those of a day of the week.
    pub fn of(&self, day: Weekday) -> &[Stretch] {
        &self.week[day.num_days_from_monday() as usize]
    }

    /// Those of the first day of the week that has some.
    pub fn first(&self) -> &[Stretch] {
        self.week.iter().find(|stretches| !stretches.is_empty()).map_or(&[], Vec::as_slice)
    }

    /// How many days of a week have some.
    pub fn days(&self) -> usize {
        self.week.iter().filter(|stretches| !stretches.is_empty()).count()
    }
}

/// `Mon-Fri 09:00-17:30`, as places in the week and a stretch. `Sat-Mon` goes over the end of the week.
fn read(part: &str) -> Result<(Vec<usize>, Stretch), HoursError> {
    let malformed = || HoursError::Malformed(part.to_owned());
    let (days, times) = part.split_once(char::is_whitespace).ok_or_else(malformed)?;
    let place = |name: &str| DAYS.iter().position(|(known, _)| *known == name);
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let (first, last) = place(first).zip(place(last)).ok_or_else(malformed)?;
    let (from, to) = times.trim().split_once('-').ok_or_else(malformed)?;
    let (from, to) = minute(from).zip(minute(to)).ok_or_else(malformed)?;
    if from >= to {
        return Err(HoursError::Backwards(part.to_owned()));
    }
    let days = (0..=(last + 7 - first) % 7).map(|day| (first + day) % 7).collect();
    Ok((days, Stretch { from, to }))
}

/// `09:00`, as a minute of the day; `24:00` is its end.
fn minute(text: &str) -> Option<u32> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let digits = |text: &str| (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok());
    let (hours, minutes): (u32, u32) = (digits(hours)??, digits(minutes)??);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= DAY_MINUTES).then_some(minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_name_days_and_times() {
        let hours = Hours::parse("Mon-Thu 08:00-12:00, Mon-Thu 13:00-17:00, Fri 08:00-14:30").unwrap();
        assert_eq!(hours.of(Weekday::Tue), [Stretch { from: 480, to: 720 }, Stretch { from: 780, to: 1_020 }]);
        assert_eq!(hours.of(Weekday::Fri), [Stretch { from: 480, to: 870 }]);
        assert!(hours.of(Weekday::Sat).is_empty());
        assert_eq!((hours.days(), hours.first().len()), (5, 2));
        let over = Hours::parse("Sat-Mon 00:00-24:00").unwrap();
        assert_eq!(over.days(), 3);
        assert!(over.of(Weekday::Tue).is_empty() && !over.of(Weekday::Sun).is_empty());
    }

    #[test]
    fn anything_else_is_refused() {
        let wrong = |text: &str| Hours::parse(text).unwrap_err();
        assert_eq!(wrong(" , "), HoursError::Nothing);
        assert_eq!(wrong("Mon-Fri 17:00-08:00"), HoursError::Backwards("Mon-Fri 17:00-08:00".to_owned()));
        assert_eq!(wrong("Mon 09:00-12:00, Mon-Fri 11:00-17:00"), HoursError::Overlap("Mon"));
        assert_eq!(wrong("Mon 09:00-12:00, Mon 12:00-17:00"), HoursError::Overlap("Mon"));
        assert_eq!(wrong(&vec!["Mon 09:00-12:00"; 15].join(",")), HoursError::TooMany);
        for text in [
            "Mon-Fri",
            "mon 09:00-12:00",
            "Mon 9:00-12:00",
            "Mon 09:00-24:01",
            "Mon 09:60-12:00",
            "Mon-Moon 09:00-12:00",
        ] {
            assert_eq!(wrong(text), HoursError::Malformed(text.to_owned()), "{text}");
        }
    }
}
