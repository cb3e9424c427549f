//! Numbers that a called plugin is given and cannot take: the call fails in every case that comes there.

use rust_decimal::Decimal;

use super::field;
use crate::value::Value;
use crate::workflow::definition::{Definition, Kind, Step};
use crate::workflow::expr::Expr;
use crate::workflow::load::outline::Draft;

/// Look at a call.
pub(super) fn look(draft: &Draft<'_>, step: &Step, definition: &Definition) {
    let Kind::Call { plugin: name, with, .. } = &step.kind else { return };
    let Some(plugin) = definition.plugins.get(name) else { return };
    let Some(written) = field(draft, "with").and_then(|at| at.names()) else { return };
    for (key, at) in written {
        let Some(number) = with.get(&key.text).and_then(|given| fixed(given, definition)) else { continue };
        let param = &key.text;
        if plugin.whole.contains(param) && !number.fract().is_zero() {
            let message = format!("`{name}` takes a whole number as `{param}`, and {number} is none");
            at.warn("plugin_takes_whole_number", message, "the call fails in each case: give a whole number");
        } else if i64::try_from(number.normalize().mantissa()).is_err() {
            let message = format!("{number} has more digits than a plugin can be given");
            at.warn("number_too_long", message, "the call fails in each case: 18 digits are always possible");
        }
    }
}

/// A number that is the same in every case.
fn fixed(given: &Expr, definition: &Definition) -> Option<Decimal> {
    let value = given.reads().is_empty().then(|| super::fixed(given, definition))??;
    if let Value::Number(number) = value { Some(number) } else { None }
}

#[cfg(test)]
mod tests {
    use crate::ids::Digest;
    use crate::value::Type;
    use crate::workflow::definition::{Hook, Plugin, PluginRef};
    use crate::workflow::load::{Environment, load};

    /// What is told of a call with this `with`, of a plugin that takes a whole `limit` and any `share`.
    fn told(with: &str) -> Vec<String> {
        let source = format!(
            "format: 1\nworkflow: w\ncurrency: EUR\nzone: Europe/Berlin\ntriggers: [{{ case_opened: {{}} }}]\nvars: {{ n: {{ type: number, default: 7.5 }} }}\n\
             steps:\n  - {{ id: ask, call: {{ plugin: own@0, with: {with} }} }}\n  - {{ id: done, finish: {{ result: done }} }}\n"
        );
        let number = |name: &str| (name.to_owned(), Type::Number.optional());
        let known = Plugin {
            digest: Digest::of(b"plugin"),
            hook: Hook::Step,
            params: [number("limit"), number("share")].into(),
            whole: ["limit".to_owned()].into(),
            provides: Default::default(),
            facts: Vec::new(),
            attributes: Default::default(),
        };
        let name = PluginRef { name: "own".to_owned(), major: 0 };
        let environment = Environment { plugins: [(name, known)].into(), ..Environment::default() };
        let definition = load(&source, &environment).unwrap_or_else(|found| panic!("{found:#?}"));
        definition.warnings.iter().map(|one| format!("{} {}: {}", one.path, one.code, one.message)).collect()
    }

    #[test]
    fn a_fraction_for_a_whole_number_is_told_and_a_whole_number_for_a_decimal_is_none() {
        assert_eq!(told("{ limit: 7, share: 2 }"), [""; 0]);
        assert_eq!(told("{ limit: 7.0, share: 0.5 }"), [""; 0]);
        let limit = "steps[0].call.with.limit plugin_takes_whole_number: `own@0` takes a whole number as `limit`, and 7.5 is none";
        assert_eq!(told("{ limit: 7.5, share: 7.5 }"), [limit]);
        assert_eq!(told("{ limit: \"=7 + 0.5\" }"), [limit]);
        // What a variable holds then is not known.
        assert_eq!(told("{ limit: =vars.n }"), [""; 0]);
    }

    #[test]
    fn a_number_of_too_many_digits_is_told() {
        let told = |number: &str| told(&format!("{{ share: {number} }}"));
        assert_eq!(told("9223372036854775807"), [""; 0]);
        assert_eq!(told("0.120000000000000000000000000"), [""; 0]);
        let long =
            "steps[0].call.with.share number_too_long: 9223372036854775808 has more digits than a plugin can be given";
        assert_eq!(told("9223372036854775808"), [long]);
        assert_eq!(told("0.12345678901234567890123").len(), 1);
    }
}
