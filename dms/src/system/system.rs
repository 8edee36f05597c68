//! The owner of modules.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::ops::Deref;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use super::builder::SystemBuilder;
use super::error::{FindError, RegisterError};
use super::event::Audience;
use super::pool::RegisterPool;
use super::published::Published;
use super::register::{Entry, Make, Register};
use super::registry::{ModuleSummary, Settings, Shared};
use super::shutdown::{self, ShutdownReport};
use crate::module::cell::Cell;
use crate::module::environment::Host;
use crate::module::message_set::{MessageSet, Owner};
use crate::module::stop::{How, Stop, StopError};
use crate::module::{Module, ModuleFlags, ModuleId, ModuleRef, ModuleState, Reload, ReloadEntry, ReloadError};

/// Owns modules: they live until they are stopped, or the system is shut down or dropped. They run on the Tokio runtime on which the first of them is
/// registered.
///
/// There is nothing global: two systems in one process know nothing of each other. All that can be done with a system can be done with a [`SystemRef`], to
/// which it dereferences.
///
/// Dropping it stops its modules without waiting for them, on the runtime they live on; [`shutdown`](SystemRef::shutdown) waits and reports.
pub struct System {
    reference: SystemRef,
    shared: Arc<Shared>,
}

impl System {
    /// Creates a system of the name `system`. It owns no task until a module is registered.
    #[must_use]
    pub fn new() -> Self {
        Self::builder("system").build()
    }

    /// Sets up a system. The name stands in logs.
    pub fn builder(name: impl Into<String>) -> SystemBuilder {
        SystemBuilder::new(name)
    }

    pub(super) fn of(shared: Arc<Shared>) -> Self {
        Self { reference: SystemRef::new(&shared), shared }
    }

    /// A reference that keeps nothing alive.
    #[must_use]
    pub fn reference(&self) -> SystemRef {
        self.reference.clone()
    }

    /// Waits for Ctrl-C (SIGINT) or for a shutdown that somebody else begins, then shuts down. A second Ctrl-C cuts off what has not ended.
    ///
    /// What is queued then is undelivered. A pipeline that wants to handle it waits for `tokio::signal::ctrl_c()` itself and drains its modules from the first to the last.
    ///
    /// # Errors
    /// The operating system's, where the signal cannot be listened to; then nothing is shut down.
    ///
    /// # Panics
    /// Where Tokio's runtime was built without its I/O driver (`enable_all` has it, and so has `#[tokio::main]`).
    ///
    /// # Cancel safety
    /// Before the signal nothing has happened; after it the shutdown goes on.
    pub async fn run_until_ctrl_c(&self) -> io::Result<ShutdownReport> {
        {
            let mut signal = pin!(tokio::signal::ctrl_c());
            let mut begun = pin!(shutdown::begun(&self.shared));
            poll_fn(|cx| match begun.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Ok(())),
                Poll::Pending => signal.as_mut().poll(cx),
            })
            .await?;
        }
        let mut signal = pin!(tokio::signal::ctrl_c());
        let mut report = pin!(self.shutdown());
        let mut cut_off = false;
        let report = poll_fn(|cx| {
            if !cut_off && signal.as_mut().poll(cx).is_ready() {
                cut_off = true;
                shutdown::begin(&self.shared, Some(Duration::ZERO));
            }
            report.as_mut().poll(cx)
        });
        Ok(report.await)
    }
}

impl Default for System {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for System {
    type Target = SystemRef;

