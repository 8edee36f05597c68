//! The network within a process, and sessions that share one.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use dms::session::{AddrInUse, Endpoint, Memory, MemoryNetwork, Transport, event};
use dms::testing::{Faults, Network};
use dms_tests::{on_every_runtime, on_paused};
use tokio::time::timeout;

#[derive(Debug, Clone, PartialEq)]
struct Ping(u64);

#[derive(Debug, Clone, PartialEq)]
struct Vote(u64);

#[derive(Debug, Clone, PartialEq)]
enum Both {
    Ping(Ping),
    Vote(Vote),
}

impl From<Ping> for Both {
    fn from(ping: Ping) -> Self {
        Self::Ping(ping)
    }
}

impl From<Vote> for Both {
    fn from(vote: Vote) -> Self {
        Self::Vote(vote)
    }
}

/// Sends a hundred, and knows nothing of what else travels.
async fn pings<T: Transport<Ping>>(transport: T, peer: T::Addr) {
    for number in 0..100 {
        transport.send_to(peer.clone(), Ping(number)).await.unwrap();
        tokio::task::yield_now().await;
    }
}

async fn votes<T: Transport<Vote>>(transport: T, peer: T::Addr) {
    for number in 0..100 {
        transport.send_to_all([peer.clone()], Vote(number)).await.unwrap();
        tokio::task::yield_now().await;
    }
}

#[test]
fn two_sub_sessions_share_a_transport_and_each_gets_its_hundred_of_two_hundred_in_order() {
    on_every_runtime(|| async {
        let network = MemoryNetwork::<Both>::new();
        let (here, there) = (network.bind(1).unwrap(), network.bind(2).unwrap());
        let (sender, mut events) = event();
        let (ping_sender, mut ping_events) = event();
        let (vote_sender, mut vote_events) = event();
        // The session around them relays, by `match`.
        let relay = async {
            for _ in 0..200 {
                match events.recv().await.unwrap() {
                    (1, Both::Ping(ping)) => ping_sender.send(ping).await.unwrap(),
                    (1, Both::Vote(vote)) => vote_sender.send(vote).await.unwrap(),
                    (from, message) => panic!("{message:?} from {from}"),
                }
            }
        };
        tokio::select! {
            _ = there.listen(sender) => panic!("nobody closed the source"),
            _ = async { tokio::join!(pings(here.clone(), 2), votes(here.clone(), 2), relay) } => {}
        }
        for number in 0..100 {
            assert_eq!(ping_events.try_recv(), Some(Ping(number)));
            assert_eq!(vote_events.try_recv(), Some(Vote(number)));
        }
        assert!(ping_events.is_empty() && vote_events.is_empty() && events.is_empty());
    });
}

#[test]
fn an_address_is_taken_until_all_clones_of_its_place_and_all_who_listen_have_gone() {
    let network = MemoryNetwork::<Both>::new();
    let place = network.bind(7).unwrap();
    let clone = place.clone();
    let listening = clone.listen(event().0);
    drop(place);
    let error = network.bind(7).unwrap_err();
    assert_eq!(error, AddrInUse { addr: 7 });
    let told =
        "the address 7 is taken: it is free when the last clone of its `Memory` and all who `listen` there have gone";
    assert_eq!(error.to_string(), told);
    drop(clone);
    assert_eq!(network.bind(7).unwrap_err(), error);
    drop(listening);
    assert_eq!(network.bind(7).unwrap().addr(), 7);
}

#[test]
fn a_message_to_nobody_is_lost_and_one_for_who_does_not_listen_yet_waits() {
    on_paused(|| async {
        let network = MemoryNetwork::<Both>::new();
        let here = network.bind(1).unwrap();
        here.send_to(2, Ping(1)).await.unwrap();
        let there = network.bind(2).unwrap();
        here.send_to(2, Ping(2)).await.unwrap();
        let (sender, mut events) = event();
        let listening = tokio::spawn(there.listen(sender));
        assert_eq!(events.recv().await, Some((1, Both::Ping(Ping(2)))));
        // Who listens is done when nobody takes what comes.
        drop(events);
        listening.await.unwrap().unwrap();
    });
}

/// These have nothing but what they are.
struct Word(String);
struct Number(u64);

/// What travels, of which it is known how often it was made and cloned.
struct Either {
    part: Part,
    counts: Arc<Counts>,
}

enum Part {
    Word(Word),
    Number(Number),
}

#[derive(Default)]
struct Counts {
    made: AtomicUsize,
    cloned: AtomicUsize,
}

impl Counts {
    /// How often since it was last asked.
    fn take(&self) -> (usize, usize) {
        (self.made.swap(0, Relaxed), self.cloned.swap(0, Relaxed))
    }
}

