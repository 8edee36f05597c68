//! Every form of hook: sync and async, `&self` and `&mut self`, with and without the context, with each kind of result, under any name.
#![deny(warnings)]

use dms::prelude::*;
use std::sync::{Arc, Mutex};

type Log = Arc<Mutex<Vec<&'static str>>>;

fn note(log: &Log, what: &'static str) {
    log.lock().expect("no test panics").push(what);
}

#[module]
struct Sync {
    log: Log,
}

#[module]
impl Sync {
    #[init]
    fn open(&mut self) {
        note(&self.log, "init");
    }

    #[start]
    fn go(&self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        assert_eq!(ctx.id(), ctx.self_ref().id());
        note(&self.log, "start");
        Ok(())
    }

    #[stop]
    fn close(&self) -> Result<(), std::io::Error> {
        note(&self.log, "stop");
        Ok(())
    }
}

#[module]
struct Async {
    log: Log,
}

#[module]
impl Async {
    #[init]
    async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), std::num::ParseIntError> {
        assert_eq!(ctx.id(), ctx.self_ref().id());
        note(&self.log, "init");
        "1".parse::<u8>().map(drop)
    }

    #[start]
    async fn start(&self) {
        tokio::task::yield_now().await;
        note(&self.log, "start");
    }

    #[stop]
    async fn stop(&mut self, ctx: &mut Context<Self>) {
        assert_eq!(ctx.id(), ctx.self_ref().id());
        note(&self.log, "stop");
    }
}

#[module]
struct Looping {
    log: Log,
    count: u64,
}

struct Add(u64);

#[module]
impl Looping {
    #[handler]
    fn add(&mut self, Add(n): Add) {
        self.count += n;
    }

    #[handler(Get)]
    async fn get(&self) -> u64 {
        self.count
    }

    #[run]
    async fn run(&mut self, ctx: &mut Context<Self>, inbox: &mut Inbox<Self>) -> Result<(), ModuleError> {
        note(&self.log, "run");
        while let Some(message) = inbox.recv().await {
            match message {
                LoopingMessage::Add(Add(n), reply) => {
                    self.count += 10 * n;
                    reply.send(());
                }
                other => inbox.dispatch(other, self, ctx).await,
            }
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let logs: [Log; 3] = Default::default();
    let system = System::new();
    system.register_module(Sync { log: logs[0].clone() }).await?;
    system.register_module(Async { log: logs[1].clone() }).await?;
    let looping = system.register_module(Looping { log: logs[2].clone(), count: 0 }).await?;
    looping.add(Add(2)).await?;
    assert_eq!(looping.get().await?, 20);
    system.shutdown().await;
    for log in &logs[..2] {
        assert_eq!(*log.lock().expect("no test panics"), ["init", "start", "stop"]);
    }
    assert_eq!(*logs[2].lock().expect("no test panics"), ["run"]);
    Ok(())
}
