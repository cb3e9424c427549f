//! Lists that are short enough to be held at once, still given page by page: keys, tenants, workflows, plugins.

use super::codes;
use super::page::{self, Page, Paging};
use super::problem::Problem;

/// A page of rows that are in order and each have a key. `list` names the list, so that a cursor of another one is refused.
pub(super) fn page<T>(list: &str, rows: Vec<(String, T)>, paging: &Paging) -> Result<Page<T>, Problem> {
    let limit = page::rows(paging.limit)?;
    let behind = paging.cursor.as_deref().map(|cursor| key(list, cursor)).transpose()?;
    let start = match &behind {
        Some(key) => 1 + rows.iter().position(|(one, _)| one == key).ok_or_else(gone)?,
        None => 0,
    };
    let more = rows.len() > start + limit;
    let shown: Vec<(String, T)> = rows.into_iter().skip(start).take(limit).collect();
    let next = shown.last().filter(|_| more).map(|(key, _)| format!("{list}\n{key}"));
    Ok(Page::new(shown.into_iter().map(|(_, row)| row).collect(), next.as_deref().map(str::as_bytes)))
}

fn key(list: &str, cursor: &str) -> Result<String, Problem> {
    let bytes = page::bytes(cursor)?;
    let text = String::from_utf8(bytes).ok();
    let key = text.and_then(|text| text.split_once('\n').filter(|(of, _)| *of == list).map(|(_, key)| key.to_owned()));
    key.ok_or_else(|| Problem::new(codes::CURSOR_INVALID, "the cursor is one of another list"))
}

fn gone() -> Problem {
    Problem::new(codes::CURSOR_INVALID, "the row behind which the page begins is no longer there; begin again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(limit: usize, cursor: Option<String>) -> Paging {
        Paging { limit: Some(limit), cursor }
    }

    fn rows() -> Vec<(String, u32)> {
        (0..5).map(|n| (n.to_string(), n)).collect()
    }

    #[test]
    fn pages_behind_each_other_hold_every_row_once() {
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = page("numbers", rows(), &paging(2, cursor)).unwrap();
            assert_eq!(page.has_more, page.next_cursor.is_some());
            all.extend(page.data);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(all, [0, 1, 2, 3, 4]);
        assert!(page("numbers", rows(), &paging(5, None)).unwrap().next_cursor.is_none());
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let cursor = page("numbers", rows(), &paging(2, None)).unwrap().next_cursor;
        let other = page("letters", rows(), &paging(2, cursor));
        assert_eq!(other.map(drop).map_err(|problem| problem.code()), Err("cursor_invalid"));
    }
}
