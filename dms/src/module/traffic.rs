//! What is counted of a module's messages, and how long some of them take (feature `observe`).
//!
//! Most of it follows from positions, so that no message touches a counter. What is rare, as a refusal, is counted where it happens. How long messages wait and are handled is
//! measured for some: the mailbox compares the position that it gives out with the next that is to be measured, and the worker does when a message begins.
//!
//! `traffic_off.rs` has the same names, for a program without the feature.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Serialize;
use tokio::time::Instant;

use super::histogram::Histogram;
use super::span::{self, Sender};

/// So many messages are measured from the first one on; later ones now and then.
const ALL_OF_FIRST: u64 = 16;

/// A measured message is followed by at most 2 to this power that are not: half as many on the average.
const GAP_LOG: u32 = 9;

/// So many messages that are to be measured wait at a time; others are not measured.
const MOST_WAITING: usize = 16;

/// What a module's mailbox has seen, from its first message on, through all incarnations.
///
/// Each accepted message is in one of these: `accepted = handled + undelivered + dropped + load`, where the load is what waits and what is in hand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// Messages that were accepted, ticks and events among them; delayed ones, once they are due or can come no more.
    pub accepted: u64,
    /// Messages whose handling has ended, however it did. An ask that its asker had given up before its turn came is among them, though its handler does not begin.
    pub handled: u64,
    /// Messages that were accepted and not handled because the module ended.
    pub undelivered: u64,
    /// Messages that were accepted and not handled because the bounded mailbox [drops](crate::Overflow) the newest or the oldest when it is full.
    pub dropped: u64,
    /// Messages that were not accepted: the module had ended or was ending, its mailbox was full and rejects, or to wait for room would never have ended.
    pub refused: u64,
    /// Panics of handlers and hooks, and of tasks that nobody awaited.
    pub panics: u64,
    /// How often the module was started again after it had failed or ended.
    pub restarts: u64,
    /// How often another value took its place.
    pub reloads: u64,
    /// How long messages waited, from when they were accepted to when their turn came, in Tokio's time. The first 16 are measured, and of the others, one in 256 on the average.
    pub wait_time: Histogram,
    /// How long the handling of messages took, the time in which it waited itself included. The same messages are measured. In a `#[run]` loop it ends when the loop asks for
    /// the next message, or [`Inbox::dispatch`](crate::Inbox::dispatch) is through with this one.
    pub handle_time: Histogram,
}

impl Counters {
    /// Adds all of another module, or another time.
    pub fn merge(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.accepted, other.accepted),
            (&mut self.handled, other.handled),
            (&mut self.undelivered, other.undelivered),
            (&mut self.dropped, other.dropped),
            (&mut self.refused, other.refused),
            (&mut self.panics, other.panics),
            (&mut self.restarts, other.restarts),
            (&mut self.reloads, other.reloads),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.wait_time.merge(&other.wait_time);
        self.handle_time.merge(&other.handle_time);
    }
}

/// The counters of a module, and what they leave over.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) counters: Counters,
    /// How many messages wait.
    pub(crate) depth: u64,
    /// How many wait or are handled.
    pub(crate) load: u64,
}

/// The position of the next message that is looked at when it is accepted: the lower half of it, for none is passed by.
#[derive(Default)]
pub(super) struct Next(u32);

impl Next {
    pub(super) const fn at(position: u64) -> Self {
        Self(lower_half(position))
    }

    /// Whether the message at this position is to be looked at.
    #[inline]
    pub(super) fn is(&self, position: u64) -> bool {
        lower_half(position) == self.0
    }
}

/// What a mailbox keeps, under its lock. Boxed, for a module that no message came to has none of it.
#[derive(Default)]
pub(super) struct Traffic(Option<Box<Rest>>);

#[derive(Default)]
struct Rest {
    /// Dropped by the policy, before they had a position, or after.
    newest_dropped: u64,
    oldest_dropped: u64,
    refused: u64,
    /// The next message that is measured.
    next_measured: u64,
    /// Who sent the messages that have not begun, while spans are wanted: where these stand.
    senders: VecDeque<(u64, Sender)>,
    /// The messages that are to be measured and have not begun: where they stand, and since when.
    waiting: VecDeque<(u64, Instant)>,
    /// The position behind the message in hand, and since when that one is handled, if it is measured.
    running: Option<(u64, Instant)>,
    wait_time: Histogram,
    handle_time: Histogram,
}

impl Traffic {
    /// Begins to measure the message at this position, and keeps who sent it while spans are wanted; gives the next that is looked at.
    #[cold]
    #[must_use]
    pub(super) fn look(&mut self, noted: &Noted, position: u64, sender: impl FnOnce() -> Sender) -> Next {
        let rest = self.0.get_or_insert_default();
        if position >= rest.next_measured {
            rest.next_measured = position + 1 + gap(position);
            if rest.waiting.len() < MOST_WAITING {
                rest.waiting.push_back((position, Instant::now()));
                rest.tell(noted, 0);
            }
        }
        if !span::are_on() {
            return Next::at(rest.next_measured);
        }
        let sender = sender();
        if sender.is_any() {
            rest.senders.push_back((position, sender));
        }
        Next::at(position + 1)
    }

    /// Takes out who sent the message at this position, and those before it, which have begun or never will.
    #[cold]
    pub(super) fn take_sender(&mut self, position: u64) -> (Sender, Vec<(u64, Sender)>) {
        let Some(rest) = &mut self.0 else { return Default::default() };
        let begun = rest.senders.iter().take_while(|(at, _)| *at <= position).count();
        let mut begun: Vec<_> = rest.senders.drain(..begun).collect();
        let sender = begun.pop_if(|(at, _)| *at == position).map(|(_, sender)| sender);
        (sender.unwrap_or_default(), begun)
    }

