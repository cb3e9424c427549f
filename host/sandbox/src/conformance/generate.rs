//! Generated cases: requests as a host could send them, from a seed, so that the same seed asks the same.
//!
//! Lines are counted from 0, nothing has more left than was bought, no more was refunded than paid, and takes of earlier
//! opinions are covered by what is left. Everything else may be anything: texts, amounts, days. An attribute is mostly of the
//! type that the manifest says, so that what a plugin does with it is reached, and now and then of another.

use super::built_in::{give_params, plausible};
use super::case::{Case, Question};
use crate::contract::{
    Attribute, CaseInfo, Decimal, Disposition, Fact, Hook, Line, LineVerdict, Moment, Money, Opinion, OrderLineRef,
    Party, Purchase, Remedy, Request, StepRequest, Take, Tier, Unit, Value, Verdict,
};
use crate::manifest::{Attributes, BaseType, Manifest};

const SKUS: [&str; 6] = ["A1", "A1-XL", "85123A", "退货", "", "POST"];
const TEXTS: [&str; 10] =
    ["", "yes", "no", "none", "unused", "intact", "退货", "a b", "x\u{0}y", "0123456789012345678901234567890123456789"];
const LAWS: [&str; 6] = ["EU", "UK", "GB", "CN", "US", ""];
const TYPES: [BaseType; 6] =
    [BaseType::Text, BaseType::Integer, BaseType::Decimal, BaseType::Boolean, BaseType::Timestamp, BaseType::Money];
const DAY_MS: i64 = 86_400_000;

/// The case of a hook with this number, of a seed.
pub(super) fn case(hook: Hook, manifest: &Manifest, seed: u64, number: u32) -> Case {
    let mut dice = Dice(seed ^ (u64::from(number) << 32) ^ hook as u64);
    let mut question = match hook {
        Hook::Step => Question::Step(Box::new(dice.step())),
        _ => Question::Decision(hook, Box::new(dice.request(manifest))),
    };
    let optional: Vec<_> = manifest.params.iter().filter(|(_, param)| !param.required).collect();
    let args = match &mut question {
        Question::Decision(_, request) => &mut request.args,
        Question::Step(request) => &mut request.args,
    };
    for (name, param) in optional {
        if dice.one_in(3) {
            args.push(Attribute { key: name.clone(), value: dice.of_type(param.kind.base) });
        }
    }
    give_params(&mut question, manifest, |_, kind| if dice.one_in(4) { dice.of_type(kind) } else { plausible(kind) });
    Case { name: format!("generated_{number}"), question, expect: None }
}

