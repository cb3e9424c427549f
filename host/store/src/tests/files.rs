//! What only a file shows: creation, the lock, reopening, formats, the data folder with its key and objects.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use redb::Database;
use redress_domain::ids::{Digest, Slug, TenantId};
use tempfile::TempDir;

use super::world::*;
use crate::audit::{self, Verified};
use crate::batch::{Stream, Version};
use crate::error::OpenError;
use crate::file;
use crate::host::{Host, HostError, KEYS, Setting, Tenant};
use crate::host_key::HostKeyError;
use crate::objects::ObjectError;
use crate::tables::{FORMAT, Table, meta};
use crate::tenant::{Config, TenantStore, file_of};

fn create(folder: &Path) -> TenantStore {
    TenantStore::create(folder, tenant(), Config::default()).unwrap()
}

fn open(folder: &Path) -> Result<TenantStore, OpenError> {
    TenantStore::open(folder, tenant(), Config::default())
}

/// Change a closed file behind the store's back.
fn tamper(path: &Path, table: Table, key: &[u8], value: &[u8]) {
    let database = Database::open(path).unwrap();
    let txn = database.begin_write().unwrap();
    txn.open_table(table.definition()).unwrap().insert(key, value).unwrap();
    txn.commit().unwrap();
}

#[test]
fn everything_is_there_after_closing_and_opening() {
    let folder = TempDir::new().unwrap();
    let store = create(folder.path());
    store.append(taking(turn(case(1), 0), "A", 0)).unwrap();
    store.append(turn(case(1), 1)).unwrap();
    let head = store.read().unwrap().audit_head().unwrap();
    drop(store);

    let store = open(folder.path()).unwrap();
    assert_eq!(store.load_case(case(1)).unwrap().unwrap().version, Version(2));
    let now = store.read().unwrap();
    assert_eq!(now.head(&Stream::Ledger(order("A"))).unwrap().unwrap().bytes, b"ledger 1");
    assert_eq!(audit::verify(&now).unwrap(), Verified::Intact(head));
    store.append(turn(case(1), 2)).unwrap();
}

#[test]
fn what_is_queued_is_stored_before_the_last_handle_closes_the_file() {
    let folder = TempDir::new().unwrap();
    let store = create(folder.path());
    for seen in 0..50 {
        store.append_then(turn(case(1), seen), drop).unwrap();
    }
    drop(store);
    assert_eq!(open(folder.path()).unwrap().load_case(case(1)).unwrap().unwrap().version, Version(50));
}

#[test]
fn an_open_file_is_in_use_and_a_snapshot_outlives_its_store() {
    let folder = TempDir::new().unwrap();
    let store = create(folder.path());
    assert!(matches!(open(folder.path()), Err(OpenError::DataInUse { .. })));
    let snapshot = store.read().unwrap();
    drop(store);
    let again = open(folder.path()).unwrap();
    assert_eq!(again.load_case(case(1)).unwrap(), None);
    drop(snapshot);
}

#[test]
fn a_file_is_created_once_and_whole_beside_what_a_crash_left() {
    let folder = TempDir::new().unwrap();
    let half = file::temporary(&file_of(folder.path(), tenant())).unwrap();
    fs::write(&half, b"a crash in the middle of creating").unwrap();
    assert!(matches!(open(folder.path()), Err(OpenError::Missing { .. })));
    drop(create(folder.path()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half-made is left");
    let again = TenantStore::create(folder.path(), tenant(), Config::default());
    assert!(matches!(again, Err(OpenError::Exists { .. })));
}

#[test]
fn of_two_who_create_the_same_file_one_makes_it_and_the_other_hears_so() {
    let folder = TempDir::new().unwrap();
    let (path, late) = (folder.path().join("file"), folder.path().join("late"));
    fs::write(&path, b"first").unwrap();
    fs::write(&late, b"second").unwrap();
    let error = file::publish_new(&late, &path).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!((fs::read(&path).unwrap(), late.exists()), (bytes("first"), false));
}

#[test]
fn a_newer_format_a_foreign_database_and_another_tenants_file_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = file_of(folder.path(), tenant());
    drop(create(folder.path()));

    tamper(&path, Table::Meta, meta::FORMAT, &(FORMAT + 1).to_be_bytes());
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::NewerFormat { found, known: FORMAT, .. } if found == FORMAT + 1));
    assert_eq!(
        error.to_string(),
        format!("{} has format {}, this program knows up to {FORMAT}", path.display(), FORMAT + 1)
    );
    tamper(&path, Table::Meta, meta::FORMAT, &FORMAT.to_be_bytes());
    drop(open(folder.path()).unwrap());

    let other = TenantId::mint(at(5), 5);
    fs::copy(&path, file_of(folder.path(), other)).unwrap();
    let moved = TenantStore::open(folder.path(), other, Config::default());
    assert!(matches!(moved, Err(OpenError::WrongTenant { found, .. }) if found == tenant()));

    fs::remove_file(&path).unwrap();
    drop(Database::create(&path).unwrap());
    assert!(matches!(open(folder.path()), Err(OpenError::NotAStore { .. })));
    fs::write(&path, b"not a database at all").unwrap();
    assert!(matches!(open(folder.path()), Err(OpenError::Io { attempt: "opened", .. })));
}

