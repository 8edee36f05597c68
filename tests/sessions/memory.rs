//! The network within a process, and sessions that share one.

use dms::session::{AddrInUse, Endpoint, Memory, MemoryNetwork, Transport, event};
use dms_tests::{on_every_runtime, on_paused};

#[derive(Debug, Clone, PartialEq)]
struct Ping(u64);

#[derive(Debug, Clone, PartialEq)]
struct Vote(u64);

#[derive(Debug, PartialEq)]
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

fn is_transport<M, T: Transport<M, Addr = u32, Message = Both>>(_: &T) {}

#[test]
fn a_network_of_an_enum_is_a_transport_of_each_of_its_parts_and_of_itself() {
    let place: Memory<Both> = MemoryNetwork::new().bind(1).unwrap();
    is_transport::<Ping, _>(&place);
    is_transport::<Vote, _>(&place);
}
