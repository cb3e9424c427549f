//! The picture as SVG: one file that needs nothing else.

use std::fmt::Write as _;

use crate::workflow::picture::layout::{LINE, Layout, Placed, layout};
use crate::workflow::picture::order::Cell;
use crate::workflow::picture::{Look, Picture, Step, Way};

const STYLE: &str = "\
text{font:12px system-ui,'Segoe UI','Helvetica Neue','Noto Sans CJK SC','PingFang SC',sans-serif;fill:#1c2733;text-anchor:middle}
.name{font-weight:600;font-size:13px}.label{font-size:11px;fill:#3c4a5a}.back{fill:#ffffff}
.box{stroke:#5b6b7d;stroke-width:1.2;fill:#f4f6f8}.start{fill:#1c2733;stroke:#1c2733}.start+text{fill:#ffffff}
.choice{fill:#fff6da;stroke:#b58900}.person{fill:#e4efff;stroke:#2f6fc4}.waiting{fill:#f0e9fb;stroke:#7b55b8}
.effect{fill:#e3f5e6;stroke:#2f8a4a}.end{fill:#e7eaee;stroke:#1c2733;stroke-width:2}
.way{fill:none;stroke:#5b6b7d;stroke-width:1.3}.late{stroke:#b58900;stroke-dasharray:6 4}
.failed{stroke:#c0392b;stroke-dasharray:6 4}.skipped{stroke:#8895a3;stroke-dasharray:2 4}";

pub(super) fn write(picture: &Picture) -> String {
    let layout = layout(picture);
    let (width, height) = (layout.width, layout.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto-start-reverse\">\
         <path d=\"M0 0.5 L8 4 L0 7.5 z\" fill=\"#5b6b7d\"/></marker></defs>\n\
         <rect class=\"back\" width=\"{width}\" height=\"{height}\"/>\n",
        escaped(&picture.title)
    );
    for (place, way) in picture.ways.iter().enumerate() {
        out += &arrow(&layout, place, way);
    }
    for one in &layout.placed {
        match one.cell {
            Cell::Box(place) => out += &boxed(one, &picture.boxes[place]),
            Cell::Pass { way, label: true } => out += &label(one, picture.ways[way].label.as_deref()),
            Cell::Pass { label: false, .. } => {}
        }
    }
    out + "</svg>\n"
}

/// From the lower edge of one box through every cell that it passes to the upper edge of the other.
fn arrow(layout: &Layout, place: usize, way: &Way) -> String {
    let [first, passes @ .., last] = &layout.chains[place][..] else { return String::new() };
    let (top, bottom) = (&layout.placed[*first], &layout.placed[*last]);
    let (mut x, mut y) = (port(layout, place, *first), top.y + top.height);
    let mut path = format!("M{x} {y}");
    let mut bend = |to_x: i64, to_y: i64, path: &mut String| {
        let half = (y + to_y) / 2;
        // Writing into a text cannot fail.
        let _ = write!(path, " C{x} {half} {to_x} {half} {to_x} {to_y}");
        (x, y) = (to_x, to_y);
    };
    for pass in passes {
        let cell = &layout.placed[*pass];
        bend(cell.x, cell.y, &mut path);
        bend(cell.x, cell.y + cell.height, &mut path);
    }
    bend(bottom.x, bottom.y, &mut path);
    let tip = if layout.upwards[place] { "marker-start" } else { "marker-end" };
    format!("<path class=\"way {}\" d=\"{path}\" {tip}=\"url(#tip)\"/>\n", way.sort.word())
}

/// Ways that leave a box stand side by side at its lower edge, in the order of where they go.
fn port(layout: &Layout, place: usize, cell: usize) -> i64 {
    let next = |chain: &Vec<usize>| chain.get(1).map_or(0, |next| layout.placed[*next].x);
    let mut leaving: Vec<(i64, usize)> = layout
        .chains
        .iter()
        .enumerate()
        .filter(|(_, chain)| chain.first() == Some(&cell))
        .map(|(way, chain)| (next(chain), way))
        .collect();
    leaving.sort_unstable();
    let whole = |count: usize| i64::try_from(count).unwrap_or(0);
    let mine = whole(leaving.iter().position(|(_, way)| *way == place).unwrap_or(0));
    let (from, count) = (&layout.placed[cell], whole(leaving.len()));
    // Together they take half of the edge.
    from.x + (2 * mine + 1 - count) * from.width / (4 * count.max(1))
}

fn boxed(one: &Placed, step: &Step) -> String {
    let (left, top, width, height) = (one.x - one.width / 2, one.y, one.width, one.height);
    let class = match step.look() {
        Look::Start => "start",
        Look::Choice => "choice",
        Look::Person => "person",
        Look::Waiting => "waiting",
        Look::Effect => "effect",
        Look::Plain => "plain",
        Look::End => "end",
    };
    let round = match step.look() {
        Look::Start | Look::End => height / 2,
        Look::Choice => 2,
        _ => 7,
    };
    let tooltip = escaped(&step.lines().join("\n"));
    let shape = format!(
        "<rect class=\"box {class}\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>"
    );
    format!("<g><title>{tooltip}</title>{shape}{}</g>\n", text(one, "name", step.lines().len()))
}

fn label(one: &Placed, label: Option<&str>) -> String {
    let Some(label) = label else { return String::new() };
    let count = i64::try_from(one.lines.len()).unwrap_or(0);
    let (left, top) = (one.x - one.width / 2, one.y + (one.height - count * LINE) / 2);
    let back =
        format!("<rect class=\"back\" x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\"/>", one.width, count * LINE);
    format!("<g><title>{}</title>{back}{}</g>\n", escaped(label), text(one, "label", 0))
}

/// The lines in the middle of a cell; the first is a name where there are others below it.
fn text(one: &Placed, class: &str, parts: usize) -> String {
    let count = i64::try_from(one.lines.len()).unwrap_or(0);
    let mut y = one.y + (one.height - count * LINE) / 2 + LINE - 4;
    let mut spans = String::new();
    for (place, line) in one.lines.iter().enumerate() {
        let class = if place > 0 && parts > 1 { "" } else { class };
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        // Writing into a text cannot fail.
        let _ = write!(spans, "<tspan x=\"{}\" y=\"{y}\"{class}>{}</tspan>", one.x, escaped(line));
        y += LINE;
    }
    format!("<text>{spans}</text>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
