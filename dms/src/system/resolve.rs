//! Which modules the dependencies of new ones are, and in which order these can start.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use super::error::{DependencyCandidate, RegisterError};
use super::registry::{Registry, Settings};
use super::requirement::Requirement;
use crate::module::cell::AnyCell;
use crate::module::{ModuleId, ModuleInfo, ModuleState};

/// A module that is to be registered.
pub(super) struct Subject<'a> {
    pub(super) info: &'a ModuleInfo,
    pub(super) settings: &'a Settings,
}

/// What the dependencies of the subjects are, by their numbers.
pub(super) struct Plan {
    /// The subjects, each behind those that it depends on; else as they were given.
    pub(super) order: Vec<usize>,
    /// The dependencies of each.
    pub(super) bound: Vec<Vec<Bound>>,
    /// To be warned of where no lock is held: whoever listens to the log may look at the system.
    pub(super) unfit: Vec<Unfit>,
}

/// An optional dependency that is there and will not do.
pub(super) struct Unfit {
    module: String,
    dependency: String,
    found: String,
}

impl Unfit {
    pub(super) fn warn(&self) {
        let Self { module, dependency, found } = self;
        tracing::warn!(
            module,
            dependency,
            found,
            "an optional dependency is there but will not do: it counts as absent"
        );
    }
}

/// A dependency, and what it is.
pub(super) struct Bound {
    pub(super) name: String,
    /// `None` for an optional one that is absent.
    pub(super) target: Option<Target>,
}

pub(super) enum Target {
    Running(Arc<dyn AnyCell>),
    /// The subject of this number.
    InSet(usize),
}

impl<'a> Subject<'a> {
    /// Whether it depends on nothing.
    pub(super) fn is_independent(&self) -> bool {
        let Self { info, settings } = self;
        let declares_none = info.dependencies.is_empty() && info.optional_dependencies.is_empty();
        declares_none && settings.wants.as_ref().is_none_or(|wants| wants.dependencies.is_empty())
    }

    /// The name in errors: it has no id yet.
    pub(super) fn name(&self) -> &'a str {
        self.settings.name.as_deref().unwrap_or(self.info.name)
    }

    /// The name that no other module may have.
    pub(super) fn unique_name(&self) -> Option<&'a str> {
        self.settings.name.as_deref().or(self.info.unique.then_some(self.info.name))
    }

    fn provides(&self) -> impl Iterator<Item = &'a str> {
        let also = self.settings.wants.iter().flat_map(|wants| wants.provides.iter().map(String::as_str));
        self.info.provides.iter().copied().chain(also)
    }

    /// What it declares, and whether that is optional.
    fn requirements(&self) -> Result<Vec<(Requirement, bool)>, RegisterError> {
        let Self { info, settings } = self;
        let needed = info.dependencies.iter().map(|text| (*text, false));
        let optional = info.optional_dependencies.iter().map(|text| (*text, true));
        let more = settings.wants.iter().flat_map(|wants| &wants.dependencies);
        let all = needed.chain(optional).chain(more.map(|(text, optional)| (text.as_str(), *optional)));
        all.map(|(text, optional)| match Requirement::parse(text) {
            Ok(requirement) => Ok((requirement, optional)),
            Err(reason) => {
                let (module, requirement) = (self.name().to_owned(), text.to_owned());
                Err(RegisterError::Requirement { module, requirement, reason })
            }
        })
        .collect()
    }
}

