use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self) -> u64 {
        self.count
    }
}

async fn take(counter: ModuleRef<Counter>) {
    let _ = counter.snapshot().await;
}

fn main() {}
