//! A cell from inside: it closes itself in, and then does what it is told until nobody tells it anything.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

use wasmtime::component::Linker;

use super::link::Link;
use super::wire::{Hello, ORDER_BYTES_MAX, Order, Question, Start, question_bytes_max};
use super::{Digest, cage};
use crate::call::{Outcome, run};
use crate::confine::{Allowance, Memory, close_others, give_way_in_want_of_memory, limit};
use crate::contract::{Hook, Major};
use crate::engine::{Ticking, compatibility};
use crate::failure::Stopped;
use crate::guest::{Guest, linker};
use crate::hooks::Hooks;
use crate::limits::Limits;
use crate::load::{Unready, load};
use crate::sandbox::message_of;

/// Files of a cell that holds images of memories; one without has the three that it begins with.
const FILES_FOR_IMAGES: u64 = 1_024;

/// Runs plugins for the host at the other end of standard input and output, until that is gone. A program calls this first when it is
/// started as a [`super::Program`], and ends with what it gives.
#[must_use]
pub fn serve() -> ExitCode {
    close_others();
    give_way_in_want_of_memory();
    let answered = answer(&mut Link::new(Streams(io::stdin().lock(), io::stdout().lock())));
    let Err(error) = answered else { return ExitCode::SUCCESS };
    // Who started it may be gone: nobody is left to tell.
    let _ = writeln!(io::stderr(), "{error}");
    ExitCode::FAILURE
}

/// Two streams as one.
struct Streams<R, W>(R, W);

impl<R: Read, W> Read for Streams<R, W> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl<R, W: Write> Write for Streams<R, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

fn answer(link: &mut Link<impl Read + Write>) -> io::Result<()> {
    let Start { limits } = link.take(ORDER_BYTES_MAX)?;
    let mut cell = Cell::new(Limits { calls_at_once_max: 1, ..limits })?;
    // The engine has its threads and its pool by now; what it needs from here on is little.
    limit(cell.allowance())?;
    let caged = cage::close(cell.limits.copy_on_write);
    link.put(&Hello { compatibility: compatibility(&cell.ticking.engine), caged })?;
    link.flush()?;
    loop {
        match link.take(ORDER_BYTES_MAX) {
            Ok(order) => cell.obey(order, link)?,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

struct Cell {
    limits: Arc<Limits>,
    linker: Linker<Guest>,
    loaded: BTreeMap<Digest, Hooks>,
    /// Last, so that code is gone before the engine's ticker stops.
    ticking: Ticking,
}

impl Cell {
    fn new(limits: Limits) -> io::Result<Self> {
        let ticking = Ticking::new(&limits).map_err(io::Error::other)?;
        let linker = linker(&ticking.engine).map_err(|error| io::Error::other(format!("{error:#}")))?;
        Ok(Self { limits: Arc::new(limits), linker, loaded: BTreeMap::new(), ticking })
    }

    fn allowance(&self) -> Allowance {
        let (file_bytes, files) = match self.limits.copy_on_write {
            // An image is as large as the span of the data, which may be anywhere in a memory.
            true => (self.limits.memory_bytes_max as u64, FILES_FOR_IMAGES),
            false => (0, 3),
        };
        Allowance {
            nice: 0,
            cpu_seconds: None,
            memory: Memory::Writable {
                bytes: self.limits.cell_memory_bytes_max,
                // Code twice: as it came, and as it is kept.
                mapped: (self.limits.cell_code_bytes_max as u64).saturating_mul(2),
            },
            file_bytes,
            files,
            ends_with_starter: false,
        }
    }

    fn obey(&mut self, order: Order, link: &mut Link<impl Read + Write>) -> io::Result<()> {
        match order {
            Order::Load { digest, major, hooks } => {
                let code = link.take_bytes(self.limits.artifact_bytes_max)?;
                let loaded = self.load(digest, &code, major, &hooks);
                link.put(&loaded)?;
            }
            Order::Forget { digest } => {
                self.loaded.remove(&digest);
                return Ok(());
            }
            Order::Ask { digest, fuel } => {
                let question: Question = link.take(question_bytes_max(&self.limits))?;
                link.put(&self.ask(&digest, &question, fuel))?;
            }
        }
        link.flush()
    }

    fn load(&mut self, digest: Digest, code: &[u8], major: Major, hooks: &[Hook]) -> Result<(), Unready> {
        let loaded = catch_unwind(AssertUnwindSafe(|| load(&self.ticking.engine, &self.linker, code, major, hooks)));
        let hooks = loaded.unwrap_or_else(|panic| Err(Unready::Process(message_of(&*panic))))?;
        self.loaded.insert(digest, hooks);
        Ok(())
    }

    fn ask(&self, digest: &Digest, question: &Question, fuel: u64) -> Outcome {
        let Some(hooks) = self.loaded.get(digest) else {
            return Outcome::stopped(Stopped::Host("the plugin is not in this process".to_owned()));
        };
        let asked = AssertUnwindSafe(|| run(&self.ticking.engine, hooks, question.call(), &self.limits, fuel));
        catch_unwind(asked).unwrap_or_else(|panic| Outcome::stopped(Stopped::Panic(message_of(&*panic))))
    }
}
