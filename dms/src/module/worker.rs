//! The task of a module: its life from `init` to the moment when it is dropped.

use std::any::{Any, TypeId};
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;
use tokio::sync::oneshot;

use super::cell::{AnyCell, Cell, Core, control};
use super::context::Context;
use super::current::Entered;
use super::cut::{contain_unless_cut, failure_of};
use super::deadline::Deadline;
use super::down::Down;
use super::environment::News;
use super::error::ModuleError;
use super::flags::ModuleFlags;
use super::handler::Module;
use super::inbox::{Hand, Inbox};
use super::inline::Resident;
use super::lifecycle::{Failure, ModuleState};
use super::message_set::Owner;
use super::module_ref::ModuleRef;
#[cfg(feature = "snapshot")]
use super::snapshot::Snapshot;
use super::task::Panic;
use crate::recovery::Strategy;

/// A registration that waits for the module's start.
pub(crate) struct Start {
    /// Tells who registers the module how that went.
    started: oneshot::Sender<Result<(), NotStarted>>,
    refused: NotStarted,
    /// In a set, where each module's hooks have their turn.
    turns: Option<Turns>,
    /// The state to begin with.
    #[cfg(feature = "snapshot")]
    pub(crate) restored_from: Option<Box<Snapshot>>,
}

/// The turns of a module in a set.
pub(crate) struct Turns {
    /// Ready when `init` is to run.
    pub(crate) init: oneshot::Receiver<()>,
    /// Told when it has.
    pub(crate) initialised: oneshot::Sender<()>,
    /// Ready when `start` is to run.
    pub(crate) start: oneshot::Receiver<()>,
}

impl Start {
    pub(crate) fn new(started: oneshot::Sender<Result<(), NotStarted>>, turns: Option<Turns>) -> Self {
        Self {
            started,
            refused: NotStarted::Stopped,
            turns,
            #[cfg(feature = "snapshot")]
            restored_from: None,
        }
    }
}

/// Why a module does not run.
#[derive(Debug)]
pub(crate) enum NotStarted {
    /// A hook returned an error.
    Hook(&'static str, ModuleError),
    /// A hook panicked.
    Panicked(&'static str, String),
    /// It was told to stop meanwhile.
    Stopped,
}

/// A module with all that its task needs. The fields are dropped in this order, however the task ends.
pub(super) struct Life<T: Module> {
    pub(super) module: Option<T>,
    pub(super) ctx: Context<T>,
    pub(super) ending: Ending<T>,
}

/// The task of a module.
///
/// Where nobody waits for its `start`, it is shown as running already.
pub(crate) fn life<T: Module>(
    cell: Arc<Cell<Owner<T>>>,
    module: T,
    start: Option<Box<Start>>,
) -> impl Future<Output = ()> + Send {
    let life = Life::new(&cell, module, start);
    attributed(cell, live(life))
}

/// As [`life`], of a module whose handlers an asker may run.
pub(crate) fn inline_life<T: Module>(
    cell: Arc<Cell<Owner<T>>>,
    module: T,
    start: Option<Box<Start>>,
) -> impl Future<Output = ()> + Send {
    let life = Life::new(&cell, module, start);
    let resident = Resident::new(Arc::clone(&cell), life);
    attributed(cell, live_inline(resident))
}

impl<T: Module> Life<T> {
    pub(super) fn new(cell: &Arc<Cell<Owner<T>>>, module: T, start: Option<Box<Start>>) -> Self {
        Self { module: Some(module), ctx: Context::new(Arc::clone(cell)), ending: Ending::new(cell, start) }
    }
}

pin_project! {
    /// Lays the module into the thread-local for each poll.
    pub(crate) struct Attributed<F> {
        module: Option<Arc<dyn AnyCell>>,
        // In place: a task's memory is as large as its future, and moving one into another would double it.
        #[pin]
        future: F,
    }
}

pub(super) fn attributed<F>(module: Arc<dyn AnyCell>, future: F) -> Attributed<F> {
    Attributed { module: Some(module), future }
}

impl<F: Future<Output = ()>> Future for Attributed<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let mut this = self.project();
        let mut is_bounded = false;
        if let Some(module) = this.module {
            let core = module.core();
            core.begin_poll();
            let waker = core.waker.get_or_init(|| cx.waker().clone());
            debug_assert!(waker.will_wake(cx.waker()), "a module's life is the root of its task");
            is_bounded = core.bounded;
        }
        let entered = Entered::new(this.module);
        let poll = this.future.as_mut().poll(cx);
        drop(entered);
        if is_bounded
            && let Some(module) = this.module
            && module.core().may_have_waiters()
        {
            module.admit();
        }
        poll
    }
}

