//! Bringing modules that depend on each other to life together.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::vec;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::error::RegisterError;
use super::register::{Candidate, Entry, Make, Register, not_started};
use super::registry::{Settings, Shared, as_type};
use super::system::SystemRef;
use crate::module::cell::AnyCell;
use crate::module::current;
use crate::module::deadlock::{EdgeGuard, On};
use crate::module::polled_again::polled_again;
use crate::module::worker::{NotStarted, Start, Turns};
use crate::module::{Context, Module, ModuleId, ModuleRef};

/// Modules that are registered together by [`SystemRef::register_all`]: a module, what [`register_module`](SystemRef::register_module) gives, a tuple of up to twelve
/// of such sets, or an array or a `Vec` of them.
///
/// ```
/// # use dms::prelude::*;
/// # #[module(name = "store")] struct Store;
/// # #[module] impl Store {}
/// # #[module(depends("store"))] struct Reader;
/// # #[module] impl Reader {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// let named = system.register_module(Reader).name("first");
/// let (store, (first, others)) = system.register_all((Store, (named, vec![Reader, Reader]))).await?;
/// assert_eq!((first.name(), others.len()), ("first".to_owned(), 2));
/// # system.shutdown().await;
/// # let _: ModuleRef<Store> = store;
/// # Ok(()) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be registered as a set",
    label = "neither a module nor a set of them",
    note = "give `register_all` modules, what `register_module` returns (without `.await`), a tuple of up to twelve of these, an array or a `Vec`; each module needs `#[module]` on its struct and its impl"
)]
pub trait RegisterSet: sealed::Set {
    /// The references, arranged as the modules were.
    type Output: Send;

    #[doc(hidden)]
    fn claim(places: Self::Places, cells: &mut sealed::Cells) -> Self::Output;
}

pub(super) mod sealed {
    use super::{AnyCell, Arc, Candidates, vec};

    /// The modules of a set, in the order in which they were given.
    pub struct Cells(pub(super) vec::IntoIter<Arc<dyn AnyCell>>);

    /// What can be taken apart into modules.
    pub trait Set: Send + 'static {
        /// What is to be known to arrange the references in the same way.
        type Places: Send;

        /// Adds the modules.
        fn enlist(self, candidates: &mut Candidates) -> Self::Places;
    }
}

/// The modules of a set, on their way into a system.
pub struct Candidates {
    list: Vec<Box<dyn Candidate>>,
    parent: Option<ModuleId>,
    system: Arc<Shared>,
    /// The first that belongs elsewhere.
    stranger: Option<String>,
}

impl Candidates {
    fn add<T: Module>(&mut self, mut entry: Entry<T>) {
        entry.join_set(self.parent);
        self.list.push(Box::new(entry));
    }
}

impl<T: Module> sealed::Set for T {
    type Places = ();

    fn enlist(self, candidates: &mut Candidates) {
        candidates.add(Entry::new(Make::Value(self), Settings::default()));
    }
}

impl<T: Module> RegisterSet for T {
    type Output = ModuleRef<T>;

    fn claim((): (), cells: &mut sealed::Cells) -> ModuleRef<T> {
        claim_one(cells)
    }
}

impl<T: Module> sealed::Set for Register<T> {
    type Places = ();

    fn enlist(self, candidates: &mut Candidates) {
        let (entry, system) = self.into_entry();
        if !system.is_some_and(|system| Arc::ptr_eq(&system, &candidates.system)) {
            candidates.stranger.get_or_insert_with(|| entry.name());
        }
        candidates.add(entry);
    }
}

impl<T: Module> RegisterSet for Register<T> {
    type Output = ModuleRef<T>;

    fn claim((): (), cells: &mut sealed::Cells) -> ModuleRef<T> {
        claim_one(cells)
    }
}

fn claim_one<T: Module>(cells: &mut sealed::Cells) -> ModuleRef<T> {
    let Some(module) = cells.0.next().as_ref().and_then(as_type) else {
        unreachable!("the modules come in the order and with the types in which they were enlisted")
    };
    module
}

impl<S: RegisterSet> sealed::Set for Vec<S> {
    type Places = Vec<S::Places>;

    fn enlist(self, candidates: &mut Candidates) -> Self::Places {
        self.into_iter().map(|set| set.enlist(candidates)).collect()
    }
}

impl<S: RegisterSet> RegisterSet for Vec<S> {
    type Output = Vec<S::Output>;

    fn claim(places: Self::Places, cells: &mut sealed::Cells) -> Self::Output {
        places.into_iter().map(|places| S::claim(places, cells)).collect()
    }
}

impl<S: RegisterSet, const N: usize> sealed::Set for [S; N] {
    type Places = [S::Places; N];

    fn enlist(self, candidates: &mut Candidates) -> Self::Places {
        self.map(|set| set.enlist(candidates))
    }
}

