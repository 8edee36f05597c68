//! Bringing a module to life.

use std::any::TypeId;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::error::RegisterError;
use super::event::Bus;
use super::registry::{Settings, Shared, WIDE};
use super::resolve::Subject;
use super::system::SystemRef;
use crate::Overflow;
#[cfg(feature = "snapshot")]
use crate::module::Snapshot;
use crate::module::cell::AnyCell;
use crate::module::current;
use crate::module::deadlock::{EdgeGuard, On};
use crate::module::polled_again::polled_again;
use crate::module::reply::NoAnswer;
use crate::module::supervised::{Build, supervised_life};
use crate::module::worker::{self, NotStarted, Start};
use crate::module::{Module, ModuleFlags, ModuleId, ModuleInfo, ModuleRef, ModuleState};
use crate::recovery::{HealthSchedule, Restart, RestartPolicy};

/// A registration to come: await it, or set something first.
///
/// ```
/// # use dms::prelude::*;
/// # #[module] #[derive(Default)] struct Counter;
/// # #[module] impl Counter {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// let counter = system.register_module(Counter::default()).name("visits").mailbox(64).await?;
/// assert_eq!(counter.name(), "visits");
/// # system.shutdown().await;
/// # Ok(()) }
/// ```
#[must_use = "nothing is registered until this is awaited"]
pub struct Register<T: Module> {
    /// `None` where the system is gone.
    system: Option<Arc<Shared>>,
    make: Make<T>,
    /// Builds it again, where what makes it cannot.
    build: Option<Build<T>>,
    settings: Settings,
    /// The state to begin with. Boxed: hardly any registration has one.
    #[cfg(feature = "snapshot")]
    restored_from: Option<Box<Snapshot>>,
}

/// How the module comes about.
pub(super) enum Make<T: Module> {
    Value(T),
    With(Build<T>),
}

impl<T: Module> Register<T> {
    pub(super) fn new(system: &SystemRef, make: Make<T>, parent: Option<ModuleId>) -> Self {
        Self {
            system: system.shared(),
            make,
            build: None,
            settings: Settings { parent, ..Settings::default() },
            #[cfg(feature = "snapshot")]
            restored_from: None,
        }
    }

    /// Gives this module a name of its own; one module of a system may have it at a time.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// Bounds this module's mailbox to `capacity` waiting messages; 0 is taken as 1.
    pub fn mailbox(mut self, capacity: usize) -> Self {
        self.settings.mailbox = Some(capacity.max(1));
        self
    }