/// How far a module came.
pub(super) enum End {
    /// `init` was not successful: there is nothing that `stop` could release.
    Uninitialised,
    /// The module is whole.
    Whole,
    /// A handler or hook panicked: its state cannot be trusted, and no hook runs on it.
    Broken,
}

#[allow(clippy::manual_async_fn, reason = "a block uses what it captures in place; an `async fn` would hold it twice")]
fn live<T: Module>(mut life: Life<T>) -> impl Future<Output = ()> + Send {
    async move {
        let life = &mut life;
        let end = if life.ending.start.is_none() {
            begin_running(life);
            None
        } else {
            // Boxed, as the end is: a module that runs does not hold the room for what comes once.
            Box::pin(start(life)).await
        };
        let end = match end {
            None => run(life).await,
            Some(end) => end,
        };
        if !stop_at_once(life, &end) {
            Box::pin(stop(life, end)).await;
        }
    }
}

async fn live_inline<T: Module>(mut resident: Resident<T>) {
    let Some(life) = resident.life() else { return };
    let end = if life.ending.start.is_none() {
        begin_running(life);
        None
    } else {
        Box::pin(start(life)).await
    };
    let end = match end {
        None => {
            life.ctx.begin("run");
            resident.run().await
        }
        Some(end) => end,
    };
    if let Some(life) = resident.life()
        && !stop_at_once(life, &end)
    {
        Box::pin(stop(life, end)).await;
    }
}

/// Brings the module up; says how far it came where it does not run.
pub(super) async fn start<T: Module>(life: &mut Life<T>) -> Option<End> {
    let Life { module, ctx, ending, .. } = life;
    let module = module.as_mut()?;
    let cell = Arc::clone(ending.inbox.cell());
    let core = &cell.core;

    let mut turns = ending.start.as_mut().and_then(|start| start.turns.take());
    if let Some(turns) = &mut turns {
        if !turn_to_init(&cell, &mut turns.init).await {
            return Some(End::Uninitialised);
        }
    } else if core.is_ending() && !T::STARTS {
        return Some(End::Whole);
    }
    core.set_state(ModuleState::Init);
    let init = contain_unless_cut(core, pin!(Some(module.init(ctx)))).await;
    if let Some(end) = ending.check_hook("init", init) {
        return Some(if matches!(end, End::Whole) { End::Uninitialised } else { end });
    }
    #[cfg(feature = "snapshot")]
    if T::RESTORES
        && let Some(snapshot) = ending.start.as_mut().and_then(|start| start.restored_from.take())
        && !core.is_ending()
    {
        ctx.begin("restore");
        let restored = contain_unless_cut(core, pin!(Some(module.restore_snapshot(*snapshot, ctx)))).await;
        if let Some(end) = ending.check_hook("restore", restored) {
            return Some(end);
        }
    }
    if let Some(Turns { initialised, start, .. }) = turns {
        core.note_init();
        // Whoever registers may have given up; then the turn to start does not come.
        let _ = initialised.send(());
        let served = ending.inbox.serve_until_turn(Some(start), module, ctx);
        let served = contain_unless_cut(core, pin!(Some(served))).await;
        if let Some(end) = ending.check_hook(ctx.handler, served.map(Ok)) {
            return Some(end);
        }
        if core.has(control::RENEW) && !core.is_ending() {
            // It failed before its turn came, so it is not registered, and not started again either.
            ending.refuse_for_failure();
            return Some(End::Whole);
        }
    }
    if !core.is_ending() {
        core.set_state(ModuleState::Start);
        ctx.begin("start");
        let start = contain_unless_cut(core, pin!(Some(module.start(ctx)))).await;
        if let Some(end) = ending.check_hook("start", start) {
            return Some(end);
        }
    }
    if core.is_ending() {
        if core.has(control::QUIESCE) && !core.has(control::STOP) {
            // Others are to end first, and their stop hooks may ask this one.
            let served = ending.inbox.serve_until_turn(None, module, ctx);
            let served = contain_unless_cut(core, pin!(Some(served))).await;
            if let Some(end) = ending.check_hook(ctx.handler, served.map(Ok)) {
                return Some(end);
            }
        }
        return Some(End::Whole);
    }
    core.note_start();
    core.set_state(ModuleState::Running);
    begin_running(life);
    // Whoever registered may have given up, and has no reference: nothing half-registered stays.
    let wanted = life.ending.start.take().is_none_or(|start| start.started.send(Ok(())).is_ok());
    if wanted { None } else { Some(End::Whole) }
}