fn slug(text: &str) -> Slug {
    Slug::new(text).unwrap()
}

#[test]
fn a_data_folder_keeps_tenants_settings_and_key_and_is_one_processs_own() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    assert!(matches!(Host::open(&data), Err(HostError::Open(OpenError::Missing { .. }))));
    let host = Host::open_or_create(&data, [7; 32]).unwrap();
    assert!(matches!(Host::open(&data), Err(HostError::Open(OpenError::DataInUse { .. }))));

    let shop = Tenant { id: tenant(), slug: slug("shop"), record: bytes("zone: Europe/London") };
    let store = host.create_tenant(&shop, Config::default(), None).unwrap();
    store.append(turn(case(1), 0)).unwrap();
    let namesake = Tenant { id: TenantId::mint(at(9), 9), ..shop.clone() };
    assert!(matches!(host.create_tenant(&namesake, Config::default(), None), Err(HostError::SlugTaken { .. })));
    host.update_tenant(shop.id, b"zone: UTC").unwrap();
    assert!(matches!(host.update_tenant(namesake.id, b""), Err(HostError::NoTenant { .. })));
    host.put_setting("allow", b"yes").unwrap();
    drop((store, host));

    let host = Host::open_or_create(&data, [9; 32]).unwrap();
    assert_eq!(host.key().bytes(), &[7; 32], "the key is made once");
    let found = host.tenant(&slug("shop")).unwrap().unwrap();
    assert_eq!((&found.id, &found.record[..]), (&shop.id, &b"zone: UTC"[..]));
    assert_eq!(host.tenants().unwrap(), [found]);
    assert_eq!(host.tenant(&slug("other")).unwrap(), None);
    assert_eq!(host.setting("allow").unwrap().as_deref(), Some(&b"yes"[..]));
    let store = host.open_tenant(shop.id, Config::default()).unwrap();
    assert_eq!(store.load_case(case(1)).unwrap().unwrap().version, Version(1));
}

#[test]
fn a_data_folder_keeps_the_keys_of_callers_and_never_gives_an_id_twice() {
    let folder = TempDir::new().unwrap();
    let host = Host::open_or_create(folder.path(), [7; 32]).unwrap();
    assert!(host.keys().unwrap().is_empty());
    assert!(host.new_key("k2", b"agent", None).unwrap());
    assert!(host.new_key("k1", b"admin", None).unwrap());
    assert!(!host.new_key("k2", b"admin", None).unwrap(), "the id is taken");
    host.put_key("k1", b"revoked").unwrap();
    host.put_key("k3", b"viewer").unwrap();
    drop(host);
    let kept = [("k1", "revoked"), ("k2", "agent"), ("k3", "viewer")];
    let kept = kept.map(|(id, record)| (id.to_owned(), bytes(record)));
    assert_eq!(Host::open(folder.path()).unwrap().keys().unwrap(), kept);
}

#[test]
fn what_is_written_beside_a_key_or_a_tenant_is_written_with_it_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let host = Host::open_or_create(folder.path(), [7; 32]).unwrap();
    let setting = |name: &str| Setting { name: name.to_owned(), value: name.as_bytes().to_vec() };
    let kept = |name: &str| host.setting(name).unwrap().is_some();
    assert!(host.new_key("k1", b"admin", Some(&setting("first"))).unwrap());
    assert!(!host.new_key("k1", b"agent", Some(&setting("second"))).unwrap());
    assert_eq!((kept("first"), kept("second")), (true, false));
    let shop = Tenant { id: tenant(), slug: slug("shop"), record: Vec::new() };
    drop(host.create_tenant(&shop, Config::default(), Some(&setting("third"))).unwrap());
    assert!(host.create_tenant(&shop, Config::default(), Some(&setting("fourth"))).is_err());
    assert_eq!((kept("third"), kept("fourth")), (true, false));
}

