//! The real binary: built once, started on a port that the system chooses, and ended in every way.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::client::Client;
use crate::database::Database;
use crate::scratch;

/// Greatest time to wait until a server is ready or has ended. It only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. When it is dropped, it is killed; if the test is failing, its log is printed.
#[derive(Debug)]
pub struct Florin {
    child: Option<Child>,
    ready: Ready,
    /// Lines of standard output after the first; closed when the process has ended.
    lines: Receiver<String>,
    log: PathBuf,
}

/// The first line of `florin serve --json`, written when it accepts requests.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ready {
    api: String,
    key: Option<String>,
    webhook_secret: Option<String>,
    sandbox: Option<String>,
    /// The addresses of all providers that it plays, by name, if it has several.
    sandboxes: BTreeMap<String, String>,
}

impl Florin {
    /// Starts `florin serve` on this database and returns when it is ready.
    ///
    /// `arguments` follow after `serve`. They replace the harness's own `--database-url`, `--listen 127.0.0.1:0` and
    /// `--data-dir` if they name them.
    pub fn start(database: &Database, arguments: &[&str]) -> Self {
        Self::start_with_environment(database, arguments, &[])
    }

    /// As [`Florin::start`], with environment variables, for example of a failpoint.
    pub fn start_with_environment(
        database: &Database,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = florin_command();
        command.arg("serve").arg("--json");
        let is_named = |flag: &str| {
            arguments
                .iter()
                .any(|argument| argument.split('=').next() == Some(flag))
        };
        if !is_named("--database-url") {
            command.args(["--database-url", database.url()]);
        }
        if !is_named("--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        if !is_named("--data-dir") {
            command.arg("--data-dir").arg(database.data_dir());
        }
        command.args(arguments).envs(environment.iter().copied());
        Self::spawn(command, database.folder())
    }

    /// As [`Florin::start`], through another program that gets the command line: `unshare`, `setpriv`.
    pub fn start_by(program: &[&str], database: &Database, arguments: &[&str]) -> Self {
        let (first, others) = program.split_first().expect("a program has a name");
        let mut command = Command::new(first);
        command
            .args(others)
            .arg(binary())
            .arg("serve")
            .arg("--json");
        command.args(["--listen", "127.0.0.1:0", "--data-dir"]);
        command.arg(database.data_dir()).args(arguments);
        command.current_dir(scratch::folder());
        Self::spawn(command, database.folder())
    }

    fn spawn(mut command: Command, folder: &Path) -> Self {
        let kept = tempfile::Builder::new()
            .prefix("florin-")
            .suffix(".log")
            .tempfile_in(folder);
        let (file, log) = kept.and_then(|file| Ok(file.keep()?)).expect("a log file");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        scratch::born(child.id());
        let lines = follow(child.stdout.take().expect("its output is piped"));
        let first = lines.recv_timeout(PATIENCE);
        let ready = first
            .map_err(|error| error.to_string())
            .and_then(|line| parse_ready(&line));
        match ready {
            Ok(ready) => Self {
                child: Some(child),
                ready,
                lines,
                log,
            },
            Err(reason) => {
                let ended = kill(child);
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                panic!("{command:?} is not ready ({reason}; {ended}); its log:\n{log}");
            }
        }
    }

    /// The address of the server: `http://127.0.0.1:PORT`.
    pub fn api(&self) -> &str {
        &self.ready.api
    }

    /// The API key that the server seeded. Panics in live mode, which seeds none.
    pub fn key(&self) -> &str {
        self.ready
            .key
            .as_deref()
            .expect("a server in sandbox mode says its key")
    }

    /// The secret with which the sandbox provider signs its webhooks. Panics in live mode.
    pub fn webhook_secret(&self) -> &str {
        self.ready
            .webhook_secret
            .as_deref()
            .expect("a server in sandbox mode says its webhook secret")
    }

    /// The address of the sandbox provider. Panics in live mode.
    pub fn sandbox(&self) -> &str {
        self.ready
            .sandbox
            .as_deref()
            .expect("a server in sandbox mode says where its provider is")
    }

    /// The address of the sandbox provider of this name. Panics if the server has no other providers.
    pub fn sandbox_called(&self, name: &str) -> &str {
        let url = self.ready.sandboxes.get(name);
        url.unwrap_or_else(|| panic!("a server says where the provider {name} is"))
    }

    /// A client with the seeded key.
    pub fn client(&self) -> Client {
        Client::new(self.api(), self.key())
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child
            .as_ref()
            .expect("it runs until it is consumed")
            .id()
    }

