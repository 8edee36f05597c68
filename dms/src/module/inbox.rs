//! The worker's end of the mailbox.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll, Waker};

use tokio::sync::oneshot;

use super::cell::{Cell, Core, control};
use super::context::Context;
use super::current;
use super::deadline::Deadline;
use super::error::ModuleError;
use super::handler::Module;
use super::health_check::HealthCheck;
use super::mailbox::{Fill, is_large};
use super::message_set::{MessageSet, Owner};
use super::reply::NoAnswer;
use super::span::{handle, handle_batch};

/// Handlers that are ready at once run this often before other tasks get their turn.
const BUDGET: u32 = 256;

/// The messages of a module, for one that drives its own loop with `#[run]`.
///
/// ```
/// use dms::prelude::*;
/// use std::time::Duration;
///
/// #[module]
/// struct Session { idle: u32 }
///
/// #[module]
/// impl Session {
///     #[handler(Idle)]
///     fn idle(&self) -> u32 { self.idle }
///
///     #[run]
///     async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
///         loop {
///             tokio::select! {
///                 message = inbox.recv() => match message {
///                     Some(message) => inbox.dispatch(message, self, ctx).await,
///                     None => return,
///                 },
///                 () = tokio::time::sleep(Duration::from_millis(10)) => self.idle += 1,
///             }
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// let session = system.register_module(Session { idle: 0 }).await?;
/// assert_eq!(session.idle().await?, 0);
/// # system.shutdown().await;
/// # Ok(())
/// # }
/// ```
///
/// The batch that the inbox holds outlives the loop: where a handler panics, what had not begun is neither lost nor reordered.
pub struct Inbox<T: Module> {
    cell: Arc<Cell<Owner<T>>>,
    hand: Hand<T>,
}

/// What the worker has taken out of the mailbox.
pub(crate) struct Hand<T: Module> {
    batch: VecDeque<T::Message>,
    /// The poll of the worker's task in which the batch was taken, if the next message wakes that task; else 0.
    armed: u32,
    since_yield: u32,
    since_admission: u32,
    /// What was accepted before the stop has been dropped; what comes now comes from stop hooks.
    quiesced: bool,
    closed: bool,
}

impl<T: Module> Inbox<T> {
    pub(crate) fn new(cell: Arc<Cell<Owner<T>>>) -> Self {
        let hand = Hand {
            batch: VecDeque::new(),
            armed: 0,
            since_yield: 0,
            since_admission: 0,
            quiesced: false,
            closed: false,
        };
        Self { cell, hand }
    }

    /// Goes on where another inbox has been [released](Self::release).
    pub(crate) fn resume(cell: Arc<Cell<Owner<T>>>, hand: Hand<Owner<T>>) -> Self {
        Self { cell, hand: hand.of_other() }
    }

    /// Gives away what is in hand; this one is nobody's from here on.
    pub(crate) fn release(&mut self) -> Hand<Owner<T>> {
        let left = Hand { batch: VecDeque::new(), closed: true, ..self.hand };
        std::mem::replace(&mut self.hand, left).of_other()
    }

    /// Waits for the next message; `None` once the module is to stop, or is drained: then the loop should return.
    ///
    /// # Cancel safety
    /// Cancel safe: a message is taken only when it is returned.
    pub async fn recv(&mut self) -> Option<T::Message> {
        poll_fn(|cx| self.hand.poll_recv(&self.cell, cx)).await
    }

    /// The next message if one waits.
    pub fn try_recv(&mut self) -> Option<T::Message> {
        let Self { cell, hand } = self;
        let core = &cell.core;
        if core.is_told() && hand.must_end(cell, false) {
            return None;
        }
        if hand.batch.is_empty()
            && !is_check_due::<T>(&cell.core)
            && (cell.mailbox.queued() == 0 || !hand.poll_fill(cell, true, Waker::noop()).is_ready())
        {
            return None;
        }
        hand.take_detached(cell)
    }

    /// Hands a message to its handler.
    ///
    /// # Cancel safety
    /// Dropping the future drops the handler where it is; its asker is told that there is no answer.
    pub async fn dispatch(&mut self, message: T::Message, module: &mut T, ctx: &mut Context<T>) {
        // The handler has its caller's deadline, the loop around it has not.
        let _end = OnDrop(|| {
            self.cell.core.set_deadline(Deadline::NEVER);
            self.cell.notice_end();
        });
        handle!(message, &self.cell, module, ctx);
        ctx.begin("run");
    }

