//! What a process of the sandbox takes of itself before it sees a byte of a stranger's.

use std::io;
use std::os::fd::RawFd;

use rustix::process::{Resource, Rlimit, nice, setrlimit};

/// Limits of such a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    /// How much less of a core than its parent it gets.
    pub(crate) nice: i32,
    /// Processor time; none counts for one that lives on.
    pub(crate) cpu_seconds: Option<u64>,
    /// Memory beside what it has already, which differs by build.
    pub(crate) memory: Memory,
    /// The largest file that it may write, in bytes.
    pub(crate) file_bytes: u64,
    /// How many files it may have open, the three that it begins with among them.
    pub(crate) files: u64,
    /// Whether it ends with the thread that started it. One that many threads use ends when its input does.
    pub(crate) ends_with_starter: bool,
}

/// What counts as memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Memory {
    /// Everything that is mapped.
    Mapped(u64),
    /// What it may write to, and so much more that is mapped: for one whose engine reserves far more addresses than it uses.
    Writable { bytes: u64, mapped: u64 },
}

/// Closes what the parent left open beside the three pipes: files that somebody had opened before there was a host are inherited.
pub(crate) fn close_others() {
    for file in open_files().into_iter().filter(|file| *file > 2) {
        // SAFETY: the process has just begun, on its first thread, and nothing in it owns a file but the three.
        #[expect(unsafe_code, reason = "closing files that no value in this process owns")]
        unsafe {
            rustix::io::close(file);
        }
    }
}

fn open_files() -> Vec<RawFd> {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return Vec::new() };
    let files: Vec<RawFd> = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    // One of them was the folder that was read, and is closed by now.
    let is_open = |file: &RawFd| std::fs::symlink_metadata(format!("/proc/self/fd/{file}")).is_ok();
    files.into_iter().filter(is_open).collect()
}

/// Where a machine runs out of memory, this process is ended before any that has something to lose. Needs no right; where there is no such
/// setting there is nothing to do.
pub(crate) fn give_way_in_want_of_memory() {
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Sets the limits; whatever fails ends the process.
pub(crate) fn limit(allowance: Allowance) -> io::Result<()> {
    let at_most = |resource, max: u64| {
        setrlimit(resource, Rlimit { current: Some(max), maximum: Some(max) }).map_err(io::Error::from)
    };
    #[cfg(target_os = "linux")]
    if allowance.ends_with_starter {
        // The host gone, nobody waits for an answer.
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    }
    if allowance.nice > 0 {
        nice(allowance.nice)?;
    }
    at_most(Resource::Core, 0)?;
    at_most(Resource::Fsize, allowance.file_bytes)?;
    match allowance.memory {
        Memory::Mapped(bytes) => at_most(Resource::As, bytes.saturating_add(bytes_of_statm(0)))?,
        Memory::Writable { bytes, mapped } => {
            at_most(Resource::Data, bytes.saturating_add(bytes_of_statm(5)))?;
            at_most(Resource::As, bytes.saturating_add(mapped).saturating_add(bytes_of_statm(0)))?;
        }
    }
    // The pipes and nothing more: a file that it opened could only be one that it should not.
    at_most(Resource::Nofile, allowance.files)?;
    if let Some(seconds) = allowance.cpu_seconds {
        // At the first the system ends it by a signal that says why.
        let cpu = Rlimit { current: Some(seconds), maximum: Some(seconds.saturating_add(1)) };
        setrlimit(Resource::Cpu, cpu)?;
    }
    Ok(())
}

/// Bytes that the process has already, by the place of their kind in what the system tells: 0 are all, 5 those that it may write to.
fn bytes_of_statm(place: usize) -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split_whitespace().nth(place)?.parse::<u64>().ok());
    pages.unwrap_or(0).saturating_mul(rustix::param::page_size() as u64)
}
