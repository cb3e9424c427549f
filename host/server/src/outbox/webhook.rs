//! Effects as signed requests: the body, its headers, and what an answer means. `docs/webhooks.md` is the contract.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use redress_domain::case::{Case, Exchange, Item, Refund, What};
use redress_domain::clock::{Instant, Span};
use redress_domain::ids::{Digest, Sku, Slug};
use redress_domain::money::Money;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use serde::{Deserialize, Serialize};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};

use super::connectors::Webhook;
use super::guard::{Guard, PublicOnly, Way};
use super::reply::{self, Expect};
use super::rules::{Answer, Meaning, Told};
use super::secret::Secret;
use super::words::Written;
use super::{Error, Settings};
use crate::{config, tls};

/// The header that many providers know a key by; the same as `webhook-id`.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// How secrets begin.
const SECRET_PREFIX: &str = "whsec_";
/// Bytes of a signing secret, as the specification wants them.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Bytes of a provider's reference; a longer one is not kept.
const REFERENCE_BYTES_MAX: usize = 255;

/// The body of a request.
#[derive(Debug, Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    tenant: &'a str,
    case: OfCase<'a>,
    created_at: String,
    data: Data<'a>,
}

#[derive(Debug, Serialize)]
struct OfCase<'a> {
    id: String,
    number: &'a str,
    external: Option<OfExternal<'a>>,
}

#[derive(Debug, Serialize)]
struct OfExternal<'a> {
    source: &'a str,
    id: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Refund {
        order: Option<&'a str>,
        payment: Option<&'a str>,
        method: &'a str,
        amount: Amount,
        reason: Option<&'a str>,
        items: Vec<OfItem<'a>>,
    },
    Restock {
        to: &'a str,
        goods: Vec<Goods<'a>>,
        lot: Option<&'a str>,
        serial: Option<&'a str>,
    },
    Exchange {
        sku: &'a str,
        quantity: u32,
        hold_until: String,
        price_difference: &'a str,
        items: Vec<Given<'a>>,
    },
    Http {
        target: &'a str,
        body: serde_json::Value,
    },
    Notice {
        template: &'a str,
        to: &'a str,
        channel: &'a str,
        customer: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<OfMessage<'a>>,
    },
}

/// What a message says that the merchant wrote.
#[derive(Debug, Serialize)]
struct OfMessage<'a> {
    digest: String,
    subject: &'a str,
    text: &'a str,
}

#[derive(Debug, Serialize)]
struct OfItem<'a> {
    line: u32,
    order: &'a str,
    order_line: u32,
    quantity: u32,
    amount: Amount,
}

#[derive(Debug, Serialize)]
struct Given<'a> {
    line: u32,
    order: &'a str,
    order_line: u32,
    quantity: u32,
}

#[derive(Debug, Serialize)]
struct Goods<'a> {
    sku: &'a str,
    quantity: u32,
}

#[derive(Debug, Serialize)]
struct Amount {
    amount: String,
    currency: String,
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self { amount: money.amount().to_string(), currency: money.currency().code().to_owned() }
    }
}

/// The body that tells of an effect: the same bytes on every attempt, because nothing in it changes once the effect is wanted.
/// But for what was erased meanwhile in a message of the merchant's own.
pub(super) fn body(
    tenant: &str,
    case: &Case,
    key: Digest,
    what: &What,
    wanted_at: Instant,
    own: Option<&Written>,
) -> Vec<u8> {
    let external = case.external.as_ref();
    let external = external.map(|external| OfExternal { source: &external.source, id: &external.id });
    let (kind, data) = data(case, what, own);
    let body = Body {
        kind,
        id: key.to_string(),
        tenant,
        case: OfCase { id: case.id.to_string(), number: &case.number, external },
        created_at: wanted_at.utc().to_rfc3339_opts(SecondsFormat::Millis, true),
        data,
    };
    serde_json::to_vec(&body).expect("a body of texts and numbers is JSON")
}

fn data<'a>(case: &'a Case, what: &'a What, own: Option<&'a Written>) -> (&'static str, Data<'a>) {
    match what {
        What::Refund(refund) => ("refund.requested", refund_data(refund)),
        What::Restock { to, goods, lot, serial } => {
            let goods =
                goods.iter().map(|(sku, quantity): &(Sku, u32)| Goods { sku: sku.as_str(), quantity: *quantity });
            (
                "restock.requested",
                Data::Restock { to, goods: goods.collect(), lot: lot.as_deref(), serial: serial.as_deref() },
            )
        }
        What::Exchange(exchange) => ("exchange.requested", exchange_data(exchange)),
        What::Http(request) => {
            let body = reply::told(&request.body);
            ("http.requested", Data::Http { target: request.target.as_str(), body })
        }
        What::Notice { template, to, channel, message } => {
            let customer = case.customer.as_ref().map(|customer| customer.as_str());
            let message = message.as_ref().zip(own).map(|(message, own)| OfMessage {
                digest: message.digest.to_string(),
                subject: &own.subject,
                text: &own.body,
            });
            ("notice.requested", Data::Notice { template: template.as_str(), to, channel, customer, message })
        }
    }
}

