//! Datagrams: what arrives, and what is dropped. On the loopback interface alone.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, LinkedList, VecDeque};
use std::fmt::Debug;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use allocation_counter::{AllocationInfo, measure};
use dms::session::{
    Algorithm, DatagramCodec, Endpoint, EventSource, KeyRing, Signed, Signer, SigningKey, Transport, TransportError,
    Udp, UdpCounts, Verifier, event, event_within,
};
use dms_tests::{cases, is_long};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use tokio::runtime::Runtime;
use tokio::task::yield_now;
use tokio::time::timeout;

const CODECS: [DatagramCodec; 2] = [DatagramCodec::MessagePack, DatagramCodec::Postcard];
const LOOPBACK: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);
/// The most bytes of a datagram over IPv4.
const LIMIT: usize = 65_507;
/// The most bytes of memory that a message takes.
const MOST: usize = (4 << 20) + 8 * LIMIT;
/// The same while a sequence moves to where it has more room.
const MOST_FOR_A_MOMENT: usize = MOST + (2 << 20);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Message {
    Ping(u64),
    Text(String),
    Tree(Tree),
    Chain(Chain),
    Table { rows: BTreeMap<u32, Row>, name: String },
    Units(Vec<()>),
    Signed(Signed<String>),
    Numbers(Vec<u64>),
    Fields(Vec<Field>),
    Maps(Vec<BTreeMap<u8, Field>>),
    Boxes(Vec<Boxed>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Node(Box<Tree>),
    Both { left: Box<Tree>, right: Box<Tree> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Chain(Option<Box<Chain>>);

/// Large in memory, and small in a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Row([u64; 16]);

/// Large in memory, and mostly a byte in a datagram.
#[expect(clippy::large_enum_variant, reason = "that is what it is for")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Field {
    Empty,
    Full([u64; 32]),
}

/// Small where it is, and large behind a pointer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Boxed(Box<(Option<Box<Boxed>>, Field)>);

fn boxed() -> Boxed {
    Boxed(Box::new((None, Field::Empty)))
}

struct Ping(u64);
struct Text(String);

impl From<Ping> for Message {
    fn from(Ping(number): Ping) -> Self {
        Self::Ping(number)
    }
}

impl From<Text> for Message {
    fn from(Text(text): Text) -> Self {
        Self::Text(text)
    }
}

/// A runtime of this thread, so that what is allocated is counted.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn bind<N>() -> Udp<N> {
    Udp::bind(LOOPBACK).await.unwrap()
}

/// Runs `body` while `place` listens.
async fn while_listening<R>(
    place: &Udp<Message>,
    body: impl AsyncFnOnce(EventSource<(SocketAddr, Message)>) -> R,
) -> R {
    let (events, source) = event_within(1);
    tokio::select! {
        ended = place.listen(events) => panic!("it does not end by itself: {ended:?}"),
        result = body(source) => result,
    }
}

async fn next(source: &mut EventSource<(SocketAddr, Message)>) -> (SocketAddr, Message) {
    timeout(Duration::from_secs(30), source.recv()).await.expect("something comes").expect("it listens")
}

#[tokio::test]
async fn parts_of_a_message_arrive_as_the_message() {
    for codec in CODECS {
        let (here, there) = (bind::<Message>().await.with_codec(codec), bind::<Message>().await.with_codec(codec));
        while_listening(&there, async |mut source| {
            here.send_to(there.addr(), Ping(1)).await.unwrap();
            here.send_to_all([there.addr(), there.addr()], Text("two".into())).await.unwrap();
            here.clone().send_to(there.addr(), Message::Tree(Tree::Node(Box::new(Tree::Leaf)))).await.unwrap();
            assert_eq!(next(&mut source).await, (here.addr(), Message::Ping(1)));
            for _ in 0..2 {
                assert_eq!(next(&mut source).await, (here.addr(), Message::Text("two".into())));
            }
            assert_eq!(next(&mut source).await.1, Message::Tree(Tree::Node(Box::new(Tree::Leaf))));
        })
        .await;
        assert_eq!((here.counts().sent, there.counts().delivered, there.counts().received()), (4, 4, 4));
    }
}

#[tokio::test]
async fn a_signed_message_is_verified_where_it_arrives() {
    let key = SigningKey::generate(Algorithm::Ed25519, "alice").unwrap();
    let mut ring = KeyRing::new();
    ring.insert(key.verifying_key()).unwrap();
    let (signer, judge) = (Signer::new(key, "test/text").unwrap(), Verifier::new(ring, "test/text").unwrap());
    let now = SystemTime::now();
    for codec in CODECS {
        let (here, there) = (bind::<Message>().await.with_codec(codec), bind::<Message>().await.with_codec(codec));
        while_listening(&there, async |mut source| {
            let text = "x".repeat(60_000);
            here.send_to(there.addr(), Message::Signed(signer.sign(&text, now).unwrap())).await.unwrap();
            let (_, Message::Signed(arrived)) = next(&mut source).await else { panic!("it was signed") };
            let verified = judge.verify(&arrived, now).unwrap();
            assert_eq!((verified.signer(), verified.message()), (signer.key(), &text));
        })
        .await;
    }
}

thread_local! {
    static WRITTEN: Cell<u32> = const { Cell::new(0) };
}

#[derive(Deserialize)]
struct Counted;

impl Serialize for Counted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WRITTEN.set(WRITTEN.get() + 1);
        serializer.serialize_unit()
    }
}