impl From<(Word, &Arc<Counts>)> for Either {
    fn from((word, counts): (Word, &Arc<Counts>)) -> Self {
        counts.made.fetch_add(1, Relaxed);
        Self { part: Part::Word(word), counts: Arc::clone(counts) }
    }
}

impl From<Number> for Either {
    fn from(number: Number) -> Self {
        Self { part: Part::Number(number), counts: Arc::default() }
    }
}

impl Clone for Either {
    fn clone(&self) -> Self {
        self.counts.cloned.fetch_add(1, Relaxed);
        let part = match &self.part {
            Part::Word(Word(word)) => Part::Word(Word(word.clone())),
            Part::Number(Number(number)) => Part::Number(Number(*number)),
        };
        Self { part, counts: Arc::clone(&self.counts) }
    }
}

impl fmt::Debug for Either {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Part::Word(Word(word)) => write!(f, "the word {word}"),
            Part::Number(Number(number)) => write!(f, "the number {number}"),
        }
    }
}

/// Sends what has nothing but what it is, over any network, and what carries it.
async fn number_and_itself<T: Transport<Number> + Transport<Either, Addr = u32>>(transport: T) {
    transport.send_to(2, Number(7)).await.unwrap();
    transport.send_to_all([2, 2], Number(8)).await.unwrap();
    transport.send_to(2, Either::from(Number(9))).await.unwrap();
}

#[test]
fn a_network_of_an_enum_is_a_transport_of_each_of_its_parts_and_of_itself() {
    on_paused(|| async {
        let network = MemoryNetwork::<Either>::new();
        let simulated = Network::<Either>::new(7, Faults::none());
        for (here, there) in [(network.bind(1), network.bind(2)), (simulated.bind(1), simulated.bind(2))] {
            number_and_itself(here.unwrap()).await;
            let arrived = arrived(&there.unwrap()).await;
            assert_eq!(arrived, ["the number 7", "the number 8", "the number 8", "the number 9"]);
        }
    });
}

/// What has arrived at a place.
async fn arrived(place: &Memory<Either>) -> Vec<String> {
    let (events, mut source) = event();
    let _ = timeout(Duration::from_secs(1), place.listen(events)).await;
    std::iter::from_fn(|| source.try_recv()).map(|(_, message)| format!("{message:?}")).collect()
}

#[test]
fn a_message_is_converted_once_and_cloned_for_each_further_copy() {
    on_paused(|| async {
        let counts = Arc::new(Counts::default());
        let word = || (Word("hello".to_owned()), &counts);
        let network = MemoryNetwork::<Either>::new();
        let (here, there) = (network.bind(1).unwrap(), network.bind(2).unwrap());
        here.send_to(2, word()).await.unwrap();
        assert_eq!(counts.take(), (1, 0), "to one");
        here.send_to_all([2, 2, 2], word()).await.unwrap();
        assert_eq!(counts.take(), (1, 2), "to three");
        here.send_to_all([], word()).await.unwrap();
        assert_eq!(counts.take(), (1, 0), "to nobody");
        assert_eq!(arrived(&there).await, ["the word hello"; 4]);
        assert_eq!(counts.take(), (0, 0), "what arrives is handed over");

        let network = Network::<Either>::new(7, Faults::none());
        let (here, there) = (network.bind(1).unwrap(), network.bind(2).unwrap());
        here.send_to(2, word()).await.unwrap();
        assert_eq!(counts.take(), (1, 0), "to one");
        network.set_faults(Faults::none().duplication(1.0));
        here.send_to_all([2, 2], word()).await.unwrap();
        assert_eq!(counts.take(), (1, 3), "to two, twice");
        network.set_faults(Faults::none().loss(1.0));
        here.send_to(2, word()).await.unwrap();
        assert_eq!(counts.take(), (1, 0), "lost");
        assert_eq!(arrived(&there).await, ["the word hello"; 5]);
    });
}

#[test]
fn a_trace_shows_what_travels() {
    on_paused(|| async {
        let network = Network::<Either>::with_trace(7, Faults::none());
        let here = network.bind(1).unwrap();
        here.send_to_all([2, 3], Number(7)).await.unwrap();
        let lines = ["#1 1 -> 2 sent: the number 7", "#2 1 -> 3 sent: the number 7", "#1 for nobody", "#2 for nobody"];
        let trace = network.trace().unwrap();
        let told: Vec<_> = trace.lines().filter_map(|line| line.split_once(' ').map(|(_, told)| told)).collect();
        assert_eq!(told.into_iter().filter(|told| !told.contains("due")).collect::<Vec<_>>(), lines);
    });
}
