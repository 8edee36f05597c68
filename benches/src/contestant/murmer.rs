//! murmer: `#[handlers]` on the impl, the state beside the actor, a label for each actor.
//!
//! A message always has an answer that its sender awaits, so there are no tells. Inside a handler `forward` passes a message on without waiting.

#![allow(clippy::unused_self, clippy::needless_pass_by_value, reason = "`#[handlers]` says what a handler looks like")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use murmer::prelude::*;
use tokio::sync::oneshot;

use super::{Ask, Contestant, Flavor, Join, Never, Side, Stop, Tell, Ticks};
use crate::message::{Ball, Kept, Passing, Question, Tally};

/// A local murmer system, and the number of the next actor's label.
#[derive(Clone)]
pub(crate) struct Murmer {
    system: Arc<System>,
    next: Arc<AtomicU64>,
}

impl Murmer {
    /// A label that no other actor has.
    fn label(&self, kind: &str) -> String {
        format!("{kind}/{}", self.next.fetch_add(1, Ordering::Relaxed))
    }
}

impl Contestant for Murmer {
    type Counter = Never;
    type Clerk = Endpoint<Clerk>;
    type Bounded = Never;
    type Bulk = Never;
    type Player = LabelledPlayer;
    type Keeper = LabelledKeeper;
    type Ticker = Endpoint<Ticker>;

    fn run<F>(flavor: Flavor, work: impl FnOnce(Self) -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        flavor.run(async { work(Self { system: Arc::new(System::local()), next: Arc::default() }).await })
    }

    async fn counter(&self, _: Side, _: Tally) -> Option<Self::Counter> {
        None
    }

    async fn clerk(&self, _: Side) -> Self::Clerk {
        self.system.start(&self.label("clerk"), Clerk, ())
    }

    async fn bounded(&self, _: Side, _: usize, _: Tally) -> Option<Self::Bounded> {
        None
    }

    async fn bulk(&self, _: Side, _: Tally) -> Option<Self::Bulk> {
        None
    }

    async fn player(&self, _: Side, passing: Passing) -> Self::Player {
        let label = self.label("player");
        let endpoint = self.system.start(&label, Player, PlayerState { passing, next: None });
        LabelledPlayer { label, endpoint }
    }

    async fn keeper(&self, _: Side, kept: Kept) -> Self::Keeper {
        let (alive, ended) = oneshot::channel();
        let label = self.label("keeper");
        let endpoint = self.system.start(&label, Keeper, KeeperState { kept, _alive: alive });
        LabelledKeeper { system: Arc::clone(&self.system), label, endpoint, ended }
    }

    async fn ticker(&self, _: Side, period: Duration, ticks: Ticks) -> Self::Ticker {
        let state = TickerState { ticks, schedule: None };
        let ticker = self.system.start(&self.label("ticker"), Ticker, state);
        ticker.begin(period).await.expect("the ticker answers");
        ticker
    }
}

/// Answers questions.
#[derive(Debug)]
pub(crate) struct Clerk;

impl Actor for Clerk {
    type State = ();
}

#[handlers]
impl Clerk {
    #[handler]
    fn answer(&mut self, _ctx: &ActorContext<Self>, _state: &mut (), number: u64) -> u64 {
        Question(number).answer()
    }
}

/// Passes balls on.
#[derive(Debug)]
pub(crate) struct Player;

/// To whom a player passes, and what it knows of the game.
pub(crate) struct PlayerState {
    passing: Passing,
    next: Option<Endpoint<Player>>,
}

impl Actor for Player {
    type State = PlayerState;
}

#[handlers]
impl Player {
    #[handler]
    fn pass_to(&mut self, ctx: &ActorContext<Self>, state: &mut PlayerState, label: String) {
        state.next = ctx.receptionist().lookup(&label);
    }

    #[handler]
    fn take(&mut self, ctx: &ActorContext<Self>, state: &mut PlayerState, remaining: u64, sum: u64) {
        if let (Some(ball), Some(next)) = (state.passing.pass(Ball { remaining, sum }), &state.next) {
            ctx.forward(next, Take { remaining: ball.remaining, sum: ball.sum });
        }
    }
}

/// Keeps 64 bytes.
#[derive(Debug)]
pub(crate) struct Keeper;

/// What is kept, and a sign of life.
pub(crate) struct KeeperState {
    kept: Kept,
    _alive: oneshot::Sender<()>,
}

impl Actor for Keeper {
    type State = KeeperState;
}

#[handlers]
impl Keeper {
    #[handler]
    fn recall(&mut self, _ctx: &ActorContext<Self>, state: &mut KeeperState, number: u64) -> u64 {
        state.kept.answer(Question(number))
    }
}

/// Counts ticks.
#[derive(Debug)]
pub(crate) struct Ticker;

/// The ticks, and what makes them come.
pub(crate) struct TickerState {
    ticks: Ticks,
    schedule: Option<ScheduleHandle>,
}

impl Actor for Ticker {
    type State = TickerState;
}

#[handlers]
impl Ticker {
    #[handler]
    fn begin(&mut self, ctx: &ActorContext<Self>, state: &mut TickerState, period: Duration) {
        state.schedule = Some(ctx.schedule_repeat(period, Tick));
    }

    #[handler]
    fn tick(&mut self, _ctx: &ActorContext<Self>, state: &mut TickerState) {
        state.ticks.count();
    }
}

impl Ask for Endpoint<Clerk> {
    async fn ask(&self, number: u64) -> u64 {
        self.answer(number).await.expect("the clerk answers")
    }
}

/// A player that others can look up.
#[derive(Clone)]
pub(crate) struct LabelledPlayer {
    label: String,
    endpoint: Endpoint<Player>,
}

impl Tell<Ball> for LabelledPlayer {
    /// The first pass is a message like any other; its answer comes when the ball is home.
    async fn tell(&self, Ball { remaining, sum }: Ball) {
        let endpoint = self.endpoint.clone();
        tokio::spawn(async move { endpoint.take(remaining, sum).await });
    }
}

impl Join for LabelledPlayer {
    async fn join(&self, next: &Self) {
        self.endpoint.pass_to(next.label.clone()).await.expect("the player answers");
    }
}

/// A keeper that can be stopped by its label.
pub(crate) struct LabelledKeeper {
    system: Arc<System>,
    label: String,
    endpoint: Endpoint<Keeper>,
    ended: oneshot::Receiver<()>,
}

impl Ask for LabelledKeeper {
    async fn ask(&self, number: u64) -> u64 {
        self.endpoint.recall(number).await.expect("the keeper answers")
    }
}

impl Stop for LabelledKeeper {
    /// Nothing waits for an actor's end, so the sign of life in its state does.
    async fn stop(self) {
        self.system.stop(&self.label);
        self.ended.await.expect_err("the keeper is gone");
    }
}
