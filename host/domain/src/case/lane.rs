//! Lanes: the places of a case that is in more than one at once. Each branch of a `parallel` and each iteration of a `for_each`
//! is a lane of its own; everything else happens on the main line.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Case, Status};
use crate::clock::Instant;
use crate::ids::Slug;
use crate::value::Fields;

/// The name of a lane, stable for as long as it runs: `settle.money` is the branch `money` of the step `settle`, `each.0` the first
/// iteration of the step `each`, and `each.0.settle.money` the one inside the other. The main line has the empty name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LaneId(String);

impl LaneId {
    /// The main line.
    pub fn main() -> Self {
        Self::default()
    }

    /// Whether it is the main line.
    pub fn is_main(&self) -> bool {
        self.0.is_empty()
    }

    /// The lane of a branch, by name, or of an iteration, by number, of a step that stands in this lane.
    pub fn child(&self, step: &Slug, part: impl fmt::Display) -> Self {
        if self.is_main() { Self(format!("{step}.{part}")) } else { Self(format!("{}.{step}.{part}", self.0)) }
    }

    /// The lane around it, with the step there and the branch or number that it is; none of the main line.
    pub fn parent(&self) -> Option<(Self, &str, &str)> {
        let (rest, part) = self.0.rsplit_once('.')?;
        match rest.rsplit_once('.') {
            Some((outer, step)) => Some((Self(outer.to_owned()), step, part)),
            None => Some((Self::main(), rest, part)),
        }
    }

    /// Whether it is a lane of this step in that lane, or a lane inside one of them.
    pub fn is_of(&self, outer: &Self, step: &str) -> bool {
        self.inside(outer, step).is_some()
    }

    /// Which branch or number it is of this step in that lane; none where it is another's, or inside one of them.
    pub fn part_of(&self, outer: &Self, step: &str) -> Option<&str> {
        self.inside(outer, step).filter(|part| !part.contains('.'))
    }

    /// The rest of the name behind a step of that lane.
    fn inside(&self, outer: &Self, step: &str) -> Option<&str> {
        let inner = if outer.is_main() { &self.0 } else { self.0.strip_prefix(&*outer.0)?.strip_prefix('.')? };
        inner.strip_prefix(step)?.strip_prefix('.')
    }

    /// Whether it is an iteration itself, and not a branch.
    pub fn is_iteration(&self) -> bool {
        self.parent().is_some_and(|(_, _, part)| is_number(part))
    }

    /// The innermost iteration that it belongs to, as a lane; the main line where it belongs to none. Steps run once in each.
    pub fn iteration(&self) -> Self {
        let mut lane = self.clone();
        while !lane.is_main() && !lane.is_iteration() {
            lane = lane.parent().map(|(outer, _, _)| outer).unwrap_or_default();
        }
        lane
    }

    /// The iterations around it with their steps, the outermost first.
    pub fn iterations(&self) -> Vec<Self> {
        let mut found = Vec::new();
        let mut lane = self.iteration();
        while let Some((outer, _, _)) = lane.parent() {
            found.insert(0, lane);
            lane = outer.iteration();
        }
        found
    }

    /// The name under which a case keeps what a step gave here: the step's own, with the iteration before it.
    pub fn key(&self, step: &str) -> String {
        let iteration = self.iteration();
        if iteration.is_main() { step.to_owned() } else { format!("{}.{step}", iteration.0) }
    }
}

/// Names of branches and steps begin with a letter.
fn is_number(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_digit())
}

impl fmt::Display for LaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Part by part, so that iteration 9 comes before iteration 10.
impl Ord for LaneId {
    fn cmp(&self, other: &Self) -> Ordering {
        let part = |a: &str, b: &str| match (a.parse::<u32>(), b.parse::<u32>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => a.cmp(b),
        };
        let (mut ours, mut theirs) = (self.0.split('.'), other.0.split('.'));
        loop {
            match (ours.next(), theirs.next()) {
                (Some(a), Some(b)) if part(a, b).is_eq() => {}
                (Some(a), Some(b)) => return part(a, b),
                (None, None) => return Ordering::Equal,
                (None, _) => return Ordering::Less,
                (_, None) => return Ordering::Greater,
            }
        }
    }
}

impl PartialOrd for LaneId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A branch or an iteration as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// Where.
    pub place: Place,
    /// Variables of its own, until it joins the others.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub vars: Fields,
}

