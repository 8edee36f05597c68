use murmer::prelude::*;

#[derive(Debug)]
struct Counter;

struct CounterState {
    count: u64,
}

impl Actor for Counter {
    type State = CounterState;
}

#[handlers]
impl Counter {
    #[handler]
    fn add(&mut self, _ctx: &ActorContext<Self>, state: &mut CounterState, by: u64) {
        state.count += by;
    }

    #[handler]
    fn get(&mut self, _ctx: &ActorContext<Self>, state: &mut CounterState) -> u64 {
        state.count
    }
}

#[tokio::main]
async fn main() {
    let system = System::local();
    let counter = system.start("counter", Counter, CounterState { count: 0 });
    counter.add(5).await.unwrap();
    println!("{}", counter.get().await.unwrap());
}
