//! Long computations on a machine where somebody waits for an answer.

/// Lets whoever waits for this core go first; costs next to nothing when nobody does.
///
/// To be called for each row of many. Else the kernel may let us go on for some milliseconds before it gives the core to somebody who has
/// just been woken: beside an import every fiftieth answer was that late (`docs/performance.md`).
pub fn make_way() {
    std::thread::yield_now();
}
