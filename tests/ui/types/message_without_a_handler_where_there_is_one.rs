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

struct Remove;

async fn send(counter: ModuleRef<Counter>) {
    let _ = counter.send(Remove).await;
}

fn main() {}
