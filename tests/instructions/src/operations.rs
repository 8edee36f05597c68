//! What is counted: each operation with dms, and as one would write it by hand with Tokio's channels.
//!
//! All of it runs on one thread and a paused clock, so that no count depends on how fast the machine is.

use std::future::poll_fn;
use std::mem;
use std::task::Poll;
use std::time::Duration;

use dms::prelude::*;
use dms::recovery::Restart;
use tokio::runtime::Builder;
use tokio::time::sleep;

use crate::by_hand::{self, Actor};

/// Something that a program does often.
#[derive(Debug)]
pub(crate) struct Operation {
    /// As in the file of counts, and on the command line.
    pub(crate) name: &'static str,
    /// What one of it is.
    pub(crate) meaning: &'static str,
    /// How often it is done to be counted.
    pub(crate) times: u32,
    dms: fn(u32),
    by_hand: fn(u32),
}

/// Who does it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Dms,
    ByHand,
}

impl Side {
    /// As on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Dms => "dms",
            Self::ByHand => "by-hand",
        }
    }
}

/// A tell, and the same to a module with a supervisor: held to each other.
pub(crate) const TELL: &str = "tell";
pub(crate) const SUPERVISED: &str = "tell-supervised";

/// All that is counted, in the order of the file.
pub(crate) const OPERATIONS: [Operation; 9] = [
    Operation {
        name: TELL,
        meaning: "a `send` and its handling, a hundred in a row",
        times: 20_000,
        dms: tell,
        by_hand: tell_by_hand,
    },
    Operation {
        name: "tell-alone",
        meaning: "a `send` that wakes its module, and its handling",
        times: 20_000,
        dms: tell_alone,
        by_hand: tell_alone_by_hand,
    },
    Operation {
        name: SUPERVISED,
        meaning: "as `tell`, to a module that is built again when it fails",
        times: 20_000,
        dms: tell_supervised,
        by_hand: tell_by_hand,
    },
    Operation {
        name: "ask",
        meaning: "an `ask` from a task of its own, one after the other",
        times: 10_000,
        dms: ask,
        by_hand: ask_by_hand,
    },
    Operation {
        name: "ask-in-handler",
        meaning: "an `ask` from a module's handler, one after the other",
        times: 10_000,
        dms: ask_in_handler,
        by_hand: ask_in_handler_by_hand,
    },
    Operation {
        name: "ask-inline",
        meaning: "an `ask` of a `#[handler(inline)]` from a task of its own, one after the other",
        times: 10_000,
        dms: ask_inline,
        by_hand: ask_by_hand,
    },
    Operation {
        name: "tick",
        meaning: "a tick that is due alone, and its handling",
        times: 10_000,
        dms: tick,
        by_hand: tick_by_hand,
    },
    Operation {
        name: "tick-of-many",
        meaning: "one of a hundred modules' ticks, all due together",
        times: 10_000,
        dms: tick_of_many,
        by_hand: tick_of_many_by_hand,
    },
    Operation {
        name: "life",
        meaning: "a module that is registered, asked once and stopped",
        times: 2_000,
        dms: life,
        by_hand: life_by_hand,
    },
];

impl Operation {
    /// Does it as often as told, with what has to be there before and after.
    pub(crate) fn run(&self, side: Side, times: u32) {
        match side {
            Side::Dms => (self.dms)(times),
            Side::ByHand => (self.by_hand)(times),
        }
    }
}

/// How many tells are sent before the module gets its turn.
const BURST: u32 = 100;

/// How many modules tick together.
const MANY: u32 = 100;

/// How often each of them ticks, where it does.
const EVERY: Duration = Duration::from_millis(10);

#[module]
#[derive(Default)]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Add)]
    async fn add(&mut self, number: u64) {
        self.count += number;
    }

    #[handler(Get)]
    fn get(&self) -> u64 {
        self.count
    }
}

#[module]
#[derive(Default)]
struct Lookup {
    count: u64,
}

#[module]
impl Lookup {
    #[handler(Look, inline)]
    fn look(&self) -> u64 {
        self.count
    }
}

#[module]
struct Asker {
    counter: ModuleRef<Counter>,
}

#[module]
impl Asker {
    #[handler(AskOften)]
    async fn ask_often(&mut self, times: u32) -> u32 {
        for _ in 0..times {
            self.counter.ask(Get).await.expect("answered");
        }
        times
    }
}

#[module]
#[derive(Default)]
struct Clock {
    ticks: u32,
}

#[module]
impl Clock {
    #[tick(every = "10ms")]
    fn tick(&mut self) {
        self.ticks += 1;
    }

    #[handler(Ticks)]
    fn ticks(&self) -> u32 {
        self.ticks
    }
}

/// Runs `body` in a task of its own: to wake the future of `block_on`, Tokio goes through the operating system.
fn on_one_thread(body: impl Future<Output = ()> + Send + 'static) {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    runtime.block_on(runtime.spawn(body)).expect("it does not panic");
}

