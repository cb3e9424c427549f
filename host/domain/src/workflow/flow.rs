//! The graph of a list of steps: which follow which, whether all are reached and none goes back, and what is known where.

use std::collections::BTreeSet;

use crate::workflow::diagnostic::{Diagnostic, Range};

/// The steps of a list with their successors; the first is where the list begins. What leads behind the last one leads to the
/// end of the list, which only the list of a branch or a body has.
#[derive(Debug, Default)]
pub struct Graph {
    /// The steps in the order of the list.
    pub steps: Vec<FlowStep>,
    /// Steps that are named where nothing comes of it, which was reported: they are not called unreachable.
    pub named: BTreeSet<usize>,
    /// Some successor is unknown and was reported: nothing is said about what cannot be reached.
    pub incomplete: bool,
}

/// A step of the graph.
#[derive(Debug)]
pub struct FlowStep {
    /// Its name, for messages.
    pub id: String,
    /// What to point at.
    pub range: Range,
    /// Where it stands in the document.
    pub path: String,
    /// What is there once the step has done its work.
    pub gives: BTreeSet<Fact>,
    /// What may be there then.
    pub may_give: BTreeSet<Fact>,
    /// What may follow.
    pub edges: Vec<Edge>,
    /// Nothing follows the step in the list, and it does not say where else to go.
    pub falls_off: Option<Fall>,
}

/// When a case would go on to where nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fall {
    /// Once the step has done its work.
    Done,
    /// Where it is skipped: otherwise it ends the case.
    Skipped,
}

/// A way from one step to the next.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    /// The place of the step that follows; behind the last one it is the end of the list.
    pub to: usize,
    /// Whether the step has done its work on this way: not where it was skipped, failed or timed out.
    pub done: bool,
    /// Whether it is the way back of an `again`, which may be taken so many times.
    pub is_back: bool,
    /// What to point at.
    pub range: Range,
}

/// Something that an expression may read once a step has done its work.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// The output of the step at this place.
    Output(usize),
    /// The variable of this name.
    Variable(String),
}

/// What is there when a step is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// On every way to it.
    pub always: BTreeSet<Fact>,
    /// On some way to it.
    pub sometimes: BTreeSet<Fact>,
}

impl Graph {
    /// Everything that is wrong with the order of the steps.
    pub fn check(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for (step, fall) in self.steps.iter().filter_map(|step| Some((step, step.falls_off?))) {
            let (message, help) = match fall {
                Fall::Done => (
                    format!("nothing follows `{}`: the case would never end", step.id),
                    "end with `finish` or `fail`, or say `then`",
                ),
                Fall::Skipped => (
                    format!("nothing follows `{}` where its `when` does not hold: the case would never end", step.id),
                    "remove the `when`, or let another `finish` or `fail` follow",
                ),
            };
            found.push(Diagnostic::new("no_end", step.range, message).at(&step.path).help(help));
        }
        for (from, to) in self.ways_back().filter(|(from, to)| from == to || self.between(*to, *from).is_empty()) {
            let (step, target) = (&self.steps[from], &self.steps[to]);
            let message = format!("`{}` does not lead to `{}`: this is no way back", target.id, step.id);
            let range = step.edges.iter().find(|edge| edge.is_back).map_or(step.range, |edge| edge.range);
            let help = "name a step that comes before; a way on is a `then`";
            found.push(Diagnostic::new("no_way_back", range, message).at(&step.path).help(help));
        }
        found.extend(self.cycles().iter().map(|cycle| self.describe(cycle)));
        if !self.incomplete {
            for step in self.unreachable() {
                let found_here = Diagnostic::new("unreachable", step.range, format!("no step leads to `{}`", step.id));
                found.push(found_here.at(&step.path).help("name it in a `then`, or remove it"));
            }
        }
        found
    }

