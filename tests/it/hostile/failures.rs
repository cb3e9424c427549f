//! Every way in which a running plugin fails ends at a person, under the code that the sandbox gives it.

use redress_domain::ask::Answer;
use redress_domain::case::entry::Entry;
use redress_domain::case::{Case, Output};
use redress_domain::ids::Digest;
use redress_sandbox::Hook;
use redress_sandbox::contract::{Attribute, LineVerdict, Money, Reason, Remedy, Tier, Value, Verdict};
use redress_tests::guests::{Guest, deny_all, quoting, taking};
use redress_tests::world::{Merchant, World, a_return};

use super::{
    a_shop, assert_nothing_left_the_shop, assert_waits_for_a_person, doing, held_of, in_place_of_match, settle_all,
};

/// What a plugin does, and the code under which a case with it waits.
type Hostile = (Guest, &'static str);

#[test]
fn a_decision_plugin_that_fails_leaves_its_case_to_a_person() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_shop(&world, "acme")?;
    let good = redress::publish::plugins::list(&merchant.engine)?[0].clone();
    let mut hostile = hostile_at(Hook::Eligibility);
    hostile.extend(hostile_verdicts());
    for (guest, code) in hostile {
        let pushed = merchant.push("purchase-match", &in_place_of_match(guest)?)?;
        let case = a_case(&merchant)?;
        assert_waits_for_a_person(&case, "match", code);
        assert_nothing_left_the_shop(&case);
        assert_is_in_the_journal(&merchant, &case, pushed.digest, code)?;
        assert_eq!(held_of(&merchant, 0)?, (0, 0), "{code}");
    }
    // Nothing of all this is in the way of a plugin that works.
    merchant.push("purchase-match", &redress_stock("purchase-match")?)?;
    assert_eq!(redress::publish::plugins::list(&merchant.engine)?[0], good);
    let case = settle_all(&merchant, a_case(&merchant)?.id)?;
    assert_eq!((case.result.as_deref(), case.refunded().to_string()), (Some("refunded"), "GBP 5.00".to_owned()));
    Ok(())
}

#[test]
fn a_refund_plugin_that_fails_leaves_its_case_to_a_person() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_shop(&world, "acme")?;
    let mut hostile = hostile_at(Hook::Refund);
    // 7.50 was paid for all units of the line, 2.50 for each: the cap is what was paid.
    hostile.push((quoting(751, "GBP"), "plugin_answer_invalid"));
    hostile.push((quoting(i64::MAX, "GBP"), "plugin_answer_invalid"));
    hostile.push((quoting(-1, "GBP"), "plugin_answer_invalid"));
    hostile.push((quoting(250, "EUR"), "plugin_answer_invalid"));
    for (guest, code) in hostile {
        let pushed = merchant.push("refund-quote", &guest.component()?)?;
        let case = a_case(&merchant)?;
        assert!(matches!(case.outputs.get("match"), Some(Output::Verdict(_))), "the match before it stands");
        assert_waits_for_a_person(&case, "quote", code);
        assert_nothing_left_the_shop(&case);
        assert_is_in_the_journal(&merchant, &case, pushed.digest, code)?;
        assert_eq!(held_of(&merchant, 0)?, (0, 0), "{code}");
    }
    Ok(())
}

#[test]
fn a_plugin_that_takes_more_than_is_left_is_told_how_much_that_is() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_shop(&world, "acme")?;
    settle_all(&merchant, a_case(&merchant)?.id)?;
    assert_eq!(held_of(&merchant, 0)?, (0, 2));

    merchant.push("purchase-match", &in_place_of_match(taking(2))?)?;
    let case = a_case(&merchant)?;
    assert_waits_for_a_person(&case, "match", "plugin_answer_invalid");
    assert_eq!(
        detail_of(&merchant, &case)?,
        "plugin's answer broke the rule quantity_above_left: order \"1001\" line 0: 2 of 1"
    );
    assert_eq!(held_of(&merchant, 0)?, (0, 2));
    Ok(())
}

