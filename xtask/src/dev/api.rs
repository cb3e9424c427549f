//! Requests to the host, by curl: what the guide shows can do what the demo needs, and nothing else has to be built.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde_json::Value as Json;

/// The host, as the owner of a key sees it.
pub(super) struct Api<'a> {
    host: &'a str,
    key: PathBuf,
}

/// What curl says in place of a status where nobody answers.
const NO_ANSWER: u16 = 0;

impl<'a> Api<'a> {
    pub(super) fn new(host: &'a str, key: PathBuf) -> Self {
        Self { host, key }
    }

    /// What is there, or nothing.
    pub(super) fn get(&self, address: &str) -> anyhow::Result<Option<Json>> {
        match self.ask("GET", address, None)? {
            (404, _) => Ok(None),
            (200, answer) => Ok(Some(answer)),
            (status, answer) => bail!("GET {address} was answered with {status}: {answer}"),
        }
    }

    /// Put something in its place.
    pub(super) fn put(&self, address: &str, body: &Json) -> anyhow::Result<()> {
        match self.ask("PUT", address, Some(body))? {
            (200..300, _) => Ok(()),
            (status, answer) => bail!("PUT {address} was answered with {status}: {answer}"),
        }
    }

    fn ask(&self, method: &str, address: &str, body: Option<&Json>) -> anyhow::Result<(u16, Json)> {
        let key = std::fs::read_to_string(&self.key).with_context(|| format!("the key {}", self.key.display()))?;
        let mut config = format!("request = \"{method}\"\nurl = {}\n", quoted(&format!("{}{address}", self.host)));
        config.push_str(&format!("header = {}\n", quoted(&format!("Authorization: Bearer {}", key.trim()))));
        if let Some(body) = body {
            config.push_str("header = \"Content-Type: application/json\"\n");
            config.push_str(&format!("data-binary = {}\n", quoted(&body.to_string())));
        }
        curl(&config)
    }
}

/// Whether the host says that it is ready.
pub(super) fn is_ready(host: &str) -> bool {
    curl(&format!("url = {}\n", quoted(&format!("{host}/readyz")))).is_ok_and(|(status, _)| status == 200)
}

/// What anybody may read.
pub(super) fn read(address: &str) -> anyhow::Result<Json> {
    let (status, answer) = curl(&format!("url = {}\n", quoted(address)))?;
    if status != 200 {
        bail!("{address} was answered with {status}: {answer}");
    }
    Ok(answer)
}

/// On its standard input, so that no key is among the arguments, which others on the machine can read.
fn curl(config: &str) -> anyhow::Result<(u16, Json)> {
    let mut command = Command::new("curl");
    // `--disable` comes first: what the user has in a `.curlrc` is for the user's own requests.
    command.args(["--disable", "--silent", "--noproxy", "*", "--max-time", "60"]);
    command.args(["--write-out", "\n%{http_code}", "--config", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("could not start curl")?;
    child.stdin.take().context("standard input is piped")?.write_all(config.as_bytes())?;
    let output = String::from_utf8(child.wait_with_output()?.stdout).context("the answer is not UTF-8")?;
    let (body, status) = output.rsplit_once('\n').context("curl tells the status")?;
    let body = if body.is_empty() { Json::Null } else { serde_json::from_str(body).unwrap_or_else(|_| body.into()) };
    Ok((status.parse().unwrap_or(NO_ANSWER), body))
}

/// As a configuration of curl has it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// As a shell has it, for what is shown.
pub(super) fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_goes_through_a_configuration_unchanged() {
        assert_eq!(quoted(r#"{"note":"a \"b\" \\ c"}"#), r#""{\"note\":\"a \\\"b\\\" \\\\ c\"}""#);
    }

    #[test]
    fn a_folder_with_a_blank_is_one_word_of_a_shell() {
        assert_eq!(shown(Path::new("target/dev")), "target/dev");
        assert_eq!(shown(Path::new("my demo")), "'my demo'");
    }

    #[test]
    fn where_nobody_listens_nothing_is_ready() {
        assert!(!is_ready("http://127.0.0.1:1"));
    }
}