    fn deref(&self) -> &SystemRef {
        &self.reference
    }
}

impl Drop for System {
    fn drop(&mut self) {
        shutdown::begin(&self.shared, None);
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reference.fmt(f)
    }
}

/// A reference to a [`System`] that keeps neither it nor its modules alive.
///
/// Once the system is gone, registering fails, nothing is found and a shutdown is complete at once.
#[derive(Clone)]
pub struct SystemRef {
    shared: Weak<Shared>,
}

impl SystemRef {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::downgrade(shared) }
    }

    /// A reference to a system that is gone.
    pub(super) fn gone() -> Self {
        Self { shared: Weak::new() }
    }

    /// Registers a child of the module `parent`.
    pub(super) fn register_child<T: Module>(&self, module: T, parent: ModuleId) -> Register<T> {
        Register::new(self, Make::Value(module), Some(parent))
    }

    /// Puts a stand-in in a module's place, with the life that `life` makes: it has the capabilities of the module and, unless `name` is another one, its name; it needs nothing, and
    /// takes no events.
    pub(crate) fn stand_in<T: Module, L: Future<Output = ()> + Send + 'static>(
        &self,
        name: Option<String>,
        life: impl FnOnce(Arc<Cell<Owner<T>>>) -> L,
    ) -> Result<ModuleRef<T>, RegisterError> {
        let name_in_errors = || const { T::INFO }.name.to_owned();
        let Some(shared) = self.shared() else { return Err(RegisterError::ShuttingDown { module: name_in_errors() }) };
        let Some(runtime) = shared.environment.runtime() else {
            return Err(RegisterError::NoRuntime { module: name_in_errors() });
        };
        let mut entry = Entry::stand_in(Settings { name, ..Settings::default() });
        shared.insert_one(&mut entry)?;
        let Some(place) = entry.module() else { unreachable!("what was inserted has its place") };
        // Whoever depends on it may be registered at once.
        place.cell.core.set_state(ModuleState::Running);
        #[expect(clippy::disallowed_methods, reason = "the end of the module, and the shutdown, join it")]
        let worker = runtime.spawn(life(Arc::clone(&place.cell)));
        place.cell.core.end.lock().worker = Some(worker);
        Ok(place)
    }

    pub(crate) fn shared(&self) -> Option<Arc<Shared>> {
        self.shared.upgrade()
    }

    /// The system's name; empty once it is gone.
    #[must_use]
    pub fn name(&self) -> String {
        self.shared().map(|shared| shared.name.clone()).unwrap_or_default()
    }

    /// Registers a module. Awaited, it gives the reference once the module's `init` and `start` have run.
    ///
    /// A value given like this cannot be built again; use [`register_with`](Self::register_with) for what must be.
    pub fn register_module<T: Module>(&self, module: T) -> Register<T> {
        Register::new(self, Make::Value(module), None)
    }

    /// Registers the module that `make` builds, which gets the reference that the module will have.
    ///
    /// ```
    /// # use dms::prelude::*;
    /// #[module]
    /// struct Echo { itself: ModuleRef<Echo> }
    /// #[module]
    /// impl Echo {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new();
    /// let echo = system.register_with(|itself| Echo { itself }).await?;
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub fn register_with<T: Module>(&self, make: impl Fn(ModuleRef<T>) -> T + Send + 'static) -> Register<T> {
        Register::new(self, Make::With(Box::new(make)), None)
    }

    /// Registers `count` modules behind one handle; `make` gets each one's number, from 0.
    pub fn register_pool<T: Module>(
        &self,
        count: usize,
        make: impl FnMut(usize) -> T + Send + 'static,
    ) -> RegisterPool<T> {
        RegisterPool::new(self.clone(), count, Box::new(make), None)
    }

    /// Publishes an event of any type to the modules that have an `#[event]` handler for it.
    ///
    /// When this returns, the event is at the end of each subscriber's queue: in the order of registration, and behind all that this publisher published before. It
    /// never waits. A subscriber that is behind by more than its bound misses the event and learns of it by [`Lagged`](crate::event::Lagged); one that is stopping
    /// fails. Let the [`Published`] go, or await it to learn what the subscribers made of the event.
    ///
    /// A [system event](crate::Event) may be published in either form.
    pub fn publish<E: Send + Sync + 'static>(&self, event: E) -> Published {
        self.shared().map_or_else(Published::nobody, |shared| shared.publish(event, Audience::Everybody))
    }

    /// The module of this name and type, wherever it is.
    ///
    /// # Errors
    /// There is none of the name, or it is of another type.
    ///
    /// # Cancel safety
    /// Cancel safe.
    #[allow(clippy::unused_async, reason = "a system may reach other machines; a caller is not to change when it does")]
    pub async fn find<T: Module>(&self, name: &str) -> Result<ModuleRef<T>, FindError> {
        self.get(name)
    }

    /// The module of this name and type in this process, at once.
    ///
    /// # Errors
    /// There is none of the name, or it is of another type.
    pub fn get<T: Module>(&self, name: &str) -> Result<ModuleRef<T>, FindError> {
        let gone = || FindError::NotFound { name: name.to_owned(), names: Vec::new() };
        self.shared().ok_or_else(gone)?.get(name)
    }

    /// The oldest module of this type that provides the capability and has not ended; one that is stopping only where there is no other.
    ///
    /// Of the pools and children that provide it each member counts. To choose among several, see [`providers`](Self::providers).
    ///
    /// ```
    /// # use dms::prelude::*;
    /// #[module(provides("greeting"))]
    /// struct Greeter;
    ///
    /// #[module]
    /// impl Greeter {
    ///     #[handler(Greet)]
    ///     fn greet(&self) -> &'static str {
    ///         "hello"
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new();
    /// system.register_module(Greeter).await?;
    /// let greeter = system.find_provider::<Greeter>("greeting")?;
    /// assert_eq!(greeter.greet().await?, "hello");
    /// let error = system.find_provider::<Greeter>("farewell").unwrap_err();
    /// assert_eq!(error.to_string(), "no module provides `farewell`; these are provided: greeting");
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Nobody provides it, or only modules of other types do.
    pub fn find_provider<T: Module>(&self, capability: &str) -> Result<ModuleRef<T>, FindError> {
        let gone = || FindError::NotProvided { capability: capability.to_owned(), capabilities: Vec::new() };
        self.shared().ok_or_else(gone)?.provider(capability)
    }

    /// Stops the module of this name, as [`ModuleRef::stop`] does.
    ///
    /// # Errors
    /// There is none of the name, or the stop was refused.
    ///
    /// # Cancel safety
    /// Once polled the stop goes on.
    pub fn stop(&self, name: &str) -> Stop {
        self.end(name, How::Stop)
    }

    /// Drains the module of this name, as [`ModuleRef::drain`] does.
    ///
    /// # Errors
    /// There is none of the name, or the drain was refused.
    ///
    /// # Cancel safety
    /// Once polled the drain goes on.
    pub fn drain(&self, name: &str) -> Stop {
        self.end(name, How::Drain)
    }

    fn end(&self, name: &str, how: How) -> Stop {
        match self.shared().map_or_else(|| Err(Vec::new()), |shared| shared.named(name)) {
            Ok(module) => Stop::new(module, how),
            Err(names) => Stop::refused(StopError::NotFound { name: name.to_owned(), names }),
        }
    }

    /// Puts what `make` builds in the place of the module of this name, while it runs, as [`ModuleRef::reload_with`] does. `New` handles the messages of `Old`: it is the same type, or
    /// one with `#[module(replaces = Old)]`.
    ///
    /// ```
    /// # use dms::prelude::*;
    /// #[module(name = "counter", version = "1.0.0", flags(HOT_RELOADABLE))]
    /// #[derive(Default)]
    /// struct Counter { count: u64 }
    ///
    /// #[module]
    /// impl Counter {
    ///     #[handler(Add)]
    ///     fn add(&mut self, by: u64) -> u64 {
    ///         self.count += by;
    ///         self.count
    ///     }
    /// }
    ///
    /// #[module(version = "2.0.0")]
    /// #[derive(Default)]
    /// struct Doubling { count: u64 }
    ///
    /// #[module(replaces = Counter)]
    /// impl Doubling {
    ///     #[handler(Add)]
    ///     fn add(&mut self, by: u64) -> u64 {
    ///         self.count += 2 * by;
    ///         self.count
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new();
    /// let counter = system.register_module(Counter::default()).await?;
    /// assert_eq!(counter.add(1).await?, 1);
    /// let report = system.reload::<Counter, Doubling>("counter", |_| Doubling::default()).await?;
    /// assert_eq!(report.new.to_string(), "2.0.0");
    /// assert_eq!(counter.add(1).await?, 2, "the reference is the same");
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// There is none of the name, or it handles other messages; else as [`ModuleRef::reload`].
    ///
    /// # Cancel safety
    /// Once polled the reload goes on, whether or not this is awaited to its end.
    pub fn reload<Old: Module, New: Module<Message = Old::Message>>(
        &self,
        name: &str,
        make: impl Fn(ModuleRef<New>) -> New + Send + 'static,
    ) -> Reload<New>
    where
        Old::Message: MessageSet<New>,
    {
        let found = self.get::<New>(name).map_err(|error| match error {
            FindError::WrongType { name, expected, found } => ReloadError::WrongType { module: name, expected, found },
            FindError::NotFound { names, .. } => ReloadError::NotFound { name: name.to_owned(), names },
            _ => ReloadError::NotFound { name: name.to_owned(), names: Vec::new() },
        });
        Reload::found(found, make)
    }

    /// The last 64 reloads of modules of this system that have ended, the oldest first, those that failed among them.
    #[must_use]
    pub fn reload_history(&self) -> Vec<ReloadEntry> {
        self.shared().map(|shared| Host::reloads(&*shared, None)).unwrap_or_default()
    }

    /// The modules that live, in the order of registration.
    #[must_use]
    pub fn modules(&self) -> Vec<ModuleSummary> {
        self.shared().map(|shared| shared.modules(|_| true)).unwrap_or_default()
    }

    /// The modules that live and provide this capability, in the order of registration.
    #[must_use]
    pub fn providers(&self, capability: &str) -> Vec<ModuleSummary> {
        self.shared().map(|shared| shared.providers(capability)).unwrap_or_default()
    }

    /// The modules that live and have all of these flags, in the order of registration.
    ///
    /// ```
    /// # use dms::prelude::*;
    /// use dms::ModuleFlags;
    ///
    /// #[module(name = "disk", flags(DRIVER, user(0)))]
    /// struct Disk;
    /// #[module]
    /// impl Disk {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new();
    /// system.register_module(Disk).await?;
    /// let drivers = system.with_flags(ModuleFlags::DRIVER);
    /// assert_eq!(drivers[0].name, "disk");
    /// assert!(system.with_flags(ModuleFlags::DRIVER | ModuleFlags::SECURITY).is_empty());
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_flags(&self, flags: ModuleFlags) -> Vec<ModuleSummary> {
        self.shared().map(|shared| shared.modules(|info| info.flags.contains(flags))).unwrap_or_default()
    }

    /// How many accepted messages were never handled, of all modules that have ended.
    #[must_use]
    pub fn undelivered(&self) -> u64 {
        self.shared().map_or(0, |shared| shared.environment.undelivered.load(Ordering::Relaxed))
    }

    /// Shuts the system down: handlers that run finish and no other begins, `stop` hooks run, the youngest module's first, every module is
    /// dropped and every task joined. Then it returns, with what it did.
    ///
    /// A stop hook's messages to modules that have not stopped are still answered. It may be called again, and by many at once: all get the one report. Called by
    /// a module of this system it begins the shutdown and returns at once, with an incomplete report.
    ///
    /// # Cancel safety
    /// Once polled the shutdown goes on, whether or not this is awaited to its end.
    pub async fn shutdown(&self) -> ShutdownReport {
        self.shut_down(None).await
    }

    /// As [`shutdown`](Self::shutdown), but cuts off what has not ended after `deadline`, at its next await. A module that comes to its turn later still has 10 ms. The report names what was cut off. A handler that blocks its
    /// thread cannot be cut off; a second after the deadline the report comes without it.
    ///
    /// # Cancel safety
    /// As [`shutdown`](Self::shutdown).
    pub async fn shutdown_within(&self, deadline: Duration) -> ShutdownReport {
        self.shut_down(Some(deadline)).await
    }

    async fn shut_down(&self, within: Option<Duration>) -> ShutdownReport {
        let Some(shared) = self.shared() else {
            return ShutdownReport { complete: true, ..ShutdownReport::default() };
        };
        shutdown::begin(&shared, within);
        shutdown::report(&shared).await
    }
}

impl fmt::Debug for SystemRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").field("name", &self.name()).finish_non_exhaustive()
    }
}
