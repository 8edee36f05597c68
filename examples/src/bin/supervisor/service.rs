//! Whose child a process is.

use dms::prelude::*;
use dms::process::{ProcessConfig, ProcessHandle, ProcessManager, ProcessResult};

/// Has one process as its child. A process that fails for good fails its supervisor: each has its own, which begins again without it, so that the others go on.
#[module(restart = on_failure)]
#[derive(Default)]
pub(crate) struct Service {
    /// Its process ends with it.
    manager: Option<ProcessManager>,
}

#[module]
impl Service {
    /// Spawns the process.
    #[handler(Spawn, boxed)]
    async fn spawn(
        &mut self,
        config: ProcessConfig,
        defaults: ProcessConfig,
        ctx: &mut Context<Self>,
    ) -> ProcessResult<ProcessHandle> {
        let manager = self.manager.insert(ProcessManager::new(ctx.supervisor(), defaults));
        manager.spawn(config).await
    }
}
