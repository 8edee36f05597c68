use kameo::Actor;
use kameo::actor::Spawn;
use kameo::message::{Context, Message};

#[derive(Actor)]
struct Counter {
    count: u64,
}

struct Add {
    by: u64,
}

struct Get;

impl Message<Add> for Counter {
    type Reply = ();

    async fn handle(&mut self, Add { by }: Add, _: &mut Context<Self, Self::Reply>) {
        self.count += by;
    }
}

impl Message<Get> for Counter {
    type Reply = u64;

    async fn handle(&mut self, Get: Get, _: &mut Context<Self, Self::Reply>) -> u64 {
        self.count
    }
}

#[tokio::main]
async fn main() {
    let counter = Counter::spawn(Counter { count: 0 });
    counter.tell(Add { by: 5 }).await.unwrap();
    println!("{}", counter.ask(Get).await.unwrap());
}
