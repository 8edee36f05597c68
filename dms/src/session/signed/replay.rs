//! What has been here before.

use std::collections::BTreeSet;

use super::signed_message::MessageId;

/// A message, by its time and its id.
type Message = (u64, MessageId);

/// How many ranges of time are kept in mind of which not all is known any more.
const RANGES: usize = 3;

/// Which messages of one key have been here, in bounded memory.
///
/// They are kept in the order of their times. Where there is no room for another one, or the oldest is older than the window, it is forgotten; that it was there is noted as a range of times, and what is
/// in one and not remembered is refused: nothing is ever taken twice, however many come, and however the clock is set. What many messages cost is patience: those that are late are refused sooner.
///
/// There is more than one range so that a clock that was wrong for a while does no harm afterwards: what came meanwhile is not of the time that it is set to.
#[derive(Debug)]
pub(super) struct Memory {
    seen: BTreeSet<Message>,
    /// The first and the last of each range in which something was forgotten, in their order.
    forgotten: Vec<(Message, Message)>,
}

/// What is known of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// It comes for the first time, and is remembered.
    First,
    /// It has been here.
    Again,
    /// It may have been here, and have been forgotten.
    Unknown,
}

impl Memory {
    pub(super) const fn new() -> Self {
        Self { seen: BTreeSet::new(), forgotten: Vec::new() }
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
        if self.is_forgotten(message) {
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

    /// Forgets all, so that only what is of other times than all that was here is taken.
    pub(super) fn collapse(&mut self) {
        while let Some(first) = self.seen.first().copied() {
            self.forget(first);
        }
        // What was full keeps some room.
        self.seen = BTreeSet::new();
        self.forgotten.shrink_to_fit();
    }

    /// How many messages are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }

    fn is_forgotten(&self, message: Message) -> bool {
        self.forgotten.iter().any(|(first, last)| (*first..=*last).contains(&message))
    }

    fn forget(&mut self, message: Message) {
        self.seen.remove(&message);
        if self.is_forgotten(message) {
            return;
        }
        let place = self.forgotten.partition_point(|(first, _)| *first < message);
        self.forgotten.insert(place, (message, message));
        if self.forgotten.len() > RANGES {
            // Those that are closest to each other become one.
            let gap = |place: &usize| self.forgotten[place + 1].0.0 - self.forgotten[*place].1.0;
            let closest = (0..RANGES).min_by_key(gap).unwrap_or_default();
            let (_, last) = self.forgotten.remove(closest + 1);
            self.forgotten[closest].1 = last;
        }
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
        // There is room for 100: the oldest are forgotten, and nothing of their time is taken any more.
        for time in 100..110 {
            assert_eq!(memory.take_in(time, id(1), 0, 100), Sight::First);
        }
        for time in 0..10 {
            assert_eq!(memory.take_in(time, id(1), 0, 100), Sight::Unknown);
        }
        assert_eq!(memory.take_in(6, id(2), 0, 100), Sight::Unknown);
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
    fn what_was_forgotten_while_the_clock_was_wrong_is_all_that_is_refused_of_it() {
        for wrong in [1_000_000, 1] {
            let mut memory = Memory::new();
            for number in 0..1_000 {
                assert_eq!(memory.take_in(500_000 + number / 10, id(number.into()), 0, 100), Sight::First);
            }
            for number in 0..1_000 {
                assert_eq!(
                    memory.take_in(wrong + number / 10, id(number.into()), wrong, 100),
                    Sight::First,
                    "{number}"
                );
            }
            for number in 0..1_000 {
                let sight = memory.take_in(500_200 + number / 10, id(number.into()), 500_200, 100);
                assert_eq!(sight, Sight::First, "{wrong}: {number}");
                assert!(memory.forgotten.len() <= RANGES);
            }
            for number in 0..1_000 {
                for begin in [500_000, wrong, 500_200] {
                    let sight = memory.take_in(begin + number / 10, id(number.into()), 0, 100);
                    assert_ne!(sight, Sight::First, "{wrong}: {begin} {number}");
                }
            }
        }
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
