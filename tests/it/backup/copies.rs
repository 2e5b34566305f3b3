//! Copies of backups in another store.

use serde_json::json;
use tests::s3::S3Server;

use super::*;

/// What has a worker copy backups there.
pub(super) fn settings(server: &S3Server, secret: &'static str) -> [(&'static str, String); 5] {
    [
        ("GOLDSHOP_BACKUP__COPY_BUCKET", "backups".to_owned()),
        ("GOLDSHOP_BACKUP__COPY_ENDPOINT", server.url().to_owned()),
        ("GOLDSHOP_BACKUP__COPY_ACCESS_KEY_ID", "tester".to_owned()),
        ("GOLDSHOP_BACKUP__COPY_SECRET_KEY", secret.to_owned()),
        ("GOLDSHOP_BACKUP__COPY_ALLOW_HTTP", "true".to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_the_same_and_can_be_restored() {
    let (shop, server) = (Shop::open().await, S3Server::start().await);
    let settings = settings(&server, "tester-secret");
    let settings: Vec<_> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let folder = shop.backup_with(&[], &settings).await;
    let copy = server.bucket().join(folder.file_name().unwrap());
    let whole = files(&folder);
    let mut copied = files(&copy);
    copied.retain(|name, _| whole.contains_key(name));
    assert!(copied == whole);
    let seen = shop
        .manager
        .ok("{ backups { nodes { isCopied state } } }", json!({}))
        .await;
    assert_eq!(
        seen["backups"]["nodes"],
        json!([{"isCopied": true, "state": "COMPLETE"}])
    );
    std::fs::remove_dir_all(&folder).unwrap();
    shop.assert_sound(&copy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_fails_is_loud_and_the_backup_stays() {
    let (shop, server) = (Shop::open().await, S3Server::start().await);
    let settings = settings(&server, "another-secret");
    let settings: Vec<_> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let ended = shop.worker_with(&["backup"], &settings).await;
    assert_eq!(ended.status.code(), Some(FAILED), "{ended:?}");
    assert!(
        ended.errors.contains("is complete, but not copied"),
        "{ended:?}"
    );
    assert!(
        !format!("{ended:?}").contains("another-secret"),
        "{ended:?}"
    );
    let [name] = &shop.backups()[..] else {
        panic!("it is gone")
    };
    assert!(!server.bucket().join(name).join("manifest.json").exists());
    shop.assert_sound(&shop.app.backups().join(name)).await;
    let seen = shop
        .manager
        .ok("{ backups { nodes { state error } } }", json!({}))
        .await;
    assert_eq!(seen["backups"]["nodes"][0]["state"], "FAILED");
}
