//! Files: everything in the blob store, in an archive that tar reads. Blobs are never changed, so an incremental backup has only those that its parent
//! does not know; a list beside the archive names all there are.

use std::{
    io::{self, BufRead as _, Read, Write as _},
    path::Path,
    sync::Arc,
};

use domain::backup::Part;
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use futures_util::StreamExt as _;
use platform::blob::{Blob, BlobError, BlobKey, BlobStore, Listed};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::{runtime::Handle, task::spawn_blocking};
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::{
    BackupError, Progress, Setup,
    part::{PartReader, PartWriter, buffered},
    program::PIECE,
};

/// The folder in the archive: it is unpacked beside where that folder is to be.
const FOLDER: &str = "uploads/";
/// What the store writes there to find out whether it can.
const PROBE: &str = "health/";

/// How many files there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// All there were.
    pub count: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many of them the archive of this backup has; the others are in its parents'.
    pub archived: u64,
    /// How many went while they were being written.
    pub gone: u64,
}

/// What was written.
pub(super) struct Archived {
    /// The archive and the list.
    pub(super) parts: [Part; 2],
    pub(super) files: Files,
}

/// The files that a parent has, and its parents: a few bytes of a hash each.
#[derive(Default)]
pub(super) struct Known(Vec<u128>);

impl Known {
    /// Those in the list of a backup.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn read(
        setup: &Arc<Setup>,
        folder: &Path,
        list: &Part,
    ) -> Result<Self, BackupError> {
        let reader = PartReader::open(setup, folder, list)?;
        let known = spawn_blocking(move || Self::from_lines(reader));
        known
            .await
            .map_err(BackupError::of("uploads-list"))?
            .map_err(BackupError::of("uploads-list"))
    }

    fn from_lines(reader: impl Read) -> io::Result<Self> {
        let mut known = Vec::new();
        for line in io::BufReader::with_capacity(PIECE, zstd::Decoder::new(reader)?).lines() {
            known.push(fingerprint(&line?));
        }
        known.sort_unstable();
        Ok(Self(known))
    }

    fn contains(&self, line: &str) -> bool {
        self.0.binary_search(&fingerprint(line)).is_ok()
    }
}

fn fingerprint(line: &str) -> u128 {
    let hash: [u8; 32] = Sha256::digest(line).into();
    let (half, _) = hash.split_at(16);
    u128::from_be_bytes(half.try_into().unwrap_or_default())
}

/// How a file stands in the list: what makes it the same file.
fn line(listed: &Listed) -> String {
    format!("{}\t{}\t{}", listed.key, listed.bytes, listed.written_at)
}

/// Writes the archive and the list.
///
/// # Errors
/// When anything fails.
pub(super) async fn archive(
    setup: &Arc<Setup>,
    folder: &Path,
    known: Known,
    progress: &Arc<Progress>,
) -> Result<Archived, BackupError> {
    let archive = PartWriter::create(setup, folder, "uploads", "uploads.tar.gz", progress)?;
    let list = PartWriter::create(setup, folder, "uploads-list", "uploads.list.zst", progress)?;
    let (blobs, handle) = (setup.blobs.clone(), Handle::current());
    let written = spawn_blocking(move || write(&handle, &blobs, &known, archive, list));
    written
        .await
        .map_err(BackupError::of("uploads"))?
        .map_err(BackupError::of("uploads"))
}