impl<S: RegisterSet, const N: usize> RegisterSet for [S; N] {
    type Output = [S::Output; N];

    fn claim(places: Self::Places, cells: &mut sealed::Cells) -> Self::Output {
        places.map(|places| S::claim(places, cells))
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: RegisterSet),+> sealed::Set for ($($name,)+) {
            type Places = ($($name::Places,)+);

            #[allow(non_snake_case, reason = "each variable is named after its type")]
            fn enlist(self, candidates: &mut Candidates) -> Self::Places {
                let ($($name,)+) = self;
                ($($name.enlist(candidates),)+)
            }
        }

        impl<$($name: RegisterSet),+> RegisterSet for ($($name,)+) {
            type Output = ($($name::Output,)+);

            #[allow(non_snake_case, reason = "each variable is named after its type")]
            fn claim(places: Self::Places, cells: &mut sealed::Cells) -> Self::Output {
                let ($($name,)+) = places;
                ($($name::claim($name, cells),)+)
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);

impl SystemRef {
    /// Registers modules that depend on each other, in whatever order they are given. Awaited, it gives their references, arranged as the modules were, once all of them
    /// have started.
    ///
    /// Before anything else happens each dependency is found, among the modules of the set and those that run: the one of the name, else the oldest that provides it. Then every module
    /// comes behind what it depends on; among those that could come next, the one that was given first. In this order all `init` hooks run, then all `start` hooks.
    /// A module handles messages from the end of its own `init`, so `init` may ask a dependency; what it asks of a module that comes later is
    /// [`AskError::WouldDeadlock`](crate::AskError::WouldDeadlock). Until it has started, a module with a `#[run]` loop handles them by its handlers too.
    /// An optional dependency comes first if it is there; in a version that will not do it counts as absent.
    ///
    /// Where an `init` or a `start` fails, whatever of the set there is ends, in reverse order; as always, the `stop` hook runs where `init` was successful.
    ///
    /// ```
    /// # use dms::prelude::*;
    /// #[module(name = "shop", depends("store"))]
    /// struct Shop;
    /// #[module]
    /// impl Shop {}
    ///
    /// #[module(name = "store")]
    /// struct Store;
    /// #[module]
    /// impl Store {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new();
    /// let error = system.register_all((Shop,)).await.unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "`shop -> store` is not there: no module is named `store` or provides it; there is nothing else; register it first, or in the same set"
    /// );
    /// let (shop, store) = system.register_all((Shop, Store)).await?;
    /// assert!(store.id() < shop.id(), "the store came first");
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub fn register_all<S: RegisterSet>(&self, set: S) -> RegisterAll<S::Output> {
        RegisterAll::new(self, set, None)
    }
}

impl<T: Module> Context<T> {
    /// As [`SystemRef::register_all`], for children of this module.
    pub fn register_all<S: RegisterSet>(&self, set: S) -> RegisterAll<S::Output> {
        RegisterAll::new(&self.system(), set, Some(self.id()))
    }
}

/// The registration of a set: ready with the references, `R`, when all of its modules have started.
///
/// # Cancel safety
/// Dropping it before it is ready takes the registration back: what there is of the set ends, in reverse order.
///
/// # Panics
/// When it is polled again after it was ready.
#[must_use = "nothing is registered until this is awaited"]
pub struct RegisterAll<R>(Option<Registering<R>>);

/// A registration; there is none once it was ready.
type Registering<R> = Pin<Box<dyn Future<Output = Result<R, RegisterError>> + Send>>;

impl<R> RegisterAll<R> {
    fn new<S: RegisterSet<Output = R>>(system: &SystemRef, set: S, parent: Option<ModuleId>) -> Self {
        Self(Some(Box::pin(register(system.shared(), set, parent))))
    }
}

impl<R> Future for RegisterAll<R> {
    type Output = Result<R, RegisterError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let Some(registration) = &mut self.0 else { polled_again("RegisterAll") };
        let output = ready!(registration.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(output)
    }
}

impl<R> fmt::Debug for RegisterAll<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterAll").finish_non_exhaustive()
    }
}

async fn register<S: RegisterSet>(
    system: Option<Arc<Shared>>,
    set: S,
    parent: Option<ModuleId>,
) -> Result<S::Output, RegisterError> {
    let Some(system) = system else { return Err(RegisterError::ShuttingDown { module: "set".to_owned() }) };
    let mut candidates = Candidates { list: Vec::new(), parent, system: Arc::clone(&system), stranger: None };
    let places = set.enlist(&mut candidates);
    if let Some(module) = candidates.stranger {
        return Err(RegisterError::OtherSystem { module });
    }
    let mut list = candidates.list;
    list.iter_mut().try_for_each(|candidate| candidate.introduce())?;
    let mut cells = Vec::new();
    if let Some(first) = list.first() {
        let Some(runtime) = system.environment.runtime() else {
            return Err(RegisterError::NoRuntime { module: first.name() });
        };
        let mut starting = Starting::begin(&system, runtime, &mut list).await?;
        cells.extend(list.iter().filter_map(|candidate| candidate.cell()));
        drop(list);
        starting.run().await?;
    }
    Ok(S::claim(places, &mut sealed::Cells(cells.into_iter())))
}

