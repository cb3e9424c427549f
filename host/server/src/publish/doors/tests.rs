//! The files with tests of one tenant: read with every look, handed in with the workflows that they test.

use std::collections::BTreeMap;

use redress_domain::ids::Digest;

use super::document;
use super::files::{self, Found};
use super::limits::{TESTS_BYTES_MAX, WORKFLOW_BYTES_MAX};
use crate::publish::suite::TestFile;

/// The files with tests that one look found.
#[derive(Debug, Default)]
pub(super) struct Tests(Vec<Test>);

#[derive(Debug)]
struct Test {
    file: TestFile,
    content: Digest,
}

impl Tests {
    /// Whether this is a file with tests, by its name.
    pub(super) fn are_in(file: &Found) -> bool {
        TestFile::is_named(&file.path)
    }

    /// Read those among what was found. What cannot be read is passed over: a workflow that it should be beside is refused by no
    /// file that nobody can read.
    pub(super) fn read(found: &[Found]) -> Self {
        let (mut tests, mut bytes) = (Vec::new(), 0);
        for file in found.iter().filter(|file| Self::are_in(file)) {
            let Ok(Ok(Some(read))) = file.file.as_ref().map(|path| files::read(path, WORKFLOW_BYTES_MAX)) else {
                continue;
            };
            bytes += read.len();
            if bytes > TESTS_BYTES_MAX {
                tracing::warn!(
                    "{} and what follows is not read: the files with tests are too large together",
                    file.path
                );
                break;
            }
            let content = Digest::of(&read);
            let file = TestFile { name: file.path.clone(), source: String::from_utf8_lossy(&read).into_owned() };
            tests.push(Test { content, file });
        }
        Self(tests)
    }

    /// What each of them holds.
    pub(super) fn contents(&self) -> BTreeMap<String, Digest> {
        self.0.iter().map(|test| (test.file.name.clone(), test.content)).collect()
    }

    /// Those that lie beside a workflow and test it.
    pub(super) fn beside(&self, path: &str, bytes: &[u8]) -> Vec<TestFile> {
        let Some(workflow) = str::from_utf8(bytes).ok().and_then(document::workflow) else { return Vec::new() };
        let is_beside =
            |test: &&Test| folder(&test.file.name) == folder(path) && test.file.tests_for().as_ref() == Some(&workflow);
        self.0.iter().filter(is_beside).map(|test| test.file.clone()).collect()
    }

    /// Whether a file held the same when it was looked at last.
    pub(super) fn rests(&self, path: &str, before: &BTreeMap<String, Digest>) -> bool {
        let now = self.0.iter().find(|test| test.file.name == path).map(|test| test.content);
        now.is_none_or(|now| before.get(path) == Some(&now))
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
