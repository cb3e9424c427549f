//! What the SDK for C gives a plugin, tried by steps of their own: parameters, money, memory.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use redress_sandbox::conformance::{Case, outcome};
use redress_sandbox::{Config, Hook, PluginInfo, Sandbox};
use serde_json::{Value as Json, json};

use super::c::clang;
use super::json_of;
use super::projects::{built, project, takes_its_defaults};

/// A step that was built of a source of its own, and the sandbox in which it is asked.
struct Asked {
    sandbox: Sandbox,
    plugin: Arc<PluginInfo>,
}

fn step_of(folder: &Path, source: &str, params: &Json, provides: &Json) -> anyhow::Result<Asked> {
    let project = project(folder, Hook::Step, "c")?;
    let manifest =
        json!({ "name": "a-step", "version": "0.1.0", "hook": "step", "params": params, "provides": provides });
    fs::write(project.join("plugin.json"), manifest.to_string())?;
    fs::write(project.join("plugin.c"), source)?;
    let built = json_of(&["build", &project.display().to_string(), "--offline"])?.1;
    let file = built["file"].as_str().with_context(|| built.to_string())?;
    let sandbox = Sandbox::new(Config::default())?;
    let plugin = sandbox.load(&fs::read(file)?)?;
    Ok(Asked { sandbox, plugin })
}

impl Asked {
    fn outcome(&self, args: &Json) -> anyhow::Result<Json> {
        let case = json!({ "hook": "step", "request": { "args": args } }).to_string();
        let case = Case::parse("a", &case).map_err(|mistakes| anyhow::anyhow!("{mistakes:?}"))?;
        Ok(json!(outcome(Hook::Step, &self.sandbox.attempt(&self.plugin.digest, case.question.call()))))
    }
}

/// A step that gives back its parameters.
const PARAMETERS: &str = r#"
#include "plugin.h"

bool exports_plugin_run(redress_step_request_t *request, redress_step_answer_t *answer, redress_failure_t *failure) {
    const redress_list_attribute_t *args = &request->args;
    redress_string_t words, must;
    int64_t number;
    redress_decimal_t share;
    bool truth;
    redress_money_t fee;
    const redress_moment_t *may;
    if (!arg_text(args, "must", &must, failure) || !arg_text(args, "words", &words, failure)) return false;
    if (!arg_integer(args, "number", &number, failure) || !arg_decimal(args, "share", &share, failure)) return false;
    if (!arg_boolean(args, "truth", &truth, failure) || !arg_money(args, "fee", &fee, failure)) return false;
    if (!optional_timestamp(args, "may", &may, failure)) return false;
    answer->provides = ATTRIBUTES(text_attribute("words", words), integer_attribute("number", number),
                                  decimal_attribute("share", share), boolean_attribute("truth", truth),
                                  money_attribute("fee", fee), boolean_attribute("may", may != NULL));
    answer->reasons = (redress_list_reason_t){NULL, 0};
    return true;
}
"#;

