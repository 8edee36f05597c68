use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get)]
    async fn get(&mut self) -> u64 {
        let local = std::rc::Rc::new(1);
        tokio::task::yield_now().await;
        self.count + *local
    }
}

fn main() {}
