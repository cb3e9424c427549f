//! `finish: { result: refunded }` and `fail: { code: lost }`

use crate::workflow::definition::Kind;
use crate::workflow::reader::At;
use crate::workflow::schema;

pub(super) fn finish(body: &At<'_>) -> Option<Kind> {
    let result = body.fields(&schema::FINISH)?.require("result")?.slug()?;
    Some(Kind::Finish { result })
}

pub(super) fn fail(body: &At<'_>) -> Option<Kind> {
    let code = body.fields(&schema::FAIL)?.require("code")?.slug()?;
    Some(Kind::Fail { code })
}
