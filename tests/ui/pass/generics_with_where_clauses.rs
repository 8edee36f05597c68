//! Type and const parameters, bounds in both places, a parameter that no message mentions, `Self` in replies.
#![deny(warnings)]

use dms::prelude::*;
use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;

#[module(description = "Keeps values by key.")]
#[derive(Default)]
pub struct Cache<K, V, S: ?Sized = str, const N: usize = 4>
where
    V: Clone,
{
    entries: HashMap<K, V>,
    policy: PhantomData<S>,
}

pub struct Forget<K>(pub K);

#[module]
impl<K: Hash + Eq + Clone + Sync, V, S, const N: usize> Cache<K, V, S, N>
where
    V: Clone + From<K> + Sync,
    S: ?Sized + Sync,
    Option<V>: Clone,
    Self: Sized,
{
    #[handler(Put)]
    async fn put(&mut self, key: K, value: V, spare: [V; N]) -> Option<V> {
        assert_eq!(spare.len(), N);
        self.entries.insert(key, value)
    }

    #[handler(Load)]
    fn load(&self, key: K, ctx: &mut Context<Self>) -> Option<V> {
        assert_eq!(ctx.id(), ctx.self_ref().id());
        self.entries.get(&key).cloned()
    }

    #[handler(Length)]
    fn length(&self) -> usize {
        self.entries.len()
    }

    #[handler]
    fn forget(&mut self, Forget(key): Forget<K>, reply: ReplyTo<bool>) {
        reply.send(self.entries.remove(&key).is_some());
    }

    #[handler(Copied)]
    async fn copied(&self) -> Box<Self> {
        tokio::task::yield_now().await;
        Box::new(Self { entries: self.entries.clone(), policy: PhantomData })
    }

    #[tick(every = "1m 30s")]
    fn sweep(&mut self) {
        self.entries.clear();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::new();
    let cache: ModuleRef<Cache<String, String, str, 2>> =
        system.register_module(Cache { entries: HashMap::new(), policy: PhantomData }).await?;
    cache.put("a".into(), "b".into(), [const { String::new() }; 2]).await?;
    assert_eq!(cache.ask(Load { key: "a".to_owned() }).await?.as_deref(), Some("b"));
    assert_eq!(cache.length().await?, 1);
    assert_eq!(cache.copied().await?.entries.len(), 1);
    assert!(cache.forget(Forget("a".into())).await?);
    assert_eq!(cache.info().description, "Keeps values by key.");

    // The bounds of the handlers are those that callers state, and no others.
    async fn length<T>(cache: &ModuleRef<T>) -> usize
    where
        T: Handler<Length, Reply = usize>,
    {
        cache.ask(Length).await.expect("the cache runs")
    }
    assert_eq!(length(&cache).await, 0);
    system.shutdown().await;
    Ok(())
}
