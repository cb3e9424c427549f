//! What expressions read is of the type that the checker promised.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use redress_domain::case::entry::Entry;
use redress_domain::case::{Bought, Case, External, Line, Output};
use redress_domain::clock::Instant;
use redress_domain::facts::{Facts, LedgerAt};
use redress_domain::ids::{OrderId, Sku};
use redress_domain::ledger::Ledger;
use redress_domain::money::Money;
use redress_domain::order::Unit;
use redress_domain::value::{Fields, Type, Value};
use redress_domain::verdict::{
    Citation, Disposition, Duty, LineQuote, LineVerdict, Part, Quote, Reason, Recipient, Remedy, Take, Tier, Verdict,
};
use redress_domain::workflow::builtin;
use redress_domain::workflow::definition::{Definition, Kind, Step};
use redress_domain::workflow::run::shapes;
use redress_tests::kitchen::Kitchen;
use redress_tests::shop::Shop;
use redress_tests::world::{Merchant, days_ago, gbp, order};

fn record(name: &str) -> Type {
    Type::Object(builtin::fields(name))
}

#[test]
fn the_outputs_of_a_workflow_with_every_step_kind_are_of_their_types() {
    let mut seen: BTreeMap<&'static str, u32> = BTreeMap::new();
    for seed in [11, 12] {
        let mut kitchen = Kitchen::new(seed).unwrap();
        kitchen.run(60, 350, |_, _| Ok(())).unwrap();
        outputs_are_of_their_types(&kitchen.merchant, &mut seen);
    }
    println!("{seen:?}");
    // An `http` is met so rarely that a merchant may have none.
    let kinds: Vec<&str> = seen.keys().copied().filter(|kind| *kind != "http").collect();
    let known = ["approve", "await", "call", "for_each", "inspect", "parallel", "refund", "restock", "review", "run"];
    assert_eq!(kinds, known);
}

fn outputs_are_of_their_types(merchant: &Merchant, seen: &mut BTreeMap<&'static str, u32>) {
    for case in merchant.cases().unwrap().into_iter().map(|id| merchant.case(id).unwrap()) {
        let Some(revision) = case.revision else { continue };
        let definition = merchant.engine.registry().definition(revision).unwrap();
        let root = Type::Object(builtin::fields_with("case", &definition.attributes));
        assert!(shapes::case(&case).is_of(&root), "case {}", case.number);
        for (step, output) in &case.outputs {
            // What a step gave in a lane stands under the lane's name.
            let step = step.rsplit_once('.').map_or(step.as_str(), |(_, step)| step);
            let Some(step) = definition.step(step) else {
                // What a step gave that only the revision before has stays with a case that was moved.
                let turns = merchant.journal(case.id).unwrap();
                let moved =
                    turns.iter().flat_map(|turn| &turn.entries).any(|entry| matches!(entry, Entry::Migrated(_)));
                assert!(moved, "case {}: step {step} is of no revision", case.number);
                continue;
            };
            let (Some(kind), Some(value)) = (output_type(&definition, step), shapes::output(&case, output)) else {
                assert_eq!(output, &Output::Skipped, "step {} has no output", step.id);
                continue;
            };
            assert!(value.is_of(&kind), "step {}: {value} is not of type {kind}", step.id);
            *seen.entry(step.kind.name()).or_default() += 1;
        }
    }
}

/// The type that the checker gives to the output of a step.
fn output_type(definition: &Definition, step: &Step) -> Option<Type> {
    Some(match &step.kind {
        Kind::Call { plugin, .. } => {
            let plugin = &definition.plugins[plugin];
            builtin::call_type(plugin.hook, &plugin.provides)
        }
        Kind::Approve { .. } => builtin::approve_type(),
        Kind::Review(review) | Kind::Inspect(review) => {
            let outcomes = review.next.keys().map(String::as_str);
            let done = review.next.is_empty().then_some("done");
            builtin::review_type(outcomes.chain(done), &review.ask, review.four_eyes)
        }
        Kind::Await { arms, all, .. } => {
            let events = arms.iter().map(|arm| (arm.event.as_str(), &definition.events[&arm.event]));
            if *all { builtin::await_all_type(events) } else { builtin::await_type(events) }
        }
        Kind::Refund { .. } => builtin::refund_type(),
        Kind::Restock { .. } => builtin::restock_type(),
        Kind::Parallel(parallel) => builtin::parallel_type(parallel.branches.keys().map(|name| name.as_str())),
        Kind::ForEach(_) => builtin::for_each_type(),
        Kind::Run(run) => builtin::run_type(run.wait.is_some()),
        Kind::Http(http) => builtin::http_type(&http.expect),
        Kind::Exchange(_) => builtin::exchange_type(),
        _ => return None,
    })
}

fn word() -> impl Strategy<Value = String> {
    "[a-z]{1,6}"
}

fn money() -> impl Strategy<Value = Money> {
    (0_i64..1_000_000).prop_map(|minor| Money::from_minor(minor, gbp()))
}

fn take() -> impl Strategy<Value = Take> {
    (word(), 0_u32..9, 1_u32..9).prop_map(|(order, line, quantity)| Take {
        order: OrderId::new(&order).unwrap(),
        line,
        quantity,
    })
}

fn reason() -> impl Strategy<Value = Reason> {
    let citation = (word(), word(), word(), word());
    let citation = citation.prop_map(|(pack, rule, article, mark)| Citation { pack, rule, article, mark });
    (word(), of(citation), vec(word(), 0..3)).prop_map(|(code, cites, used)| Reason {
        code,
        cites,
        used,
        params: Fields::new(),
    })
}

