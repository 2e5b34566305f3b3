//! The operations on a blob store, the same for a folder and for a bucket.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{BlobError, BlobKey, BlobWriter, S3Settings};

/// The size of one part of an upload: the least that S3 takes for any part but the last.
const PART: usize = 5 * 1024 * 1024;
/// Parts of one upload on their way at the same time. One upload holds `PART * (this + 1)` bytes.
const PARTS_IN_FLIGHT: usize = 2;
/// How much of a local file is read at once.
const CHUNK: usize = 256 * 1024;
const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);

/// A handle to the place where blobs are kept. Cloning it is cheap; all clones share connections.
#[derive(Clone)]
pub struct BlobStore {
    store: Arc<dyn ObjectStore>,
    /// Where it is on this machine; none for a bucket.
    pub(super) folder: Option<Arc<Path>>,
}

/// The bytes of a blob in pieces; an error ends it.
pub type BlobStream = BoxStream<'static, Result<Bytes, BlobError>>;

/// A blob, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: BlobKey,
    /// The whole length in bytes.
    pub bytes: u64,
    /// When it was written, in milliseconds since 1970.
    pub written_at: i64,
}

/// A blob being read.
pub struct Blob {
    /// The whole length in bytes.
    pub length: u64,
    /// The media type by the key's ending, see [`BlobKey::content_type`].
    pub content_type: &'static str,
    /// The content.
    pub stream: BlobStream,
}

impl BlobStore {
    /// A store in a folder of this machine, which is created when missing. Puts reach the disk
    /// before they return.
    ///
    /// # Errors
    ///
    /// [`BlobError::Settings`] when the folder cannot be created or opened.
    pub fn local(root: &Path) -> Result<Self, BlobError> {
        std::fs::create_dir_all(root).map_err(|error| BlobError::Settings(Box::new(error)))?;
        let store = LocalFileSystem::new_with_prefix(root)
            .map_err(|error| BlobError::Settings(Box::new(error)))?;
        Ok(Self {
            store: Arc::new(store.with_fsync(true)),
            folder: Some(root.into()),
        })
    }

    /// A store in an S3-compatible bucket. Nothing is sent yet: ask [`BlobStore::health`].
    ///
    /// # Errors
    ///
    /// [`BlobError::Settings`] when the endpoint is not a usable URL or the machine has no root
    /// certificates.
    pub fn s3(settings: &S3Settings) -> Result<Self, BlobError> {
        Ok(Self {
            store: Arc::new(settings.connect()?),
            folder: None,
        })
    }

    /// Stores the file at `path` under `key` and returns its length in bytes. A blob that was there
    /// is replaced.
    ///
    /// # Errors
    ///
    /// [`BlobError::Source`] when the file cannot be read, [`BlobError::Unavailable`] when the
    /// store fails. Either way nothing new is visible under `key`.
    pub async fn put_file(&self, key: &BlobKey, path: &Path) -> Result<u64, BlobError> {
        let file = File::open(path).await.map_err(BlobError::Source)?;
        self.put_rest(key, file).await
    }

    /// Stores an open file from its beginning under `key`, such as one that has no name, and returns
    /// its length in bytes. A blob that was there is replaced.
    ///
    /// # Errors
    ///
    /// As [`BlobStore::put_file`].
    pub async fn put_open(&self, key: &BlobKey, mut file: File) -> Result<u64, BlobError> {
        file.rewind().await.map_err(BlobError::Source)?;
        self.put_rest(key, file).await
    }

    /// Begins to write a blob under `key`, piece by piece. A blob that was there is replaced when it is finished.
    #[must_use]
    pub fn create(&self, key: &BlobKey) -> BlobWriter {
        BlobWriter::new(key.clone(), self.writer(key))
    }

    fn writer(&self, key: &BlobKey) -> BufWriter {
        BufWriter::with_capacity(Arc::clone(&self.store), location(key), PART)
            .with_max_concurrency(PARTS_IN_FLIGHT)
    }

    /// Stores what is still to be read of `file`.
    async fn put_rest(&self, key: &BlobKey, file: File) -> Result<u64, BlobError> {
        let mut writer = self.writer(key);
        match send(file, &mut writer).await {
            Ok(length) => finish(&mut writer).await.map(|()| length),
            Err(error) => {
                abandon(&mut writer, key).await;
                Err(error)
            }
        }
    }

    /// Stores `bytes` under `key`. A blob that was there is replaced.
    ///
    /// # Errors
    ///
    /// [`BlobError::Unavailable`] when the store fails; nothing new is visible under `key` then.
    pub async fn put_bytes(&self, key: &BlobKey, bytes: Bytes) -> Result<(), BlobError> {
        let put = self.store.put(&location(key), bytes.into()).await;
        put.map(|_| ())
            .map_err(|error| BlobError::about(key, error))
    }

    /// Opens the blob under `key` for reading in pieces.
    ///
    /// # Errors
    ///
    /// [`BlobError::NotFound`] or [`BlobError::Unavailable`].
    pub async fn get_stream(&self, key: &BlobKey) -> Result<Blob, BlobError> {
        let got = self.store.get(&location(key)).await;
        let got = got.map_err(|error| BlobError::about(key, error))?;
        let owned = key.clone();
        Ok(Blob {
            length: got.meta.size,
            content_type: key.content_type(),
            stream: got
                .into_stream()
                .map(move |piece| piece.map_err(|error| BlobError::about(&owned, error)))
                .boxed(),
        })
    }