    /// The steps that nothing leads to. Those behind them are left out, and those that would be reached if a way back led on.
    fn unreachable(&self) -> Vec<&FlowStep> {
        let wrong: BTreeSet<usize> = self.cycles().iter().map(|cycle| self.turn(cycle).0).collect();
        let next = |place: usize| (wrong.contains(&place) && place + 1 < self.steps.len()).then_some(place + 1);
        let led_to: BTreeSet<usize> = (0..self.steps.len())
            .flat_map(|place| self.ways_on(place).map(|edge| edge.to).chain(next(place)))
            .collect();
        self.steps
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(place, _)| !led_to.contains(place) && !self.named.contains(place))
            .map(|(_, step)| step)
            .collect()
    }

    /// What is there at each step, and at the end of the list where some way leads there, if this is there at its beginning. A step
    /// that is never reached may read everything: that it is unreachable is enough to say.
    pub fn known(&self, begin: &Known) -> (Vec<Known>, Option<Known>) {
        let gives = self.steps.iter().flat_map(|step| step.gives.iter().chain(&step.may_give));
        let all: BTreeSet<Fact> = gives.chain(&begin.sometimes).cloned().collect();
        let reached = self.reached();
        let mut known: Vec<Option<Known>> = vec![None; self.steps.len() + 1];
        known[0] = Some(begin.clone());
        let (mut order, back) = self.order();
        order.retain(|place| reached.contains(place));
        // Once, and where a way back leads once more to what is known by less, again: there is less each time.
        loop {
            let before = known.clone();
            order.iter().for_each(|place| self.pass(*place, &back, &mut known));
            if known == before {
                break;
            }
        }
        let end = known.pop().flatten();
        let anything = Known { always: all.clone(), sometimes: all };
        (known.into_iter().map(|here| here.unwrap_or_else(|| anything.clone())).collect(), end)
    }

    /// What is there behind a step.
    fn pass(&self, place: usize, back: &BTreeSet<(usize, usize)>, known: &mut [Option<Known>]) {
        let (Some(here), step) = (known[place].clone(), &self.steps[place]) else { return };
        for edge in step.edges.iter().filter(|edge| edge.is_back || !back.contains(&(place, edge.to))) {
            let mut there = here.clone();
            if edge.done {
                there.always.extend(step.gives.iter().cloned());
                there.sometimes.extend(step.gives.iter().chain(&step.may_give).cloned());
            }
            known[edge.to] = Some(match known[edge.to].take() {
                None => there,
                Some(other) => Known {
                    always: other.always.intersection(&there.always).cloned().collect(),
                    sometimes: other.sometimes.union(&there.sometimes).cloned().collect(),
                },
            });
        }
    }

    /// The ways out of a step but for those back.
    fn ways_on(&self, place: usize) -> impl Iterator<Item = &Edge> {
        self.steps[place].edges.iter().filter(|edge| !edge.is_back)
    }

    /// Every way back, from and to.
    pub fn ways_back(&self) -> impl Iterator<Item = (usize, usize)> {
        let of = |(from, step): (usize, &'_ FlowStep)| {
            step.edges.iter().find(|edge| edge.is_back).map(|edge| (from, edge.to))
        };
        self.steps.iter().enumerate().filter_map(of)
    }

    /// The steps that lie on some way from one to the other, both included; none where no way leads there.
    pub fn between(&self, from: usize, to: usize) -> BTreeSet<usize> {
        let reached = self.reached_from(from);
        let leads_on: Vec<BTreeSet<usize>> = reached.iter().map(|place| self.reached_from(*place)).collect();
        reached.into_iter().zip(leads_on).filter(|(_, further)| further.contains(&to)).map(|(place, _)| place).collect()
    }

    fn reached(&self) -> BTreeSet<usize> {
        self.reached_from(0)
    }

    fn reached_from(&self, place: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut next = vec![place];
        while let Some(place) = next.pop() {
            if place < self.steps.len() && reached.insert(place) {
                next.extend(self.ways_on(place).map(|edge| edge.to));
            }
        }
        reached
    }

    /// The steps so that each stands after those that lead to it, and the edges that go back.
    fn order(&self) -> (Vec<usize>, BTreeSet<(usize, usize)>) {
        let mut walk = Walk::new(self);
        for place in 0..self.steps.len() {
            walk.visit(place);
        }
        walk.finished.reverse();
        (walk.finished, walk.cycles.iter().map(|cycle| (cycle[cycle.len() - 1], cycle[0])).collect())
    }

    fn cycles(&self) -> Vec<Vec<usize>> {
        let mut walk = Walk::new(self);
        for place in 0..self.steps.len() {
            walk.visit(place);
        }
        walk.cycles
    }

    fn describe(&self, cycle: &[usize]) -> Diagnostic {
        let (from, to) = self.turn(cycle);
        let step = &self.steps[from];
        let range = step.edges.iter().find(|edge| edge.to == to).map_or(step.range, |edge| edge.range);
        let start = cycle.iter().position(|place| *place == to).unwrap_or(0);
        let names: Vec<_> =
            (0..=cycle.len()).map(|i| self.steps[cycle[(start + i) % cycle.len()]].id.as_str()).collect();
        let message = format!("`{}` leads back to `{}`: {}", step.id, self.steps[to].id, names.join(" -> "));
        Diagnostic::new("cycle", range, message).at(&step.path).help(
            "steps only go forward: no case may run for ever; a way back that is taken so many times is an `again`",
        )
    }

    /// The way that goes up in the document: every cycle has one, and it is the one to change.
    fn turn(&self, cycle: &[usize]) -> (usize, usize) {
        let pairs = cycle.iter().copied().zip(cycle.iter().copied().cycle().skip(1));
        pairs.max_by_key(|(from, to)| (from >= to, *from)).unwrap_or((0, 0))
    }
}

