use xtra::prelude::*;

#[derive(xtra::Actor)]
struct Counter {
    count: u64,
}

struct Add {
    by: u64,
}

struct Get;

impl Handler<Add> for Counter {
    type Return = ();

    async fn handle(&mut self, Add { by }: Add, _: &mut Context<Self>) {
        self.count += by;
    }
}

impl Handler<Get> for Counter {
    type Return = u64;

    async fn handle(&mut self, Get: Get, _: &mut Context<Self>) -> u64 {
        self.count
    }
}

#[tokio::main]
async fn main() {
    let counter = xtra::spawn_tokio(Counter { count: 0 }, Mailbox::unbounded());
    let _ = counter.send(Add { by: 5 }).detach().await.unwrap();
    println!("{}", counter.send(Get).await.unwrap());
}