/// Waits for a module's turn in its set; false where it is to end before.
async fn turn_to_init<O: Module>(cell: &Cell<O>, turn: &mut oneshot::Receiver<()>) -> bool {
    poll_fn(|cx| {
        // The control is told under this lock: whoever tells it later finds the waker, which is there since this poll began.
        let _ = cell.mailbox.queued();
        if cell.core.is_ending() {
            return Poll::Ready(false);
        }
        Pin::new(&mut *turn).poll(cx).map(|turn| turn.is_ok())
    })
    .await
}

pub(super) fn begin_running<T: Module>(life: &Life<T>) {
    // A restart keeps them.
    if !T::TICKS.is_empty() && life.ending.core().incarnation() == 1 {
        let target = ModuleRef { cell: Arc::clone(life.ending.inbox.cell()) };
        for tick in T::TICKS {
            tick.request(&target);
        }
    }
    if let Some(check) = const { &T::HEALTH } {
        check.begin(&(Arc::clone(life.ending.inbox.cell()) as Arc<dyn AnyCell>));
    }
}

#[allow(clippy::manual_async_fn, reason = "a block uses what it captures in place; an `async fn` would hold it twice")]
pub(super) fn run<T: Module>(life: &mut Life<T>) -> impl Future<Output = End> + Send {
    async move {
        life.ctx.begin("run");
        life.ending.core().set_in_handler(false);
        let Some(module) = &mut life.module else { return End::Broken };
        let cell = Arc::clone(life.ending.inbox.cell());
        let core = &cell.core;
        let run = module.run(&mut life.ending.inbox, &mut life.ctx);
        let run = contain_unless_cut(core, pin!(Some(run))).await;
        core.set_in_handler(true);
        match run {
            Ok(Ok(())) => End::Whole,
            Ok(Err(error)) => {
                core.fail(Failure::Hook { hook: "run", text: error.chain() });
                End::Whole
            }
            Err(panic) => {
                let failure = failure_of(life.ctx.handler, &*panic);
                life.ctx.note_failure(&failure);
                core.fail(failure);
                End::Broken
            }
        }
    }
}

/// Ends a module for whose end nobody has anything to do. Returns whether it is one.
fn stop_at_once<T: Module>(life: &mut Life<T>, end: &End) -> bool {
    let core = life.ending.core();
    if T::STOPS || !matches!(end, End::Whole) || life.ctx.has_tasks() {
        return false;
    }
    life.ending.inbox.put_down();
    if !core.has(control::QUIESCE) {
        life.ending.inbox.cell().quiesce(control::STOP);
    }
    if core.may_have_children() || !life.ending.inbox.close_if_done() {
        return false;
    }
    drop_module(life);
    true
}

pub(super) async fn stop<T: Module>(life: &mut Life<T>, end: End) {
    let cell = Arc::clone(life.ending.inbox.cell());
    let core = &cell.core;
    core.set_state(ModuleState::Stopping);
    life.ending.inbox.put_down();
    let mut whole = matches!(end, End::Whole);
    // What was sent before is undelivered; stop hooks of those that depend on this module are answered still.
    // What is not registered after all takes its children back with it.
    let taken_back = if life.ending.start.is_some() { control::TAKEN_BACK } else { 0 };
    cell.quiesce(control::STOP | taken_back);
    if !whole {
        life.ctx.give_up_retry();
        life.ending.inbox.close();
    }
    life.ctx.join_tasks().await;
    if core.may_have_children()
        && let Some(host) = core.environment.host()
        && host.has_children(core.id)
    {
        let children = Arc::clone(&host).stop_children(core.id);
        match &mut life.module {
            Some(module) if whole => {
                let served = life.ending.inbox.serve_until(children, module, &mut life.ctx);
                let served = contain_unless_cut(core, pin!(Some(served))).await;
                whole = served.is_ok();
                life.ending.check_stop(life.ctx.handler, served.map(Ok));
                if !whole {
                    life.ctx.give_up_retry();
                    life.ending.inbox.close();
                    // Whoever waited for them has gone with the handler.
                    host.stop_children(core.id).await;
                }
            }
            _ => children.await,
        }
    }
    if let Some(module) = &mut life.module
        && whole
    {
        let rest = life.ending.inbox.serve_rest(module, &mut life.ctx);
        let rest = contain_unless_cut(core, pin!(Some(rest))).await;
        let sound = rest.is_ok();
        life.ending.check_stop(life.ctx.handler, rest.map(Ok));
        life.ending.inbox.close();
        if sound {
            life.ctx.begin("stop");
            life.ending.inbox.put_down();
            core.begin_answering_stop_hooks();
            core.set_deadline(Deadline::NEVER);
            let stopped = contain_unless_cut(core, pin!(Some(module.stop(&mut life.ctx)))).await;
            life.ending.check_stop("stop", stopped);
        }
    }
    life.ctx.join_tasks().await;
    life.ending.inbox.close();
    drop_module(life);
}

