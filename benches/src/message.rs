//! The messages, and what an actor does with them: the same code for every contestant.

use std::time::Instant;

use tokio::sync::oneshot;

/// A small message: told by one of several producers, who count up from zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    /// Which producer.
    pub(crate) producer: u32,
    /// The producer's how-manieth message.
    pub(crate) number: u64,
}

/// A message of 64 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payload(pub(crate) [u64; 8]);

/// A message that is answered with its number plus one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question(pub(crate) u64);

impl Question {
    /// The right answer.
    pub(crate) fn answer(self) -> u64 {
        self.0 + 1
    }
}

/// What a player gets and passes on, until no pass is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ball {
    /// How often it is still to be passed.
    pub(crate) remaining: u64,
    /// The sum of `remaining` at every player it has been with.
    pub(crate) sum: u64,
}

impl From<(u32, u64)> for Number {
    fn from((producer, number): (u32, u64)) -> Self {
        Self { producer, number }
    }
}

impl From<(u32, u64)> for Payload {
    fn from((producer, number): (u32, u64)) -> Self {
        Self([u64::from(producer), number, 2, 3, 4, 5, 6, 7])
    }
}

impl From<Payload> for Number {
    fn from(Payload([producer, number, rest @ ..]): Payload) -> Self {
        debug_assert_eq!(rest, [2, 3, 4, 5, 6, 7], "the payload arrives whole");
        Self { producer: u32::try_from(producer).expect("a producer's number"), number }
    }
}

/// What all messages of a workload came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Totals {
    /// How many were handled.
    pub(crate) count: u64,
    /// The sum of their numbers.
    pub(crate) sum: u64,
    /// How many came after a later one of the same producer.
    pub(crate) out_of_order: u64,
}

/// The end of a workload, as the actor that handled the last message saw it.
#[derive(Debug)]
pub(crate) struct Finish {
    /// When that was.
    pub(crate) at: Instant,
    /// What the messages came to.
    pub(crate) totals: Totals,
}

/// Sends the [`Finish`] once, from wherever the last message is handled.
type Finisher = Option<oneshot::Sender<Finish>>;

fn finish(finisher: &mut Finisher, totals: Totals) {
    if let Some(finisher) = finisher.take() {
        // Whoever measures may have given up already; then nobody asks for the result.
        let _ = finisher.send(Finish { at: Instant::now(), totals });
    }
}

/// The state of an actor that counts what it is told.
#[derive(Debug)]
pub(crate) struct Tally {
    totals: Totals,
    /// The highest number seen, for each producer.
    highest: Vec<u64>,
    /// How many messages are to come in all.
    expected: u64,
    finisher: Finisher,
}

impl Tally {
    /// A tally of `expected` messages from so many producers, and where its end is announced.
    pub(crate) fn new(producers: u32, expected: u64) -> (Self, oneshot::Receiver<Finish>) {
        let (sender, finished) = oneshot::channel();
        let totals = Totals { count: 0, sum: 0, out_of_order: 0 };
        let highest = vec![0; producers as usize];
        (Self { totals, highest, expected, finisher: Some(sender) }, finished)
    }

    /// A tally for those who are only asked.
    pub(crate) fn unused() -> Self {
        Self::new(0, 0).0
    }

    /// Takes a message into account.
    #[inline]
    pub(crate) fn add(&mut self, Number { producer, number }: Number) {
        let highest = &mut self.highest[producer as usize];
        if number < *highest {
            self.totals.out_of_order += 1;
        } else {
            *highest = number;
        }
        self.totals.sum += number;
        self.totals.count += 1;
        if self.totals.count == self.expected {
            finish(&mut self.finisher, self.totals);
        }
    }
}

/// The state of an actor that passes a ball on.
#[derive(Debug)]
pub(crate) struct Passing {
    finisher: Finisher,
    hops: u64,
}

impl Passing {
    /// A player with whom no ball ends.
    pub(crate) fn on() -> Self {
        Self { finisher: None, hops: 0 }
    }

    /// The player with whom a ball ends after so many hops, and where that is announced.
    pub(crate) fn home(hops: u64) -> (Self, oneshot::Receiver<Finish>) {
        let (sender, finished) = oneshot::channel();
        (Self { finisher: Some(sender), hops }, finished)
    }

    /// What is passed on; nothing once the ball has come home.
    #[inline]
    pub(crate) fn pass(&mut self, Ball { remaining, sum }: Ball) -> Option<Ball> {
        if remaining == 0 {
            finish(&mut self.finisher, Totals { count: self.hops, sum, out_of_order: 0 });
            return None;
        }
        Some(Ball { remaining: remaining - 1, sum: sum + remaining })
    }
}

/// The state of an actor that has nothing to do but to keep 64 bytes.
#[derive(Debug)]
pub(crate) struct Kept([u64; 8]);

impl Kept {
    /// What the keeper number `number` keeps.
    pub(crate) fn new(number: u64) -> Self {
        Self([number; 8])
    }

    /// Answers a question.
    pub(crate) fn answer(&self, question: Question) -> u64 {
        debug_assert_eq!(self.0, [self.0[0]; 8], "what is kept stays as it is");
        question.answer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_ends_with_the_last_message() {
        let (mut tally, mut finished) = Tally::new(2, 4);
        for (producer, number) in [(0, 0), (1, 0), (1, 1)] {
            tally.add(Number { producer, number });
            assert!(finished.try_recv().is_err());
        }
        tally.add(Number { producer: 0, number: 1 });
        let Finish { totals, .. } = finished.try_recv().expect("the end");
        assert_eq!(totals, Totals { count: 4, sum: 2, out_of_order: 0 });
    }

    #[test]
    fn order_is_that_of_each_producer() {
        let (mut tally, mut finished) = Tally::new(2, 5);
        for (producer, number) in [(0, 2), (1, 0), (0, 1), (0, 0), (1, 1)] {
            tally.add(Number { producer, number });
        }
        let Finish { totals, .. } = finished.try_recv().expect("the end");
        assert_eq!(totals, Totals { count: 5, sum: 4, out_of_order: 2 });
    }

    #[test]
    fn a_ball_comes_home_after_its_hops() {
        let (mut home, mut finished) = Passing::home(2);
        let mut other = Passing::on();
        let ball = home.pass(Ball { remaining: 2, sum: 0 }).and_then(|ball| other.pass(ball)).expect("passed on");
        assert!(finished.try_recv().is_err());
        assert!(home.pass(ball).is_none());
        let Finish { totals, .. } = finished.try_recv().expect("the end");
        assert_eq!(totals, Totals { count: 2, sum: 3, out_of_order: 0 });
    }

    #[test]
    fn a_payload_is_a_number_of_64_bytes() {
        assert_eq!(size_of::<Payload>(), 64);
        let Number { producer, number } = Payload::from((3, 7)).into();
        assert_eq!((producer, number), (3, 7));
    }
}
