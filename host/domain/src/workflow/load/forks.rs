//! What must not happen in lanes that run beside each other, or that may be called off.

use std::collections::{BTreeMap, BTreeSet};

use crate::workflow::diagnostic::Diagnostic;
use crate::workflow::load::outline::{Draft, List, Outline};

/// What a step says of the lists in it.
#[derive(Debug, Default)]
pub(super) struct Fork {
    /// Whether every list in it runs once, to its end.
    pub(super) is_whole: bool,
    /// Whether some lane of it may be called off before its end.
    pub(super) calls_off: bool,
    /// Whether the lanes run at the same time.
    pub(super) is_at_once: bool,
    /// The name of an element, where the list in it is the body of a loop.
    pub(super) element: Option<String>,
    /// How many lanes there may be.
    pub(super) lanes_max: u64,
    /// Variables that more than one lane may set.
    pub(super) merge: BTreeSet<String>,
}

/// How many iterations loops inside each other may come to.
const ITERATIONS_MAX: u64 = 10_000;

/// Report it.
pub(super) fn check(outline: &Outline<'_>) {
    for (place, draft) in outline.drafts.iter().enumerate() {
        let Some(fork) = &draft.fork else { continue };
        let lists: Vec<(String, &List)> = outline
            .inside(place)
            .map(|(branch, list)| (branch.map(ToString::to_string).unwrap_or_default(), list))
            .collect();
        if draft.is_loop() {
            if fork.is_at_once {
                one_body(outline, fork, &lists);
            }
            iterations(outline, place, draft);
        } else {
            one_branch_each(outline, fork, &lists);
        }
        if fork.calls_off {
            no_refund(outline, &lists);
        }
    }
}

/// Branches run in an order that nobody knows: of two that set one variable, chance would decide.
fn one_branch_each(outline: &Outline<'_>, fork: &Fork, lists: &[(String, &List)]) {
    let mut first: BTreeMap<&String, &String> = BTreeMap::new();
    for (branch, list) in lists {
        for (_, draft) in outline.all_of(list) {
            for name in draft.sets.iter().filter(|name| !fork.merge.contains(*name)) {
                let other = *first.entry(name).or_insert(branch);
                if other != branch {
                    two_lanes(draft, &format!("the branches `{other}` and `{branch}` both set `{name}`"), name);
                }
            }
        }
    }
}

fn one_body(outline: &Outline<'_>, fork: &Fork, lists: &[(String, &List)]) {
    for (_, draft) in lists.iter().flat_map(|(_, list)| outline.all_of(list)) {
        for name in draft.sets.iter().filter(|name| !fork.merge.contains(*name)) {
            two_lanes(draft, &format!("iterations that run at once would all set `{name}`"), name);
        }
    }
}

fn two_lanes(draft: &Draft<'_>, message: &str, name: &str) {
    let help =
        format!("say what becomes of its values, `merge: {{ {name}: sum }}` (or `last`, `list`), or use two variables");
    let found = Diagnostic::new("branches_write_one_variable", draft.place(), message.to_owned());
    draft.at.report::<()>(found.help(help));
}

/// Money that is on its way cannot be called off, so nothing that may be called off sends any.
fn no_refund(outline: &Outline<'_>, lists: &[(String, &List)]) {
    const MOVES_MONEY: &[&str] = &["refund", "exchange"];
    for (_, draft) in lists.iter().flat_map(|(_, list)| outline.all_of(list)) {
        if MOVES_MONEY.contains(&draft.kind_name()) {
            let message = format!("a `{}` stands in a branch that another one may call off", draft.kind_name());
            let help = "let all branches come to their end, `join: all`, or put it after the `parallel`";
            draft.at.report::<()>(Diagnostic::new("may_be_called_off", draft.place(), message).help(help));
        }
    }
}

/// Every case comes to an end, also in the time that people have.
fn iterations(outline: &Outline<'_>, place: usize, draft: &Draft<'_>) {
    let around = outline.around(place);
    let all = around.iter().copied().chain([place]).filter(|place| outline.drafts[*place].is_loop());
    let forks = all.filter_map(|place| outline.drafts[place].fork.as_ref());
    let most = forks.fold(1_u64, |most, fork| most.saturating_mul(fork.lanes_max));
    if most > ITERATIONS_MAX {
        let message = format!("loops inside each other come to {most} iterations, the most is {ITERATIONS_MAX}");
        draft.at.report::<()>(Diagnostic::new("too_large", draft.place(), message).help("lower a `max`"));
    }
}