#[tokio::test]
async fn a_message_to_many_is_serialised_once() {
    let here = bind::<Counted>().await;
    here.send_to_all(vec![here.addr(); 10], Counted).await.unwrap();
    assert_eq!((WRITTEN.get(), here.counts().sent), (1, 10));
}

#[tokio::test]
async fn a_message_to_many_reaches_the_others_where_one_cannot_be_sent_to() {
    let (here, there) = (bind::<Message>().await, bind::<Message>().await);
    while_listening(&there, async |mut source| {
        let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let error = here.send_to_all([nobody, there.addr()], Ping(1)).await.unwrap_err();
        assert!(matches!(error, TransportError::Destination(_)) && !error.is_final(), "{error:?}");
        assert_eq!(next(&mut source).await.1, Message::Ping(1));
    })
    .await;
}

#[tokio::test]
async fn a_datagram_of_the_limit_arrives_and_one_byte_more_is_not_sent() {
    // The text comes with its own length and the name of the variant.
    for (codec, rest) in [(DatagramCodec::MessagePack, 1 + 5 + 3), (DatagramCodec::Postcard, 1 + 3)] {
        let (here, there) = (bind::<Message>().await.with_codec(codec), bind::<Message>().await.with_codec(codec));
        while_listening(&there, async |mut source| {
            let text = "x".repeat(LIMIT - rest);
            here.send_to(there.addr(), Text(text.clone())).await.unwrap();
            assert_eq!(next(&mut source).await.1, Message::Text(text.clone()));

            for more in [1, 1_000_000] {
                let error = here.send_to(there.addr(), Text(text.clone() + &"x".repeat(more))).await.unwrap_err();
                let TransportError::MessageTooLarge { size, limit } = error else { panic!("{error:?}") };
                // The length of a text above 65,535 bytes takes two bytes more in MessagePack.
                let wider = if more == 1 || codec == DatagramCodec::Postcard { 0 } else { 2 };
                assert_eq!((size, limit), (LIMIT + more + wider, LIMIT), "{codec:?}");
            }
            assert_eq!(here.counts().sent, 1);
        })
        .await;
    }
}

