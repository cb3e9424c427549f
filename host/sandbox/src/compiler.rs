//! Where components are compiled: in this process, or in a child of it that has limits of its own and can be killed.
//!
//! The compiler is the largest program that a stranger's bytes reach, and its time and memory grow with what they say. The
//! child takes both with it when it ends: the host is as large afterwards as it was before. It is this same program,
//! started anew with nothing of its parent but three pipes, so that it makes the code that this engine can load; it says for
//! which engine it compiled, and what does not fit is not loaded.

mod child;
mod deadline;
mod wire;

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

pub use self::child::answer;
use self::deadline::Deadline;
use self::wire::{Answer, Order, Said};
use crate::inspect::Refusal;
use crate::limits::Limits;

/// What the child may say on standard error; a panic's message and its place fit.
const TALK_BYTES_MAX: u64 = 16 << 10;

/// The signals by which the system ends who used up its processor time.
const SIGXCPU: i32 = 24;

/// Where components are compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Compiler {
    /// In this process: for who compiles nothing of strangers. No limit holds but what was counted before.
    #[default]
    InProcess,
    /// In a process of its own for each component.
    Child {
        /// The program: it calls [`answer`] when it is started with these arguments.
        program: PathBuf,
        /// The arguments.
        args: Vec<OsString>,
    },
}

impl Compiler {
    /// This program itself, started with one argument. It is found even when its file was replaced meanwhile, since another
    /// version might compile otherwise. Where the system does not tell which file it is, each compilation fails and says so.
    #[must_use]
    pub fn this_program(argument: &str) -> Self {
        Self::Child { program: this_program(), args: vec![argument.into()] }
    }
}

/// The file of this program, also where it was replaced meanwhile.
pub(crate) fn this_program() -> PathBuf {
    let itself = PathBuf::from("/proc/self/exe");
    if itself.exists() { itself } else { std::env::current_exe().unwrap_or_default() }
}

/// Compiles in a child: the code, or why there is none.
pub(crate) fn in_child(
    program: &PathBuf,
    args: &[OsString],
    bytes: &[u8],
    limits: &Limits,
    compatibility: &[u8; 32],
) -> Result<Vec<u8>, Refusal> {
    let ended = run(program, args, bytes, limits).map_err(|error| failed(&error))?;
    match ended.answer {
        Some(Answer { said: Said::Code, payload, compatibility: of_child }) if of_child == *compatibility => {
            Ok(payload)
        }
        Some(Answer { said: Said::Code, .. }) => {
            let detail = "it compiles for another engine: this program and its child are not of one build".to_owned();
            Err(Refusal::Compiler { detail })
        }
        Some(Answer { said, payload, .. }) => Err(refused(said, payload, limits)),
        None => Err(ended.without_answer(limits)),
    }
}

fn failed(error: &io::Error) -> Refusal {
    Refusal::Compiler { detail: format!("it could not be started: {error}") }
}

fn refused(said: Said, payload: Vec<u8>, limits: &Limits) -> Refusal {
    let detail = String::from_utf8_lossy(&payload).into_owned();
    match said {
        Said::Code | Said::Unable => Refusal::Compiler { detail },
        Said::Refused => Refusal::Compile { detail },
        Said::Panicked => Refusal::CompilerPanic { detail },
        Said::OutOfMemory => Refusal::CompileMemory { max: limits.compile_memory_bytes_max },
    }
}

/// How a child ended.
struct Ended {
    /// What it answered, when it answered whole.
    answer: Option<Answer>,
    /// What it said on standard error.
    talk: String,
    /// How the process ended.
    status: ExitStatus,
    /// Whether it was killed because its time was over.
    is_late: bool,
}

impl Ended {
    /// What it means that there is no answer.
    fn without_answer(&self, limits: &Limits) -> Refusal {
        use std::os::unix::process::ExitStatusExt as _;
        let signal = self.status.signal();
        if self.is_late || signal == Some(SIGXCPU) {
            return Refusal::CompileTimeout { seconds: limits.compile_cpu_seconds_max };
        }
        // Words of the standard library, whose allocator ends the process; a test holds it to them.
        if self.talk.contains("memory allocation of") {
            return Refusal::CompileMemory { max: limits.compile_memory_bytes_max };
        }
        let says = |line: &&str| !line.trim().is_empty() && !line.starts_with("note:");
        let last = self.talk.lines().rev().find(says).unwrap_or("it said nothing");
        let detail = format!("{}: {}", self.status, last.chars().take(200).collect::<String>());
        match signal {
            // The system's own killer of processes, or a person.
            Some(9 | 15) | None => Refusal::Compiler { detail: format!("it ended without an answer, {detail}") },
            Some(_) => Refusal::CompilerPanic { detail },
        }
    }
}

/// Starts the child, hands the component over, reads what it answers, and leaves no process behind.
fn run(program: &PathBuf, args: &[OsString], bytes: &[u8], limits: &Limits) -> io::Result<Ended> {
    let mut command = Command::new(program);
    // A group of its own: whatever it might start goes with it, and a signal from the terminal is for the host.
    command.arg0("redress-compiler").args(args).env_clear().current_dir("/").process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let deadline = Deadline::start(&child, Duration::from_millis(limits.compile_wall_clock_ms));
    let deadline = match deadline {
        Ok(deadline) => deadline,
        Err(error) => {
            // Without its deadline it must not run.
            child.kill()?;
            child.wait()?;
            return Err(error);
        }
    };
    let talked = talk(&mut child, bytes, limits);
    let is_late = deadline.wait();
    let status = child.wait()?;
    let (answer, talk) = talked?;
    Ok(Ended { answer, talk, status, is_late })
}

fn talk(child: &mut Child, bytes: &[u8], limits: &Limits) -> io::Result<(Option<Answer>, String)> {
    let (Some(mut to), Some(from), Some(talk)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
        return Err(io::Error::other("a pipe to the compiler is missing"));
    };
    // It reads everything before it answers. One that is gone already has told why, or its status does.
    drop(Order::of(limits).write(&mut to).and_then(|()| to.write_all(bytes)));
    drop(to);
    let answer = Answer::read(from, limits.artifact_bytes_max)?;
    let mut said = Vec::new();
    talk.take(TALK_BYTES_MAX).read_to_end(&mut said)?;
    Ok((answer, String::from_utf8_lossy(&said).into_owned()))
}
