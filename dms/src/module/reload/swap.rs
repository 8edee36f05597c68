//! What the worker does to reload its module: it brings the new one up beside the old one, and has one of them go on.

use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::error::ReloadError;
use super::order::{Done, Limit, Order, settle, take};
use super::report::Reloaded;
use super::successor::{Next, Slot, State, Successor};
use crate::module::cell::{Cell, Elders, control};
use crate::module::current;
use crate::module::cut::{contain_unless_cut, failure_of};
use crate::module::deadline::Deadline;
use crate::module::down::Down;
use crate::module::environment::News;
use crate::module::handler::Module;
use crate::module::lifecycle::{Failure, ModuleId};
use crate::module::message_set::Owner;
use crate::module::reply::NoAnswer;
use crate::module::supervised::{Supervisor, end_children};
use crate::module::worker::{End, Life};
use crate::recovery::HealthStatus;

/// What comes after the worker was told to reload its module.
pub(in crate::module) enum Step {
    /// The module goes on.
    Again,
    /// Its incarnation has ended, or the module is to.
    Over(End),
    /// Another one is in its place.
    Swapped(Option<Next>),
}

/// Carries out the order to reload a module whose loop has ended like this.
pub(in crate::module) async fn carry_out<T: Module>(
    life: &mut Life<T>,
    supervisor: &mut Supervisor<T>,
    end: End,
) -> Step {
    let cell = Arc::clone(life.ending.inbox.cell());
    let core = &cell.core;
    let Some(mut order) = take(&cell) else {
        // Who gave it has taken it back; then the bit has been cleared, or is another one's.
        return goes_on(&cell, end);
    };
    let began = Instant::now();
    life.ending.inbox.put_down();
    core.set_deadline(Deadline::NEVER);
    let elders = children(&cell);
    core.begin_change(elders);
    let tried = match prevented(&cell, &end) {
        Some(error) => Err(error),
        None => try_out(life, supervisor, &cell, &mut order).await,
    };
    order.answer.new = order.successor.version();
    // Before the next incarnation counts.
    let mut down = Down::new(core, None, Some(Duration::ZERO));
    let info = order.successor.info();
    let committed = tried.and_then(|migrated| {
        let swapped = cell.mailbox.locked(|| {
            let swaps = !prevents(&cell) && core.next_failure().is_none();
            if swaps {
                core.swap(info);
            }
            swaps
        });
        if swapped { Ok(migrated) } else { Err(why_prevented(&cell)) }
    });
    let migrated = match committed {
        Ok(migrated) => migrated,
        Err(error) => {
            if let Some(failure) = core.give_next_up().filter(|_| !matches!(error, ReloadError::Failed { .. })) {
                tracing::error!(module = %core.module_name(), "a module that was not to run failed besides: {failure}");
            }
            give_up(&cell, order.successor, elders, order.limit).await;
            settle(&cell);
            order.answer.tell(Err(error));
            return goes_on(&cell, end);
        }
    };
    core.end_checks();
    // The next one may have no check that would take it back.
    cell.mailbox.untell(core, control::HEALTH);
    down.reason = retire(life, &cell, elders, order.limit).await;
    let incarnation = core.incarnation();
    let (old, new) = (order.answer.old, order.answer.new);
    tracing::info!(module = %core.module_name(), id = %core.id, incarnation, %old, %new, migrated, "module was reloaded");
    core.tell_restart(&down);
    core.environment.announce(News::Down(down));
    let (module, id) = (core.module_name(), core.id);
    core.environment.announce(News::Reloaded(Reloaded { module, id, incarnation, old, new, migrated }));
    core.change_health(HealthStatus::Healthy);
    settle(&cell);
    order.answer.tell(Ok(Done { old, new, incarnation, migrated, pause: began.elapsed() }));
    let hand = life.ending.release();
    let (supervision, build) = supervisor.hand_over();
    Step::Swapped(order.successor.take_over(Slot { cell, hand, supervision, build: Box::new(build) }))
}

/// What an incarnation does that was not replaced.
fn goes_on<O: Module>(cell: &Cell<O>, end: End) -> Step {
    let core = &cell.core;
    if matches!(end, End::Broken) || core.has(control::CUT) {
        Step::Over(End::Broken)
    } else if core.failure().is_some() || core.has(control::STOP | control::RENEW) {
        Step::Over(end)
    } else {
        Step::Again
    }
}