    /// Handles message after message until the module is to stop, or is drained: what a module without `#[run]` does.
    ///
    /// # Errors
    /// None; the `Result` is that of [`Module::run`].
    ///
    /// # Cancel safety
    /// Dropping the future drops the handler where it is, as with [`dispatch`](Self::dispatch); no other message is lost.
    #[allow(
        clippy::manual_async_fn,
        reason = "a block uses what it captures in place; an `async fn` would hold it twice"
    )]
    pub fn serve(
        &mut self,
        module: &mut T,
        ctx: &mut Context<T>,
    ) -> impl Future<Output = Result<(), ModuleError>> + Send {
        async move {
            let Self { cell, hand } = self;
            cell.core.set_in_handler(true);
            let _end = OnDrop(|| {
                cell.core.set_in_handler(false);
                cell.core.set_deadline(Deadline::NEVER);
            });
            while poll_fn(|cx| hand.poll_ready(cell, false, cx)).await {
                handle_batch!(hand, cell, module, ctx);
            }
            Ok(())
        }
    }

    /// Ready with true when a message can be taken, with false when the loop is to end.
    pub(crate) fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<bool> {
        self.hand.poll_ready(&self.cell, false, cx)
    }

    /// Whether nothing is left of the batch.
    pub(crate) fn is_empty_handed(&self) -> bool {
        self.hand.batch.is_empty()
    }

    /// Handles the batch in hand, as far as the turn goes.
    pub(crate) async fn serve_batch(&mut self, module: &mut T, ctx: &mut Context<T>) {
        let Self { cell, hand } = self;
        handle_batch!(hand, cell, module, ctx);
    }

    /// Handles messages until the module's turn to start comes, or it is to end: where others are to end first, once they have.
    pub(crate) async fn serve_until_turn(
        &mut self,
        mut turn: Option<oneshot::Receiver<()>>,
        module: &mut T,
        ctx: &mut Context<T>,
    ) {
        let Self { cell, hand } = self;
        let _end = OnDrop(|| cell.core.set_deadline(Deadline::NEVER));
        let mut poll_next = |hand: &mut Hand<T>, cx: &mut TaskContext<'_>| {
            if let Some(receiver) = &mut turn
                && let Poll::Ready(given) = Pin::new(receiver).poll(cx)
            {
                turn = None;
                // Who is not to start any more answers stop hooks until it is told to end.
                match given {
                    _ if cell.core.is_ending() => {}
                    Ok(()) => return Poll::Ready(false),
                    // Whoever would start the module has gone.
                    Err(_) => cell.mailbox.quiesce(&cell.core, control::STOP),
                }
            }
            hand.poll_ready(cell, false, cx)
        };
        while poll_fn(|cx| poll_next(hand, cx)).await {
            handle_batch!(hand, cell, module, ctx);
        }
    }

    /// Answers stop hooks until nothing is left in the mailbox.
    pub(crate) async fn serve_rest(&mut self, module: &mut T, ctx: &mut Context<T>) {
        let Self { cell, hand } = self;
        hand.quiesce(cell);
        while !hand.batch.is_empty() || cell.mailbox.queued() > 0 {
            poll_fn(|cx| hand.poll_ready(cell, true, cx)).await;
            hand.handle_all(cell, module, ctx).await;
        }
    }

    /// Answers stop hooks until `until` has ended.
    pub(crate) async fn serve_until(
        &mut self,
        mut until: Pin<Box<dyn Future<Output = ()> + Send>>,
        module: &mut T,
        ctx: &mut Context<T>,
    ) {
        let Self { cell, hand } = self;
        hand.quiesce(cell);
        loop {
            let ended = poll_fn(|cx| {
                if until.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(true);
                }
                hand.poll_ready(cell, true, cx).map(|_| false)
            });
            if ended.await {
                return;
            }
            hand.handle_all(cell, module, ctx).await;
        }
    }

    /// Puts a message that had begun back, before all others.
    pub(crate) fn put_back(&mut self, message: Option<T::Message>) {
        if let Some(message) = message {
            self.hand.batch.push_front(message);
            self.cell.core.take_back_begun();
        }
    }

    /// Notes that no message is in hand.
    #[inline]
    pub(crate) fn put_down(&self) {
        let core = &self.cell.core;
        core.put_down();
        self.cell.notice_end();
    }

    /// The module's own part that outlives it.
    pub(crate) fn cell(&self) -> &Arc<Cell<Owner<T>>> {
        &self.cell
    }

    /// Refuses everybody from now on, and drops what waits.
    #[inline]
    pub(crate) fn close(&mut self) {
        if !self.hand.closed {
            self.hand.close(&self.cell);
        }
    }

    /// Closes the mailbox, unless there is something left in it that a stop hook waits for. Drops what was accepted before the stop.
    pub(crate) fn close_if_done(&mut self) -> bool {
        self.hand.quiesce(&self.cell);
        let is_done = self.hand.batch.is_empty() && self.cell.mailbox.close_if_empty(&self.cell.core);
        self.hand.closed |= is_done;
        is_done
    }
}

