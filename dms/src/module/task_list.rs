//! Tasks that whoever owns them ends and joins: none of them is ever detached, and no panic of one is lost.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker, ready};

use parking_lot::{Mutex, MutexGuard};
use pin_project_lite::pin_project;
use slab::Slab;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::task::Panic;
use super::worker::panic_text;

/// The tasks of one owner that have not been joined. A clone is the same list.
#[derive(Clone, Default)]
pub(crate) struct TaskList(Arc<Mutex<List>>);

#[derive(Default)]
struct List {
    running: Slab<Place>,
    /// Those that are done but for their last step. Whoever spawns drops what has taken it.
    ended: VecDeque<JoinHandle<()>>,
    /// Those of owners within this one by their numbers, which rise; some that are over among them.
    nested: BTreeMap<u64, TaskList>,
    /// How many owners within this one there were.
    #[cfg(feature = "session")]
    nestings: u64,
    /// With how many nested ones it is looked which are over: so that of many none is looked at often.
    #[cfg(feature = "session")]
    crowd: usize,
    /// Tasks are refused.
    is_closed: bool,
    /// Whoever waits until all are joined.
    waits: Vec<Waker>,
}

/// A task that runs.
enum Place {
    /// It has been spawned, and its handle is on its way.
    Spawning,
    Running(JoinHandle<()>),
    /// It has ended before its handle was here.
    Ended,
}

/// How a task ends.
pub(crate) enum TaskEnd<O> {
    Returned(O),
    /// It panicked, or what it held did when it was dropped; then it said this.
    Panicked(String),
    /// It was dropped before it returned.
    Cancelled,
}

/// Who is told how a task ends, once it has been dropped.
pub(crate) trait HearsEnd: Send + 'static {
    /// What the task returns.
    type Output;

    /// The task has ended like this. Of a panic in what it held, or in what is done here, it is told in the same way: then that is not the first end.
    fn ended(&self, end: TaskEnd<Self::Output>);
}

impl TaskList {
    /// Runs `future` as a task. Once the list is closed it is dropped instead.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub(crate) fn spawn<F, H>(&self, future: F, hears: H)
    where
        F: Future + Send + 'static,
        H: HearsEnd<Output = F::Output>,
    {
        let mut task = Entered { future: Some(future), hears, entry: None };
        let runtime = Handle::current();
        let mut list = self.0.lock();
        if list.is_closed {
            drop(list);
            return drop(task);
        }
        let joined = list.take_joined();
        let key = list.running.insert(Place::Spawning);
        drop(list);
        drop(joined);
        task.entry = Some(Entry { list: self.clone(), key });
        // Not under the lock: a runtime that goes down drops the task at once, and with it its entry.
        #[expect(clippy::disallowed_methods, reason = "the list joins it")]
        let handle = runtime.spawn(task);
        let mut list = self.0.lock();
        if list.is_closed {
            handle.abort();
        }
        match list.running.get_mut(key) {
            Some(place @ Place::Spawning) => *place = Place::Running(handle),
            Some(Place::Running(_) | Place::Ended) | None => {
                list.running.try_remove(key);
                list.ended.push_back(handle);
                wake(list);
            }
        }
    }

    /// Cancels the tasks, and refuses others from now on.
    pub(crate) fn close(&self) {
        let mut list = self.0.lock();
        list.is_closed = true;
        for (_, place) in &list.running {
            if let Place::Running(handle) = place {
                handle.abort();
            }
        }
        for nested in list.nested.values() {
            nested.close();
        }
    }

    /// Whether tasks are refused.
    #[cfg(feature = "session")]
    pub(crate) fn is_closed(&self) -> bool {
        self.0.lock().is_closed
    }

