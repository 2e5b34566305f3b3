//! Settings of the job worker.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use url::Url;

use super::value::{as_hours, as_seconds, hours, optional_web_url, seconds, within};

/// The section `worker`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// A job of a worker that is silent for so long goes to another one (`lease_seconds`).
    #[serde(
        rename = "lease_seconds",
        deserialize_with = "seconds::<3, 25, _>",
        serialize_with = "as_seconds"
    )]
    pub lease: Duration,
    /// Imports and exports done at the same time.
    #[serde(deserialize_with = "within::<1, 16, _, _>")]
    pub bulk_concurrency: usize,
    /// Pictures processed at the same time.
    #[serde(deserialize_with = "within::<1, 64, _, _>")]
    pub media_concurrency: usize,
    /// QR codes drawn at the same time.
    #[serde(deserialize_with = "within::<1, 256, _, _>")]
    pub code_concurrency: usize,
    /// The file with the key that signs checkpoints of the trail; empty for none. `worker audit-key` makes one.
    pub checkpoint_key_file: PathBuf,
    /// The file that checkpoints of the trail are added to; best on another machine's disk.
    pub checkpoint_file: PathBuf,
    /// Where rates of metals are fetched from: https, or http on this machine; nowhere without. Some have a key in it, so it is never written down.
    #[serde(deserialize_with = "optional_web_url", skip_serializing)]
    pub metal_rate_url: Option<Url>,
    /// For how long a file is left alone that nothing refers to yet (`file_grace_hours`).
    #[serde(
        rename = "file_grace_hours",
        deserialize_with = "hours::<0, 720, _>",
        serialize_with = "as_hours"
    )]
    pub file_grace: Duration,
    /// How long a worker may take to stop; jobs that still run shortly before are given back (`shutdown_seconds`).
    #[serde(
        rename = "shutdown_seconds",
        deserialize_with = "seconds::<1, 600, _>",
        serialize_with = "as_seconds"
    )]
    pub shutdown: Duration,
}