fn exchange_data(exchange: &Exchange) -> Data<'_> {
    Data::Exchange {
        sku: exchange.sku.as_str(),
        quantity: exchange.quantity,
        hold_until: exchange.hold_until.utc().to_rfc3339_opts(SecondsFormat::Millis, true),
        price_difference: &exchange.price_difference,
        items: exchange.items.iter().map(given).collect(),
    }
}

fn given(item: &Item) -> Given<'_> {
    let (order, order_line) = (item.take.order.as_str(), item.take.line);
    Given { line: item.line, order, order_line, quantity: item.take.quantity }
}

fn refund_data(refund: &Refund) -> Data<'_> {
    fn item(item: &Item) -> OfItem<'_> {
        OfItem {
            line: item.line,
            order: item.take.order.as_str(),
            order_line: item.take.line,
            quantity: item.take.quantity,
            amount: item.amount.into(),
        }
    }
    Data::Refund {
        order: refund.order.as_ref().map(|order| order.as_str()),
        payment: refund.payment.as_deref(),
        method: &refund.method,
        amount: refund.amount.into(),
        reason: refund.reason.as_deref(),
        items: refund.items.iter().map(item).collect(),
    }
}

/// Whether a secret can sign.
pub(super) fn check_secret(secret: &Secret) -> Result<(), String> {
    let text = secret.text().strip_prefix(SECRET_PREFIX).ok_or(format!("it does not begin with {SECRET_PREFIX}"))?;
    let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, text);
    let bytes = bytes.map_err(|_| "it is not base64".to_owned())?.len();
    if SECRET_BYTES.contains(&bytes) {
        return Ok(());
    }
    Err(format!("it has {bytes} bytes, not {} to {}", SECRET_BYTES.start(), SECRET_BYTES.end()))
}

/// The two ways out. Neither keeps a connection, so that none is ever shared between the secrets of two tenants.
pub(super) struct Http {
    public: Client,
    allowed: Client,
    answer_bytes_max: usize,
}

impl Http {
    pub(super) fn new(limits: &config::Outbox) -> Result<Self, Error> {
        let builder = || {
            tls::client()
                .timeout(limits.request_timeout)
                .connect_timeout(limits.connect_timeout)
                .pool_max_idle_per_host(0)
                .pool_idle_timeout(Duration::ZERO)
                .retry(reqwest::retry::never())
                .referer(false)
                .user_agent(concat!("redress/", env!("CARGO_PKG_VERSION")))
        };
        let public = builder().https_only(true).dns_resolver(PublicOnly::shared()).build();
        Ok(Self {
            public: public.map_err(Error::Http)?,
            allowed: builder().build().map_err(Error::Http)?,
            answer_bytes_max: limits.answer_bytes_max,
        })
    }

    /// Send one request and read what it comes to.
    pub(super) async fn send(
        &self,
        settings: &Settings,
        webhook: &Webhook,
        key: Digest,
        body: Vec<u8>,
        expect: &Expect,
        now: Instant,
    ) -> Answer {
        let not_sent = |reason: &str| Answer::because(Meaning::NotSent, reason);
        let Ok(url) = Url::parse(&webhook.url) else { return not_sent("address_refused") };
        let client = match Guard::new(settings).permits(&url) {
            Ok(Way::Public) => &self.public,
            Ok(Way::Allowed) => &self.allowed,
            Err(refused) => return not_sent(refused.code()),
        };
        let (id, at) = (key.to_string(), now.unix_ms().div_euclid(1_000));
        let Some(signature) = sign(&webhook.secret, &id, at, &body) else { return not_sent("secret_unusable") };
        let request = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER_WEBHOOK_ID, &id)
            .header(HEADER_WEBHOOK_TIMESTAMP, at)
            .header(HEADER_WEBHOOK_SIGNATURE, signature)
            .header(IDEMPOTENCY_KEY, &id)
            .body(body);
        match request.send().await {
            Ok(response) => self.read(expect, response, now).await,
            // The connection never came about, so not a byte of the request left.
            Err(error) if error.is_connect() => not_sent("not_connected"),
            Err(error) if error.is_timeout() => Answer::because(Meaning::Lost, "timeout"),
            Err(_) => Answer::because(Meaning::Lost, "connection_lost"),
        }
    }

    async fn read(&self, expect: &Expect, response: Response, now: Instant) -> Answer {
        let (status, pause) = (response.status(), retry_after(response.headers(), now));
        // Of a message only the status counts, and of what was not done as well.
        let wanted = *expect != Expect::Thanks && status == StatusCode::OK;
        let body = if wanted { self.read_body(response).await } else { Ok(Vec::new()) };
        let answer = match body {
            Ok(body) => meaning(expect, status, &body),
            Err(reason) => Answer::because(Meaning::Lost, reason),
        };
        Answer { status: Some(status.as_u16()), pause, ..answer }
    }

    async fn read_body(&self, mut response: Response) -> Result<Vec<u8>, &'static str> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= self.answer_bytes_max => body.extend_from_slice(&chunk),
                Ok(Some(_)) => return Err("answer_too_large"),
                Ok(None) => return Ok(body),
                Err(error) if error.is_timeout() => return Err("timeout"),
                Err(_) => return Err("connection_lost"),
            }
        }
    }
}

