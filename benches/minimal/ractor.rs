use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, call, cast};

struct Counter;

enum Message {
    Add(u64),
    Get(RpcReplyPort<u64>),
}

impl Actor for Counter {
    type Msg = Message;
    type State = u64;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Message>, (): ()) -> Result<u64, ActorProcessingErr> {
        Ok(0)
    }

    async fn handle(&self, _: ActorRef<Message>, message: Message, count: &mut u64) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Add(by) => *count += by,
            Message::Get(reply) => reply.send(*count)?,
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    let (counter, task) = Actor::spawn(None, Counter, ()).await.unwrap();
    cast!(counter, Message::Add(5)).unwrap();
    println!("{}", call!(counter, Message::Get).unwrap());
    counter.stop(None);
    task.await.unwrap();
}