impl<T: Module> Hand<T> {
    /// The same for another type of module with these messages.
    fn of_other<N: Module<Message = T::Message>>(self) -> Hand<N> {
        let Self { batch, armed, since_yield, since_admission, quiesced, closed } = self;
        Hand { batch, armed, since_yield, since_admission, quiesced, closed }
    }

    /// Handles the batch in hand, as far as the turn goes, each message in a span of its own.
    #[cfg(feature = "observe")]
    async fn handle_in_spans(&mut self, cell: &Cell<Owner<T>>, module: &mut T, ctx: &mut Context<T>) {
        while let Some(message) = self.take(cell) {
            handle!(message, cell, module, ctx);
        }
    }

    async fn handle_all(&mut self, cell: &Cell<Owner<T>>, module: &mut T, ctx: &mut Context<T>) {
        while let Some(message) = self.batch.pop_front() {
            self.count_begun(cell);
            handle!(message, cell, module, ctx);
        }
    }

    fn poll_recv(&mut self, cell: &Cell<Owner<T>>, cx: &mut TaskContext<'_>) -> Poll<Option<T::Message>> {
        loop {
            match self.poll_ready(cell, false, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(false) => return Poll::Ready(None),
                Poll::Ready(true) => {
                    let message = self.take_detached(cell);
                    if message.is_some() {
                        return Poll::Ready(message);
                    }
                }
            }
        }
    }

