//! The only things that a job may touch.

use std::{sync::Arc, time::Duration};

use domain::{Domain, Viewer};
use platform::{blob::BlobStore, feed::Feed, image::Limits};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    backup::Setup, cancel::Running, metrics::Attempts, together::Together, trail::Checkpoints,
};

/// What jobs work with. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Goldshop's rules.
    pub domain: Domain,
    /// Begins attempts, and ends those that do not write anything else.
    pub together: Together,
    /// Where files are.
    pub blobs: BlobStore,
    /// How large a picture may be.
    pub limits: Limits,
    /// What people's browsers call us; QR codes lead there. Without a `/` at its end.
    pub public_url: Arc<str>,
    /// A permit for each picture that may be decoded at the same time. It stays with the thread that decodes: should the attempt end
    /// before, because it took too long, the memory is not free yet.
    pub decoders: Arc<Semaphore>,
    /// Checkpoints of the trail; none where no key is named.
    pub checkpoints: Option<Arc<Checkpoints>>,
    /// Where rates of metals are fetched from; none where no source is named.
    pub metal_rates: Option<Feed>,
    /// For how long a file is left alone that nothing refers to yet.
    pub file_grace: Duration,
    /// What backups are made of, and where they go.
    pub backups: Arc<Setup>,
    /// Cancelled when attempts have to stop because the worker is going down.
    pub cut_short: CancellationToken,
    /// The attempts that run here.
    pub running: Running,
    /// Where attempts are counted.
    pub attempts: Attempts,
}

impl Context {
    /// The worker, on behalf of the request that caused a job.
    #[must_use]
    pub fn viewer(&self, request_id: Option<String>) -> Viewer {
        Viewer::system("worker").for_request(request_id)
    }
}
