use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get, inline)]
    fn get(&self) -> u64 {
        self.count
    }

    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
        while let Some(message) = inbox.recv().await {
            inbox.dispatch(message, self, ctx).await;
        }
    }
}

fn main() {}