fn one_of<T: Clone + std::fmt::Debug>(
    words: &'static [&'static str],
    read: fn(&str) -> Option<T>,
) -> impl Strategy<Value = T> {
    prop::sample::select(words).prop_map(move |word| read(word).unwrap())
}

fn verdict() -> impl Strategy<Value = Verdict> {
    let line = (
        0_u32..3,
        one_of(Remedy::WORDS, Remedy::from_word),
        0_u32..9,
        vec(take(), 0..3),
        of(one_of(Disposition::WORDS, Disposition::from_word)),
        one_of(Tier::WORDS, Tier::from_word),
        vec(reason(), 0..3),
    );
    let line = line.prop_map(|(line, remedy, quantity, takes, disposition, tier, reasons)| LineVerdict {
        line: line % 2,
        remedy,
        quantity,
        takes,
        disposition,
        tier,
        reasons,
    });
    let duty = (one_of(Recipient::WORDS, Recipient::from_word), word(), of(any::<i32>()), vec(reason(), 0..2));
    let duty = duty.prop_map(|(to, rule, due, reasons)| Duty {
        to,
        rule,
        due: due.map(|due| Instant::from_unix_ms(due.into())),
        reasons,
    });
    (vec(line, 0..4), vec(reason(), 0..2), vec(duty, 0..2)).prop_map(|(lines, reasons, duties)| Verdict {
        lines,
        reasons,
        duties,
        provides: Fields::new(),
    })
}

fn quote() -> impl Strategy<Value = Quote> {
    let parts = vec((word(), money()).prop_map(|(kind, amount)| Part { kind, amount }), 0..3);
    let line = (0_u32..2, take(), parts).prop_map(|(line, take, parts)| LineQuote { line, take, parts });
    (vec(line, 0..4), vec(reason(), 0..2)).prop_map(|(lines, reasons)| Quote {
        lines,
        reasons,
        provides: Fields::new(),
    })
}

/// A case with two lines, of which anything optional may be there or not.
fn case() -> impl Strategy<Value = Case> {
    let line = (of(word()), of((word(), 0_u32..4)), of((of(word()), of(word()), of(word()), any::<bool>())));
    let head = (of(word()), of(word()), of(word()), of(word()), of(word()));
    (head, vec(line, 2)).prop_map(|((reason, claim, order, source, customer), lines)| {
        let mut case = a_case();
        (case.reason, case.claim) = (reason, claim);
        case.order = order.map(|order| OrderId::new(&order).unwrap());
        case.external = source.map(|source| External { id: "R1".to_owned(), source });
        case.customer = customer.map(|id| redress_domain::ids::CustomerId::new(&id).unwrap());
        let line = |(reason, bought, unit)| Line {
            sku: Sku::new("A1").unwrap(),
            quantity: 1,
            reason,
            bought: Option::map(bought, |(order, line): (String, u32)| Bought {
                order: OrderId::new(&order).unwrap(),
                line,
            }),
            unit: Option::map(unit, |(lot, serial, udi, has_expiry): (_, _, _, bool)| Unit {
                lot,
                serial,
                udi,
                expiry: has_expiry.then(|| days_ago(0).utc().date_naive()),
            }),
            attributes: Fields::new(),
            outcome: None,
        };
        case.lines = lines.into_iter().map(line).collect();
        case
    })
}

fn a_case() -> Case {
    use std::sync::OnceLock;
    static CASE: OnceLock<Case> = OnceLock::new();
    let open = || Shop::empty().unwrap().open(&[("A1", 1), ("B2", 1)]).unwrap();
    CASE.get_or_init(open).clone()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_case_and_its_lines_are_of_their_types(case in case()) {
        prop_assert!(shapes::case(&case).is_of(&record("case")));
        for (index, line) in case.lines.iter().enumerate() {
            prop_assert!(shapes::line(index, line).is_of(&record("line")));
        }
        if let Some(customer) = &case.customer {
            prop_assert!(shapes::customer(customer).is_of(&record("customer")));
        }
    }

    #[test]
    fn any_verdict_and_any_quote_are_of_their_types(verdict in verdict(), quote in quote(), case in case()) {
        let given = shapes::output(&case, &Output::Verdict(verdict)).unwrap();
        prop_assert!(given.is_of(&builtin::verdict_type(&BTreeMap::new())), "{given}");
        let given = shapes::output(&case, &Output::Quote(quote)).unwrap();
        prop_assert!(given.is_of(&builtin::quote_type(&BTreeMap::new())), "{given}");
    }

    #[test]
    fn any_order_is_of_its_type_before_and_after_something_happened_to_it(
        is_delivered in any::<bool>(),
        reserved in of(0_u32..3),
    ) {
        let mut order = order("1001", "c1", days_ago(1), &[("A1", 3, "0.005"), ("B2", 1, "0.00")]).unwrap();
        if is_delivered {
            order.lines[1].delivered_at = Some(days_ago(0));
        }
        let mut facts = Facts::default();
        if let Some(reserved) = reserved {
            let mut ledger = Ledger::new(order.paid_total().unwrap(), &[]);
            ledger.know(0, 3, order.lines[0].paid.total);
            ledger.reserve(0, reserved).unwrap();
            facts.ledgers.insert(order.id.clone(), LedgerAt { version: 1, ledger: Some(ledger) });
        }
        // An attribute never takes the place of a field that everybody relies on.
        order.attributes.insert("paid_total".to_owned(), Value::text("nothing"));
        prop_assert!(shapes::order(&order, &facts).is_of(&record("order")));
    }
}
