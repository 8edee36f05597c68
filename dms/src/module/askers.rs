//! Who waits for a module's answers, so that coarse deadlines can end the wait.
//!
//! A sweep does not end an ask: it wakes the asker, which sees for itself that its time has come. So nothing of an ask itself is kept
//! here, and the two ends of its slot remain its only owners. A task that asks again and again is noted once: what is remembered
//! with its waker is the position of its last ask. Positions begin in order, so when the last is done all are.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasherDefault;
use std::ptr;
use std::task::Waker;

use super::deadline::Deadline;
use super::lifecycle::IdHasher;

/// A table with room for more than this many is given back when it is empty.
const KEEP: usize = 1_024;

#[derive(Default)]
pub(crate) struct Askers(HashMap<AskerKey, Asker, BuildHasherDefault<IdHasher>>);

/// What two wakers have in common that wake the same task: the comparison of [`Waker::will_wake`], to be hashed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct AskerKey {
    data: usize,
    vtable: usize,
}

struct Asker {
    waker: Waker,
    /// The position of its last ask.
    last: u64,
    /// The sweep that wakes it: that of its earliest deadline, of asks that may be answered by then.
    sweep: u32,
}

impl AskerKey {
    #[inline]
    pub(crate) fn of(waker: &Waker) -> Self {
        Self { data: waker.data() as usize, vtable: ptr::from_ref(waker.vtable()) as usize }
    }
}

impl Askers {
    /// Notes that who has `waker` waits for the answer of the message at `position`, until `sweep` at most.
    #[inline]
    pub(crate) fn note(&mut self, waker: &Waker, position: u64, sweep: u32) {
        match self.0.entry(AskerKey::of(waker)) {
            Entry::Occupied(mut known) => known.get_mut().note(position, sweep),
            Entry::Vacant(place) => {
                place.insert(Asker { waker: waker.clone(), last: position, sweep });
            }
        }
    }

    /// Forgets an asker whose last ask was at `position`, and is over.
    pub(crate) fn forget(&mut self, key: AskerKey, position: u64) -> Option<Waker> {
        match self.0.entry(key) {
            Entry::Occupied(known) if known.get().last == position => Some(known.remove().waker),
            _ => None,
        }
    }

    /// Takes out whom this sweep wakes, and whose last ask is done.
    pub(crate) fn sweep(&mut self, sweeps: u32, is_done: impl Fn(u64) -> bool) -> Vec<Waker> {
        let mut due = Vec::new();
        let taken = self.0.extract_if(|_, asker| is_done(asker.last) || Deadline::sweep(asker.sweep).is_swept(sweeps));
        for (_, asker) in taken {
            if !is_done(asker.last) {
                due.push(asker.waker);
            }
        }
        if self.0.is_empty() && self.0.capacity() > KEEP {
            self.0 = HashMap::default();
        }
        due
    }

    /// Adds those of `newer`, which were noted later.
    pub(crate) fn merge(&mut self, newer: Self) {
        if self.0.is_empty() {
            *self = newer;
            return;
        }
        for (key, asker) in newer.0 {
            match self.0.entry(key) {
                Entry::Occupied(mut known) => known.get_mut().note(asker.last, asker.sweep),
                Entry::Vacant(place) => {
                    place.insert(asker);
                }
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn wake_all(self) {
        self.0.into_values().for_each(|asker| asker.waker.wake());
    }
}

impl Asker {
    #[inline]
    fn note(&mut self, position: u64, sweep: u32) {
        self.last = self.last.max(position);
        // Sweep numbers wrap: the earlier is the one from which the other lies less than half the circle ahead.
        if self.sweep.wrapping_sub(sweep) < u32::MAX / 2 {
            self.sweep = sweep;
        }
    }
}
