//! What has been here before.

use std::collections::BTreeSet;
use std::mem;

use super::signed_message::MessageId;

/// Which messages of one key have been here, in bounded memory.
///
/// They are kept in the order of their times. Where there is no room for another one, or the oldest is older than the window, it is forgotten, and from then on all that is not newer than
/// it is refused: nothing is ever taken twice, however many come, and however the clock is set. What many messages cost is patience: those that are late are refused sooner.
#[derive(Debug)]
pub(super) struct Memory {
    seen: BTreeSet<(u64, MessageId)>,
    /// The newest that was forgotten.
    floor: Option<(u64, MessageId)>,
}

/// What is known of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// It comes for the first time, and is remembered.
    First,
    /// It has been here.
    Again,
    /// It is not newer than what has been forgotten.
    Unknown,
}

impl Memory {
    pub(super) const fn new() -> Self {
        Self { seen: BTreeSet::new(), floor: None }
    }

    /// Takes a message in. At most `capacity` are remembered, which is 1 at least, and none from before `oldest`.
    pub(super) fn take_in(&mut self, time: u64, id: MessageId, oldest: u64, capacity: usize) -> Sight {
        while let Some(first) = self.seen.first().copied().filter(|(time, _)| *time < oldest) {
            self.forget(first);
        }
        let message = (time, id);
        if self.seen.contains(&message) {
            return Sight::Again;
        }
        if self.floor.is_some_and(|floor| message <= floor) {
            return Sight::Unknown;
        }
        self.seen.insert(message);
        while self.seen.len() > capacity
            && let Some(first) = self.seen.first().copied()
        {
            self.forget(first);
        }
        Sight::First
    }

    /// Forgets all, so that only what is newer than all that was here is taken.
    pub(super) fn collapse(&mut self) {
        let seen = mem::take(&mut self.seen);
        self.floor = self.floor.max(seen.last().copied());
    }

    fn forget(&mut self, message: (u64, MessageId)) {
        self.seen.remove(&message);
        self.floor = self.floor.max(Some(message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn id(number: u128) -> MessageId {
        MessageId(number.to_be_bytes())
    }

    /// Good enough, and the same each time.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % end
        }
    }

    #[test]
    fn nothing_is_taken_twice_however_full_the_memory_and_whatever_the_clock() {
        for seed in 1..=200 {
            let mut random = Random(seed);
            let capacity = 1 + usize::try_from(random.below(20)).expect("small");
            let mut memory = Memory::new();
            let mut taken = HashSet::new();
            for _ in 0..2_000 {
                let (time, number) = (random.below(60), random.below(5));
                let oldest = random.below(40);
                let sight = memory.take_in(time, id(number.into()), oldest, capacity);
                assert!(sight != Sight::First || taken.insert((time, number)), "seed {seed}: {time} {number} twice");
                assert!(sight != Sight::Again || taken.contains(&(time, number)), "seed {seed}");
                assert!(memory.seen.len() <= capacity, "seed {seed}");
            }
        }
    }

    #[test]
    fn messages_come_in_any_order_while_there_is_room() {
        let mut memory = Memory::new();
        for time in (0..100).rev() {
            assert_eq!(memory.take_in(time, id(1), 0, 100), Sight::First);
        }
        for time in 0..100 {
            assert_eq!(memory.take_in(time, id(1), 0, 100), Sight::Again);
        }
        // There is room for 100: the oldest is forgotten, and nothing as old is taken any more.
        assert_eq!(memory.take_in(100, id(1), 0, 100), Sight::First);
        assert_eq!(memory.take_in(0, id(0), 0, 100), Sight::Unknown);
        assert_eq!(memory.take_in(0, id(1), 0, 100), Sight::Unknown);
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten_for_good() {
        let mut memory = Memory::new();
        assert_eq!(memory.take_in(5, id(1), 0, 10), Sight::First);
        assert_eq!(memory.take_in(20, id(2), 10, 10), Sight::First);
        assert_eq!(memory.seen.len(), 1);
        // The clock goes back.
        assert_eq!(memory.take_in(5, id(1), 0, 10), Sight::Unknown);
    }

    #[test]
    fn a_message_that_is_older_than_a_full_memory_is_taken_once() {
        let mut memory = Memory::new();
        assert_eq!(memory.take_in(9, id(1), 0, 1), Sight::First);
        assert_eq!(memory.take_in(5, id(1), 0, 1), Sight::First);
        assert_eq!(memory.take_in(5, id(1), 0, 1), Sight::Unknown);
        assert_eq!(memory.take_in(9, id(1), 0, 1), Sight::Again);
    }
}
