//! The same as one would write it with Tokio alone: a task, a channel and an enum.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

enum Message {
    Add(u64),
    Get(oneshot::Sender<u64>),
}

enum Errand {
    AskOften(u32, oneshot::Sender<u32>),
}

/// Counts in a task of its own, which ends with it.
pub(crate) struct Actor {
    sender: mpsc::UnboundedSender<Message>,
    task: JoinHandle<()>,
}

impl Actor {
    pub(crate) fn spawn() -> Self {
        let (sender, mut inbox) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            let mut count = 0;
            while let Some(message) = inbox.recv().await {
                handle(&mut count, message);
            }
        });
        Self { sender, task }
    }

    /// One that also counts up by itself.
    pub(crate) fn spawn_ticking(every: Duration) -> Self {
        let (sender, mut inbox) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            let mut count = 0;
            let mut ticks = interval_at(Instant::now() + every, every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            loop {
                tokio::select! {
                    message = inbox.recv() => match message {
                        Some(message) => handle(&mut count, message),
                        None => return,
                    },
                    _ = ticks.tick() => count += 1,
                }
            }
        });
        Self { sender, task }
    }

    pub(crate) fn add(&self, number: u64) {
        assert!(self.sender.send(Message::Add(number)).is_ok(), "the actor lives");
    }

    pub(crate) async fn get(&self) -> u64 {
        let (reply, answer) = oneshot::channel();
        assert!(self.sender.send(Message::Get(reply)).is_ok(), "the actor lives");
        answer.await.expect("the actor lives")
    }

    /// Ends it, and waits until it has ended.
    pub(crate) async fn end(self) {
        drop(self.sender);
        self.task.await.expect("it does not panic");
    }
}

fn handle(count: &mut u64, message: Message) {
    match message {
        Message::Add(number) => *count += number,
        // Whoever asked may have given up.
        Message::Get(reply) => drop(reply.send(*count)),
    }
}

/// Has another actor ask `actor` that often.
pub(crate) async fn ask_often(actor: Actor, times: u32) -> u32 {
    let (sender, mut inbox) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Errand::AskOften(times, reply)) = inbox.recv().await {
            for _ in 0..times {
                actor.get().await;
            }
            // Whoever asked may have given up.
            let _ = reply.send(times);
        }
    });
    let (reply, answer) = oneshot::channel();
    assert!(sender.send(Errand::AskOften(times, reply)).is_ok(), "the asker lives");
    answer.await.expect("the asker lives")
}
