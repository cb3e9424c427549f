//! How Linux schedules the calling thread: `sched_setattr(2)`, which no library wraps for threads without a deadline.

use std::io;
use std::time::Duration;

/// What the call takes, in its first and smallest version.
#[repr(C)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime_ns: u64,
    deadline_ns: u64,
    period_ns: u64,
}

const SIZE: u32 = 48;

/// The policy stays what it is, since whoever starts a host may have chosen it.
const KEEP_POLICY: u64 = 0x08;

const _: () = assert!(size_of::<Attributes>() == SIZE as usize);

impl Attributes {
    fn new(nice: i32, runtime_ns: u64) -> Self {
        Self { size: SIZE, policy: 0, flags: KEEP_POLICY, nice, priority: 0, runtime_ns, deadline_ns: 0, period_ns: 0 }
    }
}

/// Sets niceness and slice of the calling thread.
pub(super) fn set(nice: i32, slice: Duration) -> io::Result<()> {
    let wanted = Attributes::new(nice, u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX));
    // SAFETY: 0 is the calling thread, and the system reads as many bytes from there as `size` says and no more.
    #[expect(unsafe_code, reason = "a call of the system that no library wraps")]
    let told = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const wanted, 0) };
    if told == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The slice of the calling thread; 0 where the system knows of none.
#[cfg(test)]
pub(super) fn slice() -> io::Result<Duration> {
    let mut found = Attributes::new(0, 0);
    // SAFETY: 0 is the calling thread, and the system writes as many bytes there as it is told and no more.
    #[expect(unsafe_code, reason = "a call of the system that no library wraps")]
    let told = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut found, SIZE, 0) };
    if told == 0 { Ok(Duration::from_nanos(found.runtime_ns)) } else { Err(io::Error::last_os_error()) }
}