    /// Ready with true when a message can be taken, with false when the loop is to end.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the end of a batch is on the path of every lone message")]
    fn poll_ready(&mut self, cell: &Cell<Owner<T>>, stopping: bool, cx: &mut TaskContext<'_>) -> Poll<bool> {
        let core = &cell.core;
        cell.notice_end();
        let is_done = self.batch.is_empty();
        let is_told = core.is_told();
        let is_armed = self.armed == core.poll_number() && core.is_root(cx.waker());
        if is_done && !is_told && is_armed && !is_large(&self.batch) {
            // Whatever came since the batch was taken has woken the task, which cannot have been polled for it yet. Whoever looks once more in this
            // poll, as a loop of the module's own may, is to see it.
            self.armed = 0;
            self.since_yield = 0;
            core.is_busy.store(false, Ordering::Relaxed);
            return Poll::Pending;
        }
        if is_told && self.must_end(cell, stopping) {
            return Poll::Ready(false);
        }
        if self.since_yield >= BUDGET {
            self.since_yield = 0;
            core.is_busy.store(false, Ordering::Relaxed);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if is_told && !stopping && is_check_due::<T>(&cell.core) {
            return Poll::Ready(true);
        }
        if self.batch.is_empty() {
            return self.poll_fill(cell, !stopping, cx.waker());
        }
        core.is_busy.store(true, Ordering::Relaxed);
        Poll::Ready(true)
    }

    /// Whether the loop is to end at once. Otherwise what is not to be handled any more is dropped.
    #[cold]
    fn must_end(&mut self, cell: &Cell<Owner<T>>, stopping: bool) -> bool {
        let core = &cell.core;
        if core.has(control::STOP | control::RENEW | control::RELOAD) && !stopping {
            return true;
        }
        if core.has(control::QUIESCE) {
            self.quiesce(cell);
        }
        false
    }

    fn poll_fill(&mut self, cell: &Cell<Owner<T>>, ends: bool, waker: &Waker) -> Poll<bool> {
        let core = &cell.core;
        match cell.mailbox.poll_fill(core, &mut self.batch, ends, waker) {
            Poll::Pending => {
                self.since_yield = 0;
                Poll::Pending
            }
            Poll::Ready(Fill::Drained) => Poll::Ready(false),
            Poll::Ready(Fill::Batch { quiesced, armed }) => {
                self.armed = if armed { core.poll_number() } else { 0 };
                if quiesced {
                    self.quiesced = true;
                    core.begin_answering_stop_hooks();
                }
                Poll::Ready(true)
            }
        }
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "on the path of every message, in loops of which one is busy")]
    fn take(&mut self, cell: &Cell<Owner<T>>) -> Option<T::Message> {
        if self.since_yield >= BUDGET {
            return None;
        }
        self.take_now(cell)
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as for `take`")]
    fn take_now(&mut self, cell: &Cell<Owner<T>>) -> Option<T::Message> {
        if cell.core.control.load(Ordering::Acquire) != 0 {
            if self.must_look(cell) {
                return None;
            }
            if const { T::HEALTH.is_some() }
                && let Some(check) = self.take_check(cell)
            {
                return Some(check);
            }
        }
        let message = self.batch.pop_front()?;
        self.count_begun(cell);
        Some(message)
    }

    /// As [`Self::take`], for a message whose reply may go anywhere.
    fn take_detached(&mut self, cell: &Cell<Owner<T>>) -> Option<T::Message> {
        let message = self.take_now(cell)?;
        cell.core.detach();
        Some(message)
    }

    /// Whether the control has news for the loop.
    #[cold]
    fn must_look(&self, cell: &Cell<Owner<T>>) -> bool {
        cell.core.has(control::STOP | control::RENEW | control::RELOAD)
            || cell.core.has(control::QUIESCE) && !self.quiesced
    }

    /// The message that has the module check its health, if that is due. It has no position.
    #[cold]
    fn take_check(&mut self, cell: &Cell<Owner<T>>) -> Option<T::Message> {
        if !is_check_due::<T>(&cell.core) {
            return None;
        }
        cell.mailbox.untell(&cell.core, control::HEALTH);
        // What came after the check was told has not woken the task.
        self.armed = 0;
        self.since_yield += 1;
        cell.core.put_down();
        cell.notice_end();
        const { &T::HEALTH }.as_ref().map(HealthCheck::message)
    }

    #[inline]
    fn count_begun(&mut self, cell: &Cell<Owner<T>>) {
        let core = &cell.core;
        core.detached.store(false, Ordering::Relaxed);
        if const { T::HEALTH.is_some() } {
            // A check may have come before it.
            core.is_busy.store(true, Ordering::Relaxed);
        }
        let position = core.count_begun(1);
        if core.noted.is_due(position) {
            cell.mailbox.measure_begin(core, position);
        }
        self.since_yield += 1;
        if core.bounded {
            self.since_admission += 1;
            if cell.mailbox.is_admission_due(core, self.since_admission) {
                self.since_admission = 0;
                cell.mailbox.admit(core);
            }
        }
    }

    /// Drops what was accepted before the stop and has not begun.
    fn quiesce(&mut self, cell: &Cell<Owner<T>>) {
        if !self.quiesced {
            self.quiesced = true;
            cell.core.begin_answering_stop_hooks();
            let dropped = self.batch.len();
            if dropped > 0 {
                let batch = std::mem::take(&mut self.batch);
                cell.mailbox.count_dropped_batch(&cell.core, dropped);
                current::discard_all(NoAnswer::Stopped, batch);
            }
        }
    }

    /// Refuses everybody from now on, and drops what waits.
    fn close(&mut self, cell: &Cell<Owner<T>>) {
        self.closed = true;
        cell.mailbox.close(&cell.core, std::mem::take(&mut self.batch));
    }
}

/// Whether the module is to check its health before the next message.
fn is_check_due<T: Module>(core: &Core) -> bool {
    let has_checks = const { T::HEALTH.is_some() };
    has_checks && core.has(control::HEALTH) && !core.is_ending()
}

/// Does something when a future of the loop ends or is dropped.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl<T: Module> Drop for Inbox<T> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<T: Module> fmt::Debug for Inbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("module", &self.cell.core.name()).finish_non_exhaustive()
    }
}
