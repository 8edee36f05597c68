use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Add)]
    fn add(&mut self, by: u64) {
        self.count += by;
    }

    #[handler(Get)]
    fn get(&self) -> u64 {
        self.count
    }
}

#[tokio::main]
async fn main() {
    let system = System::new();
    let counter = system.register_module(Counter { count: 0 }).await.unwrap();
    counter.send(Add { by: 5 }).await.unwrap();
    println!("{}", counter.get().await.unwrap());
    system.shutdown().await;
}
