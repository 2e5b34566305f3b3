//! The messages of `graphql-transport-ws` and the codes its connections are closed with.

use std::borrow::Cow;

use async_graphql::Request;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromClient {
    /// The first message; may carry the credential.
    ConnectionInit {
        #[serde(default)]
        payload: Option<Value>,
    },
    /// Starts an operation.
    Subscribe { id: String, payload: Box<Request> },
    /// Stops an operation.
    Complete { id: String },
    /// Asks for a sign of life.
    Ping {
        #[serde(default)]
        payload: Option<Value>,
    },
    /// A sign of life.
    Pong {},
}

/// What we say.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromServer<'a, P: Serialize> {
    ConnectionAck,
    Next {
        id: &'a str,
        payload: P,
    },
    /// The operation was refused; nothing follows for this id.
    Error {
        id: &'a str,
        payload: P,
    },
    Complete {
        id: &'a str,
    },
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<P>,
    },
}

/// A message without a result in it.
pub(super) type Plain<'a> = FromServer<'a, ()>;

/// Why a connection ends from our side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// Close with this code and reason.
    Close(u16, Cow<'static, str>),
    /// The client has gone already, or gives no sign of life.
    Gone,
}

impl Ending {
    pub(super) const GOING_AWAY: Self = Self::Close(1001, Cow::Borrowed("Going away"));
    pub(super) const MESSAGE_TOO_BIG: Self = Self::Close(1009, Cow::Borrowed("Message too big"));
    pub(super) const INTERNAL: Self = Self::Close(1011, Cow::Borrowed("Internal error"));
    pub(super) const TOO_SLOW: Self = Self::Close(1013, Cow::Borrowed("You read too slowly"));
    pub(super) const UNAVAILABLE: Self =
        Self::Close(1013, Cow::Borrowed("Service unavailable, try again later"));
    pub(super) const INVALID_MESSAGE: Self = Self::Close(4400, Cow::Borrowed("Invalid message"));
    pub(super) const UNAUTHORIZED: Self = Self::Close(4401, Cow::Borrowed("Unauthorized"));
    pub(super) const FORBIDDEN: Self = Self::Close(4403, Cow::Borrowed("Forbidden"));
    pub(super) const INIT_TIMEOUT: Self =
        Self::Close(4408, Cow::Borrowed("Connection initialisation timeout"));
    pub(super) const TOO_MANY_INITS: Self =
        Self::Close(4429, Cow::Borrowed("Too many initialisation requests"));

    /// Two operations with one id. The reason of a close frame has room for 123 bytes, hence the cut.
    pub(super) fn duplicate(id: &str) -> Self {
        let id: String = id.chars().take(20).collect();
        Self::Close(
            4409,
            Cow::Owned(format!("Subscriber for {id} already exists")),
        )
    }
}
