//! How a cell closes itself in: from here on the system lets it read and write what it has open, and use its memory, and ends it for
//! anything else.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// What a running cell asks of the system: its socket, memory, locks, time to wait, seeds of the standard library's maps, and its end.
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_membarrier,
    libc::SYS_sched_yield,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_restart_syscall,
    libc::SYS_getrandom,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// What copy-on-write images take besides: a file that is in no folder, and its seals. Other commands of `fcntl` would let a cell have its host
/// sent signals.
const ALLOWED_FOR_IMAGES: &[libc::c_long] = &[libc::SYS_memfd_create];
const ALLOWED_OF_FCNTL: &[libc::c_int] = &[libc::F_ADD_SEALS, libc::F_GET_SEALS, libc::F_GETFD];

/// Closes all threads of this process in, for good.
pub(super) fn close(copy_on_write: bool) -> Result<(), String> {
    let filter = filter(copy_on_write).map_err(|error| error.to_string())?;
    let program: BpfProgram = filter.try_into().map_err(|error: seccompiler::BackendError| error.to_string())?;
    seccompiler::apply_filter_all_threads(&program).map_err(|error| error.to_string())
}

fn filter(copy_on_write: bool) -> Result<SeccompFilter, seccompiler::BackendError> {
    let images: &[libc::c_long] = if copy_on_write { ALLOWED_FOR_IMAGES } else { &[] };
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().chain(images).map(|call| (*call, Vec::new())).collect();
    // A panic that aborts signals its own process.
    let own = u64::from(std::process::id());
    let to_itself = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own)?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![to_itself])?]);
    if copy_on_write {
        rules.insert(
            libc::SYS_fcntl,
            ALLOWED_OF_FCNTL.iter().map(|command| of_fcntl(*command)).collect::<Result<_, _>>()?,
        );
    }
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch)
}

fn of_fcntl(command: libc::c_int) -> Result<SeccompRule, seccompiler::BackendError> {
    let is_this =
        SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, u64::from(command.unsigned_abs()))?;
    SeccompRule::new(vec![is_this])
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    use super::close;

    /// Names one thing that is tried in a cage, in a process that does nothing but that.
    const TRIED: &str = "REDRESS_TEST_TRIED";

    /// What a plugin that broke out of the sandbox would try, and what a cell goes on doing.
    fn tried(what: &str) {
        match what {
            "a file" => drop(std::fs::File::open("/dev/null")),
            "a connection" => drop(std::net::TcpStream::connect("127.0.0.1:1")),
            "a program" => drop(Command::new("/bin/true").status()),
            "a thread" => drop(std::thread::Builder::new().spawn(|| ())),
            "the signal of another" => assert!(rustix::process::test_kill_process(rustix::process::Pid::INIT).is_ok()),
            "a file of its own" => drop(rustix::fs::memfd_create("own", rustix::fs::MemfdFlags::CLOEXEC)),
            // The first command of those that lead there; it changes nothing.
            "signals for another" => drop(rustix::fs::fcntl_getfl(std::io::stdin())),
            "memory" => assert_eq!(vec![1_u8; 8 << 20].iter().map(|one| u64::from(*one)).sum::<u64>(), 8 << 20),
            "an abort" => std::process::abort(),
            "a panic" => drop(std::panic::catch_unwind(|| panic!("caught"))),
            _ => drop(std::time::Instant::now()),
        }
    }

    #[test]
    fn inside_of_the_cage() {
        let Some(what) = std::env::var_os(TRIED) else { return };
        let what = what.into_string().unwrap();
        let of_image = what.strip_prefix("with images: ");
        close(of_image.is_some()).unwrap();
        tried(of_image.unwrap_or(&what));
        // Whoever looks wants to see that it came this far; no test harness is left to end it.
        std::process::exit(0);
    }

    /// How a process ends that tries this in a cage: by itself, or by which signal.
    fn end_of(what: &str) -> Option<i32> {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "cell::cage::tests::inside_of_the_cage", "--test-threads=1"]).env(TRIED, what);
        let ended = command.env("RUST_BACKTRACE", "0").output().unwrap().status;
        assert!(ended.code().is_none_or(|code| code == 0), "{what}: {ended}");
        ended.signal()
    }

    #[test]
    fn who_reaches_out_of_the_cage_is_ended_and_who_computes_is_not() {
        for what in [
            "a file",
            "a connection",
            "a program",
            "a thread",
            "the signal of another",
            "a file of its own",
            "with images: signals for another",
        ] {
            assert_eq!(end_of(what), Some(libc::SIGSYS), "{what}");
        }
        // A program that gives up may signal itself.
        assert_eq!(end_of("an abort"), Some(libc::SIGABRT));
        for what in ["memory", "a panic", "time", "with images: a file of its own"] {
            assert_eq!(end_of(what), None, "{what}");
        }
    }
}
