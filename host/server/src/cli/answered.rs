//! What a host answered in place of what was asked for.

use serde_json::Value as Json;

use super::error::Exit;
use crate::http::{codes, pages};

/// What a host answered in place of what was asked for.
#[derive(Debug)]
pub(super) struct Answered {
    status: u16,
    /// The stable code.
    pub(super) code: String,
    detail: String,
    request: String,
    /// Every place that is wrong.
    pub(super) places: Vec<String>,
}

impl Answered {
    /// The problem in an answer.
    pub(super) fn of(status: u16, problem: &Json) -> Self {
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let place = |place: &Json| {
            let at = place["pointer"].as_str().unwrap_or_default();
            let line = place["range"]["start"]["line"].as_u64().map(|line| format!("line {}", line + 1));
            let at = line.unwrap_or_else(|| at.to_owned());
            let file = place["file"].as_str().map(|file| format!("{file} ")).unwrap_or_default();
            let at = format!("{file}{at}");
            format!(
                "{}: {} [{}]",
                at.trim_end(),
                place["detail"].as_str().unwrap_or_default(),
                place["code"].as_str().unwrap_or_default()
            )
        };
        let places = problem["errors"].as_array().map(|places| places.iter().map(place).collect()).unwrap_or_default();
        let code = if problem["code"].is_string() { text("code") } else { format!("http_{status}") };
        Self { status, code, detail: text("detail"), request: text("request_id"), places }
    }

    /// What the page about the code says is to be done.
    pub(super) fn help(&self) -> Option<String> {
        let page = pages::find(&self.code)?;
        let advice = page.split("What to do:").nth(1)?;
        Some(advice.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// How the command ends.
    pub(super) fn exit(&self) -> Exit {
        if self.code == codes::CURSOR_INVALID.name {
            // It was an option of the command.
            return Exit::Usage;
        }
        match self.status {
            401 | 403 => Exit::NotAllowed,
            404 => Exit::NotFound,
            408 | 504 => Exit::Timeout,
            409 | 412 => Exit::Conflict,
            400..500 => Exit::Invalid,
            _ => Exit::Failure,
        }
    }
}

impl std::fmt::Display for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.detail)?;
        if self.request.is_empty() { Ok(()) } else { write!(f, " (request {})", self.request) }
    }
}
