//! From a thread that writes to a task that stores, some pieces at a time: who writes waits until there is room.

use std::io::{self, Write};

use bytes::Bytes;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Bytes that travel together.
const PIECE: usize = 256 * 1024;
/// Pieces that may be on their way.
const WAITING: usize = 4;

/// Where a thread writes to.
pub struct Pipe {
    buffer: Vec<u8>,
    out: Sender<Bytes>,
}

impl Pipe {
    /// A new one, and where what is written comes out.
    #[must_use]
    pub fn new() -> (Self, Receiver<Bytes>) {
        let (out, pieces) = mpsc::channel(WAITING);
        let buffer = Vec::new();
        (Self { buffer, out }, pieces)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.buffer).into();
        let sent = self.out.blocking_send(piece);
        sent.map_err(|_closed| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}
