//! `redress connector set`: where the effects of a kind go. Secrets come from files: a command line is seen by others.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use axum::http::Method;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value as Json, json};

use super::list::COLUMNS;
use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::session::read_text;
use crate::cli::shown;
use crate::clock::random_bytes;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress connector set payment --url https://pay.shop.example/redress --new-secret payment.secret --server http://127.0.0.1:7373 --key-file admin.key
  redress connector set http:carrier-label --url https://carrier.example/labels --secret-file carrier.secret --tenant shop --data data
  redress connector set mail --url smtps://mail.shop.example --from \"Shop <returns@shop.example>\" --user shop --password-file mail.password --queue desk=desk@shop.example --server http://127.0.0.1:7373
  redress connector set payment --simulated --server http://127.0.0.1:7373
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// payment, stock, notification, mail, or http:NAME for a system that workflows ask.
    kind: String,
    /// Where requests go, or the mail server: smtps://HOST or smtp://HOST.
    #[arg(long, value_name = "URL", required_unless_present_any = ["folder", "simulated"])]
    url: Option<String>,
    /// The file with the secret that requests are signed with: whsec_ and base64.
    #[arg(long, value_name = "FILE", conflicts_with = "new_secret")]
    secret_file: Option<PathBuf>,
    /// Make a secret and write it to this file, for the receiver.
    #[arg(long, value_name = "FILE")]
    new_secret: Option<PathBuf>,
    /// The receiver does more when a request comes again under its key: what nobody knows then becomes a person's.
    #[arg(long)]
    not_idempotent: bool,
    /// For how long the receiver knows a key.
    #[arg(long, value_name = "TIME")]
    key_lifetime: Option<String>,
    /// How long the receiver may take to settle what it accepted.
    #[arg(long, value_name = "TIME")]
    answer_within: Option<String>,
    /// The sender of mails.
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// Who logs in at the mail server.
    #[arg(long, value_name = "NAME", requires = "password_file")]
    user: Option<String>,
    /// The file with the password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Where the people of a queue are reached by mail.
    #[arg(long, value_name = "QUEUE=ADDRESS", value_parser = queue)]
    queue: Vec<(String, String)>,
    /// Mails become files in this folder, for development.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["url", "simulated"])]
    folder: Option<PathBuf>,
    /// Money is paid in name only, for demonstration.
    #[arg(long, conflicts_with = "url")]
    simulated: bool,
}

fn queue(text: &str) -> Result<(String, String), String> {
    let (queue, address) = text.split_once('=').ok_or("as desk=desk@shop.example")?;
    Ok((queue.to_owned(), address.to_owned()))
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let door = at.door()?;
    let body = args.body()?;
    let set = door.send(Method::PUT, &format!("/v1/connectors/{}", part(&args.kind)), Some(&body), &[])?;
    if let Some(path) = &args.new_secret {
        out.say(&format!("the secret is in {}: give it to the receiver", path.display()));
    }
    shown::rows(&COLUMNS, &[set]).print(at.format(), out)
}

impl Args {
    fn body(&self) -> Result<Json, Error> {
        let queues: Map<String, Json> =
            self.queue.iter().map(|(queue, address)| (queue.clone(), address.clone().into())).collect();
        if self.simulated {
            return Ok(json!({ "how": "simulated" }));
        }
        if let Some(folder) = &self.folder {
            return Ok(json!({ "how": "folder", "path": folder, "from": self.sender()?, "queues": queues }));
        }
        if self.kind == "mail" {
            let password = self.password_file.as_deref().map(secret).transpose()?;
            return Ok(json!({
                "how": "smtp", "url": self.url, "from": self.sender()?, "user": self.user, "password": password,
                "queues": queues,
            }));
        }
        let secret = match (&self.secret_file, &self.new_secret) {
            (Some(path), _) => secret(path)?,
            (None, Some(path)) => new_secret(path)?,
            (None, None) => {
                let help = "give --secret-file FILE, or --new-secret FILE to make one: requests are signed";
                return Err(Error::Missing { what: "secret", help });
            }
        };
        let mut body = json!({
            "how": "webhook", "url": self.url, "secret": secret, "idempotent": !self.not_idempotent,
        });
        for (name, value) in [("key_lifetime", &self.key_lifetime), ("answer_within", &self.answer_within)] {
            if let Some(value) = value {
                body[name] = value.clone().into();
            }
        }
        Ok(body)
    }

    fn sender(&self) -> Result<&str, Error> {
        let help = "give --from \"Shop <returns@shop.example>\"";
        self.from.as_deref().ok_or(Error::Missing { what: "sender", help })
    }
}

fn secret(path: &Path) -> Result<String, Error> {
    Ok(read_text(path)?.trim().to_owned())
}

/// A secret of our own, in a file that nobody else can read.
fn new_secret(path: &Path) -> Result<String, Error> {
    let secret = format!("whsec_{}", BASE64_STANDARD.encode(random_bytes::<32>()));
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    writeln!(file, "{secret}").map_err(failed)?;
    Ok(secret)
}
