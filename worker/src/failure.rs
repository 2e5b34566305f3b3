//! How a job fails: whoever writes a `?` in a handler says with it whether trying again can help.

use domain::error::Fault;

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something is not as it should be just now; later it may be.
    #[error("{0}")]
    Retry(#[source] Fault),
    /// It will never work.
    #[error("{0}")]
    Discard(#[source] Fault),
}

impl Failure {
    /// Trying again may help.
    pub fn retry(fault: impl Into<Fault>) -> Self {
        Self::Retry(fault.into())
    }

    /// Trying again will not help.
    pub fn discard(fault: impl Into<Fault>) -> Self {
        Self::Discard(fault.into())
    }
}

impl From<domain::Error> for Failure {
    /// What the domain refuses or forbids today it will not grant tomorrow.
    fn from(error: domain::Error) -> Self {
        match error {
            domain::Error::Unavailable(_) | domain::Error::Internal(_) => Self::retry(error),
            domain::Error::Refused(_)
            | domain::Error::Forbidden(_)
            | domain::Error::Unauthenticated => Self::discard(error),
        }
    }
}
