//! `redress plugin list`: the merchant's own plugins and the stock ones.

use redress_domain::clock::Zone;
use redress_domain::ids::Digest;
use redress_sandbox::PluginInfo;

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::Out;
use crate::cli::session::Session;
use crate::cli::shown::{self, Column};
use crate::publish::{self, interface, plugins, stock};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress plugin list --tenant shop --data data
  redress plugin list --tenant shop --data data --output json
  redress plugin list --server http://127.0.0.1:7373 --key-file viewer.key
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {}

pub(super) fn run(_: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    if at.server.is_some() {
        return asked(at, out);
    }
    let session = at.session()?;
    let mut rows = own(&session)?;
    rows.extend(shipped(&session));
    let columns = &["plugin", "version", "hooks", "origin", "bytes", "digest"];
    Listing { columns: columns.to_vec(), hidden: &[], zone: Zone::UTC, rows }.print(at.format(), out)
}

fn own(session: &Session) -> Result<Vec<Vec<Cell>>, Error> {
    let objects = session.app.host().objects();
    let mut rows = Vec::new();
    for active in plugins::list(&session.engine)? {
        let info = session.engine.sandbox().info(active.digest.bytes());
        let bytes = objects.get(active.digest).map_err(publish::Error::Object)?.len();
        rows.push(vec![
            Cell::text(&active.plugin),
            Cell::text(&active.version),
            info.map_or(Cell::Absent, |info| hooks(&info)),
            Cell::text("own"),
            Cell::Count(bytes as u64),
            Cell::Digest(active.digest),
        ]);
    }
    Ok(rows)
}

fn shipped(session: &Session) -> Vec<Vec<Cell>> {
    let row = |stock: &stock::Stock| {
        let digest = Digest::of(stock.bytes);
        let info = session.engine.sandbox().info(digest.bytes())?;
        Some(vec![
            Cell::text(interface::reference(&format!("std/{}", stock.name), &info.manifest)?),
            Cell::text(&info.manifest.version),
            hooks(&info),
            Cell::text("stock"),
            Cell::Count(stock.bytes.len() as u64),
            Cell::Digest(digest),
        ])
    };
    stock::STOCK.iter().filter_map(row).collect()
}

fn hooks(info: &PluginInfo) -> Cell {
    Cell::Words(info.hooks.iter().map(ToString::to_string).collect())
}

const COLUMNS: [Column; 5] = [
    Column::text("plugin", "/plugin"),
    Column::text("version", "/version"),
    Column::text("hooks", "/hook"),
    Column::text("origin", "/origin"),
    Column::digest("digest", "/digest"),
];

/// As a running host has them; their sizes stay with it.
fn asked(at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let mut plugins = at.door()?.all("/v1/plugins")?;
    for one in &mut plugins {
        one["origin"] = if one["stock"] == true { "stock" } else { "own" }.into();
    }
    shown::rows(&COLUMNS, &plugins).print(at.format(), out)
}
