//! The queue between a module's references and its worker: one lock a tell, one lock a batch.
//!
//! Every accepted message has a *position*. From positions alone it can be told how deep the mailbox is, whether an ask is still
//! open (deadlock detection) and how many ticks of a request wait; no counter is touched twice a message.

use std::any::Any;
use std::collections::VecDeque;
use std::hint;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::task::{Poll, Waker};

use parking_lot::{Mutex, MutexGuard};

use super::askers::Askers;
use super::cell::{Core, Culprit, Side, control};
use super::current;
use super::info::Overflow;
use super::lifecycle::{Failure, ModuleName};
use super::reply::NoAnswer;
use super::room::Waiter;
use super::span::Sender;
use super::together::Ticket;
#[cfg(feature = "observe")]
use super::traffic::Counted;
use super::traffic::{Next, Traffic};

/// The depth at which an unbounded mailbox first warns; then at each doubling (contract M6).
const WARN_AT: u32 = 10_000;

/// How many spins a sender stays away from a lock that it found taken: a few microseconds, in which the other puts in some fifty messages.
const BACK_OFF: u32 = 128;

/// No bound, and never to be warned of.
const UNBOUNDED: u32 = u32::MAX;

/// Buffers that grew beyond this many messages in a burst are given back when they are empty.
const KEEP: usize = 1_024;

/// The [`Home`](super::inline::Home) of a module, whose type only those know who look for it.
pub(crate) type AnyHome = Box<dyn Any + Send>;

#[repr(C)]
pub(crate) struct Mailbox<E> {
    /// [`UNBOUNDED`], or how many messages may wait.
    capacity: u32,
    overflow: Overflow,
    queue: Mutex<Queue<E>>,
}

#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own, and they share a word")]
#[repr(C)]
struct Queue<E> {
    gate: Gate,
    /// Whether the worker wants to be woken by the next message: it sleeps, or will once its batch is done.
    parked: bool,
    /// Whether the sweeper has this mailbox on its list.
    listed: bool,
    /// The next message that is measured.
    next_measured: Next,
    messages: VecDeque<E>,
    /// How many positions have been given out: the next message's.
    tail: u64,
    /// The depth at which an unbounded mailbox warns.
    warn_at: u32,
    /// How many messages the batch in hand had.
    batch_len: u32,
    /// Who waits for an answer, with a deadline that the sweeps look after.
    askers: Askers,
    /// The position behind the batch that the worker has in hand.
    batch_end: u64,
    /// Boxed, for there is nearly always none of it.
    rest: Option<Box<Rest<E>>>,
    traffic: Traffic,
}

struct Rest<E> {
    /// Who waits for messages where that is not the worker itself, but a future inside it that has a waker of its own.
    stranger: Option<Waker>,
    /// Senders that wait for room, first come first served. There are none without a bound.
    waiters: Line<E>,
    /// Where the module lives that has nothing to do, if askers may run its handlers.
    home: Option<AnyHome>,
    /// Whether the worker has gone while an asker had the home.
    is_abandoned: bool,
}

impl<E> Default for Rest<E> {
    fn default() -> Self {
        Self { stranger: None, waiters: Line::new(), home: None, is_abandoned: false }
    }
}

type Line<E> = VecDeque<Arc<Waiter<E>>>;

/// Whom the mailbox admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gate {
    Everybody,
    /// The module is stopping, or its system is: only stop hooks are answered.
    StopHooks,
    Nobody,
}

/// Why a message is not in the mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Stopped,
    /// The policy rejects.
    Full,
    /// The policy waits.
    NoRoom,
}

/// What becomes of an offer that the mailbox takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// It stands at this position.
    At(u64),
    /// The policy dropped it.
    Dropped,
}

/// How a message meets the bound, and who waits for its answer.
#[derive(Clone, Copy, Default)]
pub(crate) struct Terms<'a> {
    /// It does not count against the bound: ticks, delayed messages.
    pub(crate) beyond_bound: bool,
    /// It is an ask whose deadline the sweeps look after: who waits for it, and which sweep is to wake it.
    pub(crate) asker: Option<(&'a Waker, u32)>,
}

