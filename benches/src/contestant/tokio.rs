//! What one would write by hand with Tokio: an enum, a channel, a `match`.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::{Ask, Contestant, Flavor, Join, Side, Stop, Tell, Ticks};
use crate::message::{Ball, Kept, Number, Passing, Payload, Question, Tally};

/// Actors by hand.
#[derive(Clone, Copy)]
pub(crate) struct ByHand;

impl Contestant for ByHand {
    type Counter = mpsc::UnboundedSender<CounterMessage>;
    type Clerk = mpsc::UnboundedSender<CounterMessage>;
    type Bounded = mpsc::Sender<Number>;
    type Bulk = mpsc::UnboundedSender<Payload>;
    type Player = mpsc::UnboundedSender<PlayerMessage>;
    type Keeper = Keeper;
    type Ticker = mpsc::UnboundedSender<TickerMessage>;

    fn run<F>(flavor: Flavor, work: impl FnOnce(Self) -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        flavor.run(async { work(Self).await })
    }

    async fn counter(&self, _: Side, tally: Tally) -> Option<Self::Counter> {
        Some(counter(tally))
    }

    async fn clerk(&self, _: Side) -> Self::Clerk {
        counter(Tally::unused())
    }

    async fn bounded(&self, _: Side, capacity: usize, mut tally: Tally) -> Option<Self::Bounded> {
        let (sender, mut inbox) = mpsc::channel(capacity);
        tokio::spawn(async move {
            while let Some(number) = inbox.recv().await {
                tally.add(number);
            }
        });
        Some(sender)
    }

    async fn bulk(&self, _: Side, mut tally: Tally) -> Option<Self::Bulk> {
        let (sender, mut inbox) = mpsc::unbounded_channel::<Payload>();
        tokio::spawn(async move {
            while let Some(payload) = inbox.recv().await {
                tally.add(payload.into());
            }
        });
        Some(sender)
    }

    async fn player(&self, _: Side, mut passing: Passing) -> Self::Player {
        let (sender, mut inbox) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut next: Option<Self::Player> = None;
            while let Some(message) = inbox.recv().await {
                match message {
                    PlayerMessage::Join(player, joined) => {
                        next = Some(player);
                        answer(joined, ());
                    }
                    PlayerMessage::Take(ball) => {
                        if let (Some(ball), Some(next)) = (passing.pass(ball), &next) {
                            next.tell(ball).await;
                        }
                    }
                }
            }
        });
        sender
    }

    async fn keeper(&self, _: Side, kept: Kept) -> Self::Keeper {
        let (sender, mut inbox) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            while let Some(KeeperMessage::Ask(question, reply)) = inbox.recv().await {
                answer(reply, kept.answer(question));
            }
        });
        Keeper { sender, task }
    }

    /// A task that owns the interval and tells its actor. An actor that waits for its messages and its interval with `select!` takes about as long.
    async fn ticker(&self, _: Side, period: Duration, ticks: Ticks) -> Self::Ticker {
        let (sender, mut inbox) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(TickerMessage::Tick) = inbox.recv().await {
                ticks.count();
            }
        });
        let actor = sender.clone();
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(period);
            loop {
                interval.tick().await;
                if actor.send(TickerMessage::Tick).is_err() {
                    break;
                }
            }
        });
        sender
    }
}

fn counter(mut tally: Tally) -> mpsc::UnboundedSender<CounterMessage> {
    let (sender, mut inbox) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) = inbox.recv().await {
            match message {
                CounterMessage::Add(number) => tally.add(number),
                CounterMessage::Ask(question, reply) => answer(reply, question.answer()),
            }
        }
    });
    sender
}

/// What a counter takes.
pub(crate) enum CounterMessage {
    Add(Number),
    Ask(Question, oneshot::Sender<u64>),
}

/// What a player takes.
pub(crate) enum PlayerMessage {
    Join(mpsc::UnboundedSender<PlayerMessage>, oneshot::Sender<()>),
    Take(Ball),
}

/// What a keeper takes.
pub(crate) enum KeeperMessage {
    Ask(Question, oneshot::Sender<u64>),
}

/// What a ticker takes.
pub(crate) enum TickerMessage {
    Tick,
}

fn answer<R>(reply: oneshot::Sender<R>, answer: R) {
    // Whoever asked may have gone; then nobody needs the answer.
    let _ = reply.send(answer);
}

impl Tell<Number> for mpsc::UnboundedSender<CounterMessage> {
    async fn tell(&self, number: Number) {
        assert!(self.send(CounterMessage::Add(number)).is_ok(), "the counter lives");
    }
}

impl Ask for mpsc::UnboundedSender<CounterMessage> {
    async fn ask(&self, number: u64) -> u64 {
        let (reply, answer) = oneshot::channel();
        assert!(self.send(CounterMessage::Ask(Question(number), reply)).is_ok(), "the counter lives");
        answer.await.expect("the counter answers")
    }
}

impl Tell<Number> for mpsc::Sender<Number> {
    async fn tell(&self, number: Number) {
        assert!(self.send(number).await.is_ok(), "the counter lives");
    }
}

impl Tell<Payload> for mpsc::UnboundedSender<Payload> {
    async fn tell(&self, payload: Payload) {
        assert!(self.send(payload).is_ok(), "the counter lives");
    }
}

impl Tell<Ball> for mpsc::UnboundedSender<PlayerMessage> {
    async fn tell(&self, ball: Ball) {
        assert!(self.send(PlayerMessage::Take(ball)).is_ok(), "the player lives");
    }
}

impl Join for mpsc::UnboundedSender<PlayerMessage> {
    async fn join(&self, next: &Self) {
        let (reply, joined) = oneshot::channel();
        assert!(self.send(PlayerMessage::Join(next.clone(), reply)).is_ok(), "the player lives");
        joined.await.expect("the player answers");
    }
}

/// A keeper that ends when its sender is dropped.
pub(crate) struct Keeper {
    sender: mpsc::UnboundedSender<KeeperMessage>,
    task: JoinHandle<()>,
}

impl Ask for Keeper {
    async fn ask(&self, number: u64) -> u64 {
        let (reply, answer) = oneshot::channel();
        assert!(self.sender.send(KeeperMessage::Ask(Question(number), reply)).is_ok(), "the keeper lives");
        answer.await.expect("the keeper answers")
    }
}

impl Stop for Keeper {
    async fn stop(self) {
        drop(self.sender);
        self.task.await.expect("the keeper does not panic");
    }
}