/// Lets the module have its turn. Tokio's `yield_now` would look for events of the operating system each time.
async fn give_way() {
    let mut given = false;
    poll_fn(|cx| {
        if mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Runs `body` with a module that counts, in a system of its own.
fn with_counter<F: Future<Output = ()> + Send>(body: impl FnOnce(SystemRef, ModuleRef<Counter>) -> F + Send + 'static) {
    on_one_thread(async move {
        let system = System::new();
        let counter = system.register_module(Counter::default()).await.expect("a counter");
        body(system.reference(), counter).await;
        system.shutdown().await;
    });
}

fn tell(times: u32) {
    with_counter(move |_, counter| tell_often(counter, times));
}

fn tell_supervised(times: u32) {
    on_one_thread(async move {
        let system = System::new();
        let counter = system.register_with(|_| Counter::default()).restart(Restart::on_failure());
        tell_often(counter.await.expect("a counter"), times).await;
        system.shutdown().await;
    });
}

async fn tell_often(counter: ModuleRef<Counter>, times: u32) {
    for number in 0..times {
        counter.send(Add { number: 1 }).await.expect("accepted");
        if number % BURST == BURST - 1 {
            give_way().await;
        }
    }
    assert_eq!(counter.ask(Get).await.expect("answered"), u64::from(times));
}

fn tell_by_hand(times: u32) {
    on_one_thread(async move {
        let actor = Actor::spawn();
        for number in 0..times {
            actor.add(1);
            if number % BURST == BURST - 1 {
                give_way().await;
            }
        }
        assert_eq!(actor.get().await, u64::from(times));
    });
}

fn tell_alone(times: u32) {
    with_counter(move |_, counter| async move {
        for _ in 0..times {
            counter.send(Add { number: 1 }).await.expect("accepted");
            give_way().await;
        }
        assert_eq!(counter.ask(Get).await.expect("answered"), u64::from(times));
    });
}

fn tell_alone_by_hand(times: u32) {
    on_one_thread(async move {
        let actor = Actor::spawn();
        for _ in 0..times {
            actor.add(1);
            give_way().await;
        }
        assert_eq!(actor.get().await, u64::from(times));
    });
}

fn ask(times: u32) {
    with_counter(move |_, counter| async move {
        for _ in 0..times {
            counter.ask(Get).await.expect("answered");
        }
    });
}

fn ask_inline(times: u32) {
    on_one_thread(async move {
        let system = System::new();
        let lookup = system.register_module(Lookup::default()).await.expect("a lookup");
        for _ in 0..times {
            lookup.ask(Look).await.expect("answered");
        }
        system.shutdown().await;
    });
}

fn ask_by_hand(times: u32) {
    on_one_thread(async move {
        let actor = Actor::spawn();
        for _ in 0..times {
            actor.get().await;
        }
    });
}

fn ask_in_handler(times: u32) {
    with_counter(move |system, counter| async move {
        let asker = system.register_module(Asker { counter }).await.expect("an asker");
        assert_eq!(asker.ask(AskOften { times }).await.expect("answered"), times);
    });
}

fn ask_in_handler_by_hand(times: u32) {
    on_one_thread(async move {
        assert_eq!(by_hand::ask_often(Actor::spawn(), times).await, times);
    });
}

fn tick(times: u32) {
    tick_together(1, times);
}

fn tick_of_many(times: u32) {
    tick_together(MANY, times / MANY);
}

fn tick_together(modules: u32, times: u32) {
    on_one_thread(async move {
        let system = System::new();
        let mut clocks = Vec::new();
        for _ in 0..modules {
            clocks.push(system.register_module(Clock::default()).await.expect("a clock"));
        }
        // Half a tick more, so that the last one has been.
        sleep(EVERY * times + EVERY / 2).await;
        for clock in clocks {
            assert_eq!(clock.ask(Ticks).await.expect("answered"), times);
        }
        system.shutdown().await;
    });
}

fn tick_by_hand(times: u32) {
    tick_together_by_hand(1, times);
}

fn tick_of_many_by_hand(times: u32) {
    tick_together_by_hand(MANY, times / MANY);
}

fn tick_together_by_hand(actors: u32, times: u32) {
    on_one_thread(async move {
        let actors: Vec<_> = (0..actors).map(|_| Actor::spawn_ticking(EVERY)).collect();
        sleep(EVERY * times + EVERY / 2).await;
        for actor in actors {
            assert_eq!(actor.get().await, u64::from(times));
        }
    });
}

fn life(times: u32) {
    // The counter stays, as in a program: a system without modules gives up its timer task each time.
    with_counter(move |system, _counter| async move {
        for _ in 0..times {
            let counter = system.register_module(Counter::default()).await.expect("a counter");
            counter.ask(Get).await.expect("answered");
            counter.stop().await.unwrap();
        }
    });
}

fn life_by_hand(times: u32) {
    on_one_thread(async move {
        for _ in 0..times {
            let actor = Actor::spawn();
            actor.get().await;
            actor.end().await;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_works() {
        for operation in &OPERATIONS {
            operation.run(Side::Dms, 2 * MANY);
            operation.run(Side::ByHand, 2 * MANY);
        }
    }
}
