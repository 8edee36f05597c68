//! Which modules live.

use std::any::{Any, TypeId, type_name};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::future::Future;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinHandle;

#[cfg(feature = "observe")]
use super::ended::{self, Ended};
use super::error::{FindError, RegisterError};
use super::event::{Audience, Bus};
use super::failure::{self, SystemFailure};
use super::register::{Candidate, Entry};
use super::resolve::{Plan, Subject, Target, Unfit, resolve};
use super::shutdown::Shutdown;
use super::sources::{self, Sources};
use super::watchdog::Watchdog;
#[cfg(feature = "wire")]
use crate::module::RequestError;
use crate::module::cell::{AnyCell, Cell, Core, Culprit, InHand, Origin, control};
use crate::module::environment::{Environment, Host, News};
use crate::module::lifecycle::IdMap;
use crate::module::mailbox::Mailbox;
use crate::module::message_set::Owner;
use crate::module::stop::{self, How, StopError};
use crate::module::subscription::{Subscriber, Topic};
use crate::module::together::Baton;
use crate::module::{
    Failure, Module, ModuleFlags, ModuleId, ModuleInfo, ModuleName, ModuleRef, ModuleState, ReloadEntry,
};
use crate::recovery::{HealthSchedule, Restart, Strategy};

/// What a system, its references and its modules share.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) environment: Arc<Environment>,
    registry: Mutex<Registry>,
    next_id: AtomicU64,
    pub(super) shutdown: Shutdown,
    #[cfg(feature = "config")]
    pub(super) config: super::config::ConfigStore,
    pub(super) bus: Bus,
    pub(super) sources: Sources,
    pub(super) watchdog: Watchdog,
    /// Which modules without a parent are started again when one of them is.
    strategy: Strategy,
    /// What ends modules one after the other, whoever waits for it.
    errands: Mutex<Vec<JoinHandle<()>>>,
    /// The last reloads, the oldest first.
    reloads: Mutex<VecDeque<ReloadEntry>>,
}

#[derive(Default)]
pub(super) struct Registry {
    modules: IdMap<Arc<dyn AnyCell>>,
    names: HashMap<String, ModuleId>,
    /// The modules that provide a capability, the oldest first.
    providers: HashMap<Cow<'static, str>, BTreeSet<ModuleId>>,
    children: HashMap<ModuleId, Vec<ModuleId>>,
    /// Who conducts the restarts of a module's children, where they are restarted together.
    batons: HashMap<Option<ModuleId>, Baton>,
    /// The modules that depend on a module, the oldest first.
    dependents: IdMap<BTreeSet<ModuleId>>,
    /// What few modules have.
    extras: IdMap<Box<Extra>>,
    /// Types whose messages have been warned of.
    wide: HashSet<TypeId>,
    #[cfg(feature = "observe")]
    ended: Ended,
    closed: bool,
}

/// What few modules have besides their place.
struct Extra {
    dependencies: Arc<[Dependency]>,
    /// Capabilities given at registration.
    provides: Vec<String>,
}

/// What is left of a module in the registry, to be dropped where the lock is free.
struct Removed {
    _cell: Arc<dyn AnyCell>,
    _extra: Option<Box<Extra>>,
}

/// A dependency of a module that lives.
pub(super) struct Dependency {
    /// Its name or capability, as declared.
    pub(super) name: String,
    /// Who it is; `None` for an optional one that was absent.
    pub(super) target: Option<Arc<dyn AnyCell>>,
}

/// Messages beyond this many bytes are warned of.
pub(super) const WIDE: usize = 256;

/// So many reloads are remembered.
const RELOADS: usize = 64;

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
    /// Which incarnation it is, from 1: how often it has been started.
    pub incarnation: u32,
}

/// What a registration may set.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) name: Option<String>,
    pub(super) mailbox: Option<usize>,
    pub(super) overflow: Option<crate::Overflow>,
    pub(super) parent: Option<ModuleId>,
    /// Boxed, for few set any of it.
    pub(super) wants: Option<Box<Wants>>,
}

