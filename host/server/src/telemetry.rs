//! Logs: for people as lines of text, for programs one JSON document a line. Always on standard error.
//!
//! Fields stand beside each other, those of the spans around an event before its own: `request.id`, `http.route`, `tenant`,
//! `case.id`, `duration_ms`. Never bodies, names, addresses or keys.

use std::fmt::Debug;
use std::io::Write as _;

use serde_json::{Map, Value as Json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use crate::clock;

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// Whether lines may be coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// Standard error is a terminal.
    Terminal,
    /// It is a file or a program.
    None,
}

/// Begin to log. Whoever runs a host inside another program has logs of their own, and keeps them.
pub fn start(form: Form, color: Color, filter: EnvFilter) {
    let started = match form {
        Form::Human => {
            let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
            logs.with_ansi(color == Color::Terminal).finish().try_init()
        }
        Form::Json => tracing_subscriber::registry().with(filter).with(Lines).try_init(),
    };
    drop(started);
}

/// One JSON document a line.
struct Lines;

/// The fields of a span or an event.
#[derive(Default)]
struct Fields(Map<String, Json>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let mut around = Map::new();
        let spans = context.event_scope(event).into_iter().flat_map(|scope| scope.from_root());
        for span in spans {
            if let Some(Fields(fields)) = span.extensions().get::<Fields>() {
                around.extend(fields.clone());
            }
        }
        let line = line(event, own.0, around);
        // A log that cannot be written has nowhere to say so.
        std::io::stderr().lock().write_all(line.as_bytes()).ok();
    }
}

fn line(event: &Event<'_>, mut own: Map<String, Json>, around: Map<String, Json>) -> String {
    let mut all = Map::new();
    all.insert("at".to_owned(), clock::wall().to_string().into());
    all.insert("level".to_owned(), event.metadata().level().as_str().to_ascii_lowercase().into());
    all.insert("message".to_owned(), own.remove("message").unwrap_or_default());
    all.insert("target".to_owned(), event.metadata().target().into());
    for (name, value) in around.into_iter().chain(own) {
        all.insert(name, value);
    }
    Json::Object(all).to_string() + "\n"
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}
