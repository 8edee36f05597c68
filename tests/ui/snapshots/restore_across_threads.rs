use dms::prelude::*;
use std::rc::Rc;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[restore]
    async fn restore(&mut self, count: u64, _from: Version) {
        let count = Rc::new(count);
        tokio::task::yield_now().await;
        self.count = *count;
    }
}

fn main() {}