#[test]
fn settings_are_listed_by_their_prefix_page_by_page_and_deleted_by_name() {
    let folder = TempDir::new().unwrap();
    let host = Host::open_or_create(folder.path(), [7; 32]).unwrap();
    for name in ["a/2", "a/1", "a", "b/1", "a/3", "a0"] {
        host.put_setting(name, name.as_bytes()).unwrap();
    }
    let names = |behind: Option<&str>, max: usize| -> Vec<String> {
        host.settings("a/", behind, max).unwrap().into_iter().map(|one| one.name).collect()
    };
    assert_eq!(names(None, 2), ["a/1", "a/2"]);
    assert_eq!(names(Some("a/2"), 2), ["a/3"]);
    host.remove_settings(&["a/1".to_owned(), "a/2".to_owned(), "a/9".to_owned()]).unwrap();
    assert_eq!(names(None, 9), ["a/3"]);
    assert!(host.setting("a").unwrap().is_some() && host.setting("b/1").unwrap().is_some());
}

#[test]
fn a_key_that_was_unmade_leaves_its_id_to_another() {
    let folder = TempDir::new().unwrap();
    let host = Host::open_or_create(folder.path(), [7; 32]).unwrap();
    assert!(host.new_key("k1", b"admin", None).unwrap());
    host.remove_key("k1").unwrap();
    host.remove_key("k1").unwrap();
    assert!(host.keys().unwrap().is_empty());
    assert!(host.new_key("k1", b"agent", None).unwrap());
}

#[test]
fn of_many_who_want_the_same_id_of_a_key_one_gets_it() {
    let folder = TempDir::new().unwrap();
    let host = Host::open_or_create(folder.path(), [7; 32]).unwrap();
    let got: Vec<bool> = std::thread::scope(|scope| {
        let want = |n: u8| {
            scope.spawn({
                let host = &host;
                move || host.new_key("k", &[n], None).unwrap()
            })
        };
        let wanting: Vec<_> = (0..8).map(want).collect();
        wanting.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(got.iter().filter(|got| **got).count(), 1);
    let winner = got.iter().position(|got| *got).unwrap();
    assert_eq!(host.keys().unwrap(), [("k".to_owned(), vec![winner as u8])]);
}

#[test]
fn a_data_folder_from_before_there_were_keys_gets_their_table_when_it_is_opened() {
    let folder = TempDir::new().unwrap();
    let host = Host::open_or_create(folder.path(), [7; 32]).unwrap();
    host.put_setting("allow", b"yes").unwrap();
    drop(host);
    let path = folder.path().join("system.redb");
    let database = Database::open(&path).unwrap();
    let txn = database.begin_write().unwrap();
    assert!(txn.delete_table(KEYS).unwrap());
    txn.commit().unwrap();
    drop(database);
    tamper(&path, Table::Meta, meta::FORMAT, &1_u64.to_be_bytes());

    let host = Host::open(folder.path()).unwrap();
    assert!(host.keys().unwrap().is_empty());
    assert!(host.new_key("k1", b"admin", None).unwrap());
    assert_eq!(host.setting("allow").unwrap().as_deref(), Some(&b"yes"[..]));
    drop(host);
    assert_eq!(file::format(&Database::open(&path).unwrap()).unwrap(), Some(FORMAT));
    tamper(&path, Table::Meta, meta::FORMAT, &(FORMAT + 1).to_be_bytes());
    assert!(matches!(Host::open(folder.path()), Err(HostError::Open(OpenError::NewerFormat { .. }))));
}

#[test]
fn the_host_key_is_its_owners_alone() {
    let folder = TempDir::new().unwrap();
    drop(Host::open_or_create(folder.path(), [7; 32]).unwrap());
    let key = folder.path().join("host.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);

    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Host::open(folder.path()), Err(HostError::Key(HostKeyError::Exposed { .. }))));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&key, [7; 33]).unwrap();
    assert!(matches!(Host::open(folder.path()), Err(HostError::Key(HostKeyError::Malformed { .. }))));
    assert_eq!(format!("{:?}", Host::open_or_create(&folder.path().join("b"), [1; 32]).unwrap().key()), "HostKey(..)");
}

#[test]
fn an_object_is_what_its_name_says_or_refused_and_mended_by_putting_it_again() {
    let folder = TempDir::new().unwrap();
    let host = Host::open_or_create(folder.path(), [7; 32]).unwrap();
    let objects = host.objects();
    let digest = objects.put(b"\0asm").unwrap();
    assert_eq!(digest, Digest::of(b"\0asm"));
    assert_eq!(objects.get(digest).unwrap(), b"\0asm");
    assert!(matches!(objects.get(Digest::of(b"other")), Err(ObjectError::Missing { .. })));

    let name = digest.to_string();
    let path = folder.path().join("objects").join(&name[..2]).join(&name[2..]);
    fs::write(&path, b"\0bsm").unwrap();
    assert!(matches!(objects.get(digest), Err(ObjectError::Damaged { .. })));
    assert_eq!(objects.put(b"\0asm").unwrap(), digest);
    assert_eq!(objects.get(digest).unwrap(), b"\0asm");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing temporary is left");
}
