//! Tasks that whoever owns them ends and joins: none of them is ever detached.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use parking_lot::{Mutex, MutexGuard};
use pin_project_lite::pin_project;
use slab::Slab;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// The tasks of one owner that have not been joined. A clone is the same list.
#[derive(Clone, Default)]
pub(crate) struct TaskList(Arc<Mutex<List>>);

#[derive(Default)]
struct List {
    running: Slab<Place>,
    /// Those that are done but for their last step. Whoever spawns drops what has taken it.
    ended: VecDeque<JoinHandle<()>>,
    /// Those of owners within this one.
    nested: Vec<TaskList>,
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

impl TaskList {
    /// Runs `future` as a task. Once the list is closed it is dropped instead.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let runtime = Handle::current();
        let mut list = self.0.lock();
        if list.is_closed {
            drop(list);
            return drop(future);
        }
        while list.ended.front().is_some_and(JoinHandle::is_finished) {
            list.ended.pop_front();
        }
        let key = list.running.insert(Place::Spawning);
        drop(list);
        let task = Entered { future, _entry: Entry { list: self.clone(), key } };
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
        for nested in &list.nested {
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

    fn poll_join(&self, cx: &mut TaskContext<'_>) -> Poll<()> {
        let mut list = self.0.lock();
        while let Some(handle) = list.ended.front_mut() {
            let Poll::Ready(joined) = Pin::new(handle).poll(cx) else {
                // It is in its last step. Several may wait for it, and a handle wakes one.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            };
            list.ended.pop_front();
            if joined.is_err() {
                // A cancelled task is what was asked for; a panic has been taken inside the task. What it says is dropped by nobody who holds the lock.
                drop(list);
                drop(joined);
                list = self.0.lock();
            }
        }
        let nested_pending = list.nested.iter().filter(|tasks| tasks.poll_join(cx).is_pending()).count();
        if list.running.is_empty() && nested_pending == 0 {
            return Poll::Ready(());
        }
        if !list.waits.iter().any(|waits| waits.will_wake(cx.waker())) {
            list.waits.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Makes a list within this one: it is closed with this one, and whoever waits for this one waits for it.
    #[cfg(feature = "session")]
    pub(crate) fn nest(&self) -> TaskList {
        let nested = Self::default();
        let mut list = self.0.lock();
        list.nested.retain(|tasks| !tasks.is_over());
        list.nested.push(nested.clone());
        if list.is_closed {
            nested.close();
        }
        nested
    }

    /// Whether there is no task, and nobody else who could spawn any.
    #[cfg(feature = "session")]
    fn is_over(&self) -> bool {
        if Arc::strong_count(&self.0) > 1 {
            return false;
        }
        let list = self.0.lock();
        list.running.is_empty()
            && list.ended.iter().all(JoinHandle::is_finished)
            && list.nested.iter().all(Self::is_over)
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
    /// A task that is in the list until its future has been dropped, however it ends.
    struct Entered<F> {
        #[pin]
        future: F,
        _entry: Entry,
    }
}

impl<F: Future<Output = ()>> Future for Entered<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.project().future.poll(cx)
    }
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
