//! A connection to Redis that comes back by itself, promptly, and never waits for long.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, FromRedisValue, RedisResult, ScriptInvocation};

/// How long a connection attempt may take.
pub(super) const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// How long Redis may take to answer; a busy server is not a dead one.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// A shared, self-mending connection.
#[derive(Clone)]
pub(super) struct Link {
    client: Client,
    connection: Arc<Mutex<ConnectionManager>>,
}

impl Link {
    /// Prepares a connection; it is made on first use.
    pub(super) fn new(client: Client) -> RedisResult<Self> {
        let connection = Arc::new(Mutex::new(connect_lazily(&client)?));
        Ok(Self { client, connection })
    }

    /// Runs a script, loading it first if the server does not know it.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        call: &ScriptInvocation<'_>,
    ) -> RedisResult<T> {
        let mut connection = self.current();
        let result = call.invoke_async(&mut connection).await;
        if result.is_err() {
            self.replace();
        }
        result
    }

    fn current(&self) -> ConnectionManager {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes a fresh connection. The manager reconnects when a connection breaks, but one whose peer vanished
    /// without a word only ever times out, and a refused handshake (a password that was not there yet) is
    /// remembered for good. It costs nothing until it is used.
    fn replace(&self) {
        if let Ok(fresh) = connect_lazily(&self.client) {
            *self
                .connection
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link")
    }
}

/// One attempt per call and no inner back-off: the callers have their own, shorter one.
fn connect_lazily(client: &Client) -> RedisResult<ConnectionManager> {
    client.get_connection_manager_lazy(
        ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(Some(ANSWER_LIMIT)),
    )
}
