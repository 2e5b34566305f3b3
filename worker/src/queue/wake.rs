//! Hears of pushes at once, on a connection of its own. It only saves waiting: a message that is missed
//! is made good by the next poll.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::StreamExt;
use redis::{Client, ErrorKind, RedisError, RedisResult};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::link::CONNECT_LIMIT;

/// Pause between attempts to subscribe.
const RETRY: Duration = Duration::from_millis(500);
/// A subscription that hears nothing for this long is made anew: it may have died without a word.
const QUIET_LIMIT: Duration = Duration::from_secs(30);

/// Notifies `wake` of every message on `channel`, for ever.
pub(super) async fn listen(client: Client, channel: String, wake: &Notify) -> Infallible {
    loop {
        if let Err(error) = subscription(&client, &channel, wake).await {
            tracing::debug!(%error, "the queue's wake-up channel is out of reach");
            sleep(RETRY).await;
        }
    }
}

/// Listens until the channel falls quiet or the connection ends.
async fn subscription(client: &Client, channel: &str, wake: &Notify) -> RedisResult<()> {
    let mut pubsub = timeout(CONNECT_LIMIT, client.get_async_pubsub())
        .await
        .map_err(|_elapsed| too_slow())??;
    timeout(CONNECT_LIMIT, pubsub.subscribe(channel))
        .await
        .map_err(|_elapsed| too_slow())??;
    wake.notify_one(); // for what was pushed while nobody listened
    let mut messages = pubsub.into_on_message();
    loop {
        match timeout(QUIET_LIMIT, messages.next()).await {
            Ok(Some(_message)) => wake.notify_one(),
            Ok(None) => return Err(RedisError::from((ErrorKind::Io, "the subscription ended"))),
            Err(_quiet) => return Ok(()),
        }
    }
}

fn too_slow() -> RedisError {
    RedisError::from((ErrorKind::Io, "no answer in time"))
}