fn sign(secret: &Secret, id: &str, at: i64, body: &[u8]) -> Option<String> {
    standardwebhooks::Webhook::new(secret.text()).ok()?.sign(id, at, body).ok()
}

/// What providers answer; whatever else they say is theirs.
#[derive(Debug, Deserialize)]
struct Said {
    outcome: SaidOutcome,
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    answer: Option<serde_json::Value>,
    #[serde(default)]
    code: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SaidOutcome {
    Confirmed,
    Declined,
}

/// What an answer means for the effect.
fn meaning(expect: &Expect, status: StatusCode, body: &[u8]) -> Answer {
    let told = || Some(format!("status_{}", status.as_u16()));
    let lost = || Answer { reason: told(), ..Answer::new(Meaning::Lost) };
    if *expect == Expect::Thanks {
        return match status.as_u16() {
            200..=299 => Answer::new(Meaning::Confirmed(Told::default())),
            410 => Answer { reason: told(), ..Answer::new(Meaning::Declined(Told::default())) },
            _ => lost(),
        };
    }
    match status.as_u16() {
        200 => match serde_json::from_slice::<Said>(body) {
            Ok(Said { outcome: SaidOutcome::Confirmed, reference, answer, .. }) => {
                let reply = expect.read(answer.as_ref());
                Answer::new(Meaning::Confirmed(Told { reference: short(reference), reply, code: None }))
            }
            Ok(Said { outcome: SaidOutcome::Declined, reference, code, .. }) => {
                // A code is a word in lower case; anything else is the receiver's own matter.
                let code = code.filter(|code| Slug::new(code).is_ok());
                let told = Told { reference: short(reference), reply: None, code };
                Answer::because(Meaning::Declined(told), "provider_declined")
            }
            Err(_) => Answer::because(Meaning::Lost, "answer_unreadable"),
        },
        202 => Answer::new(Meaning::Accepted),
        408 | 409 | 425 | 429 => lost(),
        400..=499 => Answer { reason: told(), ..Answer::new(Meaning::Declined(Told::default())) },
        _ => lost(),
    }
}

fn short(reference: Option<String>) -> Option<String> {
    reference.filter(|reference| reference.len() <= REFERENCE_BYTES_MAX)
}

/// How long the receiver asks to be left alone: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Instant) -> Option<Span> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Span::from_millis(i64::from(seconds) * 1_000));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc).timestamp_millis();
    Some(Span::from_millis((at - now.unix_ms()).max(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_the_specification_is_signed_as_it_says() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let signature = sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn every_status_has_one_meaning() {
        let of = |status: u16, body: &str| {
            meaning(&Expect::Outcome, StatusCode::from_u16(status).unwrap(), body.as_bytes()).meaning
        };
        let reference = Told::named("r1".to_owned());
        assert_eq!(of(200, r#"{"outcome":"confirmed","reference":"r1","more":1}"#), Meaning::Confirmed(reference));
        assert_eq!(of(200, r#"{"outcome":"declined"}"#), Meaning::Declined(Told::default()));
        for body in ["", "ok", "{}", r#"{"outcome":"perhaps"}"#] {
            assert_eq!(of(200, body), Meaning::Lost, "{body:?}");
        }
        assert_eq!(of(202, ""), Meaning::Accepted);
        for status in [408, 409, 425, 429, 500, 502, 503, 504, 599, 201, 204, 301, 302] {
            assert_eq!(of(status, ""), Meaning::Lost, "{status}");
        }
        for status in [400, 401, 402, 403, 404, 410, 422] {
            assert_eq!(of(status, ""), Meaning::Declined(Told::default()), "{status}");
        }
        let notice = |status: u16| meaning(&Expect::Thanks, StatusCode::from_u16(status).unwrap(), b"").meaning;
        assert_eq!(
            [200, 202, 204].map(notice),
            [const { Meaning::Confirmed(Told { reference: None, reply: None, code: None }) }; 3]
        );
        assert_eq!([404, 429, 500, 302].map(notice), [const { Meaning::Lost }; 4]);
        assert_eq!(notice(410), Meaning::Declined(Told::default()));
    }

    #[test]
    fn a_receiver_asks_for_a_pause_in_seconds_or_by_a_date() {
        let pause = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, Instant::from_unix_ms(784_111_777_000)).map(Span::millis)
        };
        assert_eq!(pause("120"), Some(120_000));
        assert_eq!(pause("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60_000));
        assert_eq!(pause("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        assert_eq!((pause("soon"), pause("-1")), (None, None));
    }

    #[test]
    fn a_secret_that_could_be_guessed_or_not_read_is_refused() {
        let check = |text: &str| check_secret(&Secret::new(text)).is_ok();
        assert!(check("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        for wrong in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64"] {
            assert!(!check(wrong), "{wrong}");
        }
    }
}
