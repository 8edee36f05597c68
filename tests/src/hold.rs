//! A handler that stays where it is until it is let go.

use std::future::Future;

use tokio::sync::oneshot;

/// A future that says when it begins and ends when it is let go; and the other side of it.
///
/// It also ends when the other side is dropped.
pub fn hold() -> (impl Future<Output = ()> + Send + 'static, Held) {
    let (say, begun) = oneshot::channel();
    let (release, end) = oneshot::channel::<()>();
    let holding = async move {
        // The other side may have gone: then nobody listens, and nobody holds.
        let _ = say.send(());
        let _ = end.await;
    };
    (holding, Held { begun: Some(begun), release: Some(release) })
}

/// The other side of [`hold`].
#[derive(Debug)]
pub struct Held {
    begun: Option<oneshot::Receiver<()>>,
    release: Option<oneshot::Sender<()>>,
}

impl Held {
    /// Waits until the handler has begun.
    ///
    /// # Panics
    /// When it never will.
    pub async fn begun(&mut self) {
        if let Some(begun) = self.begun.take() {
            begun.await.expect("the held handler begins");
        }
    }

    /// Lets the handler go on.
    pub fn release(mut self) {
        if let Some(release) = self.release.take() {
            let _ = release.send(());
        }
    }
}
