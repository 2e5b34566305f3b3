//! The store in a folder: the contract, a killed writer, and memory.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use super::{child, contract, key, pattern};
use crate::blob::{BlobError, BlobStore};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn a_folder_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("made/when/missing");
    contract::holds(&BlobStore::local(&root).unwrap()).await;
    let left = files_below(&root);
    assert!(
        left.iter().all(|path| !is_staging(path)),
        "left behind: {left:?}"
    );
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = BlobStore::local(&file.join("below")).unwrap_err();
    assert!(matches!(refused, BlobError::Settings(_)), "{refused:?}");

    let root = folder.path().join("root");
    let store = BlobStore::local(&root).unwrap();
    fs::remove_dir_all(&root).unwrap();
    fs::write(&root, "a file where the folder was").unwrap();
    let put = store.put_bytes(&key("a"), Bytes::new()).await.unwrap_err();
    let sick = store.health().await.unwrap_err();
    assert!(matches!(put, BlobError::Unavailable(_)), "{put:?}");
    assert!(matches!(sick, BlobError::Unavailable(_)), "{sick:?}");
}

#[tokio::test]
async fn a_writer_killed_half_way_leaves_nothing_to_be_seen() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let mut writer = child::start("blob::tests::local::put_from_a_pipe", folder.path(), &[]);
    let mut feed = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    feed.write_all(&pattern(12 * 1024 * 1024)).unwrap();
    let root = folder.path().join("root");
    wait_for(|| {
        files_below(&root)
            .iter()
            .any(|path| is_staging(path) && !is_empty(path))
    });
    writer.kill().unwrap();
    writer.wait().unwrap();

    let store = BlobStore::local(&root).unwrap();
    let key = key("original/half");
    assert!(!store.exists(&key).await.unwrap());
    assert!(matches!(
        store.get_stream(&key).await,
        Err(BlobError::NotFound(_))
    ));
    store
        .put_bytes(&key, Bytes::from_static(b"whole"))
        .await
        .unwrap();
    assert_eq!(store.read_limited(&key, 10).await.unwrap(), "whole");
    assert_what_was_left_goes_when_it_is_old(&store, &root).await;
    assert_eq!(store.read_limited(&key, 10).await.unwrap(), "whole");
}

/// What the killed writer left, and files that are no leftovers: of somebody else, with other names, links.
async fn assert_what_was_left_goes_when_it_is_old(store: &BlobStore, root: &Path) {
    let staged = files_below(root);
    let staged = staged.iter().find(|path| is_staging(path)).unwrap();
    let length = fs::metadata(staged).unwrap().len();
    let written = fs::metadata(staged).unwrap().modified().unwrap();
    let others = [
        "theirs/x#1",
        "original/notes#draft",
        "original/Notes#1",
        "original/x#",
    ];
    for other in others {
        let path = root.join(other);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "theirs").unwrap();
        age(&path, written - DAY);
    }
    std::os::unix::fs::symlink(root.join("theirs"), root.join("original/link")).unwrap();

    assert!(store.leftovers(written - DAY).await.unwrap().is_empty());
    age(staged, written - DAY);
    let found = store.leftovers(written - DAY).await.unwrap();
    let lengths: Vec<_> = found.iter().map(|leftover| leftover.bytes).collect();
    assert_eq!(lengths, [length]);
    // Somebody has taken its name meanwhile.
    age(staged, written);
    store
        .remove_leftovers(found.clone(), written - DAY)
        .await
        .unwrap();
    assert!(staged.exists());
    age(staged, written - DAY);
    for _ in 0..2 {
        store
            .remove_leftovers(found.clone(), written - DAY)
            .await
            .unwrap();
        assert!(!staged.exists());
    }
    assert!(store.leftovers(written).await.unwrap().is_empty());
    for other in others {
        assert!(root.join(other).exists(), "{other}");
    }
}

fn age(path: &Path, written: SystemTime) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_modified(written).unwrap();
}

#[tokio::test]
#[ignore = "runs as the child of a_writer_killed_half_way_leaves_nothing_to_be_seen"]
async fn put_from_a_pipe() {
    let folder = child::folder().unwrap();
    let store = BlobStore::local(&folder.join("root")).unwrap();
    let put = store
        .put_file(&key("original/half"), &folder.join("pipe"))
        .await;
    panic!("the parent should have killed this process: {put:?}");
}

#[test]
fn a_large_file_takes_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    child::run(
        "blob::tests::local::put_and_get_a_large_file",
        folder.path(),
        &[],
    );
}

#[tokio::test]
#[ignore = "runs as the child of a_large_file_takes_little_memory"]
async fn put_and_get_a_large_file() {
    const LENGTH: u64 = 256 * 1024 * 1024;
    let folder = child::folder().unwrap();
    let path = folder.join("large");
    fs::File::create(&path).unwrap().set_len(LENGTH).unwrap();
    let store = BlobStore::local(&folder.join("root")).unwrap();
    let before = peak_memory();
    store.put_file(&key("large"), &path).await.unwrap();
    let mut blob = store.get_stream(&key("large")).await.unwrap();
    let mut length = 0;
    while let Some(piece) = futures::StreamExt::next(&mut blob.stream).await {
        length += piece.unwrap().len() as u64;
    }
    assert_eq!(length, LENGTH);
    let grown = peak_memory() - before;
    assert!(grown < 40 * 1024, "memory grew by {grown} KiB");
}

/// The most memory this process ever had resident, in KiB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let below = |path: PathBuf| {
        if path.is_dir() {
            files_below(&path)
        } else {
            vec![path]
        }
    };
    entries.flat_map(|entry| below(entry.path())).collect()
}

fn is_staging(path: &Path) -> bool {
    path.to_string_lossy().contains('#')
}

fn is_empty(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() == 0)
}

fn wait_for(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(
            Instant::now() < deadline,
            "the condition did not come true in time"
        );
        std::thread::yield_now();
    }
}
