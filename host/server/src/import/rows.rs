//! The rows of a file: CSV, gzip or not, one at a time, with the columns that the mapping names.
//!
//! What is wrong with one row is that row's error and the next row is read; what is wrong with the file stops the import. Whether
//! a file is compressed is seen in its first bytes, not in its name.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use csv::ByteRecord;
use flate2::bufread::MultiGzDecoder;
use redress_domain::value::{Fields, Value};
use redress_domain::workflow::diagnostic::suggest;
use rust_decimal::Decimal;

use super::mapping::{Column, ColumnKind};

/// Longest row, in bytes. A quotation mark that is never closed makes the rest of a file one row; this is where it is noticed.
const ROW_BYTES_MAX: usize = 1_024 * 1_024;
/// Longest field that is read, in bytes: what an expression may work on.
const FIELD_BYTES_MAX: usize = 16 * 1_024;
/// How much is read at once, in bytes.
const BUFFER_BYTES: usize = 64 * 1_024;
/// The first bytes of every gzip file.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It could not be opened, or its bytes could not be read or unpacked.
    #[error("file {} could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not a single row.
    #[error("file {} has no first row to name its columns", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Columns that the mapping reads are not there, or there twice.
    #[error("file {} does not have the columns of the mapping: {problem}", path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// Which ones.
        problem: String,
    },
    /// A row has no end within the limit.
    #[error("row at line {line} of file {} is longer than {ROW_BYTES_MAX} bytes", path.display())]
    LongRow {
        /// The file.
        path: PathBuf,
        /// Where the row begins.
        line: u64,
    },
}

/// Why a row is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RowError {
    /// A stable code, under which it is counted.
    pub kind: &'static str,
    /// For a person; never quotes what the row says.
    pub message: String,
}

impl RowError {
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// A row, and where it begins.
#[derive(Debug)]
pub(super) struct Row {
    /// The line in the file, from 1.
    pub(super) line: u64,
    /// The columns by name, as an expression reads them.
    pub(super) value: Result<Value, RowError>,
}

/// The rows of one file.
pub(super) struct Rows<'m> {
    path: &'m Path,
    reader: csv::Reader<Bounded>,
    columns: &'m [Column],
    /// For each column its place in the file.
    places: Vec<usize>,
    record: ByteRecord,
    /// Lines end in two characters, of which the reader counts the second to the next row.
    is_crlf: bool,
    consumed: Rc<Cell<u64>>,
}

impl<'m> Rows<'m> {
    /// Open a file and find the columns in its first row.
    pub(super) fn open(path: &'m Path, columns: &'m [Column]) -> Result<Self, FileError> {
        let unread = |source| FileError::Read { path: path.to_owned(), source };
        let consumed = Rc::new(Cell::new(0));
        let counted = Counted { file: File::open(path).map_err(unread)?, consumed: Rc::clone(&consumed) };
        let mut file = BufReader::with_capacity(BUFFER_BYTES, counted);
        let is_gzip = file.fill_buf().map_err(unread)?.starts_with(GZIP);
        let mut inner: Box<dyn BufRead> = match is_gzip {
            true => Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(file))),
            false => Box::new(file),
        };
        let is_crlf = ends_in_two(inner.fill_buf().map_err(unread)?);
        let bounded = Bounded { inner, left: 0 };
        let mut builder = csv::ReaderBuilder::new();
        let reader = builder.has_headers(false).flexible(true).buffer_capacity(BUFFER_BYTES).from_reader(bounded);
        let mut rows = Self { path, reader, columns, places: Vec::new(), record: ByteRecord::new(), is_crlf, consumed };
        if !rows.read()? {
            return Err(FileError::Empty { path: path.to_owned() });
        }
        rows.places =
            places(&rows.record, columns).map_err(|problem| FileError::Columns { path: path.to_owned(), problem })?;
        Ok(rows)
    }

    /// The next row; none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Row>, FileError> {
        if !self.read()? {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, csv::Position::line) + u64::from(self.is_crlf);
        Ok(Some(Row { line, value: self.value() }))
    }

    /// How many bytes of the file, as it lies on disk, have been read.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed.get()
    }

    fn read(&mut self) -> Result<bool, FileError> {
        self.reader.get_mut().left = ROW_BYTES_MAX;
        let line = self.reader.position().line();
        self.reader.read_byte_record(&mut self.record).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(source) if source.kind() == io::ErrorKind::FileTooLarge => {
                FileError::LongRow { path: self.path.to_owned(), line }
            }
            csv::ErrorKind::Io(source) => FileError::Read { path: self.path.to_owned(), source },
            // Rows of any length and of any bytes are read, so nothing else is left to be wrong.
            other => FileError::Read { path: self.path.to_owned(), source: io::Error::other(format!("{other:?}")) },
        })
    }

    fn value(&self) -> Result<Value, RowError> {
        let mut fields = Fields::new();
        for (column, place) in self.columns.iter().zip(&self.places) {
            let Some(bytes) = self.record.get(*place) else {
                return Err(RowError::new("short_row", format!("the row ends before column `{}`", column.name)));
            };
            if let Some(value) = field(column, bytes)? {
                fields.insert(column.name.clone(), value);
            }
        }
        Ok(Value::Object(fields))
    }
}