    /// Says what happens to a message that finds the bounded mailbox full.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.settings.overflow = Some(overflow);
        self
    }

    /// Says what this module cannot do without, besides what its type says: the name of a module or a capability, with the versions that will do if not all:
    /// `"store"`, `"cache >= 1.3"`. One that cannot be read fails the registration.
    pub fn depends_on(mut self, dependency: impl Into<String>) -> Self {
        self.settings.wants.get_or_insert_default().dependencies.push((dependency.into(), false));
        self
    }

    /// Says what this module uses if it is there when it is registered, written as for [`depends_on`](Self::depends_on).
    pub fn optionally_depends_on(mut self, dependency: impl Into<String>) -> Self {
        self.settings.wants.get_or_insert_default().dependencies.push((dependency.into(), true));
        self
    }

    /// Says what others may depend on, and find this module by, besides what its type says.
    pub fn provides(mut self, capability: impl Into<String>) -> Self {
        self.settings.wants.get_or_insert_default().provides.push(capability.into());
        self
    }

    /// Says how this module is started again, instead of what its type says. Something must be there to build it again: it is registered with
    /// [`register_with`](SystemRef::register_with), or with [`restart_from_clone`](Self::restart_from_clone).
    ///
    /// A restart keeps all that others know of the module: its references, its name, what waits in its mailbox, its ticks and subscriptions. The message whose handler
    /// failed is not handled again. The tasks and children of the incarnation that failed end, and it is dropped, before `init` of the next one runs; senders and askers wait
    /// meanwhile. Where it is not only to be started but never to run again, [`stop`](ModuleRef::stop) ends it, at any time.
    ///
    /// Once it fails more often than is allowed, it has failed for good. Then its parent fails with it, and is started again if it is to be. Where none is, up to the
    /// last, [the system fails](SystemRef::failed).
    ///
    /// ```
    /// # use dms::prelude::*;
    /// # use std::time::Duration;
    /// use dms::recovery::{Backoff, Restart};
    ///
    /// #[module]
    /// #[derive(Default)]
    /// struct Parser { parsed: u64 }
    ///
    /// #[module]
    /// impl Parser {
    ///     #[handler(Parse)]
    ///     fn parse(&mut self, text: String) -> u64 {
    ///         let _number: i64 = text.parse().expect("a number");
    ///         self.parsed += 1;
    ///         self.parsed
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let restart = Restart::on_failure()
    ///     .max_restarts(5, Duration::from_secs(60))
    ///     .backoff(Backoff::new(Duration::from_millis(100), Duration::from_secs(30)));
    /// let system = System::new();
    /// let parser = system.register_with(|_| Parser::default()).restart(restart).await?;
    /// assert_eq!(parser.parse("1".to_owned()).await?, 1);
    /// assert!(parser.parse("one".to_owned()).await.is_err());
    /// assert_eq!(parser.parse("2".to_owned()).await?, 1, "it was built anew");
    /// assert_eq!(parser.incarnation(), 2);
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub fn restart(mut self, restart: Restart) -> Self {
        self.settings.wants.get_or_insert_default().restart = Some(restart);
        self
    }

    /// Starts the module again, where it is to be, from a clone of the value that is registered, as it is now.
    pub fn restart_from_clone(mut self) -> Self
    where
        T: Clone,
    {
        if let Make::Value(value) = &self.make {
            let value = value.clone();
            self.build = Some(Box::new(move |_| value.clone()));
        }
        self
    }

    /// Says when this module's health is checked and how many checks decide, instead of what [`#[health]`](macro@crate::health) says. Restarts and reloads keep it.
    ///
    /// A module without a check is not registered: [`RegisterError::NoHealthCheck`].
    ///
    /// ```
    /// # use dms::prelude::*;
    /// use dms::recovery::HealthSchedule;
    /// use std::time::Duration;
    ///
    /// #[module]
    /// struct Link { url: String }
    ///
    /// #[module]
    /// impl Link {
    ///     #[health]
    ///     async fn health(&self) -> bool { !self.url.is_empty() }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new();
    /// let schedule = HealthSchedule { every: Duration::from_secs(1), ..HealthSchedule::DEFAULT };
    /// let link = system.register_module(Link { url: String::new() }).health_schedule(schedule).await?;
    /// tokio::time::sleep(Duration::from_millis(1500)).await;
    /// assert_eq!(link.health().to_string(), "degraded: the check says `false`");
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub fn health_schedule(mut self, schedule: HealthSchedule) -> Self {
        self.settings.wants.get_or_insert_default().health = Some(schedule);
        self
    }

    /// Gives the module the state of a snapshot, by its `#[restore]` method: after `init`, and before `start` and its first message.
    ///
    /// The snapshot may be one of another type, or of another version of this one, which the method is told; what cannot be read as the type that the method takes fails the registration, with
    /// [`RegisterError::Hook`], as what the method returns does. The state is restored once: an incarnation after a [restart](Self::restart) is built anew, and begins as it was built.
    ///
    /// A module without `#[restore]` is not registered: [`RegisterError::NoRestore`].
    ///
    /// [`ModuleRef::snapshot`] has an example.
    #[cfg(feature = "snapshot")]
    pub fn restored_from(mut self, snapshot: Snapshot) -> Self {
        self.restored_from = Some(Box::new(snapshot));
        self
    }

    /// Builds the module again with this, where it is to be started again.
    pub(super) fn built_again_with(mut self, build: Build<T>) -> Self {
        self.build = Some(build);
        self
    }

    /// The module, and the system that it was to be registered in, unless that is gone.
    pub(super) fn into_entry(self) -> (Entry<T>, Option<Arc<Shared>>) {
        let mut entry = Entry::new(self.make, self.settings);
        entry.build = self.build;
        #[cfg(feature = "snapshot")]
        {
            entry.restored_from = self.restored_from;
        }
        (entry, self.system)
    }
}

/// A module on its way into a system.
pub(super) struct Entry<T: Module> {
    /// `None` once it has come about.
    make: Option<Make<T>>,
    /// Builds it again, where what makes it cannot.
    build: Option<Build<T>>,
    settings: Settings,
    /// What it says of itself, where that is not what its type says; its cell has it once there is one.
    own: Option<Box<ModuleInfo>>,
    /// `None` before it has its place.
    module: Option<ModuleRef<T>>,
    role: Role,
    /// The state to begin with.
    #[cfg(feature = "snapshot")]
    restored_from: Option<Box<Snapshot>>,
}

