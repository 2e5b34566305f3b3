//! A subscription over `graphql-transport-ws`: one WebSocket, one operation.
//!
//! Without `after`, a subscription begins at some moment after it was asked for, and nothing tells when. A test that must miss nothing
//! gives `after`: [`TestApp::position`](crate::app::TestApp::position) knows the present one.

#![expect(
    clippy::expect_used,
    reason = "a harness that cannot subscribe has to fail the test"
)]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use crate::wait::PATIENCE;

/// The only operation's id on our socket.
const OPERATION: &str = "1";

/// What came.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// A result of the operation: the whole object with `data` and perhaps `errors`.
    Next(Value),
    /// The operation was refused or failed: its errors.
    Error(Value),
    /// The operation came to its end.
    Complete,
    /// The server closed the connection, with this code.
    Closed(Option<u16>),
}

/// A running subscription. Ends when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Subscription {
    pub(crate) async fn start(
        server: &str,
        headers: &HeaderMap,
        document: &str,
        variables: Value,
    ) -> Self {
        let mut socket = connect(server, headers)
            .await
            .expect("the server opens a WebSocket");
        send(&mut socket, &json!({"type": "connection_init"})).await;
        let mut subscription = Self { socket };
        let ready = tokio::time::timeout(PATIENCE, subscription.message()).await;
        let ready = ready
            .expect("the server answers in time")
            .expect("an acknowledgement");
        assert_eq!(ready["type"], "connection_ack", "{ready}");
        let payload = json!({"query": document, "variables": variables});
        send(
            &mut subscription.socket,
            &json!({"id": OPERATION, "type": "subscribe", "payload": payload}),
        )
        .await;
        subscription
    }

    /// The data of the next result.
    ///
    /// # Panics
    /// When anything else comes, or nothing in time.
    pub async fn next(&mut self) -> Value {
        match self.receive().await {
            Received::Next(mut result) if result["errors"].is_null() => result["data"].take(),
            other => panic_with(&other),
        }
    }

    /// Whatever comes next.
    ///
    /// # Panics
    /// When nothing comes in time.
    pub async fn receive(&mut self) -> Received {
        let next = self.receive_within(PATIENCE).await;
        next.expect("something comes over the subscription in time")
    }

    /// Whatever comes next; none when nothing comes within this time.
    pub async fn receive_within(&mut self, limit: Duration) -> Option<Received> {
        let message = tokio::time::timeout(limit, self.message()).await.ok()?;
        Some(message.map_or_else(|closed| closed, |message| received(&message)))
    }

    /// The next message that is not about the connection's health.
    async fn message(&mut self) -> Result<Value, Received> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).expect("a message is JSON");
                    if message["type"] != "ping" {
                        return Ok(message);
                    }
                    send(&mut self.socket, &json!({"type": "pong"})).await;
                }
                Some(Ok(Message::Close(frame))) => {
                    return Err(Received::Closed(frame.map(|frame| frame.code.into())));
                }
                Some(Ok(_)) => {}
                None | Some(Err(_)) => return Err(Received::Closed(None)),
            }
        }
    }
}

#[expect(clippy::panic, reason = "the test expected something else")]
fn panic_with(other: &Received) -> ! {
    panic!("instead of a result came {other:?}")
}

fn received(message: &Value) -> Received {
    match message["type"].as_str() {
        Some("next") => Received::Next(message["payload"].clone()),
        Some("error") => Received::Error(message["payload"].clone()),
        _ => Received::Complete,
    }
}

async fn connect(
    server: &str,
    headers: &HeaderMap,
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, Error> {
    let url = format!("{}/api/graphql", server.replacen("http", "ws", 1));
    let mut request = url.into_client_request()?;
    for name in [AUTHORIZATION, COOKIE] {
        if let Some(value) = headers.get(&name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    let protocol = "graphql-transport-ws".parse().expect("a header value");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    let (socket, _response) = tokio_tungstenite::connect_async(request).await?;
    Ok(socket)
}

/// What cannot be sent will be missed by whoever waits for an answer.
async fn send(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>, message: &Value) {
    let _ = socket.send(Message::text(message.to_string())).await;
}
