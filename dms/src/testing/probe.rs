//! A receiver that shows what it got.

use std::fmt;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::System;
use crate::module::{Context, Describe, DynMessage, Handler, Module, ModuleInfo, Recipient, worker};

/// How long [`Probe::recv`] waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes a receiver of `M` that shows what it got.
///
/// ```
/// use dms::testing::probe;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut lines = probe::<String>();
/// lines.recipient().send("hello".to_owned()).await?;
/// assert_eq!(lines.recv().await, "hello");
/// assert_eq!(lines.try_recv(), None);
/// # Ok(()) }
/// ```
///
/// # Panics
/// Outside a Tokio runtime.
#[must_use]
pub fn probe<M: Send + 'static>() -> Probe<M> {
    let (sender, received) = mpsc::unbounded_channel();
    let system = System::builder("probe").build();
    let name = const { Tap::<M>::INFO }.name.to_owned();
    match system.stand_in::<Tap<M>, _>(Some(name), |cell| worker::life::<Tap<M>>(cell, Tap { sender }, None)) {
        Ok(reference) => Probe { recipient: reference.recipient(), received, _system: system },
        Err(error) => panic!("{error}"),
    }
}

/// A receiver of `M` that shows what it got. It stops when it is dropped.
pub struct Probe<M> {
    recipient: Recipient<M>,
    received: mpsc::UnboundedReceiver<M>,
    _system: System,
}

impl<M: Send + 'static> Probe<M> {
    /// The reference to give to what is tested.
    #[must_use]
    pub fn recipient(&self) -> Recipient<M> {
        self.recipient.clone()
    }

    /// The next message.
    ///
    /// # Panics
    /// When none comes for 5 seconds.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn recv(&mut self) -> M {
        match tokio::time::timeout(PATIENCE, self.received.recv()).await {
            Ok(Some(message)) => message,
            Ok(None) | Err(_) => panic!("the probe got no message for {PATIENCE:?}"),
        }
    }

    /// The next message if one is there.
    pub fn try_recv(&mut self) -> Option<M> {
        self.received.try_recv().ok()
    }
}

impl<M> fmt::Debug for Probe<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("waiting", &self.received.len()).finish_non_exhaustive()
    }
}

/// The module behind a probe.
struct Tap<M> {
    sender: mpsc::UnboundedSender<M>,
}

impl<M: Send + 'static> Describe for Tap<M> {
    const INFO: ModuleInfo = ModuleInfo::new("Probe");
}

impl<M: Send + 'static> Module for Tap<M> {
    type Message = DynMessage<Self>;
}

impl<M: Send + 'static> Handler<M> for Tap<M> {
    type Reply = ();

    async fn handle(&mut self, message: M, _: &mut Context<Self>) {
        // A probe that has been dropped looks at nothing any more.
        let _ = self.sender.send(message);
    }
}
