//! Events: published once, delivered to every module that subscribed.

use std::any::{Any, TypeId};
use std::collections::HashMap;
#[cfg(feature = "config")]
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

use super::published::{Published, Target};
use super::registry::Shared;
use super::system_event::{Event, Shutdown, custom_name, in_other_form, other_form};
#[cfg(feature = "config")]
use crate::module::cell::Core;
use crate::module::lifecycle::IdMap;
use crate::module::subscription::{Delivered, Subscriber, Topic, deliver};
use crate::module::tally::{AnyLetter, Letter};
use crate::module::{ModuleId, current};

/// Who subscribed to what.
#[derive(Default)]
pub(super) struct Bus {
    topics: RwLock<Topics>,
    /// Whether anything was ever subscribed to: a system without events pays for none.
    is_used: AtomicBool,
}

#[derive(Default)]
struct Topics {
    by_type: HashMap<TypeId, Arc<Subscribers>>,
    /// The custom events of a name.
    by_name: HashMap<&'static str, Arc<Subscribers>>,
    of_module: IdMap<Vec<Topic>>,
}

/// In the order of registration. A publisher takes the list with it and needs no lock to go through it.
type Subscribers = Vec<(ModuleId, Arc<dyn Subscriber>)>;

/// To which subscribers an event goes.
#[derive(Clone, Copy)]
pub(super) enum Audience {
    Everybody,
    /// Also modules that have been told to stop.
    EvenStopping,
}

impl Topics {
    fn list(&self, topic: Topic) -> Option<&Arc<Subscribers>> {
        match topic.custom {
            None => self.by_type.get(&topic.event),
            Some(name) => self.by_name.get(name),
        }
    }
}

impl Bus {
    /// Adds a subscriber, unless the module has subscribed to the topic already.
    pub(super) fn subscribe(&self, topic: Topic, subscriber: Arc<dyn Subscriber>) {
        let id = subscriber.subscription().module().core().id;
        let mut topics = self.topics.write();
        self.is_used.store(true, Ordering::Release);
        let list = match topic.custom {
            None => topics.by_type.entry(topic.event).or_default(),
            Some(name) => topics.by_name.entry(name).or_default(),
        };
        // Copied only where a publisher goes through it just now.
        if let Err(place) = list.binary_search_by_key(&id, |(id, _)| *id) {
            Arc::make_mut(list).insert(place, (id, subscriber));
            topics.of_module.entry(id).or_default().push(topic);
        }
    }

    /// Takes out a module that has ended. Returns whether it had subscribed to anything.
    fn remove(&self, id: ModuleId) -> bool {
        if !self.is_used.load(Ordering::Acquire) {
            return false;
        }
        let mut removed = Vec::new();
        let mut topics = self.topics.write();
        for topic in topics.of_module.remove(&id).unwrap_or_default() {
            let list = match topic.custom {
                None => topics.by_type.get_mut(&topic.event),
                Some(name) => topics.by_name.get_mut(name),
            };
            let Some(list) = list else { continue };
            if let Ok(place) = list.binary_search_by_key(&id, |(id, _)| *id) {
                removed.push(Arc::make_mut(list).remove(place));
            }
            if list.is_empty() {
                match topic.custom {
                    None => topics.by_type.remove(&topic.event),
                    Some(name) => topics.by_name.remove(name),
                };
            }
        }
        drop(topics);
        // Not under the lock: with it may go the last of a module.
        let had_any = !removed.is_empty();
        drop(removed);
        had_any
    }

    /// The module as a subscriber of the topic.
    pub(super) fn subscriber(&self, id: ModuleId, topic: Topic) -> Option<Arc<dyn Subscriber>> {
        let topics = self.topics.read();
        let list = topics.list(topic)?;
        let place = list.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(Arc::clone(&list[place].1))
    }

    /// Whether anybody gets events of this type, which has no other form.
    pub(super) fn is_heard(&self, event: TypeId) -> bool {
        self.is_used.load(Ordering::Acquire) && self.topics.read().by_type.contains_key(&event)
    }

    /// Whether anybody gets the system's events of this type.
    pub(super) fn has_subscribers<E: 'static>(&self) -> bool {
        let topics = self.topics.read();
        [TypeId::of::<E>(), TypeId::of::<Event>()].iter().any(|event| topics.by_type.contains_key(event))
    }

    /// Who gets this event as it is, and who gets it in its other form.
    fn audience(&self, event: &dyn Any) -> (Vec<Arc<Subscribers>>, Vec<Arc<Subscribers>>) {
        let mut lists = (Vec::new(), Vec::new());
        if !self.is_used.load(Ordering::Acquire) {
            return lists;
        }
        let (other, name) = (other_form(event), custom_name(event));
        let topics = self.topics.read();
        lists.0.extend(topics.by_type.get(&event.type_id()).cloned());
        lists.1.extend(other.and_then(|other| topics.by_type.get(&other)).cloned());
        let named = name.and_then(|name| topics.by_name.get(name)).cloned();
        if event.is::<Event>() { &mut lists.1 } else { &mut lists.0 }.extend(named);
        lists
    }
}

