//! Where output goes and in which form: data to one stream, talk to the other.

use std::io::{self, Write};

use anstyle::Style;
use serde_json::Value as Json;

use super::error::Error;

/// The two streams of a command.
pub struct Out<'a> {
    data: &'a mut dyn Write,
    talk: &'a mut dyn Write,
    /// Whether data and talk may be coloured.
    colored: [bool; 2],
}

/// The form of the data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For spreadsheets; text that would be a formula is escaped by an apostrophe.
    Csv,
}

impl<'a> Out<'a> {
    /// Without colours.
    pub fn new(data: &'a mut dyn Write, talk: &'a mut dyn Write) -> Self {
        Self { data, talk, colored: [false; 2] }
    }

    /// With colours where they are wished for: in the data, in the talk.
    #[must_use]
    pub fn colored(self, colored: [bool; 2]) -> Self {
        Self { colored, ..self }
    }

    /// Write data.
    pub(super) fn data(&mut self, text: &str) -> Result<(), Error> {
        self.data.write_all(text.as_bytes()).map_err(Error::Write)
    }

    /// Write one JSON document, for people as well: indented.
    pub(super) fn json(&mut self, json: &Json) -> Result<(), Error> {
        serde_json::to_writer_pretty(&mut self.data, json).map_err(|error| Error::Write(error.into()))?;
        self.data("\n")
    }

    /// Say a line. That nobody listens is no failure.
    pub(super) fn say(&mut self, line: &str) {
        drop(writeln!(self.talk, "{line}"));
    }

    /// Where data is written, or talk.
    pub(super) fn stream(&mut self, data: bool) -> &mut dyn Write {
        if data { self.data } else { self.talk }
    }

    pub(super) fn is_colored(&self, data: bool) -> bool {
        self.colored[usize::from(!data)]
    }

    /// The text in a style, where the stream is coloured.
    pub(super) fn styled(&self, data: bool, style: Style, text: &str) -> String {
        if self.is_colored(data) { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.data.flush()?;
        self.talk.flush()
    }
}
