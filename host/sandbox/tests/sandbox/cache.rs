//! Compiled code on disk: used when its MAC is right, compiled again and reported when it is not.

use std::fs;
use std::path::{Path, PathBuf};

use redress_sandbox::{Config, Digest, Limits, Sandbox, Stats, cache};

use crate::guests::counting;
use crate::{ask, integer, load, patient, usual};

fn cached(dir: &Path, key: u8, limits: Limits) -> Sandbox {
    let cache = cache::Config { dir: dir.to_owned(), key: [key; 32] };
    Sandbox::new(Config { limits, cache: Some(cache), ..usual() }).unwrap()
}

/// A new sandbox over the folder, after it loaded and called the plugin.
fn stats_of_a_start(dir: &Path, key: u8) -> Stats {
    let sandbox = cached(dir, key, patient());
    assert_eq!(integer(ask(&sandbox, &counting())), 1);
    sandbox.stats()
}

fn artifacts(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn a_second_start_does_not_compile() {
    let dir = tempfile::tempdir().unwrap();
    let first = stats_of_a_start(dir.path(), 1);
    assert_eq!((first.compiled, first.cache_hits, first.cache_alarms), (1, 0, 0));
    let second = stats_of_a_start(dir.path(), 1);
    assert_eq!((second.compiled, second.cache_hits, second.cache_alarms), (0, 1, 0));
    assert_eq!(artifacts(dir.path()).len(), 1, "no temporary file is left");
}

#[test]
pub(crate) fn a_flipped_byte_anywhere_is_compiled_again_reported_and_mended() {
    let dir = tempfile::tempdir().unwrap();
    stats_of_a_start(dir.path(), 1);
    let path = artifacts(dir.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    for place in [0, 31, 32, whole.len() / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[place] ^= 0x40;
        fs::write(&path, flipped).unwrap();
        let stats = stats_of_a_start(dir.path(), 1);
        assert_eq!((stats.compiled, stats.cache_hits, stats.cache_alarms), (1, 0, 1), "byte {place}");
        assert_eq!(fs::read(&path).unwrap(), whole, "the artifact is written anew");
    }
}

#[test]
pub(crate) fn a_truncated_or_foreign_file_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    stats_of_a_start(dir.path(), 1);
    let path = artifacts(dir.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    for content in [&whole[..10], &whole[..whole.len() - 1], &whole[32..], b""] {
        fs::write(&path, content).unwrap();
        assert_eq!(stats_of_a_start(dir.path(), 1).cache_alarms, 1);
    }
}

#[test]
pub(crate) fn an_artifact_under_another_key_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    stats_of_a_start(dir.path(), 1);
    let stats = stats_of_a_start(dir.path(), 2);
    assert_eq!((stats.compiled, stats.cache_hits, stats.cache_alarms), (1, 0, 1));
}

#[test]
pub(crate) fn an_artifact_of_another_plugin_is_not_used_under_this_ones_name() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = cached(dir.path(), 1, patient());
    let digest = load(&sandbox, &counting());
    let other = load(&sandbox, &crate::guests::deny_all());
    let path_of = |digest: &Digest| {
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        artifacts(dir.path()).into_iter().find(|path| path.to_str().unwrap().contains(&name)).unwrap()
    };
    fs::copy(path_of(&other), path_of(&digest)).unwrap();
    let stats = stats_of_a_start(dir.path(), 1);
    assert_eq!((stats.compiled, stats.cache_hits, stats.cache_alarms), (1, 0, 1));
}

#[test]
pub(crate) fn an_artifact_of_an_engine_with_other_settings_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    stats_of_a_start(dir.path(), 1);
    let ours = artifacts(dir.path()).remove(0);
    let name = ours.file_name().unwrap().to_str().unwrap().to_owned();
    // The same plugin, as an interpreter is compiled: memories begin otherwise, and wasmtime alone would load it.
    let interpreter = dir.path().join("other");
    let config = cache::Config { dir: interpreter.clone(), key: [1; 32] };
    let limits = Limits { copy_on_write: true, ..patient() };
    let sandbox = Sandbox::new(Config { limits, cache: Some(config), ..usual() }).unwrap();
    load(&sandbox, &counting());
    let theirs = artifacts(&interpreter).remove(0);
    assert_ne!(theirs.file_name().unwrap().to_str().unwrap(), name);
    fs::copy(theirs, &ours).unwrap();
    fs::remove_dir_all(interpreter).unwrap();
    let stats = stats_of_a_start(dir.path(), 1);
    assert_eq!((stats.compiled, stats.cache_hits, stats.cache_alarms), (1, 0, 1));
}

#[cfg(unix)]
#[test]
fn the_folder_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("artifacts");
    fs::create_dir(&inside).unwrap();
    fs::set_permissions(&inside, fs::Permissions::from_mode(0o755)).unwrap();
    cached(&inside, 1, patient());
    assert_eq!(fs::metadata(&inside).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
pub(crate) fn a_folder_that_cannot_be_written_costs_only_the_cache() {
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("artifacts");
    let sandbox = cached(&inside, 1, patient());
    fs::remove_dir(&inside).unwrap();
    fs::write(&inside, b"a file where the folder was").unwrap();
    assert_eq!(integer(ask(&sandbox, &counting())), 1);
    assert_eq!(sandbox.stats().cache_write_failures, 1);
}

#[test]
fn the_key_is_not_shown() {
    let config = cache::Config { dir: "x".into(), key: [0xab; 32] };
    assert!(!format!("{config:?}").contains("171"));
}
