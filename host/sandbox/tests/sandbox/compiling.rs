//! Compilation in a process of its own: the same code, limits that hold, and nothing left behind.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use redress_sandbox::{Compiler, Config, Limits, Refusal, Sandbox, cache};

use crate::corpus::bombs;
use crate::guests::{deny_all, integer_step};
use crate::{ask, integer, patient, usual};

/// The child of this package's tests.
fn child() -> Compiler {
    Compiler::Child { program: PathBuf::from(env!("CARGO_BIN_EXE_redress-sandbox-child")), args: Vec::new() }
}

fn program(program: &str, args: &[&str]) -> Compiler {
    Compiler::Child { program: PathBuf::from(program), args: args.iter().map(Into::into).collect() }
}

fn with(compiler: Compiler, limits: Limits) -> Sandbox {
    Sandbox::new(Config { limits, compiler, ..usual() }).unwrap()
}

/// Limits that let a bomb through to the compiler, and give a compiler that is not optimised the time of a busy machine.
fn open() -> Limits {
    Limits {
        function_bytes_max: 4 << 20,
        functions_max: 200_000,
        upload_bytes_max: 4 << 20,
        compile_cpu_seconds_max: 120,
        compile_wall_clock_ms: 300_000,
        ..patient()
    }
}

#[test]
fn a_child_compiles_the_same_code_as_this_process() {
    let artifact = |compiler: Compiler| {
        let dir = tempfile::tempdir().unwrap();
        let cache = Some(cache::Config { dir: dir.path().to_owned(), key: [7; 32] });
        let sandbox = Sandbox::new(Config { limits: open(), cache, compiler, ..usual() }).unwrap();
        let attempt = ask(&sandbox, &integer_step("n", "(i64.const 5)"));
        assert_eq!((sandbox.stats().compiled, integer(attempt)), (1, 5));
        std::fs::read(std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path()).unwrap()
    };
    assert_eq!(artifact(child()), artifact(Compiler::InProcess));
}

#[test]
pub(crate) fn what_comes_with_the_program_needs_no_child() {
    let sandbox = with(program("/nonexistent", &[]), patient());
    sandbox.load_own(&deny_all().component().unwrap()).unwrap();
    let refusal = sandbox.load(&integer_step("n", "(i64.const 5)").component().unwrap()).unwrap_err();
    assert_eq!((refusal.code(), refusal.is_infrastructure()), ("compiler_failed", true));
    assert!(refusal.to_string().contains("could not be started"), "{refusal}");
}

#[test]
fn whether_it_compiles_at_all_is_known_before_anybody_uploads() {
    with(child(), open()).try_compiler().unwrap();
    with(Compiler::InProcess, patient()).try_compiler().unwrap();
    assert_eq!(with(program("/nonexistent", &[]), patient()).try_compiler().unwrap_err().code(), "compiler_failed");
}

#[test]
pub(crate) fn a_child_that_answers_nonsense_or_nothing_is_told_from_a_bad_plugin() {
    let bytes = deny_all().component().unwrap();
    let ends = |script: &str| with(program("/bin/sh", &["-c", script]), patient()).load(&bytes).unwrap_err();
    for script in
        ["true", "exit 3", "cat", "echo redrcc01; cat /dev/zero | head -c 100000", "kill -9 $$", "kill -15 $$"]
    {
        let refusal = ends(script);
        assert_eq!(refusal.code(), "compiler_failed", "{script}: {refusal}");
    }
    // A whole answer, and code for an engine that is not this one.
    let refusal = ends("cat >/dev/null; printf redrcc01; head -c 41 /dev/zero");
    assert!(refusal.to_string().contains("not of one build"), "{refusal}");
    let refusal = ends("echo 'signal: no such register' >&2; kill -SEGV $$");
    assert_eq!(refusal.code(), "upload_compiler_panic");
    assert!(refusal.to_string().contains("no such register"), "{refusal}");
}

#[test]
fn a_child_has_no_variable_and_no_folder_of_this_process() {
    let script = r#"[ -z "$HOME$CARGO" ] && [ "$(pwd)" = / ] && echo clean >&2; kill -ABRT $$"#;
    let sandbox = with(program("/bin/sh", &["-c", script]), patient());
    let refusal = sandbox.load(&deny_all().component().unwrap()).unwrap_err();
    assert!(refusal.to_string().contains("clean"), "{refusal}");
}

#[test]
fn a_child_closes_every_file_that_it_inherits_before_it_reads() {
    let file = std::fs::File::open("/dev/null").unwrap();
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_redress-sandbox-child"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let open = || std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap().count();
    let began = Instant::now();
    // It waits for its order meanwhile.
    while open() > 3 && began.elapsed() < Duration::from_secs(20) {
        std::thread::yield_now();
    }
    let left = open();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(left, 3);
}

