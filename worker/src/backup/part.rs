//! The files of a backup: hashed while they are written and read, and encrypted on the way to the disk where somebody has named keys.
//!
//! The program `age` encrypts and decrypts: whoever restores by hand needs it anyway, and a library would bring forty crates.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    thread::JoinHandle,
};

use domain::{backup::Part, trail::hex};
use sha2::{Digest as _, Sha256};

use super::{
    BackupError, Progress, Setup, manifest,
    program::{PIECE, pump},
};

/// How much of what `age` complains about is read, in bytes.
const COMPLAINT_MAX: u64 = 4096;
/// What the names of encrypted files end with.
const SEALED: &str = ".age";

/// A file that is written.
struct Hashed {
    file: File,
    hash: Sha256,
    bytes: u64,
    progress: Arc<Progress>,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        self.progress.wrote(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

enum Sink {
    Plain(Hashed),
    Sealed(Sealing),
}

/// A file on its way through `age`.
struct Sealing {
    child: Child,
    input: Option<ChildStdin>,
    copy: Option<JoinHandle<io::Result<Hashed>>>,
}

impl Sealing {
    fn start(setup: &Setup, mut hashed: Hashed) -> io::Result<Self> {
        let mut command = Command::new(setup.programs.path("age"));
        for recipient in &setup.settings.recipients {
            command.args(["--recipient", recipient]);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.ok_or_else(|| io::Error::other("age has no pipe"))?;
        let copy = std::thread::spawn(move || {
            pump(output, |piece| hashed.write_all(piece))?;
            Ok(hashed)
        });
        Ok(Self {
            child,
            input,
            copy: Some(copy),
        })
    }

    fn finish(mut self) -> io::Result<Hashed> {
        drop(self.input.take());
        let copied = self.copy.take().and_then(|copy| copy.join().ok());
        let hashed = copied.unwrap_or_else(|| Err(io::Error::other("age is gone")))?;
        if self.child.wait()?.success() {
            Ok(hashed)
        } else {
            Err(complaint(&mut self.child))
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.input {
            Some(input) => input.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => self.why_ended(),
            _ => error,
        })
    }

    /// What it writes cannot be kept, or it has said why.
    fn why_ended(&mut self) -> io::Error {
        let copied = self.copy.take().and_then(|copy| copy.join().ok());
        match copied {
            Some(Err(error)) => error,
            _ => complaint(&mut self.child),
        }
    }
}

/// Why `age` has ended.
fn complaint(child: &mut Child) -> io::Error {
    let mut text = String::new();
    if let Some(pipe) = &mut child.stderr {
        // Without its words it is said at least that it has ended.
        let _ = pipe.take(COMPLAINT_MAX).read_to_string(&mut text);
    }
    let line = text.lines().next().unwrap_or("age has ended");
    io::Error::other(line.to_owned())
}

impl Drop for Sealing {
    fn drop(&mut self) {
        drop(self.input.take());
        // It has ended, or nobody needs it any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A part that is written.
pub(super) struct PartWriter {
    part: &'static str,
    file: String,
    sink: Sink,
}

impl PartWriter {
    /// Begins a file of this name in a backup's folder.
    ///
    /// # Errors
    /// When it is there already, or cannot be made.
    pub(super) fn create(
        setup: &Setup,
        folder: &Path,
        part: &'static str,
        name: &str,
        progress: &Arc<Progress>,
    ) -> Result<Self, BackupError> {
        let is_sealed = !setup.settings.recipients.is_empty();
        let file = if is_sealed {
            format!("{name}{SEALED}")
        } else {
            name.to_owned()
        };
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(folder.join(&file));
        let hashed = Hashed {
            file: opened.map_err(BackupError::of(part))?,
            hash: Sha256::new(),
            bytes: 0,
            progress: Arc::clone(progress),
        };
        let sink = if is_sealed {
            Sink::Sealed(
                Sealing::start(setup, hashed)
                    .map_err(|error| BackupError::about(part, format!("age: {error}")))?,
            )
        } else {
            Sink::Plain(hashed)
        };
        Ok(Self { part, file, sink })
    }

    /// Waits until it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn finish(self) -> io::Result<Part> {
        let mut hashed = match self.sink {
            Sink::Plain(hashed) => hashed,
            Sink::Sealed(sealing) => sealing.finish()?,
        };
        hashed.flush()?;
        hashed.file.sync_all()?;
        Ok(Part {
            part: self.part.to_owned(),
            file: self.file,
            bytes: hashed.bytes,
            sha256: hex(&hashed.hash.finalize()),
        })
    }
}

impl Write for PartWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.sink {
            Sink::Plain(hashed) => hashed.write(bytes),
            Sink::Sealed(sealing) => sealing.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Plain(hashed) => hashed.flush(),
            Sink::Sealed(_) => Ok(()),
        }
    }
}

/// A part that is read, decrypted if need be.
pub(super) enum PartReader {
    Plain(File),
    Sealed { child: Child, output: ChildStdout },
}

impl PartReader {
    /// Opens a file of a backup.
    ///
    /// # Errors
    /// When it cannot be opened, or is encrypted and nobody has named a key.
    pub(super) fn open(setup: &Setup, folder: &Path, part: &Part) -> Result<Self, BackupError> {
        let path = folder.join(&part.file);
        if !is_sealed(part) {
            return Ok(Self::Plain(
                File::open(&path).map_err(BackupError::at(&path))?,
            ));
        }
        let Some(identity) = setup.identity() else {
            let why = "is encrypted, and backup.identity_file names no key";
            return Err(BackupError::Refused(format!("{}: {why}", path.display())));
        };
        let mut command = Command::new(setup.programs.path("age"));
        command
            .arg("--decrypt")
            .arg("--identity")
            .arg(identity)
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| BackupError::about("age", error))?;
        let output = child
            .stdout
            .take()
            .ok_or_else(|| BackupError::about("age", "has no pipe"))?;
        Ok(Self::Sealed { child, output })
    }
}

/// Whether a part is encrypted.
pub(super) fn is_sealed(part: &Part) -> bool {
    part.file.ends_with(SEALED)
}

impl Read for PartReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Sealed { child, output } => match output.read(buffer)? {
                // That it has nothing more to say does not mean that all was well.
                0 if !buffer.is_empty() && !child.wait()?.success() => Err(complaint(child)),
                read => Ok(read),
            },
        }
    }
}

