//! What every blob store must do, whichever kind it is.

use std::io::Write;

use bytes::Bytes;
use futures::future::join_all;
use futures::{StreamExt, TryStreamExt};

use super::{key, pattern};
use crate::blob::{BlobError, BlobStore, Fingerprint};

/// Runs the whole contract on an empty store.
pub(super) async fn holds(store: &BlobStore) {
    store.health().await.unwrap();
    small_blobs_come_and_go(store).await;
    what_is_missing_is_not_found(store).await;
    reading_is_limited(store).await;
    pieces_are_read_by_themselves(store).await;
    files_of_any_length_arrive_whole(store).await;
    an_open_file_arrives_from_its_beginning(store).await;
    a_file_that_cannot_be_read_leaves_nothing(store).await;
    writers_of_one_key_do_not_mix(store).await;
}

async fn small_blobs_come_and_go(store: &BlobStore) {
    let key = key("a/b.webp");
    store
        .put_bytes(&key, Bytes::from_static(b"one"))
        .await
        .unwrap();
    store
        .put_bytes(&key, Bytes::from_static(b"three"))
        .await
        .unwrap();
    let blob = store.get_stream(&key).await.unwrap();
    assert_eq!((blob.length, blob.content_type), (5, "image/webp"));
    let pieces: Vec<Bytes> = blob.stream.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), b"three");
    store.delete(&key).await.unwrap();
    assert!(!store.exists(&key).await.unwrap());
    store.delete(&key).await.unwrap();
}

async fn what_is_missing_is_not_found(store: &BlobStore) {
    let key = key("not/there");
    assert!(!store.exists(&key).await.unwrap());
    let opened = store.get_stream(&key).await.unwrap_err();
    let read = store.read_limited(&key, 10).await.unwrap_err();
    assert!(
        matches!(&opened, BlobError::NotFound(missing) if *missing == key),
        "{opened:?}"
    );
    assert!(
        matches!(&read, BlobError::NotFound(missing) if *missing == key),
        "{read:?}"
    );
}

async fn reading_is_limited(store: &BlobStore) {
    let key = key("limited");
    store
        .put_bytes(&key, Bytes::from_static(b"12345"))
        .await
        .unwrap();
    assert_eq!(store.read_limited(&key, 5).await.unwrap(), "12345");
    let refused = store.read_limited(&key, 4).await.unwrap_err();
    assert!(
        matches!(refused, BlobError::TooLarge { limit: 4, .. }),
        "{refused:?}"
    );
}

async fn pieces_are_read_by_themselves(store: &BlobStore) {
    let key = key("pieces");
    store
        .put_bytes(&key, Bytes::from_static(b"0123456789"))
        .await
        .unwrap();
    assert_eq!(store.length(&key).await.unwrap(), 10);
    for (range, expected) in [(0..4, "0123"), (4..10, "456789"), (9..10, "9")] {
        assert_eq!(store.read_range(&key, range).await.unwrap(), expected);
    }
    let missing = super::key("nothing/in-pieces");
    for missed in [
        store.length(&missing).await.unwrap_err(),
        store.read_range(&missing, 0..1).await.unwrap_err(),
    ] {
        assert!(matches!(missed, BlobError::NotFound(_)), "{missed:?}");
    }
}

async fn files_of_any_length_arrive_whole(store: &BlobStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let part = 5 * 1024 * 1024;
    for length in [0, 1, part - 1, part, part + 1, 4 * part + 12_345] {
        std::fs::write(&path, pattern(length)).unwrap();
        let key = key("files/one");
        assert_eq!(store.put_file(&key, &path).await.unwrap(), length as u64);
        let stored = store.read_limited(&key, length as u64).await.unwrap();
        let same = Fingerprint::of_bytes(&stored) == Fingerprint::of_bytes(&pattern(length));
        assert!(same, "{length} bytes came back different");
    }
}

async fn an_open_file_arrives_from_its_beginning(store: &BlobStore) {
    let mut nameless = tempfile::tempfile().unwrap();
    nameless.write_all(b"written and not rewound").unwrap();
    let key = key("files/open");
    let length = store.put_open(&key, nameless.into()).await.unwrap();
    let stored = store.read_limited(&key, length).await.unwrap();
    assert_eq!(stored, "written and not rewound");
}

async fn a_file_that_cannot_be_read_leaves_nothing(store: &BlobStore) {
    let folder = tempfile::tempdir().unwrap();
    // A folder can be opened like a file but not read.
    for path in [folder.path().join("missing"), folder.path().to_owned()] {
        let failed = store.put_file(&key("unread"), &path).await.unwrap_err();
        assert!(matches!(failed, BlobError::Source(_)), "{failed:?}");
        assert!(!store.exists(&key("unread")).await.unwrap());
    }
}

async fn writers_of_one_key_do_not_mix(store: &BlobStore) {
    let key = key("contested");
    let length = 200_000;
    let puts = (0..8u8).map(|writer| store.put_bytes(&key, Bytes::from(vec![writer; length])));
    join_all(puts).await.into_iter().for_each(Result::unwrap);
    let blob = store.get_stream(&key).await.unwrap();
    let pieces: Vec<_> = blob.stream.map(Result::unwrap).collect().await;
    let stored = pieces.concat();
    assert_eq!(stored.len(), length);
    assert!(
        stored.iter().all(|byte| *byte == stored[0]),
        "two writers' bytes are mixed"
    );
}
