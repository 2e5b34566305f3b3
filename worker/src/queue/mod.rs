#![doc = include_str!("README.md")]

mod ack;
mod backend;
mod backoff;
mod exchange;
mod keys;
mod link;
mod message;
mod push;
mod runner;
mod scripts;
mod settings;
mod stats;
mod wake;

use redis::Client;

pub use self::ack::{AckLayer, AckService};
pub use self::backend::RedisBackend;
pub use self::backoff::Backoff;
pub use self::keys::Keys;
pub use self::message::{NewTask, Run};
pub use self::settings::Settings;
pub use self::stats::Stats;

use self::link::Link;

/// A named queue on Redis: pushes tasks, counts them, and makes the backends that run them.
/// Clones share one connection.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    link: Link,
    keys: Keys,
}

impl Queue {
    /// Opens the queue `name` under `prefix`, without connecting yet: Redis may still be down.
    /// Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Name`] if `prefix` or `name` is empty or has characters other than `A-Z a-z 0-9 _ . -` and,
    /// in the prefix, `:`; [`Error::Redis`] if the client's settings are unusable.
    pub fn new(client: Client, prefix: &str, name: &str) -> Result<Self, Error> {
        let keys = Keys::new(prefix, name)?;
        let link = Link::new(client.clone())?;
        Ok(Self { client, link, keys })
    }

    /// The names of this queue's keys in Redis.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }
}

/// What can go wrong when a queue is opened, fed or counted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A prefix or name that cannot be part of a Redis key of ours.
    #[error("`{0}` cannot name a queue")]
    Name(String),
    /// A payload that cannot be written as JSON.
    #[error("the payload of task {id} cannot be encoded")]
    Payload {
        /// The task whose payload it is.
        id: uuid::Uuid,
        /// What the encoder said.
        source: serde_json::Error,
    },
    /// Redis could not be reached or refused; it is safe to try again.
    #[error("the queue's Redis failed")]
    Redis(#[from] redis::RedisError),
}
