//! Between the core's words and the plugin contract's: the only file that knows both.

use redress_domain::ask::{Answer, Ask};
use redress_domain::case::{Case, Line, Output};
use redress_domain::clock::{self, Instant, Zone};
use redress_domain::facts::{Facts, Purchase};
use redress_domain::ids::OrderId;
use redress_domain::money::{Currency, Money};
use redress_domain::value::{Fields, Value};
use redress_domain::verdict;
use redress_domain::workflow::definition::{Definition, Kind};
use redress_sandbox::contract as wit;
use rust_decimal::Decimal;

/// Something that the contract cannot carry, or that the core cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Untranslatable(pub String);

fn cannot(what: impl Into<String>) -> Untranslatable {
    Untranslatable(what.into())
}

/// Where a question is asked: what a guest cannot know by itself.
#[derive(Debug, Clone)]
pub struct Place {
    /// The zone of local days.
    pub zone: Zone,
    /// The law that applies, as `CN`, `EU`, `UK`.
    pub jurisdiction: String,
}

/// The request of a decision hook.
pub fn request(
    definition: &Definition,
    ask: &Ask,
    case: &Case,
    facts: &Facts,
    place: &Place,
) -> Result<wit::Request, Untranslatable> {
    // In the order of the document, so that "the last opinion" is the last one that was asked for; once for each iteration.
    let earlier = definition.steps.iter().filter(|step| step.id != ask.step).flat_map(|step| {
        let plugin = match &step.kind {
            Kind::Call { plugin, .. } => plugin.to_string(),
            _ => String::new(),
        };
        let opinion = move |output: &Output| {
            let Output::Verdict(given) = output else { return None };
            let (step, plugin) = (step.id.to_string(), plugin.clone());
            Some(verdict_out(given, place).map(|verdict| wit::Opinion { step, plugin, verdict }))
        };
        case.outputs_of(step.id.as_str()).filter_map(opinion)
    });
    Ok(wit::Request {
        ask: ask.step.to_string(),
        now: moment(ask.now, place),
        seed: ask.seed,
        zone: place.zone.name().to_owned(),
        jurisdiction: place.jurisdiction.clone(),
        args: attributes(&ask.args, place)?,
        about: wit::CaseInfo {
            id: case.id.to_string(),
            number: case.number.clone(),
            kind: case.kind.to_string(),
            reason: case.reason.clone(),
            claim: case.claim.clone(),
            opened: moment(case.opened_at, place),
            channel: case.channel.clone(),
            attributes: attributes(&case.attributes, place)?,
        },
        customer: case.customer.as_ref().map(|id| wit::Party { id: id.to_string(), attributes: Vec::new() }),
        lines: case.lines.iter().zip(0..).map(|(one, index)| line(one, index, place)).collect::<Result<_, _>>()?,
        purchases: facts.purchases.iter().map(|one| purchase(one, facts, place)).collect::<Result<_, _>>()?,
        earlier: earlier.collect::<Result<_, _>>()?,
        facts: facts.told.get(&ask.plugin).map_or(Ok(Vec::new()), |told| declared(told, place))?,
    })
}

fn declared(told: &Fields, place: &Place) -> Result<Vec<wit::Fact>, Untranslatable> {
    let fact = |wit::Attribute { key, value }: wit::Attribute| wit::Fact { key, value };
    Ok(attributes(told, place)?.into_iter().map(fact).collect())
}

/// The request of a `step` hook: parameters only.
pub fn step_request(ask: &Ask, place: &Place) -> Result<wit::StepRequest, Untranslatable> {
    Ok(wit::StepRequest {
        ask: ask.step.to_string(),
        now: moment(ask.now, place),
        seed: ask.seed,
        zone: place.zone.name().to_owned(),
        jurisdiction: place.jurisdiction.clone(),
        args: attributes(&ask.args, place)?,
    })
}

/// An answer in the core's words.
pub fn answer(answer: redress_sandbox::Answer) -> Result<Answer, Untranslatable> {
    match answer {
        redress_sandbox::Answer::Verdict(given) => Ok(Answer::Verdict(verdict_in(given)?)),
        redress_sandbox::Answer::Quote(given) => Ok(Answer::Quote(quote_in(given)?)),
        redress_sandbox::Answer::Step(given) => Ok(Answer::Values(fields(given.provides)?)),
    }
}

/// Reasons in the core's words.
pub fn reasons_in(reasons: Vec<wit::Reason>) -> Result<Vec<verdict::Reason>, Untranslatable> {
    reasons.into_iter().map(reason_in).collect()
}

fn moment(at: Instant, place: &Place) -> wit::Moment {
    let (local_day, local_second) = at.local(place.zone);
    wit::Moment { unix_ms: at.unix_ms(), local_day, local_second }
}

