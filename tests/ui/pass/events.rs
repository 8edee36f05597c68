//! Every form of event handler: sync and async, `&self` and `&mut self`, with and without the context, with each kind of result; of types of
//! one's own, generic ones, under a condition and of a private module.
#![deny(warnings)]

use std::collections::HashMap;
use std::hash::Hash;

use dms::event::{CpuHotplug, Custom, Lagged, MemoryPressure, Shutdown, Tick};
use dms::prelude::*;

#[module]
pub struct Cache {
    entries: Vec<u8>,
}

/// Is sold.
pub mod shop {
    /// What was sold.
    pub struct Sold(pub String);
}

#[module]
impl Cache {
    /// Documented.
    #[event]
    fn on_tick(&mut self, tick: &Tick) {
        self.entries.push(u8::from(tick.timestamp_ns == 0));
    }

    #[event]
    async fn on_shutdown(&self, _: &Shutdown) {
        tokio::task::yield_now().await;
    }

    #[event]
    async fn on_pressure(&mut self, ctx: &mut Context<Self>, event: &MemoryPressure) -> EventResponse {
        tokio::task::yield_now().await;
        assert_eq!(ctx.id(), ctx.self_ref().id());
        self.entries.push(event.level as u8);
        EventResponse::Handled
    }

    #[event]
    fn on_hotplug(&mut self, &CpuHotplug { cpu_id, online }: &CpuHotplug) -> Result<(), std::num::TryFromIntError> {
        self.entries.push(u8::try_from(cpu_id)? + u8::from(online));
        Ok(())
    }

    #[event(custom = "cache.flushed", buffer = 1_000)]
    async fn on_flushed(&mut self, event: &Custom) -> Result<EventResponse, ModuleError> {
        self.entries.extend(&event.data);
        Ok(EventResponse::Handled)
    }

    #[event]
    fn on_custom(&mut self, event: &dms::event::Custom) -> Result<EventResponse, String> {
        Err(event.name.clone())
    }

    #[event(buffer = 8)]
    fn on_sold(&mut self, sold: &shop::Sold) -> EventResponse {
        if sold.0.is_empty() { EventResponse::Ignored } else { EventResponse::Handled }
    }

    #[event]
    fn on_lagged(&mut self, lagged: &Lagged) {
        self.entries.push(u8::from(lagged.missed > 1));
    }

    #[event]
    fn on_any(&mut self, event: &Event) -> EventResponse {
        match event {
            Event::Shutdown => EventResponse::Handled,
            _ => EventResponse::Ignored,
        }
    }

    #[cfg(unix)]
    #[event]
    fn on_text(&mut self, text: &String) {
        self.entries.extend(text.bytes());
    }

    #[cfg(not(unix))]
    #[event]
    fn on_text_elsewhere(&mut self, _: &String) {}

    #[cfg(any())]
    #[event]
    fn never(&mut self, _: &Nothing) {}
}

#[module]
struct Index<K, V> {
    entries: HashMap<K, V>,
}

/// Was put.
pub struct Put<K, V>(pub K, pub V);

#[module(visibility = "pub(crate)")]
impl<K, V> Index<K, V>
where
    K: Eq + Hash + Clone + Sync,
    V: Clone + Sync,
{
    #[event]
    fn on_put(&mut self, Put(key, value): &Put<K, V>) {
        self.entries.insert(key.clone(), value.clone());
    }

    #[handler(Len)]
    fn len(&self) -> usize {
        self.entries.len()
    }
}

struct Secret(u64);

#[module]
struct Hidden {
    last: u64,
}

#[module(visibility = "")]
impl Hidden {
    #[event]
    fn on_secret(&mut self, secret: &Secret) {
        self.last = secret.0;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::new();
    system.register_module(Cache { entries: Vec::new() }).await?;
    let index = system.register_module(Index { entries: HashMap::<u64, String>::new() }).await?;
    system.register_module(Hidden { last: 0 }).await?;
    assert_eq!(system.publish(Put(7_u64, "seven".to_owned())).await.handled, 1);
    assert_eq!(index.len().await?, 1);
    assert_eq!(system.publish(Put(7_u32, "seven".to_owned())).await.handled, 0);
    assert_eq!(system.publish(Secret(1)).await.handled, 1);
    assert_eq!(system.publish(String::new()).await.handled, 1);
    let flushed = system.publish(Custom::new("cache.flushed", [1])).await;
    assert_eq!((flushed.handled, flushed.failed, flushed.ignored), (1, 1, 1));
    assert_eq!(system.publish(CpuHotplug { cpu_id: 300, online: true }).await.failed, 1);
    assert!(system.shutdown().await.complete);
    Ok(())
}