fn drop_module<T: Module>(life: &mut Life<T>) {
    life.ending.core().forget_timers();
    drop_value(life);
    life.ending.clean = true;
}

/// Drops the module itself.
pub(super) fn drop_value<T: Module>(life: &mut Life<T>) {
    let module = life.module.take();
    if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(move || drop(module))) {
        life.ending.core().fail(Failure::Panic { place: "drop".to_owned(), text: panic_text(&*panic) });
    }
}

/// The last thing to go: says that the module has ended, once it has been dropped.
pub(super) struct Ending<T: Module> {
    pub(super) inbox: Inbox<T>,
    /// `None` once the module runs. Boxed, for that is nearly all its life.
    start: Option<Box<Start>>,
    /// Whether the life came to its end, rather than being cut off.
    clean: bool,
    /// Whether its failure is that of its parent, or of the system.
    escalates: bool,
    /// Whether the module lives on in another one.
    released: bool,
}

impl<T: Module> Ending<T> {
    fn new(cell: &Arc<Cell<Owner<T>>>, start: Option<Box<Start>>) -> Self {
        Self { inbox: Inbox::new(Arc::clone(cell)), start, clean: false, escalates: false, released: false }
    }

    /// Gives away what the module has in hand, for another one that takes its place: this is not its end.
    pub(super) fn release(&mut self) -> Hand<Owner<T>> {
        self.released = true;
        self.inbox.release()
    }

    /// Goes on where another one has been [released](Self::release).
    pub(super) fn resume(cell: Arc<Cell<Owner<T>>>, hand: Hand<Owner<T>>) -> Self {
        let inbox = Inbox::resume(cell, hand);
        Self { inbox, start: None, clean: false, escalates: false, released: false }
    }

    pub(super) fn core(&self) -> &Core {
        &self.inbox.cell().core
    }

    /// Whether a registration waits for the module's start.
    pub(super) fn awaits_start(&self) -> bool {
        self.start.is_some()
    }

    /// Makes the module's failure that of its parent, or of the system.
    pub(super) fn escalate(&mut self) {
        self.escalates = true;
    }

    /// Takes note of a hook that failed before the module ran.
    fn check_hook(&mut self, hook: &'static str, result: Result<Result<(), ModuleError>, Panic>) -> Option<End> {
        let core = self.core();
        let (refused, end) = match result {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => {
                core.fail(Failure::Hook { hook, text: error.chain() });
                (NotStarted::Hook(hook, error), End::Whole)
            }
            Err(panic) => {
                let failure = failure_of(hook, &*panic);
                core.fail(failure.clone());
                let refused = match failure {
                    Failure::Panic { text, .. } => NotStarted::Panicked(hook, text),
                    Failure::Killed => NotStarted::Stopped,
                    failure => NotStarted::Hook(hook, failure.into()),
                };
                (refused, End::Broken)
            }
        };
        if let Some(start) = &mut self.start {
            start.refused = refused;
        }
        Some(end)
    }

    /// Has the registration fail of what the module has failed of, outside of its hooks, before it ran.
    fn refuse_for_failure(&mut self) {
        if let Some(failure) = self.core().failure()
            && let Some(start) = &mut self.start
        {
            start.refused = NotStarted::Hook("init", failure.into());
        }
    }

    /// Takes note of what failed while the module stopped.
    pub(super) fn check_stop(&self, place: &'static str, result: Result<Result<(), ModuleError>, Panic>) {
        self.core().fail(match result {
            Ok(Ok(())) => return,
            Ok(Err(error)) => Failure::Hook { hook: "stop", text: error.chain() },
            Err(panic) => failure_of(place, &*panic),
        });
    }
}