/// Finds the dependencies of the subjects among themselves and the modules that run, and an order for them.
///
/// # Errors
/// A dependency that is not to be had, or a circle of them.
pub(super) fn resolve(registry: &Registry, subjects: &[Subject<'_>]) -> Result<Plan, RegisterError> {
    let set = Set::new(subjects);
    let mut bound = Vec::with_capacity(subjects.len());
    let mut unfit = Vec::new();
    let mut problem = None;
    for (number, subject) in subjects.iter().enumerate() {
        let mut own = Vec::new();
        for (requirement, optional) in subject.requirements()? {
            let target = match set.find(registry, number, &requirement) {
                // There is no other that it could use.
                Ok(Target::InSet(found)) if optional && found == number => None,
                Ok(target) => Some(target),
                Err(NotFound { unfit: found, .. }) if optional => {
                    if !found.is_empty() {
                        let found = found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                        let (module, dependency) = (subject.name().to_owned(), requirement.text.clone());
                        unfit.push(Unfit { module, dependency, found });
                    }
                    None
                }
                Err(not_found) => {
                    problem.get_or_insert((number, requirement.clone(), not_found));
                    None
                }
            };
            own.push(Bound { name: requirement.name, target });
        }
        bound.push(own);
    }
    if let Some((number, requirement, not_found)) = problem {
        let path = way_to(number, &bound).into_iter().map(|number| subjects[number].name().to_owned()).collect();
        return Err(not_found.into_error(path, requirement, || set.existing(registry, number)));
    }
    match order(&bound) {
        Ok(order) => Ok(Plan { order, bound, unfit }),
        Err(cycle) => {
            let cycle = cycle.into_iter().map(|number| subjects[number].name().to_owned()).collect();
            Err(RegisterError::DependencyCycle { cycle })
        }
    }
}

/// The subjects by what they can be depended on as.
struct Set<'a> {
    subjects: &'a [Subject<'a>],
    names: HashMap<&'a str, usize>,
    providers: HashMap<&'a str, Vec<usize>>,
}

/// Nothing that will do.
struct NotFound {
    /// What has the name or provides it.
    unfit: Vec<DependencyCandidate>,
    /// Whether one of them has a version that will do.
    fits: bool,
}

impl<'a> Set<'a> {
    fn new(subjects: &'a [Subject<'a>]) -> Self {
        let mut names = HashMap::new();
        let mut providers: HashMap<_, Vec<_>> = HashMap::new();
        for (number, subject) in subjects.iter().enumerate() {
            names.extend(subject.unique_name().map(|name| (name, number)));
            for capability in subject.provides() {
                providers.entry(capability).or_default().push(number);
            }
        }
        Self { subjects, names, providers }
    }

    /// The module of the name, else the oldest that provides it; those of the set are the youngest.
    fn find(&self, registry: &Registry, of: usize, requirement: &Requirement) -> Result<Target, NotFound> {
        let name = requirement.name.as_str();
        let named = registry.named(name).into_iter().cloned().map(Target::Running);
        let named = named.chain(self.names.get(name).copied().map(Target::InSet));
        let providing = registry.providing(name).cloned().map(Target::Running);
        let providing = providing.chain(self.providers.get(name).into_iter().flatten().copied().map(Target::InSet));
        let mut not_found = NotFound { unfit: Vec::new(), fits: false };
        let mut is_itself = false;
        for target in named.chain(providing) {
            let unfit = match &target {
                // A module that provides what it depends on means that of another.
                Target::InSet(number) if *number == of => {
                    is_itself = true;
                    continue;
                }
                Target::InSet(number) => {
                    let Subject { info, .. } = &self.subjects[*number];
                    let module = self.subjects[*number].name().to_owned();
                    let fits = requirement.admits(info.version);
                    (!fits).then_some(DependencyCandidate { module, version: info.version, state: None })
                }
                Target::Running(cell) => {
                    let core = cell.core();
                    let version = core.info().version;
                    let fits = requirement.admits(version);
                    let runs = fits && core.state() == ModuleState::Running && !core.is_ending();
                    let runs = (runs && !core.expect_dependent())
                        || is_ancestor(registry, core.id, self.subjects[of].settings.parent);
                    not_found.fits |= fits;
                    let candidate = || DependencyCandidate { module: core.name(), version, state: Some(core.state()) };
                    (!fits || !runs).then(candidate)
                }
            };
            match unfit {
                None => return Ok(target),
                Some(unfit) if not_found.unfit.contains(&unfit) => {}
                Some(unfit) => not_found.unfit.push(unfit),
            }
        }
        if is_itself && not_found.unfit.is_empty() { Ok(Target::InSet(of)) } else { Err(not_found) }
    }

    /// All that the subject of this number can depend on.
    fn existing(&self, registry: &Registry, of: usize) -> Vec<String> {
        let others = |numbers: &[usize]| numbers.iter().any(|number| *number != of);
        let names = self.names.iter().filter(|(_, number)| others(&[**number])).map(|(name, _)| *name);
        let provided = self.providers.iter().filter(|(_, numbers)| others(numbers)).map(|(name, _)| *name);
        let of_set = names.chain(provided);
        let all: BTreeSet<_> = registry.known().chain(of_set).collect();
        all.into_iter().map(str::to_owned).collect()
    }
}

