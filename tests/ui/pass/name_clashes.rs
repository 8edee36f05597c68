//! Names that generated code uses too: they stay the user's.
#![deny(warnings)]
#![allow(dead_code)]

use dms::prelude::{Context, ModuleRef, System, handler, init, module, start, tick};

struct Option;
struct Some;
struct None;
struct Result;
struct Box;
struct Vec;
struct String;
trait Send {}
trait Future {}
mod core {}
mod std {}

trait Shadow {
    fn get(&mut self) -> u8 {
        0
    }
    fn handle(&mut self) -> u8 {
        0
    }
}

#[module]
struct Counter(u8);

impl Shadow for Counter {}

#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self) -> u8 {
        self.0
    }

    #[handler(Handle, derive(Clone), boxed)]
    async fn handle(&self, message: u8, module: u8, reply: u8, inbox: u8, answer: u8, ctx: &mut Context<Self>) -> u8 {
        let _ = ctx;
        message + module + reply + inbox + answer
    }

    #[handler(Dispatch)]
    async fn dispatch(&mut self, ctx: u8, context: &mut Context<Self>) -> u8 {
        let _ = context;
        ctx
    }

    #[handler(Pack)]
    fn pack(&self) -> u8 {
        1
    }

    #[handler(Async)]
    fn r#async(&self, r#match: u8) -> u8 {
        r#match
    }

    #[init]
    fn init(&mut self) {
        self.0 += 1;
    }

    #[start]
    async fn run(&mut self) {
        self.0 += 1;
    }

    #[tick(every = "1d")]
    fn stop(&mut self) {}
}

/// Everything in one `macro_rules!`.
macro_rules! adder {
    ($name:ident, $message:ident, $ty:ty, $every:literal) => {
        #[module]
        pub struct $name($ty);

        #[module]
        impl $name {
            #[handler($message)]
            fn bump(&mut self, by: $ty, ctx: &mut Context<Self>) -> $ty {
                let _ = ctx;
                self.0 += by;
                self.0
            }

            #[tick(every = $every)]
            async fn again(&mut self) {
                self.0 += 1;
            }
        }
    };
}

adder!(Adder, Bump, u8, "2s");

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let system = System::new();
    let counter: ModuleRef<Counter> = system.register_module(Counter(3)).await.expect("it starts");
    assert_eq!(counter.get().await.expect("a reply"), 5);
    assert_eq!(counter.handle(1, 2, 3, 4, 5).await.expect("a reply"), 15);
    assert_eq!(counter.dispatch(9).await.expect("a reply"), 9);
    assert_eq!(counter.pack().await.expect("a reply"), 1);
    assert_eq!(counter.r#async(4).await.expect("a reply"), 4);
    let adder = system.register_module(Adder(1)).await.expect("it starts");
    assert_eq!(adder.bump(2).await.expect("a reply"), 3);
    system.shutdown().await;
}