/// What a registration says that else the module's type does.
#[derive(Debug, Clone, Default)]
pub(super) struct Wants {
    /// How it is started again.
    pub(super) restart: Option<Restart>,
    /// When its health is checked.
    pub(super) health: Option<HealthSchedule>,
    /// Dependencies as they are written, and whether they are optional.
    pub(super) dependencies: Vec<(String, bool)>,
    pub(super) provides: Vec<String>,
}

impl Extra {
    /// What a module has of it, if anything.
    fn new(dependencies: Vec<Dependency>, provides: Vec<String>) -> Option<Box<Self>> {
        let has_any = !dependencies.is_empty() || !provides.is_empty();
        has_any.then(|| Box::new(Self { dependencies: dependencies.into(), provides }))
    }
}

impl Shared {
    pub(super) fn new(
        name: String,
        environment: Environment,
        strategy: Strategy,
        sources: sources::Settings,
        watchdog: Option<Duration>,
    ) -> Arc<Self> {
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
            watchdog: Watchdog::new(watchdog, system.clone()),
            strategy,
            errands: Mutex::default(),
            reloads: Mutex::default(),
        });
        let host = Arc::downgrade(&shared) as std::sync::Weak<dyn Host>;
        shared.environment.set_host(host);
        shared
    }

    /// Makes the places of modules and takes their names: of all of them, or of none. Their dependencies are there then, or among them; gives the order in which they
    /// can start.
    pub(super) fn insert(&self, candidates: &mut [&mut dyn Candidate]) -> Result<Vec<usize>, RegisterError> {
        let mut registry = self.registry.lock();
        let Plan { order, bound, unfit } = registry.plan(candidates)?;
        for number in order.iter().copied() {
            candidates[number].make_cell(self);
            let dependencies = bound[number].iter().map(|bound| Dependency {
                name: bound.name.clone(),
                target: bound.target.as_ref().and_then(|target| match target {
                    Target::Running(cell) => Some(Arc::clone(cell)),
                    Target::InSet(number) => candidates[*number].cell(),
                }),
            });
            let candidate = &candidates[number];
            let wants = candidate.subject().settings.wants.as_deref();
            let provides = wants.map(|wants| wants.provides.clone()).unwrap_or_default();
            let extra = Extra::new(dependencies.collect(), provides);
            if let Some(cell) = candidate.cell() {
                registry.admit(cell, extra);
            }
            // Under the lock: a shutdown finds a module with its subscriptions, or not at all.
            candidate.subscribe(&self.bus);
        }
        drop(registry);
        self.tend_watchdog();
        unfit.iter().for_each(Unfit::warn);
        for candidate in candidates {
            candidate.welcome(self);
        }
        Ok(order)
    }

    /// As [`insert`](Self::insert), of one module. With nothing to look for, its cell is made before the lock is taken.
    pub(super) fn insert_one<T: Module>(&self, entry: &mut Entry<T>) -> Result<(), RegisterError> {
        if !entry.subject().is_independent() {
            // With dependencies its id must be above theirs, and so is given under the lock.
            return self.insert(&mut [entry]).map(drop);
        }
        entry.make_cell(self);
        let Some(cell) = entry.cell() else { return Ok(()) };
        let subject = entry.subject();
        let wants = subject.settings.wants.as_deref();
        let extra = wants.and_then(|wants| Extra::new(Vec::new(), wants.provides.clone()));
        let mut registry = self.registry.lock();
        registry.check(&subject)?;
        registry.admit(cell, extra);
        entry.subscribe(&self.bus);
        drop(registry);
        self.tend_watchdog();
        entry.welcome(self);
        Ok(())
    }

    /// Makes what a module's references point at, with the next id.
    ///
    /// `own` is what the module says of itself where that is not what its type says.
    pub(super) fn cell<T: Module>(
        &self,
        settings: &Settings,
        own: Option<Box<ModuleInfo>>,
        state: ModuleState,
    ) -> ModuleRef<T> {
        let of_type: &'static ModuleInfo = const { &T::INFO };
        let info = own.as_deref().unwrap_or(of_type);
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let id = ModuleId(NonZeroU64::new(id).unwrap_or(NonZeroU64::MAX));
        let capacity = settings.mailbox.or(info.mailbox);
        let overflow = settings.overflow.unwrap_or(info.overflow);
        let origin = Origin { name: settings.name.as_deref().map(Arc::from), parent: settings.parent, info: own };
        let environment = Arc::clone(&self.environment);
        // Made where it is to be, rather than put together of parts.
        let cell = Arc::new(Cell {
            core: Core::new(id, of_type, origin, state, capacity.is_some(), environment),
            mailbox: Mailbox::new(capacity, overflow),
        });
        ModuleRef { cell }
    }

    /// Warns of messages of this many bytes, once for each type of module.
    pub(super) fn warn_of_wide(&self, module: &str, type_id: TypeId, bytes: usize) {
        if self.registry.lock().wide.insert(type_id) {
            tracing::warn!(
                module,
                bytes,
                "every place in the mailbox is as large as the largest message: put `#[handler(boxed)]` on the handlers of large ones"
            );
        }
    }

    /// The dependencies of a module that lives.
    pub(super) fn dependencies(&self, id: ModuleId) -> Arc<[Dependency]> {
        self.registry.lock().extras.get(&id).map(|extra| Arc::clone(&extra.dependencies)).unwrap_or_default()
    }

    /// Ends modules whose registration did not come to its end, with all that depends on them by now. Ready when they have ended, or at once where one of them waits for
    /// the module that asks; it goes on if nobody waits for it.
    pub(super) fn take_back(&self, modules: &[Arc<dyn AnyCell>]) -> impl Future<Output = ()> + Send + use<> {
        let registry = self.registry.lock();
        let own = registry.with_children(modules);
        let all = registry.with_dependents(modules);
        for module in &all {
            module.core().leave();
        }
        drop(registry);
        let (waits, edges) = stop::wait_for(&all);
        for module in &all {
            // Of a registration that came to its end, the end is what it always is.
            module.quiesce(if own.contains(&module.core().id) { control::TAKEN_BACK } else { 0 });
        }
        self.end_in_order(all.clone(), How::Stop);
        async move {
            let _edges = edges;
            for module in all.iter().filter(|_| waits) {
                module.core().wait_until(ModuleState::is_ended).await;
            }
        }
    }

    /// Ends what still waits for modules to end, which they have.
    pub(super) async fn join_errands(&self) {
        let errands = std::mem::take(&mut *self.errands.lock());
        for errand in errands {
            errand.abort();
            // It was cut off at most while it waited for a module that blocks its thread.
            let _ = errand.await;
        }
    }

    /// The module of this name and type.
    pub(super) fn get<T: Module>(&self, name: &str) -> Result<ModuleRef<T>, FindError> {
        let found = self.named(name).map_err(|names| FindError::NotFound { name: name.to_owned(), names })?;
        as_type(&found).ok_or_else(|| {
            let (expected, found) = type_names::<T>(&[&*found]);
            FindError::WrongType { name: name.to_owned(), expected, found: found.first().copied().unwrap_or_default() }
        })
    }

    /// The oldest module of this type that provides the capability.
    pub(super) fn provider<T: Module>(&self, capability: &str) -> Result<ModuleRef<T>, FindError> {
        let registry = self.registry.lock();
        if let Some(provider) = registry.serving(capability).find_map(as_type) {
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

    /// The module of this name, of whatever type; else the names that there are.
    pub(super) fn named(&self, name: &str) -> Result<Arc<dyn AnyCell>, Vec<String>> {
        let registry = self.registry.lock();
        registry.named(name).cloned().ok_or_else(|| {
            let mut names: Vec<_> = registry.names.keys().cloned().collect();
            names.sort();
            names
        })
    }

    /// The module of this name, else the oldest that provides it.
    #[cfg(feature = "wire")]
    pub(super) fn addressed(&self, name: &str) -> Result<Arc<dyn AnyCell>, RequestError> {
        let registry = self.registry.lock();
        registry.named(name).or_else(|| registry.serving(name).next()).cloned().ok_or_else(|| {
            let names: BTreeSet<_> = registry.known().collect();
            let names = names.into_iter().map(str::to_owned).collect();
            RequestError::UnknownModule { name: name.to_owned(), names }
        })
    }

    /// Whether any module lives.
    pub(super) fn has_modules(&self) -> bool {
        !self.registry.lock().modules.is_empty()
    }

    /// The modules that have something in hand, and what.
    pub(super) fn in_hand(&self) -> Vec<(Arc<dyn AnyCell>, InHand)> {
        let registry = self.registry.lock();
        let modules = registry.modules.values();
        modules.filter_map(|cell| cell.core().in_hand().map(|what| (Arc::clone(cell), what))).collect()
    }

    /// As [`modules`](Self::modules), themselves.
    pub(super) fn cells(&self, wanted: impl Fn(&ModuleInfo) -> bool) -> Vec<Arc<dyn AnyCell>> {
        let registry = self.registry.lock();
        let mut cells: Vec<_> = registry.modules.values().filter(|cell| wanted(cell.core().info())).cloned().collect();
        drop(registry);
        cells.sort_unstable_by_key(|cell| cell.core().id);
        cells
    }

    /// The modules that live, in the order of registration, and what is kept of the others: each module is in one of both.
    #[cfg(feature = "observe")]
    pub(crate) fn living_and_ended(&self) -> (Vec<Arc<dyn AnyCell>>, Ended) {
        let registry = self.registry.lock();
        let mut living: Vec<_> = registry.modules.values().cloned().collect();
        let ended = registry.ended.clone();
        drop(registry);
        living.sort_unstable_by_key(|cell| cell.core().id);
        (living, ended)
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

    /// The modules that end right after the one of this id: those that are told to end and are older, the youngest first, up to one that another needs still.
    #[cfg(feature = "process")]
    pub(crate) fn ending_after(&self, id: ModuleId) -> Vec<Arc<dyn AnyCell>> {
        let registry = self.registry.lock();
        let is_next = |cell: &&Arc<dyn AnyCell>| cell.core().id < id && cell.core().is_ending();
        let mut modules: Vec<_> = registry.modules.values().filter(is_next).cloned().collect();
        modules.sort_unstable_by_key(|cell| std::cmp::Reverse(cell.core().id));
        let is_needed = |cell: &Arc<dyn AnyCell>| registry.dependents.contains_key(&cell.core().id);
        let end = modules.iter().position(is_needed).unwrap_or(modules.len());
        modules.truncate(end);
        modules
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
    /// What is to be done to register these, if it can be.
    fn plan(&self, candidates: &[&mut dyn Candidate]) -> Result<Plan, RegisterError> {
        let subjects: Vec<Subject<'_>> = candidates.iter().map(|candidate| candidate.subject()).collect();
        subjects.iter().try_for_each(|subject| self.check(subject))?;
        let mut names = HashSet::new();
        if let Some(name) = subjects.iter().filter_map(Subject::unique_name).find(|name| !names.insert(*name)) {
            return Err(RegisterError::NameTwice { name: name.to_owned() });
        }
        resolve(self, &subjects)
    }

    /// Whether there is room for a module, and its name is free.
    fn check(&self, subject: &Subject<'_>) -> Result<(), RegisterError> {
        let parent = subject.settings.parent;
        let is_essential = subject.info.flags.contains(ModuleFlags::ESSENTIAL);
        let refuses = |parent: &Arc<dyn AnyCell>| parent.core().expect_child(is_essential);
        let parent_ends = parent.is_some_and(|parent| self.modules.get(&parent).is_none_or(refuses));
        if self.closed || parent_ends {
            return Err(RegisterError::ShuttingDown { module: subject.name().to_owned() });
        }
        match subject.unique_name() {
            Some(name) if self.names.contains_key(name) => Err(RegisterError::NameTaken { name: name.to_owned() }),
            _ => Ok(()),
        }
    }

    /// Gives a module its place.
    fn admit(&mut self, cell: Arc<dyn AnyCell>, extra: Option<Box<Extra>>) {
        let core = cell.core();
        let id = core.id;
        if let Some(name) = core.unique_name() {
            self.names.insert(name.to_owned(), id);
        }
        if let Some(parent) = core.parent() {
            self.children.entry(parent).or_default().push(id);
        }
        for capability in core.info().provides {
            self.providers.entry(Cow::Borrowed(capability)).or_default().insert(id);
        }
        if let Some(extra) = extra {
            for capability in &extra.provides {
                self.providers.entry(Cow::Owned(capability.clone())).or_default().insert(id);
            }
            for target in extra.dependencies.iter().filter_map(|dependency| dependency.target.as_ref()) {
                target.core().expect_dependent();
                self.dependents.entry(target.core().id).or_default().insert(id);
            }
            self.extras.insert(id, extra);
        }
        self.modules.insert(id, cell);
    }

    /// Takes a module out.
    fn remove(&mut self, id: ModuleId) -> Option<Removed> {
        let cell = self.modules.remove(&id)?;
        #[cfg(feature = "observe")]
        ended::keep(&mut self.ended, &*cell);
        let core = cell.core();
        if let Some(name) = core.unique_name()
            && self.names.get(name) == Some(&id)
        {
            self.names.remove(name);
        }
        for capability in core.info().provides {
            self.forget_provider(capability, id);
        }
        if let Some(parent) = core.parent()
            && let Some(siblings) = self.children.get_mut(&parent)
        {
            siblings.retain(|sibling| *sibling != id);
            if siblings.is_empty() {
                self.children.remove(&parent);
            }
        }
        if !self.dependents.is_empty() {
            self.dependents.remove(&id);
        }
        if !self.batons.is_empty() {
            self.batons.remove(&Some(id));
        }
        let extra = if self.extras.is_empty() { None } else { self.extras.remove(&id) };
        if let Some(extra) = &extra {
            for capability in &extra.provides {
                self.forget_provider(capability, id);
            }
            for target in extra.dependencies.iter().filter_map(|dependency| dependency.target.as_ref()) {
                let target = target.core().id;
                if let Some(dependents) = self.dependents.get_mut(&target) {
                    dependents.remove(&id);
                    if dependents.is_empty() {
                        self.dependents.remove(&target);
                    }
                }
            }
        }
        Some(Removed { _cell: cell, _extra: extra })
    }

    fn forget_provider(&mut self, capability: &str, id: ModuleId) {
        if let Some(providers) = self.providers.get_mut(capability) {
            providers.remove(&id);
            if providers.is_empty() {
                self.providers.remove(capability);
            }
        }
    }

    /// The module of the name.
    pub(super) fn named(&self, name: &str) -> Option<&Arc<dyn AnyCell>> {
        self.names.get(name).and_then(|id| self.modules.get(id))
    }

    /// The modules that provide the capability, in the order of registration.
    pub(super) fn providing(&self, capability: &str) -> impl Iterator<Item = &Arc<dyn AnyCell>> {
        self.providers.get(capability).into_iter().flatten().filter_map(|id| self.modules.get(id))
    }

    /// As [`providing`](Self::providing), but those that are to end come last: others do better.
    pub(super) fn serving(&self, capability: &str) -> impl Iterator<Item = &Arc<dyn AnyCell>> {
        let is_ending = |cell: &&Arc<dyn AnyCell>| cell.core().is_ending();
        let staying = self.providing(capability).filter(move |cell| !is_ending(cell));
        staying.chain(self.providing(capability).filter(is_ending))
    }

    /// All names and capabilities.
    pub(super) fn known(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str).chain(self.providers.keys().map(AsRef::as_ref))
    }

    /// The parent of a module that lives.
    pub(super) fn parent(&self, id: ModuleId) -> Option<ModuleId> {
        self.modules.get(&id).and_then(|module| module.core().parent())
    }

    /// The modules and what is to end with them, in the order in which it is to end: their children and all that depends on any of them. Ids rise from each module to
    /// those that depend on it, and to its children.
    fn with_dependents(&self, modules: &[Arc<dyn AnyCell>]) -> Vec<Arc<dyn AnyCell>> {
        let mut all: BTreeSet<_> = modules.iter().map(|module| module.core().id).collect();
        let mut unseen: Vec<_> = all.iter().copied().collect();
        while let Some(id) = unseen.pop() {
            let children = self.children.get(&id).into_iter().flatten();
            let dependents = self.dependents.get(&id).into_iter().flatten();
            for next in children.chain(dependents) {
                if all.insert(*next) {
                    unseen.push(*next);
                }
            }
        }
        all.iter().rev().filter_map(|id| self.modules.get(id).cloned()).collect()
    }

    /// The modules and their children, and the children of these.
    fn with_children(&self, modules: &[Arc<dyn AnyCell>]) -> BTreeSet<ModuleId> {
        let mut all: BTreeSet<_> = modules.iter().map(|module| module.core().id).collect();
        let mut unseen: Vec<_> = all.iter().copied().collect();
        while let Some(id) = unseen.pop() {
            let children = self.children.get(&id).into_iter().flatten().copied();
            let new: Vec<_> = children.filter(|child| all.insert(*child)).collect();
            unseen.extend(new);
        }
        all
    }

    fn leave(&self, modules: &[Arc<dyn AnyCell>], with_dependents: bool) -> Result<Vec<Arc<dyn AnyCell>>, StopError> {
        let alone = |module: &Arc<dyn AnyCell>| {
            let id = module.core().id;
            !self.dependents.contains_key(&id) && !self.children.contains_key(&id)
        };
        let name = || modules.first().map(|module| module.core().name()).unwrap_or_default();
        let is_essential = |module: &&Arc<dyn AnyCell>| module.core().info().flags.contains(ModuleFlags::ESSENTIAL);
        let refused =
            |essential: &Arc<dyn AnyCell>| StopError::Essential { module: name(), essential: essential.core().name() };
        if let Some(essential) = modules.iter().find(is_essential) {
            return Err(refused(essential));
        }
        if modules.iter().all(alone) {
            for module in modules {
                module.core().leave();
            }
            return Ok(Vec::new());
        }
        let own = self.with_children(modules);
        let dependents = own.iter().filter_map(|id| self.dependents.get(id)).flatten();
        let dependents: BTreeSet<_> = dependents.filter(|id| !own.contains(id)).collect();
        if !dependents.is_empty() && !with_dependents {
            let names = dependents.iter().filter_map(|id| self.modules.get(id)).map(|module| module.core().name());
            return Err(StopError::Dependents { module: name(), dependents: names.collect() });
        }
        let all = self.with_dependents(modules);
        if let Some(essential) = all.iter().find(is_essential) {
            return Err(refused(essential));
        }
        for module in &all {
            module.core().leave();
        }
        // Children end with their parent, which knows when.
        Ok(if dependents.is_empty() { Vec::new() } else { all })
    }
}

impl ModuleSummary {
    fn of(cell: &dyn AnyCell) -> Self {
        let core = cell.core();
        Self {
            id: core.id,
            name: core.name(),
            info: *core.shown_info(),
            state: core.state(),
            depth: cell.depth(),
            parent: core.parent(),
            incarnation: core.incarnation(),
        }
    }
}

/// The module as one of this type, if it is.
pub(super) fn as_type<T: Module>(cell: &Arc<dyn AnyCell>) -> Option<ModuleRef<T>> {
    let cell: Arc<dyn Any + Send + Sync> = Arc::clone(cell) as _;
    cell.downcast::<Cell<Owner<T>>>().ok().map(|cell| ModuleRef { cell })
}

/// The names of the wanted type and of those found, each once, so that they can be told apart: in full where one of them has the name of the other.
pub(super) fn type_names<T: Module>(found: &[&dyn AnyCell]) -> (&'static str, Vec<&'static str>) {
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
        let removed = self.registry.lock().remove(id);
        drop(removed);
        self.tend_watchdog();
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
        std::iter::successors(registry.parent(id), |id| registry.parent(*id)).any(|parent| parent == ancestor)
    }

    fn has_children(&self, id: ModuleId) -> bool {
        self.registry.lock().children.contains_key(&id)
    }

    fn children(&self, id: ModuleId) -> Vec<Arc<dyn AnyCell>> {
        let registry = self.registry.lock();
        let children = registry.children.get(&id).into_iter().flatten().rev();
        children.filter_map(|child| registry.modules.get(child).cloned()).collect()
    }

    fn break_off(&self, id: ModuleId, child: ModuleId, failure: Failure) {
        let module = self.registry.lock().modules.get(&id).cloned();
        if let Some(module) = module {
            module.break_off(Culprit::Child(child), failure);
        }
    }

    fn strategy(&self, parent: Option<ModuleId>) -> Strategy {
        let Some(parent) = parent else { return self.strategy };
        self.registry.lock().modules.get(&parent).map(|parent| parent.core().info().strategy).unwrap_or_default()
    }

    fn baton(&self, parent: Option<ModuleId>) -> Baton {
        Arc::clone(self.registry.lock().batons.entry(parent).or_default())
    }

    fn group(&self, id: ModuleId) -> Vec<Arc<dyn AnyCell>> {
        let parent = self.registry.lock().parent(id);
        let strategy = Host::strategy(self, parent);
        let parent_cell = parent.and_then(|parent| self.registry.lock().modules.get(&parent).cloned());
        let elders = parent_cell.and_then(|parent| parent.core().elders());
        // While its parent is reloaded, those of the old one and those of the new one have nothing to do with each other.
        let is_elder = |id: ModuleId| elders.is_some_and(|elders| elders.has(id));
        let registry = self.registry.lock();
        let is_sibling = |core: &Core| core.parent() == parent && is_elder(core.id) == is_elder(id);
        // What starts for the first time has nothing to begin again.
        let has_run = |core: &Core| core.follows() || core.state() >= ModuleState::Running;
        let cells = registry.modules.values().map(|cell| cell.core());
        let mut siblings: Vec<_> = cells.filter(|core| is_sibling(core) && has_run(core)).collect();
        siblings.sort_unstable_by_key(|core| core.id);
        let stops = strategy.stops(siblings.into_iter().map(|core| core.id), &id);
        stops.iter().filter_map(|id| registry.modules.get(id).cloned()).collect()
    }

    fn errand(&self, errand: Pin<Box<dyn Future<Output = ()> + Send>>) {
        // Modules that live have a runtime.
        let Some(runtime) = self.environment.runtime() else { return };
        #[expect(clippy::disallowed_methods, reason = "the shutdown joins it")]
        let errand = runtime.spawn(errand);
        let mut errands = self.errands.lock();
        errands.retain(|errand| !errand.is_finished());
        errands.push(errand);
    }

    fn hears(&self, event: TypeId) -> bool {
        self.bus.is_heard(event)
    }

    fn announce(&self, news: News) {
        drop(match news {
            News::Down(down) => self.publish(down, Audience::Everybody),
            News::Health(change) => self.publish(change, Audience::Everybody),
            News::Reloaded(reloaded) => self.publish(reloaded, Audience::Everybody),
        });
    }

    fn note_reload(&self, entry: ReloadEntry) {
        let mut reloads = self.reloads.lock();
        if reloads.len() == RELOADS {
            reloads.pop_front();
        }
        reloads.push_back(entry);
    }

    fn reloads(&self, id: Option<ModuleId>) -> Vec<ReloadEntry> {
        self.reloads.lock().iter().filter(|entry| id.is_none_or(|id| entry.id == id)).cloned().collect()
    }

    fn stop_children(self: Arc<Self>, id: ModuleId) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let children = self.children(id);
        let taken_back = |parent: &Arc<dyn AnyCell>| parent.core().has(control::TAKEN_BACK);
        if self.registry.lock().modules.get(&id).is_some_and(taken_back) {
            for child in &children {
                child.quiesce(control::TAKEN_BACK);
            }
        }
        Box::pin(stop::end_in_order(children, How::Stop))
    }

    fn leave(&self, modules: &[Arc<dyn AnyCell>], with_dependents: bool) -> Result<Vec<Arc<dyn AnyCell>>, StopError> {
        self.registry.lock().leave(modules, with_dependents)
    }

    fn end_in_order(&self, modules: Vec<Arc<dyn AnyCell>>, how: How) {
        self.errand(Box::pin(stop::end_in_order(modules, how)));
    }

    fn is_shutting_down(&self) -> bool {
        self.registry.lock().closed
    }

    fn fail(self: Arc<Self>, module: ModuleName, failure: Failure) {
        failure::fail(&self, SystemFailure { module, failure });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::System;
    use dms_macros::module;

    #[module]
    struct Parent;

    #[module]
    impl Parent {}

    #[tokio::test(start_paused = true)]
    async fn what_its_children_share_goes_with_a_parent_that_nobody_depends_on() {
        let system = System::new();
        let shared = system.shared().expect("it runs");
        let parent = system.register_module(Parent).await.expect("it starts");
        let baton = shared.baton(Some(parent.id()));
        parent.stop().await.expect("it may stop");
        assert!(shared.registry.lock().batons.is_empty());
        drop(baton);
        system.shutdown().await;
    }
}
