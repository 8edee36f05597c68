//! A function in a module's place.

use std::fmt;
use std::ops::Deref;

use crate::System;
use crate::module::{Module, ModuleRef, worker};

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
    let reference = system.place::<T>();
    system.settle(&reference, worker::mock(reference.cell.clone(), answer));
    Mock { reference, _system: system }
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
