//! Handlers that take a `ReplyTo`: anywhere among the arguments, in both forms, answered at once, later and from another task.
#![deny(warnings)]

use dms::prelude::*;

#[module]
#[derive(Default)]
struct Desk {
    waiting: Vec<ReplyTo<u64>>,
}

struct Echo(u64);

#[module]
impl Desk {
    #[handler]
    fn echo(&mut self, reply: ReplyTo<u64>, Echo(n): Echo) {
        reply.send(n);
    }

    #[handler(Wait)]
    fn wait(&mut self, ctx: &mut Context<Self>, reply: ReplyTo<u64>) {
        assert_eq!(ctx.id(), ctx.self_ref().id());
        self.waiting.push(reply);
    }

    #[handler(Release, derive(Clone))]
    async fn release(&mut self, with: u64, reply: ReplyTo<Result<usize, String>>, plus: u64) {
        let count = self.waiting.len();
        for waiting in self.waiting.drain(..) {
            tokio::spawn(async move { waiting.send(with + plus) });
        }
        reply.send(Ok(count));
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::new();
    let desk = system.register_module(Desk::default()).await?;
    assert_eq!(desk.echo(Echo(7)).await?, 7);
    let other = desk.clone();
    let waiting = tokio::spawn(async move { other.wait().await });
    tokio::task::yield_now().await;
    while desk.release(1, 2).await? == Ok(0) {}
    assert_eq!(waiting.await??, 3);
    system.shutdown().await;
    Ok(())
}
