//! What lies between a publisher and a module: which events wait, how many more may, and how many did not come.
//!
//! An event never waits for room. Beyond the bound of a subscription it is missed and counted; the count goes to the module in the place of
//! what it missed, as [`Lagged`], once the module has worked half of its backlog down. Until then more is missed: one long gap rather than many.

use std::any::{Any, TypeId};
use std::fmt;
use std::mem;
use std::sync::Arc;

use parking_lot::Mutex;

use super::cell::{AnyCell, Cell};
use super::context::Context;
use super::current;
use super::event::{EventDelivery, Lagged};
use super::handler::{Answers, Module};
use super::mailbox::Woken;
use super::message_set::{Accepts, Owner};
use super::module_ref::ModuleRef;
use super::reply::{NoAnswer, ReplyTo};
use super::tally::{AnyLetter, Letter, Outcome};

/// How many events of a subscription may wait or be handled where nothing else is said.
pub(crate) const DEFAULT_BUFFER: usize = 1_024;

/// What can be subscribed to: all events of a type, or the custom ones of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    pub(crate) event: TypeId,
    pub(crate) custom: Option<&'static str>,
}

impl Topic {
    pub(crate) fn of<E: 'static>() -> Self {
        Self { event: TypeId::of::<E>(), custom: None }
    }
}

/// The part of a subscription that its deliveries share.
pub struct Subscription {
    module: Arc<dyn AnyCell>,
    pub(crate) handler: &'static str,
    buffer: usize,
    backlog: Mutex<Backlog>,
}

#[derive(Default)]
struct Backlog {
    /// Events in the mailbox, and the one that is handled.
    pending: usize,
    /// Events that did not come since.
    missed: u64,
}

/// A module that gets the events of a topic.
pub trait Subscriber: Send + Sync {
    #[doc(hidden)]
    fn subscription(&self) -> &Arc<Subscription>;

    /// Puts a letter into the mailbox. It is called under the lock of the subscription's backlog, so what may run or drop anything of the user's is given back.
    #[doc(hidden)]
    fn put(&self, letter: Arc<dyn AnyLetter>, place: u32, past_gate: bool) -> Put;
}

/// What is left to do when a letter was put, once no lock is held.
pub enum Put {
    /// It stands at this position.
    At(u64, Woken),
    /// The module refuses it.
    Refused(Box<dyn Send>),
}

/// What became of a letter.
pub(crate) enum Delivered {
    At(u64),
    Refused,
    Missed,
}

impl Put {
    fn finish(self, module: &dyn AnyCell) -> Delivered {
        match self {
            Self::At(position, woken) => {
                woken.finish(module.core());
                Delivered::At(position)
            }
            Self::Refused(message) => {
                current::discard(NoAnswer::Stopped, message);
                Delivered::Refused
            }
        }
    }
}

/// Brings a letter to a subscriber, unless it is too far behind.
pub(crate) fn deliver(
    subscriber: &dyn Subscriber,
    letter: &Arc<dyn AnyLetter>,
    place: u32,
    past_gate: bool,
) -> Delivered {
    let delivered = subscriber.subscription().deliver(subscriber, Arc::clone(letter), place, past_gate);
    if matches!(delivered, Delivered::Missed) {
        letter.tally().count(place, Outcome::Lagged);
    }
    delivered
}

impl Subscription {
    fn deliver(
        &self,
        subscriber: &dyn Subscriber,
        letter: Arc<dyn AnyLetter>,
        place: u32,
        past_gate: bool,
    ) -> Delivered {
        let mut backlog = self.backlog.lock();
        if backlog.missed > 0 || backlog.pending >= self.buffer {
            backlog.missed += 1;
            return Delivered::Missed;
        }
        backlog.pending += 1;
        let put = subscriber.put(letter, place, past_gate);
        drop(backlog);
        put.finish(&*self.module)
    }

    /// The module that subscribed.
    pub(crate) fn module(&self) -> &Arc<dyn AnyCell> {
        &self.module
    }

    pub(crate) fn name(&self) -> String {
        self.module.core().name()
    }

    /// Notes that the module is through with an event.
    pub(crate) fn release(&self) {
        let mut backlog = self.backlog.lock();
        backlog.pending -= 1;
        let may_tell = self.may_tell(&backlog);
        drop(backlog);
        if may_tell {
            self.tell_missed();
        }
    }

    /// Whether events were missed, and the module has worked down enough of the others to hear of it.
    fn may_tell(&self, backlog: &Backlog) -> bool {
        backlog.missed > 0 && backlog.pending <= self.buffer / 2
    }

