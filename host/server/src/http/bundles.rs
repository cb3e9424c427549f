//! `POST /v1/bundles`: files that change together are published together.

use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body;
use super::problem::{Problem, ProblemBody};
use super::publishing::{note, refused};
use super::repeat::{Command, RawCommand};
use super::replay::Kept;
use super::tenancy::Tenant;
use super::wire::invalid;
use super::wire::publishing::RevisionView;
use crate::publish::bundle::{self, Bundle};
use crate::publish::suite::TestFile;
use crate::publish::way::{Answer, Way};
use crate::publish::workflows::Revision;

/// Bytes of a body: a folder of workflows and their tests, every letter of them escaped.
const BUNDLE_BYTES_MAX: usize = 4 << 20;
/// Files of one bundle.
const FILES_MAX: usize = 256;
/// Letters of a file's name.
const NAME_LETTERS_MAX: usize = 200;

/// Files that change together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishBundle {
    /// Workflows, and files with tests of them.
    #[schema(min_items = 1, max_items = 256)]
    files: Vec<BundleFile>,
    /// Why, in a few words.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
}

/// A file of a bundle.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleFile {
    /// Its name; one that ends in `.test.yaml` holds tests.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Its text, in YAML.
    source: String,
}

/// What was published together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bundle)]
pub struct BundleView {
    /// The revisions that are active now, in the order of the workflows' files.
    revisions: Vec<RevisionView>,
}

/// Publish several workflows and their tests: all of them become active in one commit, or none.
///
/// Every workflow is checked with the others beside it: an overlay may extend `NAME@bundle`, which is the one of this bundle. A file that is wrong,
/// or whose tests fail, keeps all of them out; every problem of every file is told with the file's name. What is active already is
/// left alone.
#[utoipa::path(
    post, path = "/v1/bundles", operation_id = "bundle.publish", tag = "workflows",
    request_body = PublishBundle,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = BundleView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "bundle.publish", skip_all)]
pub(super) async fn publish(
    tenant: Tenant,
    RawCommand(Command { body: raw, repeat, guard }): RawCommand<BUNDLE_BYTES_MAX>,
) -> Result<Response, Problem> {
    let body: PublishBundle = body::parse(&raw.headers, &raw.bytes)?;
    let (note, by, files) = (note(body.note)?, tenant.caller.actor(), files(body.files)?);
    let kept = tenant.read(move |engine| {
        let document = |all: &Vec<Revision>| told(all).text();
        let answer = repeat.map(|repeat| Answer { repeat, document: &document });
        let (parts, tests) = bundle::parts(files, &Way::Api);
        let published = bundle::publish(engine, &Bundle { parts: &parts, tests: &tests, note: &note, by: &by, answer });
        drop(guard);
        published.map(|all| told(&all)).map_err(|error| refused(error, ""))
    });
    Ok(kept.await?.into_response())
}

fn told(all: &[Revision]) -> Kept {
    Kept::done(&BundleView { revisions: all.iter().map(RevisionView::from).collect() })
}

fn files(given: Vec<BundleFile>) -> Result<Vec<TestFile>, Problem> {
    if !(1..=FILES_MAX).contains(&given.len()) {
        return Err(invalid("/files", format!("a bundle has 1 to {FILES_MAX} files")));
    }
    let mut files: Vec<TestFile> = Vec::new();
    for (place, BundleFile { name, source }) in given.into_iter().enumerate() {
        let at = format!("/files/{place}/name");
        if !(1..=NAME_LETTERS_MAX).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(invalid(at, format!("a name has 1 to {NAME_LETTERS_MAX} letters on one line")));
        }
        if files.iter().any(|file| file.name == name) {
            return Err(invalid(at, "two files have this name"));
        }
        files.push(TestFile { name, source });
    }
    Ok(files)
}