    /// Takes out all senders, for nothing is to begin any more.
    pub(super) fn take_senders(&mut self) -> VecDeque<(u64, Sender)> {
        self.0.as_mut().map(|rest| std::mem::take(&mut rest.senders)).unwrap_or_default()
    }

    /// Takes note that the message at this position begins, and that the one before has ended.
    #[cold]
    pub(super) fn begin(&mut self, noted: &Noted, position: u64) {
        let Some(rest) = &mut self.0 else { return noted.tell(None, position) };
        let now = Instant::now();
        rest.end(now);
        // Those before it were dropped where they waited.
        while let Some((at, since)) = rest.waiting.front().copied()
            && at <= position
        {
            rest.waiting.pop_front();
            if at == position {
                rest.wait_time.record(now.saturating_duration_since(since));
                rest.running = Some((position + 1, now));
            }
        }
        rest.tell(noted, position);
    }

    /// Takes note that no message is in hand any more, where the one that was is measured. So many have begun.
    #[cold]
    pub(super) fn end(&mut self, noted: &Noted, begun: u64) {
        let Some(rest) = &mut self.0 else { return noted.tell(None, begun) };
        if rest.running.is_some() {
            rest.end(Instant::now());
        }
        rest.tell(noted, begun);
    }

    /// Measures a message that does not wait; gives the next that is looked at.
    #[cold]
    #[must_use]
    pub(super) fn visit(&mut self, noted: &Noted, position: u64) -> Next {
        let next = self.look(noted, position, Sender::default);
        self.begin(noted, position);
        next
    }

    pub(super) fn count_newest_dropped(&mut self) {
        self.0.get_or_insert_default().newest_dropped += 1;
    }

    pub(super) fn count_oldest_dropped(&mut self) {
        self.0.get_or_insert_default().oldest_dropped += 1;
    }

    pub(super) fn count_refused(&mut self) {
        self.0.get_or_insert_default().refused += 1;
    }

    /// The counters of a mailbox that has given out so many positions.
    pub(super) fn counted(&self, given_out: u64, end: &EndCounts, undelivered: u64, depth: u64, load: u64) -> Counted {
        let rest = self.0.as_deref();
        let of = |part: fn(&Rest) -> u64| rest.map_or(0, part);
        let newest_dropped = of(|rest| rest.newest_dropped);
        let dropped = newest_dropped + of(|rest| rest.oldest_dropped);
        let accepted = given_out + newest_dropped + end.unsent;
        let time = |part: fn(&Rest) -> &Histogram| rest.map(|rest| part(rest).clone()).unwrap_or_default();
        let counters = Counters {
            accepted,
            handled: accepted.saturating_sub(undelivered + load),
            undelivered: undelivered.saturating_sub(dropped),
            dropped,
            refused: of(|rest| rest.refused),
            panics: end.panics,
            restarts: 0,
            reloads: 0,
            wait_time: time(|rest| &rest.wait_time),
            handle_time: time(|rest| &rest.handle_time),
        };
        Counted { counters, depth, load }
    }
}

impl Rest {
    fn end(&mut self, now: Instant) {
        if let Some((_, since)) = self.running.take() {
            self.handle_time.record(now.saturating_duration_since(since));
        }
    }

    /// Tells the worker, which is at the position `now`, when it is to look next: when the message in hand has ended, or when one that waits begins.
    fn tell(&self, noted: &Noted, now: u64) {
        let waiting = self.waiting.front().map(|(position, _)| *position);
        noted.tell(self.running.map(|(next, _)| next).or(waiting), now);
    }
}

/// How many messages are left out behind this one. It looks random, so that no rhythm of the senders is measured.
fn gap(position: u64) -> u64 {
    if position + 1 < ALL_OF_FIRST { 0 } else { position.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - GAP_LOG) }
}

#[allow(clippy::cast_possible_truncation, reason = "it is what is wanted")]
const fn lower_half(position: u64) -> u32 {
    position as u32
}

/// The position from which on the worker looks at what begins or has ended: the lower half of it. Written under the mailbox's lock.
pub(crate) struct Noted(AtomicU32);

/// So far behind a position lies what comes before it, and so far before it what comes behind: of the lower half, each half.
const HALF: u32 = 1 << (u32::BITS - 1);

impl Default for Noted {
    fn default() -> Self {
        Self(AtomicU32::new(HALF))
    }
}

impl Noted {
    /// Whether the worker is to look, of whose messages so many have begun. With nothing to see it looks once in two billion messages.
    #[inline]
    pub(crate) fn is_due(&self, begun: u64) -> bool {
        lower_half(begun).wrapping_sub(self.0.load(Ordering::Relaxed)) < HALF
    }

    fn tell(&self, next: Option<u64>, now: u64) {
        self.0.store(next.map_or_else(|| lower_half(now).wrapping_add(HALF), lower_half), Ordering::Relaxed);
    }
}

/// What is counted where a module ends, or nearly does.
#[derive(Default)]
pub(super) struct EndCounts {
    panics: u64,
    /// Delayed messages that can come no more, and never had a position.
    unsent: u64,
}

impl EndCounts {
    pub(super) fn count_panic(&mut self) {
        self.panics += 1;
    }

    pub(super) fn count_unsent(&mut self, count: usize) {
        self.unsent += count as u64;
    }
}
