//! Layers of cells and the order in each: which box stands above which, and as few crossing arrows as a few sweeps find.

use std::collections::BTreeSet;

use crate::workflow::picture::Picture;

/// Sweeps over all layers, down and up in turn. More find little.
const SWEEPS: usize = 24;

/// What stands in a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// The box at this place.
    Box(usize),
    /// Where the way at this place passes; the first of a way holds its label.
    Pass {
        /// The way.
        way: usize,
        /// Whether the label stands here.
        label: bool,
    },
}

/// Cells in layers from top to bottom.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// All cells.
    pub(super) cells: Vec<Cell>,
    /// The layer of each cell.
    pub(super) layer_of: Vec<usize>,
    /// The cells of each layer from left to right.
    pub(super) rows: Vec<Vec<usize>>,
    /// For each way its cells from top to bottom, the two boxes included; nothing for a way from a box to itself.
    pub(super) chains: Vec<Vec<usize>>,
    /// Whether a way is drawn upwards: from the last of its cells to the first.
    pub(super) upwards: Vec<bool>,
    /// What each cell is tied to in the layer above, and in the one below.
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
}

impl Layers {
    /// Put the boxes and ways of a picture into layers.
    pub(super) fn of(picture: &Picture) -> Self {
        let upwards = upwards(picture);
        let ranks = ranks(picture, &upwards);
        let mut layers = Self { upwards, ..Self::default() };
        for (place, rank) in ranks.iter().enumerate() {
            layers.cell(Cell::Box(place), rank * 2);
        }
        for (place, way) in picture.ways.iter().enumerate() {
            let up = layers.upwards[place];
            let (top, bottom) = if up { (way.to, way.from) } else { (way.from, way.to) };
            let mut chain = vec![top];
            let passes = ranks[top] * 2 + 1..ranks[bottom] * 2;
            let labelled = if up { passes.end.saturating_sub(1) } else { passes.start };
            for layer in passes {
                chain.push(layers.cell(Cell::Pass { way: place, label: layer == labelled }, layer));
            }
            chain.push(bottom);
            layers.chains.push(if top == bottom { Vec::new() } else { chain });
        }
        layers.tie();
        layers.sort();
        layers
    }

    fn cell(&mut self, cell: Cell, layer: usize) -> usize {
        self.cells.push(cell);
        self.layer_of.push(layer);
        if self.rows.len() <= layer {
            self.rows.resize_with(layer + 1, Vec::new);
        }
        self.cells.len() - 1
    }

    /// Tie the cells, and put each layer into the order in which a walk from the first box comes by.
    fn tie(&mut self) {
        self.above = vec![Vec::new(); self.cells.len()];
        self.below = vec![Vec::new(); self.cells.len()];
        for chain in &self.chains {
            for pair in chain.windows(2) {
                self.below[pair[0]].push(pair[1]);
                self.above[pair[1]].push(pair[0]);
            }
        }
        let mut seen = BTreeSet::new();
        for start in 0..self.cells.len() {
            let mut waiting = vec![start];
            while let Some(cell) = waiting.pop() {
                if seen.insert(cell) {
                    self.rows[self.layer_of[cell]].push(cell);
                    waiting.extend(self.below[cell].iter().rev());
                }
            }
        }
    }