/// A set whose modules have their places, and start one after the other.
struct Starting {
    system: Arc<Shared>,
    /// In the order in which they start.
    members: Vec<Member>,
    /// The module whose handler registers waits for them.
    edges: Vec<EdgeGuard>,
    /// Each waits for the `init` of the one before, until all have had theirs.
    turns: Vec<EdgeGuard>,
    is_done: bool,
}

struct Member {
    cell: Arc<dyn AnyCell>,
    /// Says that it is its turn; each is taken once.
    init: Option<oneshot::Sender<()>>,
    initialised: Option<oneshot::Receiver<()>>,
    start: Option<oneshot::Sender<()>>,
    started: Option<oneshot::Receiver<Result<(), NotStarted>>>,
}

impl Starting {
    /// Gives all modules their places and their tasks, in which they wait for their turn, so that a shutdown finds each of them alive.
    async fn begin(
        system: &Arc<Shared>,
        runtime: &Handle,
        list: &mut [Box<dyn Candidate>],
    ) -> Result<Self, RegisterError> {
        let order = {
            let mut candidates: Vec<&mut dyn Candidate> =
                list.iter_mut().map(|candidate| &mut **candidate as _).collect();
            system.insert(&mut candidates)?
        };
        let mut starting = Self {
            system: Arc::clone(system),
            members: Vec::new(),
            edges: Vec::new(),
            turns: Vec::new(),
            is_done: false,
        };
        let mut failed = None;
        for number in order {
            let candidate = &mut list[number];
            if failed.is_some() {
                candidate.abandon();
                continue;
            }
            let Some(cell) = candidate.cell() else { unreachable!("what was inserted has its place") };
            let (init, turn_to_init) = oneshot::channel();
            let (say_initialised, initialised) = oneshot::channel();
            let (start, turn_to_start) = oneshot::channel();
            let (say_started, started) = oneshot::channel();
            let turns = Turns { init: turn_to_init, initialised: say_initialised, start: turn_to_start };
            let start_of_member = Box::new(Start::new(say_started, Some(turns)));
            match candidate.launch(runtime, Some(start_of_member)) {
                Ok(()) => starting.members.push(Member {
                    cell,
                    init: Some(init),
                    initialised: Some(initialised),
                    start: Some(start),
                    started: Some(started),
                }),
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            starting.take_back().await;
            return Err(error);
        }
        let cells = || starting.members.iter().map(|member| Arc::clone(&member.cell));
        let mut edges = Vec::new();
        if let Some(parent) = current::waiting() {
            edges.extend(cells().filter_map(|member| EdgeGuard::new(Arc::clone(&parent), member, On::Running).ok()));
        }
        let after = |(member, before)| EdgeGuard::unchecked(member, before, On::Initialised);
        let turns = cells().skip(1).zip(cells()).map(after).collect();
        (starting.edges, starting.turns) = (edges, turns);
        Ok(starting)
    }

    /// Initialises all, then starts all.
    async fn run(&mut self) -> Result<(), RegisterError> {
        let result = self.run_hooks().await;
        match result {
            Ok(()) => self.is_done = true,
            Err(_) => self.take_back().await,
        }
        result
    }

    async fn run_hooks(&mut self) -> Result<(), RegisterError> {
        for member in &mut self.members {
            // Who does not take its turn is ending: its answer says why.
            let _ = member.init.take().map(|turn| turn.send(()));
            if let Some(initialised) = &mut member.initialised
                && initialised.await.is_err()
            {
                member.started().await?;
            }
        }
        self.turns.clear();
        for member in &mut self.members {
            let _ = member.start.take().map(|turn| turn.send(()));
            member.started().await?;
        }
        Ok(())
    }

    /// Ends what there is of the set, in reverse order.
    async fn take_back(&mut self) {
        self.is_done = true;
        self.turns.clear();
        self.begin_to_take_back().await;
        self.edges.clear();
    }

    fn begin_to_take_back(&mut self) -> impl Future<Output = ()> + Send + use<> {
        let cells: Vec<_> = self.members.iter().map(|member| Arc::clone(&member.cell)).collect();
        self.system.take_back(&cells)
    }
}

impl Member {
    async fn started(&mut self) -> Result<(), RegisterError> {
        let Some(started) = &mut self.started else { return Ok(()) };
        let reason = match started.await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(reason)) => reason,
            Err(_) => NotStarted::Stopped,
        };
        Err(not_started(self.cell.core().name(), reason))
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if !self.is_done {
            drop(self.begin_to_take_back());
        }
    }
}
