//! The names that expressions read in a run: kept up to date as entries change the case.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::shapes;
use crate::case::entry::Entry;
use crate::case::{Case, Output};
use crate::clock::Instant;
use crate::facts::Facts;
use crate::value::{Fields, Value};
use crate::workflow::definition::Definition;
use crate::workflow::expr::Roots;

/// Values by root name.
#[derive(Debug)]
pub(super) struct Names {
    values: Fields,
    /// Alias by step.
    aliases: BTreeMap<String, String>,
    /// Whether lines are limited to one, so that `item` exists.
    single: bool,
}

impl Names {
    pub(super) fn new(definition: Option<&Definition>, now: Instant) -> Self {
        let alias = |step: &crate::workflow::definition::Step| Some((step.id.to_string(), step.alias.clone()?));
        let steps = definition.map(|definition| definition.steps.as_slice()).unwrap_or_default();
        Self {
            values: [("now".to_owned(), Value::Instant(now))].into(),
            aliases: steps.iter().filter_map(alias).collect(),
            single: definition.is_some_and(|definition| definition.limits.lines == Some(1)),
        }
    }

    /// All names of a case as it stands.
    pub(super) fn load(&mut self, case: &Case, facts: &Facts) {
        self.values.insert("case".to_owned(), shapes::case(case));
        if let (true, Some(line)) = (self.single, case.lines.first()) {
            self.values.insert("item".to_owned(), shapes::line(0, line));
        }
        if let Some(customer) = &case.customer {
            self.values.insert("customer".to_owned(), shapes::customer(customer));
        }
        if let Some(order) = &facts.order {
            self.values.insert("order".to_owned(), shapes::order(order, facts));
        }
        self.values.insert("vars".to_owned(), Value::Object(case.vars.clone()));
        self.values.extend(case.vars.clone());
        let steps =
            case.outputs.iter().filter_map(|(step, output)| Some((step.clone(), shapes::output(case, output)?)));
        let steps: Fields = steps.collect();
        for (step, value) in &steps {
            self.alias(step, value.clone());
        }
        self.values.insert("steps".to_owned(), Value::Object(steps));
    }

    /// Follow one entry.
    pub(super) fn changed(&mut self, entry: &Entry, case: Option<&Case>) {
        match (entry, case) {
            (Entry::VarsSet { values }, _) => {
                self.in_object("vars", values.clone());
                self.values.extend(values.clone());
            }
            (Entry::Gave { step, output, .. }, Some(case)) => self.gave(step.as_str(), output, case),
            _ => {}
        }
    }

    fn gave(&mut self, step: &str, output: &Output, case: &Case) {
        if let Some(value) = shapes::output(case, output) {
            self.in_object("steps", [(step.to_owned(), value.clone())].into());
            self.alias(step, value);
        }
    }

    fn alias(&mut self, step: &str, value: Value) {
        if let Some(alias) = self.aliases.get(step) {
            self.values.insert(alias.clone(), value);
        }
    }

    fn in_object(&mut self, root: &str, fields: Fields) {
        if let Value::Object(object) =
            self.values.entry(root.to_owned()).or_insert_with(|| Value::Object(Fields::new()))
        {
            object.extend(fields);
        }
    }
}

impl Roots for Names {
    fn root(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.values.get(name).map(Cow::Borrowed)
    }
}
