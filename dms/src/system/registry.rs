//! Which modules live.

use std::any::{Any, TypeId, type_name};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::error::{FindError, RegisterError};
use super::event::Bus;
use super::shutdown::Shutdown;
use super::sources::{self, Sources};
#[cfg(feature = "wire")]
use crate::module::RequestError;
use crate::module::cell::{AnyCell, Cell, Core, Origin};
use crate::module::environment::{Environment, Host};
use crate::module::lifecycle::IdMap;
use crate::module::mailbox::Mailbox;
use crate::module::subscription::{Subscriber, Topic};
use crate::module::{Module, ModuleId, ModuleInfo, ModuleRef, ModuleState};

/// What a system, its references and its modules share.
pub(crate) struct Shared {
    pub(super) name: String,
    pub(crate) environment: Arc<Environment>,
    registry: Mutex<Registry>,
    next_id: AtomicU64,
    pub(super) shutdown: Shutdown,
    #[cfg(feature = "config")]
    pub(super) config: super::config::ConfigStore,
    pub(super) bus: Bus,
    pub(super) sources: Sources,
}

#[derive(Default)]
struct Registry {
    modules: IdMap<Arc<dyn AnyCell>>,
    names: HashMap<String, ModuleId>,
    /// The modules that provide a capability, the oldest first.
    providers: HashMap<&'static str, BTreeSet<ModuleId>>,
    children: HashMap<ModuleId, Vec<ModuleId>>,
    /// Types whose messages have been warned of.
    wide: HashSet<TypeId>,
    closed: bool,
}

/// Messages beyond this many bytes are warned of.
const WIDE: usize = 256;

/// A module as [`SystemRef::modules`](crate::SystemRef::modules) lists it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ModuleSummary {
    /// The id; ids rise in the order of registration.
    pub id: ModuleId,
    /// The name: the one given, else the type's with the id.
    pub name: String,
    /// What the module says of itself.
    pub info: ModuleInfo,
    /// Where it is in its life.
    pub state: ModuleState,
    /// How many messages wait.
    pub depth: usize,
    /// The module whose child it is.
    pub parent: Option<ModuleId>,
}

/// What a registration may set.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) name: Option<String>,
    pub(super) mailbox: Option<usize>,
    pub(super) overflow: Option<crate::Overflow>,
    pub(super) parent: Option<ModuleId>,
}

impl Shared {
    pub(super) fn new(name: String, environment: Environment, sources: sources::Settings) -> Arc<Self> {
        let shared = Arc::new_cyclic(|system| Self {
            name,
            environment: Arc::new(environment),
            registry: Mutex::default(),
            next_id: AtomicU64::new(1),
            shutdown: Shutdown::default(),
            #[cfg(feature = "config")]
            config: super::config::ConfigStore::default(),
            bus: Bus::default(),
            sources: Sources::new(sources, system.clone()),
        });
        let host = Arc::downgrade(&shared) as std::sync::Weak<dyn Host>;
        shared.environment.set_host(host);
        shared
    }

    /// Makes the place of a module, shown in `state`, and takes its name. `own` is what it says of itself where that is not what its type says.
    pub(super) fn insert<T: Module>(
        &self,
        settings: &Settings,
        own: Option<Box<ModuleInfo>>,
        state: ModuleState,
    ) -> Result<ModuleRef<T>, RegisterError> {
        let of_type: &'static ModuleInfo = const { &T::INFO };
        let info = own.as_deref().unwrap_or(of_type);
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let id = ModuleId(NonZeroU64::new(id).unwrap_or(NonZeroU64::MAX));
        let capacity = settings.mailbox.or(info.mailbox);
        let mailbox = Mailbox::new(capacity, settings.overflow.unwrap_or(info.overflow));
        let origin = Origin { name: settings.name.as_deref().map(Arc::from), parent: settings.parent, info: own };
        let environment = Arc::clone(&self.environment);
        let core = Core::new(id, of_type, origin, state, capacity.is_some(), environment);
        let cell: Arc<Cell<T>> = Arc::new(Cell { core, mailbox });
        let module = ModuleRef { cell };
        let cell = &module.cell;
        let name = cell.core.unique_name();

        let mut registry = self.registry.lock();
        let parent_ends = settings
            .parent
            .is_some_and(|parent| registry.modules.get(&parent).is_none_or(|parent| parent.core().expect_child()));
        if registry.closed || parent_ends {
            return Err(RegisterError::ShuttingDown { module: cell.core.name() });
        }
        if let Some(name) = name {
            if registry.names.contains_key(name) {
                return Err(RegisterError::NameTaken { name: name.to_owned() });
            }
            registry.names.insert(name.to_owned(), id);
        }
        if let Some(parent) = settings.parent {
            registry.children.entry(parent).or_default().push(id);
        }
        for capability in cell.core.info().provides {
            registry.providers.entry(capability).or_default().insert(id);
        }
        registry.modules.insert(id, Arc::clone(cell) as Arc<dyn AnyCell>);
        // Under the lock: a shutdown finds the module with its subscriptions, or not at all.
        for event in T::EVENTS {
            let (topic, subscriber) = event.subscriber(&module);
            self.bus.subscribe(topic, subscriber);
        }
        let wide = size_of::<T::Message>() > WIDE && registry.wide.insert(TypeId::of::<T>());
        drop(registry);
        if !T::EVENTS.is_empty() {
            self.tend_sources();
        }
        if wide {
            tracing::warn!(
                module = of_type.type_name,
                bytes = size_of::<T::Message>(),
                "every place in the mailbox is as large as the largest message: put `#[handler(boxed)]` on the handlers of large ones"
            );
        }
        Ok(module)
    }

