//! The real programs, started as processes: to be killed, and to be two.

#![expect(
    clippy::expect_used,
    reason = "a harness that cannot start a program has to fail the test"
)]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::io::AsyncWriteExt as _;

use crate::wait::{PATIENCE, eventually, until};

/// How long a program that complains about its start may take to end.
const COMPLAINT_LIMIT: Duration = Duration::from_secs(60);

/// A running program. Killed on drop; what it said is shown when the test fails.
#[derive(Debug)]
pub struct Program {
    name: &'static str,
    process: Child,
    output: Arc<Mutex<String>>,
}

impl Program {
    /// Starts `name` from the directory into which cargo builds, with these variables and no others of ours.
    ///
    /// # Panics
    /// When it has not been built.
    #[must_use]
    pub fn spawn(
        name: &'static str,
        arguments: &[&str],
        variables: &BTreeMap<String, String>,
    ) -> Self {
        let mut process = command(name, arguments, variables)
            .stdin(Stdio::null())
            .spawn()
            .expect("a program that is there can be started");
        let output = Arc::default();
        collect(process.stdout.take(), &output);
        collect(process.stderr.take(), &output);
        Self {
            name,
            process,
            output,
        }
    }

    /// What the kernel counts of its memory (`VmRSS` is resident now, `VmHWM` the most that ever was), in bytes.
    ///
    /// # Panics
    /// When it has ended, or the kernel does not count this.
    #[must_use]
    pub fn memory(&self, counter: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))
            .expect("the kernel knows the program");
        let line = status.lines().find_map(|line| line.strip_prefix(counter));
        let kibibytes =
            line.and_then(|rest| rest.trim_start_matches(':').split_whitespace().next());
        let kibibytes: u64 = kibibytes
            .and_then(|number| number.parse().ok())
            .expect("the kernel counts it");
        kibibytes * 1024
    }

    /// Whether it is still at work.
    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().is_ok_and(|ended| ended.is_none())
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it said so far.
    #[must_use]
    pub fn output(&self) -> String {
        self.output
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until it has said this.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn says(&self, text: &str) {
        until(
            PATIENCE,
            &format!("{} says {text:?}", self.name),
            async || self.output().contains(text),
        )
        .await;
    }

    /// Kills it as a crash would (`kill -9`).
    pub fn kill(&mut self) {
        // It may have ended by itself, and then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Sends it a signal, such as `-TERM` or `-STOP`.
    ///
    /// # Panics
    /// When it has ended.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.id().to_string()])
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "{} has ended: {}",
            self.name,
            self.output()
        );
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn ended(&mut self) -> ExitStatus {
        let name = self.name;
        eventually(PATIENCE, &format!("{name} ends"), async || {
            self.process.try_wait().ok().flatten()
        })
        .await
    }
}

/// Runs a program that ends by itself, with these variables and no others of ours: how it ended, and what it said until then.
///
/// # Panics
/// When it has not been built, or does not end within seconds.
pub async fn ends_by_itself(name: &str, variables: &BTreeMap<String, String>) -> Output {
    let mut command = tokio::process::Command::new(path_of(name));
    command
        .env_clear()
        .envs(variables)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(COMPLAINT_LIMIT, command.output()).await;
    output
        .expect("the program ends within seconds")
        .expect("a program that is there can be started")
}

impl Drop for Program {
    #[expect(
        clippy::print_stderr,
        reason = "the test runner shows it with the failed test"
    )]
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- {} said:\n{}", self.name, self.output());
        }
    }
}

/// A program that has ended by itself.
#[derive(Debug)]
pub struct Ended {
    /// Whether it went well.
    pub status: ExitStatus,
    /// What it said on its standard output.
    pub output: String,
    /// What it said on its standard error.
    pub errors: String,
}

/// Runs `name` to its end, with `input` on its standard input.
///
/// # Panics
/// When it has not been built, or does not end in time.
pub async fn run(
    name: &'static str,
    arguments: &[&str],
    variables: &BTreeMap<String, String>,
    input: &str,
    deadline: Duration,
) -> Ended {
    let mut process = tokio::process::Command::from(command(name, arguments, variables))
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a program that is there can be started");
    let mut pipe = process.stdin.take().expect("the pipe was asked for");
    // It may end without having read it.
    let _ = pipe.write_all(input.as_bytes()).await;
    drop(pipe);
    let ended = tokio::time::timeout(deadline, process.wait_with_output()).await;
    let ended = ended
        .expect("it ends in time")
        .expect("what it says can be read");
    Ended {
        status: ended.status,
        output: String::from_utf8_lossy(&ended.stdout).into_owned(),
        errors: String::from_utf8_lossy(&ended.stderr).into_owned(),
    }
}

fn command(name: &str, arguments: &[&str], variables: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(path_of(name));
    command
        .args(arguments)
        .env_clear()
        .envs(variables)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The directory into which cargo builds programs. The tests themselves are in `deps` below it.
///
/// # Panics
/// When the tests are somewhere else.
#[must_use]
pub fn folder() -> PathBuf {
    let tests = std::env::current_exe().expect("a process knows its program");
    let folder = tests.parent().and_then(|deps| deps.parent());
    folder.expect("tests are two directories deep").to_owned()
}

fn path_of(name: &str) -> PathBuf {
    let path = folder().join(name);
    assert!(
        path.is_file(),
        "{} is missing: run `cargo build --workspace --bins` first",
        path.display()
    );
    path
}

fn collect(pipe: Option<impl std::io::Read + Send + 'static>, output: &Arc<Mutex<String>>) {
    let output = Arc::clone(output);
    let lines = BufReader::new(pipe.expect("the pipe was asked for")).lines();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            output.push_str(&line);
            output.push('\n');
        }
    });
}