impl Drop for PartReader {
    fn drop(&mut self) {
        if let Self::Sealed { child, .. } = self {
            // It has ended, or nobody needs it any more.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What is wrong with a file of a backup; nothing when it is what the manifest says.
///
/// # Errors
/// When it cannot be read.
pub(super) fn compare(folder: &Path, part: &Part) -> io::Result<Option<String>> {
    let file = match File::open(folder.join(&part.file)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(length_differs(part, None));
        }
        opened => opened?,
    };
    if let Some(wrong) = length_differs(part, Some(file.metadata()?.len())) {
        return Ok(Some(wrong));
    }
    let mut hash = Sha256::new();
    pump(file, |piece| {
        hash.update(piece);
        Ok(())
    })?;
    let found = hex(&hash.finalize());
    Ok(
        (found != part.sha256)
            .then(|| format!("{} was changed: its SHA-256 is {found}", part.file)),
    )
}

/// What is wrong with the length of a file, which is none where it is missing; nothing when it is what the manifest says.
pub(super) fn length_differs(part: &Part, length: Option<u64>) -> Option<String> {
    match length {
        None => Some(format!("{} is missing", part.file)),
        Some(bytes) if bytes != part.bytes => Some(format!(
            "{} has {bytes} bytes, and had {}",
            part.file, part.bytes
        )),
        Some(_) => None,
    }
}

/// A file whose name comes from a manifest must be one of the backup's own.
pub(super) fn path_of(folder: &Path, part: &Part) -> Result<PathBuf, BackupError> {
    let is_plain = !part.file.is_empty()
        && !part.file.contains(['/', '\\'])
        && !part.file.starts_with('.')
        && part.file != manifest::FILE;
    if is_plain {
        Ok(folder.join(&part.file))
    } else {
        Err(BackupError::about(
            manifest::FILE,
            format!("names {:?}", part.file),
        ))
    }
}

/// A buffer for what writes in small pieces.
pub(super) fn buffered<W: Write>(writer: W) -> io::BufWriter<W> {
    io::BufWriter::with_capacity(PIECE, writer)
}
