//! A function in a module's place.

use std::fmt;
use std::ops::Deref;

use crate::module::{Module, ModuleRef, worker};
use crate::{RegisterError, System, SystemRef};

/// Stands in for a module: every message goes to `answer`, in order.
///
/// ```
/// use dms::prelude::*;
/// use dms::testing::mock;
///
/// #[module]
/// struct Counter;
/// #[module]
/// impl Counter {
///     #[handler(Get)]
///     fn get(&self) -> u64 { unreachable!("the mock answers") }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), AskError> {
/// let counter = mock::<Counter>(|message| match message {
///     CounterMessage::Get(Get, reply) => reply.send(7),
/// });
/// assert_eq!(counter.get().await?, 7);
/// # Ok(()) }
/// ```
///
/// A message that `answer` lets go fails its ask with [`AskError::NoReply`](crate::AskError::NoReply). A panic in it is a failure of the mock.
///
/// # Panics
/// Outside a Tokio runtime.
pub fn mock<T: Module>(answer: impl FnMut(T::Message) + Send + 'static) -> Mock<T> {
    let system = System::builder("mock").build();
    let name = const { T::INFO }.name.to_owned();
    match system.stand_in(Some(name), |cell| worker::mock::<T>(cell, answer)) {
        Ok(reference) => Mock { reference, _system: system },
        Err(error) => panic!("{error}"),
    }
}

/// As [`mock`], in `system`, for what reaches the module by its name, by a capability or as its dependency. It is there until the system stops it.
///
/// The stand-in needs nothing that the module depends on, and takes no events.
///
/// ```
/// use dms::prelude::*;
/// use dms::testing::mock_in;
///
/// #[module(name = "store")]
/// struct Store;
/// #[module]
/// impl Store {
///     #[handler(Load)]
///     fn load(&self) -> u64 { unreachable!("the mock answers") }
/// }
///
/// #[module(depends("store"))]
/// struct Shop;
/// #[module]
/// impl Shop {
///     #[handler(Stock)]
///     async fn stock(&self, ctx: &mut Context<Self>) -> Result<u64, ModuleError> {
///         Ok(ctx.dependency::<Store>()?.load().await?)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// mock_in::<Store>(&system, |StoreMessage::Load(Load, reply)| reply.send(7))?;
/// let shop = system.register_module(Shop).await?;
/// assert_eq!(shop.stock().await??, 7);
/// # system.shutdown().await;
/// # Ok(()) }
/// ```
///
/// # Errors
/// A module that runs has the name, the system is shutting down, or there is no Tokio runtime here.
pub fn mock_in<T: Module>(
    system: &SystemRef,
    answer: impl FnMut(T::Message) + Send + 'static,
) -> Result<ModuleRef<T>, RegisterError> {
    system.stand_in(None, |cell| worker::mock::<T>(cell, answer))
}

/// A stand-in for a module, to be used like a [`ModuleRef`], to which it dereferences. It stops when it is dropped.
pub struct Mock<T: Module> {
    reference: ModuleRef<T>,
    _system: System,
}

impl<T: Module> Deref for Mock<T> {
    type Target = ModuleRef<T>;

    fn deref(&self) -> &ModuleRef<T> {
        &self.reference
    }
}

impl<T: Module> fmt::Debug for Mock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mock({})", self.reference.name())
    }
}
