//! How large requests and answers are, against the limits.
//!
//! Bytes are counted as the host holds them: the records' own size and the bytes of every text. That is somewhat more
//! than what crosses to the guest, and the same for every guest.

use crate::contract::{
    Attribute, CaseInfo, Fact, Failure, Line, LineQuote, LineVerdict, Opinion, Party, Purchase, Quote, Reason, Request,
    StepAnswer, StepRequest, Take, Unit, Value, Verdict,
};
use crate::limits::Limits;

/// What was too large, how much there was and how much there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge {
    pub(crate) what: &'static str,
    pub(crate) got: usize,
    pub(crate) max: usize,
}

type Result = std::result::Result<(), TooLarge>;

/// Checks what the host is about to ask.
pub(crate) fn request(request: &Request, limits: &Limits) -> Result {
    let mut meter = Meter { limits, bytes: 0, bytes_max: limits.request_bytes_max, chars_max: usize::MAX };
    meter.texts([&request.ask, &request.zone, &request.jurisdiction])?;
    meter.bag(&request.args)?;
    meter.case(&request.about)?;
    if let Some(customer) = &request.customer {
        meter.party(customer)?;
    }
    meter.each(&request.lines, "lines", usize::MAX, Meter::line)?;
    meter.each(&request.purchases, "purchases", limits.purchases_max, Meter::purchase)?;
    meter.each(&request.earlier, "earlier verdicts", usize::MAX, Meter::opinion)?;
    meter.each(&request.facts, "facts", usize::MAX, Meter::fact)
}

/// Checks what the host is about to ask of a step.
pub(crate) fn step_request(request: &StepRequest, limits: &Limits) -> Result {
    let mut meter = Meter { limits, bytes: 0, bytes_max: limits.request_bytes_max, chars_max: usize::MAX };
    meter.texts([&request.ask, &request.zone, &request.jurisdiction])?;
    meter.bag(&request.args)
}

/// Checks a verdict about a request of so many lines.
pub(crate) fn verdict(verdict: &Verdict, lines: usize, limits: &Limits) -> Result {
    Meter::of_answer(limits).verdict(verdict, lines)
}

/// Checks a quote about a request of so many lines.
pub(crate) fn quote(quote: &Quote, lines: usize, limits: &Limits) -> Result {
    let mut meter = Meter::of_answer(limits);
    meter.each(&quote.lines, "quoted takes", lines.saturating_mul(limits.takes_max), Meter::line_quote)?;
    meter.reasons(&quote.reasons, limits.reasons_max)?;
    meter.bag(&quote.provides)
}

/// Checks the answer of a step.
pub(crate) fn step_answer(answer: &StepAnswer, limits: &Limits) -> Result {
    let mut meter = Meter::of_answer(limits);
    meter.bag(&answer.provides)?;
    meter.reasons(&answer.reasons, limits.reasons_max)
}

/// Checks what a plugin says when it cannot decide.
pub(crate) fn failure(failure: &Failure, limits: &Limits) -> Result {
    let mut meter = Meter::of_answer(limits);
    match failure {
        Failure::CannotDecide(reasons) => meter.reasons(reasons, limits.reasons_max),
        Failure::BadInput(text) => meter.text(text),
    }
}

struct Meter<'l> {
    limits: &'l Limits,
    bytes: usize,
    bytes_max: usize,
    chars_max: usize,
}

impl<'l> Meter<'l> {
    fn of_answer(limits: &'l Limits) -> Self {
        Self { limits, bytes: 0, bytes_max: limits.answer_bytes_max, chars_max: limits.string_chars_max }
    }

    fn bytes(&mut self, more: usize) -> Result {
        self.bytes = self.bytes.saturating_add(more);
        at_most("bytes", self.bytes, self.bytes_max)
    }

    fn text(&mut self, text: &str) -> Result {
        self.bytes(text.len())?;
        // Characters are at most as many as bytes, so most texts need no counting.
        if text.len() > self.chars_max {
            at_most("characters in a text", text.chars().count(), self.chars_max)?;
        }
        Ok(())
    }

    fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t String>) -> Result {
        texts.into_iter().try_for_each(|text| self.text(text))
    }

    fn each<T>(&mut self, items: &[T], what: &'static str, max: usize, one: fn(&mut Self, &T) -> Result) -> Result {
        at_most(what, items.len(), max)?;
        self.bytes(size_of_val(items))?;
        items.iter().try_for_each(|item| one(self, item))
    }

    fn bag(&mut self, attributes: &[Attribute]) -> Result {
        self.each(attributes, "entries in a bag", self.limits.bag_entries_max, |meter, attribute| {
            meter.text(&attribute.key)?;
            meter.value(&attribute.value)
        })
    }

    fn value(&mut self, value: &Value) -> Result {
        match value {
            Value::Text(text) => self.text(text),
            Value::Money(money) => self.text(&money.currency),
            Value::Integer(_) | Value::Decimal(_) | Value::Boolean(_) | Value::Timestamp(_) => Ok(()),
        }
    }

    fn case(&mut self, about: &CaseInfo) -> Result {
        self.texts([&about.id, &about.number, &about.kind, &about.channel])?;
        self.texts(&about.reason)?;
        self.texts(&about.claim)?;
        self.bag(&about.attributes)
    }

    fn party(&mut self, party: &Party) -> Result {
        self.text(&party.id)?;
        self.bag(&party.attributes)
    }

    fn line(&mut self, line: &Line) -> Result {
        self.text(&line.sku)?;
        self.texts(line.bought.as_ref().map(|bought| &bought.order))?;
        self.texts(&line.reason)?;
        if let Some(unit) = &line.unit {
            self.unit(unit)?;
        }
        self.bag(&line.attributes)
    }

    fn unit(&mut self, unit: &Unit) -> Result {
        self.texts(unit.lot.iter().chain(&unit.serial).chain(&unit.udi))
    }

    fn purchase(&mut self, purchase: &Purchase) -> Result {
        self.texts([&purchase.order, &purchase.sku, &purchase.paid.currency, &purchase.refunded.currency])?;
        self.bag(&purchase.attributes)
    }

    fn opinion(&mut self, opinion: &Opinion) -> Result {
        self.texts([&opinion.step, &opinion.plugin])?;
        self.verdict(&opinion.verdict, usize::MAX)
    }

    fn fact(&mut self, fact: &Fact) -> Result {
        self.text(&fact.key)?;
        self.value(&fact.value)
    }

    fn verdict(&mut self, verdict: &Verdict, lines_max: usize) -> Result {
        self.each(&verdict.lines, "lines", lines_max, Meter::line_verdict)?;
        self.reasons(&verdict.reasons, self.limits.reasons_max)?;
        self.each(&verdict.duties, "duties", self.limits.reasons_max, |meter, duty| {
            meter.text(&duty.rule)?;
            meter.reasons(&duty.reasons, meter.limits.line_reasons_max)
        })?;
        self.bag(&verdict.provides)
    }

    fn line_verdict(&mut self, line: &LineVerdict) -> Result {
        self.each(&line.takes, "takes of a line", self.limits.takes_max, Meter::take)?;
        self.reasons(&line.reasons, self.limits.line_reasons_max)
    }

    fn take(&mut self, take: &Take) -> Result {
        self.text(&take.order)
    }

    fn line_quote(&mut self, line: &LineQuote) -> Result {
        self.take(&line.take)?;
        self.each(&line.parts, "parts of a quoted take", self.limits.parts_of_quote_max, |meter, part| {
            meter.texts([&part.kind, &part.amount.currency])
        })
    }

    fn reasons(&mut self, reasons: &[Reason], max: usize) -> Result {
        self.each(reasons, "reasons", max, |meter, reason| {
            meter.text(&reason.code)?;
            if let Some(cites) = &reason.cites {
                meter.texts([&cites.pack, &cites.rule, &cites.article, &cites.mark])?;
            }
            meter.each(&reason.used, "entries in a bag", meter.limits.bag_entries_max, |meter, used: &String| {
                meter.text(used)
            })?;
            meter.bag(&reason.params)
        })
    }
}

fn at_most(what: &'static str, got: usize, max: usize) -> Result {
    if got > max { Err(TooLarge { what, got, max }) } else { Ok(()) }
}