/// What a module is registered as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Alone,
    /// In a set each module waits for its turn.
    InSet,
    /// A stand-in answers messages: it needs nothing, and events are for the module itself.
    StandIn,
}

/// A module of any type on its way into a system.
pub(super) trait Candidate: Send {
    /// Has the module say what it is. First of all, since it may panic.
    fn introduce(&mut self) -> Result<(), RegisterError>;

    /// What it said of itself.
    fn subject(&self) -> Subject<'_>;

    /// Its name in errors.
    fn name(&self) -> String;

    /// Makes what its references point at.
    fn make_cell(&mut self, shared: &Shared);

    /// What its references point at.
    fn cell(&self) -> Option<Arc<dyn AnyCell>>;

    /// Subscribes it to the events that it has handlers for.
    fn subscribe(&self, bus: &Bus);

    /// Does what its type asks for, once it has its place.
    fn welcome(&self, shared: &Shared);

    /// Says to which parent and set it belongs.
    fn join_set(&mut self, parent: Option<ModuleId>);

    /// Gives it life; `start` is told how that went. Nothing is left of it where its constructor panics.
    fn launch(&mut self, runtime: &Handle, start: Option<Box<Start>>) -> Result<(), RegisterError>;

    /// Ends it where it has a place and no life.
    fn abandon(&mut self);
}

impl<T: Module> Entry<T> {
    pub(super) fn new(make: Make<T>, settings: Settings) -> Self {
        Self { make: Some(make), role: Role::Alone, ..Self::stand_in(settings) }
    }

    /// A place without a module.
    pub(super) fn stand_in(settings: Settings) -> Self {
        Self {
            make: None,
            build: None,
            settings,
            own: None,
            module: None,
            role: Role::StandIn,
            #[cfg(feature = "snapshot")]
            restored_from: None,
        }
    }

    /// Whether its registration has hooks to wait for.
    fn has_a_start(&self) -> bool {
        T::STARTS || self.is_restored()
    }

    #[cfg(feature = "snapshot")]
    fn is_restored(&self) -> bool {
        self.restored_from.is_some()
    }

    #[cfg(not(feature = "snapshot"))]
    #[allow(clippy::unused_self, reason = "as with the feature")]
    fn is_restored(&self) -> bool {
        false
    }

    /// Whose value is there and who has nothing to start with runs from the beginning.
    fn begins_running(&self) -> bool {
        !self.has_a_start() && self.role == Role::Alone && matches!(self.make, Some(Make::Value(_)))
    }

    /// When its health is checked, where the registration says so.
    fn health_schedule(&self) -> Option<HealthSchedule> {
        self.settings.wants.as_ref().and_then(|wants| wants.health)
    }

    /// How it is started again.
    fn restart(&self) -> Restart {
        let set = self.settings.wants.as_ref().and_then(|wants| wants.restart);
        set.unwrap_or_else(|| self.subject().info.restart)
    }

    /// The module, once it has its place.
    pub(super) fn module(self) -> Option<ModuleRef<T>> {
        self.module
    }
}

impl<T: Module> Candidate for Entry<T> {
    fn introduce(&mut self) -> Result<(), RegisterError> {
        if let Some(Make::Value(value)) = &self.make {
            let panicked = |text| RegisterError::Panicked { module: self.name(), place: "info", text };
            self.own = own_info(value).map_err(panicked)?;
            if self.build.is_none() && self.restart().policy != RestartPolicy::Never {
                return Err(RegisterError::CannotRestart { module: self.name() });
            }
        }
        if const { T::HEALTH.is_none() } && self.health_schedule().is_some() {
            return Err(RegisterError::NoHealthCheck { module: self.name() });
        }
        #[cfg(feature = "snapshot")]
        if self.is_restored() && !T::RESTORES {
            return Err(RegisterError::NoRestore { module: self.name() });
        }
        self.subject().unique_name().map_or(Ok(()), check_name)
    }

