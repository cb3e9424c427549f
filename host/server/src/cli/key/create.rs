//! `redress key create`: make a key. It is shown once.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::keys::Role;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress key create --role agent --name \"desk 1\" --tenant shop --data data
  redress key create --role integrator --backdate --name importer --out importer.key --tenant shop --server http://127.0.0.1:7373
  redress key create --role operator --name night --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// What it may do: operator, admin, agent, integrator or viewer.
    #[arg(long)]
    role: Role,
    /// What people call it.
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// Let it say when something happened, where that is not now.
    #[arg(long)]
    backdate: bool,
    /// Write the key to this file, which nobody else can read, in place of showing it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    // Made first: a key that was shown to nobody would be there for ever.
    let file = args.out.as_deref().map(secret_file).transpose()?;
    let door = at.door()?;
    let body = json!({ "role": args.role, "name": args.name, "backdate": args.backdate });
    let made = door.post("/v1/keys", &body)?;
    let secret = made["secret"].as_str().unwrap_or_default();
    if let (Some(mut file), Some(path)) = (file, &args.out) {
        writeln!(file, "{secret}").map_err(|source| Error::Read { path: path.clone(), source })?;
        out.say(&format!("key {} is in {}", made["id"].as_str().unwrap_or_default(), path.display()));
        return Ok(());
    }
    match at.format() {
        Format::Json => out.json(&made),
        Format::Table | Format::Csv => {
            out.data(&format!("{secret}\n"))?;
            out.say("keep it: it is not shown again");
            Ok(())
        }
    }
}

fn secret_file(path: &Path) -> Result<std::fs::File, Error> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.map_err(|source| Error::Read { path: path.to_owned(), source })
}
