//! A module's messages are what a network carries.

use dms::prelude::*;
use dms::session::{Endpoint, EventSource, MemoryNetwork, Transport, event};
use dms::testing::mock;
use dms_tests::{Log, on_every_runtime};

#[module]
struct Counter {
    count: u64,
    incoming: EventSource<(u32, CounterMessage)>,
    log: Log<&'static str>,
}

#[module]
impl Counter {
    #[handler(Add, derive(Clone))]
    fn add(&mut self, number: u64) {
        self.count += number;
        self.log.push("add");
    }

    #[handler(Double, boxed, derive(Clone))]
    async fn double(&mut self) -> u64 {
        self.count *= 2;
        self.log.push("double");
        self.count
    }

    #[handler(Get, derive(Clone))]
    fn get(&self) -> u64 {
        self.count
    }

    /// Takes what comes from the network as if it had been sent here.
    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
        loop {
            tokio::select! {
                message = inbox.recv() => match message {
                    Some(message) => inbox.dispatch(message, self, ctx).await,
                    None => return,
                },
                Some((_, message)) = self.incoming.recv() => inbox.dispatch(message, self, ctx).await,
            }
        }
    }
}

/// Knows how to add, and of nothing else.
async fn adds<T: Transport<Add>>(transport: T, counter: T::Addr) {
    for number in 1..=4 {
        transport.send_to(counter.clone(), Add { number }).await.unwrap();
    }
}

#[test]
fn a_network_carries_the_messages_of_a_module_and_sessions_send_a_part_of_them() {
    on_every_runtime(|| async {
        let network = MemoryNetwork::<CounterMessage>::new();
        let (here, there) = (network.bind(1).unwrap(), network.bind(2).unwrap());
        let (events, incoming) = event();
        let system = System::new();
        let log = Log::new();
        let counter = Counter { count: 0, incoming, log: log.clone() };
        let counter = system.register_module(counter).await.unwrap();
        adds(here.clone(), 2).await;
        here.send_to_all([2, 2], Double).await.unwrap();
        tokio::select! {
            ended = there.listen(events) => panic!("{ended:?}"),
            () = async { while counter.get().await != Ok(40) { tokio::task::yield_now().await } } => {}
        }
        assert_eq!(log.all(), ["add", "add", "add", "add", "double", "double"]);
        system.shutdown().await;
    });
}

/// Its messages have a parameter.
#[module]
struct Shelf<T: Clone + Send + 'static>(Vec<T>);

#[module]
impl<T: Clone + Send + 'static> Shelf<T> {
    #[handler(Put, derive(Clone, Debug))]
    fn put(&mut self, book: T) {
        self.0.push(book);
    }

    #[handler]
    fn several(&mut self, books: Vec<T>) -> usize {
        self.0.extend(books);
        self.0.len()
    }
}

#[test]
fn each_message_of_a_module_turns_into_its_enum_and_its_reply_is_nobodys() {
    let message = CounterMessage::from(Add { number: 7 });
    let CounterMessage::Add(Add { number: 7 }, reply) = message else { panic!("another message") };
    assert!(!reply.is_awaited());
    let CounterMessage::Double(boxed, _) = Double.into() else { panic!("another message") };
    let Double = *boxed;
    let ShelfMessage::Put(Put { book: 'a' }, _) = Put { book: 'a' }.into() else { panic!("another message") };
    let message: ShelfMessage<u8> = vec![1, 2].into();
    assert!(matches!(message, ShelfMessage::Several(books, _) if books == [1, 2]));
}

/// Its enum has a variant of each kind.
#[module]
struct Journal {
    lines: Vec<String>,
}

#[derive(Debug)]
struct Rotated;

#[module]
impl Journal {
    #[handler(Write, derive(Clone, Debug))]
    fn write(&mut self, line: String) -> usize {
        self.lines.push(line);
        self.lines.len()
    }

    #[handler(Clear, boxed, derive(Clone, Debug))]
    async fn clear(&mut self) {
        self.lines.clear();
    }

    #[cfg(any())]
    #[handler]
    fn burn(&mut self, matches: Matches) {}

    #[cfg(test)]
    #[handler]
    fn append(&mut self, lines: Vec<String>) {
        self.lines.extend(lines);
    }