    /// The log file, which remains after the server has ended.
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// The log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log is readable")
    }

    /// Kills the process with SIGKILL, and waits until it has ended.
    pub fn kill9(mut self) {
        kill(self.child.take().expect("it runs until it is consumed"));
    }

    /// Sends SIGTERM and waits until the process has ended.
    pub fn terminate(mut self) -> ExitStatus {
        self.signal("TERM");
        // The end of the output is the end of the process. A hang here must not stop the whole run.
        let deadline = std::time::Instant::now() + PATIENCE;
        let left = || deadline.saturating_duration_since(std::time::Instant::now());
        while self.lines.recv_timeout(left()).is_ok() {}
        assert!(
            !left().is_zero(),
            "florin did not end within {PATIENCE:?} of SIGTERM; its log:\n{}",
            self.log()
        );
        let mut child = self.child.take().expect("it runs until it is consumed");
        scratch::died(child.id());
        child.wait().expect("an own child can be waited for")
    }

    /// Waits until the process ends by itself, at most `patience`. Returns its status and its log; `None` if it still
    /// runs.
    pub fn ended_within(&mut self, patience: Duration) -> Option<(ExitStatus, String)> {
        let deadline = std::time::Instant::now() + patience;
        let left = || deadline.saturating_duration_since(std::time::Instant::now());
        while self.lines.recv_timeout(left()).is_ok() {}
        if left().is_zero() {
            return None;
        }
        let mut child = self.child.take().expect("it runs until it is consumed");
        scratch::died(child.id());
        let status = child.wait().expect("an own child can be waited for");
        Some((status, self.log()))
    }

    /// Sends a signal by its short name: `STOP` pauses the whole process, `CONT` resumes it.
    pub fn signal(&self, name: &str) {
        // The shell's own `kill` is used, because a program of that name does not exist on every machine.
        let pid = self.pid().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "kill", name, &pid])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "cannot send SIG{name} to florin"
        );
    }
}

impl Drop for Florin {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            kill(child);
        }
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            eprintln!("---- log of florin at {} ----\n{log}", self.ready.api);
        }
    }
}

/// Runs a verb that ends on its own (`check`, `audit verify`, `webhook sign`) with `input` on its standard input.
pub fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = florin_command();
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut pipe = child.stdin.take().expect("its input is piped");
    std::thread::scope(|threads| {
        threads.spawn(move || {
            // A verb may refuse its arguments without reading its input.
            let _unread = pipe.write_all(input);
        });
        child
            .wait_with_output()
            .expect("an own child can be waited for")
    })
}

/// The path of the binary, which is built now if it is not up to date, in the profile of the running test.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // The whole workspace is built with one binary, as a plain `cargo run` does. Naming the package would choose
        // other features for shared dependencies and compile them a second time.
        build.args([
            "build",
            "--quiet",
            "--workspace",
            "--bin",
            "florin",
            "--message-format=json",
        ]);
        build
            .arg("--profile")
            .arg(profile())
            .arg("--target-dir")
            .arg(target_folder());
        // Variables that cargo sets for the package of this test are removed. Otherwise some build scripts see them as
        // changed, and are compiled at every run with everything that depends on them.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                build.env_remove(&*name);
            }
        }
        build
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::inherit());
        let output = build.output().expect("cargo runs");
        let messages = String::from_utf8_lossy(&output.stdout);
        let path = messages.lines().find_map(executable);
        path.unwrap_or_else(|| panic!("{build:?} made no florin ({}):\n{messages}", output.status))
    })
}

/// Cargo's folder for build results, which contains the running test.
pub(crate) fn target_folder() -> PathBuf {
    let profile = profile_folder();
    profile
        .parent()
        .map(Path::to_owned)
        .expect("target/PROFILE has a parent")
}

/// The folder `target/PROFILE`: tests run as `target/PROFILE/deps/NAME`.
fn profile_folder() -> PathBuf {
    let running = std::env::current_exe().expect("a test knows its own path");
    let deps = running.ancestors().find(|folder| folder.ends_with("deps"));
    let deps = deps.unwrap_or_else(|| panic!("{} is not a test run by cargo", running.display()));
    deps.parent()
        .map(Path::to_owned)
        .expect("deps is in the profile's folder")
}

/// The name of the profile, which is the name of its folder, except that the folder of `dev` is `debug`.
fn profile() -> String {
    let folder = profile_folder();
    match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev".to_owned(),
        Some(name) => name.to_owned(),
    }
}

/// The path of the binary, if this message of cargo contains it.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_florin = message.pointer("/target/name")? == "florin";
    let path = message.get("executable")?.as_str()?;
    is_florin.then(|| PathBuf::from(path))
}

