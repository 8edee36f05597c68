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
pub(crate) struct Askers {
    /// In place: nearly always one task asks a module at a time, and most modules are asked by few for all their life.
    first: Option<Asker>,
    /// Those who asked while there was a first; a table of them once there are any.
    others: Option<Box<Others>>,
}

#[derive(Default)]
struct Others(HashMap<AskerKey, Asker, BuildHasherDefault<IdHasher>>);

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
        match &mut self.first {
            Some(first) if first.waker.will_wake(waker) => first.note(due),
            None if self.others.as_ref().is_none_or(|others| others.0.is_empty()) => {
                self.first = Some(Asker { waker: waker.clone(), due });
            }
            // Whoever was noted there stays there, though the first place is free by now.
            _ => self.others.get_or_insert_default().note(waker, due),
        }
    }

    /// Takes out whom this sweep wakes.
    pub(crate) fn take_due(&mut self, sweeps: u32) -> Vec<Waker> {
        let mut due: Vec<_> = self.first.take_if(|first| first.is_due(sweeps)).into_iter().collect();
        if let Some(others) = &mut self.others {
            due.extend(others.0.extract_if(|_, asker| asker.is_due(sweeps)).map(|(_, asker)| asker));
            if others.0.is_empty() && others.0.capacity() > KEEP {
                self.others = None;
            }
        }
        due.into_iter().map(|asker| asker.waker).collect()
    }

    /// Adds those of `newer`, which were noted later.
    pub(crate) fn merge(&mut self, newer: Self) {
        if self.is_empty() {
            *self = newer;
            return;
        }
        newer.into_each().for_each(|asker| self.note(&asker.waker, asker.due));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none() && self.others.as_ref().is_none_or(|others| others.0.is_empty())
    }

    pub(crate) fn wake_all(self) {
        self.into_each().for_each(|asker| asker.waker.wake());
    }

    fn into_each(self) -> impl Iterator<Item = Asker> {
        self.first.into_iter().chain(self.others.into_iter().flat_map(|others| others.0.into_values()))
    }
}

impl Others {
    fn note(&mut self, waker: &Waker, due: u32) {
        match self.0.entry(AskerKey::of(waker)) {
            Entry::Occupied(mut known) => known.get_mut().note(due),
            Entry::Vacant(place) => {
                place.insert(Asker { waker: waker.clone(), due });
            }
        }
    }
}

impl Asker {
    #[inline]
    fn note(&mut self, due: u32) {
        // Hardly ever: what is only read is not taken from the processor that wrote it.
        if is_earlier(due, self.due) {
            self.due = due;
        }
    }

    fn is_due(&self, sweeps: u32) -> bool {
        Deadline::sweep(self.due).is_swept(sweeps)
    }
}

/// Sweep numbers wrap: the earlier is the one from which the other lies less than half the circle ahead.
fn is_earlier(sweep: u32, than: u32) -> bool {
    sweep != than && than.wrapping_sub(sweep) < u32::MAX / 2
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    struct Task;

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    fn task() -> Waker {
        Arc::new(Task).into()
    }

    fn is_only(woken: &[Waker], task: &Waker) -> bool {
        matches!(woken, [waker] if waker.will_wake(task))
    }

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
        let (mut askers, task) = (Askers::default(), task());
        for due in [7, 9, 5, 6] {
            askers.note(&task, due);
        }
        assert!(askers.take_due(4).is_empty());
        assert_eq!(askers.take_due(5).len(), 1);
        assert!(askers.is_empty());
    }

    #[test]
    fn each_of_many_askers_is_noted_once_wherever_there_is_place() {
        let [first, second, third] = [task(), task(), task()];
        let mut askers = Askers::default();
        for (asker, due) in [(&first, 3), (&second, 9), (&first, 2), (&second, 5), (&third, 5)] {
            askers.note(asker, due);
        }
        assert!(is_only(&askers.take_due(2), &first));
        // The place of the first is free again, and the second is known where it is.
        askers.note(&second, 4);
        assert!(askers.take_due(3).is_empty());
        assert!(is_only(&askers.take_due(4), &second));
        let mut newer = Askers::default();
        newer.note(&third, 6);
        newer.note(&first, 6);
        askers.merge(newer);
        assert!(is_only(&askers.take_due(5), &third));
        assert!(is_only(&askers.take_due(6), &first));
        assert!(askers.is_empty());
    }

    #[test]
    fn a_lone_asker_needs_no_table() {
        let mut askers = Askers::default();
        for task in [task(), task()] {
            askers.note(&task, 1);
            askers.note(&task, 2);
            assert!(askers.others.is_none());
            assert_eq!(askers.take_due(1).len(), 1);
        }
    }
}
