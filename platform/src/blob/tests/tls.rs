//! HTTPS for real: a server whose certificate this machine trusts is served, another is refused.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::child;
use super::s3_server::S3Server;
use crate::blob::{BlobError, BlobStore};

#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = S3Server::start(Some(certified(folder.path()))).await;
    let store = BlobStore::s3(&server.settings_with_tls()).unwrap();
    let refused = store.health().await.unwrap_err();
    assert!(matches!(refused, BlobError::Unavailable(_)));
    assert!(
        format!("{refused:?}").contains("UnknownIssuer"),
        "{refused:?}"
    );
}

#[test]
fn a_trusted_certificate_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("certificate.pem");
    child::run(
        "blob::tests::tls::put_over_tls",
        folder.path(),
        &[
            ("SSL_CERT_FILE", trusted.to_str().unwrap()),
            ("SSL_CERT_DIR", ""),
        ],
    );
}

#[tokio::test]
#[ignore = "runs as the child of a_trusted_certificate_is_accepted"]
async fn put_over_tls() {
    let folder = child::folder().unwrap();
    let server = S3Server::start(Some(certified(&folder))).await;
    let store = BlobStore::s3(&server.settings_with_tls()).unwrap();
    super::contract::holds(&store).await;
}

/// A fresh self-signed certificate for `localhost`, also written into `folder`.
fn certified(folder: &Path) -> ServerConfig {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.join("certificate.pem"), pair.cert.pem()).unwrap();
    let secret = PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap();
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], secret)
        .unwrap()
}