/// What the worker finds when it looks for messages.
pub(crate) enum Fill {
    /// A batch; `quiesced` says that all of it comes from stop hooks. Where it is `armed`, the next message wakes the worker's task.
    Batch { quiesced: bool, armed: bool },
    /// The mailbox is drained.
    Drained,
}

impl<E> Mailbox<E> {
    pub(crate) fn new(capacity: Option<usize>, overflow: Overflow) -> Self {
        Self {
            // No memory holds as many messages as the largest bound allows.
            capacity: capacity.map_or(UNBOUNDED, |capacity| u32::try_from(capacity).unwrap_or(UNBOUNDED - 1)),
            overflow,
            queue: Mutex::new(Queue {
                gate: Gate::Everybody,
                parked: false,
                listed: false,
                next_measured: Next::default(),
                messages: VecDeque::new(),
                tail: 0,
                warn_at: if capacity.is_some() { u32::MAX } else { WARN_AT },
                askers: Askers::default(),
                batch_end: 0,
                batch_len: 0,
                rest: None,
                traffic: Traffic::default(),
            }),
        }
    }

    /// Takes the lock for a message.
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Queue<E>> {
        self.queue.try_lock().unwrap_or_else(|| self.lock_contended())
    }

    /// Who finds the lock taken leaves whoever has it alone for a while: one that puts in many messages in a row is served from its own
    /// cache, and two that alternate are not.
    #[cold]
    fn lock_contended(&self) -> MutexGuard<'_, Queue<E>> {
        for _ in 0..BACK_OFF {
            hint::spin_loop();
        }
        self.queue.lock()
    }

    /// Puts the message that `pack` makes of `offer` at the end of the queue.
    ///
    /// Returns the offer where it is refused. The flag says that the sweeper must be told of this mailbox.
    #[inline]
    pub(crate) fn push<O>(
        &self,
        core: &Core,
        offer: O,
        pack: impl FnOnce(O) -> E,
        terms: Terms<'_>,
    ) -> Result<(Accepted, bool), (O, Refusal)> {
        let mut queue = self.lock();
        if queue.gate != Gate::Everybody && !(queue.gate == Gate::StopHooks && current::in_stop_hook()) {
            drop(queue);
            return Err((offer, Refusal::Stopped));
        }
        let mut oldest = None;
        if self.capacity != UNBOUNDED
            && !terms.beyond_bound
            && !queue.has_room(core, self.capacity)
            && !current::is(core)
        {
            match self.overflow {
                Overflow::Wait => return Err((offer, Refusal::NoRoom)),
                Overflow::Reject => return Err((offer, Refusal::Full)),
                Overflow::DropNewest => {
                    core.count_undelivered(1);
                    queue.traffic.count_newest_dropped();
                    drop(queue);
                    current::discard(NoAnswer::Dropped, pack(offer));
                    return Ok((Accepted::Dropped, false));
                }
                Overflow::DropOldest => {
                    oldest = queue.messages.pop_front();
                    core.count_undelivered(usize::from(oldest.is_some()));
                    queue.traffic.count_oldest_dropped();
                }
            }
        }
        let message = pack(offer);
        let position = queue.put(core, message);
        let mut list = false;
        if let Some((waker, due)) = terms.asker {
            list = !mem::replace(&mut queue.listed, true);
            queue.askers.note(waker, due);
        }
        let parked = mem::take(&mut queue.parked);
        let stranger = if parked { queue.take_stranger() } else { None };
        let deep = queue.messages.len() + queue.batch_len as usize >= queue.warn_at as usize;
        drop(queue);
        if parked {
            wake(core, stranger);
        }
        if oldest.is_some() {
            current::discard(NoAnswer::Dropped, oldest);
        }
        if deep {
            self.warn(core);
        }
        Ok((Accepted::At(position), list))
    }

    /// Puts an event at the end of the queue, whatever the mailbox's bound, since subscriptions have their own. Gives its position, and whom to wake once no
    /// lock is held; or the message, where it is refused. What goes `past_gate` is refused by a closed mailbox only.
    pub(crate) fn push_event(&self, core: &Core, message: E, past_gate: bool) -> Result<(u64, Woken), E> {
        let mut queue = self.lock();
        let is_admitted = match queue.gate {
            Gate::Everybody => true,
            Gate::StopHooks => past_gate || current::in_stop_hook(),
            Gate::Nobody => false,
        };
        if !is_admitted {
            return Err(message);
        }
        let position = queue.put(core, message);
        let worker = mem::take(&mut queue.parked);
        let stranger = if worker { queue.take_stranger() } else { None };
        Ok((position, Woken { senders: Vec::new(), worker, stranger }))
    }

    #[cold]
    fn warn(&self, core: &Core) {
        let mut queue = self.queue.lock();
        let depth = queue.depth(core);
        if depth < queue.warn_at as usize {
            return;
        }
        queue.warn_at = queue.warn_at.saturating_mul(2);
        drop(queue);
        tracing::warn!(
            module = %core.name(),
            depth,
            "messages come faster than the module handles them: bound the mailbox with `mailbox = N`, or use a pool"
        );
    }

    /// Waits in line for room. Returns the offer where the module has stopped meanwhile; does not wait where there is room by now.
    pub(crate) fn wait_in_line(&self, core: &Core, message: E) -> Result<Arc<Waiter<E>>, E> {
        let mut queue = self.queue.lock();
        if queue.gate != Gate::Everybody && !(queue.gate == Gate::StopHooks && current::in_stop_hook()) {
            return Err(message);
        }
        let waiter = Arc::new(Waiter::new(message, Sender::current()));
        queue.rest.get_or_insert_default().waiters.push_back(Arc::clone(&waiter));
        core.has_waiters.store(true, Ordering::Relaxed);
        // See `Core::may_have_waiters`.
        fence(Ordering::SeqCst);
        // Room may have come between the refusal and this lock.
        let woken = queue.admit(core, self.capacity);
        drop(queue);
        woken.finish(core);
        Ok(waiter)
    }

    /// Takes a waiter whose sender gave up out of the line.
    pub(crate) fn leave_line(&self, core: &Core, waiter: &Arc<Waiter<E>>) {
        let mut queue = self.queue.lock();
        if let Some(rest) = &mut queue.rest {
            rest.waiters.retain(|other| !Arc::ptr_eq(other, waiter));
        }
        core.has_waiters.store(queue.has_waiters(), Ordering::Relaxed);
    }

    /// Lets waiting senders in as far as there is room.
    pub(crate) fn admit(&self, core: &Core) {
        let mut queue = self.queue.lock();
        let woken = queue.admit(core, self.capacity);
        drop(queue);
        woken.finish(core);
    }

    /// Whether the worker ought to let waiting senders in after this many messages, though its batch is not at its end.
    pub(crate) fn is_admission_due(&self, core: &Core, since: u32) -> bool {
        core.has_waiters.load(Ordering::Relaxed) && since >= self.capacity / 2
    }

    /// Takes what is queued into the empty `batch`, or parks the worker.
    ///
    /// A mailbox that `ends` tells when it is drained, rather than parking the worker for good.
    ///
    /// A batch for the root of the worker's task is armed at once: the next message wakes the task though it runs, so that at the end of the batch there is no
    /// need to look again. For a message at a time that is one lock less, and under load the batches grow while other tasks have their turn.
    #[inline]
    pub(crate) fn poll_fill(&self, core: &Core, batch: &mut VecDeque<E>, ends: bool, waker: &Waker) -> Poll<Fill> {
        let mut queue = self.queue.lock();
        if queue.messages.is_empty() {
            return self.park(queue, core, batch, ends, waker);
        }
        let begin = queue.tail - queue.messages.len() as u64;
        let mut armed = false;
        if self.is_one_by_one() {
            // What has not begun must stay where the next sender can drop it; the one taken begins at once.
            batch.extend(queue.messages.pop_front());
            queue.batch_end = begin;
            queue.batch_len = 0;
        } else {
            mem::swap(batch, &mut queue.messages);
            queue.batch_end = queue.tail;
            queue.batch_len = u32::try_from(batch.len()).unwrap_or(u32::MAX);
            // A large buffer is given back when the worker parks: let it.
            armed = core.is_root(waker) && !is_large(&queue.messages);
            queue.parked = armed;
        }
        core.begun.store(begin, Ordering::Release);
        core.is_busy.store(true, Ordering::Relaxed);
        let quiesced = core.has(control::QUIESCE);
        if queue.has_waiters() {
            let woken = queue.admit(core, self.capacity);
            drop(queue);
            woken.finish(core);
        } else {
            drop(queue);
        }
        Poll::Ready(Fill::Batch { quiesced, armed })
    }

    /// Parks the worker, for nothing is queued.
    fn park(
        &self,
        mut queue: MutexGuard<'_, Queue<E>>,
        core: &Core,
        batch: &mut VecDeque<E>,
        ends: bool,
        waker: &Waker,
    ) -> Poll<Fill> {
        queue.batch_len = 0;
        let drained = ends && core.has(control::DRAIN) && !queue.has_waiters();
        queue.parked = !drained;
        if drained {
            // What is accepted from here on comes from stop hooks.
            core.tell(control::QUIESCE);
        } else if !core.is_root(waker) {
            queue.rest.get_or_insert_default().stranger = Some(waker.clone());
        }
        core.is_busy.store(false, Ordering::Relaxed);
        if is_large(batch) {
            *batch = VecDeque::new();
        }
        queue.shrink(self.capacity);
        drop(queue);
        if drained { Poll::Ready(Fill::Drained) } else { Poll::Pending }
    }

    /// Whether the worker takes one message at a time, and leaves the others where they can be dropped.
    #[inline]
    fn is_one_by_one(&self) -> bool {
        self.overflow == Overflow::DropOldest && self.capacity != UNBOUNDED
    }

    /// Whether nobody is admitted any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.lock().gate == Gate::Nobody
    }

    /// The messages in the queue, without the batch in hand.
    pub(crate) fn queued(&self) -> usize {
        self.queue.lock().messages.len()
    }

    /// The messages that wait, the rest of the batch in hand among them.
    pub(crate) fn depth(&self, core: &Core) -> usize {
        self.queue.lock().depth(core)
    }

    /// The messages that wait, and one more while a batch is in hand.
    pub(crate) fn load(&self, core: &Core) -> usize {
        self.depth(core) + usize::from(core.is_busy.load(Ordering::Relaxed))
    }

    /// Refuses all but stop hooks, drops what is queued, and sets `bits` of the control.
    pub(crate) fn quiesce(&self, core: &Core, bits: u16) {
        let mut queue = self.queue.lock();
        queue.gate = queue.gate.max(Gate::StopHooks);
        // What comes later comes from stop hooks, and is answered.
        let first = core.tell(control::QUIESCE | bits) & control::QUIESCE == 0;
        let messages = if first { mem::take(&mut queue.messages) } else { VecDeque::new() };
        core.count_undelivered(messages.len());
        let waiters = queue.take_waiters();
        core.has_waiters.store(false, Ordering::Relaxed);
        queue.parked = false;
        let stranger = queue.take_stranger();
        drop(queue);
        core.begin_stopping();
        wake(core, stranger);
        refuse(waiters);
        if !messages.is_empty() {
            current::discard_all(NoAnswer::Stopped, messages);
        }
    }

    /// Refuses all but stop hooks, and lets what is queued be handled.
    pub(crate) fn begin_drain(&self, core: &Core) {
        let mut queue = self.queue.lock();
        queue.gate = queue.gate.max(Gate::StopHooks);
        core.tell(control::DRAIN);
        let waiters = queue.take_waiters();
        core.has_waiters.store(false, Ordering::Relaxed);
        queue.parked = false;
        let stranger = queue.take_stranger();
        drop(queue);
        core.begin_stopping();
        wake(core, stranger);
        refuse(waiters);
    }

    /// Tells the worker to end the running incarnation, which has failed of this. What is queued stays, and the gate open. Returns whether this is what it fails of.
    pub(crate) fn break_off(&self, core: &Core, culprit: Culprit, failure: Failure) -> bool {
        let mut queue = self.queue.lock();
        match core.side_of(culprit) {
            Side::Running => {}
            Side::Next => {
                let is_cause = core.fail_next(failure);
                drop(queue);
                core.wake();
                return is_cause;
            }
            Side::Gone => return false,
        }
        let is_ending = core.is_ending();
        if is_ending && culprit.is_child() {
            return false;
        }
        let is_cause = core.fail(failure);
        if is_ending {
            return is_cause;
        }
        core.tell(control::RENEW);
        queue.parked = false;
        let stranger = queue.take_stranger();
        drop(queue);
        wake(core, stranger);
        is_cause
    }

    /// Tells the worker to drop the code that runs, and with it the incarnation, which has failed of this. Returns whether the module is to be stopped for it: it
    /// is not built again.
    pub(crate) fn cut_off(&self, core: &Core, incarnation: u32, failure: Failure) -> bool {
        let mut queue = self.queue.lock();
        if incarnation != core.incarnation() || core.state().is_ended() {
            return false;
        }
        core.fail(failure);
        if !core.is_supervised() {
            core.tell(control::CUT);
            return true;
        }
        core.tell(if core.is_ending() { control::CUT } else { control::CUT | control::RENEW });
        queue.parked = false;
        let stranger = queue.take_stranger();
        drop(queue);
        wake(core, stranger);
        false
    }

    /// Tells the worker to end the running incarnation, and to begin again with another module; false where the module is ending.
    pub(crate) fn suspend(&self, core: &Core, conductor: ModuleName, ticket: Ticket) -> bool {
        let mut queue = self.queue.lock();
        if core.is_ending() || queue.gate == Gate::Nobody {
            return false;
        }
        core.leave_ticket(ticket);
        core.fail(Failure::Supervisor { sibling: conductor });
        core.tell(control::RENEW);
        queue.parked = false;
        let stranger = queue.take_stranger();
        drop(queue);
        wake(core, stranger);
        true
    }

    /// Tells the worker something that it does before the next message. It takes it back itself, with [`untell`](Self::untell).
    pub(crate) fn tell(&self, core: &Core, bits: u16) {
        let mut queue = self.queue.lock();
        core.tell(bits);
        // The worker is woken now. It looks at the queue once more before it parks again, whatever has been armed.
        queue.parked = false;
        let stranger = queue.take_stranger();
        drop(queue);
        wake(core, stranger);
    }

    /// Takes back what the worker was told; for the worker itself.
    pub(crate) fn untell(&self, core: &Core, bits: u16) {
        let _queue = self.queue.lock();
        core.untell(bits);
    }

    /// Does something under the lock, and has the worker look up if that says so.
    pub(crate) fn interrupt(&self, core: &Core, act: impl FnOnce() -> bool) {
        let mut queue = self.queue.lock();
        if act() {
            queue.parked = false;
            let stranger = queue.take_stranger();
            drop(queue);
            wake(core, stranger);
        }
    }

    /// Does something under the lock.
    pub(crate) fn locked<R>(&self, act: impl FnOnce() -> R) -> R {
        let _queue = self.queue.lock();
        act()
    }

    /// Forgets that the running incarnation is to end, for none runs; not so that the next one is cut off, for which somebody waits.
    pub(crate) fn forget_renewal(&self, core: &Core) {
        let _queue = self.queue.lock();
        if !core.has(control::CUT) {
            core.forget_renewal();
        }
    }

    /// Counts the next incarnation, and gives what the one before failed of.
    pub(crate) fn begin_again(&self, core: &Core) -> Option<Failure> {
        let _queue = self.queue.lock();
        core.begin_again()
    }

    /// Refuses everybody, and drops all that waits in the queue and in `batch`.
    pub(crate) fn close(&self, core: &Core, batch: VecDeque<E>) {
        let mut queue = self.queue.lock();
        queue.gate = Gate::Nobody;
        let messages = mem::take(&mut queue.messages);
        let waiters = queue.take_waiters();
        queue.batch_end = queue.tail;
        core.begun.store(queue.tail, Ordering::Release);
        core.count_undelivered(batch.len() + messages.len());
        core.has_waiters.store(false, Ordering::Relaxed);
        let askers = queue.take_answered(core);
        let senders = queue.traffic.take_senders();
        drop(queue);
        drop(askers);
        drop(senders);
        refuse(waiters);
        current::discard_all(NoAnswer::Stopped, batch);
        current::discard_all(NoAnswer::Stopped, messages);
    }

    /// Closes the mailbox if nothing is in it.
    pub(crate) fn close_if_empty(&self, core: &Core) -> bool {
        let mut queue = self.queue.lock();
        if !queue.messages.is_empty() || queue.has_waiters() {
            return false;
        }
        queue.gate = Gate::Nobody;
        queue.batch_end = queue.tail;
        core.begun.store(queue.tail, Ordering::Release);
        let askers = queue.take_answered(core);
        drop(queue);
        drop(askers);
        true
    }

    /// Has the sweeps wake an asker that still waits. The flag says that the sweeper must be told of this mailbox.
    pub(crate) fn note_asker(&self, waker: &Waker, due: u32) -> bool {
        let mut queue = self.queue.lock();
        queue.askers.note(waker, due);
        !mem::replace(&mut queue.listed, true)
    }

    /// Wakes the askers that this sweep is to wake. Returns whether others are left.
    pub(crate) fn sweep(&self, sweeps: u32) -> bool {
        // Looked through without the lock, which senders need.
        let mut askers = mem::take(&mut self.queue.lock().askers);
        let due = askers.take_due(sweeps);
        let mut queue = self.queue.lock();
        askers.merge(mem::take(&mut queue.askers));
        queue.askers = askers;
        queue.listed = !queue.askers.is_empty();
        let is_listed = queue.listed;
        drop(queue);
        due.into_iter().for_each(Waker::wake);
        is_listed
    }

    /// Leaves the home of a module that has nothing to do, for askers and for the worker; gives it back where there is something.
    pub(crate) fn leave_home(&self, home: AnyHome) -> Option<AnyHome> {
        let mut queue = self.queue.lock();
        if !queue.is_idle() {
            return Some(home);
        }
        queue.rest.get_or_insert_default().home = Some(home);
        None
    }

    /// The home for the worker, unless an asker has it.
    pub(crate) fn come_home(&self) -> Option<AnyHome> {
        self.queue.lock().rest.as_mut().and_then(|rest| rest.home.take())
    }

    /// The home for a worker that is cut off. If an asker has it, it is the asker's from now on.
    pub(crate) fn move_out(&self) -> Option<AnyHome> {
        let mut queue = self.queue.lock();
        let rest = queue.rest.get_or_insert_default();
        rest.is_abandoned = rest.home.is_none();
        rest.home.take()
    }

    /// The home for an asker whose message would be handled at once, and the position that the message has.
    #[inline]
    pub(crate) fn visit(&self, core: &Core) -> Option<(AnyHome, u64)> {
        let mut queue = self.lock();
        if !queue.is_idle() {
            return None;
        }
        let home = queue.rest.as_mut().filter(|rest| rest.waiters.is_empty())?.home.take()?;
        let position = queue.tail;
        queue.tail += 1;
        queue.batch_end = queue.tail;
        core.begun.store(queue.tail, Ordering::Release);
        core.detached.store(false, Ordering::Relaxed);
        core.is_busy.store(true, Ordering::Relaxed);
        if queue.next_measured.is(position) {
            queue.next_measured = queue.traffic.visit(&core.noted, position);
        }
        Some((home, position))
    }

    /// Takes the home back from an asker, and wakes the worker if there is something to do by now; gives it back where there is no worker any more.
    #[inline]
    pub(crate) fn leave(&self, core: &Core, home: AnyHome) -> Option<AnyHome> {
        let mut queue = self.queue.lock();
        let is_idle = queue.is_idle();
        let rest = queue.rest.get_or_insert_default();
        if rest.is_abandoned {
            return Some(home);
        }
        rest.home = Some(home);
        core.is_busy.store(false, Ordering::Relaxed);
        if core.noted.is_due(queue.tail) {
            let begun = queue.tail;
            queue.traffic.end(&core.noted, begun);
        }
        drop(queue);
        if !is_idle {
            core.wake();
        }
        None
    }

    /// Counts messages that were dropped out of the batch in hand.
    pub(crate) fn count_dropped_batch(&self, core: &Core, count: usize) {
        // Under the lock, so that each message is seen in one place.
        let _queue = self.queue.lock();
        core.count_undelivered(count);
        core.count_begun(count);
    }

    /// Measures that a message begins, and that the one before has ended.
    #[cold]
    pub(crate) fn measure_begin(&self, core: &Core, position: u64) {
        self.queue.lock().traffic.begin(&core.noted, position);
    }

    /// Measures that no message is in hand any more.
    #[cold]
    pub(crate) fn measure_end(&self, core: &Core) {
        self.queue.lock().traffic.end(&core.noted, core.begun.load(Ordering::Relaxed));
    }

    /// Takes out who sent the message at this position, which begins; from now on all senders are kept.
    #[cfg(feature = "observe")]
    #[cold]
    pub(crate) fn take_sender(&self, position: u64) -> Sender {
        let mut queue = self.queue.lock();
        queue.next_measured = Next::at(queue.tail);
        let (sender, others) = queue.traffic.take_sender(position);
        drop(queue);
        // To close a span is up to the subscriber.
        drop(others);
        sender
    }

    /// Counts messages that were not accepted.
    #[inline]
    pub(crate) fn count_refused(&self) {
        #[cfg(feature = "observe")]
        self.queue.lock().traffic.count_refused();
        #[cfg(not(feature = "observe"))]
        let _ = self;
    }

    /// What is counted of the messages.
    #[cfg(feature = "observe")]
    pub(crate) fn counted(&self, core: &Core) -> Counted {
        let queue = self.queue.lock();
        let depth = queue.depth(core) as u64;
        let load = depth + u64::from(queue.has_begun(core));
        core.counted(|end, undelivered| queue.traffic.counted(queue.tail, end, undelivered, depth, load))
    }

    /// Tells all askers that nobody will answer them.
    pub(crate) fn abandon_askers(&self, core: &Core) {
        let mut queue = self.queue.lock();
        core.tell(control::GONE);
        let askers = mem::take(&mut queue.askers);
        drop(queue);
        askers.wake_all();
    }
}