/// Whether the module has been told something that comes first.
fn prevents<O: Module>(cell: &Cell<O>) -> bool {
    cell.core.is_ending() || cell.core.has(control::RENEW | control::CUT)
}

/// Why the module cannot be reloaded as its loop has ended.
fn prevented<O: Module>(cell: &Cell<O>, end: &End) -> Option<ReloadError> {
    let failed = matches!(end, End::Broken) || cell.core.failure().is_some();
    (failed || prevents(cell)).then(|| why_prevented(cell))
}

fn why_prevented<O: Module>(cell: &Cell<O>) -> ReloadError {
    let core = &cell.core;
    let module = core.name();
    match core.failure() {
        Some(failure) => ReloadError::Interrupted { module, failure },
        None => match core.next_failure() {
            Some(failure) if !core.is_ending() => ReloadError::Failed { module, failure },
            _ => ReloadError::Stopped { module },
        },
    }
}

/// Takes the old one's state, and brings the new one up; whether it has restored the state.
async fn try_out<T: Module>(
    life: &mut Life<T>,
    supervisor: &mut Supervisor<T>,
    cell: &Arc<Cell<Owner<T>>>,
    order: &mut Order<Owner<T>>,
) -> Result<bool, ReloadError> {
    if cell.core.is_supervised() && !order.successor.can_restart(supervisor.build()) {
        return Err(ReloadError::CannotRestart { module: cell.core.name() });
    }
    let state = take_state(life, order)?;
    let mut bring_up = order.successor.bring_up(cell, state);
    let ended = in_time(cell, bring_up.as_mut(), order.limit).await;
    // What a hook held when it was given up may panic as it is dropped.
    current::discard(NoAnswer::Stopped, bring_up);
    match ended {
        Ended::Itself(result) => result,
        Ended::Prevented => Err(why_prevented(cell)),
        Ended::Late => Err(ReloadError::TimedOut {
            module: cell.core.name(),
            after: order.limit.after,
            place: order.successor.place(),
        }),
    }
}

/// The state for the new one.
#[cfg(feature = "snapshot")]
fn take_state<T: Module>(life: &mut Life<T>, order: &mut Order<Owner<T>>) -> Result<State, ReloadError> {
    use super::successor::panicked;
    let given = std::mem::take(&mut order.given);
    let Some(module) = life.module.as_ref().filter(|_| given.snapshot.is_none() && order.successor.restores()) else {
        return Ok(given);
    };
    life.ctx.handler = "snapshot";
    let name = life.ctx.name();
    let taken = panic::catch_unwind(AssertUnwindSafe(|| module.take_snapshot(&life.ctx)));
    let taken = taken.map_err(|panic| panicked(name.clone(), "snapshot", &panic))?;
    let snapshot = taken.transpose().map_err(|source| ReloadError::Snapshot { module: name, source })?;
    Ok(State { snapshot: snapshot.map(Box::new) })
}

/// Without the feature there is none.
#[cfg(not(feature = "snapshot"))]
#[allow(clippy::unnecessary_wraps, reason = "with the feature it may fail")]
fn take_state<T: Module>(_: &mut Life<T>, order: &mut Order<Owner<T>>) -> Result<State, ReloadError> {
    let _ = order.successor.restores();
    Ok(std::mem::take(&mut order.given))
}

/// How the new one's hooks came to their end.
enum Ended {
    Itself(Result<bool, ReloadError>),
    /// Something came first.
    Prevented,
    Late,
}

/// Waits for the new one, unless something comes first.
async fn in_time<O: Module>(
    cell: &Cell<O>,
    mut bring_up: Pin<&mut (impl Future<Output = Result<bool, ReloadError>> + ?Sized)>,
    limit: Limit,
) -> Ended {
    let mut late: Option<Pin<Box<Sleep>>> = limit.deadline.map(|deadline| Box::pin(sleep_until(deadline)));
    poll_fn(|cx| {
        // The control is told under this lock: whoever tells it later finds the waker, which is there since this poll began.
        let _ = cell.mailbox.queued();
        if prevents(cell) || cell.core.next_failure().is_some() {
            return Poll::Ready(Ended::Prevented);
        }
        if late.as_mut().is_some_and(|late| late.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Ended::Late);
        }
        bring_up.as_mut().poll(cx).map(Ended::Itself)
    })
    .await
}

