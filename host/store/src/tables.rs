//! Every table of a tenant's file on one page: name with version, key, value, and why it is there.
//!
//! All keys and values are plain bytes, so that no type of ours or of the database's is part of the file format. `·` joins
//! the parts of a key. A *text* part is its length (two bytes) and its bytes, so that ("A", "BC") and ("AB", "C") never
//! collide; numbers are big-endian and instants order-preserving (`keys.rs`), so that byte order is the order meant.

use redb::TableDefinition;

/// A table's definition, as the database wants it.
pub(crate) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// The layout that this program writes. It grows when a table is added or a key changes its meaning; `migrate.rs` brings older
/// files to it when they are opened.
pub(crate) const FORMAT: u64 = 4;

macro_rules! tables {
    ($( $(#[$doc:meta])* $table:ident = $name:literal, )*) => {
        /// The tables of a tenant's file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Table {
            $( $(#[$doc])* $table, )*
        }

        impl Table {
            /// All tables, in the order of this page.
            pub(crate) const ALL: &[Self] = &[$( Self::$table, )*];

            /// The table's name in the file.
            pub(crate) const fn name(self) -> &'static str {
                match self { $( Self::$table => $name, )* }
            }
        }
    };
}

tables! {
    // ── Streams: what batches name by version. Head values are the version (8 bytes), then the engine's bytes. ──

    /// case → version, snapshot. Read at the start of every turn; folding `case_turns` gives the same bytes.
    CaseHeads = "case_heads.1",
    /// case · turn → audit link (n, hash), record. The journal: one row per turn, never changed, never deleted.
    CaseTurns = "case_turns.1",
    /// order → version, ledger. What is reserved, returned and refunded of an order; the guard against a unit sold twice back.
    LedgerHeads = "ledger_heads.1",
    /// (empty) → version, state. The tenant's own stream: publishing, keys, activations.
    TenantHeads = "tenant_heads.1",
    /// turn → audit link (n, hash), record. The journal of the tenant's own stream.
    TenantTurns = "tenant_turns.1",
    /// audit number → which journal, its key. Everything that happened to the tenant in the order in which it was stored; the
    /// journals lie by stream. Only a way to the rows: what happened, and its proof, is in the journals.
    Feed = "feed.1",

    // ── Facts: what the merchant's systems told us. ──

    /// order → document. The order as it was handed in last.
    Orders = "orders.1",
    /// customer text · sku text · order text · line → facts. What one customer bought of one stock code, for `purchases`.
    Purchases = "purchases.1",
    /// source text · external id → content digest. What an import has taken already, so that it can run twice.
    Imports = "imports.1",
    /// subject text · field → bytes. The only place of names, contacts, addresses and free text: erasing is deleting here.
    People = "people.1",

    // ── Indexes: how cases and tasks are found. Values are what a listing shows, so that it reads no snapshot. ──

    /// opened · case → listing. Lists are by business time; ids are by the server's.
    CasesByOpened = "cases_by_opened.1",
    /// number → case. The short number that people type. Unique.
    CasesByNumber = "cases_by_number.1",
    /// source text · external id → case, content digest. Unique: an imported case is opened once.
    CasesByExternal = "cases_by_external.1",
    /// customer text · opened · case → (empty). A customer's matters, and what an import decides in order.
    CasesByCustomer = "cases_by_customer.1",
    /// revision · open or past · case → what came of it. Which cases run on a revision, and which ever did: what is counted,
    /// migrated and compared, and what keeps a revision from being garbage. A case that left keeps its row among the past.
    CasesByRevision = "cases_by_revision.1",
    /// task → task. What a person has to do.
    Tasks = "tasks.1",
    /// queue text · due · task → listing. The queue page, most urgent first.
    TasksByQueue = "tasks_by_queue.1",

    // ── Work: outbox, timers and commands to ourselves are one thing. ──

    /// kind · key → visible from, due, lease epoch, holder, payload. What must be done, each exactly once under its key.
    Work = "work.1",
    /// kind · visible from · key → (empty). What is due now; a leased item is visible again when its lease ends.
    WorkByDue = "work_by_due.1",

    // ── Effects: what was asked of the world, and how it was brought there. The snapshots say what became of a case's own. ──

    /// effect → listing. An effect by its key alone, whichever case wanted it. A file that is older than the table begins with
    /// none of these: the engine writes an effect's row when it next touches the case.
    Effects = "effects.1",
    /// state text · instant · effect → (empty). The effects page: what is on its way, what nobody knows. As old as `effects`.
    EffectsByState = "effects_by_state.1",
    /// effect · attempt → record. What was sent and what came back, one row for each attempt; the work item holds only the next.
    Deliveries = "deliveries.1",

    // ── Publishing. ──

    /// digest → canonical document with its source. A revision is its content; it is never changed.
    Revisions = "revisions.1",
    /// name → bytes. What is active: revisions by slug, plugins by name and major.
    Pointers = "pointers.1",
    /// plugin text · case → bytes. The merchant's own cases of a plugin's name, which every upload under it is asked. Apart from the
    /// pointers, whose values are small and are read at every start: a case is a document of up to a mebibyte.
    PluginCases = "plugin_cases.1",
    /// path → digest. What this door handed in last, so that an unchanged folder changes nothing.
    Doors = "doors.1",

    // ── Around it. ──

    /// scope text · key → body digest, answer. A repeated request gets the first answer.
    Idempotency = "idempotency.1",
    /// name → value: format, tenant, audit head (n, hash), last lease epoch.
    Meta = "meta.1",
}

impl Table {
    /// The definition to open the table with.
    pub(crate) const fn definition(self) -> Definition {
        TableDefinition::new(self.name())
    }
}

/// Keys of the `meta` table.
pub(crate) mod meta {
    /// The layout of the file, a number.
    pub(crate) const FORMAT: &[u8] = b"format";
    /// The 16 bytes of the tenant's id: a file that was moved under another name is refused.
    pub(crate) const TENANT: &[u8] = b"tenant";
    /// The audit chain's last link: number and hash.
    pub(crate) const AUDIT: &[u8] = b"audit";
    /// The last lease epoch given out: it never repeats, so a stale claim never fits a later item of the same key.
    pub(crate) const EPOCH: &[u8] = b"epoch";
}
