//! The messages of a module with remote handlers, over sockets. On the loopback interface alone.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use dms::prelude::*;
use dms::session::{DatagramCodec, Endpoint, EventSource, Transport, TransportError, Udp, event};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tokio::time::timeout;

const CODECS: [DatagramCodec; 2] = [DatagramCodec::MessagePack, DatagramCodec::Postcard];
const LOOPBACK: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

#[module]
struct Account {
    balance: i64,
    notes: Vec<String>,
    incoming: EventSource<(SocketAddr, AccountMessage)>,
}

/// A message of the user's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note(String);

#[module(remote)]
impl Account {
    #[handler(Close, local)]
    fn close(&mut self) {
        self.balance = 0;
    }

    #[cfg(any())]
    #[handler]
    fn haunt(&mut self, ghost: Ghost) {}

    #[handler(Deposit, derive(Clone, Debug, PartialEq))]
    fn deposit(&mut self, amount: i64) {
        self.balance += amount;
    }

    #[handler(boxed)]
    async fn note(&mut self, Note(text): Note) -> usize {
        self.notes.push(text);
        self.notes.len()
    }

    #[handler(Statement)]
    fn statement(&self) -> (i64, usize) {
        (self.balance, self.notes.len())
    }

    #[handler(local)]
    fn burn(&mut self, _: [u8; 2]) {}

    #[request]
    fn other(&self, request: Request) -> Response {
        Response::err(request.request_type)
    }

    #[tick(every = "1h")]
    fn accrue(&mut self) {}

    #[event]
    fn on_rich(&mut self, _: &Rich) {}

    #[health]
    fn is_solvent(&self) -> HealthStatus {
        HealthStatus::Healthy
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

struct Rich;

/// Deposits, and knows of nothing else.
async fn deposits<T: Transport<Deposit>>(transport: T, account: T::Addr) -> Result<(), TransportError> {
    for amount in [5, -2, 40] {
        transport.send_to(account.clone(), Deposit { amount }).await?;
    }
    Ok(())
}

/// Takes notes, and knows of nothing else.
async fn notes<T: Transport<Note>>(transport: T, accounts: Vec<T::Addr>) -> Result<(), TransportError> {
    transport.send_to_all(accounts, Note("one".into())).await
}

fn run(body: impl AsyncFn(DatagramCodec)) {
    for codec in CODECS {
        let runtime: Runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { timeout(Duration::from_secs(30), body(codec)).await.expect("it ends") });
    }
}

async fn bind<N>(codec: DatagramCodec) -> Udp<N> {
    Udp::bind(LOOPBACK).await.unwrap().with_codec(codec)
}

#[test]
fn datagrams_carry_the_messages_of_a_module_and_sessions_send_a_part_of_them() {
    run(async |codec| {
        let (here, there) = (bind::<AccountMessage>(codec).await, bind::<AccountMessage>(codec).await);
        let (events, incoming) = event();
        let system = System::new();
        let account = Account { balance: 0, notes: Vec::new(), incoming };
        let account = system.register_module(account).await.unwrap();
        deposits(here.clone(), there.addr()).await.unwrap();
        notes(here.clone(), vec![there.addr(); 2]).await.unwrap();
        tokio::select! {
            ended = there.listen(events) => panic!("{ended:?}"),
            () = async { while account.statement().await != Ok((43, 2)) { tokio::task::yield_now().await } } => {}
        }
        assert_eq!((there.counts().delivered, there.counts().malformed), (5, 0));
        system.shutdown().await;
    });
}

/// What is said of a message that is not sent.
async fn refused<M>(message: M, codec: DatagramCodec) -> String
where
    Udp<AccountMessage>: Transport<M, Addr = SocketAddr>,
{
    let place = bind::<AccountMessage>(codec).await;
    let error = place.send_to(place.addr(), message).await.expect_err("it does not travel");
    assert!(matches!(error, TransportError::Encode(_)) && !error.is_final(), "{error:?}");
    assert_eq!(place.counts().sent, 0);
    error.source().expect("a reason").to_string()
}

#[test]
fn a_message_of_a_handler_that_is_not_remote_is_refused_by_the_name_of_the_handler() {
    run(async |codec| {
        let text = refused(Close, codec).await;
        assert_eq!(
            text,
            "handler `close` of `Account` is not remote, and so its message cannot travel: write `#[handler(Close, remote)]`"
        );
        let text = refused([1, 2], codec).await;
        assert_eq!(
            text,
            "handler `burn` of `Account` is not remote, and so its message cannot travel: write `#[handler(remote)]`"
        );
        for (message, name) in [(AccountMessage::Accrue, "accrue"), (AccountMessage::IsSolvent, "is_solvent")] {
            let text = refused(message, codec).await;
            assert_eq!(
                text,
                format!("`{name}` of `Account` is no handler, and only the messages of remote handlers can travel")
            );
        }
        let text = refused(Request::new("other", "{}"), codec).await;
        assert_eq!(text, "`other` of `Account` is for requests, and only the messages of remote handlers can travel");
    });
}

#[test]
fn a_message_travels_under_the_name_of_its_handler_or_its_place_among_the_remote_ones() {
    run(async |codec| {
        let place = bind::<AccountMessage>(codec).await;
        let socket = UdpSocket::bind(LOOPBACK).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let expected: [&[u8]; 3] = match codec {
            DatagramCodec::Postcard => [&[0, 10], &[1, 1, b'x'], &[2]],
            _ => [b"\x81\xa7deposit\x81\xa6amount\x05", b"\x81\xa4note\xa1x", b"\x81\xa9statement\x90"],
        };
        place.send_to(socket.local_addr().unwrap(), Deposit { amount: 5 }).await.unwrap();
        place.send_to(socket.local_addr().unwrap(), Note("x".into())).await.unwrap();
        place.send_to(socket.local_addr().unwrap(), Statement).await.unwrap();
        let mut buffer = [0; 100];
        for expected in expected {
            let length = socket.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], expected, "{codec:?}");
        }
    });
    let text = serde_json::to_string(&AccountMessage::from(Deposit { amount: 5 })).unwrap();
    assert_eq!(text, r#"{"deposit":{"amount":5}}"#);
    let message: AccountMessage = serde_json::from_str(&text).unwrap();
    let AccountMessage::Deposit(Deposit { amount: 5 }, reply) = message else { panic!("another message") };
    assert!(!reply.is_awaited());
}

