//! The picture for Graphviz.

use crate::workflow::picture::{Look, Picture, Sort};

pub(super) fn write(picture: &Picture) -> String {
    let mut out = format!(
        "digraph workflow {{\n  label={};\n  labelloc=t;\n  node [fontname=\"sans-serif\", fontsize=11, style=filled, fillcolor=white];\n  \
         edge [fontname=\"sans-serif\", fontsize=10];\n",
        quoted(&picture.title)
    );
    for (place, step) in picture.boxes.iter().enumerate() {
        let (shape, fill) = match step.look() {
            Look::Start => ("oval", "gray90"),
            Look::Choice => ("hexagon", "lemonchiffon"),
            Look::Person => ("box", "lightblue"),
            Look::Waiting => ("box", "lavender"),
            Look::Effect => ("box", "honeydew"),
            Look::Plain => ("box", "white"),
            Look::End => ("doubleoctagon", "gray90"),
        };
        out += &format!("  s{place} [shape={shape}, fillcolor={fill}, label={}];\n", quoted(&step.lines().join("\n")));
    }
    for way in &picture.ways {
        let colour = match way.sort {
            Sort::Done => "",
            Sort::Late => ", style=dashed, color=goldenrod4",
            Sort::Failed => ", style=dashed, color=firebrick",
            Sort::Skipped => ", style=dotted, color=gray50",
        };
        let label = quoted(way.label.as_deref().unwrap_or_default());
        out += &format!("  s{} -> s{} [label={label}{colour}];\n", way.from, way.to);
    }
    out + "}\n"
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
