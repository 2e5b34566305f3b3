//! Which server one request is read from.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use super::{Position, Replica, Replicas};

/// The way of one request: one replica as long as it will do, and then the primary for good. So nothing that is read later is older.
pub(crate) struct Way {
    replicas: Arc<Replicas>,
    /// What must not be missed.
    after: Position,
    chosen: OnceLock<Option<usize>>,
    is_left: AtomicBool,
}

impl Way {
    /// To a replica that has got as far as this.
    pub(crate) fn new(replicas: Arc<Replicas>, after: Position) -> Self {
        Self {
            replicas,
            after,
            chosen: OnceLock::new(),
            is_left: AtomicBool::new(false),
        }
    }

    /// From here on to the primary.
    pub(crate) fn leave(&self) {
        self.is_left.store(true, Ordering::Relaxed);
    }

    /// The replica that is to be read from; none when it is the primary.
    pub(crate) fn replica(&self) -> Option<(&Self, &Replica)> {
        if self.is_left.load(Ordering::Relaxed) {
            return None;
        }
        let chosen = self.chosen.get_or_init(|| self.replicas.choose(self.after));
        let replica = &self.replicas.all[(*chosen)?];
        if replica.state().may_be_read_after(self.after) {
            return Some((self, replica));
        }
        self.leave();
        None
    }
}
