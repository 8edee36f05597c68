//! Code of a module on a thread of Tokio's blocking pool, in the module's name.

use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::thread;

use tokio::task::{JoinHandle, spawn_blocking};

use super::blocking::OWNER;
use super::cell::{AnyCell, Core};
use super::current::Entered;

/// Runs code of `module` on a thread that it may block. What it waits for there, the module waits for. `state` comes back, whether or not the code panics;
/// `None` where the runtime goes down before the code has begun.
///
/// # Cancel safety
/// Dropped before the code has begun, it drops the code and the state. Code that has begun runs to its end, and the state is dropped there.
pub(crate) async fn run_blocking<S, R>(
    module: Arc<dyn AnyCell>,
    mut state: S,
    code: impl FnOnce(&mut S) -> R + Send + 'static,
) -> Option<(S, thread::Result<R>)>
where
    S: Send + 'static,
    R: Send + 'static,
{
    #[expect(clippy::disallowed_methods, reason = "`Pooled` waits for it, and takes it back while it has not begun")]
    let handle = spawn_blocking(move || {
        let result = panic::catch_unwind(AssertUnwindSafe(|| in_name_of(module, || code(&mut state))));
        (state, result)
    });
    Pooled(handle).await
}

fn in_name_of<R>(module: Arc<dyn AnyCell>, code: impl FnOnce() -> R) -> R {
    let _owned = Owned(OWNER.replace(ptr::from_ref(module.core())));
    let mut module = Some(module);
    let _entered = Entered::new(&mut module);
    code()
}

/// Gives a thread back to whose it was before.
struct Owned(*const Core);

impl Drop for Owned {
    fn drop(&mut self) {
        OWNER.set(self.0);
    }
}

/// Code in the pool, which does not begin once nobody waits for it.
struct Pooled<V>(JoinHandle<V>);

impl<V> Future for Pooled<V> {
    type Output = Option<V>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<V>> {
        // The code's panics are contained, so what ends it early is the runtime.
        Pin::new(&mut self.0).poll(cx).map(Result::ok)
    }
}

impl<V> Drop for Pooled<V> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