impl Shared {
    /// Delivers an event to all who subscribed to it.
    pub(super) fn publish<E: Send + Sync + 'static>(&self, event: E, audience: Audience) -> Published {
        let (same, other) = self.bus.audience(&event);
        let count = |lists: &[Arc<Subscribers>]| lists.iter().map(|list| list.len()).sum::<usize>();
        let (same_count, other_count) = (count(&same), count(&other));
        if same_count + other_count == 0 {
            return Published::nobody();
        }
        let letter = Arc::new(Letter::new(event, same_count + other_count, is_tracked()));
        let counted = Arc::clone(&letter) as Arc<dyn AnyLetter>;
        let other_letter = if other_count > 0 { in_other_form(&letter.event, Arc::clone(&counted)) } else { None };
        let same = same.iter().flat_map(|list| list.iter()).map(|(_, subscriber)| (&**subscriber, Some(&counted)));
        let other =
            other.iter().flat_map(|list| list.iter()).map(|(_, subscriber)| (&**subscriber, other_letter.as_ref()));
        let letters = same.chain(other).filter_map(|(subscriber, letter)| Some((subscriber, letter?)));
        self.deliver(letters, &counted, audience)
    }

    /// Asks for each subscriber whether there is an event for it, and which. All of these together are one publication.
    #[cfg(feature = "config")]
    pub(super) fn publish_each<E: Send + Sync + 'static>(&self, event_for: impl Fn(&Core) -> Option<E>) -> Published {
        let Some(subscribers) = self.bus.topics.read().by_type.get(&TypeId::of::<E>()).cloned() else {
            return Published::nobody();
        };
        let events: Vec<_> = subscribers
            .iter()
            .filter_map(|(_, subscriber)| Some((&**subscriber, event_for(subscriber.subscription().module().core())?)))
            .collect();
        let count = events.len();
        let mut events = events.into_iter();
        let Some((first, event)) = events.next() else { return Published::nobody() };
        let counted = Arc::new(Letter::new(event, count, is_tracked())) as Arc<dyn AnyLetter>;
        let others = events.map(|(subscriber, event)| {
            (subscriber, Arc::new(Letter::counted_by(event, Arc::clone(&counted))) as Arc<dyn AnyLetter>)
        });
        let letters: Vec<_> = iter::once((first, Arc::clone(&counted))).chain(others).collect();
        self.deliver(letters.iter().map(|(subscriber, letter)| (*subscriber, letter)), &counted, Audience::Everybody)
    }

    /// Brings each letter to its subscriber; all are counted by `counted`.
    fn deliver<'a>(
        &self,
        letters: impl Iterator<Item = (&'a dyn Subscriber, &'a Arc<dyn AnyLetter>)>,
        counted: &Arc<dyn AnyLetter>,
        audience: Audience,
    ) -> Published {
        let past_gate = matches!(audience, Audience::EvenStopping);
        let is_tracked = is_tracked();
        let mut targets = Vec::new();
        for (place, (subscriber, letter)) in (0..).zip(letters) {
            let delivered = deliver(subscriber, letter, place, past_gate);
            if is_tracked && let Delivered::At(position) = delivered {
                let module = Arc::clone(subscriber.subscription().module());
                targets.push(Target { module, position, place });
            }
        }
        Published::new(Arc::clone(counted), Arc::clone(&self.environment), targets)
    }

    /// Delivers nothing to the module any more.
    pub(super) fn unsubscribe(&self, id: ModuleId) {
        if self.bus.remove(id) {
            self.tend_sources();
        }
    }

    /// Tells all modules that the system shuts down; they have been told to stop already, and handle nothing else any more.
    pub(super) fn announce_shutdown(&self) -> Published {
        self.publish(Shutdown, Audience::EvenStopping).no_timeout()
    }
}

/// What waits in a handler of a module's has to know for whom.
fn is_tracked() -> bool {
    current::waiting().is_some()
}

#[cfg(all(test, feature = "config"))]
mod tests {
    use dms::prelude::*;
    use tokio::sync::mpsc;

    use super::*;
    use crate::event::EventCounts;

    struct Changed(usize);

    #[module]
    struct Listener(mpsc::UnboundedSender<usize>);

    #[module(visibility = "")]
    impl Listener {
        #[event]
        fn on_changed(&mut self, event: &Changed) -> Result<(), ModuleError> {
            Ok(self.0.send(event.0)?)
        }
    }

    #[tokio::test]
    async fn an_event_for_some_modules_reaches_these_alone_and_is_counted_once() {
        let system = System::new();
        let (sender, mut heard) = mpsc::unbounded_channel();
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(system.register_module(Listener(sender.clone())).await.unwrap().id());
        }
        let shared = system.shared().unwrap();
        let only = |module: &Core| ids.iter().position(|id| *id == module.id).filter(|place| place % 2 == 1);
        let counts = shared.publish_each(|module| only(module).map(Changed)).await;
        assert_eq!(counts, EventCounts { handled: 2, ..EventCounts::default() });
        let mut all = [heard.try_recv().unwrap(), heard.try_recv().unwrap()];
        all.sort_unstable();
        assert_eq!(all, [1, 3]);
        assert!(heard.try_recv().is_err());
        assert_eq!(shared.publish_each(|_| None::<Changed>).subscribers(), 0);
        assert_eq!(shared.publish(Changed(7), Audience::Everybody).await.handled, 4);
        system.shutdown().await;
    }
}