impl<E> Queue<E> {
    /// Puts a message at the end; gives its position.
    #[inline]
    fn put(&mut self, core: &Core, message: E) -> u64 {
        self.put_from(core, message, Sender::current)
    }

    /// As [`put`](Self::put), for another sender than the one that runs.
    #[inline]
    fn put_from(&mut self, core: &Core, message: E, sender: impl FnOnce() -> Sender) -> u64 {
        let position = self.tail;
        self.messages.push_back(message);
        self.tail += 1;
        if self.next_measured.is(position) {
            self.next_measured = self.traffic.look(&core.noted, position, sender);
        }
        position
    }

    fn depth(&self, core: &Core) -> usize {
        let in_hand = self.batch_end.saturating_sub(core.begun.load(Ordering::Acquire));
        self.messages.len() + usize::try_from(in_hand).unwrap_or(usize::MAX)
    }

    /// Whether a message is in hand: of the batch in hand the first has begun.
    #[cfg(feature = "observe")]
    fn has_begun(&self, core: &Core) -> bool {
        let begun = core.begun.load(Ordering::Acquire);
        let is_untouched = self.batch_len > 0 && begun + u64::from(self.batch_len) <= self.batch_end;
        core.is_busy.load(Ordering::Relaxed) && self.gate != Gate::Nobody && !is_untouched
    }