fn line(line: &Line, index: u32, place: &Place) -> Result<wit::Line, Untranslatable> {
    let bought = line.bought.as_ref();
    let unit = line.unit.as_ref();
    Ok(wit::Line {
        index,
        sku: line.sku.to_string(),
        quantity: line.quantity,
        bought: bought.map(|bought| wit::OrderLineRef { order: bought.order.to_string(), line: bought.line }),
        unit: unit.map(|unit| wit::Unit {
            lot: unit.lot.clone(),
            serial: unit.serial.clone(),
            expiry_day: unit.expiry.map(clock::days_from_epoch),
            udi: unit.udi.clone(),
        }),
        reason: line.reason.clone(),
        attributes: attributes(&line.attributes, place)?,
    })
}

fn purchase(purchase: &Purchase, facts: &Facts, place: &Place) -> Result<wit::Purchase, Untranslatable> {
    let (left, refunded) = facts.left(purchase);
    Ok(wit::Purchase {
        order: purchase.order.to_string(),
        line: purchase.line,
        sku: purchase.sku.to_string(),
        at: moment(purchase.at, place),
        delivered: purchase.delivered_at.map(|at| moment(at, place)),
        quantity: purchase.quantity,
        left,
        unit_price: decimal(purchase.unit_price.amount())?,
        paid: money(purchase.paid),
        refunded: money(refunded),
        attributes: attributes(&purchase.attributes, place)?,
    })
}

fn money(money: Money) -> wit::Money {
    wit::Money { minor: money.minor(), currency: money.currency().to_string() }
}

fn decimal(number: Decimal) -> Result<wit::Decimal, Untranslatable> {
    let number = number.normalize();
    let mantissa = i64::try_from(number.mantissa()).map_err(|_| cannot(format!("{number} has too many digits")))?;
    Ok(wit::Decimal { mantissa, scale: u8::try_from(number.scale()).unwrap_or(u8::MAX) })
}

fn attributes(fields: &Fields, place: &Place) -> Result<Vec<wit::Attribute>, Untranslatable> {
    let attribute = |(key, value): (&String, &Value)| {
        let value = match value {
            Value::Bool(yes) => wit::Value::Boolean(*yes),
            Value::Text(text) => wit::Value::Text(text.clone()),
            Value::Number(number) => match i64::try_from(*number) {
                Ok(whole) if number.fract().is_zero() => wit::Value::Integer(whole),
                _ => wit::Value::Decimal(decimal(*number)?),
            },
            Value::Money(amount) => wit::Value::Money(money(*amount)),
            Value::Price(price) => wit::Value::Decimal(decimal(price.amount())?),
            Value::Instant(at) => wit::Value::Timestamp(moment(*at, place)),
            Value::Date(date) => wit::Value::Text(date.to_string()),
            Value::Duration(span) => wit::Value::Integer(span.millis()),
            Value::List(_) | Value::Object(_) => {
                return Err(cannot(format!("`{key}` is a {}, which a plugin cannot be given", value.kind())));
            }
        };
        Ok(wit::Attribute { key: key.clone(), value })
    };
    fields.iter().map(attribute).collect()
}

fn fields(attributes: Vec<wit::Attribute>) -> Result<Fields, Untranslatable> {
    let field = |attribute: wit::Attribute| {
        let value = match attribute.value {
            wit::Value::Text(text) => Value::Text(text),
            wit::Value::Integer(whole) => Value::whole(whole),
            wit::Value::Decimal(number) => Value::Number(decimal_in(number)?),
            wit::Value::Boolean(yes) => Value::Bool(yes),
            wit::Value::Timestamp(at) => Value::Instant(Instant::from_unix_ms(at.unix_ms)),
            wit::Value::Money(amount) => Value::Money(money_in(amount)?),
        };
        Ok((attribute.key, value))
    };
    attributes.into_iter().map(field).collect()
}

fn decimal_in(number: wit::Decimal) -> Result<Decimal, Untranslatable> {
    let held = Decimal::try_from_i128_with_scale(number.mantissa.into(), number.scale.into());
    held.map_err(|_| cannot(format!("a decimal with {} decimals", number.scale)))
}

fn money_in(money: wit::Money) -> Result<Money, Untranslatable> {
    let currency: Currency = money.currency.parse().map_err(|_| cannot(format!("currency {:?}", money.currency)))?;
    Ok(Money::from_minor(money.minor, currency))
}

fn reason_in(reason: wit::Reason) -> Result<verdict::Reason, Untranslatable> {
    let cites = reason.cites.map(|cites| verdict::Citation {
        pack: cites.pack,
        rule: cites.rule,
        article: cites.article,
        mark: cites.mark,
    });
    Ok(verdict::Reason { code: reason.code, cites, used: reason.used, params: fields(reason.params)? })
}

fn reason_out(reason: &verdict::Reason, place: &Place) -> Result<wit::Reason, Untranslatable> {
    let cites = reason.cites.as_ref().map(|cites| wit::Citation {
        pack: cites.pack.clone(),
        rule: cites.rule.clone(),
        article: cites.article.clone(),
        mark: cites.mark.clone(),
    });
    let params = attributes(&reason.params, place)?;
    Ok(wit::Reason { code: reason.code.clone(), cites, used: reason.used.clone(), params })
}

