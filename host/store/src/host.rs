//! The data folder of a host: the system file, a file for each tenant, the objects, the host's key.
//!
//! ```text
//! system.redb             tenants, keys and settings; whoever holds its lock owns the folder
//! tenants/<id>.redb       one merchant each
//! objects/                plugin binaries and evidence by SHA-256
//! artifacts/              the sandbox's cache of compiled plugins; may be deleted at any time
//! host.key                32 bytes, mode 0600
//! ```

use std::fs;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use redress_domain::ids::{Slug, TenantId};

use crate::append::begin_durable;
use crate::error::{Fault, OpenError, ReadError};
use crate::file::{self, Layout};
use crate::host_key::{HostKey, HostKeyError};
use crate::keys::{Key, Parts};
use crate::limits::SYSTEM_CACHE_BYTES;
use crate::migrate;
use crate::objects::Objects;
use crate::tables::{Definition, FORMAT};
use crate::tenant::{Config, TenantStore};

/// tenant → slug text · record. Who is here; the slug is the name that people use.
const TENANTS: Definition = TableDefinition::new("tenants.1");
/// slug → tenant. Unique.
const TENANT_SLUGS: Definition = TableDefinition::new("tenant_slugs.1");
/// key id → record. The keys that callers name themselves by; the server keeps in a record what a key may do and how it is
/// recognised, never the key itself.
pub(crate) const KEYS: Definition = TableDefinition::new("keys.1");
/// name → value. Settings of the host.
const SETTINGS: Definition = TableDefinition::new("settings.1");

/// An open data folder. While it lives no other process can open it.
#[derive(Debug)]
pub struct Host {
    folder: PathBuf,
    system: Database,
    key: HostKey,
}

/// A merchant of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The immutable id: the file's name.
    pub id: TenantId,
    /// The name that people use.
    pub slug: Slug,
    /// Zone, currency and the like, in the server's bytes.
    pub record: Vec<u8>,
}

/// A setting that is written together with something else, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Vec<u8>,
}

