use tokio::sync::{mpsc, oneshot};

enum Message {
    Add(u64),
    Get(oneshot::Sender<u64>),
}

#[tokio::main]
async fn main() {
    let (counter, mut inbox) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut count = 0;
        while let Some(message) = inbox.recv().await {
            match message {
                Message::Add(by) => count += by,
                Message::Get(reply) => drop(reply.send(count)),
            }
        }
    });
    counter.send(Message::Add(5)).unwrap();
    let (reply, answer) = oneshot::channel();
    counter.send(Message::Get(reply)).unwrap();
    println!("{}", answer.await.unwrap());
}