    /// Whether one more may come in; those who wait go first.
    fn has_room(&self, core: &Core, capacity: u32) -> bool {
        !self.has_waiters() && self.depth(core) < capacity as usize
    }

    /// Whether a worker without a message in hand has nothing to do. The next message or control wakes it.
    fn is_idle(&self) -> bool {
        self.parked && self.messages.is_empty() && self.gate == Gate::Everybody
    }

    fn has_waiters(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| !rest.waiters.is_empty())
    }

    /// The askers of a mailbox that closes, who have their answers but where another task may have been given one to give.
    fn take_answered(&mut self, core: &Core) -> Askers {
        if core.detaches.load(Ordering::Acquire) { Askers::default() } else { mem::take(&mut self.askers) }
    }

    fn take_waiters(&mut self) -> Option<Line<E>> {
        self.rest.as_mut().map(|rest| mem::take(&mut rest.waiters))
    }

    fn take_stranger(&mut self) -> Option<Waker> {
        self.rest.as_mut().and_then(|rest| rest.stranger.take())
    }

    fn admit(&mut self, core: &Core, capacity: u32) -> Woken {
        let mut woken = Woken { senders: Vec::new(), worker: false, stranger: None };
        let Some(mut waiters) = self.take_waiters().filter(|waiters| !waiters.is_empty()) else { return woken };
        let mut room = (capacity as usize).saturating_sub(self.depth(core));
        while room > 0
            && let Some(waiter) = waiters.pop_front()
        {
            if let Some((message, waker)) = waiter.admit(self.tail) {
                self.put_from(core, message, || waiter.sender());
                room -= 1;
                woken.senders.extend(waker);
            }
        }
        if let Some(rest) = &mut self.rest {
            rest.waiters = waiters;
        }
        core.has_waiters.store(self.has_waiters(), Ordering::Relaxed);
        woken.worker = !self.messages.is_empty() && mem::take(&mut self.parked);
        woken.stranger = if woken.worker { self.take_stranger() } else { None };
        woken
    }

    fn shrink(&mut self, capacity: u32) {
        if is_large(&self.messages) {
            self.messages = VecDeque::new();
        }
        if capacity == UNBOUNDED {
            self.warn_at = WARN_AT;
        }
    }
}

/// Whether a buffer grew in a burst, and is to be given back when it is empty.
pub(crate) fn is_large<E>(buffer: &VecDeque<E>) -> bool {
    buffer.capacity() > KEEP
}

/// Who is to be woken once the lock is free.
#[must_use]
pub struct Woken {
    senders: Vec<Waker>,
    worker: bool,
    stranger: Option<Waker>,
}

impl Woken {
    pub(crate) fn finish(self, core: &Core) {
        if self.worker {
            wake(core, self.stranger);
        }
        self.senders.into_iter().for_each(Waker::wake);
    }
}

fn wake(core: &Core, stranger: Option<Waker>) {
    core.wake();
    if let Some(stranger) = stranger {
        stranger.wake();
    }
}

fn refuse<E>(waiters: Option<Line<E>>) {
    if let Some(waiters) = waiters {
        for waiter in waiters {
            waiter.refuse();
        }
    }
}