/// A walk in depth that keeps what is finished and what closes a cycle.
struct Walk<'g> {
    graph: &'g Graph,
    seen: BTreeSet<usize>,
    way: Vec<usize>,
    finished: Vec<usize>,
    cycles: Vec<Vec<usize>>,
}

impl<'g> Walk<'g> {
    fn new(graph: &'g Graph) -> Self {
        Self { graph, seen: BTreeSet::new(), way: Vec::new(), finished: Vec::new(), cycles: Vec::new() }
    }

    /// Recursive: a document has at most a few hundred steps (`load::STEPS_MAX`).
    fn visit(&mut self, place: usize) {
        if place == self.graph.steps.len() || !self.seen.insert(place) {
            return;
        }
        self.way.push(place);
        let successors: BTreeSet<usize> = self.graph.ways_on(place).map(|edge| edge.to).collect();
        for next in successors {
            match self.way.iter().position(|step| *step == next) {
                Some(start) => self.cycles.push(self.way[start..].to_vec()),
                None => self.visit(next),
            }
        }
        self.way.pop();
        self.finished.push(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `"0>1 1>2! 2>0^"`: edges, `!` where the step did not do its work, `^` for a way back; step n gives output n.
    fn graph(count: usize, edges: &str) -> Graph {
        let mut steps: Vec<_> = (0..count)
            .map(|place| FlowStep {
                id: format!("s{place}"),
                range: Range::new(place, place + 1),
                path: String::new(),
                gives: [Fact::Output(place)].into(),
                may_give: BTreeSet::new(),
                edges: Vec::new(),
                falls_off: None,
            })
            .collect();
        for edge in edges.split_whitespace() {
            let (from, to) = edge.split_once('>').unwrap();
            let range = Range::new(100, 101);
            let (done, is_back) = (!to.ends_with('!'), to.ends_with('^'));
            let edge = Edge { to: to.trim_end_matches(['!', '^']).parse().unwrap(), done, is_back, range };
            steps[from.parse::<usize>().unwrap()].edges.push(edge);
        }
        Graph { steps, named: BTreeSet::new(), incomplete: false }
    }

    fn outputs(facts: &BTreeSet<Fact>) -> Vec<usize> {
        facts.iter().filter_map(|fact| if let Fact::Output(place) = fact { Some(*place) } else { None }).collect()
    }

    #[test]
    fn an_output_is_sure_only_where_every_way_passes_its_step() {
        let known = graph(4, "0>1 0>2 1>3 2>3").known(&Known::default()).0;
        assert_eq!(outputs(&known[3].always), [0]);
        assert_eq!(outputs(&known[3].sometimes), [0, 1, 2]);
        assert_eq!(outputs(&known[1].sometimes), [0], "a step cannot read one that comes later");
    }

    #[test]
    fn a_step_that_failed_or_was_skipped_gives_nothing() {
        let known = graph(3, "0>1 0>2! 1>2").known(&Known::default()).0;
        assert_eq!(outputs(&known[2].always), []);
        assert_eq!(outputs(&known[2].sometimes), [0, 1]);
    }

    #[test]
    fn a_cycle_is_told_once_with_its_way() {
        let found = graph(3, "0>1 1>2 2>1").check();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].message, "`s2` leads back to `s1`: s1 -> s2 -> s1");
        assert_eq!(graph(1, "0>0").check()[0].message, "`s0` leads back to `s0`: s0 -> s0");
    }

