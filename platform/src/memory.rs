//! How much memory the machine has to spare. In a container this is the host's; the container's own limit ends the process.

use procfs::{Current, Meminfo};

/// The part of the machine's memory, in percent, that a program could have at once: free, or used for caches only. None where the
/// kernel does not tell.
#[must_use]
pub fn available_percent() -> Option<u64> {
    let memory = Meminfo::current().ok()?;
    memory
        .mem_available?
        .saturating_mul(100)
        .checked_div(memory.mem_total)
}

#[cfg(test)]
mod tests {
    use super::available_percent;

    #[test]
    fn a_machine_that_runs_this_has_memory_left() {
        assert!(matches!(available_percent(), Some(1..=100)));
    }
}