impl<T: Module> Drop for Ending<T> {
    fn drop(&mut self) {
        if self.released {
            return;
        }
        self.inbox.close();
        let core = self.core();
        if const { T::HEALTH.is_some() } {
            core.end_checks();
        }
        let environment = &core.environment;
        if !self.clean {
            core.fail(Failure::Aborted);
            core.forget_timers();
        }
        let host = environment.host();
        // What never ran, or is taken back, the system has not come to need.
        let is_essential = core.info().flags.contains(ModuleFlags::ESSENTIAL)
            && self.start.is_none()
            && !core.has(control::TAKEN_BACK);
        if is_essential && host.as_ref().is_some_and(|host| !host.is_shutting_down()) && core.failure().is_none() {
            core.fail(Failure::Ended);
        }
        if core.is_renewed() {
            // Whoever waits for it to begin again waits no longer.
            drop(core.take_ticket());
            drop(core.take_order());
        }
        let undelivered = core.undelivered.load(Ordering::Relaxed);
        if undelivered > 0 {
            environment.undelivered.fetch_add(undelivered, Ordering::Relaxed);
        }
        let failure = core.last_failure();
        if let Some(failure) = &failure {
            let (module, id, incarnation) = (core.module_name(), core.id, core.incarnation());
            tracing::error!(%module, %id, incarnation, undelivered, "module failed: {failure}");
        } else if undelivered > 0 {
            tracing::warn!(module = %core.module_name(), id = %core.id, undelivered, "messages were never handled");
        }
        let passes_on = || matches!(failure, Some(Failure::Child { .. })) || core.strategy() == Strategy::Escalate;
        let is_registered = self.start.is_none() && !core.has(control::TAKEN_BACK);
        let escalates = !is_essential && failure.is_some() && is_registered && (self.escalates || passes_on());
        let parent = core.parent().filter(|_| escalates);
        if let Some(host) = &host {
            if let Some(parent) = parent
                && let Some(failure) = &failure
            {
                // While it is the parent's child still: the parent does not begin again before it has gone.
                host.break_off(
                    parent,
                    core.id,
                    Failure::Child { child: core.module_name(), failure: Box::new(failure.clone()) },
                );
            }
            host.remove(core.id);
        }
        // What was never registered has no end that anybody waits for. Whoever sees that it has ended finds it told.
        if self.start.is_none()
            && let Some(host) = host.as_ref().filter(|host| host.hears(TypeId::of::<Down>()))
        {
            host.announce(News::Down(Down::new(core, failure.clone(), None)));
        }
        core.set_state(if failure.is_some() { ModuleState::Failed } else { ModuleState::Stopped });
        if (is_essential || escalates && parent.is_none())
            && let Some(host) = host
            && let Some(failure) = failure
            && (is_essential || !host.is_shutting_down())
        {
            host.fail(core.module_name(), failure);
        }
        if let Some(start) = self.start.take() {
            // Who registered may have given up; then nobody wants to know.
            let _ = start.started.send(Err(start.refused));
        }
    }
}

/// The task of a function in a module's place.
pub(crate) fn mock<T: Module>(
    cell: Arc<Cell<Owner<T>>>,
    mut answer: impl FnMut(T::Message) + Send,
) -> impl Future<Output = ()> + Send {
    attributed(Arc::clone(&cell) as Arc<dyn AnyCell>, async move {
        let mut ending = Ending::<T>::new(&cell, None);
        cell.core.set_state(ModuleState::Running);
        cell.core.set_in_handler(false);
        let answered = {
            let answers = pin!(async {
                while let Some(message) = ending.inbox.recv().await {
                    answer(message);
                }
            });
            contain(answers).await
        };
        ending.check_stop("mock", answered.map(Ok));
        cell.core.set_state(ModuleState::Stopping);
        ending.inbox.close();
        cell.core.forget_timers();
        ending.clean = true;
    })
}

/// Ends a module that never came about: its constructor panicked, or that of another one of its set.
pub(crate) fn abandon<T: Module>(cell: &Arc<Cell<Owner<T>>>) {
    cell.quiesce(control::TAKEN_BACK);
    Ending::<T>::new(cell, None).clean = true;
}

/// Polls a future that may panic; the panic becomes its result.
pub(crate) fn contain<F: Future>(mut future: Pin<&mut F>) -> impl Future<Output = Result<F::Output, Panic>> {
    poll_fn(move |cx| match panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panic) => Poll::Ready(Err(panic)),
    })
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a text".to_owned()
    }
}