    #[test]
    fn a_way_back_is_no_cycle_but_leads_to_a_step_that_comes_before() {
        assert_eq!(graph(3, "0>1 1>2 1>0^").check(), []);
        let codes = |edges| graph(3, edges).check().into_iter().map(|d| d.code).collect::<Vec<_>>();
        assert_eq!(codes("0>1 1>2 0>2^"), ["no_way_back"]);
        assert_eq!(codes("0>1 1>2 1>1^"), ["no_way_back"]);
        assert_eq!(codes("0>1 0>2^"), ["no_way_back", "unreachable"], "what only a way back leads to is not reached");
        assert_eq!(graph(5, "0>1 0>4 1>2 1>3 2>3 3>4 3>1^").between(1, 3), [1, 2, 3].into());
    }

    #[test]
    fn a_way_back_takes_from_what_is_sure_and_adds_to_what_may_be() {
        // 0 may go past 1 to 2, which leads back to 1: on that way 1 comes without what 3 stands for.
        let known = graph(5, "0>3 3>1 0>2 1>2 2>1^ 2>4").known(&Known::default()).0;
        assert_eq!(outputs(&known[1].always), [0]);
        assert_eq!(outputs(&known[1].sometimes), [0, 1, 2, 3]);
        let known = graph(3, "0>1 1>2 1>0^").known(&Known::default()).0;
        assert_eq!((outputs(&known[0].always), outputs(&known[0].sometimes)), (vec![], vec![0, 1]));
        assert_eq!(outputs(&known[2].always), [0, 1]);
    }

    #[test]
    fn two_ways_to_one_step_are_no_cycle() {
        assert_eq!(graph(4, "0>1 0>2 1>3 2>3 1>2").check(), []);
    }

    #[test]
    fn of_a_row_of_unreachable_steps_the_first_is_told() {
        let found = graph(4, "0>3 1>2 2>3").check();
        assert_eq!(found.iter().map(|d| d.range.start).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn what_follows_a_way_back_is_not_called_unreachable() {
        let codes = |edges| graph(4, edges).check().into_iter().map(|d| d.code).collect::<Vec<_>>();
        assert_eq!(codes("0>1 1>1 2>3"), ["cycle"]);
        assert_eq!(codes("0>1 1>0 2>2"), ["cycle", "cycle"]);
        assert_eq!(codes("0>1 1>1"), ["cycle", "unreachable"]);
    }

    #[test]
    fn an_unreachable_step_may_read_everything() {
        let known = graph(3, "0>2 1>2").known(&Known::default()).0;
        assert_eq!(outputs(&known[1].always), [0, 1, 2]);
        assert_eq!(outputs(&known[2].always), [0], "and takes nothing from those that are reached");
    }

    #[test]
    fn what_is_known_at_the_end_of_a_list_is_what_every_way_to_it_gives() {
        let begin = Known { always: [Fact::Output(9)].into(), sometimes: [Fact::Output(9)].into() };
        let (known, end) = graph(3, "0>1 0>2 1>3 2>3").known(&begin);
        assert_eq!(outputs(&known[0].always), [9]);
        let end = end.unwrap();
        assert_eq!((outputs(&end.always), outputs(&end.sometimes)), (vec![0, 9], vec![0, 1, 2, 9]));
        assert_eq!(graph(2, "0>1").known(&begin).1, None, "no way leads to the end");
    }
}