/// Why a data folder, or a tenant in it, could not be had.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A file could not be created or opened.
    #[error("store could not be opened")]
    Open(#[from] OpenError),
    /// The host's key could not be had.
    #[error("host key could not be used")]
    Key(#[from] HostKeyError),
    /// The system file could not be read.
    #[error("system file could not be read")]
    Read(#[from] ReadError),
    /// The system file could not be written.
    #[error("system file could not be written")]
    Write(#[source] Fault),
    /// The slug has a tenant already.
    #[error("tenant {slug} exists already")]
    SlugTaken {
        /// The slug.
        slug: Slug,
    },
    /// There is no such tenant.
    #[error("tenant {id} does not exist")]
    NoTenant {
        /// The tenant.
        id: TenantId,
    },
}

impl Host {
    /// The layout of files that this program writes.
    pub const FORMAT: u64 = FORMAT;

    /// Open a data folder, or make one; then the given random bytes become its key.
    pub fn open_or_create(folder: &Path, random: [u8; 32]) -> Result<Self, HostError> {
        let system = folder.join("system.redb");
        if !system.exists() {
            for folder in [folder.join("tenants"), folder.join("objects"), folder.join("artifacts")] {
                make_folder(&folder)?;
            }
            HostKey::read_or_create(&key_file(folder), random)?;
            // Last, so that a folder with a system file is complete.
            file::create(&system, &Layout { tables: &[TENANTS, TENANT_SLUGS, KEYS, SETTINGS], meta: Vec::new() })?;
        }
        Self::open(folder)
    }

    /// Open an existing data folder, alone: `DataInUse` when another process has it.
    pub fn open(folder: &Path) -> Result<Self, HostError> {
        let path = folder.join("system.redb");
        let system = file::open(&path, SYSTEM_CACHE_BYTES)?;
        migrate::bring_up(&system, migrate::SYSTEM, &path)?;
        let key = HostKey::read(&key_file(folder))?;
        Ok(Self { folder: folder.to_owned(), system, key })
    }

    /// The host's key.
    pub fn key(&self) -> &HostKey {
        &self.key
    }

    /// The objects of this host.
    pub fn objects(&self) -> Objects {
        Objects::new(self.folder.join("objects"))
    }

    /// Where compiled plugins are kept.
    pub fn artifact_folder(&self) -> PathBuf {
        self.folder.join("artifacts")
    }

    /// All tenants, the oldest first.
    pub fn tenants(&self) -> Result<Vec<Tenant>, HostError> {
        Ok(read_tenants(&self.system)?)
    }

    /// The tenant of a slug.
    pub fn tenant(&self, slug: &Slug) -> Result<Option<Tenant>, HostError> {
        Ok(read_tenant(&self.system, slug)?)
    }

    /// Make a tenant: its file first, then its name, so that a tenant with a name always has a file. A crash in between
    /// leaves a file without a name, which nothing opens. The setting is written with the name.
    pub fn create_tenant(
        &self,
        tenant: &Tenant,
        config: Config,
        beside: Option<&Setting>,
    ) -> Result<TenantStore, HostError> {
        let taken = || HostError::SlugTaken { slug: tenant.slug.clone() };
        if self.tenant(&tenant.slug)?.is_some() {
            return Err(taken());
        }
        let store = TenantStore::create(&self.tenants_folder(), tenant.id, config)?;
        // Looked at once more where it is written: another thread may have taken the slug meanwhile.
        if write_tenant(&self.system, tenant, beside).map_err(HostError::Write)? { Ok(store) } else { Err(taken()) }
    }

    /// Open a tenant's store.
    pub fn open_tenant(&self, id: TenantId, config: Config) -> Result<TenantStore, HostError> {
        Ok(TenantStore::open(&self.tenants_folder(), id, config)?)
    }

    /// Change a tenant's record; its id and slug stay.
    pub fn update_tenant(&self, id: TenantId, record: &[u8]) -> Result<(), HostError> {
        if write_record(&self.system, id, record).map_err(HostError::Write)? {
            Ok(())
        } else {
            Err(HostError::NoTenant { id })
        }
    }

    /// The keys of all callers by id, each with its record.
    pub fn keys(&self) -> Result<Vec<(String, Vec<u8>)>, HostError> {
        Ok(read_keys(&self.system)?)
    }

    /// Write the record of a key, whatever was there.
    pub fn put_key(&self, id: &str, record: &[u8]) -> Result<(), HostError> {
        write_key(&self.system, id, record, Known::Replaced, None).map_err(HostError::Write).map(drop)
    }

    /// Write the record of a new key, with a setting; `false`, and nothing is written, when the id is taken.
    pub fn new_key(&self, id: &str, record: &[u8], beside: Option<&Setting>) -> Result<bool, HostError> {
        write_key(&self.system, id, record, Known::Kept, beside).map_err(HostError::Write)
    }

    /// Delete the record of a key that nobody was shown.
    pub fn remove_key(&self, id: &str) -> Result<(), HostError> {
        delete_key(&self.system, id).map_err(HostError::Write)
    }

    /// A setting of the host.
    pub fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, HostError> {
        Ok(read(&self.system, SETTINGS, name.as_bytes())?)
    }

    /// Write a setting of the host.
    pub fn put_setting(&self, name: &str, value: &[u8]) -> Result<(), HostError> {
        write_setting(&self.system, name, value).map_err(HostError::Write)
    }

    /// Some settings whose names begin with a text, in order, behind a name or from the first one on.
    pub fn settings(&self, prefix: &str, behind: Option<&str>, max: usize) -> Result<Vec<Setting>, HostError> {
        Ok(read_settings(&self.system, prefix, behind, max)?)
    }

    /// Delete settings.
    pub fn remove_settings(&self, names: &[String]) -> Result<(), HostError> {
        delete_settings(&self.system, names).map_err(HostError::Write)
    }

    fn tenants_folder(&self) -> PathBuf {
        self.folder.join("tenants")
    }
}

fn key_file(folder: &Path) -> PathBuf {
    folder.join("host.key")
}

fn make_folder(folder: &Path) -> Result<(), OpenError> {
    fs::create_dir_all(folder).and_then(|()| file::sync_folder(folder)).map_err(|error| OpenError::Io {
        attempt: "created",
        path: folder.to_owned(),
        source: error.into(),
    })
}

fn read(system: &Database, table: Definition, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
    Ok(system.begin_read()?.open_table(table)?.get(key)?.map(|value| value.value().to_vec()))
}

fn read_tenants(system: &Database) -> Result<Vec<Tenant>, ReadError> {
    let mut tenants = Vec::new();
    for row in system.begin_read()?.open_table(TENANTS)?.iter()? {
        let (key, value) = row?;
        tenants.push(decode_tenant(key.value(), value.value())?);
    }
    Ok(tenants)
}

fn read_tenant(system: &Database, slug: &Slug) -> Result<Option<Tenant>, ReadError> {
    let Some(id) = read(system, TENANT_SLUGS, slug.as_str().as_bytes())? else { return Ok(None) };
    let value = read(system, TENANTS, &id)?.ok_or_else(damaged)?;
    decode_tenant(&id, &value).map(Some)
}

/// Write a new tenant; `false` when its slug is taken.
fn write_tenant(system: &Database, tenant: &Tenant, beside: Option<&Setting>) -> Result<bool, Fault> {
    let txn = begin_durable(system)?;
    {
        let mut slugs = txn.open_table(TENANT_SLUGS)?;
        if slugs.get(tenant.slug.as_str().as_bytes())?.is_some() {
            return Ok(false);
        }
        slugs.insert(tenant.slug.as_str().as_bytes(), &tenant.id.bytes()[..])?;
        let mut tenants = txn.open_table(TENANTS)?;
        tenants.insert(&tenant.id.bytes()[..], &encode_tenant(&tenant.slug, &tenant.record)[..])?;
        put_beside(&txn, beside)?;
    }
    txn.commit()?;
    Ok(true)
}

/// Change the record of a tenant; `false` when there is none.
fn write_record(system: &Database, id: TenantId, record: &[u8]) -> Result<bool, Fault> {
    let txn = begin_durable(system)?;
    {
        let mut tenants = txn.open_table(TENANTS)?;
        let old = tenants.get(&id.bytes()[..])?.map(|value| value.value().to_vec());
        let Some(old) = old else { return Ok(false) };
        let tenant = decode_tenant(&id.bytes(), &old).map_err(Fault::new)?;
        tenants.insert(&id.bytes()[..], &encode_tenant(&tenant.slug, record)[..])?;
    }
    txn.commit()?;
    Ok(true)
}

fn read_keys(system: &Database) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
    let mut keys = Vec::new();
    for row in system.begin_read()?.open_table(KEYS)?.iter()? {
        let (id, record) = row?;
        let id = str::from_utf8(id.value()).map_err(|_| ReadError::Damaged { table: "keys.1" })?;
        keys.push((id.to_owned(), record.value().to_vec()));
    }
    Ok(keys)
}

/// What becomes of the record of a key that is there already.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    Kept,
    Replaced,
}

/// Write a key; `false` when it is there already and stays as it is.
fn write_key(
    system: &Database,
    id: &str,
    record: &[u8],
    known: Known,
    beside: Option<&Setting>,
) -> Result<bool, Fault> {
    let txn = begin_durable(system)?;
    {
        let mut keys = txn.open_table(KEYS)?;
        if known == Known::Kept && keys.get(id.as_bytes())?.is_some() {
            return Ok(false);
        }
        keys.insert(id.as_bytes(), record)?;
        put_beside(&txn, beside)?;
    }
    txn.commit()?;
    Ok(true)
}

fn delete_key(system: &Database, id: &str) -> Result<(), Fault> {
    let txn = begin_durable(system)?;
    txn.open_table(KEYS)?.remove(id.as_bytes())?;
    Ok(txn.commit()?)
}

fn put_beside(txn: &WriteTransaction, beside: Option<&Setting>) -> Result<(), Fault> {
    if let Some(setting) = beside {
        txn.open_table(SETTINGS)?.insert(setting.name.as_bytes(), &setting.value[..])?;
    }
    Ok(())
}

fn write_setting(system: &Database, name: &str, value: &[u8]) -> Result<(), Fault> {
    let txn = begin_durable(system)?;
    txn.open_table(SETTINGS)?.insert(name.as_bytes(), value)?;
    Ok(txn.commit()?)
}

fn read_settings(system: &Database, prefix: &str, behind: Option<&str>, max: usize) -> Result<Vec<Setting>, ReadError> {
    let settings = system.begin_read()?.open_table(SETTINGS)?;
    let from = behind.map_or(Bound::Included(prefix.as_bytes()), |behind| Bound::Excluded(behind.as_bytes()));
    let mut found = Vec::new();
    for row in settings.range::<&[u8]>((from, Bound::Unbounded))?.take(max) {
        let (name, value) = row?;
        if !name.value().starts_with(prefix.as_bytes()) {
            break;
        }
        let name = str::from_utf8(name.value()).map_err(|_| ReadError::Damaged { table: "settings.1" })?;
        found.push(Setting { name: name.to_owned(), value: value.value().to_vec() });
    }
    Ok(found)
}

fn delete_settings(system: &Database, names: &[String]) -> Result<(), Fault> {
    let txn = begin_durable(system)?;
    {
        let mut settings = txn.open_table(SETTINGS)?;
        for name in names {
            settings.remove(name.as_bytes())?;
        }
    }
    Ok(txn.commit()?)
}

fn encode_tenant(slug: &Slug, record: &[u8]) -> Vec<u8> {
    Key::default().text(slug.as_str()).rest(record).done()
}

fn decode_tenant(key: &[u8], value: &[u8]) -> Result<Tenant, ReadError> {
    let mut parts = Parts(value);
    let id = TenantId::from_bytes(key.try_into().map_err(|_| damaged())?);
    let slug = parts.text().and_then(|slug| Slug::new(slug).ok()).ok_or_else(damaged)?;
    Ok(Tenant { id, slug, record: parts.0.to_vec() })
}

fn damaged() -> ReadError {
    ReadError::Damaged { table: "tenants.1" }
}
