//! The programs that are called: how they are found, and how they end.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
};

use super::{BackupError, address::OF_LIBPQ};

/// How much of what a program complains about is kept, in bytes: its end.
const COMPLAINT_MAX: usize = 4096;

/// Where the programs are.
#[derive(Clone, Debug)]
pub(super) struct Programs(PathBuf);

impl Programs {
    pub(super) fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Where this one is; its name alone where the path is to be searched.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Calls one, which ends with whoever waits for it.
    pub(super) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.path(name));
        for variable in OF_LIBPQ {
            command.env_remove(variable);
        }
        command
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// What a program says of its version.
    ///
    /// # Errors
    /// When it is not there, or fails.
    pub(super) async fn version(&self, name: &str) -> Result<String, BackupError> {
        let mut command = self.command(name);
        command.arg("--version").stdout(Stdio::piped());
        let output = command.output().await.map_err(not_started(name))?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().next().unwrap_or_default().to_owned())
    }

    /// Runs one to its end.
    ///
    /// # Errors
    /// When it is not there, or fails: its last words.
    pub(super) async fn run(
        &self,
        name: &'static str,
        mut command: Command,
    ) -> Result<(), BackupError> {
        Running::start(name, &mut command)?.ended().await
    }
}

fn not_started(name: &str) -> impl FnOnce(io::Error) -> BackupError + '_ {
    move |error| BackupError::about(name, format!("cannot be started: {error}"))
}

/// A program at work. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Running {
    name: &'static str,
    child: Child,
}

impl Running {
    /// Starts it.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) fn start(name: &'static str, command: &mut Command) -> Result<Self, BackupError> {
        let child = command.spawn().map_err(not_started(name))?;
        Ok(Self { name, child })
    }

    /// What it writes, for a thread that may block.
    ///
    /// # Errors
    /// When nobody has asked for a pipe.
    pub(super) fn output(&mut self) -> Result<File, BackupError> {
        let pipe = self.child.stdout.take().map(ChildStdout::into_owned_fd);
        self.as_file(pipe)
    }

    /// What it reads, for a thread that may block.
    ///
    /// # Errors
    /// When nobody has asked for a pipe.
    pub(super) fn input(&mut self) -> Result<File, BackupError> {
        let pipe = self.child.stdin.take().map(ChildStdin::into_owned_fd);
        self.as_file(pipe)
    }

    fn as_file(&self, pipe: Option<io::Result<std::os::fd::OwnedFd>>) -> Result<File, BackupError> {
        match pipe {
            Some(pipe) => pipe.map(File::from).map_err(BackupError::of(self.name)),
            None => Err(BackupError::about(self.name, "has no pipe")),
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it fails: its last words.
    pub(super) async fn ended(mut self) -> Result<(), BackupError> {
        let complaint = match self.child.stderr.take() {
            Some(pipe) => last_words(pipe).await,
            None => String::new(),
        };
        let status = self
            .child
            .wait()
            .await
            .map_err(BackupError::of(self.name))?;
        if status.success() {
            return Ok(());
        }
        let what = if complaint.is_empty() {
            status.to_string()
        } else {
            complaint
        };
        Err(BackupError::about(self.name, what))
    }
}

/// All that is said is read, so that nobody waits; the end of it is kept, in one line.
async fn last_words(pipe: ChildStderr) -> String {
    let text = tail(pipe).await;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("; ")
}

async fn tail(mut pipe: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
        kept.extend_from_slice(buffer.get(..read).unwrap_or_default());
        kept.drain(..kept.len().saturating_sub(COMPLAINT_MAX));
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Reads all there is in large pieces.
///
/// # Errors
/// When it cannot be read, or `take` fails.
pub(super) fn pump(
    mut from: impl io::Read,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; PIECE];
    loop {
        let read = match from.by_ref().read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        take(buffer.get(..read).unwrap_or_default())?;
    }
}

/// How much is on its way at once, in bytes.
pub(super) const PIECE: usize = 1 << 20;
