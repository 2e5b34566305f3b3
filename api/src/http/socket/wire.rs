//! The sending half of a WebSocket, with patience for clients that do not read, and the farewell.

use std::{io, time::Duration};

use futures_util::{SinkExt, StreamExt};
use poem::web::websocket::{CloseCode, Message, WebSocketStream};
use serde::Serialize;
use tokio::time::timeout;

use super::message::{Ending, FromServer};

/// How long a client has to answer our close frame.
const FAREWELL: Duration = Duration::from_secs(1);

/// A WebSocket and how long one message may wait to be sent.
pub(super) struct Wire {
    socket: WebSocketStream,
    patience: Duration,
}

impl Wire {
    pub(super) fn new(socket: WebSocketStream, patience: Duration) -> Self {
        Self { socket, patience }
    }

    /// The next message; `None` at the end of the connection.
    pub(super) async fn next(&mut self) -> Option<io::Result<Message>> {
        self.socket.next().await
    }

    /// Sends a message of the protocol.
    pub(super) async fn say<P: Serialize + Sync>(
        &mut self,
        message: &FromServer<'_, P>,
    ) -> Result<(), Ending> {
        let text = serde_json::to_string(message).map_err(|error| {
            tracing::error!(%error, "a message cannot be serialised");
            Ending::INTERNAL
        })?;
        self.send(Message::Text(text)).await
    }

    /// Asks the client's WebSocket for a sign of life.
    pub(super) async fn ping(&mut self) -> Result<(), Ending> {
        self.send(Message::Ping(Vec::new())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Ending> {
        match timeout(self.patience, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_gone)) => Err(Ending::Gone),
            Err(_elapsed) => Err(Ending::TOO_SLOW),
        }
    }

    /// Sends the close frame and waits a moment for the client's own.
    pub(super) async fn say_farewell(mut self, code: u16, reason: &str) {
        let frame = Message::Close(Some((CloseCode::from(code), reason.to_owned())));
        let farewell = async {
            self.socket.send(frame).await?;
            while let Some(Ok(_)) = self.socket.next().await {}
            io::Result::Ok(())
        };
        if timeout(FAREWELL, farewell).await.is_err() {
            tracing::debug!(code, "a WebSocket client did not say goodbye");
        }
    }
}
