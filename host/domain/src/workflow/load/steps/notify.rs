//! `notify: { template: return-done, to: customer }`

use crate::workflow::definition::{Kind, Notify};
use crate::workflow::load::messages;
use crate::workflow::load::step::Context;
use crate::workflow::reader::At;
use crate::workflow::schema;

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::NOTIFY)?;
    let template = fields.require("template").and_then(|at| at.slug());
    let to = fields.require("to").and_then(|at| at.slug());
    let channel = match fields.get("channel") {
        Some(at) => at.slug().map(|channel| channel.as_str().to_owned()),
        None => Some("email".to_owned()),
    };
    let template = template?;
    let message = messages::told(&context.head.messages, &template, &context.compiler);
    let to = to?.as_str().to_owned();
    Some(Kind::Notify(Notify { template, to, channel: channel?, message: message? }))
}