    fn subject(&self) -> Subject<'_> {
        let info = match self.role {
            Role::StandIn => const { &T::INFO.dependencies(&[]).optional_dependencies(&[]) },
            Role::Alone | Role::InSet => match &self.module {
                Some(module) => module.info(),
                None => self.own.as_deref().unwrap_or(const { &T::INFO }),
            },
        };
        Subject { info, settings: &self.settings }
    }

    fn name(&self) -> String {
        self.module.as_ref().map_or_else(|| self.subject().name().to_owned(), ModuleRef::name)
    }

    fn make_cell(&mut self, shared: &Shared) {
        if self.module.is_none() {
            let state = if self.begins_running() { ModuleState::Running } else { ModuleState::Created };
            let module = shared.cell(&self.settings, self.own.take(), state);
            if let Some(schedule) = self.health_schedule() {
                module.cell.core.schedule_health(schedule);
            }
            self.module = Some(module);
        }
    }

    fn cell(&self) -> Option<Arc<dyn AnyCell>> {
        self.module.as_ref().map(|module| Arc::clone(&module.cell) as Arc<dyn AnyCell>)
    }

    fn subscribe(&self, bus: &Bus) {
        if let Some(module) = &self.module
            && self.role != Role::StandIn
        {
            for event in T::EVENTS {
                let (topic, subscriber) = event.subscriber(module);
                bus.subscribe(topic, subscriber);
            }
        }
    }

    fn welcome(&self, shared: &Shared) {
        #[cfg(feature = "observe")]
        if let Some(cell) = self.cell() {
            crate::module::life_log::registered(cell.core());
        }
        if !T::EVENTS.is_empty() && self.role != Role::StandIn {
            shared.tend_sources();
        }
        if size_of::<T::Message>() > WIDE {
            shared.warn_of_wide(const { T::INFO }.type_name, TypeId::of::<T>(), size_of::<T::Message>());
        }
    }

    fn join_set(&mut self, parent: Option<ModuleId>) {
        self.role = Role::InSet;
        self.settings.parent = self.settings.parent.or(parent);
    }

    fn launch(&mut self, runtime: &Handle, start: Option<Box<Start>>) -> Result<(), RegisterError> {
        #[cfg(feature = "snapshot")]
        let start = start.map(|mut start| {
            start.restored_from = self.restored_from.take();
            start
        });
        let (Some(make), Some(target)) = (self.make.take(), &self.module) else { return Ok(()) };
        let (value, build) = match make {
            Make::Value(value) => (value, self.build.take()),
            Make::With(make) => {
                let self_ref = target.clone();
                match make_one(|| make(self_ref), target) {
                    Ok(value) => (value, Some(make)),
                    Err(error) => {
                        worker::abandon::<T>(&target.cell);
                        return Err(error);
                    }
                }
            }
        };
        let cell = Arc::clone(&target.cell);
        let restart = self.restart();
        let is_reloadable = target.info().flags.contains(ModuleFlags::HOT_RELOADABLE);
        #[expect(clippy::disallowed_methods, reason = "the end of the module, and the shutdown, join it")]
        let worker = if is_reloadable || restart.policy != RestartPolicy::Never {
            runtime.spawn(supervised_life(cell, value, start, restart, build, is_reloadable))
        } else if T::INLINE {
            runtime.spawn(worker::inline_life(cell, value, start))
        } else {
            runtime.spawn(worker::life(cell, value, start))
        };
        // The worker may have ended before its handle is here; that does no harm.
        target.cell.core.end.lock().worker = Some(worker);
        Ok(())
    }

    fn abandon(&mut self) {
        if let (Some(make), Some(target)) = (self.make.take(), &self.module) {
            // Whatever its destructor does, the others are to end too.
            current::discard(NoAnswer::Stopped, make);
            worker::abandon::<T>(&target.cell);
        }
    }
}

impl<T: Module> IntoFuture for Register<T> {
    type Output = Result<ModuleRef<T>, RegisterError>;
    type IntoFuture = RegisterFuture<T>;

    fn into_future(self) -> RegisterFuture<T> {
        RegisterFuture { stage: Stage::New(self) }
    }
}

/// A registration under way: ready when `init` and `start` have run.
///
/// # Cancel safety
/// Dropping it before it is ready takes the registration back: the module is stopped, and before it what depends on it by then.
///
/// # Panics
/// When it is polled again after it was ready.
#[must_use = "futures do nothing unless polled"]
pub struct RegisterFuture<T: Module> {
    stage: Stage<T>,
}

enum Stage<T: Module> {
    New(Register<T>),
    Starting(Starting<T>),
    Done,
}

/// How far a registration comes at once.
enum Begun<T: Module> {
    /// There is nothing to wait for.
    Running(ModuleRef<T>),
    Starting(Starting<T>),
}

struct Starting<T: Module> {
    system: Arc<Shared>,
    module: Option<ModuleRef<T>>,
    started: oneshot::Receiver<Result<(), NotStarted>>,
    /// The module whose handler registers waits for the new one.
    _edge: Option<EdgeGuard>,
}

/// The parts are never pinned.
impl<T: Module> Unpin for RegisterFuture<T> {}