fn reasons_out(reasons: &[verdict::Reason], place: &Place) -> Result<Vec<wit::Reason>, Untranslatable> {
    reasons.iter().map(|reason| reason_out(reason, place)).collect()
}

/// The same three words on both sides, both ways.
macro_rules! words {
    ($into:ident, $from:ident, $ours:ty, $theirs:ty, [$($word:ident),+]) => {
        fn $into(word: $ours) -> $theirs {
            match word { $(<$ours>::$word => <$theirs>::$word),+ }
        }

        fn $from(word: $theirs) -> $ours {
            match word { $(<$theirs>::$word => <$ours>::$word),+ }
        }
    };
}
words!(remedy_out, remedy_in, verdict::Remedy, wit::Remedy, [Allow, Deny, Review]);
words!(
    disposition_out,
    disposition_in,
    verdict::Disposition,
    wit::Disposition,
    [Quarantine, RestockAfterInspection, Scrap, ReturnToMaker]
);
words!(tier_out, tier_in, verdict::Tier, wit::Tier, [Safety, Recall, Quality, Statutory, Goodwill, Logistics]);
words!(recipient_out, recipient_in, verdict::Recipient, wit::Recipient, [Manufacturer, Authority, Customer]);

fn take_out(take: &verdict::Take) -> wit::Take {
    wit::Take { order: take.order.to_string(), line: take.line, quantity: take.quantity }
}

fn take_in(take: wit::Take) -> Result<verdict::Take, Untranslatable> {
    let order = OrderId::new(&take.order).map_err(|error| cannot(error.to_string()))?;
    Ok(verdict::Take { order, line: take.line, quantity: take.quantity })
}

fn verdict_out(given: &verdict::Verdict, place: &Place) -> Result<wit::Verdict, Untranslatable> {
    let line = |line: &verdict::LineVerdict| {
        Ok(wit::LineVerdict {
            line: line.line,
            remedy: remedy_out(line.remedy),
            quantity: line.quantity,
            takes: line.takes.iter().map(take_out).collect(),
            disposition: line.disposition.map(disposition_out),
            tier: tier_out(line.tier),
            reasons: reasons_out(&line.reasons, place)?,
        })
    };
    let duty = |duty: &verdict::Duty| {
        Ok(wit::Duty {
            to: recipient_out(duty.to),
            rule: duty.rule.clone(),
            due: duty.due.map(|due| moment(due, place)),
            reasons: reasons_out(&duty.reasons, place)?,
        })
    };
    Ok(wit::Verdict {
        lines: given.lines.iter().map(line).collect::<Result<_, _>>()?,
        reasons: reasons_out(&given.reasons, place)?,
        duties: given.duties.iter().map(duty).collect::<Result<_, _>>()?,
        provides: attributes(&given.provides, place)?,
    })
}

fn verdict_in(given: wit::Verdict) -> Result<verdict::Verdict, Untranslatable> {
    let line = |line: wit::LineVerdict| {
        Ok(verdict::LineVerdict {
            line: line.line,
            remedy: remedy_in(line.remedy),
            quantity: line.quantity,
            takes: line.takes.into_iter().map(take_in).collect::<Result<_, _>>()?,
            disposition: line.disposition.map(disposition_in),
            tier: tier_in(line.tier),
            reasons: reasons_in(line.reasons)?,
        })
    };
    let duty = |duty: wit::Duty| {
        Ok(verdict::Duty {
            to: recipient_in(duty.to),
            rule: duty.rule,
            due: duty.due.map(|due| Instant::from_unix_ms(due.unix_ms)),
            reasons: reasons_in(duty.reasons)?,
        })
    };
    Ok(verdict::Verdict {
        lines: given.lines.into_iter().map(line).collect::<Result<_, _>>()?,
        reasons: reasons_in(given.reasons)?,
        duties: given.duties.into_iter().map(duty).collect::<Result<_, _>>()?,
        provides: fields(given.provides)?,
    })
}

fn quote_in(given: wit::Quote) -> Result<verdict::Quote, Untranslatable> {
    let part = |part: wit::Part| Ok(verdict::Part { kind: part.kind, amount: money_in(part.amount)? });
    let line = |line: wit::LineQuote| {
        let parts = line.parts.into_iter().map(part).collect::<Result<_, _>>()?;
        Ok(verdict::LineQuote { line: line.line, take: take_in(line.take)?, parts })
    };
    Ok(verdict::Quote {
        lines: given.lines.into_iter().map(line).collect::<Result<_, _>>()?,
        reasons: reasons_in(given.reasons)?,
        provides: fields(given.provides)?,
    })
}

/// The encoder that requests are made canonical with; recorded beside the digest of each.
pub const ENCODER: u32 = 1;

/// The canonical bytes of a request: what its digest is taken of. The version changes with the encoder, so that replay knows
/// which one to use.
pub fn canonical(request: &impl serde::Serialize) -> Vec<u8> {
    redress_domain::codec::encode(&(ENCODER, request))
}
