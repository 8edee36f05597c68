//! What the counting allocator has counted.

use std::hint::black_box;

use stats_alloc::INSTRUMENTED_SYSTEM;

/// How much this process has taken from the heap so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allocations {
    /// How often memory was taken: allocations, and reallocations of what had been allocated.
    pub(crate) count: u64,
    /// Bytes that are allocated now.
    pub(crate) live_bytes: i64,
}

impl Allocations {
    /// Reads the counters; nothing where the allocator of this program does not count.
    pub(crate) fn now() -> Option<Self> {
        drop(black_box(Box::new(0_u8)));
        let stats = INSTRUMENTED_SYSTEM.stats();
        (stats.allocations > 0).then(|| Self {
            count: widen(stats.allocations) + widen(stats.reallocations),
            live_bytes: widen(stats.bytes_allocated).cast_signed() - widen(stats.bytes_deallocated).cast_signed(),
        })
    }

    /// What to say where nothing is counted.
    pub(crate) fn uncounted() -> String {
        "the allocator of this program does not count: this workload is for the program `counting`".to_owned()
    }
}

fn widen(number: usize) -> u64 {
    number as u64
}