    /// Waits until no task is left.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(crate) async fn join(&self) {
        poll_fn(|cx| self.poll_join(cx)).await;
    }

    /// Looks at one nested list after the other, and no further than the first that has tasks: of many, each end has few looked at.
    fn poll_join(&self, cx: &mut TaskContext<'_>) -> Poll<()> {
        let mut next = 0;
        loop {
            let mut list = self.0.lock();
            if let Some(handle) = list.ended.front() {
                if !handle.is_finished() {
                    // It is in its last step. Several may wait for it, and a handle wakes one.
                    drop(list);
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                let joined = list.take_joined();
                drop(list);
                drop(joined);
                continue;
            }
            if let Some((number, tasks)) =
                list.nested.range(next..).next().map(|(number, tasks)| (*number, tasks.clone()))
            {
                drop(list);
                ready!(tasks.poll_join(cx));
                drop(tasks);
                drop(self.take_if_over(number));
                next = number + 1;
                continue;
            }
            if list.running.is_empty() {
                return Poll::Ready(());
            }
            if !list.waits.iter().any(|waits| waits.will_wake(cx.waker())) {
                list.waits.push(cx.waker().clone());
            }
            return Poll::Pending;
        }
    }

    /// Takes a nested list that is over, to be dropped outside of the lock.
    fn take_if_over(&self, number: u64) -> Option<TaskList> {
        let mut list = self.0.lock();
        let is_over = list.nested.get(&number).is_some_and(Self::is_over);
        if is_over { list.nested.remove(&number) } else { None }
    }

    /// Makes a list within this one: it is closed with this one, and whoever waits for this one waits for it.
    #[cfg(feature = "session")]
    pub(crate) fn nest(&self) -> TaskList {
        let nested = Self::default();
        let mut list = self.0.lock();
        let mut over = Vec::new();
        if list.nested.len() >= list.crowd {
            over.extend(list.nested.extract_if(.., |_, tasks| tasks.is_over()));
            list.crowd = 2 * list.nested.len() + 4;
        }
        let number = list.nestings;
        list.nestings += 1;
        list.nested.insert(number, nested.clone());
        if list.is_closed {
            nested.close();
        }
        drop(list);
        drop(over);
        nested
    }

    /// Whether there is no task, and none can come: it is closed, or nobody else has it.
    fn is_over(&self) -> bool {
        let is_shared = Arc::strong_count(&self.0) > 1;
        let list = self.0.lock();
        (list.is_closed || !is_shared)
            && list.running.is_empty()
            && list.ended.iter().all(JoinHandle::is_finished)
            && list.nested.values().all(Self::is_over)
    }
}

impl List {
    /// Takes two of those that have ended, to be dropped outside of the lock. Each that comes takes as many with it, so they do not pile up.
    fn take_joined(&mut self) -> [Option<JoinHandle<()>>; 2] {
        [(); 2].map(|()| self.ended.pop_front_if(|handle| handle.is_finished()))
    }
}

/// Wakes whoever waits until all are joined, and lets go of the lock before.
fn wake(mut list: MutexGuard<'_, List>) {
    let waits = std::mem::take(&mut list.waits);
    drop(list);
    waits.into_iter().for_each(Waker::wake);
}

impl fmt::Debug for TaskList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskList").field("running", &self.0.lock().running.len()).finish_non_exhaustive()
    }
}

pin_project! {
    /// A task that is in the list until its future has been dropped, however it ends. Whatever panics in it stays in it, and is told.
    struct Entered<F, H>
    where
        F: Future,
        H: HearsEnd<Output = F::Output>,
    {
        // `None` once it has ended.
        #[pin]
        future: Option<F>,
        hears: H,
        entry: Option<Entry>,
    }

    impl<F, H> PinnedDrop for Entered<F, H>
    where
        F: Future,
        H: HearsEnd<Output = F::Output>,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.future.is_some() {
                end(this.future, this.hears, TaskEnd::Cancelled);
            }
        }
    }
}

impl<F, H> Future for Entered<F, H>
where
    F: Future,
    H: HearsEnd<Output = F::Output>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Ready(()) };
        let ended = match panic::catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => TaskEnd::Returned(output),
            Err(panic) => TaskEnd::Panicked(text_of(panic)),
        };
        end(this.future, this.hears, ended);
        Poll::Ready(())
    }
}

/// Drops the future of a task, and tells how that has ended.
fn end<F: Future, H: HearsEnd<Output = F::Output>>(
    mut future: Pin<&mut Option<F>>,
    hears: &H,
    end: TaskEnd<F::Output>,
) {
    let dropped = contained(|| future.set(None));
    let (first, second) = match (end, dropped) {
        (end, Ok(())) => (end, None),
        (TaskEnd::Cancelled, Err(text)) => (TaskEnd::Panicked(text), None),
        (end, Err(text)) => (end, Some(text)),
    };
    // What becomes of the output is the owner's code, and may panic as well.
    let told = contained(|| hears.ended(first));
    for text in second.into_iter().chain(told.err()) {
        // There is nobody left to tell of a panic in this.
        let _ = contained(|| hears.ended(TaskEnd::Panicked(text)));
    }
}

