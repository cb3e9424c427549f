//! The attributes that a called plugin reads, beside those that the document declares: one that is spelt otherwise is never there,
//! and a plugin takes that for an answer.

use std::collections::BTreeMap;

use super::field;
use crate::value::Type;
use crate::workflow::definition::{Definition, Hook, Kind, Plugin, PluginRef, Step};
use crate::workflow::diagnostic::suggest;
use crate::workflow::load::outline::Draft;
use crate::workflow::reader::At;

/// Look at a call.
pub(super) fn look(draft: &Draft<'_>, step: &Step, definition: &Definition) {
    let Kind::Call { plugin: name, .. } = &step.kind else { return };
    // A step sees its parameters and nothing of the case.
    let plugin = definition.plugins.get(name).filter(|plugin| plugin.hook != Hook::Step);
    if let (Some(plugin), Some(at)) = (plugin, field(draft, "plugin")) {
        undeclared(&at, name, plugin, definition);
        differing(&at, name, plugin, definition);
    }
}

/// What plugins are given the attributes of, by the name under which a document declares them.
fn declared(definition: &Definition) -> [(&'static str, &BTreeMap<String, Type>); 3] {
    let declared = &definition.attributes;
    [("case", &declared.case), ("line", &declared.line), ("order_line", &declared.order_line)]
}

/// Attributes that the plugin reads and nobody declares.
fn undeclared(at: &At<'_>, name: &PluginRef, plugin: &Plugin, definition: &Definition) {
    let records = declared(definition);
    let is_declared = |read: &String| records.iter().any(|(_, declared)| declared.contains_key(read));
    // What it reads by its own name was not meant to be another.
    let others =
        || records.iter().flat_map(|(_, declared)| declared.keys()).filter(|key| !plugin.attributes.contains_key(*key));
    let mut unknown = Vec::new();
    for read in plugin.attributes.keys().filter(|read| !is_declared(read)) {
        match suggest(read, others().map(String::as_str)) {
            Some(near) => {
                let message = format!("`{name}` reads the attribute `{read}`, which this document does not declare");
                let help =
                    format!("it declares `{near}`: one of the two is misspelt, and what is misspelt is never there");
                at.warn("plugin_reads_undeclared", message, help);
            }
            // Those that are shipped read what some merchants have and others do not.
            None if name.name.starts_with("std/") => {}
            None => unknown.push(format!("`{read}`")),
        }
    }
    if !unknown.is_empty() {
        let message = format!("`{name}` reads {}, which this document does not declare", unknown.join(", "));
        let help =
            "declare under `attributes` what cases come with: what they do not have, a plugin takes as not there";
        at.warn("plugin_reads_undeclared", message, help.to_owned());
    }
}

/// Attributes that are declared as something else than what the plugin reads.
fn differing(at: &At<'_>, name: &PluginRef, plugin: &Plugin, definition: &Definition) {
    let typed = plugin.attributes.iter().filter_map(|(read, kind)| Some((read, kind.as_ref()?)));
    for (read, kind) in typed {
        let found = declared(definition).into_iter().filter_map(|(of, declared)| Some((of, declared.get(read)?)));
        for (of, declared) in found.filter(|(_, declared)| !arrives_as(declared, kind)) {
            let message = format!("`{name}` reads `{read}` as {kind}, and `attributes.{of}` declares it {declared}");
            at.warn(
                "plugin_reads_other_type",
                message,
                "a person decides each case that has it: change one of the two",
            );
        }
    }
}

/// Whether a value of a declared type reaches a plugin as this one. Numbers are whole or decimal by what they are.
fn arrives_as(declared: &Type, read: &Type) -> bool {
    match declared {
        Type::Optional(inner) => arrives_as(inner, read),
        Type::Text | Type::Enum(_) | Type::Date => *read == Type::Text,
        Type::Number | Type::Price | Type::Duration => *read == Type::Number,
        Type::Bool | Type::Money | Type::Instant => declared == read,
        Type::List(_) | Type::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::ids::Digest;
    use crate::value::Type;
    use crate::workflow::definition::{Hook, Plugin, PluginRef};
    use crate::workflow::load::{Environment, load};

    /// What is told of a document that declares these attributes and calls a plugin that reads those.
    fn told(plugin: &str, hook: Hook, declared: &str, read: &[(&str, Option<Type>)]) -> Vec<String> {
        let source = format!(
            "format: 1\nworkflow: w\ncurrency: EUR\nzone: Europe/Berlin\ntriggers: [{{ case_opened: {{}} }}]\n\
             attributes: {declared}\nsteps:\n  - {{ id: ask, call: {{ plugin: {plugin}@0 }} }}\n  - {{ id: done, finish: {{ result: done }} }}\n"
        );
        let attributes = read.iter().map(|(name, kind)| ((*name).to_owned(), kind.clone())).collect();
        let known = Plugin {
            digest: Digest::of(b"plugin"),
            hook,
            params: Default::default(),
            whole: Default::default(),
            provides: Default::default(),
            facts: Vec::new(),
            attributes,
        };
        let name = PluginRef { name: plugin.to_owned(), major: 0 };
        let environment = Environment { plugins: [(name, known)].into(), ..Environment::default() };
        let definition = load(&source, &environment).unwrap_or_else(|found| panic!("{found:#?}"));
        let words = |help: &Option<String>| help.clone().unwrap_or_default();
        let one = |one: &crate::workflow::diagnostic::Diagnostic| {
            assert_eq!(one.path, "steps[0].call.plugin");
            format!("{}: {}; {}", one.code, one.message, words(&one.help))
        };
        definition.warnings.iter().map(one).collect()
    }

    #[test]
    fn an_attribute_that_a_plugin_reads_and_nobody_declares_is_told() {
        let told = |plugin: &str, declared: &str| {
            told(plugin, Hook::Refund, declared, &[("fee_waived", None), ("seal", None)])
        };
        let both = "{ line: { seal: text, fee_waived: bool } }";
        assert_eq!(told("fees", both), [""; 0]);
        assert_eq!(told("fees", "{ case: { fee_waived: bool }, order_line: { seal: text } }"), [""; 0]);
        let near = "plugin_reads_undeclared: `fees@0` reads the attribute `fee_waived`, which this document does not declare; \
                    it declares `fee_waved`: one of the two is misspelt, and what is misspelt is never there";
        assert_eq!(told("fees", "{ line: { seal: text, fee_waved: bool } }"), [near]);
        assert_eq!(told("std/fees", "{ line: { seal: text, fee_waved: bool } }"), [near.replace("`fees", "`std/fees")]);
        // Nothing is near, and a plugin sees nothing of customers.
        let none = told("fees", "{ customer: { seal: text, fee_waived: bool } }");
        assert!(none[0].starts_with("plugin_reads_undeclared: `fees@0` reads `fee_waived`, `seal`, which"), "{none:?}");
        assert_eq!(told("std/fees", "{ case: { harm: bool } }"), [""; 0]);
    }

    #[test]
    fn what_a_plugin_reads_by_its_own_name_is_not_taken_for_another() {
        let read = [("opened", None), ("reopened", None)];
        assert_eq!(told("std/seals", Hook::Eligibility, "{ line: { opened: bool } }", &read), [""; 0]);
        assert_eq!(told("steps", Hook::Step, "{ line: { opened: bool } }", &[("open", None)]), [""; 0]);
    }

    #[test]
    fn an_attribute_that_is_declared_as_something_else_is_told() {
        let told = |declared: &str, read: Type| {
            told("fees", Hook::Refund, &format!("{{ line: {{ fee: {declared} }} }}"), &[("fee", Some(read))])
        };
        for (declared, read) in [
            ("text", Type::Text),
            ("'text?'", Type::Text),
            ("'[a, b]'", Type::Text),
            ("date", Type::Text),
            ("number", Type::Number),
            ("price", Type::Number),
            ("bool", Type::Bool),
            ("money", Type::Money),
            ("instant", Type::Instant),
        ] {
            assert_eq!(told(declared, read), [""; 0], "{declared}");
        }
        let other = told("text", Type::Money);
        assert!(
            other[0].starts_with(
                "plugin_reads_other_type: `fees@0` reads `fee` as money, and `attributes.line` declares it text"
            ),
            "{other:?}"
        );
        for (declared, read) in [
            ("number", Type::Money),
            ("money", Type::Number),
            ("bool", Type::Text),
            ("instant", Type::Text),
            ("duration", Type::Instant),
            ("'[a, b]'", Type::Bool),
        ] {
            assert_eq!(told(declared, read).len(), 1, "{declared}");
        }
    }
}