    #[cold]
    fn tell_missed(&self) {
        let core = self.module.core();
        let receiver = core.environment.host().and_then(|host| host.subscriber(core.id, Topic::of::<Lagged>()));
        let mut backlog = self.backlog.lock();
        if !self.may_tell(&backlog) {
            return;
        }
        let missed = mem::take(&mut backlog.missed);
        let Some(receiver) = receiver else {
            drop(backlog);
            let (module, handler) = (core.name(), self.handler);
            tracing::warn!(
                module,
                handler,
                missed,
                "events came faster than the module handles them: widen `buffer = N`, or take `&Lagged` in an `#[event]`"
            );
            return;
        };
        // Under this lock, so that no later event of the subscription comes before it. That of the other subscription is free: it never lags.
        let letter = Arc::new(Letter::new(Lagged::new(missed, self.handler), 1, false));
        receiver.subscription().backlog.lock().pending += 1;
        let put = receiver.put(letter, 0, false);
        drop(backlog);
        put.finish(&*self.module);
    }
}

/// A subscriber of a known type.
struct Receiver<T: Module, E: Send + Sync + 'static> {
    subscription: Arc<Subscription>,
    cell: Arc<Cell<Owner<T>>>,
    pack: fn(EventDelivery<E>) -> T::Message,
}

impl<T: Module, E: Send + Sync + 'static> Subscriber for Receiver<T, E> {
    fn subscription(&self) -> &Arc<Subscription> {
        &self.subscription
    }

    fn put(&self, letter: Arc<dyn AnyLetter>, place: u32, past_gate: bool) -> Put {
        let letter: Arc<dyn Any + Send + Sync> = letter;
        let Ok(letter) = letter.downcast::<Letter<E>>() else { unreachable!("a topic has events of one type") };
        let delivery = EventDelivery::new(letter, Arc::clone(&self.subscription), place);
        match self.cell.mailbox.push_event(&self.cell.core, (self.pack)(delivery), past_gate) {
            Ok((position, woken)) => Put::At(position, woken),
            Err(message) => Put::Refused(Box::new(message)),
        }
    }
}

/// An event handler of a module, as `#[event]` writes it.
pub struct Subscribe<T: Module, E> {
    handler: &'static str,
    custom: Option<&'static str>,
    buffer: usize,
    pack: fn(EventDelivery<E>) -> T::Message,
}

impl<T: Module, E> Subscribe<T, E> {
    /// Describes the event handler `handler`, whose deliveries are made messages by `pack`.
    #[must_use]
    pub const fn new(handler: &'static str, pack: fn(EventDelivery<E>) -> T::Message) -> Self {
        Self { handler, custom: None, buffer: DEFAULT_BUFFER, pack }
    }

    /// Restricts it to the custom events of this name.
    #[must_use]
    pub const fn custom(mut self, name: &'static str) -> Self {
        self.custom = Some(name);
        self
    }

    /// Lets so many events wait.
    #[must_use]
    pub const fn buffer(mut self, buffer: usize) -> Self {
        self.buffer = buffer;
        self
    }
}

impl<T: Module, E> fmt::Debug for Subscribe<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribe")
            .field("handler", &self.handler)
            .field("buffer", &self.buffer)
            .finish_non_exhaustive()
    }
}

/// An event handler of the module `T`, whatever its event.
pub trait EventHandler<T: Module> {
    #[doc(hidden)]
    fn subscriber(&self, module: &ModuleRef<T>) -> (Topic, Arc<dyn Subscriber>);
}

impl<T: Module, E: Send + Sync + 'static> EventHandler<T> for Subscribe<T, E> {
    fn subscriber(&self, module: &ModuleRef<T>) -> (Topic, Arc<dyn Subscriber>) {
        let topic = Topic { custom: self.custom, ..Topic::of::<E>() };
        // That something was missed is told in any case, and there is at most as much of it as of what it tells of.
        let buffer = if topic == Topic::of::<Lagged>() { usize::MAX } else { self.buffer };
        let subscription = Arc::new(Subscription {
            module: Arc::clone(&module.cell) as Arc<dyn AnyCell>,
            handler: self.handler,
            buffer,
            backlog: Mutex::default(),
        });
        (topic, Arc::new(Receiver::<T, E> { subscription, cell: Arc::clone(&module.cell), pack: self.pack }))
    }
}

impl<T: Module> Context<T> {
    /// Subscribes this module to the events of type `E`, which it handles as messages of type [`EventDelivery<E>`]; `#[event]` does it by itself.
    ///
    /// Up to 1,024 events wait or are handled; beyond that they are missed, and [`Lagged`] says how many. A subscription lasts as long as the module.
    /// Subscribing again changes nothing.
    pub fn subscribe<E>(&self)
    where
        E: Send + Sync + 'static,
        T: Answers<EventDelivery<E>>,
    {
        self.subscribe_buffered::<E>(DEFAULT_BUFFER);
    }

    /// As [`subscribe`](Self::subscribe), with a bound of `buffer` events; 0 is taken as 1.
    pub fn subscribe_buffered<E>(&self, buffer: usize)
    where
        E: Send + Sync + 'static,
        T: Answers<EventDelivery<E>>,
    {
        let Some(host) = self.cell.core.environment.host() else { return };
        let pack = |delivery| T::Message::pack(delivery, ReplyTo::nobody());
        let subscribe = Subscribe::<T, E>::new(T::Message::handler(), pack).buffer(buffer.max(1));
        let (topic, subscriber) = subscribe.subscriber(&self.self_ref());
        host.subscribe(topic, subscriber);
    }
}
