//! The SHA-256 of a file: what an uploaded original is called, and how a duplicate is recognised.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

/// How much of a file is held in memory while it is hashed, in bytes.
const CHUNK: usize = 128 * 1024;

/// The SHA-256 of some content; shown and parsed as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 fingerprint")]
pub struct InvalidFingerprint;

impl Fingerprint {
    /// The fingerprint of bytes that are in memory already.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The fingerprint of a file, read in chunks on a thread that may block.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or read.
    pub async fn of_file(path: &Path) -> io::Result<Self> {
        let path = path.to_owned();
        spawn_blocking(move || Self::of_reader(File::open(path)?))
            .await
            .map_err(io::Error::other)?
    }

    /// The fingerprint of an open file from its beginning, such as one that has no name; other
    /// handles of the same file are left at its end.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn of_open(mut file: File) -> io::Result<Self> {
        let read = move || {
            file.rewind()?;
            Self::of_reader(file)
        };
        spawn_blocking(read).await.map_err(io::Error::other)?
    }

    fn of_reader(mut reader: impl Read) -> io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            match reader.read(&mut chunk) {
                Ok(0) => return Ok(Self(hasher.finalize().into())),
                Ok(length) => hasher.update(&chunk[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The 32 bytes of the hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
            return Err(InvalidFingerprint);
        };
        let pairs: &[[u8; 2]; 32] = pairs.try_into().or(Err(InvalidFingerprint))?;
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

fn digit(character: u8) -> Result<u8, InvalidFingerprint> {
    match character {
        b'0'..=b'9' => Ok(character - b'0'),
        b'a'..=b'f' => Ok(character - b'a' + 10),
        _ => Err(InvalidFingerprint),
    }
}
