//! `redress event tail`: what happened, and what happens next; one line each.

use serde_json::Value as Json;

use crate::cli::Global;
use crate::cli::door::{Door, Go, part};
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::words::clean;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress event tail --tenant shop --data data
  redress event tail --follow --tenant shop --server http://127.0.0.1:7373
  redress event tail --after evt_AAAAAAAAAAEAAAAB --output json --server http://127.0.0.1:7373
";

/// Events of one page.
const PAGE_ROWS: usize = 100;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Begin behind this event; from the first one where it is left out.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// Stay, and show what happens next.
    #[arg(short, long)]
    follow: bool,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let door = at.door()?;
    let last = so_far(&door, args.after.clone(), at.format(), out)?;
    if !args.follow {
        return Ok(());
    }
    let mut held: Vec<(&str, &str)> = vec![("accept", "text/event-stream")];
    held.extend(last.as_deref().map(|last| ("last-event-id", last)));
    door.lines("/v1/events/stream", &held, |line| {
        if let Some(event) = line.strip_prefix("data:").and_then(|data| serde_json::from_str(data.trim()).ok()) {
            tell(&event, at.format(), out)?;
            out.flush().map_err(Error::Write)?;
        }
        Ok(Go::On)
    })
}

/// Show every event that there is; answers the place behind the last one.
fn so_far(door: &Door, mut after: Option<String>, format: Format, out: &mut Out<'_>) -> Result<Option<String>, Error> {
    loop {
        let behind = after.as_deref().map(|id| format!("&after={}", part(id))).unwrap_or_default();
        let page = door.get(&format!("/v1/events?limit={PAGE_ROWS}{behind}"))?;
        let events = page["data"].as_array().cloned().unwrap_or_default();
        for event in &events {
            tell(event, format, out)?;
        }
        // A page may be empty and still have more behind it.
        if let Some(place) = page["next_cursor"].as_str() {
            after = Some(place.to_owned());
        }
        if page["has_more"] != Json::Bool(true) {
            return Ok(after);
        }
    }
}

fn tell(event: &Json, format: Format, out: &mut Out<'_>) -> Result<(), Error> {
    if format == Format::Json {
        // A line each, so that a program reads them as they come.
        return out.data(&format!("{event}\n"));
    }
    let text = |name: &str| clean(event[name].as_str().unwrap_or_default());
    out.data(&format!("{}  {:<22}  {}  {}\n", text("time"), text("type"), text("subject"), event["data"]))
}