/// Drops the new one, with its tasks and children, and with what it asked of the timers.
async fn give_up<O: Module>(cell: &Arc<Cell<O>>, mut successor: Box<dyn Successor<O>>, elders: Elders, limit: Limit) {
    let until = limit.anew();
    within(cell, until, successor.join_tasks()).await;
    end_side(cell, until, |child| !elders.has(child)).await;
    cell.core.forget_timers_of_next();
    if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(move || drop(successor))) {
        let text = crate::module::worker::panic_text(&*panic);
        tracing::error!(module = %cell.core.name(), text, "a module that was not to run panicked when it was dropped");
    }
}

/// Ends the old one: its tasks and its children, then itself. Gives what failed of that.
async fn retire<T: Module>(
    life: &mut Life<T>,
    cell: &Arc<Cell<Owner<T>>>,
    elders: Elders,
    limit: Limit,
) -> Option<Failure> {
    let until = limit.anew();
    within(cell, until, life.ctx.join_tasks()).await;
    end_side(cell, until, |child| elders.has(child)).await;
    let mut failure = None;
    if let Some(module) = life.module.as_mut().filter(|_| T::STOPS) {
        life.ctx.handler = "stop";
        let ctx = &mut life.ctx;
        let stop = async { contain_unless_cut(&cell.core, pin!(Some(module.stop(ctx)))).await };
        failure = match within(cell, until, stop).await {
            Some(Ok(Ok(()))) => None,
            Some(Ok(Err(error))) => Some(Failure::Hook { hook: "stop", text: error.chain() }),
            Some(Err(panic)) => Some(failure_of("stop", &*panic)),
            None => Some(Failure::Hook { hook: "stop", text: format!("it did not return within {:?}", limit.after) }),
        };
        within(cell, until, life.ctx.join_tasks()).await;
    }
    let module = life.module.take();
    if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(move || drop(module))) {
        failure.get_or_insert_with(|| failure_of("drop", &*panic));
    }
    failure
}

/// Ends the children of one of both. Nobody fails of how they end; those that do not in time are cut off, and not waited for.
async fn end_side<O: Module>(cell: &Arc<Cell<O>>, until: Option<Instant>, ends: impl Fn(ModuleId) -> bool) {
    let core = &cell.core;
    let Some(host) = core.environment.host().filter(|_| core.may_have_children()) else { return };
    let mut children = host.children(core.id);
    children.retain(|child| ends(child.core().id));
    for child in &children {
        child.quiesce(control::TAKEN_BACK);
    }
    if within(cell, until, end_children(cell, ends)).await.is_none() {
        for child in children.iter().filter(|child| !child.core().state().is_ended()) {
            tracing::warn!(module = %child.core().name(), "module does not end with its parent in time, and is cut off");
            child.cut_off(child.core().incarnation(), Failure::Killed);
        }
    }
}

/// Waits for the end of something that the module is to be rid of; `None` where that takes too long, or the module is killed meanwhile.
async fn within<O: Module, F: Future>(cell: &Cell<O>, until: Option<Instant>, ends: F) -> Option<F::Output> {
    let mut ends = pin!(ends);
    let mut late: Option<Pin<Box<Sleep>>> = until.map(|until| Box::pin(sleep_until(until)));
    poll_fn(|cx| {
        if let Poll::Ready(output) = ends.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        // The control is told under this lock: whoever tells it later finds the waker, which is there since this poll began.
        let _ = cell.mailbox.queued();
        let is_late = late.as_mut().is_some_and(|late| late.as_mut().poll(cx).is_ready());
        if is_late || cell.core.has(control::CUT) { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}

/// The children that the module has by now.
fn children<O: Module>(cell: &Cell<O>) -> Elders {
    let core = &cell.core;
    let host = core.environment.host().filter(|_| core.may_have_children());
    Elders { youngest: host.and_then(|host| host.children(core.id).first().map(|child| child.core().id)) }
}