#[test]
pub(crate) fn a_child_that_hangs_is_killed_by_the_clock() {
    let began = Instant::now();
    let limits = Limits { compile_wall_clock_ms: 100, ..patient() };
    // The second one hangs in a child of its own, the third reads and says nothing, the last has closed its pipes.
    for script in
        ["exec sleep 60", "sleep 60; true", "cat >/dev/null; sleep 60; true", "exec >&- 2>&-; while :; do :; done"]
    {
        let sandbox = with(program("/bin/sh", &["-c", script]), limits.clone());
        let refusal = sandbox.load(&deny_all().component().unwrap()).unwrap_err();
        assert_eq!(refusal.code(), "upload_compile_timeout", "{script}: {refusal}");
    }
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn a_bomb_runs_out_of_processor_time() {
    let sandbox = with(child(), Limits { compile_cpu_seconds_max: 1, ..open() });
    let refusal = sandbox.load(&bombs::one_function(130_000).component().unwrap()).unwrap_err();
    assert_eq!(refusal, Refusal::CompileTimeout { seconds: 1 });
}

#[test]
fn a_bomb_runs_out_of_memory_and_the_host_does_not_grow() {
    let sandbox = with(child(), Limits { compile_memory_bytes_max: 48 << 20, ..open() });
    let bytes = bombs::locals_in_loops(20_000, 60).component().unwrap();
    let before = resident_kib();
    let refusal = sandbox.load(&bytes).unwrap_err();
    assert_eq!(refusal, Refusal::CompileMemory { max: 48 << 20 });
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 64 << 10, "the host grew by {grown} KiB");
}

#[test]
fn under_the_limits_of_a_host_every_bomb_is_refused_by_counting_or_ends() {
    // One second and little memory in place of ten and much: what matters is that each ends by itself.
    let limits = Limits {
        compile_cpu_seconds_max: 1,
        compile_memory_bytes_max: 128 << 20,
        compile_wall_clock_ms: 60_000,
        ..patient()
    };
    let sandbox = with(child(), limits);
    for bomb in bombs::all() {
        let began = Instant::now();
        let ends = sandbox.load(&bomb.bytes()).map_or_else(|refusal| refusal.code(), |_| "loaded");
        println!("{:<40} {ends:<24} {:?}", bomb.name, began.elapsed());
        let expected = [
            "upload_too_large",
            "upload_too_many",
            "upload_malformed",
            "upload_compile_timeout",
            "upload_compile_memory",
            "loaded",
        ];
        assert!(expected.contains(&ends), "{}: {ends}", bomb.name);
    }
}

/// Minutes, and gibibytes: by hand, with `REDRESS_BOMBS=1 cargo test --locked --workspace --test sandbox -- compiling:: --nocapture`.
#[test]
fn a_bomb_that_nothing_counts_is_killed_at_the_limits_of_its_class() {
    if std::env::var_os("REDRESS_BOMBS").is_none() {
        println!("SKIPPED: bombs at the limits of each class take minutes and 2 GiB: set REDRESS_BOMBS=1");
        return;
    }
    // What is measured is the compiler: counting lets everything through, and of time and memory one is the class's own.
    let uncounted = |limits: Limits| Limits { function_bytes_max: 8 << 20, upload_bytes_max: 128 << 20, ..limits };
    // More than a minute is taken only by a few functions of the largest size that there is, and more bytes than may be sent.
    for (limits, functions, is_interpreter) in [(Limits::default(), 1, false), (Limits::interpreter(), 8, true)] {
        let own = uncounted(limits);
        let (seconds, bytes) = (own.compile_cpu_seconds_max, own.compile_memory_bytes_max);
        let long = Limits { compile_memory_bytes_max: 16 << 30, ..own.clone() };
        let large = Limits { compile_cpu_seconds_max: 1_000, compile_wall_clock_ms: 1_000_000, ..own };
        for (limits, bomb, end) in [
            (long, bombs::large_functions(functions, 400_000), Refusal::CompileTimeout { seconds }),
            (large, bombs::locals_in_loops(49_000, 200), Refusal::CompileMemory { max: bytes }),
        ] {
            let bomb = if is_interpreter { bomb.interpreter() } else { bomb };
            let bomb = bomb.component().unwrap();
            let config = Config { limits: limits.clone(), interpreter_limits: limits, compiler: child(), ..usual() };
            let sandbox = Sandbox::new(config).unwrap();
            let (before, began) = (resident_kib(), Instant::now());
            assert_eq!(sandbox.load(&bomb).unwrap_err(), end);
            let grown = resident_kib().saturating_sub(before);
            println!("{end}: after {:?}, the host grew by {grown} KiB", began.elapsed());
            assert!(grown < 64 << 10, "the host grew by {grown} KiB");
        }
    }
}

/// What this process holds of memory.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
