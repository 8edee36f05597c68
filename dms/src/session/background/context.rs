//! Background tasks of a module.

use super::spawner::BackgroundSpawner;
use crate::module::{Context, Module};

impl<T: Module> Context<T> {
    /// Where background tasks of this module are begun: to be given to sessions that it runs. Their errors and panics are the module's failure, and they are
    /// cancelled and joined with the module, as with [`spawn`](Self::spawn).
    ///
    /// ```
    /// use dms::prelude::*;
    /// use dms::session::BackgroundSpawner;
    ///
    /// fn begin_session(spawner: &BackgroundSpawner) {
    ///     spawner.spawn("session", async { Err::<(), _>("the peer has gone") });
    /// }
    ///
    /// #[module]
    /// struct Parent;
    /// #[module]
    /// impl Parent {
    ///     #[start]
    ///     fn start(&mut self, ctx: &mut Context<Self>) { begin_session(&ctx.background()); }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new();
    /// let parent = system.register_module(Parent).await?;
    /// let failure = parent.stopped().await.failure.unwrap();
    /// assert_eq!(failure.to_string(), "task `session` failed: the peer has gone");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn background(&mut self) -> BackgroundSpawner {
        BackgroundSpawner::of_module(self.task_list(), self.cell(), self.incarnation())
    }
}
