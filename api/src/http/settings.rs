//! Every number and list that bounds the HTTP layer, with defaults that are safe for production.

use std::{path::PathBuf, time::Duration};

use platform::metrics::Trusted;

use super::graphql::limits::DocumentLimits;

/// Limits, origins and timeouts of the HTTP layer.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Origins (`https://shop.example`) whose pages may call the API with cookies, beside the API's own origin.
    pub allowed_origins: Vec<String>,
    /// How many reverse proxies in front of us append to `X-Forwarded-For`; 0 means the peer's address is the
    /// client's.
    pub trusted_proxy_hops: usize,
    /// How long a request may take until its response begins.
    pub request_timeout: Duration,
    /// The same for multipart requests, whose bodies take longer to arrive.
    pub upload_timeout: Duration,
    /// Requests that are worked on at the same time; more are answered with 503.
    pub max_in_flight: usize,
    /// Largest JSON body, in bytes.
    pub max_body_bytes: usize,
    /// Bounds of multipart requests.
    pub uploads: UploadLimits,
    /// Bounds of one GraphQL document.
    pub documents: DocumentLimits,
    /// Bounds of WebSockets and event streams.
    pub sockets: SocketLimits,
    /// Whose requests for `/api/metrics` are answered.
    pub metrics: Trusted,
    /// Whether a browser that opens `/api/graphql` gets the playground.
    pub playground: bool,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            allowed_origins: Vec::new(),
            trusted_proxy_hops: 0,
            request_timeout: Duration::from_secs(30),
            upload_timeout: Duration::from_secs(120),
            max_in_flight: 512,
            max_body_bytes: 1024 * 1024,
            uploads: UploadLimits::default(),
            documents: DocumentLimits::default(),
            sockets: SocketLimits::default(),
            metrics: Trusted::default(),
            playground: true,
        }
    }
}

/// Bounds of multipart requests. Files are written to `spool_dir` while they arrive and are never held in memory.
#[derive(Clone, Debug)]
pub struct UploadLimits {
    /// Largest request, all its files together, in bytes.
    pub max_bytes: u64,
    /// Most files in one request.
    pub max_files: usize,
    /// Multipart requests received at the same time; more are answered with 503.
    pub max_concurrent: usize,
    /// A directory on a disk (not in memory) for files in transit; they have no name there and vanish with the
    /// request.
    pub spool_dir: PathBuf,
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self {
            max_bytes: 32 * 1024 * 1024,
            max_files: 10,
            max_concurrent: 16,
            spool_dir: std::env::temp_dir(),
        }
    }
}

/// Bounds of WebSockets and event streams.
#[derive(Clone, Debug)]
pub struct SocketLimits {
    /// WebSockets and event streams open at the same time, together.
    pub max_connections: usize,
    /// Operations running at the same time on one WebSocket.
    pub max_operations: usize,
    /// Largest message from a client, in bytes.
    pub max_message_bytes: usize,
    /// How long a client may wait before it sends `connection_init`.
    pub init_timeout: Duration,
    /// How often the server pings a client and asks whether its credential still holds.
    pub heartbeat: Duration,
    /// How long one message may wait for a client that does not read.
    pub send_timeout: Duration,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            max_connections: 5_000,
            max_operations: 50,
            max_message_bytes: 1024 * 1024,
            init_timeout: Duration::from_secs(10),
            heartbeat: Duration::from_secs(20),
            send_timeout: Duration::from_secs(10),
        }
    }
}
