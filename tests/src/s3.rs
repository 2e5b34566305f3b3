//! An S3 server on loopback that keeps its objects in a temporary folder, checks signatures, and can stop to answer.

#![expect(
    clippy::expect_used,
    reason = "a harness that cannot set up its server has to fail the test"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Result, s3_error};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// A running server with the bucket `backups`. It stops when it is dropped.
#[derive(Debug)]
pub struct S3Server {
    address: String,
    task: JoinHandle<()>,
    folder: TempDir,
    left: Arc<AtomicUsize>,
}

/// How many requests are answered; none after that.
struct Answers(Arc<AtomicUsize>);

#[async_trait]
impl S3Access for Answers {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        if request.credentials().is_none() {
            return Err(s3_error!(AccessDenied));
        }
        let order = Ordering::Relaxed;
        let left = self
            .0
            .fetch_update(order, order, |left| left.checked_sub(1));
        left.map(drop)
            .map_err(|_none| s3_error!(ServiceUnavailable))
    }
}

impl S3Server {
    /// Starts a server on a free port.
    ///
    /// # Panics
    /// When that is not possible.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("the directory for temporary files is writable");
        std::fs::create_dir(folder.path().join("backups")).expect("a folder can be made there");
        let files = FileSystem::new(folder.path()).expect("a folder can be served");
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single("tester", "tester-secret"));
        let left = Arc::new(AtomicUsize::new(usize::MAX));
        service.set_access(Answers(Arc::clone(&left)));
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        Self {
            address: format!("http://localhost:{}", address.port()),
            task: tokio::spawn(serve(listener, service.build())),
            folder,
            left,
        }
    }

    /// From now on only so many requests are answered.
    pub fn answer_only(&self, requests: usize) {
        self.left.store(requests, Ordering::Relaxed);
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.address
    }

    /// Where the objects of its bucket are.
    #[must_use]
    pub fn bucket(&self) -> PathBuf {
        self.folder.path().join("backups")
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The connections live in this task, so ending it ends them.
async fn serve(listener: TcpListener, service: S3Service) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a socket accepts");
        let service = service.clone();
        connections.spawn(async move {
            let server = Builder::new(TokioExecutor::new());
            // How a connection ends is seen by the client.
            let _ended = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
