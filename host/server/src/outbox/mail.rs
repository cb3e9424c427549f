//! Messages by e-mail: to a server, or as files in a folder for development. The same effect is the same message, so that one that
//! is sent again is known by its `Message-ID`. No address ever reaches a log.

mod text;

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use redress_domain::case::{Case, What};
use redress_domain::clock::Instant;
use redress_domain::ids::Digest;
use reqwest::Url;

use super::Settings;
use super::connectors::{Connector, Smtp};
use super::guard::{Guard, MailServer, Security};
use super::rules::{Answer, Meaning, Told};
use super::words::Written;
use crate::config;
use crate::engine::personal::Contact;

/// A mail that is ready to leave.
pub(super) struct Mail {
    message: Message,
    /// Its name as a file.
    file: String,
}

/// The names that have a text of their own.
pub(crate) fn templates() -> impl Iterator<Item = &'static str> {
    text::names()
}

/// The server that an address names.
pub(super) fn server(address: &str) -> Result<MailServer, String> {
    let url = Url::parse(address).map_err(|error| error.to_string())?;
    let (security, usual) = match url.scheme() {
        "smtps" => (Security::Wrapped, 465),
        "smtp" => (Security::StartTls, 587),
        "smtp-plain" => (Security::Plain, 25),
        other => return Err(format!("{other:?} is not one of smtps, smtp, smtp-plain")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("user and password have fields of their own".to_owned());
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it names no host")?;
    Ok(MailServer { host: host.to_owned(), port: url.port().unwrap_or(usual), security })
}

/// The mail that tells of a notice, or why there is none; `own` is what the merchant wrote.
#[expect(clippy::too_many_arguments, reason = "a mail has as many parts")]
pub(super) fn compose(
    connector: &Connector,
    locale: &str,
    case: &Case,
    key: Digest,
    what: &What,
    contact: &Contact,
    wanted_at: Instant,
    own: Option<Written>,
) -> Result<Mail, &'static str> {
    let (Connector::Smtp(Smtp { from, .. }) | Connector::Folder { from, .. }) = connector else {
        return Err("connector_unfit");
    };
    let What::Notice { template, .. } = what else { return Err("connector_unfit") };
    let from: Mailbox = from.parse().map_err(|_| "sender_invalid")?;
    let address = contact.get("email").ok_or("no_address")?.trim().parse().map_err(|_| "address_invalid")?;
    let name = contact.get("name").map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let general = || text::write(template.as_str(), locale, case, name.as_deref());
    let written = own.map_or_else(general, Ok).map_err(|error| {
        tracing::error!("text of the template {template} could not be written: {error}");
        "text_failed"
    })?;
    let sent = UNIX_EPOCH + Duration::from_millis(u64::try_from(wanted_at.unix_ms()).unwrap_or(0));
    let message = Message::builder()
        .message_id(Some(format!("<{key}@{}>", from.email.domain())))
        .date(sent)
        .from(from)
        .to(Mailbox::new(name, address))
        .subject(written.subject)
        .header(ContentType::TEXT_PLAIN)
        .body(written.body)
        .map_err(|_| "text_failed")?;
    Ok(Mail { message, file: format!("{key}.eml") })
}

/// Hand a mail to its server or folder.
pub(super) async fn send(settings: &Settings, limits: &config::Outbox, connector: &Connector, mail: &Mail) -> Answer {
    match connector {
        Connector::Smtp(smtp) => {
            let handed = hand_over(settings, limits, smtp, mail);
            let answer = tokio::time::timeout(limits.request_timeout, handed).await;
            answer.unwrap_or_else(|_| Answer::because(Meaning::Lost, "timeout"))
        }
        Connector::Folder { path, .. } => match write(path, mail).await {
            Ok(()) => Answer::new(Meaning::Confirmed(Told::default())),
            Err(error) => {
                tracing::warn!("mail could not be written: {error}");
                Answer::because(Meaning::NotSent, "folder_not_written")
            }
        },
        Connector::Webhook(_) | Connector::Simulated => Answer::because(Meaning::NotSent, "connector_unfit"),
    }
}

/// Log in at a server, and send nothing; a code where that does not work.
pub(super) async fn greet(settings: &Settings, limits: &config::Outbox, smtp: &Smtp) -> Result<(), String> {
    let greeted = async {
        let transport = transport(settings, limits, smtp).await?;
        match transport.build::<Tokio1Executor>().test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("not_connected".to_owned()),
            Err(error) => Err(refused(&error).reason.unwrap_or_else(|| "not_connected".to_owned())),
        }
    };
    let greeted = tokio::time::timeout(limits.request_timeout, greeted).await;
    greeted.unwrap_or_else(|_| Err("timeout".to_owned()))
}

async fn hand_over(settings: &Settings, limits: &config::Outbox, smtp: &Smtp, mail: &Mail) -> Answer {
    let transport = match transport(settings, limits, smtp).await {
        Ok(transport) => transport,
        Err(reason) => return Answer::because(Meaning::NotSent, reason),
    };
    match transport.build().send(mail.message.clone()).await {
        Ok(_) => Answer::new(Meaning::Confirmed(Told::default())),
        Err(error) => refused(&error),
    }
}

/// The way to a server.
async fn transport(
    settings: &Settings,
    limits: &config::Outbox,
    smtp: &Smtp,
) -> Result<AsyncSmtpTransportBuilder, &'static str> {
    let server = server(&smtp.url).map_err(|_| "address_refused")?;
    let address = Guard::new(settings).mail_address(&server).await.map_err(|_| "not_connected")?;
    let host = server.host.trim_matches(['[', ']']).to_owned();
    let parameters = TlsParameters::new(host).map_err(|_| "tls_unavailable")?;
    let tls = match server.security {
        Security::Wrapped => Tls::Wrapper(parameters),
        Security::StartTls => Tls::Required(parameters),
        Security::Plain => Tls::None,
    };
    // By the address that was checked, not by the name once more.
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string())
        .port(server.port)
        .tls(tls)
        .timeout(Some(limits.request_timeout));
    Ok(match (&smtp.user, &smtp.password) {
        (Some(user), Some(password)) => {
            transport.credentials(Credentials::new(user.clone(), password.text().to_owned()))
        }
        _ => transport,
    })
}

/// Refusals that say nothing of the mail: the account's password, its way of signing in, encryption (RFC 4954, section 6; RFC
/// 3207, section 4). A person mends the connector, and the mail is tried until then.
const OURS_TO_MEND: &[u16] = &[454, 523, 530, 534, 535, 538];

/// What a server's refusal means. Its words may hold the address, so that only the code is kept.
fn refused(error: &lettre::transport::smtp::Error) -> Answer {
    let status = error.status().map(u16::from);
    let code = status.map(|code| format!("smtp_{code}"));
    if status.is_some_and(|code| OURS_TO_MEND.contains(&code)) {
        return Answer { reason: code, ..Answer::new(Meaning::NotSent) };
    }
    if error.is_permanent() {
        return Answer { reason: code, ..Answer::new(Meaning::Declined(Told::default())) };
    }
    Answer { reason: Some(code.unwrap_or_else(|| "connection_lost".to_owned())), ..Answer::new(Meaning::Lost) }
}

/// Under the name of the effect, so that a mail that is sent again replaces itself.
async fn write(folder: &Path, mail: &Mail) -> std::io::Result<()> {
    tokio::fs::create_dir_all(folder).await?;
    let part = folder.join(format!(".{}", mail.file));
    tokio::fs::write(&part, mail.message.formatted()).await?;
    tokio::fs::rename(&part, folder.join(&mail.file)).await
}
