use actix::prelude::*;

struct Counter {
    count: u64,
}

impl Actor for Counter {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "()")]
struct Add {
    by: u64,
}

#[derive(Message)]
#[rtype(result = "u64")]
struct Get;

impl Handler<Add> for Counter {
    type Result = ();

    fn handle(&mut self, Add { by }: Add, _: &mut Context<Self>) {
        self.count += by;
    }
}

impl Handler<Get> for Counter {
    type Result = u64;

    fn handle(&mut self, Get: Get, _: &mut Context<Self>) -> u64 {
        self.count
    }
}

#[actix::main]
async fn main() {
    let counter = Counter { count: 0 }.start();
    counter.do_send(Add { by: 5 });
    println!("{}", counter.send(Get).await.unwrap());
}
