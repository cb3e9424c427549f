//! `redress workflow graph`: the process as a picture.

use clap::ValueEnum;
use redress_domain::workflow::picture::{Picture, Way};
use serde_json::{Value as Json, json};

use super::text::Reader;
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow graph return.yaml > return.svg
  redress workflow graph return.yaml --format mermaid
  redress workflow graph return.yaml --format dot | dot -Tpng -o return.png
  redress workflow graph online-retail-return --tenant shop --data data > return.svg
  redress workflow graph return --server https://redress.example --key-file viewer.key > return.svg
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A file, or a workflow by its name, with @ and a number or the beginning of a hash for another revision than the active one.
    /// A file need not be valid yet.
    #[arg(value_name = "FILE|NAME")]
    what: String,
    /// The form of the picture.
    #[arg(long, value_enum, default_value_t = Form::Svg)]
    format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A picture that every browser shows.
    Svg,
    /// For Mermaid.
    Mermaid,
    /// For Graphviz.
    Dot,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let reader = Reader::new(at);
    let text = reader.read(&args.what)?;
    let Some(picture) = Picture::of(&reader.whole(&text)?) else {
        let help = "a picture needs `steps` that can be read: redress workflow check says what is wrong";
        return Err(Error::Document {
            code: "workflow_invalid",
            file: text.name,
            count: 1,
            problems: Vec::new(),
            help,
        });
    };
    match at.format() {
        Format::Table => out.data(&match args.format {
            Form::Svg => picture.svg(),
            Form::Mermaid => picture.mermaid(),
            Form::Dot => picture.dot(),
        }),
        Format::Json => out.json(&json(&picture)),
        Format::Csv => Err(Error::Form { command: "a picture", form: "csv", help: "use --format, or --output json" }),
    }
}

fn json(picture: &Picture) -> Json {
    let way = |way: &Way| {
        let name = |place: usize| &picture.boxes[place].id;
        json!({ "from": name(way.from), "to": name(way.to), "on": way.label, "sort": way.sort.word() })
    };
    json!({
        "title": picture.title,
        "steps": picture.boxes.iter().map(|step| json!({
            "id": step.id, "kind": step.kind, "title": step.title, "about": step.about, "when": step.when, "inside": step.inside,
        })).collect::<Vec<_>>(),
        "ways": picture.ways.iter().map(way).collect::<Vec<_>>(),
    })
}
