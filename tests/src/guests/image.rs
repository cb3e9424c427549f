//! Answers laid out in a guest's memory, as the component model's binary interface wants them.
//!
//! The offsets are written out once more here, independently of the bindings that the sandbox is tested with.

use redress_sandbox::contract::{
    Attribute, Citation, Disposition, LineQuote, LineVerdict, Quote, Reason, Remedy, StepAnswer, Take, Tier, Value,
    Verdict,
};
use wit_parser::{Resolve, SizeAlign, Type, TypeDefKind, TypeId};

/// Bytes of a `line-verdict`.
pub(super) const LINE_VERDICT_BYTES: u32 = 32;

/// Memory from an address on, filled from below.
#[derive(Debug)]
pub(super) struct Image {
    base: u32,
    bytes: Vec<u8>,
}

impl Image {
    pub(super) fn new(base: u32) -> Self {
        Self { base, bytes: Vec::new() }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// `ok(verdict)`; gives its address.
    pub(super) fn verdict(&mut self, verdict: &Verdict) -> u32 {
        assert!(verdict.duties.is_empty(), "no test needs duties in a constant answer");
        let answer = self.room(36);
        self.list(answer + 4, &verdict.lines, LINE_VERDICT_BYTES, Self::line_verdict);
        self.list(answer + 12, &verdict.reasons, 60, Self::reason);
        self.list(answer + 28, &verdict.provides, 32, Self::attribute);
        answer
    }

    /// `ok(quote)`; gives its address.
    pub(super) fn quote(&mut self, quote: &Quote) -> u32 {
        let answer = self.room(28);
        self.list(answer + 4, &quote.lines, 28, Self::line_quote);
        self.list(answer + 12, &quote.reasons, 60, Self::reason);
        self.list(answer + 20, &quote.provides, 32, Self::attribute);
        answer
    }

    /// `ok(step-answer)`; gives its address.
    pub(super) fn step_answer(&mut self, step: &StepAnswer) -> u32 {
        let answer = self.room(20);
        self.list(answer + 4, &step.provides, 32, Self::attribute);
        self.list(answer + 12, &step.reasons, 60, Self::reason);
        answer
    }

    /// `ok(step-answer)` with one integer; gives the address of the answer and of the integer.
    pub(super) fn one_integer(&mut self, key: &str) -> (u32, u32) {
        let answer = self.step_answer(&StepAnswer {
            provides: vec![Attribute { key: key.to_owned(), value: Value::Integer(0) }],
            reasons: Vec::new(),
        });
        let attribute = self.read_u32(answer + 4);
        (answer, attribute + 16)
    }

    /// One reason with a code; gives its address.
    pub(super) fn reasons_of_code(&mut self, code: &str) -> u32 {
        let at = self.room(60);
        self.string(at, code);
        at
    }

    /// Parts of a quote; gives the address of the first.
    pub(super) fn parts(&mut self, parts: &[(&str, i64, &str)]) -> u32 {
        let holder = self.room(8);
        self.list(holder, parts, 24, |image, at, (kind, minor, currency)| {
            image.string(at, kind);
            image.put(at + 8, &minor.to_le_bytes());
            image.string(at + 16, currency);
        });
        self.read_u32(holder)
    }

    fn line_verdict(&mut self, at: u32, line: &LineVerdict) {
        self.put(at, &line.line.to_le_bytes());
        self.put(
            at + 4,
            &[match line.remedy {
                Remedy::Allow => 0,
                Remedy::Deny => 1,
                Remedy::Review => 2,
            }],
        );
        self.put(at + 8, &line.quantity.to_le_bytes());
        self.list(at + 12, &line.takes, 16, Self::take);
        if let Some(disposition) = line.disposition {
            self.put(
                at + 20,
                &[
                    1,
                    match disposition {
                        Disposition::Quarantine => 0,
                        Disposition::RestockAfterInspection => 1,
                        Disposition::Scrap => 2,
                        Disposition::ReturnToMaker => 3,
                    },
                ],
            );
        }
        self.put(
            at + 22,
            &[match line.tier {
                Tier::Safety => 0,
                Tier::Recall => 1,
                Tier::Quality => 2,
                Tier::Statutory => 3,
                Tier::Goodwill => 4,
                Tier::Logistics => 5,
            }],
        );
        self.list(at + 24, &line.reasons, 60, Self::reason);
    }

    fn take(&mut self, at: u32, take: &Take) {
        self.string(at, &take.order);
        self.put(at + 8, &take.line.to_le_bytes());
        self.put(at + 12, &take.quantity.to_le_bytes());
    }

    fn line_quote(&mut self, at: u32, line: &LineQuote) {
        self.put(at, &line.line.to_le_bytes());
        self.take(at + 4, &line.take);
        self.list(at + 20, &line.parts, 24, |image, at, part| {
            image.string(at, &part.kind);
            image.put(at + 8, &part.amount.minor.to_le_bytes());
            image.string(at + 16, &part.amount.currency);
        });
    }

    fn reason(&mut self, at: u32, reason: &Reason) {
        self.string(at, &reason.code);
        if let Some(Citation { pack, rule, article, mark }) = &reason.cites {
            self.put(at + 8, &[1]);
            for (offset, text) in [(12, pack), (20, rule), (28, article), (36, mark)] {
                self.string(at + offset, text);
            }
        }
        self.list(at + 44, &reason.used, 8, |image, at, text| image.string(at, text));
        self.list(at + 52, &reason.params, 32, Self::attribute);
    }

    fn attribute(&mut self, at: u32, attribute: &Attribute) {
        self.string(at, &attribute.key);
        let (case, value) = (at + 8, at + 16);
        match &attribute.value {
            Value::Text(text) => {
                self.put(case, &[0]);
                self.string(value, text);
            }
            Value::Integer(number) => {
                self.put(case, &[1]);
                self.put(value, &number.to_le_bytes());
            }
            Value::Decimal(decimal) => {
                self.put(case, &[2]);
                self.put(value, &decimal.mantissa.to_le_bytes());
                self.put(value + 8, &[decimal.scale]);
            }
            Value::Boolean(truth) => self.put(case, &[3, 0, 0, 0, 0, 0, 0, 0, u8::from(*truth)]),
            Value::Timestamp(moment) => {
                self.put(case, &[4]);
                self.put(value, &moment.unix_ms.to_le_bytes());
                self.put(value + 8, &moment.local_day.to_le_bytes());
                self.put(value + 12, &moment.local_second.to_le_bytes());
            }
            Value::Money(money) => {
                self.put(case, &[5]);
                self.put(value, &money.minor.to_le_bytes());
                self.string(value + 8, &money.currency);
            }
        }
    }

    /// Writes a list's address and length at `at`, and its items elsewhere.
    fn list<T>(&mut self, at: u32, items: &[T], bytes: u32, mut one: impl FnMut(&mut Self, u32, &T)) {
        let length = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let first = self.room(length * bytes);
        self.put(at, &first.to_le_bytes());
        self.put(at + 4, &length.to_le_bytes());
        for (index, item) in (0_u32..).zip(items) {
            one(self, first + index * bytes, item);
        }
    }

    fn string(&mut self, at: u32, text: &str) {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let first = self.room(length);
        self.put(at, &first.to_le_bytes());
        self.put(at + 4, &length.to_le_bytes());
        self.put(first, text.as_bytes());
    }

    /// So many zero bytes at an address that suits every type.
    fn room(&mut self, bytes: u32) -> u32 {
        let begin = self.bytes.len().next_multiple_of(8);
        self.bytes.resize(begin + bytes as usize, 0);
        self.base + u32::try_from(begin).unwrap_or(u32::MAX)
    }

    fn put(&mut self, at: u32, bytes: &[u8]) {
        let begin = (at - self.base) as usize;
        self.bytes[begin..begin + bytes.len()].copy_from_slice(bytes);
    }

    fn read_u32(&self, at: u32) -> u32 {
        let begin = (at - self.base) as usize;
        self.bytes[begin..begin + 4].iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
    }
}

/// Where a field lies in a request.
pub(super) fn request_field(field: &str) -> u32 {
    field_of_record("request", field)
}

/// Where a field lies in a record of the contract.
pub(super) fn field_of_record(record: &str, field: &str) -> u32 {
    let (resolve, sizes, id) = laid_out(record);
    let TypeDefKind::Record(fields) = &resolve.types[id].kind else { return u32::MAX };
    let types = fields.fields.iter().map(|field| &field.ty);
    let offsets = sizes.field_offsets(types);
    let place = fields.fields.iter().position(|candidate| candidate.name == field);
    place.map_or(u32::MAX, |place| bytes_of(offsets[place].0.size_wasm32()))
}

/// The bytes of a record of the contract.
pub(super) fn size_of_record(record: &str) -> u32 {
    let (_, sizes, id) = laid_out(record);
    bytes_of(sizes.size(&Type::Id(id)).size_wasm32())
}

fn bytes_of(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// The contract with the sizes of its types, and one of its records.
///
/// # Panics
///
/// When the contract has no such record; a mistake in the test.
fn laid_out(record: &str) -> (Resolve, SizeAlign, TypeId) {
    let mut resolve = Resolve::default();
    resolve.push_source("contract.wit", super::CONTRACT).expect("the contract is valid");
    let mut sizes = SizeAlign::default();
    sizes.fill(&resolve);
    let mut types = resolve.types.iter();
    let (id, _) = types.find(|(_, kind)| kind.name.as_deref() == Some(record)).expect("the contract has the record");
    (resolve, sizes, id)
}
