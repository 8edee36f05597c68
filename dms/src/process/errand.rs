//! Sends that the stop hook of a process's module makes for its streams.
//!
//! A module that is stopping, or whose system is shutting down, takes messages from stop hooks only. What a process writes when it is asked to end is read by tasks, which are none: so they leave their sends to the hook that asked it.

use std::future::Future;
use std::pin::Pin;

use tokio::sync::{mpsc, oneshot};

type Errand = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where sends are left.
#[derive(Debug, Clone)]
pub(super) struct Errands {
    queue: mpsc::Sender<Errand>,
}

/// Who makes them.
#[derive(Debug)]
pub(super) struct Runner {
    queue: mpsc::Receiver<Errand>,
}

/// Somewhere to leave sends, and who makes them.
pub(super) fn errands() -> (Errands, Runner) {
    let (sender, receiver) = mpsc::channel(1);
    (Errands { queue: sender }, Runner { queue: receiver })
}

impl Errands {
    /// Has something done, in its turn; `None` where nobody will do it.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it may be done all the same.
    pub(super) async fn run<R: Send + 'static>(&self, act: impl Future<Output = R> + Send + 'static) -> Option<R> {
        let (done, result) = oneshot::channel();
        let errand = Box::pin(async move {
            // Who asked may have gone.
            let _ = done.send(act.await);
        });
        self.queue.send(errand).await.ok()?;
        result.await.ok()
    }
}

/// Does what is asked for while `main` runs.
pub(super) async fn beside<R>(runner: Option<Runner>, main: impl Future<Output = R>) -> R {
    let Some(Runner { mut queue }) = runner else { return main.await };
    let errands = async {
        while let Some(errand) = queue.recv().await {
            errand.await;
        }
        std::future::pending().await
    };
    tokio::select! {
        biased;
        result = main => result,
        never = errands => never,
    }
}
