//! How a module reaches what it depends on.

use super::registry::{Dependency, as_type, type_names};
use crate::module::{Context, Module, ModuleRef};

/// A module cannot be given its dependency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DependencyError {
    /// It declares none of the name.
    #[error("module `{module}` declares no dependency `{dependency}`; {}: write `#[module(depends(\"{dependency}\"))]`", declares(.declared))]
    NotDeclared {
        /// The module's name.
        module: String,
        /// The dependency asked for.
        dependency: String,
        /// Those that it declares.
        declared: Vec<String>,
    },
    /// None of its dependencies is of the type.
    #[error("no dependency of module `{module}` is a `{expected}`; {}", declares(.declared))]
    NotOfType {
        /// The module's name.
        module: String,
        /// The type asked for.
        expected: &'static str,
        /// The dependencies that it declares, each with the type of the module it got, or that there was none.
        declared: Vec<String>,
    },
    /// The dependency is of another type.
    #[error("dependency `{dependency}` of module `{module}` is a `{found}`, not a `{expected}`")]
    WrongType {
        /// The module's name.
        module: String,
        /// The dependency.
        dependency: String,
        /// The type asked for.
        expected: &'static str,
        /// The module's type.
        found: &'static str,
    },
    /// The dependency is optional, and was not there when the module was registered.
    #[error("optional dependency `{dependency}` of module `{module}` was not there when the module was registered")]
    Absent {
        /// The module's name.
        module: String,
        /// The dependency.
        dependency: String,
    },
    /// The module that is the dependency has ended.
    #[error("dependency `{dependency}` of module `{module}` has ended")]
    Stopped {
        /// The module's name.
        module: String,
        /// The dependency.
        dependency: String,
    },
}

impl<T: Module> Context<T> {
    /// The dependency of this module that is a `D`: the first, where there are several. A module has its dependencies from its `init` on.
    ///
    /// A dependency is bound when the module is registered: to the module that has its name then, else to the oldest that provides it. An optional one that was not there
    /// remains absent.
    ///
    /// ```
    /// # use dms::prelude::*;
    /// #[module(name = "store", version = "1.4.0")]
    /// struct Store { prices: u64 }
    ///
    /// #[module]
    /// impl Store {
    ///     #[handler(Price)]
    ///     fn price(&self) -> u64 { self.prices }
    /// }
    ///
    /// #[module(name = "shop", depends("store >= 1.3"))]
    /// #[derive(Default)]
    /// struct Shop { price: u64 }
    ///
    /// #[module]
    /// impl Shop {
    ///     #[init]
    ///     async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
    ///         self.price = ctx.dependency::<Store>()?.price().await?;
    ///         Ok(())
    ///     }
    ///
    ///     #[handler(Ask)]
    ///     fn asked(&self) -> u64 { self.price }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new();
    /// let (shop, _) = system.register_all((Shop::default(), Store { prices: 7 })).await?;
    /// assert_eq!(shop.ask(Ask).await?, 7);
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The module declares no dependency that is a `D`, or the one there is has stopped.
    pub fn dependency<D: Module>(&self) -> Result<ModuleRef<D>, DependencyError> {
        let module = || self.name();
        self.dependencies(|dependencies| {
            let bound = dependencies.iter().filter_map(|dependency| Some((dependency, dependency.target.as_ref()?)));
            for (dependency, target) in bound.clone() {
                if let Some(reference) = as_type::<D>(target) {
                    return running(reference, &dependency.name, module);
                }
            }
            let cells: Vec<_> = bound.map(|(_, target)| &**target).collect();
            let (expected, _) = type_names::<D>(&cells);
            let declared = dependencies.iter().map(|dependency| match &dependency.target {
                Some(target) => format!("`{}` (a `{}`)", dependency.name, type_names::<D>(&[&**target]).1.concat()),
                None => format!("`{}` (optional, absent)", dependency.name),
            });
            Err(DependencyError::NotOfType { module: module(), expected, declared: declared.collect() })
        })
    }

    /// The dependency that this module declared under this name or capability.
    ///
    /// # Errors
    /// The module declares no such dependency, or the one there is is not a `D`, is absent or has stopped.
    pub fn dependency_named<D: Module>(&self, name: &str) -> Result<ModuleRef<D>, DependencyError> {
        let module = || self.name();
        self.dependencies(|dependencies| {
            let Some(dependency) = dependencies.iter().find(|dependency| dependency.name == name) else {
                let declared = dependencies.iter().map(|dependency| format!("`{}`", dependency.name)).collect();
                return Err(DependencyError::NotDeclared { module: module(), dependency: name.to_owned(), declared });
            };
            let Some(target) = &dependency.target else {
                return Err(DependencyError::Absent { module: module(), dependency: name.to_owned() });
            };
            let Some(reference) = as_type::<D>(target) else {
                let (expected, found) = type_names::<D>(&[&**target]);
                let found = found.first().copied().unwrap_or_default();
                return Err(DependencyError::WrongType {
                    module: module(),
                    dependency: name.to_owned(),
                    expected,
                    found,
                });
            };
            running(reference, name, module)
        })
    }

    /// Looks at the module's dependencies; a module whose system is gone has none any more.
    fn dependencies<R>(&self, look: impl FnOnce(&[Dependency]) -> R) -> R {
        match self.system().shared() {
            Some(shared) => look(&shared.dependencies(self.id())),
            None => look(&[]),
        }
    }
}

/// The dependency, unless it has stopped.
fn running<D: Module>(
    reference: ModuleRef<D>,
    dependency: &str,
    module: impl FnOnce() -> String,
) -> Result<ModuleRef<D>, DependencyError> {
    // One that is told to stop in an orderly way waits for its dependents, and answers their stop hooks: it is still there.
    if reference.state().is_ended() {
        return Err(DependencyError::Stopped { module: module(), dependency: dependency.to_owned() });
    }
    Ok(reference)
}

fn declares(declared: &[String]) -> String {
    match declared {
        [] => "it declares none".to_owned(),
        declared => format!("it declares: {}", declared.join(", ")),
    }
}