fn write(
    handle: &Handle,
    blobs: &BlobStore,
    known: &Known,
    archive: PartWriter,
    list: PartWriter,
) -> io::Result<Archived> {
    // Pictures are as small as they get.
    let encoder = GzEncoder::new(buffered(archive), Compression::fast());
    let mut archive = tar::Builder::new(encoder);
    let mut list = zstd::Encoder::new(buffered(list), 1)?;
    let mut files = Files::default();
    let mut listed = blobs.list();
    while let Some(found) = handle.block_on(listed.next()) {
        let mut found = found.map_err(io::Error::other)?;
        if found.key.as_str().starts_with(PROBE) {
            continue;
        }
        if !known.contains(&line(&found)) {
            match handle.block_on(blobs.get_stream(&found.key)) {
                Ok(blob) => {
                    found.bytes = blob.length;
                    append(handle, &mut archive, &found, blob)?;
                }
                Err(BlobError::NotFound(_)) => {
                    files.gone += 1;
                    continue;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
            files.archived += 1;
        }
        files.count += 1;
        files.bytes += found.bytes;
        writeln!(list, "{}", line(&found))?;
    }
    let encoder = archive.into_inner()?;
    let archive = encoder
        .finish()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    let list = list
        .finish()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    Ok(Archived {
        parts: [archive.finish()?, list.finish()?],
        files,
    })
}

fn append(
    handle: &Handle,
    archive: &mut tar::Builder<impl io::Write>,
    listed: &Listed,
    blob: Blob,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(blob.length);
    header.set_mode(0o644);
    header.set_mtime(u64::try_from(listed.written_at / 1000).unwrap_or_default());
    let stream = blob.stream.map(|piece| piece.map_err(io::Error::other));
    let reader = SyncIoBridge::new_with_handle(StreamReader::new(stream), handle.clone());
    let mut counted = Counted { reader, read: 0 };
    archive.append_data(&mut header, format!("{FOLDER}{}", listed.key), &mut counted)?;
    if counted.read == blob.length {
        Ok(())
    } else {
        Err(io::Error::other(format!("{} ended early", listed.key)))
    }
}

/// A reader that knows how much came: an archive whose headers lie is not worth much.
struct Counted<R> {
    reader: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}

/// Reads an archive to its end, and gives each file of it to `take`.
fn entries(
    reader: PartReader,
    mut take: impl FnMut(BlobKey, u64, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let decoder = MultiGzDecoder::new(io::BufReader::with_capacity(PIECE, reader));
    let mut archive = tar::Archive::new(decoder);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        let key = path.strip_prefix(FOLDER).and_then(|key| key.parse().ok());
        let key = key.ok_or_else(|| io::Error::other(format!("{path:?} is none of ours")))?;
        let bytes = entry.size();
        take(key, bytes, &mut entry)?;
    }
    // What comes behind the last file has a checksum, too.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    Ok(())
}

/// What is in the archives of a backup and its parents, oldest first: how many of the files that its list names are there.
///
/// # Errors
/// When one cannot be read to its end.
pub(super) async fn count(
    setup: &Arc<Setup>,
    archives: Vec<PartReader>,
    folder: &Path,
    list: &Part,
) -> Result<(u64, u64), BackupError> {
    let wanted = sorted_keys(setup, folder, list).await?;
    let counted = spawn_blocking(move || {
        let mut met = vec![false; wanted.len()];
        for reader in archives {
            entries(reader, |key, bytes, content| {
                let read = io::copy(content, &mut io::sink())?;
                if let Some(met) = wanted
                    .binary_search(&name(key.as_str(), bytes))
                    .ok()
                    .and_then(|place| met.get_mut(place))
                {
                    *met = read == bytes;
                }
                Ok(())
            })?;
        }
        Ok::<_, io::Error>((
            met.iter().filter(|met| **met).count() as u64,
            met.len() as u64,
        ))
    });
    counted
        .await
        .map_err(BackupError::of("uploads"))?
        .map_err(BackupError::of("uploads"))
}

/// What tells a file in an archive from others: its key and its length.
fn name(key: &str, bytes: u64) -> u128 {
    fingerprint(&format!("{key}\t{bytes}"))
}

async fn sorted_keys(
    setup: &Arc<Setup>,
    folder: &Path,
    list: &Part,
) -> Result<Vec<u128>, BackupError> {
    let reader = PartReader::open(setup, folder, list)?;
    let read = spawn_blocking(move || {
        let mut keys = Vec::new();
        for line in io::BufReader::with_capacity(PIECE, zstd::Decoder::new(reader)?).lines() {
            let line = line?;
            // Without the time that it was written.
            let end = line.rfind('\t').unwrap_or(line.len());
            keys.push(fingerprint(line.get(..end).unwrap_or_default()));
        }
        keys.sort_unstable();
        Ok::<_, io::Error>(keys)
    });
    read.await
        .map_err(BackupError::of("uploads-list"))?
        .map_err(BackupError::of("uploads-list"))
}

/// Whether the store has any file of people.
///
/// # Errors
/// When it cannot say.
pub(super) async fn is_empty(blobs: &BlobStore) -> Result<bool, BackupError> {
    let mut listed = blobs.list();
    while let Some(found) = listed.next().await {
        if !found
            .map_err(BackupError::of("uploads"))?
            .key
            .as_str()
            .starts_with(PROBE)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Puts the files that a backup's list names back, out of its parents' archives and its own, oldest first; tells how many.
///
/// # Errors
/// When an archive cannot be read, or the store does not take a file.
pub(super) async fn restore(
    setup: &Arc<Setup>,
    archives: Vec<PartReader>,
    folder: &Path,
    list: &Part,
) -> Result<u64, BackupError> {
    let wanted = sorted_keys(setup, folder, list).await?;
    let (blobs, handle) = (setup.blobs.clone(), Handle::current());
    let restored = spawn_blocking(move || {
        let mut restored = 0;
        for reader in archives {
            entries(reader, |key, bytes, content| {
                if wanted.binary_search(&name(key.as_str(), bytes)).is_ok() {
                    handle.block_on(put(&blobs, &key, content))?;
                    restored += 1;
                }
                Ok(())
            })?;
        }
        Ok::<u64, io::Error>(restored)
    });
    restored
        .await
        .map_err(BackupError::of("uploads"))?
        .map_err(BackupError::of("uploads"))
}

async fn put(blobs: &BlobStore, key: &BlobKey, content: &mut (dyn Read + '_)) -> io::Result<()> {
    let mut writer = blobs.create(key);
    let mut buffer = vec![0; PIECE];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return writer.finish().await.map(drop).map_err(io::Error::other),
            Ok(read) => {
                let piece = buffer.get(..read).unwrap_or_default().to_vec();
                writer.write(piece.into()).await.map_err(io::Error::other)?;
            }
            Err(error) => {
                writer.abandon().await;
                return Err(error);
            }
        }
    }
}