impl<T: Module> Future for RegisterFuture<T> {
    type Output = Result<ModuleRef<T>, RegisterError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        if matches!(self.stage, Stage::New(_))
            && let Stage::New(register) = std::mem::replace(&mut self.stage, Stage::Done)
        {
            match begin(register)? {
                Begun::Running(module) => return Poll::Ready(Ok(module)),
                Begun::Starting(starting) => self.stage = Stage::Starting(starting),
            }
        }
        let Stage::Starting(starting) = &mut self.stage else { polled_again("RegisterFuture") };
        let started = ready!(Pin::new(&mut starting.started).poll(cx));
        let Some(module) = starting.module.take() else { polled_again("RegisterFuture") };
        self.stage = Stage::Done;
        Poll::Ready(match started {
            Ok(Ok(())) => Ok(module),
            Ok(Err(reason)) => Err(not_started(module.name(), reason)),
            Err(_) => Err(not_started(module.name(), NotStarted::Stopped)),
        })
    }
}

/// That a name, which may be made at run time, is such as `#[module]` takes.
fn check_name(name: &str) -> Result<(), RegisterError> {
    let reason = if name.is_empty() {
        "it is empty, and a module is found by it"
    } else if name.trim() != name || name.contains(char::is_control) {
        "it has blanks at its ends or control characters in it"
    } else {
        return Ok(());
    };
    Err(RegisterError::Name { name: name.to_owned(), reason })
}

/// That a module does not run.
pub(super) fn not_started(module: String, reason: NotStarted) -> RegisterError {
    match reason {
        NotStarted::Hook(hook, error) => RegisterError::Hook { module, hook, source: error.into_inner() },
        NotStarted::Panicked(place, text) => RegisterError::Panicked { module, place, text },
        NotStarted::Stopped => RegisterError::ShuttingDown { module },
    }
}

impl<T: Module> Drop for Starting<T> {
    fn drop(&mut self) {
        if let Some(module) = &self.module {
            drop(self.system.take_back(&[Arc::clone(&module.cell) as Arc<dyn AnyCell>]));
        }
    }
}

fn begin<T: Module>(register: Register<T>) -> Result<Begun<T>, RegisterError> {
    let (mut entry, system) = register.into_entry();
    entry.introduce()?;
    let Some(shared) = system else { return Err(RegisterError::ShuttingDown { module: entry.name() }) };
    let Some(runtime) = shared.environment.runtime() else {
        return Err(RegisterError::NoRuntime { module: entry.name() });
    };
    let begins_running = entry.begins_running();
    shared.insert_one(&mut entry)?;
    let Some(target) = entry.module.clone() else { unreachable!("what was inserted has its place") };
    let core = &target.cell.core;
    if !entry.has_a_start() && !core.is_ending() {
        if !begins_running {
            core.set_state(ModuleState::Running);
        }
        entry.launch(runtime, None)?;
        if core.state().is_ended() {
            // The runtime is going down, and took the task no more.
            return Err(RegisterError::ShuttingDown { module: core.name() });
        }
        return Ok(Begun::Running(target));
    }
    let edge = current::waiting()
        .and_then(|parent| EdgeGuard::new(parent, Arc::clone(&target.cell) as Arc<dyn AnyCell>, On::Running).ok());
    let (sender, started) = oneshot::channel();
    entry.launch(runtime, Some(Box::new(Start::new(sender, None))))?;
    Ok(Begun::Starting(Starting { system: shared, module: Some(target), started, _edge: edge }))
}

/// Builds the value of a module that is registered already.
fn make_one<T: Module>(make: impl FnOnce() -> T, target: &ModuleRef<T>) -> Result<T, RegisterError> {
    let panicked = |place, text| RegisterError::Panicked { module: target.name(), place, text };
    let value = contained(make).map_err(|text| panicked("new", text))?;
    match own_info(&value) {
        Ok(None) => Ok(value),
        Ok(Some(own)) => Err(RegisterError::BuiltTooLate { module: own.name.to_owned() }),
        Err(text) => Err(panicked("info", text)),
    }
}

/// What the value says of itself, where that is not what its type says; or what its panic said.
fn own_info<T: Module>(value: &T) -> Result<Option<Box<ModuleInfo>>, String> {
    contained(|| value.instance_info().map(Box::new))
}

fn contained<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(|panic| worker::panic_text(&*panic))
}

impl<T: Module> fmt::Debug for Register<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Register").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<T: Module> fmt::Debug for RegisterFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterFuture").finish_non_exhaustive()
    }
}