/// Where a lane stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// About to enter a step.
    Running {
        /// The step.
        step: Slug,
    },
    /// At a step that waits.
    Waiting {
        /// The step.
        step: Slug,
        /// The turn in which the wait began.
        since: u64,
        /// When the wait ends by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Instant>,
    },
    /// At its end; the others are not there yet.
    Done {
        /// As the how-manieth of them, counted from 0.
        rank: u32,
    },
}

impl Place {
    /// The word in lists.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Running { .. } => "running",
            Self::Waiting { .. } => "waiting",
            Self::Done { .. } => "done",
        }
    }

    /// The step.
    pub fn step(&self) -> Option<&Slug> {
        match self {
            Self::Running { step } | Self::Waiting { step, .. } => Some(step),
            Self::Done { .. } => None,
        }
    }

    /// When the wait ends by itself, if it does.
    pub fn until(&self) -> Option<Instant> {
        match self {
            Self::Waiting { until, .. } => *until,
            Self::Running { .. } | Self::Done { .. } => None,
        }
    }
}

impl Case {
    /// Whether it is between the turns of one long run.
    pub fn is_cut(&self) -> bool {
        let is_running = |lane: &Lane| matches!(lane.place, Place::Running { .. });
        matches!(self.status, Status::Running { .. }) || self.lanes.values().any(is_running)
    }

    /// Where a lane stands; nowhere once it has joined the others, was called off, or the case is over.
    pub fn place(&self, lane: &LaneId) -> Option<Place> {
        if !lane.is_main() {
            return self.lanes.get(lane).map(|lane| lane.place.clone());
        }
        match &self.status {
            Status::Running { step } => Some(Place::Running { step: step.clone() }),
            Status::Waiting { step, since, until } => {
                Some(Place::Waiting { step: step.clone(), since: *since, until: *until })
            }
            Status::Held | Status::Closed { .. } => None,
        }
    }

    /// Whether this lane stands at this step.
    pub fn stands_at(&self, lane: &LaneId, step: &Slug) -> bool {
        self.place(lane).is_some_and(|place| place.step() == Some(step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &'static str) -> Slug {
        Slug::from_static(name)
    }

    #[test]
    fn a_name_tells_what_is_around_it() {
        let each = LaneId::main().child(&step("each"), 12);
        let money = each.child(&step("settle"), "money");
        assert_eq!(money.to_string(), "each.12.settle.money");
        assert_eq!(money.parent(), Some((each.clone(), "settle", "money")));
        assert_eq!(each.parent(), Some((LaneId::main(), "each", "12")));
        assert_eq!(LaneId::main().parent(), None);
        assert_eq!(
            (money.key("pay"), each.key("settle"), LaneId::main().key("each")),
            ("each.12.pay".to_owned(), "each.12.settle".to_owned(), "each".to_owned())
        );
        let inner = money.child(&step("legs"), 0);
        assert_eq!(inner.iterations(), [each.clone(), inner.clone()]);
        assert_eq!(LaneId::main().child(&step("settle"), "money").key("pay"), "pay", "a branch runs a step once");
    }

    #[test]
    fn a_lane_is_of_the_step_that_made_it_and_of_no_other() {
        let (main, each) = (LaneId::main(), LaneId::main().child(&step("each"), 1));
        let money = each.child(&step("settle"), "money");
        assert!(each.is_of(&main, "each") && money.is_of(&main, "each") && money.is_of(&each, "settle"));
        assert!(!each.is_of(&main, "ea") && !each.is_of(&each, "settle") && !main.is_of(&main, "each"));
        assert_eq!((each.part_of(&main, "each"), money.part_of(&each, "settle")), (Some("1"), Some("money")));
        assert_eq!((money.part_of(&main, "each"), main.part_of(&main, "each")), (None, None));
        assert!(!main.child(&step("each"), 10).child(&step("settle"), "money").is_of(&each, "settle"));
    }

    #[test]
    fn iterations_stand_in_the_order_of_their_numbers() {
        let mut lanes: Vec<_> = [10, 9, 0, 100].map(|n| LaneId::main().child(&step("each"), n)).into();
        lanes.push(LaneId::main());
        lanes.push(lanes[1].child(&step("settle"), "a"));
        lanes.sort();
        let names: Vec<_> = lanes.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["", "each.0", "each.9", "each.9.settle.a", "each.10", "each.100"]);
    }
}
