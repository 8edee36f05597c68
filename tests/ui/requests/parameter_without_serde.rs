use dms::prelude::*;

#[module]
struct Cache<K> {
    last: Option<K>,
}

#[module]
impl<K> Cache<K> {
    #[handler(Put, remote)]
    fn put(&mut self, key: K) {
        self.last = Some(key);
    }
}

fn main() {}
