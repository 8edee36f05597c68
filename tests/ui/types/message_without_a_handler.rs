use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

struct Add(u64);
struct Remove;

#[module]
impl Counter {
    #[handler]
    fn add(&mut self, Add(n): Add) {
        self.count += n;
    }

    #[handler(Get)]
    fn get(&self) -> u64 {
        self.count
    }
}

async fn send(counter: ModuleRef<Counter>) {
    let _ = counter.send(Remove).await;
    let _ = counter.ask(Remove).await;
}

fn main() {}
