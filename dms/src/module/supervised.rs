//! The life of a module that is built again after it has failed: one incarnation after the other, in the same slot.
//!
//! The slot is all that outlives an incarnation: the cell with its mailbox and its name, the batch in hand, the timers and the subscriptions. An incarnation is
//! the module's value with its tasks and its children.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::cell::{AnyCell, Cell, control};
use super::context::Context;
use super::cut::contain_unless_cut;
use super::deadline::Deadline;
use super::deadlock::{EdgeGuard, On};
use super::down::Down;
use super::environment::News;
use super::handler::Module;
use super::inbox::Hand;
use super::lifecycle::{Failure, ModuleId, ModuleState};
use super::message_set::Owner;
use super::module_ref::ModuleRef;
use super::reload::{Next, Step, carry_out};
use super::stop::{self, How};
use super::together::{Follower, Ticket, resume, suspend, unless_ending};
use super::worker::{End, Ending, Life, Start, attributed, begin_running, drop_value, panic_text, run, start, stop};
use crate::recovery::{Decision, Exit, HealthStatus, Random, Restart, RestartPolicy, Strategy, Supervision};

/// Builds a module that is registered already.
pub(crate) type Build<T> = Box<dyn Fn(ModuleRef<T>) -> T + Send>;

/// What decides on a module's restarts, and builds it again.
pub(super) struct Supervisor<T: Module> {
    supervision: Supervision,
    /// `None` where the module is never started again.
    build: Option<Build<T>>,
    random: Random,
    /// Since when the module runs; `None` before it does.
    runs_since: Option<Instant>,
}

/// As [`life`](super::worker::life), of a module that is built again, or whose place another one may take.
pub(crate) fn supervised_life<T: Module>(
    cell: Arc<Cell<Owner<T>>>,
    module: T,
    start: Option<Box<Start>>,
    restart: Restart,
    build: Option<Build<T>>,
    is_reloadable: bool,
) -> impl Future<Output = ()> + Send {
    if restart.policy != RestartPolicy::Never {
        cell.core.supervise();
    }
    if is_reloadable {
        cell.core.take_reloads();
    }
    let life = Life::new(&cell, module, start);
    let supervisor = Supervisor::new(Supervision::new(restart), build);
    attributed(cell, async move {
        let mut next = live(life, Box::new(supervisor)).await;
        while let Some(Next(life)) = next {
            next = life.await;
        }
    })
}

/// The life of a module that has been brought up to take the place of another one.
pub(super) fn live_again<T: Module>(
    cell: Arc<Cell<Owner<T>>>,
    hand: Hand<Owner<T>>,
    module: T,
    ctx: Context<T>,
    supervisor: Supervisor<T>,
) -> Next {
    let life = Life { module: Some(module), ctx, ending: Ending::resume(cell, hand) };
    Next(Box::pin(live(life, Box::new(supervisor))))
}

/// Lives until the module ends, or another one takes its place; gives the life of that one.
async fn live<T: Module>(mut life: Life<T>, mut supervisor: Box<Supervisor<T>>) -> Option<Next> {
    let life = &mut life;
    // A module that does not come up the first time has not been registered.
    let mut end = if life.ending.awaits_start() {
        Box::pin(start(life)).await
    } else {
        begin_running(life);
        None
    };
    if end.is_none() {
        match supervisor.run(life).await {
            Ran::Ended(ended) => end = Some(ended),
            Ran::Swapped(next) => return next,
        }
        while let Some(before) = end.take() {
            let ticket = life.ending.core().take_ticket();
            let decision =
                if ticket.is_some() { Decision::Restart { after: Duration::ZERO } } else { supervisor.judge(life) };
            let delay = match decision {
                Decision::Leave => {
                    end = Some(before);
                    break;
                }
                Decision::Escalate => {
                    life.ending.escalate();
                    end = Some(before);
                    break;
                }
                Decision::Restart { after } => after,
            };
            // Before the others that wait, and in its asker's time.
            life.ending.inbox.put_back(life.ctx.retry.as_ref().and_then(|slot| slot.again()));
            Box::pin(retire(life, &before, delay)).await;
            let begun = Box::pin(async {
                match ticket {
                    Some(ticket) => supervisor.follow(life, ticket).await,
                    None => supervisor.restart(life, delay).await,
                }
            });
            let begun = begun.await;
            end = Some(match begun {
                Some(end) => end,
                None => match supervisor.run(life).await {
                    Ran::Ended(end) => end,
                    Ran::Swapped(next) => return next,
                },
            });
        }
    }
    if let Some(end) = end {
        Box::pin(stop(life, end)).await;
    }
    None
}