    /// The module of this name and type.
    pub(super) fn get<T: Module>(&self, name: &str) -> Result<ModuleRef<T>, FindError> {
        let found = self.named(name)?;
        as_type(&found).ok_or_else(|| {
            let (expected, found) = type_names::<T>(&[&*found]);
            FindError::WrongType { name: name.to_owned(), expected, found: found.first().copied().unwrap_or_default() }
        })
    }

    /// The oldest module of this type that provides the capability.
    pub(super) fn provider<T: Module>(&self, capability: &str) -> Result<ModuleRef<T>, FindError> {
        let registry = self.registry.lock();
        if let Some(provider) = registry.providing(capability).find_map(as_type) {
            return Ok(provider);
        }
        let others: Vec<_> = registry.providing(capability).map(|cell| &**cell).collect();
        let capability = capability.to_owned();
        Err(if others.is_empty() {
            let mut capabilities: Vec<_> = registry.providers.keys().map(ToString::to_string).collect();
            capabilities.sort_unstable();
            FindError::NotProvided { capability, capabilities }
        } else {
            let (expected, found) = type_names::<T>(&others);
            FindError::ProvidedByOthers { capability, expected, found }
        })
    }

    /// The module of this name, of whatever type.
    pub(super) fn named(&self, name: &str) -> Result<Arc<dyn AnyCell>, FindError> {
        let registry = self.registry.lock();
        registry.names.get(name).and_then(|id| registry.modules.get(id)).cloned().ok_or_else(|| {
            let mut names: Vec<_> = registry.names.keys().cloned().collect();
            names.sort();
            FindError::NotFound { name: name.to_owned(), names }
        })
    }

    /// The module of this name, else the oldest that provides it.
    #[cfg(feature = "wire")]
    pub(super) fn addressed(&self, name: &str) -> Result<Arc<dyn AnyCell>, RequestError> {
        let registry = self.registry.lock();
        let found = registry.names.get(name).and_then(|id| registry.modules.get(id));
        found.or_else(|| registry.providing(name).next()).cloned().ok_or_else(|| {
            let capabilities = registry.providers.keys().copied();
            let names: BTreeSet<_> = registry.names.keys().map(String::as_str).chain(capabilities).collect();
            let names = names.into_iter().map(str::to_owned).collect();
            RequestError::UnknownModule { name: name.to_owned(), names }
        })
    }

    /// As [`modules`](Self::modules), themselves.
    pub(super) fn cells(&self, wanted: impl Fn(&ModuleInfo) -> bool) -> Vec<Arc<dyn AnyCell>> {
        let registry = self.registry.lock();
        let mut cells: Vec<_> = registry.modules.values().filter(|cell| wanted(cell.core().info())).cloned().collect();
        drop(registry);
        cells.sort_unstable_by_key(|cell| cell.core().id);
        cells
    }

    /// The modules of which `wanted` holds, in the order of registration.
    pub(super) fn modules(&self, wanted: impl Fn(&ModuleInfo) -> bool) -> Vec<ModuleSummary> {
        self.cells(wanted).iter().map(|cell| ModuleSummary::of(&**cell)).collect()
    }