#[test]
fn a_plugin_that_refunds_what_was_refunded_before_is_told_what_is_open() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_shop(&world, "acme")?;
    settle_all(&merchant, a_case(&merchant)?.id)?;
    let one_unit = || Ok::<_, anyhow::Error>(merchant.open(a_return("c1", &[("A1", 1)])?)?.case);

    merchant.push("refund-quote", &quoting(251, "GBP").component()?)?;
    let case = merchant.case(one_unit()?)?;
    assert_waits_for_a_person(&case, "quote", "plugin_answer_invalid");
    assert!(detail_of(&merchant, &case)?.ends_with("order \"1001\" line 0: 251 of 250 minor units"));

    merchant.push("refund-quote", &quoting(250, "GBP").component()?)?;
    let case = settle_all(&merchant, one_unit()?)?;
    assert_eq!((case.result.as_deref(), case.refunded().to_string()), (Some("refunded"), "GBP 2.50".to_owned()));
    Ok(())
}

#[test]
fn a_plugin_that_denies_every_line_is_believed() -> anyhow::Result<()> {
    // What the failures are measured against: a well-formed denial is an answer and needs no person.
    let world = World::new()?;
    let merchant = a_shop(&world, "acme")?;
    let pushed = merchant.push("purchase-match", &in_place_of_match(deny_all())?)?;
    let case = merchant.case(merchant.open(a_return("c1", &[("A1", 2), ("B2", 1), ("C3", 1)])?)?.case)?;
    assert_eq!(case.result.as_deref(), Some("denied"));
    assert_eq!((case.remedy(), case.decisive_reasons()), (redress_domain::verdict::Remedy::Deny, vec!["deny_all"]));
    let outcomes = case.lines.iter().filter_map(|line| line.outcome.as_ref());
    let denied = outcomes.filter(|one| one.remedy == redress_domain::verdict::Remedy::Deny && one.quantity == 0);
    assert_eq!(denied.count(), 3);
    assert_nothing_left_the_shop(&case);
    assert_eq!(held_of(&merchant, 0)?, (0, 0));
    let turns = merchant.journal(case.id)?;
    assert_eq!(turns.len(), 1);
    assert_eq!(turns[0].asks.len(), 1, "nobody is asked for an amount");
    assert_eq!(turns[0].asks[0].ask.digest, pushed.digest);
    assert!(matches!(turns[0].asks[0].answered.outcome, Ok(Answer::Verdict(_))));
    Ok(())
}

/// What any plugin can do wrong, whatever it is asked.
fn hostile_at(hook: Hook) -> Vec<Hostile> {
    let grow = "(loop $more (drop (memory.grow (i32.const 1))) (br $more)) unreachable";
    let table = "(drop (table.grow $t (ref.null func) (i32.const 20000))) unreachable";
    // Locals that live across the call make the frames large, so that the stack ends before the fuel.
    let deeper = "(func $deeper (param i32) (result i32)
        (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (local.get 0)))";
    // One reason whose code is 10 MiB long.
    let ten_mebibytes = "(i32.store (i32.const 8204) (i32.const 9000)) (i32.store (i32.const 8208) (i32.const 1))
        (i32.store (i32.const 9000) (i32.const 65536)) (i32.store (i32.const 9004) (i32.const 10485760))
        (i32.const 8192)";
    let cannot_decide = "(i32.store8 (i32.const 8192) (i32.const 1)) (i32.const 8192)";
    let bad_input = "(i32.store8 (i32.const 8192) (i32.const 1)) (i32.store8 (i32.const 8196) (i32.const 1))
        (i32.const 8192)";
    let looping = "(loop $for_ever (br $for_ever))";
    let talking = "(loop $more (call $log (i32.const 1) (i32.const 0) (i32.const 100)) (br $more)) unreachable";
    vec![
        (doing(hook, &format!("{looping} unreachable")), "plugin_out_of_fuel"),
        (doing(hook, "(i32.const 0)").fields(&format!("(func $begin {looping}) (start $begin)")), "plugin_out_of_fuel"),
        (doing(hook, talking), "plugin_out_of_fuel"),
        (doing(hook, "unreachable"), "plugin_trap"),
        (doing(hook, "(i32.div_u (i32.const 1) (i32.const 0))"), "plugin_trap"),
        (doing(hook, "(i32.load (i32.const 0x7ffffff0))"), "plugin_trap"),
        (doing(hook, grow), "plugin_memory_limit"),
        (doing(hook, table).fields("(table $t 1 funcref)"), "plugin_table_limit"),
        (doing(hook, "(call $deeper (local.get $request))").fields(deeper), "plugin_stack_overflow"),
        (doing(hook, ten_mebibytes).memory("(memory (export \"memory\") 200)"), "plugin_answer_too_large"),
        (doing(hook, "(i32.const 0x7fff0000)"), "plugin_abi"),
        (doing(hook, "(i32.const 0)").allocator("(i32.const 3)"), "plugin_abi"),
        (doing(hook, cannot_decide), "plugin_cannot_decide"),
        (doing(hook, bad_input), "plugin_bad_input"),
    ]
}

