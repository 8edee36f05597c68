//! The macros' modules behave as the design's first example says, at run time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use dms::prelude::*;
use dms::{Answers, MessageSet, ModuleState};
use dms_tests::{Drops, Log, Token, on_every_runtime, on_paused};

/// Counts things.
///
/// And this is not its description.
#[module(name = "counter", version = "1.2.0")]
#[derive(Default)]
pub(crate) struct Counter {
    count: u64,
    reports: Log<u64>,
    life: Log<&'static str>,
}

#[derive(Clone)]
pub(crate) struct Add(pub(crate) u64);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

#[module]
impl Counter {
    /// The argument's type is the message.
    #[handler]
    async fn add(&mut self, Add(n): Add) {
        self.count += n;
    }

    /// The return type is the reply.
    #[handler(Get, derive(Clone, Debug))]
    fn get(&self) -> u64 {
        self.count
    }

    #[handler(Scale)]
    async fn scale(&mut self, by: u64, offset: u64, ctx: &mut Context<Self>) -> Result<u64, Overflow> {
        assert_eq!(ctx.name(), "counter");
        self.count = self.count.checked_mul(by).and_then(|count| count.checked_add(offset)).ok_or(Overflow)?;
        Ok(self.count)
    }

    #[tick(every = "30s")]
    async fn report(&mut self) {
        self.reports.push(self.count);
    }

    #[init]
    async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        self.life.push("init");
        if ctx.self_ref().state() == ModuleState::Init { Ok(()) } else { Err("not in init".into()) }
    }

    #[start]
    fn start(&mut self) {
        self.life.push("start");
    }

    #[stop]
    async fn stop(&mut self) {
        self.life.push("stop");
    }

    /// An ordinary method.
    fn _ordinary(&self) -> u64 {
        self.count
    }
}

/// Keeps what it is given.
#[module(mailbox = 2, overflow = reject)]
struct Shelf<T: Clone + Send + 'static> {
    kept: Vec<T>,
}

#[module]
impl<T: Clone + Send + 'static> Shelf<T> {
    #[handler(Put)]
    fn put(&mut self, what: T) {
        self.kept.push(what);
    }

    #[handler(Last)]
    fn last(&self) -> Option<T> {
        self.kept.last().cloned()
    }

    #[handler(boxed)]
    fn bulk(&mut self, bulk: [T; 64]) -> usize {
        self.kept.extend(bulk.iter().cloned());
        self.kept.len()
    }
}

/// One bound is enough to use any module that answers a message.
async fn generic<T: Answers<Get, Reply = u64>>(module: &ModuleRef<T>) -> u64 {
    module.ask(Get).await.unwrap()
}

#[test]
fn the_first_example_of_the_design() {
    on_every_runtime(|| async {
        let system = System::new();
        let life = Log::new();
        let counter = Counter { life: life.clone(), ..Counter::default() };
        let counter = system.register_module(counter).await.unwrap();
        assert_eq!(life.all(), ["init", "start"]);
        counter.send(Add(2)).await.unwrap();
        assert_eq!(counter.ask(Get).await, Ok(2));
        assert_eq!(counter.scale(3, 1).await, Ok(Ok(7)));
        assert_eq!(counter.scale(u64::MAX, 1).await, Ok(Err(Overflow)));
        assert_eq!(counter.add(Add(1)).await, Ok(()));
        assert_eq!(counter.get().await, Ok(8));
        assert_eq!(counter.ask(Scale { by: 1, offset: 2 }).await, Ok(Ok(10)));
        assert_eq!(generic(&counter).await, 10);
        let found: ModuleRef<Counter> = system.find("counter").await.unwrap();
        assert_eq!(found, counter);
        let info = counter.info();
        assert_eq!((info.name, info.type_name, info.description), ("counter", "Counter", "Counts things."));
        assert_eq!(info.version.to_string(), "1.2.0");
        system.shutdown().await;
        assert_eq!(life.all(), ["init", "start", "stop"]);
    });
}

