//! What a resolver finds in its request.

use std::sync::Arc;

use async_graphql::Context;
use domain::{Domain, Viewer};
use platform::{blob::BlobStore, presence::Presence};

use super::loader::{RequestLoader, RequestLoaders};
use crate::{events::EventHub, queues::QueueWatch};

/// What a resolver may use.
pub trait ContextExt {
    /// Goldshop's rules.
    fn domain(&self) -> &Domain;
    /// Who is asking.
    fn viewer(&self) -> &Viewer;
    /// Loads rows of several resolvers at once, for this viewer.
    fn loaders(&self) -> Arc<RequestLoader>;
    /// Forgets what was loaded, because it may have changed.
    fn renew_loaders(&self);
    /// Where files are.
    fn blobs(&self) -> &BlobStore;
    /// What happens, as it happens.
    fn events(&self) -> &EventHub;
    /// How queues of jobs stand.
    fn queues(&self) -> &QueueWatch;
    /// Which workers are at work.
    fn presence(&self) -> &Presence;
    /// Where clients find us.
    fn addresses(&self) -> &Addresses;
}

/// Where clients find us.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// In front of a media key; ends in `/`.
    pub media: String,
    /// In front of the id of a job's file; ends in `/`.
    pub files: String,
}

impl ContextExt for Context<'_> {
    fn domain(&self) -> &Domain {
        self.data_unchecked()
    }

    fn viewer(&self) -> &Viewer {
        self.data_unchecked()
    }

    fn loaders(&self) -> Arc<RequestLoader> {
        self.data_unchecked::<RequestLoaders>().current()
    }

    fn renew_loaders(&self) {
        self.data_unchecked::<RequestLoaders>().renew();
    }

    fn blobs(&self) -> &BlobStore {
        self.data_unchecked()
    }

    fn events(&self) -> &EventHub {
        self.data_unchecked()
    }

    fn queues(&self) -> &QueueWatch {
        self.data_unchecked()
    }

    fn presence(&self) -> &Presence {
        self.data_unchecked()
    }

    fn addresses(&self) -> &Addresses {
        self.data_unchecked()
    }
}
