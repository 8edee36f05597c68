//! Tasks that belong to a module: named, never detached, their failure the module's unless somebody takes it.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use parking_lot::Mutex;

use super::cell::{AnyCell, Culprit};
use super::context::Context;
use super::error::ModuleError;
use super::handler::Answers;
use super::lifecycle::Failure;
use super::polled_again::polled_again;
use super::task_list::{HearsEnd, TaskEnd, TaskList};

/// What a task may return: nothing, a `Result`, or a plain value.
///
/// The common types of the standard library have it. A value of a type of your own goes in an `Ok`, an `Option`, a `Box` or a `Vec`.
///
/// What such a plain value holds is not looked at. An error inside an `Option`, a `Vec`, a `Box` or a tuple fails nothing and is not logged: a task that ends with `tokio::join!(a, b)` loses
/// the errors of both. Return a `Result` where an error is to count, as of `tokio::try_join!(a, b)`.
#[diagnostic::on_unimplemented(
    message = "a task cannot return `{Self}`",
    label = "no `TaskOutput`",
    note = "return `()` or a `Result`; a plain value of another type goes in an `Ok` or an `Option`: `Some(value)`"
)]
pub trait TaskOutput: Send + 'static {
    /// The error that counts as the module's failure where nobody takes the output.
    fn into_failure(self) -> Option<ModuleError>
    where
        Self: Sized,
    {
        None
    }
}

impl<R: Send + 'static, E: Into<ModuleError> + Send + 'static> TaskOutput for Result<R, E> {
    fn into_failure(self) -> Option<ModuleError> {
        self.err().map(Into::into)
    }
}

/// The output of a task that never ends by itself: of an endless loop.
impl TaskOutput for <fn() -> ! as Returns>::Output {}

/// What a function returns: so a type can be named for which there is no name yet.
trait Returns {
    type Output;
}

impl<R> Returns for fn() -> R {
    type Output = R;
}

macro_rules! plain_values {
    ($($ty:ty $(: $($generic:ident)+)?;)*) => {
        $(impl $(<$($generic: Send + 'static),*>)? TaskOutput for $ty {})*
    };
}

plain_values! {
    (); bool; char; u8; u16; u32; u64; u128; usize; i8; i16; i32; i64; i128; isize; f32; f64; String; &'static str;
    Option<A>: A; Vec<A>: A; Box<A>: A; (A, B): A B; (A, B, C): A B C; (A, B, C, D): A B C D;
}

/// A task gave no output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// It panicked.
    #[error("task `{task}` panicked: {text}")]
    Panicked {
        /// The task's name.
        task: String,
        /// What the panic said.
        text: String,
    },
    /// Its module stopped.
    #[error("task `{task}` was cancelled: its module has stopped")]
    Cancelled {
        /// The task's name.
        task: String,
    },
}

/// The result of a task of a module, to come.
///
/// Await it, or have it sent with [`then`](Self::then). Dropped, the task goes on and its error or panic is the module's failure.
///
/// # Cancel safety
/// Awaiting it by reference is cancel safe; dropping it leaves the result to the module, as above.
///
/// # Panics
/// When it is polled again after it was ready.
pub struct Task<O: TaskOutput> {
    shared: Arc<Shared<O>>,
}

struct Shared<O> {
    name: String,
    module: Arc<dyn AnyCell>,
    /// That of the module whose task it is.
    incarnation: u32,
    state: Mutex<State<O>>,
}

enum State<O> {
    Running(Taker<O>),
    Ended(Result<O, TaskError>),
    Taken,
}

/// Who takes the result.
enum Taker<O> {
    Handle(Option<Waker>),
    Then(Box<dyn FnOnce(O) + Send>),
    Nobody,
}

impl<O: TaskOutput> Task<O> {
    /// Sends the message that `message` makes of the output to the module of `ctx`. A panic remains the module's failure.
    ///
    /// The message does not wait for room in a bounded mailbox. Where the module has stopped meanwhile, it is dropped.
    pub fn then<T, M>(self, message: impl FnOnce(O) -> M + Send + 'static, ctx: &Context<T>)
    where
        T: Answers<M>,
        M: Send + 'static,
    {
        let target = ctx.self_ref();
        let mut state = self.shared.state.lock();
        let deliver = move |output: O| target.deliver_beyond_bound(message(output));
        match std::mem::replace(&mut *state, State::Taken) {
            State::Running(_) => *state = State::Running(Taker::Then(Box::new(deliver))),
            State::Ended(Ok(output)) => {
                drop(state);
                deliver(output);
            }
            State::Ended(Err(error)) => {
                drop(state);
                self.shared.leave(Err(error));
            }
            State::Taken => {}
        }
    }

    /// The task's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }
}

impl<O: TaskOutput> Future for Task<O> {
    type Output = Result<O, TaskError>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut state = self.shared.state.lock();
        match &mut *state {
            State::Running(taker) => {
                *taker = Taker::Handle(Some(cx.waker().clone()));
                Poll::Pending
            }
            State::Ended(_) | State::Taken => match std::mem::replace(&mut *state, State::Taken) {
                State::Ended(result) => Poll::Ready(result),
                State::Running(_) | State::Taken => {
                    drop(state);
                    polled_again("Task")
                }
            },
        }
    }
}

impl<O: TaskOutput> Drop for Task<O> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Running(Taker::Handle(_)) => *state = State::Running(Taker::Nobody),
            State::Running(taker) => *state = State::Running(taker),
            State::Ended(result) => {
                drop(state);
                self.shared.leave(result);
            }
            State::Taken => {}
        }
    }
}