/// Verdicts that are well-formed and wrong, for a case of one line with 2 units of which 3 were bought.
fn hostile_verdicts() -> Vec<Hostile> {
    let line = |line, quantity, reasons| LineVerdict {
        line,
        remedy: Remedy::Allow,
        quantity,
        takes: Vec::new(),
        disposition: None,
        tier: Tier::Goodwill,
        reasons,
    };
    let saying = |lines| {
        let verdict = Verdict { lines, reasons: Vec::new(), duties: Vec::new(), provides: Vec::new() };
        Guest::new(Hook::Eligibility).verdict(&verdict)
    };
    let nowhere_money = Value::Money(Money { minor: 1, currency: "QQQ".to_owned() });
    let params = vec![Attribute { key: "fee".to_owned(), value: nowhere_money }];
    let reason = Reason { code: "fee".to_owned(), cites: None, used: Vec::new(), params };
    vec![
        (taking(3), "plugin_answer_invalid"),
        (taking(4), "plugin_answer_invalid"),
        (saying(vec![line(1, 1, Vec::new())]), "plugin_answer_invalid"),
        (saying(vec![line(0, 1, Vec::new()), line(0, 1, Vec::new())]), "plugin_answer_too_large"),
        // Well-formed for the contract, which knows no currencies by name; the core cannot hold it.
        (saying(vec![line(0, 1, vec![reason])]), "answer_untranslatable"),
    ]
}

fn redress_stock(name: &str) -> anyhow::Result<Vec<u8>> {
    let stock = redress::publish::stock::find(name);
    Ok(stock.ok_or_else(|| anyhow::anyhow!("stock plugin {name}"))?.bytes.to_owned())
}

/// Customer c1 sends 2 × A1 back.
fn a_case(merchant: &Merchant) -> anyhow::Result<Case> {
    merchant.case(merchant.open(a_return("c1", &[("A1", 2)])?)?.case)
}

/// The words with which the last failure of a case is recorded.
fn detail_of(merchant: &Merchant, case: &Case) -> anyhow::Result<String> {
    let entries = merchant.journal(case.id)?.into_iter().flat_map(|turn| turn.entries);
    let mut details = entries.filter_map(|entry| match entry {
        Entry::Failed { detail, .. } => Some(detail),
        _ => None,
    });
    details.next_back().ok_or_else(|| anyhow::anyhow!("a failure"))
}

/// The journal keeps the question with its fuel, and how it failed.
fn assert_is_in_the_journal(merchant: &Merchant, case: &Case, plugin: Digest, code: &str) -> anyhow::Result<()> {
    let turns = merchant.journal(case.id)?;
    let asked = turns.iter().flat_map(|turn| &turn.asks).last().ok_or_else(|| anyhow::anyhow!("a question"))?;
    assert_eq!(asked.ask.digest, plugin);
    assert!(asked.answered.fuel > 0, "{code}");
    let failure = asked.answered.outcome.as_ref().expect_err(code);
    assert_eq!(failure.code, code);
    assert!(!failure.detail.is_empty());
    assert_eq!(detail_of(merchant, case)?, failure.detail);
    Ok(())
}
