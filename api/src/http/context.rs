//! What is known about one request from its first byte to its log line.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use domain::locale::Locale;
use platform::telemetry::RequestId;
use poem::{Request, http::header};

use super::{client_address::client_address, request_id};

/// Facts about one request, shared by the shell, the endpoint and the resolvers.
#[derive(Debug)]
pub struct RequestContext {
    id: RequestId,
    client: Option<IpAddr>,
    locale: Locale,
    reason: Option<String>,
    route: OnceLock<&'static str>,
    operation: OnceLock<String>,
}

impl RequestContext {
    pub(crate) fn new(request: &Request, trusted_hops: usize) -> Self {
        let peer = request
            .remote_addr()
            .as_socket_addr()
            .map(|address| address.ip().to_canonical());
        Self {
            id: request_id::of(request.headers()),
            client: client_address(request.headers(), peer, trusted_hops),
            locale: locale(request),
            reason: reason(request),
            route: OnceLock::new(),
            operation: OnceLock::new(),
        }
    }

    /// The context the shell gave to this request. A request that did not pass the shell gets a context of its own.
    pub(crate) fn of(request: &Request) -> Arc<Self> {
        let known = request.data::<Arc<Self>>().cloned();
        known.unwrap_or_else(|| Arc::new(Self::new(request, 0)))
    }

    /// The request id, which is also in the answer and in every log line.
    pub fn id(&self) -> &RequestId {
        &self.id
    }

    /// The client's address behind the trusted proxies; `None` when there is no socket, as in some tests.
    pub fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// The language that the client prefers, of those we speak.
    pub fn locale(&self) -> Locale {
        self.locale
    }

    /// Why the client does it, as it has said in `X-Reason`.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The route's pattern, for logs and metrics; `None` for an unknown path.
    pub fn route(&self) -> Option<&'static str> {
        self.route.get().copied()
    }

    /// The name of the GraphQL operation, once it is known.
    pub fn operation(&self) -> Option<&str> {
        self.operation.get().map(String::as_str)
    }

    /// The first name stays; later ones are ignored.
    pub(crate) fn set_route(&self, route: &'static str) {
        self.route.get_or_init(|| route);
    }

    /// The first name stays; later ones are ignored.
    pub(crate) fn set_operation(&self, name: &str) {
        self.operation.get_or_init(|| name.to_owned());
    }
}

/// The longest reason that is kept, in characters. A longer one is cut off: it is no reason to refuse what is asked.
const REASON_MAX: usize = 500;

/// Percent-encoded UTF-8, for headers are ASCII. What is none is no reason.
fn reason(request: &Request) -> Option<String> {
    let text = request.header("x-reason")?;
    let text = String::from_utf8(percent_decoded(text)?).ok()?;
    let text: String = text
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(REASON_MAX)
        .collect();
    (!text.is_empty()).then_some(text)
}

/// None when what follows a `%` is no byte.
fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(bytes)
}

fn locale(request: &Request) -> Locale {
    let wanted = request.header(header::ACCEPT_LANGUAGE);
    wanted.and_then(Locale::negotiate).unwrap_or_default()
}
