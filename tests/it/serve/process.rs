//! `redress serve` as a process: its first line, its first key, its signals, its failures.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Any port that is free.
const ANY: &str = "127.0.0.1:0";

/// A host in a process of its own.
struct Process {
    child: Child,
    address: String,
}

fn command(folder: &Path, listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redress-under-test"));
    command.arg("serve").arg("--data").arg(folder).args(["--listen", listen, "--log", "json"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Process {
    fn start(folder: &Path) -> Self {
        let mut child = command(folder, ANY).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://").unwrap_or_else(|| panic!("{line:?}"));
        Self { address: address.to_owned(), child }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// How it ended, and what it said on standard error.
    fn ended(mut self) -> (ExitStatus, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > Duration::from_secs(60) {
                self.child.kill().unwrap();
                panic!("it did not end");
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status, said)
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }
}

fn read(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_first_start_writes_a_key_that_only_its_owner_reads_and_the_second_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("operator.key");
    let process = Process::start(folder.path());
    let key = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let mut asked = process.connect();
    let request = format!(
        "GET /metrics HTTP/1.1\r\nhost: redress\r\nx-forwarded-for: 203.0.113.7\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        key.trim_end()
    );
    asked.write_all(request.as_bytes()).unwrap();
    assert!(read(asked).starts_with("HTTP/1.1 200 "), "the key is the operator's");
    process.signal("TERM");
    let (status, said) = process.ended();
    assert!(status.success(), "{said}");
    assert!(said.contains("operator.key") && !said.contains(key.trim_end()), "{said}");

    let again = Process::start(folder.path());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), key);
    again.signal("INT");
    assert!(again.ended().0.success());
}

/// A merchant, made before the host runs.
fn with_merchant() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_redress-under-test"));
    command.args(["tenant", "create", "shop", "--zone", "Europe/London", "--currency", "GBP", "--locale", "en"]);
    let output = command.args(["--jurisdiction", "UK", "--data"]).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

/// A request that the host has begun to answer: it has asked for the body.
fn begun(process: &Process, folder: &Path, length: usize) -> (TcpStream, String) {
    let key = std::fs::read_to_string(folder.join("operator.key")).unwrap().trim_end().to_owned();
    let head = format!(
        "POST /v1/cases HTTP/1.1\r\nhost: redress\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         redress-tenant: shop\r\nidempotency-key: one\r\nx-request-id: mine-1\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n"
    );
    let mut stream = process.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut first = vec![0; go_on.len()];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(String::from_utf8_lossy(&first), String::from_utf8_lossy(go_on));
    (stream, key)
}

#[test]
fn a_request_in_flight_is_answered_before_the_process_ends_and_the_log_is_json() {
    let folder = with_merchant();
    let process = Process::start(folder.path());
    let (mut slow, key) = begun(&process, folder.path(), 15);
    process.signal("TERM");
    let refused = Instant::now();
    while TcpStream::connect(&process.address).is_ok() {
        assert!(refused.elapsed() < Duration::from_secs(8), "no connection is taken any more");
    }
    slow.write_all(b"{\"kind\": \"x y\"}").unwrap();
    let answer = read(slow);
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(answer.contains("\"code\""), "{answer}");
    let (status, said) = process.ended();
    assert_eq!(status.code(), Some(0), "{said}");
    let lines: Vec<serde_json::Value> =
        said.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect();
    let request = lines.iter().find(|line| line["request.id"] == "mine-1").unwrap_or_else(|| panic!("{said}"));
    assert_eq!((&request["http.route"], &request["tenant"]), (&"/v1/cases".into(), &"shop".into()), "{request}");
    assert!(request["duration_ms"].is_u64() && request["key.id"].is_string(), "{request}");
    assert!(!said.contains(&key) && !said.contains("x y"), "keys and bodies are not for the log: {said}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = with_merchant();
    let process = Process::start(folder.path());
    let (_slow, _) = begun(&process, folder.path(), 200);
    process.signal("TERM");
    let refused = Instant::now();
    while TcpStream::connect(&process.address).is_ok() {
        assert!(refused.elapsed() < Duration::from_secs(8), "no connection is taken any more");
    }
    process.signal("TERM");
    let begun = Instant::now();
    let (status, said) = process.ended();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(5), "it waits for its requests: {:?}", begun.elapsed());
}

#[test]
fn a_folder_in_use_and_an_address_in_use_are_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path());
    let output = command(folder.path(), ANY).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("error[data_in_use]") && said.contains("help: "), "{said}");

    let other = tempfile::tempdir().unwrap();
    let output = command(other.path(), &process.address).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("error[listen_failed]") && said.contains(&process.address), "{said}");
    assert!(said.contains("another program listens there"), "{said}");
    process.signal("TERM");
    assert!(process.ended().0.success());
}
