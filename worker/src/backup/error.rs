//! What can go wrong with backups, told apart by what to do about it.

use std::path::{Path, PathBuf};

use domain::error::Fault;

/// Why there is no backup, or nothing was restored. No text repeats a password.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Somebody else makes one. Later it can be made.
    #[error("another backup is being made in {}", .0.display())]
    Busy(PathBuf),
    /// It is not done without being told so, or cannot be done with these settings.
    #[error("{0}")]
    Refused(String),
    /// A part of it cannot be written or read.
    #[error("{part}: {fault}")]
    Part {
        /// Which one.
        part: String,
        /// Why.
        #[source]
        fault: Fault,
    },
}

impl BackupError {
    /// A sentence about a part.
    pub fn about(part: impl Into<String>, what: impl Into<Fault>) -> Self {
        Self::Part {
            part: part.into(),
            fault: what.into(),
        }
    }

    /// An error of a part.
    pub fn of<E: Into<Fault>>(part: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::about(part, error)
    }

    /// An error of a file.
    pub fn at<E: Into<Fault>>(path: &Path) -> impl FnOnce(E) -> Self + '_ {
        move |error| Self::about(path.display().to_string(), error)
    }
}

impl From<domain::Error> for BackupError {
    fn from(error: domain::Error) -> Self {
        Self::about("database", error)
    }
}
