//! Who waits for whom, and whether that could ever end (contract M5).
//!
//! A module that waits from inside a handler or hook notes an *edge* to the module it waits for, and only then looks whether the
//! edges lead back to it; so of the modules of a cycle at least the last one to wait sees it whole. Whether an ask is still open is told
//! from its position: the asked module has not come to it, or has it in hand. An ask of external code has no edge and costs nothing.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;

use super::cell::{AnyCell, Core};
use super::current;
use super::error::Cycle;
use super::room::Waiting;

/// The edges of one module. Nearly always none or one; a module that never waited has no room for any.
#[derive(Default)]
pub(crate) struct Waits {
    edges: Mutex<Option<Box<Edges>>>,
    /// Looked at before the lock.
    count: AtomicU32,
}

struct Edges {
    list: Vec<Edge>,
    next_key: u64,
}

#[derive(Clone)]
struct Edge {
    key: u64,
    target: Arc<dyn AnyCell>,
    on: On,
}

/// What is waited for.
#[derive(Clone)]
pub(crate) enum On {
    /// The answer of the message at this position.
    Reply(u64),
    /// Room in the mailbox.
    Room(Arc<dyn Waiting>),
    /// That the module has been initialised, or ends without.
    Initialised,
    /// That the module runs, or ends without.
    Running,
    /// That the module has ended.
    Ended,
}

impl Edge {
    /// Whether the wait is not over, seen from the side of the one waited for.
    fn is_open(&self) -> bool {
        let target = self.target.core();
        match &self.on {
            On::Reply(position) => {
                let begun = target.begun.load(Ordering::Acquire);
                let in_hand = position + 1 == begun && !target.detached.load(Ordering::Acquire);
                (*position >= begun || in_hand) && !target.state().is_ended()
            }
            On::Room(waiting) => waiting.is_waiting(),
            On::Initialised => !target.has_initialised() && !target.state().is_ended(),
            // One that fails is waited for through its `stop` hook.
            On::Running => !target.has_started() && !target.state().is_ended(),
            On::Ended => !target.state().is_ended(),
        }
    }
}

impl Waits {
    fn add(&self, target: Arc<dyn AnyCell>, on: On) -> u64 {
        let mut guard = self.edges.lock();
        let edges = guard.get_or_insert_with(|| Box::new(Edges { list: Vec::with_capacity(1), next_key: 0 }));
        let key = edges.next_key;
        edges.next_key += 1;
        edges.list.push(Edge { key, target, on });
        drop(guard);
        // Sequentially consistent, as is the look below: of two modules that add at once, one sees the other.
        self.count.fetch_add(1, Ordering::SeqCst);
        key
    }

    fn remove(&self, key: u64) {
        let mut guard = self.edges.lock();
        let list = guard.as_mut().map(|edges| &mut edges.list);
        let edge = list.and_then(|list| {
            let at = list.iter().position(|edge| edge.key == key)?;
            Some(list.swap_remove(at))
        });
        drop(guard);
        if edge.is_some() {
            self.count.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn open(&self) -> Vec<Edge> {
        if self.count.load(Ordering::SeqCst) == 0 {
            return Vec::new();
        }
        let edges = self.edges.lock().as_ref().map(|edges| edges.list.clone());
        edges.into_iter().flatten().filter(Edge::is_open).collect()
    }

    fn is_open(&self, key: u64) -> bool {
        let guard = self.edges.lock();
        let edge = guard.as_ref().and_then(|edges| edges.list.iter().find(|edge| edge.key == key)).cloned();
        drop(guard);
        edge.is_some_and(|edge| edge.is_open())
    }
}

/// An edge, gone with the wait.
pub(crate) struct EdgeGuard {
    owner: Arc<dyn AnyCell>,
    key: u64,
}

impl EdgeGuard {
    /// Notes that `owner` waits for `target`.
    ///
    /// # Errors
    /// The cycle that this wait would close; then nothing is noted.
    pub(crate) fn new(owner: Arc<dyn AnyCell>, target: Arc<dyn AnyCell>, on: On) -> Result<Self, Cycle> {
        if std::ptr::eq(owner.core(), target.core()) {
            return Err(Cycle::of_one(owner.core().name()));
        }
        if owner.core().is_visited() {
            current::note_askers(&owner);
        }
        let guard = Self::unchecked(owner, Arc::clone(&target), on);
        let target_count = &target.core().waits.count;
        if target_count.load(Ordering::SeqCst) == 0 {
            return Ok(guard);
        }
        match guard.cycle(target) {
            Some(cycle) => Err(cycle),
            None => Ok(guard),
        }
    }

    /// Notes that `owner` waits for `target`, which waits for nothing yet.
    pub(crate) fn unchecked(owner: Arc<dyn AnyCell>, target: Arc<dyn AnyCell>, on: On) -> Self {
        let key = owner.core().waits.add(target, on);
        Self { owner, key }
    }

    #[cold]
    fn cycle(&self, target: Arc<dyn AnyCell>) -> Option<Cycle> {
        let mut path = way(target, self.owner.core())?;
        path.insert(0, Step { owner: Arc::clone(&self.owner), key: self.key });
        // The edges were seen one after the other. An edge that ended is never open again, so if all are open still, they are at once.
        path.iter()
            .all(|step| step.owner.core().waits.is_open(step.key))
            .then(|| Cycle(path.iter().map(|step| step.owner.core().name()).collect()))
    }
}

impl Drop for EdgeGuard {
    fn drop(&mut self) {
        self.owner.core().waits.remove(self.key);
    }
}

struct Step {
    owner: Arc<dyn AnyCell>,
    key: u64,
}

/// The open edges that lead from `from` to `goal`, if any do.
fn way(from: Arc<dyn AnyCell>, goal: &Core) -> Option<Vec<Step>> {
    // A stack of our own: a chain of asks may be longer than the thread's stack is deep.
    let mut seen = HashSet::from([std::ptr::from_ref(from.core())]);
    let mut stack = vec![Branch::new(from)];
    while let Some(branch) = stack.last_mut() {
        let Some(edge) = branch.untried.pop() else {
            stack.pop();
            continue;
        };
        branch.key = edge.key;
        if std::ptr::eq(edge.target.core(), goal) {
            return Some(stack.into_iter().map(|branch| Step { owner: branch.owner, key: branch.key }).collect());
        }
        if seen.insert(std::ptr::from_ref(edge.target.core())) {
            stack.push(Branch::new(edge.target));
        }
    }
    None
}

/// A module on the way, and the edges out of it that were not tried.
struct Branch {
    owner: Arc<dyn AnyCell>,
    untried: Vec<Edge>,
    key: u64,
}

impl Branch {
    fn new(owner: Arc<dyn AnyCell>) -> Self {
        let untried = owner.core().waits.open();
        Self { owner, untried, key: 0 }
    }
}
