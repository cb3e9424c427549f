//! A cell from outside: started, spoken to with a deadline, ended. Nothing that it says is believed beyond its form.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::link::Link;
use super::shelf::Shelf;
use super::wire::{Hello, Order, Start, outcome_bytes_max};
use super::{Kept, Program};
use crate::call::{Call, Outcome};
use crate::failure::Stopped;
use crate::limits::Limits;
use crate::load::Unready;
use crate::log::{Log, cleaned};

/// What a cell may say on standard error; a panic's message and its place fit.
const TALK_BYTES_MAX: u64 = 16 << 10;

/// Bytes of a text of a cell as it is passed on: wasmtime's words are shorter.
const DETAIL_BYTES_MAX: usize = 1_000;

/// A process that runs plugins. Dropping it ends it.
pub(super) struct Cell {
    link: Link<Timed>,
    child: Child,
    talk: Option<ChildStderr>,
    answer_within: Duration,
    outcome_bytes_max: usize,
    /// The plugins that it holds.
    shelf: Shelf,
}

impl Cell {
    /// Starts one, as patient as the thread that starts it. It says whether the system keeps it in.
    pub(super) fn start(
        program: &Program,
        limits: &Limits,
        compatibility: [u8; 32],
    ) -> io::Result<(Self, Result<(), String>)> {
        let (ours, its) = UnixStream::pair()?;
        let answer_within = Duration::from_millis(limits.cell_answer_ms.max(1));
        ours.set_read_timeout(Some(answer_within))?;
        ours.set_write_timeout(Some(answer_within))?;
        let mut command = Command::new(&program.path);
        // A group of its own: a signal from the terminal is for the host.
        command.arg0("redress-plugins").args(&program.args).env_clear().current_dir("/").process_group(0);
        command.stdin(OwnedFd::from(its.try_clone()?)).stdout(OwnedFd::from(its)).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        // The command holds the other end, which would keep an ended cell from being noticed.
        drop(command);
        let mut cell = Self {
            link: Link::new(Timed { stream: ours, until: Instant::now(), whole: answer_within, is_short: false }),
            talk: child.stderr.take(),
            child,
            answer_within,
            outcome_bytes_max: outcome_bytes_max(limits),
            shelf: Shelf::default(),
        };
        let said = cell.exchange(|link, bytes_max| {
            link.put(&Start { limits: limits.clone() })?;
            link.flush()?;
            link.take(bytes_max)
        });
        let Hello { compatibility: its, caged } = match said {
            Ok(hello) => hello,
            Err(error) => return Err(io::Error::other(cell.end(&error))),
        };
        if its != compatibility {
            return Err(io::Error::other("it has another engine: this program and its process are not of one build"));
        }
        Ok((cell, caged.map_err(|why| cut(&why))))
    }

    /// Whether it still runs.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The number of the process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Puts a question to a plugin, which the cell takes in first where it does not hold it.
    pub(super) fn ask(&mut self, kept: &Kept, call: Call<'_>, fuel: u64, limits: &Limits) -> io::Result<Outcome> {
        if let Err(unready) = self.load(kept, limits)? {
            // Another cell took the same code.
            return Ok(Outcome::stopped(Stopped::Host(format!("the plugin's code was refused: {unready:?}"))));
        }
        let digest = kept.digest;
        let outcome: Outcome = self.exchange(|link, bytes_max| {
            link.put(&Order::Ask { digest, fuel })?;
            link.put(&call)?;
            link.flush()?;
            link.take(bytes_max)
        })?;
        Ok(bounded(outcome, limits))
    }

    /// Takes a plugin in, unless the cell holds it. What was not asked for longest makes room.
    pub(super) fn load(&mut self, kept: &Kept, limits: &Limits) -> io::Result<Result<(), Unready>> {
        if self.shelf.has(&kept.digest) {
            return Ok(Ok(()));
        }
        for digest in self.shelf.put(kept.digest, kept.code.len(), limits.cell_code_bytes_max) {
            self.link.put(&Order::Forget { digest })?;
        }
        let order = Order::Load { digest: kept.digest, major: kept.major, hooks: kept.hooks.clone() };
        let loaded: Result<(), Unready> = self.exchange(|link, bytes_max| {
            link.put(&order)?;
            link.flush_with(&kept.code)?;
            link.take(bytes_max)
        })?;
        if loaded.is_err() {
            self.shelf.remove(&kept.digest);
        }
        Ok(loaded.map_err(|error| unready(error, kept)))
    }

    /// Says something and takes the answer, all of it by the deadline.
    fn exchange<T>(&mut self, say: impl FnOnce(&mut Link<Timed>, usize) -> io::Result<T>) -> io::Result<T> {
        self.link.stream.begin(self.answer_within)?;
        say(&mut self.link, self.outcome_bytes_max)
    }

