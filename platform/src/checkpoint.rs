//! Checkpoints of the trail: what is sealed, written down outside of the database and signed. Whoever owns the database cannot take back
//! what is in this file.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::trail::{Checkpoints, Sealed, hex};
use ring::{
    rand::SystemRandom,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use serde::{Deserialize, Serialize};

/// What can be wrong with keys and checkpoints.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds no key.
    #[error("{0}: is no key")]
    NoKey(PathBuf),
    /// A line is not what was written.
    #[error("{path}, line {line}: {fault}")]
    Line {
        /// In which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Why.
        fault: &'static str,
    },
}

fn of(path: &Path) -> impl FnOnce(std::io::Error) -> CheckpointError + '_ {
    move |source| CheckpointError::File {
        path: path.to_owned(),
        source,
    }
}

/// One line of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checkpoint {
    version: u8,
    seal: i64,
    hash: String,
    rows: i64,
    at: String,
    key: String,
    signature: String,
}

impl Checkpoint {
    /// What is signed.
    fn text(&self) -> String {
        format!(
            "goldshop checkpoint|{}|{}|{}|{}|{}|{}",
            self.version, self.seal, self.hash, self.rows, self.at, self.key
        )
    }
}

/// The key that signs.
pub struct SigningKey(Ed25519KeyPair);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    /// Makes a key and writes it into a file of its owner alone, and what verifies its signatures into another, `….pub`.
    ///
    /// # Errors
    /// When there is such a file already, or it cannot be written.
    pub fn create(path: &Path) -> Result<Self, CheckpointError> {
        let no_key = |_error| CheckpointError::NoKey(path.to_owned());
        let secret = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(no_key)?;
        write_new(path, 0o600, STANDARD.encode(secret.as_ref()).as_bytes())?;
        let key = Self::read(path)?;
        let mut public = path.as_os_str().to_owned();
        public.push(".pub");
        let text = format!("{}\n", hex(key.0.public_key().as_ref()));
        write_new(Path::new(&public), 0o644, text.as_bytes())?;
        Ok(key)
    }

    /// Reads the key.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no key.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let text = std::fs::read_to_string(path).map_err(of(path))?;
        let bytes = STANDARD.decode(text.trim()).ok();
        let key = bytes.and_then(|bytes| Ed25519KeyPair::from_pkcs8(&bytes).ok());
        key.map(Self)
            .ok_or_else(|| CheckpointError::NoKey(path.to_owned()))
    }

    /// What verifies its signatures.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().to_owned())
    }

    /// Adds a checkpoint to a file, and waits until it is on the disk.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&self, path: &Path, sealed: &Sealed) -> Result<(), CheckpointError> {
        let mut line = Checkpoint {
            version: 1,
            seal: sealed.number,
            hash: sealed.hash.clone(),
            rows: sealed.rows,
            at: sealed.at.to_rfc3339(),
            key: self.public().id(),
            signature: String::new(),
        };
        line.signature = STANDARD.encode(self.0.sign(line.text().as_bytes()));
        let mut text = serde_json::to_string(&line).map_err(|error| of(path)(error.into()))?;
        text.push('\n');
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(of(path))?;
        file.write_all(text.as_bytes()).map_err(of(path))?;
        file.sync_data().map_err(of(path))
    }
}

fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), CheckpointError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(of(path))?;
    file.write_all(bytes).map_err(of(path))?;
    file.sync_all().map_err(of(path))
}

/// What verifies signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// Reads it: hexadecimal digits.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no key.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let text = std::fs::read_to_string(path).map_err(of(path))?;
        let text = text.trim();
        let byte = |place: usize| {
            let digits = text.get(place..place + 2)?;
            u8::from_str_radix(digits, 16).ok()
        };
        let bytes: Option<Vec<_>> = (0..text.len()).step_by(2).map(byte).collect();
        let bytes = bytes.filter(|bytes| bytes.len() == 32);
        bytes
            .map(Self)
            .ok_or_else(|| CheckpointError::NoKey(path.to_owned()))
    }

    /// What tells it from others.
    #[must_use]
    pub fn id(&self) -> String {
        hex(self.0.get(..8).unwrap_or_default())
    }

    /// Reads all checkpoints of a file. Each has to be signed, and they go up.
    ///
    /// # Errors
    /// When the file cannot be read, or the first line that is not what was written.
    pub fn checkpoints(&self, path: &Path) -> Result<Checkpoints, CheckpointError> {
        let file = File::open(path).map_err(of(path))?;
        let mut all: Checkpoints = BTreeMap::new();
        for (index, line) in BufReader::new(file).lines().enumerate() {
            let line = line.map_err(of(path))?;
            let fault = |fault| CheckpointError::Line {
                path: path.to_owned(),
                line: index + 1,
                fault,
            };
            let line: Checkpoint =
                serde_json::from_str(&line).map_err(|_error| fault("is no checkpoint"))?;
            self.check(&line).map_err(fault)?;
            if all.keys().next_back().is_some_and(|last| *last > line.seal) {
                return Err(fault("is older than the line above it"));
            }
            let seal = line.seal;
            if all
                .insert(seal, line.hash.clone())
                .is_some_and(|was| was != line.hash)
            {
                return Err(fault(
                    "says something else of a seal than the line above it",
                ));
            }
        }
        Ok(all)
    }

    fn check(&self, line: &Checkpoint) -> Result<(), &'static str> {
        if line.version != 1 {
            return Err("is of a version that is not known");
        }
        let signature = STANDARD.decode(&line.signature).unwrap_or_default();
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(line.text().as_bytes(), &signature)
            .map_err(|_error| "is not signed by this key")
    }
}
