//! Who waits for a module's answers, so that coarse deadlines can end the wait.
//!
//! A sweep does not end an ask: it wakes the asker, which sees for itself that its time has come, or has itself noted once more. So nothing of
//! an ask is kept here, nothing needs to be taken back when it is answered, and a task that asks again and again is noted once in a while
//! and else only found. Whoever has gone is forgotten with the sweep that would wake it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasherDefault;
use std::ptr;
use std::task::Waker;

use super::deadline::Deadline;
use super::lifecycle::IdHasher;

/// A table with room for more than this many is given back when it is empty.
const KEEP: usize = 1_024;

/// How many sweeps an asker that has just asked is left alone.
const FIRST_LOOK: u32 = 2;

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
    /// The sweep that wakes it.
    due: u32,
}

impl AskerKey {
    #[inline]
    pub(crate) fn of(waker: &Waker) -> Self {
        Self { data: waker.data() as usize, vtable: ptr::from_ref(waker.vtable()) as usize }
    }
}

/// The sweep that wakes an asker which has waited since the sweep `since` and may wait until `deadline`: each wait for a wake in vain is as long as all before.
#[inline]
pub(crate) fn next_look(since: u32, now: u32, deadline: u32) -> u32 {
    let look = now.wrapping_add(now.wrapping_sub(since).max(FIRST_LOOK));
    if is_earlier(look, deadline) { look } else { deadline }
}

impl Askers {
    /// Has a sweep wake who has `waker`, with `due` at the latest.
    #[inline]
    pub(crate) fn note(&mut self, waker: &Waker, due: u32) {
        match self.0.entry(AskerKey::of(waker)) {
            // Nearly always: what is only read is not taken from the processor that wrote it.
            Entry::Occupied(known) if !is_earlier(due, known.get().due) => {}
            Entry::Occupied(mut known) => known.get_mut().due = due,
            Entry::Vacant(place) => {
                place.insert(Asker { waker: waker.clone(), due });
            }
        }
    }

    /// Takes out whom this sweep wakes.
    pub(crate) fn take_due(&mut self, sweeps: u32) -> Vec<Waker> {
        let due = self.0.extract_if(|_, asker| Deadline::sweep(asker.due).is_swept(sweeps));
        let due = due.map(|(_, asker)| asker.waker).collect();
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
        for (_, asker) in newer.0 {
            self.note(&asker.waker, asker.due);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn wake_all(self) {
        self.0.into_values().for_each(|asker| asker.waker.wake());
    }
}

/// Sweep numbers wrap: the earlier is the one from which the other lies less than half the circle ahead.
fn is_earlier(sweep: u32, than: u32) -> bool {
    sweep != than && than.wrapping_sub(sweep) < u32::MAX / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asker_is_looked_at_after_twice_the_time_and_at_its_deadline() {
        let start = u32::MAX - 3;
        let deadline = start.wrapping_add(51);
        let mut looks = Vec::new();
        let mut now = start;
        while now != deadline {
            now = next_look(start, now, deadline);
            looks.push(now.wrapping_sub(start));
        }
        assert_eq!(looks, [2, 4, 8, 16, 32, 51]);
    }

    #[test]
    fn an_asker_is_noted_once_and_for_its_earliest_look() {
        let mut askers = Askers::default();
        for due in [7, 9, 5, 6] {
            askers.note(Waker::noop(), due);
        }
        assert!(askers.take_due(4).is_empty());
        assert_eq!(askers.take_due(5).len(), 1);
        assert!(askers.is_empty());
    }
}