/// How an incarnation has ended.
enum Ran {
    Ended(End),
    /// Another one is in its place.
    Swapped(Option<Next>),
}

impl<T: Module> Supervisor<T> {
    pub(super) fn new(supervision: Supervision, build: Option<Build<T>>) -> Self {
        Self { supervision, build, random: Random::new(), runs_since: None }
    }

    /// What it has for whoever takes the module's place: a reload is no restart that counts.
    pub(super) fn hand_over(&mut self) -> (Supervision, Option<Build<T>>) {
        (self.supervision.clone(), self.build.take())
    }

    /// What builds the module again: an `Option<Build<T>>`.
    pub(super) fn build(&self) -> &dyn Any {
        &self.build
    }

    async fn run(&mut self, life: &mut Life<T>) -> Ran {
        if life.ending.core().is_supervised() {
            life.ending.core().may_follow();
        }
        self.runs_since = Some(Instant::now());
        loop {
            if !life.ending.inbox.is_empty_handed() {
                // The rest of the batch that the one before had in hand.
                life.ending.core().is_busy.store(true, Ordering::Relaxed);
            }
            let end = run(life).await;
            if !life.ending.core().has(control::RELOAD) {
                return Ran::Ended(end);
            }
            life.ending.inbox.put_down();
            match Box::pin(carry_out(life, self, end)).await {
                Step::Again => {}
                Step::Over(end) => return Ran::Ended(end),
                Step::Swapped(next) => return Ran::Swapped(next),
            }
        }
    }

    /// Decides what comes after an incarnation.
    fn judge(&mut self, life: &Life<T>) -> Decision {
        let core = life.ending.core();
        let ran_since = self.runs_since.take();
        // Whoever asked for the end gets it, however it comes about.
        if core.is_ending() {
            return Decision::Leave;
        }
        let exit = if core.failure().is_some() { Exit::Failure } else { Exit::Normal };
        let now = Instant::now();
        let ran_for = ran_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let decision = self.supervision.ended(core.strategy(), exit, ran_for, now, self.random.draw());
        if decision == Decision::Escalate && exit == Exit::Normal {
            core.fail(Failure::Ended);
        }
        decision
    }

    /// Brings the next incarnation up after a delay, and with it those that its supervisor's strategy names; says how far it came where it does not run.
    async fn restart(&mut self, life: &mut Life<T>, delay: Duration) -> Option<End> {
        let cell = Arc::clone(life.ending.inbox.cell());
        cell.core.set_state(ModuleState::Created);
        let host = cell.core.environment.host().filter(|_| cell.core.strategy() != Strategy::OneForOne);
        let Some(host) = host else {
            if !wait(&cell, delay).await {
                return Some(End::Uninitialised);
            }
            return self.begin_again(life).await;
        };
        let baton = host.baton(cell.core.parent());
        let mut lock = pin!(baton.lock_owned());
        // Another one may conduct; then this module may be told to follow.
        let turn = poll_fn(|cx| match cell.core.take_ticket() {
            Some(ticket) => Poll::Ready(Err(ticket)),
            None => lock.as_mut().poll(cx).map(Ok),
        });
        let baton = match unless_ending(&cell, turn).await {
            Some(Ok(baton)) => baton,
            Some(Err(ticket)) => {
                // What it was told for has happened: it has ended already.
                cell.mailbox.forget_renewal(&cell.core);
                return self.follow(life, ticket).await;
            }
            None => return Some(End::Uninitialised),
        };
        let group = host.group(cell.core.id);
        let Some(followers) = suspend(&cell, group).await else { return Some(End::Uninitialised) };
        if !wait(&cell, delay).await {
            return Some(End::Uninitialised);
        }
        let (older, younger) = followers.into_iter().partition(|follower: &Follower| follower.id < cell.core.id);
        // Those behind this module may ask it as they begin, so it does not wait for them itself.
        if unless_ending(&cell, resume(older)).await.is_none() {
            return Some(End::Uninitialised);
        }
        let end = self.begin_again(life).await;
        if end.is_none() {
            host.errand(Box::pin(async move {
                resume(younger).await;
                drop(baton);
            }));
        }
        end
    }