impl<O: TaskOutput> fmt::Debug for Task<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("name", &self.shared.name).finish_non_exhaustive()
    }
}

impl<O: TaskOutput> Shared<O> {
    fn end(&self, result: Result<O, TaskError>) {
        let mut state = self.state.lock();
        match (std::mem::replace(&mut *state, State::Taken), result) {
            (State::Running(Taker::Handle(waker)), result) => {
                *state = State::Ended(result);
                drop(state);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            (State::Running(Taker::Then(deliver)), Ok(output)) => {
                drop(state);
                deliver(output);
            }
            (State::Running(Taker::Then(_) | Taker::Nobody), result) => {
                drop(state);
                self.leave(result);
            }
            // What panics after the end.
            (before @ (State::Ended(_) | State::Taken), result) => {
                *state = before;
                drop(state);
                self.leave(result);
            }
        }
    }

    /// Nobody takes the result: a failure is the module's.
    fn leave(&self, result: Result<O, TaskError>) {
        let (module, incarnation) = (&*self.module, self.incarnation);
        match result {
            Ok(output) => {
                if let Some(error) = output.into_failure() {
                    fail_of_error(module, incarnation, &self.name, &error);
                }
            }
            Err(TaskError::Panicked { text, .. }) => fail_of_panic(module, incarnation, &self.name, &text),
            Err(TaskError::Cancelled { .. }) => {}
        }
    }
}

/// A task of an incarnation of the module has returned an error that nobody takes. It is logged where it is not what the module fails of: that incarnation has failed before, has ended, or
/// was never to run.
pub(crate) fn fail_of_error(module: &dyn AnyCell, incarnation: u32, task: &str, error: &ModuleError) {
    let text = error.chain();
    let failure = Failure::Task { task: task.to_owned(), text: text.clone() };
    if !module.break_off(Culprit::Incarnation(incarnation), failure) {
        let (module, id) = (module.core().module_name(), module.core().id);
        tracing::warn!(%module, %id, task, text, "a task failed when its module was not running any more");
    }
}

/// As [`fail_of_error`], of one that has panicked.
pub(crate) fn fail_of_panic(module: &dyn AnyCell, incarnation: u32, task: &str, text: &str) {
    let core = module.core();
    #[cfg(feature = "observe")]
    core.count_panic();
    let failure = Failure::Task { task: task.to_owned(), text: format!("panicked: {text}") };
    if !module.break_off(Culprit::Incarnation(incarnation), failure) {
        let (module, id) = (core.module_name(), core.id);
        tracing::error!(%module, %id, task, text, "a task panicked when its module was not running any more");
    }
}

/// The tasks of one module that have not ended.
#[derive(Default)]
pub(crate) struct Tasks {
    list: TaskList,
}

impl Tasks {
    pub(crate) fn spawn<F>(
        &self,
        module: Arc<dyn AnyCell>,
        incarnation: u32,
        name: String,
        future: F,
    ) -> Task<F::Output>
    where
        F: Future<Output: TaskOutput> + Send + 'static,
    {
        let state = Mutex::new(State::Running(Taker::Handle(None)));
        let shared = Arc::new(Shared { name, module, incarnation, state });
        self.list.spawn(future, Reported(Arc::clone(&shared)));
        Task { shared }
    }

    pub(crate) async fn join(self) {
        self.list.close();
        self.list.join().await;
    }

    /// Where others may spawn, too.
    #[cfg(feature = "session")]
    pub(crate) fn list(&self) -> TaskList {
        self.list.clone()
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.list.close();
    }
}

/// Reports the end of a task, also of one that was cancelled.
struct Reported<O: TaskOutput>(Arc<Shared<O>>);

impl<O: TaskOutput> HearsEnd for Reported<O> {
    type Output = O;

    fn ended(&self, end: TaskEnd<O>) {
        let task = || self.0.name.clone();
        self.0.end(match end {
            TaskEnd::Returned(output) => Ok(output),
            TaskEnd::Panicked(text) => Err(TaskError::Panicked { task: task(), text }),
            TaskEnd::Cancelled => Err(TaskError::Cancelled { task: task() }),
        });
    }
}

/// Any panic's payload, as the worker and the tasks see it.
pub(crate) type Panic = Box<dyn Any + Send>;
