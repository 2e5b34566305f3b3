//! Settings of backups.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    Refusal,
    value::{optional_web_url, postgres_url, within},
};
use crate::blob::{BlobError, BlobStore, S3Settings};

/// The section `backup`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Folder that backups are written into.
    pub directory: PathBuf,
    /// The database for a role that may read everything; empty where no backups are made.
    #[serde(deserialize_with = "postgres_url", skip_serializing)]
    pub database_url: SecretString,
    /// The server on which proofs make a database, for a role that may; empty where nothing is proved.
    #[serde(deserialize_with = "postgres_url", skip_serializing)]
    pub scratch_url: SecretString,
    /// Where `pg_dump`, `pg_restore`, `redis-cli`, `redis-server` and `age` are; empty where they are in the path.
    pub programs: PathBuf,
    /// Public keys of the program `age`; none where backups are not encrypted.
    pub recipients: Vec<String>,
    /// The file with the private key that proofs and restores decrypt with; empty for none.
    pub identity_file: PathBuf,
    /// For how many days backups are kept; 0 for ever.
    #[serde(deserialize_with = "within::<0, 36_500, _, _>")]
    pub keep_days: u32,
    /// Bucket that backups are copied into; empty where they are not.
    pub copy_bucket: String,
    /// URL of its store.
    #[serde(deserialize_with = "optional_web_url")]
    pub copy_endpoint: Option<Url>,
    /// Its region.
    pub copy_region: String,
    /// Name of its access key.
    pub copy_access_key_id: String,
    /// The access key.
    #[serde(skip_serializing)]
    pub copy_secret_key: SecretString,
    /// Whether the store may be reached over plain HTTP.
    pub copy_allow_http: bool,
    /// Whether the bucket is the first part of the path or of the host name.
    pub copy_path_style: bool,
}

impl Backup {
    /// Opens the store that backups are copied into; none where they are not. Nothing is asked of it yet.
    ///
    /// # Errors
    /// When its settings do not fit together.
    pub fn copies(&self) -> Result<Option<BlobStore>, BlobError> {
        if self.copy_bucket.is_empty() {
            return Ok(None);
        }
        BlobStore::s3(&S3Settings {
            endpoint: self.endpoint().to_owned(),
            bucket: self.copy_bucket.clone(),
            region: self.copy_region.clone(),
            access_key_id: self.copy_access_key_id.clone(),
            secret_key: self.copy_secret_key.expose_secret().to_owned(),
            allow_http: self.copy_allow_http,
            path_style: self.copy_path_style,
        })
        .map(Some)
    }

    /// The URL without the slash that parsing it added.
    fn endpoint(&self) -> &str {
        let url = self.copy_endpoint.as_ref().map_or("", Url::as_str);
        url.trim_end_matches('/')
    }

    /// Refuses a store of which a part is missing, and keys that are none.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.directory.as_os_str().is_empty() {
            return Err(Refusal::new("backup.directory", "must name a folder"));
        }
        if !self.recipients.iter().all(|key| is_recipient(key)) {
            return Err(Refusal::new(
                "backup.recipients",
                "must be public keys of age, which begin with age1",
            ));
        }
        if self.copy_bucket.is_empty() {
            return Ok(());
        }
        let needed = [
            ("backup.copy_endpoint", self.endpoint()),
            ("backup.copy_region", self.copy_region.as_str()),
            (
                "backup.copy_access_key_id",
                self.copy_access_key_id.as_str(),
            ),
            (
                "backup.copy_secret_key",
                self.copy_secret_key.expose_secret(),
            ),
        ];
        match needed.iter().find(|(_, value)| value.is_empty()) {
            Some((key, _)) => Err(Refusal::new(
                key,
                "must be given where backup.copy_bucket is",
            )),
            None => Ok(()),
        }
    }
}

fn is_recipient(key: &str) -> bool {
    key.starts_with("age1")
        && key
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}
