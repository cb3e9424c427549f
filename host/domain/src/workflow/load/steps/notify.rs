//! `notify: { template: return-done, to: customer }`

use crate::workflow::definition::Kind;
use crate::workflow::reader::At;
use crate::workflow::schema;

pub(super) fn load(body: &At<'_>) -> Option<Kind> {
    let fields = body.fields(&schema::NOTIFY)?;
    let template = fields.require("template").and_then(|at| at.slug());
    let to = fields.require("to").and_then(|at| at.slug());
    let channel = match fields.get("channel") {
        Some(at) => at.slug().map(|channel| channel.as_str().to_owned()),
        None => Some("email".to_owned()),
    };
    Some(Kind::Notify { template: template?, to: to?.as_str().to_owned(), channel: channel? })
}