/// Runs code that may panic; gives what that says.
fn contained(code: impl FnOnce()) -> Result<(), String> {
    panic::catch_unwind(AssertUnwindSafe(code)).map_err(text_of)
}

/// What a panic said. What it carries is dropped, whatever that does.
fn text_of(panic: Panic) -> String {
    let text = panic_text(&*panic);
    if let Err(again) = panic::catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        // It would panic without end.
        std::mem::forget(again);
    }
    text
}

/// A task's place in the list, given up when it ends.
struct Entry {
    list: TaskList,
    key: usize,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut list = self.list.0.lock();
        match list.running.get_mut(self.key) {
            Some(place @ Place::Spawning) => *place = Place::Ended,
            Some(_) => {
                if let Place::Running(handle) = list.running.remove(self.key) {
                    list.ended.push_back(handle);
                }
                wake(list);
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts when it is dropped, if the list can be looked at then.
    struct Looks(TaskList, Arc<AtomicUsize>);

    impl Drop for Looks {
        fn drop(&mut self) {
            if self.0.0.try_lock().is_some() {
                self.1.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    struct Nobody;

    impl HearsEnd for Nobody {
        type Output = ();

        fn ended(&self, _: TaskEnd<()>) {}
    }

    /// A task that has ended, whose handle holds what looks at `list` when it is dropped.
    #[expect(clippy::disallowed_methods, reason = "the list joins it")]
    async fn ended(list: &TaskList, looks: &Arc<AtomicUsize>) -> JoinHandle<()> {
        let carried = Looks(list.clone(), Arc::clone(looks));
        let handle = tokio::spawn(async move { panic::panic_any(carried) });
        while !handle.is_finished() {
            tokio::task::yield_now().await;
        }
        handle
    }

    #[tokio::test]
    async fn what_has_ended_is_dropped_while_nobody_holds_the_lock() {
        let (list, looks) = (TaskList::default(), Arc::default());
        let handle = ended(&list, &looks).await;
        list.0.lock().ended.push_back(handle);
        list.spawn(pending(), Nobody);
        assert_eq!(looks.load(Ordering::SeqCst), 1, "by whoever spawns");

        let handle = ended(&list, &looks).await;
        list.0.lock().ended.push_back(handle);
        list.close();
        list.join().await;
        assert_eq!(looks.load(Ordering::SeqCst), 2, "by whoever joins");
    }

    #[cfg(feature = "session")]
    #[tokio::test]
    async fn what_has_ended_in_a_nested_list_is_dropped_while_nobody_holds_the_lock() {
        let (list, looks) = (TaskList::default(), Arc::default());
        let handle = ended(&list, &looks).await;
        list.nest().0.lock().ended.push_back(handle);
        for _ in 0..100 {
            drop(list.nest());
            assert!(list.0.lock().nested.len() <= 5);
        }
        assert_eq!(looks.load(Ordering::SeqCst), 1, "by whoever nests another one");

        let handle = ended(&list, &looks).await;
        let nested = list.nest();
        nested.0.lock().ended.push_back(handle);
        list.join().await;
        assert_eq!(looks.load(Ordering::SeqCst), 2, "by whoever joins the one around it");
    }

    #[cfg(feature = "session")]
    #[test]
    fn whoever_joins_looks_no_more_at_nested_lists_that_are_over() {
        let list = TaskList::default();
        let nested: Vec<_> = (0..2_000).map(|_| list.nest()).collect();
        let key = nested[1_500].0.lock().running.insert(Place::Spawning);
        list.close();
        let mut cx = TaskContext::from_waker(Waker::noop());
        assert!(list.poll_join(&mut cx).is_pending());
        assert_eq!(list.0.lock().nested.len(), 500, "the one that runs is waited for first");
        nested[1_500].0.lock().running.remove(key);
        assert!(list.poll_join(&mut cx).is_ready());
        assert_eq!(list.0.lock().nested.len(), 0);
    }

    #[tokio::test]
    async fn those_that_have_ended_do_not_pile_up() {
        let list = TaskList::default();
        for _ in 0..100 {
            list.spawn(async {}, Nobody);
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            assert!(list.0.lock().ended.len() <= 2);
        }
        // Nor do they where many end at once.
        for _ in 0..100 {
            list.spawn(async {}, Nobody);
        }
        for _ in 0..100 {
            list.spawn(async {}, Nobody);
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        }
        assert!(list.0.lock().ended.len() <= 2);
    }
}