/// The value of a field; none where it is empty and may be.
fn field(column: &Column, bytes: &[u8]) -> Result<Option<Value>, RowError> {
    let name = &column.name;
    if bytes.len() > FIELD_BYTES_MAX {
        return Err(RowError::new("too_long", format!("column `{name}` has more than {FIELD_BYTES_MAX} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        RowError::new("not_utf8", format!("column `{name}` is not UTF-8 at byte {}", error.valid_up_to()))
    })?;
    match column.kind {
        _ if text.is_empty() && column.optional => Ok(None),
        ColumnKind::Text => Ok(Some(Value::text(text))),
        ColumnKind::Number => match number(text.trim_matches(' ')) {
            Some(number) => Ok(Some(Value::Number(number))),
            None => Err(RowError::new("not_a_number", format!("column `{name}` is not a number of at most 28 digits"))),
        },
    }
}

/// Digits with at most one sign and one point. Exact or not at all: nothing is rounded, and `1e3` is a text.
fn number(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_digit = |c: char| c.is_ascii_digit();
    let plain =
        digits.starts_with(is_digit) && digits.ends_with(is_digit) && digits.chars().all(|c| is_digit(c) || c == '.');
    plain.then(|| Decimal::from_str_exact(text).ok()).flatten()
}

/// Where each column stands, or everything that is wrong with the first row.
fn places(header: &ByteRecord, columns: &[Column]) -> Result<Vec<usize>, String> {
    let names: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let place = |column: &Column| {
        let mut found = names.iter().enumerate().filter(|(_, name)| **name == column.name).map(|(place, _)| place);
        match (found.next(), found.next()) {
            (Some(place), None) => Ok(place),
            (Some(_), Some(_)) => Err(format!("`{}` is there twice", column.name)),
            (None, _) => Err(match close(&column.name, &names) {
                Some(near) => format!("`{}` is missing, did the mapping mean `{near}`?", column.name),
                None => format!("`{}` is missing", column.name),
            }),
        }
    };
    let (good, bad): (Vec<_>, Vec<_>) = columns.iter().map(place).partition(Result::is_ok);
    if bad.is_empty() {
        return Ok(good.into_iter().flatten().collect());
    }
    Err(bad.into_iter().filter_map(Result::err).collect::<Vec<_>>().join("; "))
}

/// The name that may be meant: the same in other letters, else one that is nearly the same.
fn close<'n>(name: &str, names: &'n [String]) -> Option<&'n str> {
    let same = names.iter().find(|known| known.eq_ignore_ascii_case(name)).map(String::as_str);
    same.or_else(|| suggest(name, names.iter().map(String::as_str)))
}

/// Whether the first line ends in `\r\n`.
fn ends_in_two(text: &[u8]) -> bool {
    let end = text.iter().position(|byte| *byte == b'\n');
    end.is_some_and(|end| text[..end].ends_with(b"\r"))
}

/// A file that tells how much of it was read.
struct Counted {
    file: File,
    consumed: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.consumed.set(self.consumed.get() + count as u64);
        Ok(count)
    }
}

