//! The names that expressions read in a run: kept up to date as entries change the case.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::shapes;
use crate::case::Case;
use crate::case::entry::Entry;
use crate::case::lane::LaneId;
use crate::clock::Instant;
use crate::facts::Facts;
use crate::value::{Fields, Value};
use crate::workflow::definition::{Definition, Kind, Step};
use crate::workflow::expr::Roots;

/// Values by root name.
#[derive(Debug)]
pub(super) struct Names {
    values: Fields,
    /// What is different in the lane that the run is in.
    local: Fields,
    lane: LaneId,
    /// Alias by step.
    aliases: BTreeMap<String, String>,
    /// The name of an element, by the step that goes through them.
    elements: BTreeMap<String, String>,
    /// Whether lines are limited to one, so that `item` exists.
    single: bool,
}

impl Names {
    pub(super) fn new(definition: Option<&Definition>, now: Instant) -> Self {
        let alias = |step: &Step| Some((step.id.to_string(), step.alias.clone()?));
        let element = |step: &Step| match &step.kind {
            Kind::ForEach(each) => Some((step.id.to_string(), each.element.clone())),
            _ => None,
        };
        let steps = definition.map(|definition| definition.steps.as_slice()).unwrap_or_default();
        Self {
            values: [("now".to_owned(), Value::Instant(now))].into(),
            local: Fields::new(),
            lane: LaneId::main(),
            aliases: steps.iter().filter_map(alias).collect(),
            elements: steps.iter().filter_map(element).collect(),
            single: definition.is_some_and(|definition| definition.limits.lines == Some(1)),
        }
    }

    /// All names of a case as it stands, on its main line.
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
        // The steps of iterations have longer names, and are read in their iteration alone.
        let whole = case.outputs.iter().filter(|(key, _)| !key.contains('.'));
        let steps: Fields =
            whole.filter_map(|(step, output)| Some((step.clone(), shapes::output(case, output)?))).collect();
        for (step, value) in &steps {
            if let Some(alias) = self.aliases.get(step) {
                self.values.insert(alias.clone(), value.clone());
            }
        }
        self.values.insert("steps".to_owned(), Value::Object(steps));
    }

    /// The names of a lane: those of the case, with what its steps gave, its element and its own variables.
    pub(super) fn turn_to(&mut self, lane: &LaneId, case: &Case) {
        if *lane == self.lane {
            return;
        }
        self.lane = lane.clone();
        self.local.clear();
        for iteration in lane.iterations() {
            self.iteration(&iteration, case);
        }
        let mut around = Vec::from_iter(lane.parent().map(|_| lane.clone()));
        while let Some((outer, _, _)) = around.last().and_then(LaneId::parent) {
            around.push(outer);
        }
        for lane in around.iter().rev().filter_map(|lane| case.lanes.get(lane)) {
            self.set_own(&lane.vars);
        }
    }

    fn iteration(&mut self, iteration: &LaneId, case: &Case) {
        let Some((outer, step, number)) = iteration.parent() else { return };
        let elements = case.elements.get(&outer.key(step));
        let element = number.parse().ok().and_then(|number: usize| elements?.get(number));
        if let (Some(name), Some(element)) = (self.elements.get(step), element) {
            self.local.insert(name.clone(), element.clone());
        }
        let inside = iteration.key("");
        let gave = case.outputs.range(inside.clone()..).take_while(|(key, _)| key.starts_with(&inside));
        for (key, output) in gave {
            let step = &key[inside.len()..];
            if let (false, Some(value)) = (step.contains('.'), shapes::output(case, output)) {
                self.gave(step, Some(value));
            }
        }
    }

    /// Follow one entry.
    pub(super) fn changed(&mut self, entry: &Entry, case: Option<&Case>) {
        match (entry, case) {
            (Entry::VarsSet { values }, _) => {
                self.values.extend(values.clone());
                for names in [&mut self.values, &mut self.local] {
                    in_object(names, "vars", |vars| vars.extend(values.clone()));
                }
            }
            (Entry::LaneSet { values }, _) => self.set_own(values),
            (Entry::Gave { step, output, .. }, Some(case)) => self.gave(step.as_str(), shapes::output(case, output)),
            (Entry::Skipped { step }, _) => self.gave(step.as_str(), None),
            _ => {}
        }
    }

    fn set_own(&mut self, values: &Fields) {
        if values.is_empty() {
            return;
        }
        self.local.extend(values.clone());
        self.own("vars");
        in_object(&mut self.local, "vars", |vars| vars.extend(values.clone()));
    }

    /// What a step gave, in the lane that the run is in; nothing where it was skipped.
    fn gave(&mut self, step: &str, value: Option<Value>) {
        let names = if self.lane.iteration().is_main() {
            &mut self.values
        } else {
            self.own("steps");
            &mut self.local
        };
        in_object(names, "steps", |steps| put(steps, step, value.clone()));
        if let Some(alias) = self.aliases.get(step) {
            put(names, alias, value);
        }
    }

    /// An object of the case that has other fields in this lane.
    fn own(&mut self, root: &str) {
        if !self.local.contains_key(root) {
            let whole = self.values.get(root).cloned().unwrap_or_else(|| Value::Object(Fields::new()));
            self.local.insert(root.to_owned(), whole);
        }
    }
}

fn in_object(names: &mut Fields, root: &str, change: impl FnOnce(&mut Fields)) {
    if let Some(Value::Object(object)) = names.get_mut(root) {
        change(object);
    }
}

fn put(fields: &mut Fields, name: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(fields.insert(name.to_owned(), value)),
        None => drop(fields.remove(name)),
    }
}

impl Roots for Names {
    fn root(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.local.get(name).or_else(|| self.values.get(name)).map(Cow::Borrowed)
    }
}