#[test]
fn a_plugin_in_c_is_given_the_defaults_that_its_manifest_declares() -> anyhow::Result<()> {
    if !clang()? {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let project = project(folder.path(), Hook::Step, "c")?;
    built(&project)?;
    takes_its_defaults(&project)?;
    let default = |kind: &str, value: Json| json!({ "type": kind, "default": value });
    let fee = json!({ "minor": -490, "currency": "GBP" });
    let manifest = json!({
        "name": "parameters", "version": "0.1.0", "hook": "step",
        "params": {
            // As in Rust: what has no default and does not say otherwise is required.
            "must": { "type": "text" }, "may": { "type": "timestamp", "required": false }, "perhaps": { "type": "text?" },
            "words": default("text", json!("say \"no\"??/\n退\u{0}9")), "number": default("integer", json!(i64::MIN)),
            "share": default("decimal", json!("-0.150")), "truth": default("boolean", json!(true)), "fee": default("money", fee.clone()),
        },
        "provides": { "words": "text", "number": "integer", "share": "decimal", "truth": "boolean", "fee": "money", "may": "boolean" },
    });
    fs::write(project.join("plugin.json"), manifest.to_string())?;
    fs::write(project.join("plugin.c"), PARAMETERS)?;
    let built = json_of(&["build", &project.display().to_string(), "--offline"])?.1;
    let file = built["file"].as_str().with_context(|| built.to_string())?;
    let params = json_of(&["inspect", file])?.1["manifest"]["params"].clone();
    let required = ["must", "may", "perhaps", "words"].map(|name| &params[name]["required"]);
    assert_eq!(required, [&json!(true), &json!(false), &json!(false), &json!(false)]);
    let case = project.join("case.json").display().to_string();
    let outcome = |args: &Json| {
        fs::write(&case, json!({ "hook": "step", "request": { "args": args } }).to_string())?;
        Ok::<_, anyhow::Error>(json_of(&["run", file, "--input", &case])?.1["outcome"].clone())
    };
    let declared = json!({
        "words": "say \"no\"??/\n退\u{0}9", "number": i64::MIN, "share": { "decimal": "-0.150" }, "truth": true,
        "fee": { "money": fee }, "may": false,
    });
    assert_eq!(outcome(&json!({ "must": "" }))?["answer"]["provides"], declared);
    let given = json!({
        "words": "", "number": 7, "share": 2, "truth": false, "fee": { "money": { "minor": 1, "currency": "EUR" } },
        "must": "x", "may": { "timestamp": "2026-01-15T09:30:00Z" },
    });
    let mut wanted = given.clone();
    wanted.as_object_mut().and_then(|all| all.shift_remove("must"));
    wanted["may"] = json!(true);
    // A host hands every whole number over as an integer.
    wanted["share"] = json!({ "decimal": "2" });
    assert_eq!(outcome(&given)?["answer"]["provides"], wanted);
    assert_eq!(outcome(&json!({}))?, json!({ "bad_input": "parameter `must` is missing" }));
    let other = json!({ "must": "", "fee": 4 });
    assert_eq!(outcome(&other)?, json!({ "bad_input": "`fee` is integer, expected money" }));
    Ok(())
}

/// A step that computes with money.
const PERCENT: &str = r#"
#include "plugin.h"

bool exports_plugin_run(redress_step_request_t *request, redress_step_answer_t *answer, redress_failure_t *failure) {
    const redress_list_attribute_t *args = &request->args;
    redress_money_t price, most, part, lesser;
    redress_decimal_t percent;
    if (!arg_money(args, "price", &price, failure) || !arg_money(args, "most", &most, failure)) return false;
    if (!arg_decimal(args, "percent", &percent, failure)) return false;
    if (!percent_of(price, percent, &part, failure) || !at_most(part, most, &lesser, failure)) return false;
    *answer = (redress_step_answer_t){
        .provides = ATTRIBUTES(integer_attribute("part", part.minor), integer_attribute("lesser", lesser.minor)),
    };
    return true;
}
"#;

#[test]
fn percentages_in_c_are_exact_and_the_lesser_of_two_amounts_is_of_one_currency() -> anyhow::Result<()> {
    if !clang()? {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let params = json!({ "price": { "type": "money" }, "most": { "type": "money" }, "percent": { "type": "decimal" } });
    let asked = step_of(folder.path(), PERCENT, &params, &json!({ "part": "integer", "lesser": "integer" }))?;
    let of = |minor: i64, percent: &str, most: (i64, &str)| {
        let money = |minor: i64, currency: &str| json!({ "money": { "minor": minor, "currency": currency } });
        let price = money(minor, "EUR");
        asked.outcome(&json!({ "price": price, "most": money(most.0, most.1), "percent": { "decimal": percent } }))
    };
    // In 128 bits, as the Rust SDK computes.
    let exact = |minor: i64, mantissa: i64, scale: u32| {
        let (product, unit) = (i128::from(minor) * i128::from(mantissa), 10_i128.pow(scale + 2));
        i64::try_from((product.abs() + unit / 2) / unit * product.signum())
    };
    let mut fits = 0;
    for minor in [0, 1, 199, -990, 4_611_686_018_427_387_904, i64::MAX, i64::MIN] {
        for (percent, mantissa, scale) in [
            ("15", 15, 0),
            ("2.5", 25, 1),
            ("-49.99", -4_999, 2),
            ("100", 100, 0),
            ("200", 200, 0),
            ("-100.00", -10_000, 2),
            ("9223372036854775807", i64::MAX, 0),
            ("0.0000000009223372036854775807", i64::MAX, 28),
        ] {
            let (outcome, wanted) = (of(minor, percent, (150, "EUR"))?, exact(minor, mantissa, scale));
            fits += usize::from(wanted.is_ok());
            match wanted {
                Ok(part) => {
                    let wanted = json!({ "part": part, "lesser": part.min(150) });
                    assert_eq!(outcome["answer"]["provides"], wanted, "{percent} % of {minor}");
                }
                Err(_) => {
                    assert_eq!(outcome, json!({ "bad_input": "a number is out of range" }), "{percent} % of {minor}")
                }
            }
        }
    }
    ensure!((30..56).contains(&fits), "{fits} of 56 fit");
    assert_eq!(of(100, "15", (1, "GBP"))?, json!({ "bad_input": "GBP cannot be added to EUR" }));
    Ok(())
}

/// A step that takes the bytes in front of the arena's end one by one, or all but so many, and then one block more.
const ARENA: &str = r#"
#include "plugin.h"

#define PAGE_BYTES 65536u

void *cabi_realloc(void *block, size_t old, size_t align, size_t bytes);

static uint8_t *taken(size_t align, size_t bytes) { return cabi_realloc(NULL, 0, align, bytes); }

bool exports_plugin_run(redress_step_request_t *request, redress_step_answer_t *answer, redress_failure_t *failure) {
    const redress_list_attribute_t *args = &request->args;
    int64_t end, left, align, bytes;
    if (!arg_integer(args, "end", &end, failure) || !arg_integer(args, "left", &left, failure)) return false;
    if (!arg_integer(args, "align", &align, failure) || !arg_integer(args, "bytes", &bytes, failure)) return false;
    uint8_t *last = taken(1, 1);
    size_t pages = __builtin_wasm_memory_size(0);
    if (end == 0) {
        while (__builtin_wasm_memory_size(0) == pages) end = (int64_t)(size_t)++last, last = taken(1, 1);
        answer->provides = ATTRIBUTES(integer_attribute("end", end));
        answer->reasons = (redress_list_reason_t){NULL, 0};
        return true;
    }
    taken(1, (size_t)end - (size_t)left - (size_t)(last + 1));
    uint8_t *block = taken((size_t)align, (size_t)bytes);
    size_t grown = __builtin_wasm_memory_size(0) - pages, from = (size_t)block, to = from + (size_t)bytes;
    bool inside = to <= (size_t)end, behind = from >= pages * PAGE_BYTES && to <= (pages + grown) * PAGE_BYTES;
    answer->provides = ATTRIBUTES(boolean_attribute("inside", inside), boolean_attribute("behind", behind),
                                  boolean_attribute("aligned", from % (size_t)align == 0));
    answer->reasons = (redress_list_reason_t){NULL, 0};
    return true;
}
"#;

#[test]
fn a_block_at_the_very_end_of_the_arena_in_c_lies_where_it_may_or_behind_it() -> anyhow::Result<()> {
    if !clang()? {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let integer = json!({ "type": "integer" });
    let params = json!({ "end": integer, "left": integer, "align": integer, "bytes": integer });
    let provides = ["end", "inside", "behind", "aligned"];
    let provides: Json =
        provides.map(|name| (name, if name == "end" { "integer?" } else { "boolean?" })).into_iter().collect();
    let asked = step_of(folder.path(), ARENA, &params, &provides)?;
    let call = |end: &Json, left: u32, align: u32, bytes: u32| {
        let outcome = asked.outcome(&json!({ "end": end, "left": left, "align": align, "bytes": bytes }))?;
        Ok::<_, anyhow::Error>(outcome["answer"]["provides"].clone())
    };
    let end = call(&json!(0), 0, 1, 1)?["end"].clone();
    // The arena is as long as it is aligned, so that its end is too.
    ensure!(end.as_u64().is_some_and(|end| end > 64 * 1_024 && end % 16 == 0), "{end}");
    let mut behind = 0;
    for left in 0..=17_u32 {
        for align in [1, 2, 4, 8, 16] {
            for bytes in [1, 3, 8, 16, 17] {
                let inside = left >= left % align + bytes;
                behind += usize::from(!inside);
                let wanted = json!({ "inside": inside, "behind": !inside, "aligned": true });
                assert_eq!(call(&end, left, align, bytes)?, wanted, "{bytes} bytes by {align}, {left} left");
            }
        }
    }
    ensure!((100..400).contains(&behind), "{behind} blocks lie behind the arena");
    Ok(())
}

/// A step that multiplies.
const PRODUCT: &str = r#"
#include "plugin.h"

bool exports_plugin_run(redress_step_request_t *request, redress_step_answer_t *answer, redress_failure_t *failure) {
    int64_t one, other, product;
    if (!arg_integer(&request->args, "one", &one, failure) || !arg_integer(&request->args, "other", &other, failure)) return false;
    if (__builtin_mul_overflow(one, other, &product)) return bad_input(failure, text("too large"));
    *answer = (redress_step_answer_t){.provides = ATTRIBUTES(integer_attribute("product", product))};
    return true;
}
"#;

#[test]
fn a_checked_multiplication_in_c_is_exact_up_to_its_last_bit() -> anyhow::Result<()> {
    if !clang()? {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let params = json!({ "one": { "type": "integer" }, "other": { "type": "integer" } });
    let asked = step_of(folder.path(), PRODUCT, &params, &json!({ "product": "integer?" }))?;
    let numbers = [
        0,
        1,
        -1,
        3,
        -7,
        4_294_967_295,
        4_294_967_296,
        -4_294_967_297,
        3_037_000_499,
        3_037_000_500,
        i64::MAX,
        i64::MIN,
    ];
    for one in numbers {
        for other in numbers {
            let outcome = asked.outcome(&json!({ "one": one, "other": other }))?;
            let wanted = one.checked_mul(other).map_or_else(
                || json!({ "bad_input": "too large" }),
                |product| json!({ "answer": { "provides": { "product": product }, "reasons": [] } }),
            );
            assert_eq!(outcome, wanted, "{one} times {other}");
        }
    }
    Ok(())
}
