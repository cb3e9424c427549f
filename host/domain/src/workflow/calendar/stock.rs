//! The tables that come with the program; the files stand in `workflows/calendars`, each with its source.

use super::holidays::Holidays;

/// Every file by the name of its table.
const FILES: &[(&str, &str)] = &[
    ("cn", include_str!("../../../../../workflows/calendars/cn-2025.yaml")),
    ("cn", include_str!("../../../../../workflows/calendars/cn-2026.yaml")),
    ("de", include_str!("../../../../../workflows/calendars/de-2025.yaml")),
    ("de", include_str!("../../../../../workflows/calendars/de-2026.yaml")),
    ("gb", include_str!("../../../../../workflows/calendars/gb-2025.yaml")),
    ("gb", include_str!("../../../../../workflows/calendars/gb-2026.yaml")),
];

/// The names of the tables.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = FILES.iter().map(|(name, _)| *name).collect();
    names.dedup();
    names
}

/// The table of this name.
pub fn find(name: &str) -> Option<Holidays> {
    let texts = FILES.iter().filter(|(known, _)| *known == name).map(|(_, text)| *text);
    // A test reads every file; one that could not be read would be no table.
    Holidays::read(texts).ok().filter(|table| !table.name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::diagnostic::render;

    #[test]
    fn every_file_is_read_and_named_as_its_table() {
        for (name, text) in FILES {
            let table = Holidays::read([*text]).unwrap_or_else(|found| panic!("{}", render(name, text, &found[0])));
            assert_eq!(table.name, *name);
        }
        for name in names() {
            assert_eq!(find(name).unwrap().years().collect::<Vec<_>>(), [2025, 2026], "{name}");
        }
        assert_eq!(find("atlantis"), None);
    }
}
