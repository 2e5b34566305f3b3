//! How far a backup has come.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what is done, for whoever wants to know.
#[derive(Debug, Default)]
pub struct Progress {
    rows: AtomicU64,
    all_rows: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    pub(super) fn wrote(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn dumped(&self, rows: u64) {
        self.rows.store(rows, Ordering::Relaxed);
    }

    pub(super) fn expect_rows(&self, rows: u64) {
        self.all_rows.store(rows, Ordering::Relaxed);
    }

    /// Bytes that were written, of all parts together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How much of the database is in the dump, in percent; nothing before it is known how much there is.
    #[must_use]
    pub fn percent(&self) -> u64 {
        let done = self.rows.load(Ordering::Relaxed).saturating_mul(100);
        done.checked_div(self.all_rows.load(Ordering::Relaxed))
            .unwrap_or_default()
            .min(100)
    }
}
