//! Processes that run plugins: closed in, replaced when they are lost, and believed in nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use redress_sandbox::cell::Program;
use redress_sandbox::{Attempt, CallError, Config, Error, Limits, Sandbox, Wall};
use rustix::process::{Pid, Signal, kill_process};

use crate::guests::{counting, integer_step};
use crate::{ask, integer, patient, program};

fn behind(program: Program, limits: Limits) -> Result<Sandbox, Error> {
    Sandbox::new(Config { limits, wall: Wall::Cells(program), ..Config::default() })
}

fn walled(limits: Limits) -> Sandbox {
    behind(program(), limits).unwrap()
}

/// The one process of a sandbox that ran one call at a time.
fn only_process(sandbox: &Sandbox) -> u32 {
    let [process] = sandbox.processes()[..] else { panic!("{:?}", sandbox.processes()) };
    process
}

fn told_by_the_system(process: u32, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{process}/{file}")).unwrap()
}

fn field(process: u32, name: &str) -> String {
    let status = told_by_the_system(process, "status");
    status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
}

fn signal(process: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

fn five(sandbox: &Sandbox) -> Attempt {
    ask(sandbox, &integer_step("n", "(i64.const 5)"))
}

#[test]
fn a_process_has_nothing_of_its_host_and_can_get_nothing() {
    let sandbox = walled(patient());
    assert_eq!(integer(five(&sandbox)), 5);
    let process = only_process(&sandbox);
    assert_ne!(process, std::process::id());
    assert_eq!(told_by_the_system(process, "environ"), "");
    assert_eq!(std::fs::read_link(format!("/proc/{process}/cwd")).unwrap(), Path::new("/"));
    let files = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
    assert_eq!(files, 3, "input, output and errors");
    // 2 is a filter of what it may ask of the system.
    assert_eq!([field(process, "Seccomp:"), field(process, "NoNewPrivs:")], ["2", "1"]);
    let limits = told_by_the_system(process, "limits");
    let limit = |name: &str| limits.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
    let of_files = ["Max open files", "Max core file size", "Max file size"].map(limit);
    assert_eq!(of_files, [Some("3"), Some("0"), Some("0")]);
    assert!(limit("Max data size").is_some_and(|bytes| bytes != "unlimited"), "{limits}");
}

#[test]
fn a_process_that_is_killed_costs_no_call() {
    let sandbox = walled(patient());
    assert_eq!(integer(five(&sandbox)), 5);
    let first = only_process(&sandbox);
    signal(first, Signal::KILL);
    assert_eq!(integer(five(&sandbox)), 5);
    assert_ne!(only_process(&sandbox), first);
    let stats = sandbox.stats();
    assert_eq!((stats.processes_lost, stats.calls, stats.errors.len()), (1, 2, 0), "{stats:?}");
}

#[test]
fn processes_that_are_all_killed_while_nobody_uses_them_cost_no_call_and_no_load() {
    let sandbox = walled(patient());
    let gate = std::sync::Barrier::new(3);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                gate.wait();
                for _ in 0..50 {
                    assert_eq!(integer(five(&sandbox)), 5);
                }
            });
        }
    });
    for process in sandbox.processes() {
        signal(process, Signal::KILL);
        while field(process, "State:").starts_with(['R', 'S', 'D']) {
            std::thread::yield_now();
        }
    }
    ask(&sandbox, &counting()).result.unwrap();
    assert_eq!((integer(five(&sandbox)), sandbox.stats().errors.len()), (5, 0), "{:?}", sandbox.stats());
}

#[test]
fn a_process_that_hangs_is_ended_and_costs_no_call() {
    let sandbox = walled(Limits { cell_answer_ms: 5_000, ..patient() });
    assert_eq!(integer(five(&sandbox)), 5);
    let first = only_process(&sandbox);
    signal(first, Signal::STOP);
    let begun = Instant::now();
    assert_eq!(integer(five(&sandbox)), 5);
    assert!(begun.elapsed() >= Duration::from_millis(5_000));
    assert!(!Path::new(&format!("/proc/{first}")).exists(), "it is still there");
    assert_eq!(sandbox.stats().processes_lost, 1);
}

#[test]
fn a_process_that_cannot_be_had_is_known_at_the_start() {
    let said = |path: &str, args: &[&str]| {
        let program = Program { path: path.into(), args: args.iter().map(Into::into).collect() };
        match behind(program, Limits { cell_answer_ms: 5_000, ..patient() }) {
            Err(Error::Cell { detail }) => detail,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("{path} {args:?} runs plugins"),
        }
    };
    let shell = |script: &str| said("/bin/sh", &["-c", script]);
    assert!(said("/nonexistent", &[]).contains("No such file"));
    assert!(shell("echo no >&2; exit 3").contains("exit status: 3: no"), "{}", shell("echo no >&2; exit 3"));
    assert!(shell("cat > /dev/null").contains("in time"), "{}", shell("cat > /dev/null"));
    let shouting = shell("cat /dev/zero");
    assert!(shouting.contains("was ended"), "{shouting}");
    let long = shell(r"printf '\377\377\377\377'; cat > /dev/null");
    assert!(long.contains("4294967295 bytes"), "{long}");
    // A greeting as it must be, of another engine.
    let other = shell(r"printf '\0\0\0\041'; head -c 33 /dev/zero; cat > /dev/null");
    assert!(other.contains("another engine"), "{other}");
}

