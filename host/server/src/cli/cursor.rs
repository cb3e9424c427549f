//! Where a list goes on, in a form that can be handed out: opaque, and refused by any other list.

use redress_domain::ids::Digest;
use redress_store::scan::{Cursor, Direction, Listed, Scan};
use redress_store::snapshot::Snapshot;

use super::door::part;
use super::error::Error;

/// Hexadecimal digits of the check: enough to find a slip and a cursor of another list.
const CHECK_DIGITS: usize = 8;

/// Rows of a page that a running host gives at most.
const SERVED_MAX: u32 = 100;

/// Options of a list that comes in pages.
#[derive(Debug, clap::Args)]
pub(super) struct Paging {
    /// At most so many rows.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
    /// Go on where the page before ended.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

/// A page of rows that were kept, and where to go on.
pub(super) struct Page<T> {
    /// The rows.
    pub(super) rows: Vec<T>,
    /// Where to go on; none at the end.
    pub(super) next: Option<String>,
}

impl Paging {
    /// The same for a running host, which gives a page of at most 100.
    pub(super) fn asked(&self) -> String {
        let after = self.after.as_deref().map(|after| format!("&cursor={}", part(after))).unwrap_or_default();
        format!("limit={}{after}", self.limit.min(SERVED_MAX))
    }

    /// The first rows behind the cursor that `keep` keeps.
    pub(super) fn read<T>(
        &self,
        snapshot: &Snapshot,
        scan: &Scan,
        direction: Direction,
        mut keep: impl FnMut(&Listed) -> Result<Option<T>, Error>,
    ) -> Result<Page<T>, Error> {
        let limit = self.limit as usize;
        let list = format!("{scan:?}");
        let mut cursor = self.after.as_deref().map(|text| parse(&list, text)).transpose()?;
        let mut rows = Vec::new();
        loop {
            // Never more than are still wanted: so the store's cursor is always behind the last row that was kept.
            let page = snapshot.scan(scan, direction, cursor.as_ref(), limit - rows.len())?;
            for row in &page.rows {
                rows.extend(keep(row)?);
            }
            cursor = page.next;
            if cursor.is_none() || rows.len() == limit {
                return Ok(Page { rows, next: cursor.map(|cursor| write(&list, &cursor)) });
            }
        }
    }
}

fn write(list: &str, cursor: &Cursor) -> String {
    let place: String = cursor.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    check(list, &place) + &place
}

fn parse(list: &str, text: &str) -> Result<Cursor, Error> {
    let parts = text.split_at_checked(CHECK_DIGITS).filter(|(checked, place)| *checked == check(list, place));
    let place = parts.map_or("", |(_, place)| place).as_bytes();
    let digits = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = place.chunks(2).map(digits).collect();
    let bytes = bytes.filter(|_| parts.is_some());
    bytes.map(|bytes| Cursor::from_bytes(&bytes)).ok_or_else(|| Error::Cursor(text.to_owned()))
}

fn check(list: &str, place: &str) -> String {
    Digest::of(format!("{list} {place}").as_bytes()).to_string()[..CHECK_DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_for_its_own_list_only() {
        let cursor = Cursor::from_bytes(&[0, 255, 16]);
        let text = write("cases", &cursor);
        assert_eq!(parse("cases", &text).unwrap(), cursor);
        for wrong in [&text[1..], &text[..text.len() - 2], "", "zz", "0123456789"] {
            assert!(matches!(parse("cases", wrong), Err(Error::Cursor(_))), "{wrong}");
        }
        assert!(parse("tasks", &text).is_err());
    }
}
