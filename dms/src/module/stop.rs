//! Ending modules when somebody asks for it: whether that may be, in which order, and the wait for it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use super::cell::{AnyCell, Core, control};
use super::current;
use super::deadlock::{EdgeGuard, On};
use super::environment::Host;
use super::flags::ModuleFlags;
use super::lifecycle::{ModuleReport, ModuleState};
use super::watch;

/// A module was not told to stop: it goes on as before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// Other modules that run depend on it, or on one of its children.
    #[error("module `{module}` was not stopped: {} on it; stop them first, or all of them with `.with_dependents()`", depend(.dependents))]
    Dependents {
        /// The module's name.
        module: String,
        /// The names of those that depend on it themselves, in the order of registration.
        dependents: Vec<String>,
    },
    /// It is essential, or it would take one with it that is: a child, or a module that depends on it.
    #[error("module `{module}` was not stopped: {}; shut the system down instead", why(.module, .essential))]
    Essential {
        /// The module's name.
        module: String,
        /// The name of the essential module.
        essential: String,
    },
    /// No module that runs has the name.
    #[error("no module is named `{name}`; there {}", existing(.names))]
    NotFound {
        /// The name.
        name: String,
        /// The names that exist.
        names: Vec<String>,
    },
}

fn depend(dependents: &[String]) -> String {
    let names: Vec<_> = dependents.iter().map(|name| format!("`{name}`")).collect();
    format!("{} depend{}", names.join(", "), if names.len() == 1 { "s" } else { "" })
}

fn why(module: &str, essential: &str) -> String {
    if module == essential {
        "it is essential".to_owned()
    } else {
        format!("`{essential}`, which would stop with it, is essential")
    }
}

/// What exists instead of the name that was not found.
pub(crate) fn existing(names: &[String]) -> String {
    match names {
        [] => "are no named modules".to_owned(),
        names => format!("are: {}", names.join(", ")),
    }
}

/// How modules are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// What waits in the mailbox is dropped, and counted.
    Stop,
    /// What waits in the mailbox is handled first.
    Drain,
}

impl How {
    /// Tells the module.
    fn begin(self, module: &dyn AnyCell) {
        match self {
            Self::Stop => module.quiesce(control::STOP),
            Self::Drain => module.begin_drain(),
        }
    }
}

/// The stop of a module, or its drain: await it.
///
/// It is refused, and nothing happens, while other modules that run [depend](crate::ModuleInfo::dependencies) on the module, and where the module is
/// [essential](crate::ModuleFlags::ESSENTIAL). Modules that depend on each other are stopped together:
///
/// ```
/// # use dms::prelude::*;
/// # use dms::StopError;
/// #[module(name = "store")]
/// struct Store;
/// #[module]
/// impl Store {}
///
/// #[module(name = "shop", depends("store"))]
/// struct Shop;
/// #[module]
/// impl Shop {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// let store = system.register_module(Store).await?;
/// let shop = system.register_module(Shop).await?;
/// assert!(matches!(store.stop().await, Err(StopError::Dependents { .. })));
/// store.stop().with_dependents().await?;
/// assert!(shop.state().is_ended());
/// # system.shutdown().await;
/// # Ok(()) }
/// ```
///
/// # Cancel safety
/// Once polled the stop goes on, whether or not this is awaited to its end. Polled again after it was ready, it says the same.
#[must_use = "nothing is stopped until this is awaited"]
pub struct Stop(Target);

enum Target {
    Found(Ending<[Arc<dyn AnyCell>; 1]>),
    NotFound(StopError),
}

impl Stop {
    pub(crate) fn new(module: Arc<dyn AnyCell>, how: How) -> Self {
        Self(Target::Found(Ending::new([module], how)))
    }

    /// A stop that fails.
    pub(crate) fn refused(error: StopError) -> Self {
        Self(Target::NotFound(error))
    }

    /// Ends the modules that depend on this one too, and those that depend on them: each before what it depends on.
    pub fn with_dependents(mut self) -> Self {
        if let Target::Found(ending) = &mut self.0 {
            ending.with_dependents();
        }
        self
    }
}

impl Future for Stop {
    type Output = Result<ModuleReport, StopError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Target::Found(ending) => {
                ready!(ending.poll_ended(cx))?;
                let [module] = &ending.targets;
                Poll::Ready(Ok(module.core().report()))
            }
            Target::NotFound(error) => Poll::Ready(Err(error.clone())),
        }
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modules = match &self.0 {
            Target::Found(ending) => ending.targets.iter().map(|module| module.core().name()).collect(),
            Target::NotFound(_) => Vec::new(),
        };
        f.debug_struct("Stop").field("modules", &modules).finish_non_exhaustive()
    }
}

/// The end of some modules: begun when it is first polled, over when all of them have ended.
pub(crate) struct Ending<C: AsRef<[Arc<dyn AnyCell>]>> {
    targets: C,
    how: How,
    with_dependents: bool,
    /// Or why it was refused.
    begun: Option<Result<Begun, StopError>>,
    /// The first of the targets that may not have ended.
    at: usize,
    /// Whether that one is watched.
    key: Option<u32>,
}

impl<C: AsRef<[Arc<dyn AnyCell>]>> Ending<C> {
    pub(crate) fn new(targets: C, how: How) -> Self {
        Self { targets, how, with_dependents: false, begun: None, at: 0, key: None }
    }