    /// The modules that provide the capability, in the order of registration.
    pub(super) fn providers(&self, capability: &str) -> Vec<ModuleSummary> {
        let providers: Vec<_> = self.registry.lock().providing(capability).cloned().collect();
        providers.iter().map(|cell| ModuleSummary::of(&**cell)).collect()
    }

    /// Refuses registrations from now on. Gives the modules that live, the youngest first.
    pub(super) fn close(&self) -> Vec<Arc<dyn AnyCell>> {
        let mut registry = self.registry.lock();
        registry.closed = true;
        let mut modules: Vec<_> = registry.modules.values().cloned().collect();
        modules.sort_unstable_by_key(|cell| std::cmp::Reverse(cell.core().id));
        modules
    }
}

impl Registry {
    /// The modules that provide the capability, in the order of registration.
    fn providing(&self, capability: &str) -> impl Iterator<Item = &Arc<dyn AnyCell>> {
        self.providers.get(capability).into_iter().flatten().filter_map(|id| self.modules.get(id))
    }
}

impl ModuleSummary {
    fn of(cell: &dyn AnyCell) -> Self {
        let core = cell.core();
        Self {
            id: core.id,
            name: core.name(),
            info: *core.info(),
            state: core.state(),
            depth: cell.depth(),
            parent: core.parent(),
        }
    }
}

/// The module as one of this type, if it is.
fn as_type<T: Module>(cell: &Arc<dyn AnyCell>) -> Option<ModuleRef<T>> {
    let cell: Arc<dyn Any + Send + Sync> = Arc::clone(cell) as _;
    cell.downcast::<Cell<T>>().ok().map(|cell| ModuleRef { cell })
}

/// The names of the wanted type and of those found, each once, so that they can be told apart: in full where one of them has the name of the other.
fn type_names<T: Module>(found: &[&dyn AnyCell]) -> (&'static str, Vec<&'static str>) {
    let wanted = const { T::INFO }.type_name;
    let ambiguous = found.iter().any(|cell| cell.core().info().type_name == wanted);
    let mut names = Vec::new();
    for cell in found {
        let name = if ambiguous { cell.type_name() } else { cell.core().info().type_name };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    (if ambiguous { type_name::<T>() } else { wanted }, names)
}

impl Host for Shared {
    fn remove(&self, id: ModuleId) {
        let mut registry = self.registry.lock();
        let removed = registry.modules.remove(&id);
        if let Some(cell) = &removed {
            let core = cell.core();
            if let Some(name) = core.unique_name()
                && registry.names.get(name) == Some(&id)
            {
                registry.names.remove(name);
            }
            for capability in core.info().provides {
                if let Some(providers) = registry.providers.get_mut(capability) {
                    providers.remove(&id);
                    if providers.is_empty() {
                        registry.providers.remove(capability);
                    }
                }
            }
            if let Some(parent) = core.parent()
                && let Some(siblings) = registry.children.get_mut(&parent)
            {
                siblings.retain(|sibling| *sibling != id);
                if siblings.is_empty() {
                    registry.children.remove(&parent);
                }
            }
        }
        drop(registry);
        drop(removed);
        self.unsubscribe(id);
    }

    fn subscribe(&self, topic: Topic, subscriber: Arc<dyn Subscriber>) {
        self.bus.subscribe(topic, subscriber);
        self.tend_sources();
    }

    fn subscriber(&self, id: ModuleId, topic: Topic) -> Option<Arc<dyn Subscriber>> {
        self.bus.subscriber(id, topic)
    }

    fn descends(&self, id: ModuleId, ancestor: ModuleId) -> bool {
        let registry = self.registry.lock();
        let parent = |id: &ModuleId| registry.modules.get(id).and_then(|module| module.core().parent());
        std::iter::successors(parent(&id), parent).any(|parent| parent == ancestor)
    }

    fn has_children(&self, id: ModuleId) -> bool {
        self.registry.lock().children.contains_key(&id)
    }

    fn stop_children(self: Arc<Self>, id: ModuleId) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let registry = self.registry.lock();
        let children: Vec<_> = registry
            .children
            .get(&id)
            .into_iter()
            .flatten()
            .rev()
            .filter_map(|child| registry.modules.get(child).cloned())
            .collect();
        drop(registry);
        Box::pin(async move {
            for child in &children {
                child.quiesce(0);
            }
            for child in children {
                child.begin_drain();
                child.core().wait_until(ModuleState::is_ended).await;
            }
        })
    }
}
