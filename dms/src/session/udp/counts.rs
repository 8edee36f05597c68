//! What became of datagrams.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the datagrams of a [`Udp`](super::Udp) since it was bound; all its clones count together.
///
/// Each datagram that the operating system handed over is counted once: as delivered, unanswerable, empty, oversized or malformed. Those that the operating system dropped before, because nobody took them
/// soon enough, it counts itself (on Linux in the last column of `/proc/net/udp` and `/proc/net/udp6`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct UdpCounts {
    /// Datagrams sent.
    pub sent: u64,
    /// Messages handed to those who listen.
    pub delivered: u64,
    /// Datagrams that name port 0 as where they come from, to which nothing can be sent. Whatever is in them.
    pub unanswerable: u64,
    /// Datagrams without a byte.
    pub empty: u64,
    /// Datagrams above the limit.
    pub oversized: u64,
    /// Datagrams that are no message: they cannot be read as one, in whole and alone, or nest too deep.
    pub malformed: u64,
    /// Errors of the operating system while waiting for datagrams, such as a report that somebody cannot be reached. They end nothing.
    pub errors: u64,
}

impl UdpCounts {
    /// How many datagrams came.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.delivered + self.dropped()
    }

    /// How many datagrams came that were no message.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.unanswerable + self.empty + self.oversized + self.malformed
    }
}

/// The same, while it is counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) sent: Counter,
    pub(super) delivered: Counter,
    pub(super) unanswerable: Counter,
    pub(super) empty: Counter,
    pub(super) oversized: Counter,
    pub(super) malformed: Counter,
    pub(super) errors: Counter,
}

impl Counters {
    pub(super) fn read(&self) -> UdpCounts {
        UdpCounts {
            sent: self.sent.read(),
            delivered: self.delivered.read(),
            unanswerable: self.unanswerable.read(),
            empty: self.empty.read(),
            oversized: self.oversized.read(),
            malformed: self.malformed.read(),
            errors: self.errors.read(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_what_was_delivered_and_what_was_dropped_for_whatever_reason() {
        let counters = Counters::default();
        let came =
            [&counters.delivered, &counters.unanswerable, &counters.empty, &counters.oversized, &counters.malformed];
        for (number, counter) in came.into_iter().enumerate() {
            (0..1_u64 << number).for_each(|_| counter.add());
        }
        (0..100).for_each(|_| counters.sent.add());
        (0..1_000).for_each(|_| counters.errors.add());
        let UdpCounts { sent, delivered, unanswerable, empty, oversized, malformed, errors } = counters.read();
        assert_eq!((sent, delivered, unanswerable, empty, oversized, malformed, errors), (100, 1, 2, 4, 8, 16, 1_000));
        assert_eq!((counters.read().received(), counters.read().dropped()), (31, 30));
    }
}