    #[tick(every = "1h")]
    fn flush(&mut self) {}

    #[event]
    fn on_rotated(&mut self, _rotated: &Rotated) -> EventResponse {
        EventResponse::Handled
    }

    #[health]
    fn is_well(&self) -> HealthStatus {
        HealthStatus::Healthy
    }
}

#[test]
fn a_module_s_enum_prints_the_handler_and_its_message() {
    let messages: [(JournalMessage, &str); 5] = [
        (Write { line: "a".into() }.into(), r#"Write(Write { line: "a" })"#),
        (Clear.into(), "Clear(Clear)"),
        (vec!["b".to_owned()].into(), r#"Append(["b"])"#),
        (JournalMessage::Flush, "Flush"),
        (JournalMessage::IsWell, "IsWell"),
    ];
    for (message, text) in messages {
        assert_eq!(format!("{message:?}"), text);
        assert_eq!(format!("{:?}", message.clone()), text);
    }
    let message: ShelfMessage<char> = vec!['a'].into();
    assert_eq!(format!("{:?}", message.clone()), "Several(['a'])");
    let message = SinkMessage::<std::ops::Range<u8>>::Take(7, ReplyTo::nobody());
    assert_eq!(format!("{:?}", message.clone()), "Take(7)");
}

#[test]
fn a_clone_of_a_message_asks_nobody_and_the_original_is_answered() {
    on_every_runtime(|| async {
        let journal = mock::<Journal>(|message| {
            let copy = message.clone();
            let JournalMessage::Write(Write { line }, nobody) = copy else { panic!("another message") };
            assert!(!nobody.is_awaited());
            nobody.send(7);
            let JournalMessage::Write(_, reply) = message else { panic!("another message") };
            assert!(reply.is_awaited());
            reply.send(line.len());
        });
        assert_eq!(journal.write("four".into()).await, Ok(4));
    });
}

/// Handles each message twice, the second time as it came.
#[module]
struct Twice(Log<u8>);

struct Sold(u8);

#[module]
impl Twice {
    #[event(buffer = 1)]
    fn on_sold(&mut self, sold: &Sold) {
        self.0.push(sold.0);
    }

    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
        while let Some(message) = inbox.recv().await {
            inbox.dispatch(message.clone(), self, ctx).await;
            inbox.dispatch(message, self, ctx).await;
        }
    }
}

#[test]
fn a_clone_of_an_event_is_handled_and_the_original_alone_is_counted() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        system.register_module(Twice(log.clone())).await.unwrap();
        for number in 0..3 {
            let counts = system.publish(Sold(number)).await;
            assert_eq!((counts.handled, counts.ignored, counts.unanswered), (1, 0, 0));
        }
        assert_eq!(log.all(), [0, 0, 1, 1, 2, 2]);
        system.shutdown().await;
    });
}

/// Its message can be neither cloned nor printed.
#[module]
struct Vault;

struct Once(Box<dyn FnOnce() -> u8 + Send>);

#[module]
impl Vault {
    #[handler]
    fn open(&self, Once(key): Once) -> u8 {
        key()
    }
}

#[test]
fn a_message_that_cannot_be_cloned_is_handled_as_ever() {
    on_every_runtime(|| async {
        let system = System::new();
        let vault = system.register_module(Vault).await.unwrap();
        assert_eq!(vault.ask(Once(Box::new(|| 7))).await, Ok(7));
        system.shutdown().await;
    });
}

/// Its message is what a parameter says.
#[module]
struct Sink<S: Iterator + Send + 'static>(Vec<S::Item>)
where
    S::Item: Send;

#[module]
impl<S: Iterator + Send + 'static> Sink<S>
where
    S::Item: Send,
{
    #[handler]
    fn take(&mut self, item: S::Item) -> usize {
        self.0.push(item);
        self.0.len()
    }
}

#[test]
fn a_message_that_could_be_any_type_is_handled_as_ever() {
    on_every_runtime(|| async {
        let system = System::new();
        let sink = system.register_module(Sink::<std::ops::Range<u8>>(Vec::new())).await.unwrap();
        assert_eq!(sink.ask(7).await, Ok(1));
        system.shutdown().await;
    });
}