#[test]
fn a_tick_of_the_attribute_and_one_that_is_requested_both_come() {
    on_paused(|| async {
        let system = System::new();
        let reports = Log::new();
        let counter = Counter { reports: reports.clone(), ..Counter::default() };
        let counter = system.register_module(counter).await.unwrap();
        let ticks = counter.request_tick(Add(1), Duration::from_secs(2));
        tokio::time::sleep(Duration::from_secs(61)).await;
        ticks.stop();
        assert_eq!(reports.len(), 2);
        assert_eq!(counter.get().await, Ok(30));
        system.shutdown().await;
    });
}

#[test]
fn the_messages_are_one_enum_with_the_handlers_names() {
    let add = CounterMessage::Add(Add(1), ReplyTo::nobody());
    let get = CounterMessage::Get(Get, ReplyTo::nobody());
    assert_eq!([add.name(), get.name(), CounterMessage::Report.name()], ["add", "get", "report"]);
    assert_eq!(format!("{Get:?}"), "Get");
}

#[test]
fn a_generic_module_works_and_its_attributes_count() {
    on_every_runtime(|| async {
        let system = System::new();
        let shelf = system.register_module(Shelf { kept: Vec::new() }).await.unwrap();
        shelf.put("one".to_owned()).await.unwrap();
        assert_eq!(shelf.last().await, Ok(Some("one".to_owned())));
        let bulk = std::array::from_fn(|number| number.to_string());
        assert_eq!(shelf.bulk(bulk).await, Ok(65));
        assert_eq!((shelf.info().mailbox, shelf.info().overflow), (Some(2), dms::Overflow::Reject));
        assert_eq!(shelf.info().version.to_string(), env!("CARGO_PKG_VERSION"));
        assert_eq!(shelf.name(), format!("Shelf#{}", shelf.id()));
        system.shutdown().await;
    });
}

/// A message comes back from a refused send as it was, whatever its form.
#[test]
fn a_refused_message_of_any_form_comes_back() {
    on_paused(|| async {
        let system = System::new();
        let shelf = system.register_module(Shelf { kept: Vec::<u64>::new() }).await.unwrap();
        shelf.stop().await.unwrap();
        assert_eq!(shelf.try_send(Put { what: 7 }).unwrap_err().into_message().what, 7);
        assert_eq!(shelf.send([3_u64; 64]).await.unwrap_err().into_message()[63], 3);
        let counter = system.register_module(Counter::default()).mailbox(1).await.unwrap();
        counter.try_send(Add(1)).unwrap();
        let waiting = counter.send(Add(5));
        let mut waiting = std::pin::pin!(waiting);
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        let (stopped, waited) = tokio::join!(async { counter.stop().await.unwrap() }, waiting);
        assert_eq!(waited.unwrap_err().into_message().0, 5);
        assert_eq!(stopped.undelivered, 1);
    });
}

/// By hand, with an open set of messages.
#[module]
struct PingPong {
    hits: u64,
    _token: Token,
}

impl Module for PingPong {
    type Message = DynMessage<Self>;
}

#[derive(Clone)]
struct Ball;

impl Handler<Ball> for PingPong {
    type Reply = u64;

    async fn handle(&mut self, _: Ball, _: &mut Context<Self>) -> u64 {
        self.hits += 1;
        self.hits
    }
}

impl<T: fmt::Debug + Send + Sync + 'static> Handler<Arc<T>> for PingPong {
    type Reply = String;

    async fn handle(&mut self, what: Arc<T>, _: &mut Context<Self>) -> String {
        format!("{what:?}")
    }
}

#[test]
fn the_macro_free_form_takes_an_open_set_of_messages() {
    on_every_runtime(|| async {
        let system = System::new();
        let dropped = Drops::new();
        let module = system.register_module(PingPong { hits: 0, _token: dropped.token() }).await.unwrap();
        module.send(Ball).await.unwrap();
        assert_eq!(module.ask(Ball).await, Ok(2));
        assert_eq!(module.ask(Arc::new(7)).await, Ok("7".to_owned()));
        assert_eq!(module.ask(Arc::new("text")).await, Ok("\"text\"".to_owned()));
        system.shutdown().await;
        assert_eq!(dropped.count(), 1);
    });
}