/// SplitMix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn count(&mut self, most: usize) -> usize {
        usize::try_from(self.below(most as u64 + 1)).unwrap_or(most)
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.count(from.len() - 1)]
    }

    fn small(&mut self, end: u32) -> u32 {
        u32::try_from(self.below(u64::from(end))).unwrap_or_default()
    }

    fn text(&mut self) -> String {
        self.pick(&TEXTS).to_owned()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.one_in(2) { Some(make(self)) } else { None }
    }

    /// So many days before the case was opened, at the most; below zero is after it.
    fn moment(&mut self, days_most: u64) -> Moment {
        let days = i64::try_from(self.below(days_most + 10)).unwrap_or_default() - 10;
        let second = self.small(86_400);
        let day = 20_468 - days;
        let offset = i64::from(self.small(27)) - 12;
        Moment {
            unix_ms: day * DAY_MS + i64::from(second) * 1_000 - offset * 3_600_000,
            local_day: i32::try_from(day).unwrap_or_default(),
            local_second: second,
        }
    }

    fn of_type(&mut self, kind: BaseType) -> Value {
        let extreme = self.one_in(6);
        match kind {
            BaseType::Text => Value::Text(self.text()),
            BaseType::Integer if extreme => Value::Integer(self.pick(&[i64::MIN, -1, 0, i64::MAX])),
            BaseType::Integer => Value::Integer(i64::from(self.small(120))),
            BaseType::Decimal if extreme => {
                let mantissa = self.pick(&[i64::MIN, -1, 0, i64::MAX]);
                Value::Decimal(Decimal { mantissa, scale: self.pick(&[0, 1, 28]) })
            }
            BaseType::Decimal => {
                Value::Decimal(Decimal { mantissa: i64::from(self.small(10_000)), scale: self.pick(&[0, 2, 3]) })
            }
            BaseType::Boolean => Value::Boolean(self.one_in(2)),
            BaseType::Timestamp => Value::Timestamp(self.moment(400)),
            BaseType::Money => {
                let minor = if extreme { self.pick(&[i64::MIN, i64::MAX]) } else { i64::from(self.small(100_000)) };
                Value::Money(Money { minor, currency: self.pick(&["EUR", "GBP", "JPY"]).to_owned() })
            }
        }
    }

    /// Some of these keys, of the type that is said; else mostly true or false or a word, as attributes are.
    fn bag<'k>(&mut self, keys: impl Iterator<Item = (&'k String, Option<BaseType>)>) -> Vec<Attribute> {
        let mut bag = Vec::new();
        for (key, kind) in keys {
            if self.one_in(2) {
                let value = match kind {
                    // One that does not fit ends the call, and a request has many.
                    Some(kind) if !self.one_in(24) => self.fitting(kind),
                    Some(_) => self.any(),
                    None if self.one_in(3) => self.any(),
                    None => {
                        let kind = self.pick(&[BaseType::Boolean, BaseType::Text]);
                        self.of_type(kind)
                    }
                };
                bag.push(Attribute { key: key.clone(), value });
            }
        }
        bag
    }

    fn any(&mut self) -> Value {
        let kind = self.pick(&TYPES);
        self.of_type(kind)
    }

    /// As `of_type`, and money mostly in the currency of most purchases.
    fn fitting(&mut self, kind: BaseType) -> Value {
        let mut value = self.of_type(kind);
        if let Value::Money(amount) = &mut value
            && !self.one_in(8)
        {
            amount.currency = "EUR".to_owned();
        }
        value
    }

    fn step(&mut self) -> StepRequest {
        StepRequest {
            ask: self.text(),
            now: self.moment(400),
            seed: self.next(),
            zone: "Europe/Berlin".to_owned(),
            jurisdiction: self.pick(&LAWS).to_owned(),
            args: Vec::new(),
        }
    }

    fn request(&mut self, manifest: &Manifest) -> Request {
        let StepRequest { ask, seed, zone, jurisdiction, args, .. } = self.step();
        let opened = self.moment(1);
        let keys = &manifest.attributes;
        let about = CaseInfo {
            id: "case_1".to_owned(),
            number: self.text(),
            kind: self.pick(&["return", "complaint", "exchange"]).to_owned(),
            reason: self.maybe(Self::text),
            claim: self.maybe(Self::text),
            opened,
            channel: self.text(),
            attributes: self.bag(keys.iter()),
        };
        let purchases: Vec<Purchase> = (0..self.count(9)).map(|at| self.purchase(at, keys)).collect();
        let lines: Vec<Line> = (0..self.count(5)).map(|at| self.line(at, &purchases, keys)).collect();
        let earlier = if self.one_in(3) { Vec::new() } else { vec![self.opinion(&lines, &purchases)] };
        let attributes = self.bag(keys.iter());
        Request {
            ask,
            now: opened,
            seed,
            zone,
            jurisdiction,
            args,
            about,
            customer: if self.one_in(5) { None } else { Some(Party { id: "cus_1".to_owned(), attributes }) },
            facts: self
                .bag(manifest.facts.iter().map(|key| (key, None)))
                .into_iter()
                .map(|Attribute { key, value }| Fact { key, value })
                .collect(),
            lines,
            purchases,
            earlier,
        }
    }

    fn purchase(&mut self, at: usize, keys: &Attributes) -> Purchase {
        let quantity = if self.one_in(12) { u32::MAX } else { self.small(8) };
        let left = if self.one_in(3) { quantity } else { self.small(quantity.saturating_add(1).max(1)) };
        let scale = self.pick(&[0, 2, 2, 3]);
        let unit_price = Decimal { mantissa: i64::from(self.small(20_000)), scale };
        // What was paid is near the price, and sometimes far from it: tax, discounts, gifts.
        let price =
            unit_price.mantissa.saturating_mul(i64::from(quantity)).saturating_mul(100) / 10_i64.pow(scale.into());
        let paid = if self.one_in(4) { i64::from(self.small(50_000)) } else { price };
        let refunded = match (self.one_in(2), quantity) {
            (_, 0) => 0,
            (true, _) => paid / i64::from(quantity) * i64::from(quantity - left),
            (false, _) => i64::try_from(self.below(paid.unsigned_abs().saturating_add(1))).unwrap_or_default(),
        };
        let currency = if self.one_in(8) { "JPY" } else { "EUR" };
        let money = |minor| Money { minor, currency: currency.to_owned() };
        let day = self.moment(400);
        Purchase {
            order: (1_000 + at / 2).to_string(),
            line: u32::try_from(at % 2).unwrap_or_default(),
            sku: self.pick(&SKUS).to_owned(),
            at: day,
            delivered: self.maybe(|dice| dice.moment(400)),
            quantity,
            left,
            unit_price,
            paid: money(paid),
            refunded: money(refunded),
            attributes: self.bag(keys.iter()),
        }
    }

    fn line(&mut self, at: usize, purchases: &[Purchase], keys: &Attributes) -> Line {
        let named = if purchases.is_empty() || self.one_in(3) {
            None
        } else {
            Some(&purchases[self.count(purchases.len() - 1)])
        };
        let bought =
            named.filter(|_| self.one_in(2)).map(|one| OrderLineRef { order: one.order.clone(), line: one.line });
        Line {
            index: u32::try_from(at).unwrap_or_default(),
            sku: named.map_or_else(|| self.pick(&SKUS).to_owned(), |one| one.sku.clone()),
            quantity: if self.one_in(12) { u32::MAX } else { self.small(6) },
            bought,
            unit: self.maybe(|dice| Unit {
                lot: dice.maybe(Self::text),
                serial: None,
                expiry_day: dice.maybe(|_| 20_000),
                udi: None,
            }),
            reason: self.maybe(Self::text),
            attributes: self.bag(keys.iter()),
        }
    }

    /// An opinion about some lines, whose takes are covered by what is left.
    fn opinion(&mut self, lines: &[Line], purchases: &[Purchase]) -> Opinion {
        let mut left: Vec<u32> = purchases.iter().map(|one| one.left).collect();
        let mut judged = Vec::new();
        for line in lines {
            let mut wanted = line.quantity;
            let mut takes = Vec::new();
            for (purchase, left) in
                purchases.iter().zip(&mut left).filter(|(one, left)| one.sku == line.sku && **left > 0)
            {
                let quantity = wanted.min(*left);
                if quantity > 0 {
                    *left -= quantity;
                    wanted -= quantity;
                    takes.push(Take { order: purchase.order.clone(), line: purchase.line, quantity });
                }
            }
            let remedy = self.pick(&[Remedy::Allow, Remedy::Allow, Remedy::Deny, Remedy::Review]);
            judged.push(LineVerdict {
                line: line.index,
                remedy,
                quantity: line.quantity - wanted,
                takes: if remedy == Remedy::Deny { Vec::new() } else { takes },
                disposition: self.maybe(|dice| dice.pick(&[Disposition::Quarantine, Disposition::Scrap])),
                tier: self.pick(&[Tier::Goodwill, Tier::Statutory]),
                reasons: Vec::new(),
            });
        }
        let verdict = Verdict { lines: judged, reasons: Vec::new(), duties: Vec::new(), provides: Vec::new() };
        Opinion { step: "match".to_owned(), plugin: "std/purchase-match@0".to_owned(), verdict }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::check_verdict;

    fn manifest() -> Manifest {
        let text = r#"{"name":"a","version":"0.1.0","sdk":"x","hook":"refund","attributes":["opened"],"facts":["customer.returns"],
            "params":{"days":{"type":"integer","required":true},"share":{"type":"decimal?"}}}"#;
        Manifest::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_seed_asks_the_same_again_and_another_seed_something_else() {
        let of = |seed| case(Hook::Refund, &manifest(), seed, 3);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn an_attribute_is_mostly_of_the_type_that_the_manifest_says() {
        let fitting = |attributes: &str| {
            let text =
                format!(r#"{{"name":"a","version":"0.1.0","sdk":"x","hook":"refund","attributes":{attributes}}}"#);
            let manifest = Manifest::parse(text.as_bytes()).unwrap();
            let (mut fitting, mut other) = (0, 0);
            for number in 0..200 {
                let Question::Decision(_, request) = case(Hook::Refund, &manifest, 1, number).question else {
                    panic!()
                };
                for attribute in request.lines.iter().flat_map(|line| &line.attributes) {
                    match &attribute.value {
                        Value::Money(amount) if amount.currency == "EUR" => fitting += 1,
                        _ => other += 1,
                    }
                }
            }
            assert!(other > 0, "a plugin must bear another type");
            fitting * 100 / (fitting + other)
        };
        let (said, unsaid) = (fitting(r#"{"fee":"money"}"#), fitting(r#"["fee"]"#));
        assert!(said > 75 && unsaid < 10, "{said} % and {unsaid} %");
    }

    #[test]
    fn a_host_could_send_every_generated_request() {
        let (mut takes, mut facts) = (0, 0);
        for number in 0..500 {
            let Question::Decision(_, request) = case(Hook::Refund, &manifest(), 1, number).question else { panic!() };
            assert!(request.args.iter().any(|arg| arg.key == "days"));
            for (at, line) in request.lines.iter().enumerate() {
                assert_eq!(line.index as usize, at);
            }
            for one in &request.purchases {
                assert!(
                    one.left <= one.quantity && one.paid.minor >= one.refunded.minor && one.refunded.minor >= 0,
                    "{one:?}"
                );
                assert_eq!(one.paid.currency, one.refunded.currency);
            }
            // An opinion that a host would have taken: it is held to the same rules as an answer.
            for opinion in &request.earlier {
                check_verdict(&opinion.verdict, &request, &manifest()).unwrap();
                takes += opinion.verdict.lines.iter().map(|line| line.takes.len()).sum::<usize>();
            }
            facts += request.facts.len();
        }
        assert!(takes > 100 && facts > 100, "{takes} takes and {facts} facts");
    }
}