#[test]
fn what_is_no_message_of_a_remote_handler_is_counted_and_dropped() {
    run(async |codec| {
        let place = bind::<AccountMessage>(codec).await;
        let socket = UdpSocket::bind(LOOPBACK).unwrap();
        let malformed: &[&[u8]] = match codec {
            // Other places than there are; a message that ends too soon; one that goes on.
            DatagramCodec::Postcard => &[&[3], &[0xff, 0xff, 0xff, 0xff, 0x0f], &[0], &[0, 10, 0], &[1, 0xff, 0x7f]],
            _ => &[
                b"\x81\xa5close\xc0",
                b"\x81\xa5haunt\xc0",
                b"\x81\xa4burn\x92\x01\x02",
                b"\xa6accrue",
                b"\x81\xa8is_solvent\xc0",
                b"\x81\x03\xc0",
                b"\x81\xa7deposit\xc0",
                b"\x82\xa7deposit\x81\xa6amount\x05\xa7deposit\x81\xa6amount\x05",
                b"\x81\xc4\x02\xff\xff\xc0",
                b"\x05",
            ],
        };
        for bytes in malformed {
            socket.send_to(bytes, place.addr()).unwrap();
        }
        place.send_to(place.addr(), Deposit { amount: 1 }).await.unwrap();
        let (events, mut source) = event();
        tokio::select! {
            ended = place.listen(events) => panic!("{ended:?}"),
            message = source.recv() => {
                assert!(matches!(message, Some((_, AccountMessage::Deposit(Deposit { amount: 1 }, _)))), "{codec:?}");
            }
        }
        assert_eq!(place.counts().malformed, malformed.len() as u64, "{codec:?}");
    });
}

#[test]
fn whatever_comes_for_a_module_is_one_of_its_messages_or_counted() {
    const DATAGRAMS: u64 = 2_000;
    run(async |codec| {
        let place = bind::<AccountMessage>(codec).await;
        let socket = UdpSocket::bind(LOOPBACK).unwrap();
        let (events, mut source) = event();
        // Each is a message of which a byte is another, or the end is missing, or there is more.
        let hostile = async {
            let mut random = 0x9e37_79b9_7f4a_7c15_u64;
            for number in 0..DATAGRAMS {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let [at, byte, how, ..] = random.to_le_bytes();
                let mut bytes = match (codec, number % 2) {
                    (DatagramCodec::Postcard, 0) => vec![0, 10],
                    (DatagramCodec::Postcard, _) => vec![1, 5, b'h', b'e', b'l', b'l', b'o'],
                    (_, 0) => b"\x81\xa7deposit\x81\xa6amount\x05".to_vec(),
                    _ => b"\x81\xa4note\xa5hello".to_vec(),
                };
                let at = usize::from(at) % bytes.len();
                match how % 3 {
                    0 => bytes[at] = byte,
                    1 => bytes.truncate(at.max(1)),
                    _ => bytes.push(byte),
                }
                socket.send_to(&bytes, place.addr()).unwrap();
                // So that the kernel drops none.
                while place.counts().received() <= number {
                    tokio::task::yield_now().await;
                }
            }
        };
        let taken = async { while source.recv().await.is_some() {} };
        tokio::select! {
            ended = place.listen(events) => panic!("{ended:?}"),
            () = taken => {}
            () = hostile => {}
        }
        let counts = place.counts();
        assert_eq!(counts.delivered + counts.malformed, DATAGRAMS, "{codec:?}: {counts:?}");
        assert!(counts.malformed > DATAGRAMS / 2, "{codec:?}: {counts:?}");
    });
}

/// Its messages have a parameter.
#[module]
struct Shelf<T: Serialize + DeserializeOwned>(Vec<T>);

#[module(remote)]
impl<T: Serialize + DeserializeOwned> Shelf<T> {
    #[handler(Put)]
    fn put(&mut self, book: T) {
        self.0.push(book);
    }

    #[handler]
    fn several(&mut self, books: Vec<T>) -> usize {
        self.0.extend(books);
        self.0.len()
    }

    #[handler(Burn, local)]
    fn burn(&mut self) {
        self.0.clear();
    }
}

#[test]
fn datagrams_carry_the_messages_of_a_generic_module() {
    run(async |codec| {
        let place = bind::<ShelfMessage<char>>(codec).await;
        place.send_to(place.addr(), Put { book: 'a' }).await.unwrap();
        place.send_to(place.addr(), vec!['b', 'c']).await.unwrap();
        let (events, mut source) = event();
        tokio::select! {
            ended = place.listen(events) => panic!("{ended:?}"),
            () = async {
                let Some((_, ShelfMessage::Put(Put { book: 'a' }, _))) = source.recv().await else { panic!("{codec:?}") };
                let Some((_, ShelfMessage::Several(books, _))) = source.recv().await else { panic!("{codec:?}") };
                assert_eq!(books, ['b', 'c']);
            } => {}
        }
        assert!(place.send_to(place.addr(), Burn).await.is_err());
    });
}
