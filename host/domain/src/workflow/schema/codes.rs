//! The codes that failures of each step kind have, so that a misspelt one is found when a document is checked.

/// An expression that could not be computed.
const EXPRESSION: &[&str] = &[
    "expression_bad_number",
    "expression_bad_text",
    "expression_bad_time",
    "expression_budget",
    "expression_currency",
    "expression_division_by_zero",
    "expression_missing",
    "expression_overflow",
    "expression_too_long",
    "expression_too_precise",
    "expression_type",
    "expression_wrong_type",
    "wrong_shape",
];

/// An effect that was not done, or of which nobody knows.
const EFFECT: &[&str] = &["declined", "outcome_unknown"];

/// The ledger refuses.
const LEDGER: &[&str] = &[
    "amount_invalid",
    "ledger_not_held",
    "quantity_exceeds_left",
    "too_many_orders",
    "unknown_purchase",
    "wrong_currency",
];

/// A plugin that broke, or answered what cannot be.
const PLUGIN: &[&str] = &[
    "answer_untranslatable",
    "facts_too_large",
    "plugin_abi",
    "plugin_answer_invalid",
    "plugin_answer_too_large",
    "plugin_bad_input",
    "plugin_cannot_decide",
    "plugin_hook_missing",
    "plugin_interrupted",
    "plugin_log_too_large",
    "plugin_memory_limit",
    "plugin_missing",
    "plugin_not_loaded",
    "plugin_out_of_fuel",
    "plugin_provides_missing",
    "plugin_request_too_large",
    "plugin_stack_overflow",
    "plugin_table_limit",
    "plugin_trap",
    "plugin_wrong_hook",
    "quote_not_allowed",
    "quote_without_units",
    "request_untranslatable",
    "sandbox_busy",
    "sandbox_host",
    "sandbox_panic",
    "sandbox_process_lost",
    "unknown_line",
    "unknown_purchase",
    "verdict_incomplete",
    "wrong_currency",
    "wrong_goods",
];

const REFUND: &[&str] = &["amount_with_order", "refund_exceeds_limit", "refund_exceeds_payment", "refund_negative"];

const SUB_CASE: &[&str] = &[
    "field_required",
    "not_callable",
    "sub_case_cancelled",
    "sub_case_failed",
    "sub_case_refused",
    "too_deep",
    "too_many_lines",
    "too_many_sub_cases",
    "unknown_workflow",
    "wrong_inputs",
];

/// The codes of each kind beside those of its expressions. A kind that is not here has no others.
const OF_KIND: &[(&str, &[&[&str]])] = &[
    ("call", &[PLUGIN]),
    ("table", &[&["no_row", "several_rows"]]),
    ("approve", &[LEDGER]),
    ("refund", &[EFFECT, LEDGER, REFUND]),
    ("restock", &[EFFECT, &["restock_place"]]),
    ("http", &[EFFECT, &["answer_invalid"]]),
    ("for_each", &[&["too_many_elements"]]),
    ("exchange", &[EFFECT, LEDGER, &["hold_lapsed", "nothing_approved", "out_of_stock", "refund_exceeds_payment"]]),
    ("undo", &[EFFECT]),
    ("run", &[SUB_CASE]),
];

/// The codes that `unless` of a `retry` may name beside `status_<number>`: why a request was not answered.
pub const NOT_ANSWERED: &[&str] =
    &["answer_too_large", "answer_unreadable", "connection_lost", "not_connected", "timeout"];

/// Kinds whose steps send something, which may be sent again.
pub const SENDING: &[&str] = &["refund", "restock", "notify", "http", "exchange"];

/// Kinds whose steps do something that can be undone.
pub const UNDOABLE: &[&str] = &["restock", "notify", "http", "exchange"];

/// Every code that a step of this kind may fail with.
pub fn codes(kind: &str) -> impl Iterator<Item = &'static str> + Clone {
    let own = OF_KIND.iter().find(|(name, _)| *name == kind).map_or(&[][..], |(_, codes)| codes);
    own.iter().copied().chain([EXPRESSION]).flatten().copied()
}

/// Those that belong to the kind and not to its expressions.
pub fn own_codes(kind: &str) -> Vec<&'static str> {
    codes(kind).filter(|code| !EXPRESSION.contains(code)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::workflow::schema::STEP_KINDS;

    #[test]
    fn each_code_stands_once_for_a_kind_that_there_is() {
        for (kind, _) in OF_KIND {
            assert!(STEP_KINDS.iter().any(|known| known.name == *kind), "{kind}");
            let all: Vec<_> = codes(kind).collect();
            assert_eq!(all.len(), all.iter().collect::<BTreeSet<_>>().len(), "{kind}");
        }
        assert!(SENDING.iter().all(|kind| STEP_KINDS.iter().any(|known| known.name == *kind)));
    }

    /// Every code that the interpreter gives a failure is one that a document may name.
    #[test]
    fn what_the_interpreter_says_is_in_the_table() {
        let known: BTreeSet<&str> =
            OF_KIND.iter().flat_map(|(kind, _)| codes(kind)).chain(EXPRESSION.iter().copied()).collect();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/workflow/run");
        let mut found = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for (at, _) in text.match_indices("StepError::new(\"") {
                let code = text[at + "StepError::new(\"".len()..].split('"').next().unwrap();
                // A revision without the arm or the step that it names is a fault of ours.
                assert!(known.contains(code) || code == "no_arm", "{code} of {}", path.display());
                found += 1;
            }
        }
        assert!(found > 10);
    }
}
