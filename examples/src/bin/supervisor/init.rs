//! Who starts the processes, each when it is its turn, and stops them.

use dms::event::Down;
use dms::prelude::*;
use dms::process::{ProcessChanged, ProcessConfig, ProcessHandle, ProcessStatus};

use crate::end::{Chain, End};
use crate::screen::{Screen, ScreenRef as _};
use crate::service::{Service, ServiceRef as _};

/// Starts each process once those that it depends on are up, and stops all of them in the opposite order.
#[module]
pub(crate) struct Init {
    screen: ModuleRef<Screen>,
    /// What the file does not say.
    defaults: ProcessConfig,
    /// In the order of their start.
    entries: Vec<Entry>,
    is_stopping: bool,
    /// Who waits for the end of all.
    waiting: Vec<ReplyTo<Vec<End>>>,
}

/// One process.
struct Entry {
    config: ProcessConfig,
    /// Those that must have been up before. They may have ended by then: so this is no matter of its module.
    depends: Vec<String>,
    state: State,
}

/// How far it has come.
enum State {
    /// What it depends on is not up yet.
    Waiting,
    /// It has been spawned, and has not been up yet.
    Starting(ProcessHandle),
    /// It has been up; it may have failed since, and be started again.
    Up(ProcessHandle),
    /// It will not run any more.
    Over(End),
}

#[module]
impl Init {
    /// `plan` are the processes in the order of their start.
    pub(crate) fn new(plan: Vec<ProcessConfig>, defaults: ProcessConfig, screen: ModuleRef<Screen>) -> Self {
        let entry = |config: ProcessConfig| Entry {
            depends: config.dependencies().to_vec(),
            config: config.without_dependencies(),
            state: State::Waiting,
        };
        let entries = plan.into_iter().map(entry).collect();
        Self { screen, defaults, entries, is_stopping: false, waiting: Vec::new() }
    }

    #[start]
    async fn start(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        self.advance(ctx).await
    }

    /// A process that has been up once does not hold those up any more that depend on it.
    #[event]
    async fn on_changed(&mut self, change: &ProcessChanged, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        let is_up = matches!(change.to, ProcessStatus::Idle | ProcessStatus::Busy | ProcessStatus::Paused);
        let Some(entry) = self.entry(&change.id) else { return Ok(()) };
        if let State::Starting(handle) = &entry.state
            && is_up
        {
            entry.state = State::Up(handle.clone());
            self.advance(ctx).await?;
        }
        Ok(())
    }

    /// A process has ended, and may not be started again.
    #[event]
    async fn on_down(&mut self, down: &Down, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        let Some(entry) = self.entry(&down.module.text()) else { return Ok(()) };
        if let State::Starting(handle) | State::Up(handle) = &entry.state
            && down.restarts_in.is_none()
        {
            entry.state = State::Over(End::of(&handle.report()));
            self.advance(ctx).await?;
        }
        Ok(())
    }

    /// Answers once no process will run any more: how each of them ended.
    #[handler(Finished)]
    fn finished(&mut self, reply: ReplyTo<Vec<End>>) {
        self.waiting.push(reply);
        self.tell_if_over();
    }

    /// Begins to stop all, one after the other, those first that were started last. What has not been started is not.
    #[handler(StopAll)]
    async fn stop_all(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        self.is_stopping = true;
        let handles = self.running();
        let stopped = async move {
            for handle in handles.into_iter().rev() {
                // Its end is told by the event.
                let _ = handle.stop().await;
            }
        };
        drop(ctx.spawn("stop", stopped));
        self.advance(ctx).await
    }

    /// Kills all that are left.
    #[handler(KillAll)]
    fn kill_all(&mut self, ctx: &mut Context<Self>) {
        for handle in self.running() {
            drop(ctx.spawn("kill", async move { drop(handle.kill().await) }));
        }
    }

    /// Starts those of which the turn has come.
    async fn advance(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        while let Some((number, turn)) = self.turn() {
            let entry = &self.entries[number];
            let id = entry.config.id().to_string();
            let state = match turn {
                Turn::Start => {
                    let service = ctx.register_with(|_| Service::default()).await?;
                    match service.spawn(entry.config.clone(), self.defaults.clone()).no_timeout().await? {
                        Ok(handle) => {
                            self.screen.show(handle.clone()).await?;
                            State::Starting(handle)
                        }
                        Err(error) => State::Over(End::not_started(id, Chain(&error).to_string(), true)),
                    }
                }
                Turn::Never { text, is_failure } => State::Over(End::not_started(id, text, is_failure)),
            };
            if let State::Over(end) = &state {
                self.screen.missed(end.clone()).await?;
            }
            self.entries[number].state = state;
        }
        self.tell_if_over();
        Ok(())
    }

    /// The next process that waits and need not wait any longer.
    fn turn(&self) -> Option<(usize, Turn)> {
        let waiting = self.entries.iter().enumerate().filter(|(_, entry)| matches!(entry.state, State::Waiting));
        for (number, entry) in waiting {
            if self.is_stopping {
                return Some((number, Turn::Never { text: "was not started".to_owned(), is_failure: false }));
            }
            let is_needed = |other: &&Entry| entry.depends.iter().any(|id| **id == **other.config.id());
            let needed = || self.entries.iter().filter(is_needed);
            if let Some(failed) = needed().find(|needed| matches!(&needed.state, State::Over(end) if end.is_failure)) {
                let text = format!("was not started: it depends on `{}`, which failed", failed.config.id());
                return Some((number, Turn::Never { text, is_failure: true }));
            }
            if needed().all(|needed| matches!(needed.state, State::Up(_) | State::Over(_))) {
                return Some((number, Turn::Start));
            }
        }
        None
    }

    fn entry(&mut self, id: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.config.id().as_str() == id)
    }

    /// Those that have been started and have not ended for good, in the order of their start.
    fn running(&self) -> Vec<ProcessHandle> {
        let handles = self.entries.iter().filter_map(|entry| match &entry.state {
            State::Starting(handle) | State::Up(handle) => Some(handle.clone()),
            State::Waiting | State::Over(_) => None,
        });
        handles.collect()
    }

    fn tell_if_over(&mut self) {
        let ends = self.entries.iter().map(|entry| match &entry.state {
            State::Over(end) => Some(end.clone()),
            _ => None,
        });
        if let Some(ends) = ends.collect::<Option<Vec<_>>>() {
            self.waiting.drain(..).for_each(|reply| reply.send(ends.clone()));
        }
    }
}

/// What becomes of a process that need not wait any longer.
enum Turn {
    Start,
    Never { text: String, is_failure: bool },
}
