//! An S3 server on loopback that keeps its objects in a temporary folder and checks signatures.

use std::fs;
use std::sync::Arc;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::blob::S3Settings;

/// A running server with the bucket `blobs`. It stops when dropped.
pub(super) struct S3Server {
    address: String,
    task: JoinHandle<()>,
    _folder: TempDir,
}

impl S3Server {
    /// Starts a server on a free port, over TLS if `tls` is given.
    pub(super) async fn start(tls: Option<ServerConfig>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("blobs")).unwrap();
        let mut service = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single("tester", "tester-secret"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
        let task = tokio::spawn(serve(listener, service.build(), tls));
        Self {
            address,
            task,
            _folder: folder,
        }
    }

    /// How to reach this server over plain HTTP with the right credentials.
    pub(super) fn settings(&self) -> S3Settings {
        S3Settings {
            endpoint: format!("http://{}", self.address),
            bucket: "blobs".to_owned(),
            region: "us-east-1".to_owned(),
            access_key_id: "tester".to_owned(),
            secret_key: "tester-secret".to_owned(),
            allow_http: true,
            path_style: true,
        }
    }

    /// How to reach this server over TLS.
    pub(super) fn settings_with_tls(&self) -> S3Settings {
        S3Settings {
            endpoint: format!("https://{}", self.address),
            allow_http: false,
            ..self.settings()
        }
    }

    /// Stops listening and cuts every connection.
    pub(super) async fn stop(self) {
        self.task.abort();
        let Self { task, .. } = self;
        assert!(task.await.unwrap_err().is_cancelled());
    }
}

/// The connections live in this task, so ending it ends them.
async fn serve(listener: TcpListener, service: S3Service, tls: Option<TlsAcceptor>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service.clone();
        match tls.clone() {
            None => connections.spawn(answer(stream, service)),
            Some(tls) => connections.spawn(async move {
                // A client that does not trust us hangs up during the handshake.
                if let Ok(stream) = tls.accept(stream).await {
                    answer(stream, service).await;
                }
            }),
        };
    }
}

async fn answer<S>(stream: S, service: S3Service)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let server = Builder::new(TokioExecutor::new());
    // How a connection ends is seen by the client.
    let _ended = server.serve_connection(TokioIo::new(stream), service).await;
}
