//! What a process of the sandbox takes of itself before it sees a byte of a stranger's.

use std::io;
use std::os::fd::RawFd;

use rustix::process::{Resource, Rlimit, nice, setrlimit};

/// How much less of a core than its parent it gets, so that cases come first.
const NICE: i32 = 10;

/// Limits of such a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    /// Processor time; none counts for one that lives on.
    pub(crate) cpu_seconds: Option<u64>,
    /// Memory beside the program itself, whose own size differs by build.
    pub(crate) memory_bytes: u64,
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

/// Sets the limits; whatever fails ends the process.
pub(crate) fn limit(allowance: Allowance) -> io::Result<()> {
    let at_most = |resource, max: u64| {
        setrlimit(resource, Rlimit { current: Some(max), maximum: Some(max) }).map_err(io::Error::from)
    };
    // The host gone, nobody waits for an answer.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    nice(NICE)?;
    at_most(Resource::Core, 0)?;
    at_most(Resource::Fsize, 0)?;
    at_most(Resource::As, allowance.memory_bytes.saturating_add(mapped_bytes()))?;
    // The three pipes and nothing more: a file that it opened could only be one that it should not.
    at_most(Resource::Nofile, 3)?;
    if let Some(seconds) = allowance.cpu_seconds {
        // At the first the system ends it by a signal that says why.
        let cpu = Rlimit { current: Some(seconds), maximum: Some(seconds.saturating_add(1)) };
        setrlimit(Resource::Cpu, cpu)?;
    }
    Ok(())
}

/// What of the address space is taken already.
fn mapped_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    pages.unwrap_or(0).saturating_mul(rustix::param::page_size() as u64)
}