    /// Reads the whole blob under `key`, but never more than `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`BlobError::TooLarge`] (before a byte is read), [`BlobError::NotFound`] or
    /// [`BlobError::Unavailable`].
    pub async fn read_limited(&self, key: &BlobKey, limit: u64) -> Result<Bytes, BlobError> {
        let got = self.store.get(&location(key)).await;
        let got = got.map_err(|error| BlobError::about(key, error))?;
        if got.meta.size > limit {
            let key = key.clone();
            return Err(BlobError::TooLarge { key, limit });
        }
        let bytes = got.bytes().await;
        bytes.map_err(|error| BlobError::about(key, error))
    }

    /// The whole length of the blob under `key`, in bytes.
    ///
    /// # Errors
    ///
    /// [`BlobError::NotFound`] or [`BlobError::Unavailable`].
    pub async fn length(&self, key: &BlobKey) -> Result<u64, BlobError> {
        let found = self.store.head(&location(key)).await;
        found
            .map(|meta| meta.size)
            .map_err(|error| BlobError::about(key, error))
    }

    /// Reads a piece of the blob under `key`, which must not go beyond its end. Whoever reads something long piece by piece can
    /// go on where they were, and no request takes longer than one piece.
    ///
    /// # Errors
    ///
    /// [`BlobError::NotFound`] or [`BlobError::Unavailable`].
    pub async fn read_range(&self, key: &BlobKey, range: Range<u64>) -> Result<Bytes, BlobError> {
        let read = self.store.get_range(&location(key), range).await;
        read.map_err(|error| BlobError::about(key, error))
    }

    /// Everything that is stored, in any order and one after the other. What is written or removed meanwhile may be among it or not. What has a name
    /// that is no key is not ours, and is left out.
    pub fn list(&self) -> BoxStream<'static, Result<Listed, BlobError>> {
        let listed = self.store.list(None).filter_map(|found| async move {
            match found {
                Ok(meta) => meta.location.as_ref().parse().ok().map(|key| {
                    Ok(Listed {
                        key,
                        bytes: meta.size,
                        written_at: meta.last_modified.timestamp_millis(),
                    })
                }),
                Err(error) => Some(Err(BlobError::Unavailable(Box::new(error)))),
            }
        });
        listed.boxed()
    }

    /// Whether something is stored under `key`.
    ///
    /// # Errors
    ///
    /// [`BlobError::Unavailable`] when the store cannot tell.
    pub async fn exists(&self, key: &BlobKey) -> Result<bool, BlobError> {
        match self.store.head(&location(key)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(BlobError::about(key, error)),
        }
    }

    /// Removes the blob under `key`; one that is not there counts as removed.
    ///
    /// # Errors
    ///
    /// [`BlobError::Unavailable`] when the store fails.
    pub async fn delete(&self, key: &BlobKey) -> Result<(), BlobError> {
        match self.store.delete(&location(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(BlobError::about(key, error)),
        }
    }

    /// Proves that the store takes writes, by replacing the tiny blob `health/probe`. Answers
    /// within five seconds.
    ///
    /// # Errors
    ///
    /// [`BlobError::Unavailable`] when it does not, or not in time.
    pub async fn health(&self) -> Result<(), BlobError> {
        let location = object_store::path::Path::from("health/probe");
        let put = self.store.put(&location, Bytes::from_static(b"ok").into());
        match timeout(HEALTH_TIMEOUT, put).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(BlobError::Unavailable(Box::new(error))),
            Err(elapsed) => Err(BlobError::Unavailable(Box::new(elapsed))),
        }
    }
}

impl fmt::Debug for BlobStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobStore({})", self.store)
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({}, {} bytes)", self.content_type, self.length)
    }
}

fn location(key: &BlobKey) -> object_store::path::Path {
    object_store::path::Path::from(key.as_str())
}

async fn send(mut file: File, writer: &mut BufWriter) -> Result<u64, BlobError> {
    let mut length = 0;
    loop {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        let read = file.read_buf(&mut chunk).await;
        let read = read.map_err(BlobError::Source)?;
        if read == 0 {
            return Ok(length);
        }
        length += read as u64;
        let put = writer.put(chunk.freeze()).await;
        put.map_err(|error| BlobError::Unavailable(Box::new(error)))?;
    }
}

async fn finish(writer: &mut BufWriter) -> Result<(), BlobError> {
    let finished: io::Result<()> = writer.shutdown().await;
    finished.map_err(|error| BlobError::Unavailable(Box::new(error)))
}

/// Frees what the store holds of an upload that will not be finished. Failing at it harms nobody
/// but the store's disk, and the caller has a better error to report.
async fn abandon(writer: &mut BufWriter, key: &BlobKey) {
    if let Err(error) = writer.abort().await {
        tracing::warn!(%key, %error, "an unfinished upload could not be cleaned up");
    }
}
