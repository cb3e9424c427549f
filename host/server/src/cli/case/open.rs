//! `redress case open`: a new case.

use serde_json::{Map, Value as Json, json};

use crate::cli::Global;
use crate::cli::door::{Door, part};
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::words::{clean, guessed, pair, typed};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress case open return --customer c1 --order 1001 --line A1=2 --tenant shop --data data
  redress case open --workflow stock-count --input shelf=A7 --server http://127.0.0.1:7373 --key-file desk1.key
  redress case open complaint --customer c1 --reason late --attribute urgent=true --tenant shop --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The type of case; that of the trigger where a workflow is named.
    #[arg(required_unless_present = "workflow")]
    kind: Option<String>,
    /// Under this workflow, which says who may start it; it is not looked for by its conditions.
    #[arg(long, value_name = "NAME")]
    workflow: Option<String>,
    /// An input of the workflow, as NAME=VALUE; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, requires = "workflow")]
    input: Vec<(String, String)>,
    /// Whose case it is.
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// The order that it is about.
    #[arg(long, value_name = "NUMBER")]
    order: Option<String>,
    /// Why: a code of the merchant.
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// The legal basis that the customer claims.
    #[arg(long, value_name = "CODE")]
    claim: Option<String>,
    /// An item, as SKU or SKU=UNITS; may be given several times.
    #[arg(long, value_name = "SKU=UNITS", value_parser = line)]
    line: Vec<(String, u32)>,
    /// A field of the merchant's own, as NAME=VALUE; `true`, `false` and whole numbers are read as such.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    attribute: Vec<(String, String)>,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let door = at.door()?;
    let mut body = json!({ "lines": args.line.iter().map(|(sku, units)| json!({ "sku": sku, "quantity": units })).collect::<Vec<_>>() });
    for (name, value) in [
        ("kind", &args.kind),
        ("workflow", &args.workflow),
        ("order", &args.order),
        ("reason", &args.reason),
        ("claim", &args.claim),
    ] {
        if let Some(value) = value {
            body[name] = json!(value);
        }
    }
    if let Some(customer) = &args.customer {
        body["customer"] = json!({ "id": customer });
    }
    if !args.attribute.is_empty() {
        body["attributes"] = args.attribute.iter().map(|(name, text)| (name.clone(), guessed(text))).collect();
    }
    if let (Some(workflow), false) = (&args.workflow, args.input.is_empty()) {
        body["inputs"] = Json::Object(inputs(&door, workflow, &args.input)?);
    }
    let case = door.post("/v1/cases", &body)?;
    if at.format() == Format::Json {
        return out.json(&case);
    }
    let text = |name: &str| clean(case[name].as_str().unwrap_or_default());
    let end = if case["result"].is_string() { format!(": {}", text("result")) } else { String::new() };
    out.say(&format!("case {} is {}{end}", text("number"), text("status")));
    Ok(())
}

/// Each input as what the workflow asks for. What it does not ask for goes as it is: the host says so.
fn inputs(door: &Door, workflow: &str, given: &[(String, String)]) -> Result<Map<String, Json>, Error> {
    let view = door.get(&format!("/v1/workflows/{}", part(workflow)))?;
    let triggers = view["triggers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let declared: Vec<&Json> = triggers.iter().filter(|one| one["by"] == "manual").collect();
    let kind = |name: &str| {
        let inputs = declared.iter().filter_map(|one| one["inputs"].as_array()).flatten();
        let found = inputs.clone().find(|input| input["name"] == name);
        found.and_then(|input| input["type"].as_str()).map(str::to_owned)
    };
    Ok(given.iter().map(|(name, text)| (name.clone(), typed(text, kind(name).as_deref()))).collect())
}

fn line(text: &str) -> Result<(String, u32), String> {
    let Some((sku, units)) = text.rsplit_once('=') else { return Ok((text.to_owned(), 1)) };
    let units = units.parse().ok().filter(|units| *units > 0);
    units.map(|units| (sku.to_owned(), units)).ok_or_else(|| format!("{text:?} is no SKU=UNITS"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_a_stock_code_with_units() {
        assert_eq!((line("A1"), line("A1=3")), (Ok(("A1".to_owned(), 1)), Ok(("A1".to_owned(), 3))));
        assert!(line("A1=0").is_err() && line("A1=x").is_err());
    }
}