    pub(crate) fn with_dependents(&mut self) {
        self.with_dependents = true;
    }

    /// The modules.
    pub(crate) fn targets(&self) -> &[Arc<dyn AnyCell>] {
        self.targets.as_ref()
    }

    /// Ready once the targets have ended, or at once where the one that asks is not to wait.
    pub(crate) fn poll_ended(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), StopError>> {
        let begun = match &self.begun {
            Some(begun) => begun,
            None => self.begun.get_or_insert(begin(self.targets.as_ref(), self.how, self.with_dependents)),
        };
        let begun = match begun {
            Ok(begun) => begun,
            Err(error) => return Poll::Ready(Err(error.clone())),
        };
        if begun.waits {
            while let Some(module) = self.targets.as_ref().get(self.at) {
                ready!(watch::poll_reached(module.core(), &mut self.key, ModuleState::is_ended, cx));
                self.at += 1;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<C: AsRef<[Arc<dyn AnyCell>]>> Drop for Ending<C> {
    fn drop(&mut self) {
        if let Some(key) = self.key
            && let Some(module) = self.targets.as_ref().get(self.at)
        {
            module.core().forget_watcher(key);
        }
    }
}

/// An end that has begun.
pub(crate) struct Begun {
    /// Whether it can be waited for.
    waits: bool,
    /// The module that asks waits for these.
    _edges: Vec<EdgeGuard>,
}

/// Modules that are to end one after the other, and the system that sees to it.
type InOrder = (Arc<dyn Host>, Vec<Arc<dyn AnyCell>>);

/// Begins the end of modules of one system, if that may be.
pub(crate) fn begin(targets: &[Arc<dyn AnyCell>], how: How, with_dependents: bool) -> Result<Begun, StopError> {
    // Of several none is to be marked where another one may not.
    let in_order = match targets {
        [module] if may_end(module) => None,
        _ => leave(targets, with_dependents)?,
    };
    let (waits, edges) = wait_for(in_order.as_ref().map_or(targets, |(_, all)| all));
    match in_order {
        Some((host, all)) => host.end_in_order(all, how),
        None => {
            for module in targets.iter().filter(|module| !module.core().state().is_ended()) {
                how.begin(&**module);
            }
        }
    }
    Ok(Begun { waits, _edges: edges })
}

/// Has the system let the modules end. Gives it, and all that is to end in order, where that are not just these.
#[cold]
fn leave(targets: &[Arc<dyn AnyCell>], with_dependents: bool) -> Result<Option<InOrder>, StopError> {
    let Some(host) = targets.first().and_then(|module| module.core().environment.host()) else { return Ok(None) };
    let all = host.leave(targets, with_dependents)?;
    Ok((!all.is_empty()).then_some((host, all)))
}

/// Whether a module may end for all that can be told without the system. Who has been told already is not asked again: it is on its way out, with all that
/// goes with it.
fn may_end(module: &Arc<dyn AnyCell>) -> bool {
    let core = module.core();
    let is_essential = core.info().flags.contains(ModuleFlags::ESSENTIAL);
    (!is_essential && core.leave_alone()) || core.is_ending() || core.state().is_ended()
}

/// Whether the running code may wait for the end of these, and the edges by which that is known: a stop hook that asks the module that waits for its end
/// gets `WouldDeadlock` by them, so they are noted before the end begins.
///
/// It may not where one of them waits for the module that asks: is the same, an ancestor, or held up by it.
#[inline]
pub(crate) fn wait_for(modules: &[Arc<dyn AnyCell>]) -> (bool, Vec<EdgeGuard>) {
    if current::with(|current| current.is_none()) { (true, Vec::new()) } else { wait_in_module(modules) }
}

/// As [`wait_for`], where the running code is a module's.
fn wait_in_module(modules: &[Arc<dyn AnyCell>]) -> (bool, Vec<EdgeGuard>) {
    let ends_after = |asker: &Core| {
        modules.iter().any(|module| {
            let core = module.core();
            let host = core.environment.host().filter(|_| Arc::ptr_eq(&asker.environment, &core.environment));
            std::ptr::eq(asker, core) || host.is_some_and(|host| host.descends(asker.id, core.id))
        })
    };
    if current::with(|current| current.is_some_and(|current| ends_after(current.core()))) {
        return (false, Vec::new());
    }
    let Some(asker) = current::waiting() else { return (true, Vec::new()) };
    let edge = |module: &Arc<dyn AnyCell>| EdgeGuard::new(Arc::clone(&asker), Arc::clone(module), On::Ended);
    modules.iter().map(edge).collect::<Result<_, _>>().map_or_else(|_| (false, Vec::new()), |edges| (true, edges))
}

/// Waits for the end of a module, unless that waits for the one that asks.
pub(crate) async fn ended(module: &Arc<dyn AnyCell>) -> ModuleReport {
    let core = module.core();
    let (waits, _edges) = wait_for(std::slice::from_ref(module));
    if waits {
        core.wait_until(ModuleState::is_ended).await;
    }
    core.report()
}

/// Ends modules one after the other, in this order. Where they are stopped, none of them handles anything from here on but what stop hooks ask.
pub(crate) async fn end_in_order(modules: Vec<Arc<dyn AnyCell>>, how: How) {
    if how == How::Stop {
        for module in &modules {
            module.quiesce(0);
        }
    }
    for module in modules {
        module.begin_drain();
        module.core().wait_until(ModuleState::is_ended).await;
    }
}