    /// Ends it, and tells how it had ended by itself, where it had.
    pub(super) fn end(mut self, error: &io::Error) -> String {
        let is_gone = matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
        );
        if !is_gone {
            return format!("{error}; it was ended");
        }
        // What it said last is in the pipe; the other end is closed once it is gone.
        let talk = self.talk.take();
        let status = self.stop();
        let mut said = Vec::new();
        // Without its words the status has to do.
        let _ = talk.map(|talk| talk.take(TALK_BYTES_MAX).read_to_end(&mut said));
        let said = String::from_utf8_lossy(&said).into_owned();
        let says = |line: &&str| !line.trim().is_empty() && !line.starts_with("note:");
        cut(&format!("{status}: {}", said.lines().rev().find(says).unwrap_or("it said nothing")))
    }

    fn stop(&mut self) -> String {
        // One that ended by itself keeps its own status. The whole group, whatever it might have started.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        }
        self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        // It was waited for already, or is now.
        let _ = self.stop();
    }
}

/// A stream whose reads and writes all end by one time.
struct Timed {
    stream: UnixStream,
    until: Instant,
    /// How long one read or write may take as the stream is set.
    whole: Duration,
    /// Whether it is set to less.
    is_short: bool,
}

impl Timed {
    fn begin(&mut self, within: Duration) -> io::Result<()> {
        self.until = Instant::now() + within;
        if self.is_short { self.set(within) } else { Ok(()) }
    }

    /// Each read and write has its own end; once half of the time is gone that is the end of all.
    fn in_time(&mut self) -> io::Result<()> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(late());
        }
        if left < self.whole / 2 { self.set(left) } else { Ok(()) }
    }

    fn set(&mut self, within: Duration) -> io::Result<()> {
        self.stream.set_read_timeout(Some(within))?;
        self.stream.set_write_timeout(Some(within))?;
        self.is_short = within < self.whole;
        Ok(())
    }
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time")
}

fn is_late(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { late() } else { error }
}

impl Read for Timed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.in_time()?;
        self.stream.read(bytes).map_err(is_late)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.in_time()?;
        self.stream.write(bytes).map_err(is_late)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a cell says within the bounds of what one can say that was not taken over. The answer itself is measured where it is judged.
fn bounded(outcome: Outcome, limits: &Limits) -> Outcome {
    let mut log = Log::default();
    for line in &outcome.log {
        log.push(limits, line.level, &line.text);
    }
    let (log, dropped) = log.finish();
    let said = outcome.said.map_err(|stopped| match stopped {
        Stopped::Abi(detail) => Stopped::Abi(cut(&detail)),
        Stopped::Host(detail) => Stopped::Host(cut(&detail)),
        Stopped::Panic(detail) => Stopped::Panic(cut(&detail)),
        Stopped::Lost(detail) => Stopped::Lost(cut(&detail)),
        other => other,
    });
    Outcome { said, fuel: outcome.fuel, log, log_dropped: outcome.log_dropped.saturating_add(dropped) }
}

fn unready(unready: Unready, kept: &Kept) -> Unready {
    match unready {
        Unready::Code(detail) => Unready::Code(cut(&detail)),
        // What it is called is known here; a process that was taken over may say anything.
        Unready::Type { interface, detail } => {
            let named = kept.hooks.iter().map(|hook| kept.major.interface(*hook)).find(|name| *name == interface);
            Unready::Type { interface: named.unwrap_or_else(|| kept.major.log()), detail: cut(&detail) }
        }
        Unready::Process(detail) => Unready::Process(cut(&detail)),
    }
}

fn cut(text: &str) -> String {
    cleaned(text, DETAIL_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::{DETAIL_BYTES_MAX, bounded};
    use crate::call::Outcome;
    use crate::contract::Level;
    use crate::failure::Stopped;
    use crate::limits::Limits;
    use crate::log::LogLine;

    #[test]
    fn a_cell_that_was_taken_over_writes_no_longer_and_no_stranger_log_than_a_plugin() {
        let limits = Limits { log_lines_max: 2, ..Limits::default() };
        let line = LogLine { level: Level::Info, text: "a\u{1b}[31m\nERROR".to_owned() };
        let detail = format!("\u{1b}{}", "x".repeat(1 << 20));
        let outcome = Outcome { said: Err(Stopped::Host(detail)), fuel: 1, log: vec![line; 5], log_dropped: 1 };
        let outcome = bounded(outcome, &limits);
        assert_eq!((outcome.log.len(), outcome.log_dropped), (2, 4));
        assert_eq!(outcome.log[0].text, "a[31m ERROR");
        assert_eq!(outcome.said.unwrap_err(), Stopped::Host("x".repeat(DETAIL_BYTES_MAX)));
    }
}