/// The command for the binary, in an empty folder, without the settings of the person who runs the tests.
fn florin_command() -> Command {
    let mut command = Command::new(binary());
    command.current_dir(scratch::folder());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FLORIN_") {
            command.env_remove(name);
        }
    }
    command.env_remove("FAILPOINTS");
    // The PostgreSQL of the tests runs without fsync. A scenario about that uses another setting.
    command.env("FLORIN_ACCEPT_DATA_LOSS", "true");
    command
}

fn parse_ready(line: &str) -> Result<Ready, String> {
    let said: Value = serde_json::from_str(line)
        .map_err(|error| format!("{error} in its first line {line:?}"))?;
    let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
    let api = text("api").ok_or_else(|| format!("no `api` in its first line {line:?}"))?;
    Ok(Ready {
        api,
        key: text("key"),
        webhook_secret: text("webhook_secret"),
        sandbox: text("sandbox"),
        sandboxes: said
            .get("sandboxes")
            .and_then(|named| serde_json::from_value(named.clone()).ok())
            .unwrap_or_default(),
    })
}

/// Reads lines until the end, so that the process never blocks on a full pipe.
fn follow(output: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // The receiver may be gone; the pipe must still be emptied.
            let _unheard = sender.send(line);
        }
    });
    receiver
}

fn kill(mut child: Child) -> String {
    scratch::died(child.id());
    // This fails only if the child has ended already.
    let _ended = child.kill();
    child
        .wait()
        .map_or_else(|error| error.to_string(), |status| status.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use super::{Florin, executable, parse_ready};
    use crate::database::{Database, Kind};

    const READY: &str = r#"{"api":"http://127.0.0.1:4","database":"sqlite","key":"sk_sandbox_1","webhook_secret":"whsec_2","sandbox":"http://127.0.0.1:5"}"#;

    /// A shell instead of the binary: these tests check how a process is started and ended.
    fn stand_in(database: &Database, script: &str) -> Florin {
        let mut command = Command::new("sh");
        command.args(["-c", script, "stand-in", READY]);
        Florin::spawn(command, database.folder())
    }

    fn database() -> Database {
        Database::fresh(Kind::Sqlite).expect("SQLite is built in")
    }

    #[test]
    fn the_first_line_says_where_and_with_which_key() {
        let ready = parse_ready(READY).expect("it says so");
        assert_eq!(
            (ready.api.as_str(), ready.key.as_deref()),
            ("http://127.0.0.1:4", Some("sk_sandbox_1"))
        );
        assert_eq!(ready.webhook_secret.as_deref(), Some("whsec_2"));
        assert_eq!(ready.sandbox.as_deref(), Some("http://127.0.0.1:5"));
        assert_eq!(
            parse_ready(r#"{"api":"http://127.0.0.1:4"}"#)
                .expect("live mode")
                .key,
            None
        );
    }

    #[test]
    fn anything_else_on_the_first_line_is_not_ready() {
        for line in ["", "listening", "[]", r#"{"api":1}"#] {
            assert!(parse_ready(line).expect_err(line).contains("first line"));
        }
    }

    #[test]
    fn the_binary_is_the_one_cargo_names() {
        let other = r#"{"reason":"compiler-artifact","target":{"name":"api"},"executable":null}"#;
        let florin =
            r#"{"reason":"compiler-artifact","target":{"name":"florin"},"executable":"/t/florin"}"#;
        assert_eq!(executable(other), None);
        assert_eq!(executable(florin), Some(PathBuf::from("/t/florin")));
    }

    #[test]
    fn a_server_asked_to_end_says_how_it_ended() {
        let database = database();
        let script = r#"
            trap 'kill $!; echo drained >&2; exit 7' TERM
            tail -f /dev/null >/dev/null &
            echo "$1"
            wait
        "#;
        let florin = stand_in(&database, script);
        assert_eq!(florin.key(), "sk_sandbox_1");
        let log = florin.log.clone();
        assert_eq!(florin.terminate().code(), Some(7));
        assert_eq!(std::fs::read_to_string(log).expect("kept"), "drained\n");
    }

    #[test]
    fn a_killed_server_is_gone_when_the_call_returns() {
        let database = database();
        let florin = stand_in(&database, r#"echo "$1"; exec tail -f /dev/null"#);
        let process = PathBuf::from(format!("/proc/{}", florin.pid()));
        assert_eq!(process.exists(), Path::new("/proc/self").exists());
        florin.kill9();
        assert!(!process.exists());
    }

    #[test]
    #[should_panic(expected = "no such setting")]
    fn a_server_that_does_not_start_shows_its_log() {
        let database = database();
        stand_in(&database, "echo no such setting >&2; exit 2");
    }
}
