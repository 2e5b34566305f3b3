//! The S3-compatible side of the blob store: which bucket, and how patiently we talk to it.

use std::fmt;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use super::BlobError;

/// How long one request may take, its body included. A part of an upload is 5 MiB at most.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// After this time no further try is begun: an outage is reported rather than waited out.
const RETRY_TIMEOUT: Duration = Duration::from_secs(20);

/// Where an S3-compatible bucket is and how to open it.
#[derive(Clone)]
pub struct S3Settings {
    /// The server's URL, `https://…`; for virtual-hosted style with the bucket in its host name.
    pub endpoint: String,
    /// The bucket; it must exist.
    pub bucket: String,
    /// The region the requests are signed for; most self-hosted servers accept `us-east-1`.
    pub region: String,
    /// The public half of the credentials.
    pub access_key_id: String,
    /// The secret half of the credentials; never shown, not even by `Debug`.
    pub secret_key: String,
    /// Whether an `http://` endpoint is accepted. Only right on a private network.
    pub allow_http: bool,
    /// Whether the bucket is the first part of the path (self-hosted servers) or of the host name.
    pub path_style: bool,
}

impl fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Settings")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .field("region", &self.region)
            .field("access_key_id", &self.access_key_id)
            .field("secret_key", &"…")
            .field("allow_http", &self.allow_http)
            .field("path_style", &self.path_style)
            .finish()
    }
}

impl S3Settings {
    pub(super) fn connect(&self) -> Result<AmazonS3, BlobError> {
        self.check_endpoint()?;
        install_tls();
        AmazonS3Builder::new()
            .with_endpoint(&self.endpoint)
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_access_key_id(&self.access_key_id)
            .with_secret_access_key(&self.secret_key)
            .with_virtual_hosted_style_request(!self.path_style)
            .with_client_options(self.client())
            .with_retry(retries())
            .build()
            .map_err(|error| BlobError::Settings(Box::new(error)))
    }

    fn check_endpoint(&self) -> Result<(), BlobError> {
        let url = reqwest::Url::parse(&self.endpoint)
            .map_err(|error| BlobError::Settings(Box::new(error)))?;
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.allow_http => Ok(()),
            "http" => Err(BlobError::Settings("http is not allowed here".into())),
            _ => Err(BlobError::Settings("the endpoint is not https".into())),
        }
    }

    fn client(&self) -> ClientOptions {
        ClientOptions::new()
            .with_allow_http(self.allow_http)
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_timeout(REQUEST_TIMEOUT)
    }
}

fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: 3,
        retry_timeout: RETRY_TIMEOUT,
    }
}

/// The HTTP client takes the process's default TLS provider and has none of its own. A provider
/// that is installed already is as good as ours, so being second is no error.
fn install_tls() {
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
}