/// Whether `id` is the parent or one of its ancestors: those are there as long as their children are.
fn is_ancestor(registry: &Registry, id: ModuleId, parent: Option<ModuleId>) -> bool {
    std::iter::successors(parent, |id| registry.parent(*id)).any(|ancestor| ancestor == id)
}

impl NotFound {
    fn into_error(
        self,
        path: Vec<String>,
        requirement: Requirement,
        existing: impl FnOnce() -> Vec<String>,
    ) -> RegisterError {
        let Requirement { name: dependency, text: requirement, .. } = requirement;
        match self.unfit {
            unfit if unfit.is_empty() => {
                RegisterError::DependencyMissing { path, requirement, dependency, existing: existing() }
            }
            found if self.fits => RegisterError::DependencyNotRunning { path, requirement, found },
            found => RegisterError::DependencyIncompatible { path, requirement, found },
        }
    }
}

/// The numbers of the subjects that each one depends on.
fn edges(bound: &[Bound]) -> impl Iterator<Item = usize> {
    bound.iter().filter_map(|bound| match bound.target {
        Some(Target::InSet(number)) => Some(number),
        Some(Target::Running(_)) | None => None,
    })
}

/// From a subject on which none depends, the shortest way to this one.
fn way_to(number: usize, bound: &[Vec<Bound>]) -> Vec<usize> {
    let mut dependents = vec![Vec::new(); bound.len()];
    for (dependent, own) in bound.iter().enumerate() {
        for dependency in edges(own) {
            dependents[dependency].push(dependent);
        }
    }
    // For each that was reached, the next on its way down.
    let mut next = HashMap::from([(number, number)]);
    let mut queue = VecDeque::from([number]);
    let mut top = number;
    while let Some(reached) = queue.pop_front() {
        top = reached;
        if dependents[reached].is_empty() {
            break;
        }
        for dependent in dependents[reached].iter().copied() {
            if let Entry::Vacant(place) = next.entry(dependent) {
                place.insert(reached);
                queue.push_back(dependent);
            }
        }
    }
    let mut way = vec![top];
    while top != number {
        top = next[&top];
        way.push(top);
    }
    way
}

/// The subjects, each behind those it depends on, else by number.
///
/// # Errors
/// A circle: each depends on the next, the last on the first.
fn order(bound: &[Vec<Bound>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut open: Vec<BTreeSet<usize>> = bound.iter().map(|own| edges(own).collect()).collect();
    let mut dependents = vec![Vec::new(); bound.len()];
    for (dependent, own) in open.iter().enumerate() {
        for dependency in own {
            dependents[*dependency].push(dependent);
        }
    }
    let free = open.iter().enumerate().filter(|(_, own)| own.is_empty());
    let mut ready: BinaryHeap<_> = free.map(|(number, _)| Reverse(number)).collect();
    let mut order = Vec::with_capacity(bound.len());
    while let Some(Reverse(number)) = ready.pop() {
        order.push(number);
        for dependent in &dependents[number] {
            open[*dependent].remove(&number);
            if open[*dependent].is_empty() {
                ready.push(Reverse(*dependent));
            }
        }
    }
    // Each that is left depends on another one that is left: whoever goes on comes round.
    let Some(mut at) = open.iter().position(|own| !own.is_empty()) else { return Ok(order) };
    let mut way = Vec::new();
    loop {
        if let Some(start) = way.iter().position(|passed| *passed == at) {
            return Err(way.split_off(start));
        }
        way.push(at);
        let Some(next) = open[at].first() else { unreachable!("who depends on nothing is in the order") };
        at = *next;
    }
}
