//! `#[handler(boxed)]`: a large message in a small enum, which senders do not notice.
#![deny(warnings)]

use dms::prelude::*;
use dms::{Accepts, MessageSet};

#[module]
struct Store {
    total: u64,
}

struct Blob([u8; 4096]);

#[module]
impl Store {
    #[handler(boxed)]
    async fn keep(&mut self, Blob(bytes): Blob) -> usize {
        self.total += u64::from(bytes[0]);
        bytes.len()
    }

    #[handler(Fill, boxed, derive(Clone))]
    fn fill(&mut self, bytes: [u8; 4096], reply: ReplyTo<u64>) {
        self.total += u64::from(bytes[1]);
        reply.send(self.total);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    assert!(size_of::<StoreMessage>() <= 32);
    let system = System::new();
    let store = system.register_module(Store { total: 0 }).await?;
    assert_eq!(store.keep(Blob([3; 4096])).await?, 4096);
    assert_eq!(store.fill([4; 4096]).await?, 7);
    system.shutdown().await;

    // What is refused comes back unboxed.
    let refused = store.send(Blob([5; 4096])).await.expect_err("the module has stopped").into_message();
    assert_eq!(refused.0[0], 5);
    let name = <StoreMessage as Accepts<Blob, Store>>::handler();
    assert_eq!(name, "keep");
    fn is_message_set<M: MessageSet<Store>>() {}
    is_message_set::<StoreMessage>();
    Ok(())
}