    /// Sweep down and up, and keep the best order that was found.
    fn sort(&mut self) {
        let mut best = (self.crossings(), self.rows.clone());
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            let layers: Vec<usize> = if down {
                (1..self.rows.len()).collect()
            } else {
                (0..self.rows.len().saturating_sub(1)).rev().collect()
            };
            for layer in layers {
                self.sort_row(layer, down);
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.rows.clone());
            }
        }
        self.rows = best.1;
    }

    /// Each cell as near as possible to the middle of those that it is tied to.
    fn sort_row(&mut self, layer: usize, down: bool) {
        let fixed = if down { layer - 1 } else { layer + 1 };
        let places = self.places(fixed);
        let ties = if down { &self.above } else { &self.below };
        let row = self.rows[layer].iter().enumerate();
        let mut keyed: Vec<(usize, usize)> = row
            .map(|(now, cell)| {
                let ties = &ties[*cell];
                let sum: usize = ties.iter().map(|tie| places[*tie]).sum();
                (if ties.is_empty() { now * 1_000 } else { sum * 1_000 / ties.len() }, *cell)
            })
            .collect();
        keyed.sort_by_key(|(middle, _)| *middle);
        self.rows[layer] = keyed.into_iter().map(|(_, cell)| cell).collect();
    }

    /// The place of each cell of a layer in it, by cell.
    fn places(&self, layer: usize) -> Vec<usize> {
        let mut places = vec![0; self.cells.len()];
        for (place, cell) in self.rows[layer].iter().enumerate() {
            places[*cell] = place;
        }
        places
    }

    fn crossings(&self) -> usize {
        (1..self.rows.len()).map(|layer| self.crossings_above(layer)).sum()
    }

    /// Pairs of ties that cross on their way into a layer: inversions of their lower ends in the order of their upper ones.
    fn crossings_above(&self, layer: usize) -> usize {
        let places = self.places(layer);
        let (mut seen, mut count) = (Vec::<usize>::new(), 0);
        for cell in &self.rows[layer - 1] {
            let mut ends: Vec<usize> = self.below[*cell].iter().map(|end| places[*end]).collect();
            ends.sort_unstable();
            for end in &ends {
                count += seen.len() - seen.partition_point(|before| before <= end);
            }
            for end in ends {
                let at = seen.partition_point(|before| *before <= end);
                seen.insert(at, end);
            }
        }
        count
    }

    /// The cells that a cell is tied to in the layer above or below.
    pub(super) fn ties(&self, cell: usize, above: bool) -> &[usize] {
        if above { &self.above[cell] } else { &self.below[cell] }
    }
}

/// Which ways close a circle: they are drawn upwards.
fn upwards(picture: &Picture) -> Vec<bool> {
    let mut upwards = vec![false; picture.ways.len()];
    let mut state = vec![Walk::Unseen; picture.boxes.len()];
    for start in 0..picture.boxes.len() {
        visit(picture, start, &mut state, &mut upwards);
    }
    upwards
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    Unseen,
    Open,
    Done,
}

/// Recursive: a document has at most a few hundred steps.
fn visit(picture: &Picture, at: usize, state: &mut [Walk], upwards: &mut [bool]) {
    if state[at] != Walk::Unseen {
        return;
    }
    state[at] = Walk::Open;
    for (place, way) in picture.ways.iter().enumerate().filter(|(_, way)| way.from == at) {
        match state[way.to] {
            Walk::Open => upwards[place] = true,
            _ => visit(picture, way.to, state, upwards),
        }
    }
    state[at] = Walk::Done;
}

/// How far below the start each box stands: under all that lead to it.
fn ranks(picture: &Picture, upwards: &[bool]) -> Vec<usize> {
    let mut ranks = vec![0; picture.boxes.len()];
    let down: Vec<(usize, usize)> =
        picture.ways.iter().zip(upwards).filter(|(_, up)| !**up).map(|(way, _)| (way.from, way.to)).collect();
    // Without circles the longest way has fewer steps than there are boxes.
    for _ in 0..picture.boxes.len() {
        let mut moved = false;
        for (from, to) in &down {
            if from != to && ranks[*to] <= ranks[*from] {
                ranks[*to] = ranks[*from] + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::picture::{Sort, Step, Way};

    fn picture(count: usize, ways: &[(usize, usize)]) -> Picture {
        let step = |place: usize| Step {
            id: format!("s{place}"),
            kind: "set".to_owned(),
            title: None,
            about: None,
            when: None,
            inside: Vec::new(),
        };
        let way = |(from, to): &(usize, usize)| Way { from: *from, to: *to, label: None, sort: Sort::Done };
        Picture { title: String::new(), boxes: (0..count).map(step).collect(), ways: ways.iter().map(way).collect() }
    }

    #[test]
    fn a_box_stands_below_all_that_lead_to_it() {
        let layers = Layers::of(&picture(4, &[(0, 1), (1, 2), (0, 3), (2, 3)]));
        assert_eq!(layers.layer_of[..4], [0, 2, 4, 6]);
        assert_eq!(layers.chains[2].len(), 7, "a long way passes every layer between");
    }

    #[test]
    fn arrows_that_need_not_cross_do_not() {
        let layers = Layers::of(&picture(6, &[(0, 1), (0, 2), (1, 4), (2, 3), (3, 5), (4, 5)]));
        assert_eq!(layers.crossings(), 0);
    }

    #[test]
    fn a_way_back_is_drawn_upwards_and_one_to_itself_not_at_all() {
        let layers = Layers::of(&picture(3, &[(0, 1), (1, 2), (2, 1), (2, 2)]));
        assert_eq!(layers.upwards, [false, false, true, true]);
        assert!(layers.chains[3].is_empty());
        assert_eq!(layers.layer_of[..3], [0, 2, 4]);
    }
}
