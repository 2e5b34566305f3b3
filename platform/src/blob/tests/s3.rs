//! The store in a bucket: the contract, and how a server that is wrong or gone is reported.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::s3_server::S3Server;
use super::{contract, key};
use crate::blob::{BlobError, BlobStore, S3Settings};

#[tokio::test]
async fn a_bucket_keeps_the_contract() {
    let server = S3Server::start(None).await;
    contract::holds(&BlobStore::s3(&server.settings()).unwrap()).await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_unavailable_and_soon_said_to_be() {
    let server = S3Server::start(None).await;
    let store = BlobStore::s3(&server.settings()).unwrap();
    store
        .put_bytes(&key("a"), Bytes::from_static(b"a"))
        .await
        .unwrap();
    server.stop().await;
    let started = Instant::now();
    let sick = store.health().await.unwrap_err();
    let get = store.get_stream(&key("a")).await.unwrap_err();
    let exists = store.exists(&key("a")).await.unwrap_err();
    let put = store.put_bytes(&key("a"), Bytes::new()).await.unwrap_err();
    for error in [sick, get, exists, put] {
        assert!(matches!(error, BlobError::Unavailable(_)), "{error:?}");
    }
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn an_upload_that_loses_its_server_fails_and_says_so() {
    let server = S3Server::start(None).await;
    let store = BlobStore::s3(&server.settings()).unwrap();
    server.stop().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for length in [10, 12 * 1024 * 1024] {
        std::fs::write(&path, vec![1; length]).unwrap();
        let failed = store.put_file(&key("a"), &path).await.unwrap_err();
        assert!(matches!(failed, BlobError::Unavailable(_)), "{failed:?}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_seen_by_the_health_check() {
    let server = S3Server::start(None).await;
    let settings = S3Settings {
        secret_key: "wrong".to_owned(),
        ..server.settings()
    };
    let sick = BlobStore::s3(&settings)
        .unwrap()
        .health()
        .await
        .unwrap_err();
    assert!(matches!(sick, BlobError::Unavailable(_)), "{sick:?}");
    assert!(
        format!("{sick:?}").contains("SignatureDoesNotMatch"),
        "{sick:?}"
    );
}

#[tokio::test]
async fn an_endpoint_that_is_no_https_url_is_refused_at_once() {
    let server = S3Server::start(None).await;
    let plain = server.settings().endpoint;
    for endpoint in ["", "not a url", "localhost:9000", "ftp://localhost", &plain] {
        let settings = S3Settings {
            endpoint: endpoint.to_owned(),
            allow_http: false,
            ..server.settings()
        };
        let refused = BlobStore::s3(&settings).unwrap_err();
        assert!(
            matches!(refused, BlobError::Settings(_)),
            "{endpoint}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn the_secret_is_never_shown() {
    let server = S3Server::start(None).await;
    let settings = server.settings();
    let store = BlobStore::s3(&settings).unwrap();
    server.stop().await;
    let failed = store.health().await.unwrap_err();
    let shown = format!("{settings:?} {store:?} {failed:?} {failed}");
    assert!(!shown.contains("tester-secret"), "{shown}");
}
