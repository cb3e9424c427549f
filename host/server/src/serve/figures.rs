//! Figures for Prometheus: what is counted as it happens, and what is read when somebody asks. In a registry of our own.

mod scrape;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub(super) use scrape::Sources;

/// Upper bounds in seconds: a read takes one millisecond, a turn ten, and at 60 seconds the host gives up.
const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];
/// Methods that have a label of their own: a client may send any word.
const METHODS: [Method; 7] =
    [Method::GET, Method::PUT, Method::POST, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS];

type Labels = Vec<(&'static str, String)>;

/// The figures of a host. Clones share everything.
#[derive(Clone)]
pub(super) struct Figures(Arc<Inner>);

struct Inner {
    registry: Registry,
    answered: Family<Labels, Counter>,
    took: Family<Labels, Histogram, fn() -> Histogram>,
    open: Gauge,
    overloaded: Counter,
    panicked: Counter,
}

impl Figures {
    pub(super) fn new(sources: Sources) -> Self {
        let mut registry = Registry::with_prefix("redress");
        let answered = Family::default();
        let took = Family::new_with_constructor(histogram as fn() -> Histogram);
        let (open, overloaded, panicked) = (Gauge::default(), Counter::default(), Counter::default());
        registry.register("http_requests", "Requests answered, by route, method and class of status", answered.clone());
        registry.register("http_request_seconds", "From a request's head to its answer's head", took.clone());
        registry.register("http_requests_open", "Requests that are being answered", open.clone());
        registry.register("http_overloaded", "Requests turned away because too many were open", overloaded.clone());
        registry.register("http_panics", "Requests whose handler panicked", panicked.clone());
        registry.register_collector(Box::new(sources));
        Self(Arc::new(Inner { registry, answered, took, open, overloaded, panicked }))
    }

    /// A request was answered.
    pub(super) fn answered(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let method = if METHODS.contains(method) { method.as_str() } else { "OTHER" };
        let mut labels = vec![("route", route.to_owned()), ("method", method.to_owned())];
        self.0.took.get_or_create(&labels).observe(took.as_secs_f64());
        labels.push(("status", format!("{}xx", status.as_u16() / 100)));
        self.0.answered.get_or_create(&labels).inc();
    }

    /// A request is being answered, until the guard is dropped.
    pub(super) fn open(&self) -> Open {
        self.0.open.inc();
        Open(self.0.open.clone())
    }

    pub(super) fn overloaded(&self) {
        self.0.overloaded.inc();
    }

    pub(super) fn panicked(&self) {
        self.0.panicked.inc();
    }

    /// All of them, as Prometheus reads them. What is read from files may take a moment.
    ///
    /// # Errors
    /// The text could not be put together.
    pub(super) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.0.registry)?;
        Ok(text)
    }
}

/// A request that is being answered.
pub(super) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}
