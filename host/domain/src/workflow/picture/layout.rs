//! Where everything stands: layer below layer, each cell as near as possible to what it is tied to. Whole numbers only.

use crate::workflow::picture::Picture;
use crate::workflow::picture::order::{Cell, Layers};
use crate::workflow::picture::wrap::{width, wrap};

/// The widest line of a box and of a label.
const BOX_TEXT_MAX: i64 = 230;
const LABEL_TEXT_MAX: i64 = 150;
/// The height of a line.
pub(super) const LINE: i64 = 16;
/// Between the edge of a box and its text.
const PADDING: i64 = 10;
/// Between two cells of a layer, and between two layers.
const GAP: i64 = 26;
const LAYER_GAP: i64 = 8;
/// The least height of a layer of labels, so that arrows have room to bend.
const PASS_HEIGHT: i64 = 22;
/// Above and below a label, for the arrow that comes out of it.
const ROOM: i64 = 16;
/// Around everything.
const MARGIN: i64 = 24;
/// Sweeps that move cells towards what they are tied to.
const SWEEPS: usize = 12;

/// A cell with its place; `x` and `y` are its middle and its top.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) cell: Cell,
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
    pub(super) height: i64,
    /// What is written in it.
    pub(super) lines: Vec<String>,
}

/// Everything with its place.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) placed: Vec<Placed>,
    /// For each way its cells from top to bottom.
    pub(super) chains: Vec<Vec<usize>>,
    pub(super) upwards: Vec<bool>,
    pub(super) width: i64,
    pub(super) height: i64,
}

pub(super) fn layout(picture: &Picture) -> Layout {
    let layers = Layers::of(picture);
    let mut placed: Vec<Placed> = layers.cells.iter().map(|cell| sized(picture, *cell)).collect();
    let height = rows(&layers, &mut placed);
    columns(&layers, &mut placed);
    let least = placed.iter().map(|one| one.x - one.width / 2).min().unwrap_or(0);
    for one in &mut placed {
        one.x += MARGIN - least;
    }
    let width = placed.iter().map(|one| one.x + one.width / 2).max().unwrap_or(0) + MARGIN;
    Layout { placed, chains: layers.chains, upwards: layers.upwards, width, height }
}

fn sized(picture: &Picture, cell: Cell) -> Placed {
    let lines = match cell {
        Cell::Box(place) => picture.boxes[place].lines().iter().flat_map(|line| wrap(line, BOX_TEXT_MAX)).collect(),
        Cell::Pass { way, label: true } => {
            picture.ways[way].label.as_ref().map(|label| wrap(label, LABEL_TEXT_MAX)).unwrap_or_default()
        }
        Cell::Pass { label: false, .. } => Vec::new(),
    };
    let widest = lines.iter().map(|line| width(line)).max().unwrap_or(0);
    // The first line of a box is bold and a little larger.
    let name = lines.first().map_or(0, |line| width(line) * 6 / 5);
    let count = i64::try_from(lines.len()).unwrap_or(0);
    let (width, height) = match cell {
        Cell::Box(_) => (widest.max(name) + 3 * PADDING, count * LINE + 2 * PADDING),
        Cell::Pass { .. } => (widest.max(4), (count * LINE + ROOM).max(PASS_HEIGHT)),
    };
    Placed { cell, x: 0, y: 0, width, height, lines }
}

/// The top of every cell; the answer is the height of all.
fn rows(layers: &Layers, placed: &mut [Placed]) -> i64 {
    let mut top = MARGIN;
    for row in &layers.rows {
        let height = row.iter().map(|cell| placed[*cell].height).max().unwrap_or(0);
        for cell in row {
            let own = placed[*cell].height;
            match placed[*cell].cell {
                // Where a way passes beside boxes it takes the whole height, so that it is drawn straight.
                Cell::Pass { .. } => (placed[*cell].y, placed[*cell].height) = (top, height),
                Cell::Box(_) => placed[*cell].y = top + (height - own) / 2,
            }
        }
        top += height + LAYER_GAP;
    }
    top - LAYER_GAP + MARGIN
}

