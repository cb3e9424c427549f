//! Every limit of the store, each with its reason.

use std::time::Duration;

/// Streams that one batch may depend on. Real refunds take from up to ten orders; 64 leaves room and bounds the check.
pub const BATCH_STREAMS_MAX: usize = 64;
/// Rows and work items of one batch. The largest real order has 1,114 lines, and each line is a purchase row.
pub const BATCH_ROWS_MAX: usize = 8_192;
/// Bytes of one batch. A turn is about 4 KiB; 16 MiB still lets a whole order with its attributes in.
pub const BATCH_BYTES_MAX: usize = 16 << 20;
/// Bytes of one key. Two names of 128 bytes, an instant and an id fit many times over; longer keys make every page of a
/// table shallow.
pub const KEY_BYTES_MAX: usize = 1_024;

/// Batches that may wait for the writer. At 20,000 a second it is a fifth of a second of work; more would only hide overload.
pub const QUEUE_BATCHES_MAX: usize = 4_096;
/// Batches of one commit. Beyond 64 the price of the sync is spread thin already; 256 keeps the slowest answer near 10 ms.
pub const GROUP_BATCHES_MAX: usize = 256;
/// Bytes of one commit: they are held in memory until it is done, and freed pages are reused one commit late.
pub const GROUP_BYTES_MAX: usize = 32 << 20;
/// How long a commit waits for batches that are probably on their way: about the price of the sync that it saves.
pub const GROUP_WAIT: Duration = Duration::from_millis(2);

/// Rows of one page of a listing.
pub const PAGE_ROWS_MAX: usize = 1_000;
/// Work items that one claim may take: more would be leased for longer than it takes to send them.
pub const CLAIM_MAX: usize = 256;

/// Bytes of one object in the object folder. A plugin is at most 2 MiB, a photograph 10 MiB.
pub const OBJECT_BYTES_MAX: u64 = 64 << 20;

/// Page cache of one open tenant. redb's own default is 1 GiB, which a host of many tenants cannot give; 32 MiB holds the
/// upper levels of every tree and the hot rows of a small merchant.
pub const CACHE_BYTES: usize = 32 << 20;
/// Page cache of the system file: it holds some hundred rows.
pub const SYSTEM_CACHE_BYTES: usize = 1 << 20;
/// Stack of a writer thread: redb recurses only as deep as its trees are, and a thousand idle tenants must stay cheap.
pub const WRITER_STACK_BYTES: usize = 512 << 10;
