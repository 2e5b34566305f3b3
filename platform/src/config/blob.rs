//! Settings of the store for pictures and files.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Refusal, value::optional_web_url};
use crate::blob::{BlobError, BlobStore, S3Settings};

/// The section `blob`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Blob {
    /// Which kind of store is used.
    pub kind: BlobKind,
    /// Folder of the local store.
    pub root: PathBuf,
    /// Bucket of the S3 store.
    pub bucket: String,
    /// URL of the S3 store.
    #[serde(deserialize_with = "optional_web_url")]
    pub endpoint: Option<Url>,
    /// Region of the S3 store.
    pub region: String,
    /// Name of the access key of the S3 store.
    pub access_key_id: String,
    /// The access key of the S3 store.
    #[serde(skip_serializing)]
    pub secret_key: SecretString,
    /// Whether the S3 store may be reached over plain HTTP.
    pub allow_http: bool,
    /// Whether the bucket is the first part of the path or of the host name.
    pub path_style: bool,
}

/// The kinds of store.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum BlobKind {
    /// A folder.
    Local,
    /// A store that speaks the S3 protocol.
    S3,
}

impl Blob {
    /// Opens the store. Nothing is asked of an S3 store yet.
    ///
    /// # Errors
    /// When the folder cannot be made, or the settings of the S3 store do not fit together.
    pub fn open(&self) -> Result<BlobStore, BlobError> {
        match self.kind {
            BlobKind::Local => BlobStore::local(&self.root),
            BlobKind::S3 => BlobStore::s3(&self.s3_settings()),
        }
    }

    fn s3_settings(&self) -> S3Settings {
        S3Settings {
            endpoint: self.endpoint().to_owned(),
            bucket: self.bucket.clone(),
            region: self.region.clone(),
            access_key_id: self.access_key_id.clone(),
            secret_key: self.secret_key.expose_secret().to_owned(),
            allow_http: self.allow_http,
            path_style: self.path_style,
        }
    }

    /// The URL without the slash that parsing it added.
    fn endpoint(&self) -> &str {
        let url = self.endpoint.as_ref().map_or("", Url::as_str);
        url.trim_end_matches('/')
    }

    /// Refuses a store of which a part is missing.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        match self.kind {
            BlobKind::Local => self.check_local(),
            BlobKind::S3 => self.check_s3(),
        }
    }

    fn check_local(&self) -> Result<(), Refusal> {
        if self.root.as_os_str().is_empty() {
            return Err(Refusal::new("blob.root", "must name a folder"));
        }
        Ok(())
    }

    fn check_s3(&self) -> Result<(), Refusal> {
        let needed = [
            ("blob.endpoint", self.endpoint()),
            ("blob.bucket", self.bucket.as_str()),
            ("blob.region", self.region.as_str()),
            ("blob.access_key_id", self.access_key_id.as_str()),
            ("blob.secret_key", self.secret_key.expose_secret()),
        ];
        if let Some((key, _)) = needed.iter().find(|(_, value)| value.is_empty()) {
            return Err(Refusal::new(key, "must be given for an S3 store"));
        }
        let plain = self
            .endpoint
            .as_ref()
            .is_some_and(|url| url.scheme() == "http");
        if plain && !self.allow_http {
            return Err(Refusal::new(
                "blob.endpoint",
                "is plain HTTP, which blob.allow_http must permit",
            ));
        }
        Ok(())
    }
}
