//! `notify: { template: return-done, to: customer }`

use crate::ids::Slug;
use crate::workflow::definition::{Kind, Notify};
use crate::workflow::load::messages;
use crate::workflow::load::step::Context;
use crate::workflow::reader::At;
use crate::workflow::schema;
use crate::workflow::yaml;

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::NOTIFY)?;
    let template = fields.require("template").and_then(|at| at.slug());
    let to = fields.require("to").and_then(|at| recipient(&at));
    let channel = match fields.get("channel") {
        Some(at) => at.slug().map(|channel| channel.as_str().to_owned()),
        None => Some("email".to_owned()),
    };
    let template = template?;
    let message = messages::told(&context.head.messages, &template, &context.compiler);
    let to = to?.as_str().to_owned();
    Some(Kind::Notify(Notify { template, to, channel: channel?, message: message? }))
}

fn recipient(at: &At<'_>) -> Option<Slug> {
    match &at.node().kind {
        yaml::Kind::List(_) => {
            let help = "one step tells one of them: take a step for each";
            at.refuse_with("wrong_type", "expected whom to tell, found a list", help)
        }
        yaml::Kind::Scalar(scalar) if scalar.text.contains('@') => {
            let help = "`customer`, or a queue: no address stands in a workflow";
            at.refuse_with("bad_name", format!("{:?} is an address", scalar.text), help)
        }
        _ => at.slug(),
    }
}
