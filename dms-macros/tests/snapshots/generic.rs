#[module(version = "0.1.0")]
struct Cache<K, V, P = (), const N: usize = 8>
where
    K: Hash,
{
    entries: HashMap<K, V>,
    policy: PhantomData<P>,
}

#[module]
impl<K: Hash + Eq, V, P, const N: usize> Cache<K, V, P, N>
where
    V: From<K>,
    Self: Sized,
{
    #[handler(Put)]
    async fn put(&mut self, key: K, spare: [u8; N]) -> Option<V> {
        None
    }

    #[handler]
    fn forget(&mut self, Forget(key): Forget<K>) -> bool {
        self.entries.remove(&key).is_some()
    }

    #[tick(every = "1h")]
    fn sweep(&mut self) {}
}
