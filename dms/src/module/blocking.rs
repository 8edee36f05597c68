//! Waiting on a thread that may be blocked.

use std::cell::Cell;
use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};

use super::cell::Core;
use super::current;

thread_local! {
    /// The module that was given this thread to block.
    pub(super) static OWNER: Cell<*const Core> = const { Cell::new(ptr::null()) };
}

/// Whether the running code may block its thread, as far as modules are concerned: none runs here, or the one that was given the thread.
pub(crate) fn may_block() -> bool {
    current::with(|current| current.is_none_or(|current| ptr::eq(current.core(), OWNER.get())))
}

/// Blocks the thread until `future` is ready.
pub(crate) fn block_on<F: IntoFuture>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = TaskContext::from_waker(&waker);
    let mut future = pin!(future.into_future());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        thread::park();
    }
}