/// The middle of every cell.
fn columns(layers: &Layers, placed: &mut [Placed]) {
    for row in &layers.rows {
        let wanted = vec![0; row.len()];
        spread(row, &wanted, placed);
    }
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let mut order: Vec<&Vec<usize>> = layers.rows.iter().collect();
        if !down {
            order.reverse();
        }
        for row in order {
            let wanted: Vec<i64> = row.iter().map(|cell| middle(layers, placed, *cell, down)).collect();
            spread(row, &wanted, placed);
        }
    }
}

/// The middle of what a cell is tied to; where it is tied to nothing on that side, it stays.
fn middle(layers: &Layers, placed: &[Placed], cell: usize, down: bool) -> i64 {
    let ties = layers.ties(cell, down);
    let sum: i64 = ties.iter().map(|tie| placed[*tie].x).sum();
    i64::try_from(ties.len()).ok().filter(|count| *count > 0).map_or(placed[cell].x, |count| sum / count)
}

/// Put the cells of a layer as near as possible to where they want to be, in their order and with room between them. Neighbours that
/// would overlap are put side by side around the mean of what they want (pool adjacent violators).
fn spread(row: &[usize], wanted: &[i64], placed: &mut [Placed]) {
    let mut offset = 0;
    let mut offsets = Vec::with_capacity(row.len());
    for (place, cell) in row.iter().enumerate() {
        if place > 0 {
            offset += (placed[row[place - 1]].width + placed[*cell].width) / 2 + GAP;
        }
        offsets.push(offset);
    }
    // Each pool: the sum of what its members want without their offsets, and how many they are.
    let mut pools: Vec<(i64, i64)> = Vec::new();
    for (wanted, offset) in wanted.iter().zip(&offsets) {
        pools.push((wanted - offset, 1));
        while let [.., (sum, count), (next_sum, next_count)] = pools[..]
            && sum * next_count > next_sum * count
        {
            pools.pop();
            pools.pop();
            pools.push((sum + next_sum, count + next_count));
        }
    }
    let mut place = 0;
    for (sum, count) in pools {
        for _ in 0..count {
            placed[row[place]].x = sum.div_euclid(count) + offsets[place];
            place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::picture::tests::drawn;

    /// A document in which everything leads to everything below.
    fn tangled(steps: usize) -> Layout {
        let mut source = "steps:\n".to_owned();
        for step in 0..steps {
            let arms: String =
                (step + 1..=steps).map(|to| format!("{{ when: 'case.number == \"{to}\"', then: s{to} }}, ")).collect();
            source += &format!("  - {{ id: s{step}, decide: [{arms}] }}\n");
        }
        source += &format!("  - {{ id: s{steps}, finish: {{ result: done }} }}\n");
        layout(&drawn(&source))
    }

    #[test]
    fn nothing_stands_on_anything_else_and_all_is_in_the_frame() {
        let layout = tangled(9);
        for (place, a) in layout.placed.iter().enumerate() {
            assert!(a.x - a.width / 2 >= 0 && a.x + a.width / 2 <= layout.width, "{a:?}");
            assert!(a.y >= 0 && a.y + a.height <= layout.height, "{a:?}");
            for b in &layout.placed[place + 1..] {
                let apart =
                    (a.x - b.x).abs() * 2 >= a.width + b.width || a.y + a.height <= b.y || b.y + b.height <= a.y;
                assert!(apart, "{a:?}\n{b:?}");
            }
        }
    }

    #[test]
    fn a_chain_stands_in_one_line() {
        let source = "steps:\n  - { id: a, wait: { for: 1d } }\n  - { id: b, set: { x: 1 } }\n  - { id: c, finish: { result: d } }\n";
        let layout = layout(&drawn(source));
        assert!(layout.placed.windows(2).all(|pair| (pair[0].x - pair[1].x).abs() <= 1), "{:?}", layout.placed);
    }

    #[test]
    fn cells_that_want_the_same_place_stand_around_it() {
        let one = |width| Placed { cell: Cell::Box(0), x: 0, y: 0, width, height: 10, lines: Vec::new() };
        let mut placed = vec![one(20), one(20), one(20)];
        spread(&[0, 1, 2], &[100, 100, 300], &mut placed);
        assert_eq!([placed[0].x, placed[1].x, placed[2].x], [77, 123, 300]);
    }
}
