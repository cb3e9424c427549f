//! A disk for tests: it keeps what was synced apart from what was only written, and can lose power or fail.
//!
//! A cut leaves the durable image and, of the writes since the last sync, whatever the policy of the moment says: none, all,
//! a prefix, some, or some with torn sectors.

use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

/// The unit in which a disk writes wholly or not at all.
const SECTOR: usize = 512;

/// A small deterministic generator: the tests print its seed.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// xorshift64*.
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 33) % bound
    }

    fn chance(&mut self, of: u64, in_all: u64) -> bool {
        self.below(in_all) < of
    }
}

#[derive(Clone, Debug)]
enum Op {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

impl Op {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::SetLen(len) => image.resize(*len, 0),
            Self::Write(at, data) => {
                let end = at + data.len();
                if image.len() < end {
                    image.resize(end, 0);
                }
                image[*at..end].copy_from_slice(data);
            }
        }
    }
}

#[derive(Debug, Default)]
struct State {
    durable: Vec<u8>,
    live: Vec<u8>,
    pending: Vec<Op>,
    ops: u64,
    /// The operation at which power goes, if it does.
    cut_at: Option<u64>,
    /// The one operation that fails, if one does; the disk goes on after it.
    fail_at: Option<u64>,
}

/// The disk. Clones are the same disk; it outlives the database on it.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Arc<Mutex<State>>);

impl Disk {
    /// Lose power at the n-th changing operation from now.
    pub(super) fn cut_in(&self, operations: u64) {
        let mut state = self.0.lock().unwrap();
        state.cut_at = Some(state.ops + operations);
    }

    /// Fail the n-th changing operation from now, that one only.
    pub(super) fn fail_in(&self, operations: u64) {
        let mut state = self.0.lock().unwrap();
        state.fail_at = Some(state.ops + operations);
    }

    /// How many changing operations there were.
    pub(super) fn operations(&self) -> u64 {
        self.0.lock().unwrap().ops
    }

    /// Power is back: the disk holds what was synced and, by chance, some of the rest.
    pub(super) fn after_cut(&self, random: &mut Random) -> Self {
        let state = self.0.lock().unwrap();
        let mut image = state.durable.clone();
        for op in survivors(&state.pending, random) {
            op.apply(&mut image);
        }
        let state = State { durable: image.clone(), live: image, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    fn change(&self, op: Op) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.tick()?;
        op.apply(&mut state.live);
        state.pending.push(op);
        Ok(())
    }
}

impl State {
    fn tick(&mut self) -> io::Result<()> {
        self.ops += 1;
        if self.cut_at.is_some_and(|cut| self.ops >= cut) {
            return Err(io::Error::other("power is out"));
        }
        if self.fail_at == Some(self.ops) {
            return Err(io::Error::other("the disk failed once"));
        }
        Ok(())
    }
}

/// Which of the unsynced operations reached the disk, and how much of each.
fn survivors(pending: &[Op], random: &mut Random) -> Vec<Op> {
    let policy = random.below(6);
    let prefix = random.below(pending.len() as u64 + 1) as usize;
    let mut kept = Vec::new();
    for (at, op) in pending.iter().enumerate() {
        match policy {
            0 => {}
            1 => kept.push(op.clone()),
            2 => kept.extend((at < prefix).then(|| op.clone())),
            3 => kept.extend(random.chance(1, 2).then(|| op.clone())),
            4 => kept.extend(torn(op, random)),
            _ if random.chance(9, 10) => kept.extend(torn(op, random)),
            _ => {}
        }
    }
    kept
}

/// An operation of which each sector arrives by chance.
fn torn(op: &Op, random: &mut Random) -> Vec<Op> {
    match op {
        Op::SetLen(_) => random.chance(7, 8).then(|| op.clone()).into_iter().collect(),
        Op::Write(at, data) => {
            let sectors = data.chunks(SECTOR).enumerate().filter(|_| random.chance(7, 8));
            sectors.map(|(n, sector)| Op::Write(at + n * SECTOR, sector.to_vec())).collect()
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.0.lock().unwrap();
        let from = offset as usize;
        let bytes = state.live.get(from..from + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Op::SetLen(len as usize))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.tick()?;
        let State { durable, pending, .. } = &mut *state;
        pending.drain(..).for_each(|op| op.apply(durable));
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Op::Write(offset as usize, data.to_vec()))
    }
}