#[tokio::test]
async fn the_limit_can_be_lower_for_both_sides() {
    let (here, there) = (bind::<Message>().await, bind::<Message>().await.with_limit(1_200));
    while_listening(&there, async |mut source| {
        here.send_to(there.addr(), Text("x".repeat(1_200))).await.unwrap();
        here.send_to(there.addr(), Text("x".repeat(1_000))).await.unwrap();
        assert_eq!(next(&mut source).await.1, Message::Text("x".repeat(1_000)));
        assert_eq!((there.counts().oversized, there.counts().received()), (1, 2));
        let error = there.send_to(here.addr(), Text("x".repeat(1_200))).await.unwrap_err();
        assert!(matches!(error, TransportError::MessageTooLarge { limit: 1_200, .. }), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn ipv6_has_a_little_more_room() {
    let Ok(here) = Udp::<String>::bind("[::1]:0").await else { return };
    let error = here.send_to(here.addr(), "x".repeat(70_000)).await.unwrap_err();
    assert!(matches!(error, TransportError::MessageTooLarge { limit: 65_527, .. }), "{error:?}");
    let (events, mut source) = event();
    let text = "x".repeat(65_527 - 3);
    tokio::select! {
        ended = here.listen(events) => panic!("{ended:?}"),
        () = async {
            here.send_to(here.addr(), text.clone()).await.unwrap();
            assert_eq!(source.recv().await, Some((here.addr(), text.clone())));
        } => {}
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_is_too_large_for_its_way_is_not_sent_and_the_error_says_so() {
    // One of IPv6 that reaches those of IPv4 as well.
    let here = Udp::<String>::bind("[::]:0").await.unwrap();
    let mapped = "[::ffff:127.0.0.1]:9".parse().unwrap();
    let error = here.send_to(mapped, "x".repeat(65_520)).await.unwrap_err();
    assert!(matches!(error, TransportError::MessageTooLarge { size: 65_523, limit: LIMIT }), "{error:?}");
    here.send_to(mapped, "x".repeat(LIMIT - 3)).await.unwrap();

    // One whose datagrams are not cut into fragments: over IPv6 the largest have no room in the 65,536 bytes of the loopback interface.
    let socket = tokio::net::UdpSocket::bind("[::1]:0").await.unwrap();
    let whole = rustix::net::sockopt::Ipv6PathMtuDiscovery::DO;
    rustix::net::sockopt::set_ipv6_mtu_discover(&socket, whole).unwrap();
    let here = Udp::<String>::from_socket(socket).unwrap();
    let error = here.send_to(here.addr(), "x".repeat(65_520)).await.unwrap_err();
    assert!(matches!(error, TransportError::MessageTooLarge { size: 65_523, limit: 65_522 }), "{error:?}");
    here.send_to(here.addr(), "x".repeat(65_000)).await.unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn of_a_message_to_many_a_mistake_is_told_before_what_is_merely_lost() {
    let here = Udp::<String>::bind("[::]:0").await.unwrap();
    let nobody: SocketAddr = "[::1]:0".parse().unwrap();
    let narrow: SocketAddr = "[::ffff:127.0.0.1]:9".parse().unwrap();
    for destinations in [[nobody, narrow], [narrow, nobody]] {
        let error = here.send_to_all(destinations, "x".repeat(65_520)).await.unwrap_err();
        assert!(matches!(error, TransportError::MessageTooLarge { .. }), "{error:?}");
        error.unless_lost().unwrap_err();
    }
    let error = here.send_to_all([nobody, nobody], String::new()).await.unwrap_err();
    error.unless_lost().unwrap();
}

#[test]
fn a_socket_whose_runtime_has_gone_ends_listening_and_sending_for_good() {
    let first = runtime();
    let here = first.block_on(bind::<Message>());
    drop(first);
    runtime().block_on(async {
        let (events, _source) = event();
        let listening = timeout(Duration::from_secs(5), here.listen(events)).await.expect("it ends by itself");
        assert!(matches!(listening, Err(TransportError::Gone(_))), "{listening:?}");
        let error = here.send_to(here.addr(), Ping(1)).await.unwrap_err();
        assert!(error.is_final(), "{error:?}");
    });
}

/// Sends a datagram that says to come from port 0, if this user may.
#[cfg(target_os = "linux")]
fn send_from_nowhere(to: SocketAddr, payload: &[u8]) -> bool {
    use rustix::net::{AddressFamily, SendFlags, SocketType, ipproto, sendto, socket};

    let Ok(raw) = socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::UDP)) else { return false };
    let length = u16::try_from(8 + payload.len()).unwrap();
    // The ports of the sender and of the receiver, the length, and no checksum.
    let header = [[0, 0], to.port().to_be_bytes(), length.to_be_bytes(), [0, 0]].concat();
    sendto(&raw, &[&header, payload].concat(), SendFlags::empty(), &to).is_ok()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_comes_from_where_nobody_can_answer_is_dropped_and_counted() {
    let (here, there) = (bind::<Message>().await, bind::<Message>().await);
    let message = rmp_serde::to_vec_named(&Message::Ping(7)).unwrap();
    if !send_from_nowhere(there.addr(), &message) {
        return eprintln!("not looked at: raw sockets are not allowed");
    }
    while_listening(&there, async |mut source| {
        here.send_to(there.addr(), Ping(1)).await.unwrap();
        let (from, message) = next(&mut source).await;
        assert_eq!((from, message), (here.addr(), Message::Ping(1)));
        there.send_to(from, Ping(2)).await.unwrap();
    })
    .await;
    let counts = there.counts();
    assert_eq!((counts.unanswerable, counts.delivered, counts.dropped(), counts.received()), (1, 1, 1, 2));
}

/// A socket that takes datagrams from itself alone: whoever else sends to it has it reported that there is nobody. It keeps its port, so that nobody else gets it, and what is sent to it.
#[cfg(target_os = "linux")]
fn who_is_not_reached() -> UdpSocket {
    let socket = UdpSocket::bind(LOOPBACK).unwrap();
    socket.connect(socket.local_addr().unwrap()).unwrap();
    socket
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn listening_ends_with_its_source_also_where_there_are_none_but_errors() {
    let peer = who_is_not_reached();
    let addr = peer.local_addr().unwrap();
    let socket = tokio::net::UdpSocket::bind(LOOPBACK).await.unwrap();
    socket.connect(addr).await.unwrap();
    let here = Udp::<Message>::from_socket(socket).unwrap();
    let (events, source) = event();
    let mut listening = std::pin::pin!(here.listen(events));
    for turn in 0.. {
        assert!(turn < 1_000_000, "no report comes: {:?}", here.counts());
        let before = here.counts().errors;
        let _ = here.send_to(addr, Ping(1)).await;
        yield_now().await;
        assert!(futures::poll!(listening.as_mut()).is_pending());
        if before >= 20 && here.counts().errors > before {
            break;
        }
    }
    // It makes a pause now.
    drop(source);
    assert!(matches!(futures::poll!(listening.as_mut()), std::task::Poll::Ready(Ok(()))));
}

#[tokio::test]
async fn listening_ends_when_the_source_has_gone() {
    let here = bind::<Message>().await;
    let (events, source) = event();
    let mut listening = std::pin::pin!(here.listen(events));
    assert!(futures::poll!(listening.as_mut()).is_pending());
    drop(source);
    timeout(Duration::from_secs(30), listening).await.expect("it ends though nothing comes").unwrap();

    let (events, source) = event_within(1);
    let mut listening = std::pin::pin!(here.listen(events));
    for _ in 0..10 {
        here.send_to(here.addr(), Ping(1)).await.unwrap();
    }
    while here.counts().delivered < 2 {
        assert!(futures::poll!(listening.as_mut()).is_pending());
        yield_now().await;
    }
    drop(source);
    timeout(Duration::from_secs(30), listening).await.expect("it ends though it waits for room").unwrap();
}

#[tokio::test]
async fn of_two_who_listen_each_message_comes_to_one() {
    let (here, there) = (bind::<Message>().await, bind::<Message>().await);
    let (events, mut source) = event();
    tokio::select! {
        ended = there.listen(events.clone()) => panic!("{ended:?}"),
        ended = there.clone().listen(events) => panic!("{ended:?}"),
        () = async {
            for number in 0..100 {
                here.send_to(there.addr(), Ping(number)).await.unwrap();
                assert_eq!(next(&mut source).await.1, Message::Ping(number));
            }
        } => {}
    }
    assert_eq!(there.counts().received(), 100);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_report_that_somebody_cannot_be_reached_ends_nothing() {
    let peer = who_is_not_reached();
    let addr = peer.local_addr().unwrap();
    // Linux reports to sockets that are connected; other systems do to all.
    let socket = tokio::net::UdpSocket::bind(LOOPBACK).await.unwrap();
    socket.connect(addr).await.unwrap();
    let here = Udp::<Message>::from_socket(socket).unwrap();
    while_listening(&here, async |mut source| {
        // More than come without a pause. The report comes to whoever asks next, which may be `send_to`.
        while here.counts().errors < 20 {
            let _ = here.send_to(addr, Ping(1)).await;
            yield_now().await;
        }
        peer.connect(here.addr()).unwrap();
        let message = rmp_serde::to_vec_named(&Message::Ping(7)).unwrap();
        peer.send_to(&message, here.addr()).unwrap();
        assert_eq!(next(&mut source).await, (addr, Message::Ping(7)));
    })
    .await;
}

/// Good enough, and the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.byte()).collect()
    }

    /// Mostly small, sometimes as large as a datagram is.
    fn length(&mut self) -> usize {
        match self.below(25) {
            0 => self.below(LIMIT + 1),
            1..=5 => self.below(1_000),
            _ => self.below(100),
        }
    }
}

fn bytes_of(codec: DatagramCodec, message: &impl Serialize) -> Vec<u8> {
    match codec {
        DatagramCodec::Postcard => postcard::to_stdvec(message).unwrap(),
        _ => rmp_serde::to_vec_named(message).unwrap(),
    }
}

/// What begins as a message, and at its very end is none.
fn with_another_end(codec: DatagramCodec, mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.pop().unwrap();
    if codec == DatagramCodec::MessagePack {
        // True, where there is a number or nothing; in a text what is no character.
        assert_ne!(end, 0xc3);
        bytes.push(0xc3);
    }
    bytes
}

/// What somebody sends who means no good.
struct Hostile {
    codec: DatagramCodec,
    random: Random,
    whole: Vec<Vec<u8>>,
}

impl Hostile {
    fn new(codec: DatagramCodec, seed: u64) -> Self {
        let tree = Tree::Both { left: Box::new(Tree::Leaf), right: Box::new(Tree::Node(Box::new(Tree::Leaf))) };
        let messages = [
            Message::Ping(u64::MAX),
            Message::Text("a text of some words".into()),
            Message::Tree(tree),
            Message::Chain(Chain(Some(Box::new(Chain(None))))),
            Message::Table { rows: BTreeMap::from([(1, Row([7; 16])), (2, Row([u64::MAX; 16]))]), name: "rows".into() },
            Message::Units(vec![(); 9]),
        ];
        let whole = messages.iter().map(|message| bytes_of(codec, message));
        Self { codec, random: Random(seed), whole: whole.collect() }
    }

    fn a_whole_one(&mut self) -> Vec<u8> {
        let place = self.random.below(self.whole.len());
        self.whole[place].clone()
    }

    fn datagram(&mut self) -> Vec<u8> {
        let mut bytes = match self.random.below(8) {
            0 => {
                let length = self.random.length();
                self.random.bytes(length)
            }
            1 => {
                let mut bytes = self.a_whole_one();
                bytes.truncate(self.random.below(bytes.len()));
                bytes
            }
            2 | 3 => {
                let mut bytes = self.a_whole_one();
                for _ in 0..=self.random.below(4) {
                    let bit = self.random.below(8 * bytes.len());
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
                bytes
            }
            4 => self.deep(),
            5 | 6 => self.lie(),
            _ => {
                let mut bytes = self.a_whole_one();
                let length = self.random.length();
                bytes.extend(self.random.bytes(length));
                bytes
            }
        };
        bytes.truncate(LIMIT);
        bytes
    }

    /// A message that takes much more memory than it has bytes, and whether it is one: some end in something else.
    fn amplifying(&mut self) -> (Vec<u8>, bool) {
        // As many as fit into a datagram, or into the memory that a message may take.
        let (most_fields, most_maps, most_boxes) = match self.codec {
            DatagramCodec::Postcard => (7_900, 1_300, 13_000),
            _ => (7_900, 1_300, 7_900),
        };
        let message = match self.random.below(4) {
            0 => Message::Numbers(vec![7; self.random.below(65_000)]),
            1 => Message::Fields(vec![Field::Empty; self.random.below(most_fields)]),
            2 => Message::Maps(vec![BTreeMap::from([(7, Field::Empty)]); self.random.below(most_maps)]),
            _ => Message::Boxes(vec![boxed(); self.random.below(most_boxes)]),
        };
        let bytes = bytes_of(self.codec, &message);
        if self.random.below(2) == 0 { (bytes, true) } else { (with_another_end(self.codec, bytes), false) }
    }

    fn deep(&mut self) -> Vec<u8> {
        let depth = self.random.length();
        if self.codec == DatagramCodec::Postcard {
            let begin = [&[2][..], &[3]][self.random.below(2)];
            [begin, &[1].repeat(depth), &[0]].concat()
        } else {
            let begin = [&b"\x81\xa4Tree"[..], b"\x81\xa5Chain", b""][self.random.below(3)];
            let level = [&b"\x81\xa4Node"[..], b"\x91", b"\x92", b"\x81", b"\x81\xa4Both\x82\xa4left"];
            let level = level[self.random.below(5)];
            [begin, &level.repeat(depth / level.len()), b"\xa4Leaf"].concat()
        }
    }

    /// Lengths of what does not follow, or not as it should; and texts where there should be none.
    fn lie(&mut self) -> Vec<u8> {
        let fill = [0, b'x', 0xc0, 0x1f, 0xff][self.random.below(5)];
        let rest = vec![fill; self.random.length()];
        let number = self.random.next() >> self.random.below(64);
        let (begin, length) = if self.codec == DatagramCodec::Postcard {
            let begins = [&[1][..], &[4], &[4, 1], &[5], &[6], &[0], &[]];
            (begins[self.random.below(7)], postcard::to_stdvec(&number).unwrap())
        } else {
            let begins = [
                &b"\x81\xa4Text"[..],
                b"\x81\xa5Table\x82\xa4rows",
                b"\x81\xa5Units",
                b"\x81\xa6Signed",
                b"\x81\xa4Ping",
                b"\x81",
                b"",
            ];
            let begin = begins[self.random.below(7)];
            let marker = [0xc6, 0xc9, 0xdb, 0xdb, 0xdd, 0xdf, 0xdc, 0xda][self.random.below(8)];
            // The length of what follows, or of much more.
            let length = if self.random.below(2) == 0 { rest.len() as u64 } else { number };
            let length = length.to_be_bytes();
            let width = if matches!(marker, 0xda | 0xdc) { 2 } else { 4 };
            (begin, [&[marker], &length[8 - width..]].concat())
        };
        [begin, &length, &rest].concat()
    }
}

/// How many datagrams the operating system has dropped because the socket's buffer was full.
#[cfg(target_os = "linux")]
fn kernel_drops(addr: SocketAddr) -> u64 {
    let table = std::fs::read_to_string("/proc/net/udp").unwrap();
    // As the kernel writes 127.0.0.1.
    let local = format!("0100007F:{:04X}", addr.port());
    let of_the_socket = |line: &&str| line.split_whitespace().nth(1) == Some(&local);
    let line = table.lines().find(of_the_socket).expect("the socket is in the table");
    line.split_whitespace().last().unwrap().parse().unwrap()
}

/// Yields until all of the datagrams are accounted for, taking what comes.
#[cfg(target_os = "linux")]
async fn account_for(
    place: &Udp<Message>,
    source: &mut EventSource<(SocketAddr, Message)>,
    sent: u64,
    drops: &mut u64,
) {
    for turn in 1.. {
        while source.try_recv().is_some() {}
        if place.counts().received() + *drops == sent && source.is_empty() {
            return;
        }
        if turn % 200 == 0 {
            *drops = kernel_drops(place.addr());
            assert!(turn < 2_000_000, "{:?} and {drops} dropped of {sent}", place.counts());
        }
        yield_now().await;
    }
}

#[cfg(target_os = "linux")]
#[test]
fn hostile_datagrams_are_counted_and_dropped_and_messages_in_between_get_through() {
    const LOWER: usize = 64_000;
    let datagrams = u64::from(cases(25_000, 500_000));
    for codec in CODECS {
        let runtime = runtime();
        let mut hostile = Hostile::new(codec, 7);
        let peer = UdpSocket::bind(LOOPBACK).unwrap();
        let from = peer.local_addr().unwrap();
        let place = runtime.block_on(bind::<Message>()).with_codec(codec).with_limit(LOWER);
        let (events, mut source) = event_within(1);
        let mut listening = Box::pin(place.listen(events));
        let (mut sent, mut drops, mut probes) = (0, 0, 0_u64);
        let (mut most, mut most_of_amplifying) = (0, 0);
        let (mut empty, mut oversized, mut amplified) = (0, 0, 0_u64);
        while sent < datagrams {
            // Large ones alone: each is to be seen in what is allocated.
            let mut batch: Vec<_> = Vec::new();
            let is_amplifying = probes % 20 == 9;
            let mut is_message = false;
            if is_amplifying {
                let (datagram, is_whole) = hostile.amplifying();
                is_message = is_whole && datagram.len() <= LOWER;
                amplified += u64::from(is_message);
                batch.push(datagram);
            }
            while batch.len() < 20 && !is_amplifying && batch.iter().all(|datagram| datagram.len() < 1_000) {
                batch.push(hostile.datagram());
            }
            probes += 1;
            let probe = bytes_of(codec, &Message::Ping(probes));
            let delivered = place.counts().delivered;
            let used = measure(|| {
                runtime.block_on(async {
                    let body = async {
                        for datagram in &batch {
                            peer.send_to(datagram, place.addr()).unwrap();
                        }
                        sent += batch.len() as u64;
                        account_for(&place, &mut source, sent, &mut drops).await;
                        peer.send_to(&probe, place.addr()).unwrap();
                        sent += 1;
                        // What a flipped bit left a message may still be on its way.
                        while next(&mut source).await != (from, Message::Ping(probes)) {}
                    };
                    tokio::select! {
                        ended = &mut listening => panic!("{ended:?}"),
                        () = body => {}
                    }
                });
            });
            let largest = batch.iter().map(Vec::len).max().unwrap_or_default();
            let bound = match probes {
                _ if is_amplifying => MOST_FOR_A_MOMENT,
                // The buffer of `listen` is made in the first batch.
                1 => 2 * LIMIT,
                _ => LIMIT,
            };
            assert!(used.bytes_max <= bound as u64, "{codec:?}: {} bytes for datagrams of {largest}", used.bytes_max);
            if is_amplifying {
                assert_eq!(place.counts().delivered - delivered, 1 + u64::from(is_message), "{codec:?}: {largest}");
                most_of_amplifying = most_of_amplifying.max(used.bytes_max);
            } else if probes > 1 {
                most = most.max(used.bytes_max);
            }
            empty += batch.iter().filter(|datagram| datagram.is_empty()).count() as u64;
            oversized += batch.iter().filter(|datagram| datagram.len() > LOWER).count() as u64;
        }
        let counts: UdpCounts = place.counts();
        println!(
            "{codec:?}: {sent} datagrams, {counts:?}, {drops} dropped by the kernel, at most {most} bytes allocated, and {most_of_amplifying} for {amplified} messages larger than their bytes and as many that end in something else"
        );
        assert_eq!(counts.received() + kernel_drops(place.addr()), sent);
        assert_eq!((counts.empty, counts.oversized, counts.errors), (empty, oversized, 0));
        assert!(counts.malformed > sent / 2 && counts.delivered > probes && empty > 0 && oversized > 0, "{counts:?}");
        assert!(amplified > 10 && most_of_amplifying > 3 << 20, "what amplifies, and counts what is allocated, does");
    }
}

/// A place that reads datagrams on this thread, so that what is allocated is counted.
struct Reader<N> {
    runtime: Runtime,
    place: Udp<N>,
    listening: Pin<Box<dyn Future<Output = Result<(), TransportError>>>>,
    source: EventSource<(SocketAddr, N)>,
    peer: UdpSocket,
}

impl<N: DeserializeOwned + Send + 'static> Reader<N> {
    fn new(codec: DatagramCodec) -> Self {
        let runtime = runtime();
        let place = runtime.block_on(bind::<N>()).with_codec(codec);
        let (events, source) = event_within(1);
        let listening = Box::pin(place.listen(events));
        let mut reader = Self { runtime, place, listening, source, peer: UdpSocket::bind(LOOPBACK).unwrap() };
        // What listens makes its buffer.
        reader.read(&[]);
        reader
    }

    /// What a datagram is read as, and what is allocated for it meanwhile.
    fn read(&mut self, datagram: &[u8]) -> (Option<N>, AllocationInfo) {
        let mut message = None;
        let before = self.place.counts().received();
        let used = measure(|| {
            self.peer.send_to(datagram, self.place.addr()).unwrap();
            self.runtime.block_on(async {
                while self.place.counts().received() == before {
                    assert!(futures::poll!(&mut self.listening).is_pending());
                    yield_now().await;
                }
                message = self.source.try_recv().map(|(_, message)| message);
            });
        });
        (message, used)
    }
}

/// Has values of a type read, as they are and with another end, and looks at the memory that they take. Returns the most elements that were read, and the most bytes that were in use.
fn amplify<N>(codec: DatagramCodec, of: impl Fn(usize) -> N) -> (usize, u64)
where
    N: Serialize + DeserializeOwned + Debug + PartialEq + Send + 'static,
{
    let name = std::any::type_name::<N>();
    let mut reader = Reader::<N>::new(codec);
    let (mut most, mut peak) = (0, 0);
    // Where vectors and tables grow, and in between.
    let mut counts: Vec<_> = (8..16).flat_map(|power| [1 << power, (1 << power) + 1, 7 << (power - 1)]).collect();
    if !is_long() {
        counts = vec![513, 2_049, 8_193, 28_672];
    }
    for count in counts.into_iter().filter(|count| *count < 65_000).chain([65_000]) {
        let value = of(count);
        let bytes = bytes_of(codec, &value);
        if bytes.len() > LIMIT {
            continue;
        }
        let (message, whole) = reader.read(&bytes);
        if let Some(message) = message {
            assert!(message == value, "{codec:?}, {name}: {count}");
            most = most.max(count);
        }
        let (message, other) = reader.read(&with_another_end(codec, bytes));
        assert!(message.is_none(), "{codec:?}, {name}: {count}");
        assert_eq!(other.bytes_current, 0, "{codec:?}, {name}: {count}");
        peak = peak.max(whole.bytes_max).max(other.bytes_max);
        assert!(peak <= MOST_FOR_A_MOMENT as u64, "{codec:?}, {name}: {peak} bytes for {count}");
        assert!(
            whole.bytes_current.unsigned_abs() <= MOST as u64,
            "{codec:?}, {name}: {} bytes for {count}",
            whole.bytes_current
        );
    }
    println!("{codec:?}, {name}: {most} elements, {peak} bytes");
    (most, peak)
}

#[test]
fn no_message_takes_more_memory_than_is_said_whatever_collects_its_elements() {
    let entries = |count: usize| (0..u32::try_from(count).unwrap()).map(|key| (key, None::<Row>));
    for codec in CODECS {
        // Elements of up to 32 bytes are never too many.
        let (most, peak) = amplify(codec, |count| vec![7_u64; count]);
        assert!(most == 65_000 && peak >= 8 * 65_000, "{most} in {peak} bytes");
        let (most, peak) = amplify(codec, |count| vec![None::<(u64, u64, u64)>; count]);
        assert!(most == 65_000 && peak >= 32 * 65_000, "{most} in {peak} bytes");
        let (most, _) = amplify(codec, |count| vec![vec![7_u64]; count]);
        assert_eq!(most, 28_672);
        assert_eq!(amplify(codec, |count| vec![String::new(); count]).0, 65_000);
        amplify(codec, |count| vec![7_u8; count]);
        amplify(codec, |count| VecDeque::from(vec![None::<Row>; count]));
        amplify(codec, |count| vec![None::<Row>; count].into_boxed_slice());
        // Its room has just doubled, and it is what may be.
        let (_, peak) = amplify(codec, |count| vec![None::<[u64; 30]>; count]);
        assert!(peak > 6_000_000, "{peak} bytes");
        amplify(codec, |count| vec![None::<Box<Row>>; count]);
        amplify(codec, |count| LinkedList::from_iter(vec![None::<Row>; count]));
        amplify(codec, |count| vec![LinkedList::from([None::<Row>]); count]);
        amplify(codec, |count| vec![vec![None::<Row>]; count]);
        amplify(codec, |count| vec![vec![None::<Row>; 5]; count]);
        // Those of trees and tables make room for several at once.
        let some: &[usize] = if is_long() { &[1, 3, 4, 7, 8, 11, 12, 15, 29, 70] } else { &[1, 4, 12] };
        amplify::<BTreeMap<_, _>>(codec, |count| entries(count).collect());
        amplify::<HashMap<_, _>>(codec, |count| entries(count).collect());
        for each in some {
            amplify::<Vec<BTreeMap<_, _>>>(codec, |count| vec![entries(*each).collect(); count]);
            amplify::<Vec<HashMap<_, _>>>(codec, |count| vec![entries(*each).collect(); count]);
            let fields = || entries(*each).map(|(key, _)| (key, Field::Empty));
            amplify::<Vec<BTreeSet<_>>>(codec, |count| vec![fields().collect(); count]);
        }
        // Behind pointers.
        let (most, peak) = amplify(codec, |count| vec![boxed(); count]);
        assert!(most > 2_000 && peak > 150 * most as u64, "{most} in {peak} bytes");
        amplify(codec, |count| {
            vec![(0..20).fold(boxed(), |inner, _| Boxed(Box::new((Some(Box::new(inner)), Field::Empty)))); count]
        });
        if codec == DatagramCodec::Postcard {
            amplify(codec, |count| vec![Chain(Some(Box::new(Chain(None)))); count]);
        }
    }
}

/// Large, and of more of its kind.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Branch {
    row: Row,
    branches: Vec<Branch>,
}

#[test]
fn no_room_is_made_for_elements_that_are_merely_promised() {
    for codec in CODECS {
        // 60,000 rows are 7.5 MB; there is one, and then something else.
        let promise = match codec {
            DatagramCodec::Postcard => [&[0xe0, 0xd4, 3][..], &[0; 16]].concat(),
            _ => [&[0xdd, 0, 0, 0xea, 0x60][..], &[0xdc, 0, 16], &[0; 16]].concat(),
        };
        let (message, used) = Reader::<Vec<Row>>::new(codec).read(&[&promise[..], &vec![0xc0; 60_000]].concat());
        assert!(message.is_none() && used.bytes_max < 1_000, "{codec:?}: {} bytes", used.bytes_max);

        // Each of these promises 64 of its kind, the first of which is the next.
        let levels = 30;
        let mut promises = vec![0xc0];
        for _ in 0..levels {
            let (begin, end) = match codec {
                DatagramCodec::Postcard => ([&[0; 16][..], &[64]].concat(), vec![]),
                _ => ([&[0x92, 0xdc, 0, 16][..], &[0; 16], &[0xdc, 0, 64]].concat(), vec![0xc0; 63]),
            };
            promises = [begin, promises, end].concat();
        }
        let (message, used) = Reader::<Branch>::new(codec).read(&promises);
        let bound = levels * 5 * size_of::<Branch>() as u64;
        assert!(message.is_none() && used.bytes_max < bound, "{codec:?}: {} bytes", used.bytes_max);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn in_a_flood_nothing_is_missing_but_what_the_kernel_dropped() {
    let datagrams = u64::from(cases(50_000, 1_000_000));
    let runtime = runtime();
    let place = runtime.block_on(bind::<Message>());
    let addr = place.addr();
    let flood = std::thread::spawn(move || {
        let peer = UdpSocket::bind(LOOPBACK).unwrap();
        let mut hostile = Hostile::new(DatagramCodec::MessagePack, 11);
        let prepared: Vec<_> = (0..5_000).map(|_| hostile.datagram()).collect();
        for datagram in prepared.iter().cycle().take(usize::try_from(datagrams).unwrap()) {
            peer.send_to(datagram, addr).unwrap();
        }
    });
    runtime.block_on(while_listening(&place, async |mut source| {
        // Whoever listens is slower than the flood.
        while !flood.is_finished() {
            let _ = source.try_recv();
            yield_now().await;
        }
        flood.join().unwrap();
        let mut drops = 0;
        account_for(&place, &mut source, datagrams, &mut drops).await;
        let counts = place.counts();
        println!("{datagrams} datagrams: {counts:?}, {drops} dropped by the kernel");
        assert_eq!(counts.received() + drops, datagrams);
        assert!(drops > 0, "the flood was none: {counts:?}");
        place.send_to(addr, Ping(7)).await.unwrap();
        assert_eq!(next(&mut source).await, (addr, Message::Ping(7)));
    }));
}
