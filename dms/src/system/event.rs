//! Events: published once, delivered to every module that subscribed.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

use super::published::{Published, Target};
use super::registry::Shared;
use super::system_event::{Event, Shutdown, custom_name, in_other_form, other_form};
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
pub(super) enum Audience<'a> {
    Everybody,
    /// These modules, as far as they subscribed.
    #[allow(dead_code, reason = "for events about single modules")]
    Only(&'a [ModuleId]),
    /// Also modules that have been told to stop.
    EvenStopping,
}

impl Audience<'_> {
    fn has(self, id: ModuleId) -> bool {
        match self {
            Self::Only(ids) => ids.contains(&id),
            Self::Everybody | Self::EvenStopping => true,
        }
    }
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
    pub(super) fn publish<E: Send + Sync + 'static>(&self, event: E, audience: Audience<'_>) -> Published {
        let (same, other) = self.bus.audience(&event);
        let chosen = |lists: &[Arc<Subscribers>]| {
            lists.iter().flat_map(|list| list.iter()).filter(|(id, _)| audience.has(*id)).count()
        };
        let (same_count, other_count) = (chosen(&same), chosen(&other));
        if same_count + other_count == 0 {
            return Published::nobody();
        }
        // What waits in a handler of a module's has to know for whom.
        let is_tracked = current::waiting().is_some();
        let letter = Arc::new(Letter::new(event, same_count + other_count, is_tracked));
        let counted = Arc::clone(&letter) as Arc<dyn AnyLetter>;
        let other_letter = if other_count > 0 { in_other_form(&letter.event, Arc::clone(&counted)) } else { None };
        let same = same.iter().flat_map(|list| list.iter()).map(|subscriber| (subscriber, Some(&counted)));
        let other = other.iter().flat_map(|list| list.iter()).map(|subscriber| (subscriber, other_letter.as_ref()));
        let mut targets = Vec::new();
        let to_all = same.chain(other).filter(|((id, _), _)| audience.has(*id));
        for (place, ((_, subscriber), letter)) in (0..).zip(to_all) {
            let Some(letter) = letter else { continue };
            let past_gate = matches!(audience, Audience::EvenStopping);
            let delivered = deliver(&**subscriber, letter, place, past_gate);
            if is_tracked && let Delivered::At(position) = delivered {
                let module = Arc::clone(subscriber.subscription().module());
                targets.push(Target { module, position, place });
            }
        }
        Published::new(counted, Arc::clone(&self.environment), targets)
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

#[cfg(test)]
mod tests {
    use dms::prelude::*;
    use tokio::sync::mpsc;

    use super::*;

    struct Changed;

    #[module]
    struct Listener(usize, mpsc::UnboundedSender<usize>);

    #[module(visibility = "")]
    impl Listener {
        #[event]
        fn on_changed(&mut self, _: &Changed) -> Result<(), ModuleError> {
            Ok(self.1.send(self.0)?)
        }
    }

    #[tokio::test]
    async fn an_event_for_some_modules_reaches_these_alone() {
        let system = System::new();
        let (sender, mut heard) = mpsc::unbounded_channel();
        let mut ids = Vec::new();
        for number in 0..4 {
            ids.push(system.register_module(Listener(number, sender.clone())).await.unwrap().id());
        }
        let shared = system.shared().unwrap();
        let counts = shared.publish(Changed, Audience::Only(&[ids[3], ids[1]])).await;
        assert_eq!(counts.handled, 2);
        assert_eq!([heard.try_recv(), heard.try_recv()], [Ok(1), Ok(3)]);
        assert!(heard.try_recv().is_err());
        assert_eq!(shared.publish(Changed, Audience::Only(&[])).subscribers(), 0);
        assert_eq!(shared.publish(Changed, Audience::Everybody).await.handled, 4);
        system.shutdown().await;
    }
}