/// A process that greets as one of this engine does, says that it took a plugin in, and then something else.
fn impostor(then: &str) -> Program {
    let sandbox = walled(patient());
    let engine = sandbox.fingerprint().rsplit(' ').next().unwrap().to_owned();
    let octal = |byte: &[u8]| format!("\\{:03o}", u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 16).unwrap());
    let engine: String = engine.as_bytes().chunks(2).map(octal).collect();
    let script = format!(r"printf '\0\0\0\041{engine}\0'; printf '\0\0\0\001\0'; {then}");
    Program { path: "/bin/sh".into(), args: vec!["-c".into(), script.into()] }
}

#[test]
fn a_process_that_says_what_none_says_decides_nothing_and_is_ended() {
    let sandbox = behind(impostor("exec cat /dev/zero"), patient()).unwrap();
    let error = five(&sandbox).result.unwrap_err();
    assert!(matches!(error, CallError::ProcessLost { .. }) && error.is_infrastructure(), "{error}");
    assert_eq!(error.code(), "sandbox_process_lost");
    // It was tried in a second one.
    assert_eq!((sandbox.processes().len(), sandbox.stats().processes_lost), (0, 2));
}

#[test]
fn what_a_process_says_went_wrong_is_passed_on_without_what_a_terminal_obeys() {
    // What a call ends with when the host failed, in the words ESC and x.
    let outcome = r"printf '\0\0\0\010\001\013\002\033x\0\0\0'; exec cat > /dev/null";
    let sandbox = behind(impostor(outcome), patient()).unwrap();
    assert_eq!(five(&sandbox).result, Err(CallError::Host { detail: "x".to_owned() }));
}

#[test]
fn a_process_closes_every_file_that_it_inherits() {
    let Program { path, .. } = program();
    let script = format!("exec 7< /dev/null 9> /dev/null; exec {} run", path.display());
    let sandbox =
        behind(Program { path: "/bin/sh".into(), args: vec!["-c".into(), script.into()] }, patient()).unwrap();
    assert_eq!(integer(five(&sandbox)), 5);
    let files = std::fs::read_dir(format!("/proc/{}/fd", only_process(&sandbox))).unwrap().count();
    assert_eq!(files, 3);
}

#[test]
fn threads_that_come_last_have_processes_that_come_last() {
    let own = rustix::process::getpriority_process(None).unwrap();
    if own >= 19 {
        println!("SKIPPED: this is as patient as a process can be, and no other is more so");
        return;
    }
    let sandbox = walled(patient());
    assert_eq!(integer(five(&sandbox)), 5);
    std::thread::scope(|scope| {
        let patient = scope.spawn(|| {
            rustix::process::nice(5).unwrap();
            assert_eq!(integer(five(&sandbox)), 5);
        });
        patient.join().unwrap();
    });
    // Both are idle now, and each is taken by its own.
    assert_eq!(integer(five(&sandbox)), 5);
    let niceness = |process: &u32| {
        let stat = told_by_the_system(*process, "stat");
        let (_, fields) = stat.rsplit_once(')').unwrap();
        fields.split_whitespace().nth(16).unwrap().parse::<i32>().unwrap()
    };
    let mut all: Vec<i32> = sandbox.processes().iter().map(niceness).collect();
    all.sort_unstable();
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(all[1] - all[0], 5.min(19 - own), "{all:?}");
}

#[test]
fn plugins_that_do_not_fit_together_take_turns_in_a_process() {
    let sandbox = walled(Limits { cell_code_bytes_max: 1, ..patient() });
    for number in 0..3 {
        for guest in [integer_step("n", "(i64.const 5)"), integer_step("n", "(i64.const 6)")] {
            ask(&sandbox, &guest).result.unwrap();
            assert_eq!(integer(five(&sandbox)), 5, "{number}");
        }
    }
    assert_eq!((sandbox.processes().len(), sandbox.stats().processes_lost), (1, 0));
}

#[test]
fn processes_end_with_their_sandbox() {
    let sandbox = walled(patient());
    ask(&sandbox, &counting()).result.unwrap();
    let process = only_process(&sandbox);
    drop(sandbox);
    assert!(!Path::new(&format!("/proc/{process}")).exists());
}