    /// Brings the next incarnation up when the conductor says so; says how far it came where it does not run.
    async fn follow(&mut self, life: &mut Life<T>, ticket: Ticket) -> Option<End> {
        let cell = Arc::clone(life.ending.inbox.cell());
        cell.core.set_state(ModuleState::Created);
        // Where the conductor has gone, nobody says when; then at once.
        let _ = ticket.down.send(());
        if unless_ending(&cell, ticket.turn).await.is_none() {
            return Some(End::Uninitialised);
        }
        let end = self.begin_again(life).await;
        let _ = ticket.up.send(());
        end
    }

    /// Brings the next incarnation up; says how far it came where it does not run.
    async fn begin_again(&mut self, life: &mut Life<T>) -> Option<End> {
        let cell = Arc::clone(life.ending.inbox.cell());
        let target = ModuleRef { cell: Arc::clone(&cell) };
        // Without, the policy is never to.
        let Some(build) = &self.build else { return Some(End::Uninitialised) };
        match panic::catch_unwind(AssertUnwindSafe(|| build(target))) {
            Ok(module) => life.module = Some(module),
            Err(panic) => {
                cell.core.fail(Failure::Panic { place: "new".to_owned(), text: panic_text(&*panic) });
                return Some(End::Uninitialised);
            }
        }
        life.ctx.begin_again();
        let end = start(life).await;
        if end.is_none() {
            let core = &cell.core;
            let (module, id, incarnation) = (core.module_name(), core.id, core.incarnation());
            tracing::info!(%module, %id, incarnation, "module runs again");
            core.change_health(HealthStatus::Healthy);
        }
        end
    }
}

/// Waits before a restart. False where the module is told to end meanwhile.
async fn wait<O: Module>(cell: &Cell<O>, delay: Duration) -> bool {
    // Whoever fails without end is to leave others their turn.
    tokio::task::yield_now().await;
    let delay = async {
        if !delay.is_zero() {
            sleep(delay).await;
        }
    };
    unless_ending(cell, delay).await.is_some()
}

/// Ends an incarnation: its tasks, its children, then the module itself. The slot remains, and with it all messages that have not begun.
async fn retire<T: Module>(life: &mut Life<T>, end: &End, delay: Duration) {
    let cell = Arc::clone(life.ending.inbox.cell());
    let core = &cell.core;
    core.set_state(ModuleState::Stopping);
    core.end_checks();
    life.ending.inbox.put_down();
    core.set_deadline(Deadline::NEVER);
    life.ctx.join_tasks().await;
    end_children(&cell, |_| true).await;
    if let Some(module) = &mut life.module
        && matches!(end, End::Whole)
    {
        life.ctx.begin("stop");
        let stopped = contain_unless_cut(core, pin!(Some(module.stop(&mut life.ctx)))).await;
        life.ending.check_stop("stop", stopped);
        life.ctx.join_tasks().await;
        end_children(&cell, |_| true).await;
    }
    drop_value(life);
    let health = core.failure().map(|failure| failure.to_string());
    // Before the failure is forgotten: it is unhealthy all the while.
    core.change_health(HealthStatus::Unhealthy(health.unwrap_or_else(|| "it ended, and is started again".to_owned())));
    let mut down = Down::new(core, None, Some(delay));
    let incarnation = down.incarnation;
    down.reason = cell.mailbox.begin_again(core);
    let (module, id) = (core.module_name(), core.id);
    match &down.reason {
        Some(failure) => {
            tracing::warn!(%module, %id, incarnation, ?delay, "module failed and is started again: {failure}");
        }
        None => {
            tracing::info!(%module, %id, incarnation, ?delay, "module ended and is started again");
        }
    }
    core.tell_restart(&down);
    core.environment.announce(News::Down(down));
}

/// Ends those children of a module that goes on itself, the youngest first.
pub(super) async fn end_children<O: Module>(cell: &Arc<Cell<O>>, ends: impl Fn(ModuleId) -> bool) {
    let core = &cell.core;
    let Some(host) = core.environment.host().filter(|_| core.may_have_children()) else { return };
    let mut children = host.children(core.id);
    children.retain(|child| ends(child.core().id));
    // What a child's stop hook asks of this module nobody would answer meanwhile.
    let edge = |child: &Arc<dyn AnyCell>| {
        EdgeGuard::new(Arc::clone(cell) as Arc<dyn AnyCell>, Arc::clone(child), On::Ended).ok()
    };
    let edges: Vec<_> = children.iter().map(edge).collect();
    stop::end_in_order(children, How::Stop).await;
    drop(edges);
}
