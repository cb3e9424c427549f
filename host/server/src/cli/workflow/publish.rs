//! `redress workflow publish`: make a file the workflow that new cases take.

use std::path::PathBuf;

use redress_domain::workflow::diagnostic;
use serde_json::json;

use super::asked;
use crate::cli::Global;
use crate::cli::door::Door;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::session::{actor, read_text};
use crate::cli::shown::{self, Column};
use crate::cli::workflow::test::files;
use crate::publish::suite::TestFile;
use crate::publish::way::Way;
use crate::publish::workflows::Publication;
use crate::publish::{self, workflows};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow publish return.yaml --tenant shop --data data
  redress workflow publish workflows/apparel --note \"two that change together\" --server http://127.0.0.1:7373
  redress workflow publish return.yaml --note \"30 days in January\" --tenant shop --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The file, or a folder whose workflows and tests are published together: all of them or none. One with problems, or whose tests fail (inside it, and in *.test.yaml beside it), changes nothing; one that is
    /// active already is not published twice.
    file: PathBuf,
    /// Why, in a few words.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    if args.file.is_dir() || at.server.is_some() {
        return together(args, at, out);
    }
    let text = read_text(&args.file)?;
    let session = at.session()?;
    let by = actor();
    let beside = files::beside(&args.file, &text)?;
    let publication = Publication { note: &args.note, beside: &beside, ..Publication::new(&text, &by, Way::Cli) };
    let revision = match workflows::publish(&session.engine, &publication) {
        Ok(revision) => revision,
        Err(publish::Error::Invalid(problems)) => {
            let help = "nothing was changed: the active revision stays";
            return Err(Error::document("workflow_invalid", &args.file, &text, &problems, help));
        }
        Err(publish::Error::Tests(failed)) => return Err(Error::failed_tests(&args.file, &text, &failed)),
        Err(error) => return Err(error.into()),
    };
    // What is worth a second look is said beside; it was published all the same.
    if let Ok(definition) = session.engine.registry().definition(revision.revision) {
        let name = args.file.display().to_string();
        definition.warnings.iter().for_each(|one| out.say(diagnostic::render(&name, &text, one).trim_end()));
    }
    let actives = workflows::actives(&session.engine)?;
    super::listing(&session.engine, &[revision], &actives).print(at.format(), out)
}

const PUBLISHED: [Column; 4] = [
    Column::text("workflow", "/workflow"),
    Column::text("number", "/number"),
    Column::digest("revision", "/revision"),
    Column::text("note", "/note"),
];

/// A folder, or a file with the tests beside it: published together, through a host or on the data folder.
fn together(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let files = files::together(&args.file)?;
    let file = |file: &TestFile| json!({ "name": file.name, "source": file.source });
    let body = json!({ "files": files.iter().map(file).collect::<Vec<_>>(), "note": args.note });
    let door = at.door()?;
    let published = door.post("/v1/bundles", &body)?;
    files.iter().try_for_each(|file| warn(&door, file, out))?;
    if at.format() == Format::Json {
        return out.json(&published);
    }
    let rows = published["revisions"].as_array().cloned().unwrap_or_default();
    shown::rows(&PUBLISHED, &rows).print(at.format(), out)
}

/// What is worth a second look in a workflow that was published, as the host tells it. One that extends another file is told with it.
fn warn(door: &Door, file: &TestFile, out: &mut Out<'_>) -> Result<(), Error> {
    if file.tests_for().is_some() {
        return Ok(());
    }
    let found = door.post("/v1/workflows/validate", &json!({ "source": file.source }))?;
    if found["valid"] == true {
        let warnings = asked::problems(&file.source, &found["problems"]);
        warnings.iter().for_each(|one| out.say(diagnostic::render(&file.name, &file.source, one).trim_end()));
    }
    Ok(())
}