/// Gives no more bytes than one row may have, until it is allowed more.
struct Bounded {
    inner: Box<dyn BufRead>,
    left: usize,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let most = buffer.len().min(self.left);
        let count = self.inner.read(&mut buffer[..most])?;
        self.left -= count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn column(name: &str, kind: ColumnKind, optional: bool) -> Column {
        Column { name: name.to_owned(), kind, optional }
    }

    fn columns() -> Vec<Column> {
        vec![
            column("id", ColumnKind::Text, false),
            column("n", ColumnKind::Number, false),
            column("who", ColumnKind::Text, true),
        ]
    }

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        file
    }

    /// Every row as `line: columns` or `line: kind`.
    fn read(content: &[u8]) -> Result<Vec<String>, FileError> {
        let (file, columns) = (file(content), columns());
        let mut rows = Rows::open(file.path(), &columns)?;
        let mut shown = Vec::new();
        while let Some(row) = rows.next()? {
            shown.push(match row.value {
                Ok(value) => format!("{}: {value}", row.line),
                Err(error) => format!("{}: {}", row.line, error.kind),
            });
        }
        assert_eq!(rows.consumed(), content.len() as u64);
        Ok(shown)
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn columns_are_found_by_name_and_others_are_ignored() {
        let rows = read(b"\xef\xbb\xbfn,more,id,who\n2.50,\xff,\"a,\nb\",w\n-1,,c,\n").unwrap();
        assert_eq!(rows, ["2: {id: a,\nb, n: 2.5, who: w}", "4: {id: c, n: -1}"]);
    }

    #[test]
    fn lines_are_counted_the_same_whichever_way_they_end() {
        let text = "id,n,who\na,1,\n\"b\n\",2,\nc,3,\n";
        let expected = ["2: {id: a, n: 1}", "3: {id: b\n, n: 2}", "5: {id: c, n: 3}"];
        assert_eq!(read(text.as_bytes()).unwrap(), expected);
        let two = text.replace('\n', "\r\n");
        assert_eq!(read(two.as_bytes()).unwrap(), expected.map(|row| row.replace('\n', "\r\n")));
        assert_eq!(read(&gzip(two.as_bytes())).unwrap().len(), 3);
    }

    #[test]
    fn a_compressed_file_reads_the_same_even_in_several_members() {
        let (first, second) = (gzip(b"id,n,who\na,1,"), gzip(b"x\nb,2,\n"));
        assert_eq!(read(&[first, second].concat()).unwrap(), ["2: {id: a, n: 1, who: x}", "3: {id: b, n: 2}"]);
    }

    #[test]
    fn what_is_wrong_with_a_row_is_told_and_the_next_one_is_read() {
        let long = "x".repeat(FIELD_BYTES_MAX + 1);
        let text = format!("id,n,who\na,1e3,\nb,,\nc,1.,\nd\n{long},1,\n");
        let mut content = text.into_bytes();
        content.extend(b"\xe9,1,\ne,+7,y\n");
        let expected =
            ["2: not_a_number", "3: not_a_number", "4: not_a_number", "5: short_row", "6: too_long", "7: not_utf8"];
        assert_eq!(read(&content).unwrap(), [&expected[..], &["8: {id: e, n: 7, who: y}"]].concat());
    }

    #[test]
    fn a_missing_column_is_an_error_before_any_row() {
        let Err(FileError::Columns { problem, .. }) = read(b"ID,who,who\n") else { panic!() };
        assert_eq!(problem, "`id` is missing, did the mapping mean `ID`?; `n` is missing; `who` is there twice");
        assert!(matches!(read(b""), Err(FileError::Empty { .. })));
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_does_not_fill_the_memory() {
        let mut content = b"id,n,who\na,1,\nb,2,\"".to_vec();
        content.resize(3 * ROW_BYTES_MAX, b'x');
        assert!(matches!(read(&content), Err(FileError::LongRow { line: 3, .. })));
    }

    #[test]
    fn a_file_that_is_cut_off_or_not_there_stops_the_import() {
        let whole = gzip(b"id,n,who\na,1,\n");
        assert!(matches!(read(&whole[..whole.len() - 9]), Err(FileError::Read { .. })));
        assert!(matches!(Rows::open(Path::new("no such file"), &columns()), Err(FileError::Read { .. })));
    }
}
