//! The network that misbehaves, the same way for the same seed.

use std::collections::BTreeSet;
use std::time::Duration;

use dms::session::{BackgroundMonitor, Endpoint, EventSource, Memory, Transport, event};
use dms::testing::{Faults, Network};
use dms_tests::{Flavor, on_paused};
use tokio::time::{Instant, sleep, timeout};

const MS: Duration = Duration::from_millis(1);

/// What comes to a place, as long as it is listened to.
struct Heard {
    source: EventSource<(u32, u64)>,
    _listening: BackgroundMonitor,
}

impl Heard {
    fn at(place: &Memory<u64>) -> Self {
        let listening = BackgroundMonitor::new();
        let (events, source) = event();
        listening.spawner().spawn("listen", place.listen(events));
        Self { source, _listening: listening }
    }

    /// All that comes, until nothing does for a minute.
    async fn all(&mut self) -> Vec<u64> {
        let mut heard = Vec::new();
        while let Ok(Some((_, number))) = timeout(Duration::from_mins(1), self.source.recv()).await {
            heard.push(number);
        }
        heard
    }
}

/// Sends 1,000 numbers, one a millisecond, and gives what arrived.
async fn thousand(network: &Network<u64>) -> Vec<u64> {
    let (here, there) = (network.bind(1).unwrap(), network.bind(2).unwrap());
    let mut heard = Heard::at(&there);
    for number in 0..1_000_u64 {
        here.send_to(2, number).await.unwrap();
        sleep(MS).await;
    }
    heard.all().await
}

fn some_faults() -> Faults {
    Faults::none().loss(0.2).duplication(0.2).reordering(0.2).delay(MS..=MS * 20)
}

/// A run of everything on this network: what arrived, and its trace.
fn everything(network: fn(u64, Faults) -> Network<u64>, seed: u64) -> (Vec<u64>, Option<String>, u64) {
    Flavor::Paused.run(|| async {
        let network = network(seed, some_faults());
        let schedule = async {
            sleep(MS * 100).await;
            network.partition([&[1][..], &[2]]);
            sleep(MS * 100).await;
            network.heal();
            network.set_faults(Faults::none().loss(0.5));
        };
        let (heard, ()) = tokio::join!(thousand(&network), schedule);
        (heard, network.trace(), network.trace_hash())
    })
}

#[test]
fn the_same_seed_gives_the_same_trace_byte_for_byte() {
    let (first, second) = (everything(Network::with_trace, 1), everything(Network::with_trace, 1));
    let other = everything(Network::with_trace, 2);
    assert!(first.1.as_ref().unwrap().len() > 50_000, "{:?}", first.1);
    assert!(first == second, "two runs of one seed differ");
    assert_ne!(first.1, other.1);
    assert_ne!(first.2, other.2);
}

#[test]
fn a_network_that_keeps_no_text_has_the_same_run_and_the_same_hash() {
    let (traced, bare) = (everything(Network::with_trace, 1), everything(Network::new, 1));
    assert_eq!(bare, (traced.0, None, traced.2));
    assert_ne!(bare.2, everything(Network::new, 2).2);
    let fold = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    assert_eq!(bare.2, traced.1.unwrap().bytes().fold(0xcbf2_9ce4_8422_2325, fold), "it is that of the text");
}

#[test]
fn without_faults_all_arrive_once_at_once_and_in_order() {
    on_paused(|| async {
        let network = Network::new(7, Faults::none());
        let (here, there) = (network.bind(1).unwrap(), network.bind(2).unwrap());
        let mut heard = Heard::at(&there);
        let begun = Instant::now();
        for number in 0..100_u64 {
            here.send_to_all([2], number).await.unwrap();
        }
        for number in 0..100 {
            assert_eq!(heard.source.recv().await, Some((1, number)));
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!((network.counts().sent, network.counts().arrived), (100, 100));
    });
}

#[test]
fn so_many_are_lost_as_was_asked_for() {
    on_paused(|| async {
        let network = Network::new(7, Faults::none().loss(0.2));
        let heard = thousand(&network).await;
        let counts = network.counts();
        assert!((150..250).contains(&counts.lost), "{counts:?}");
        assert_eq!(heard.len() as u64, 1_000 - counts.lost);
        assert!(heard.is_sorted(), "none was reordered");
        let all = Network::new(7, Faults::none().loss(1.0));
        assert!(thousand(&all).await.is_empty());
    });
}

#[test]
fn so_many_arrive_twice_as_was_asked_for() {
    on_paused(|| async {
        let network = Network::new(7, Faults::none().duplication(0.2));
        let heard = thousand(&network).await;
        let counts = network.counts();
        assert!((150..250).contains(&counts.duplicated), "{counts:?}");
        assert_eq!(heard.len() as u64, 1_000 + counts.duplicated);
        let mut once = heard;
        once.dedup();
        assert_eq!(once, (0..1_000).collect::<Vec<_>>());
    });
}

#[test]
fn what_is_reordered_is_overtaken_and_nothing_else_is() {
    on_paused(|| async {
        let delayed = Network::new(7, Faults::none().delay(MS..=MS * 20));
        assert_eq!(thousand(&delayed).await, (0..1_000).collect::<Vec<_>>(), "a delay does not reorder");
        let network = Network::new(7, Faults::none().reordering(0.2).delay(MS..=MS * 20));
        let mut heard = thousand(&network).await;
        assert!(!heard.is_sorted());
        assert!((150..250).contains(&network.counts().reordered), "{:?}", network.counts());
        heard.sort_unstable();
        assert_eq!(heard, (0..1_000).collect::<Vec<_>>(), "and none is lost");
    });
}

#[test]
fn a_message_is_under_way_for_as_long_as_was_drawn() {
    on_paused(|| async {
        let network = Network::new(7, Faults::none().delay(MS * 5..=MS * 9));
        let (here, there) = (network.bind(1).unwrap(), network.bind(2).unwrap());
        let mut heard = Heard::at(&there);
        let mut spans = BTreeSet::new();
        for number in 0..100_u64 {
            let begun = Instant::now();
            here.send_to(2, number).await.unwrap();
            heard.source.recv().await.unwrap();
            spans.insert(begun.elapsed());
        }
        // Those of 5.001 to 6 ms arrive after 6, for Tokio's timers have a millisecond. It takes exactly 5 to arrive after 5.
        spans.remove(&(MS * 5));
        assert_eq!(spans.into_iter().collect::<Vec<_>>(), [MS * 6, MS * 7, MS * 8, MS * 9]);
    });
}

#[test]
fn messages_arrive_at_the_millisecond_after_they_are_due_in_the_order_of_their_microseconds() {
    on_paused(|| async {
        let begun = Instant::now();
        // Neither is the network as old as the runtime, nor does it matter when it sends.
        sleep(MS * 3).await;
        let network = Network::with_trace(7, Faults::none().reordering(0.5).delay(MS..=MS * 3));
        let (here, there) = (network.bind(1).unwrap(), network.bind(2).unwrap());
        let mut heard = Heard::at(&there);
        for number in 1..=1_000_u64 {
            here.send_to(2, number).await.unwrap();
        }
        let trace = network.trace().unwrap();
        let due = trace.lines().filter_map(|line| {
            let (number, due) = line.split_once('#')?.1.split_once(" due at ")?;
            // From when the runtime began, as the clock has it.
            Some((MS * 3 + Duration::from_secs_f64(due.parse().unwrap()), number.parse::<u64>().unwrap()))
        });
        let mut due: Vec<_> = due.collect();
        due.sort_unstable();
        assert_eq!(due.len(), 1_000);
        assert!(!due.iter().map(|(_, number)| number).is_sorted());
        for (due, number) in due {
            assert_eq!(heard.source.recv().await, Some((1, number)));
            let full = Duration::from_millis(due.as_nanos().div_ceil(1_000_000).try_into().unwrap());
            assert_eq!(begun.elapsed(), full, "#{number} is due at {due:?}");
        }
    });
}

#[test]
fn a_partition_parts_until_it_heals() {
    on_paused(|| async {
        let network = Network::new(7, Faults::none().delay(MS * 5..=MS * 5));
        let places: Vec<_> = (1..=4).map(|addr| network.bind(addr).unwrap()).collect();
        let mut heard: Vec<_> = places.iter().map(Heard::at).collect();
        let everybody = || async {
            for place in &places {
                place.send_to_all(1..=4, u64::from(place.addr())).await.unwrap();
            }
        };
        everybody().await;
        // This cuts what is under way.
        network.partition([&[1, 2][..], &[3]]);
        sleep(MS * 10).await;
        let mut all = Vec::new();
        for heard in &mut heard {
            all.push(heard.all().await);
        }
        assert_eq!(all, [vec![1, 2], vec![1, 2], vec![3], vec![4]]);
        assert_eq!(network.counts().undelivered, 10);
        everybody().await;
        let mut all = Vec::new();
        for heard in &mut heard {
            all.push(heard.all().await);
        }
        assert_eq!(all, [vec![1, 2], vec![1, 2], vec![3], vec![4]]);
        assert_eq!(network.counts().cut, 10);
        network.heal();
        everybody().await;
        for heard in &mut heard {
            assert_eq!(heard.all().await, [1, 2, 3, 4]);
        }
    });
}

#[test]
fn what_is_under_way_to_a_place_goes_with_it() {
    on_paused(|| async {
        let network = Network::with_trace(7, Faults::none().delay(MS * 5..=MS * 5));
        let here = network.bind(1).unwrap();
        let there = network.bind(2).unwrap();
        here.send_to(2, 1_u64).await.unwrap();
        drop(there);
        here.send_to(2, 2_u64).await.unwrap();
        let there = network.bind(2).unwrap();
        here.send_to(2, 3_u64).await.unwrap();
        assert_eq!(Heard::at(&there).all().await, [3]);
        let trace = network.trace().unwrap();
        assert!(trace.contains("#1 for nobody") && trace.contains("#2 for nobody"), "{trace}");
        let counts = network.counts();
        assert_eq!((counts.sent, counts.undelivered, counts.arrived), (3, 2, 1));
    });
}

#[test]
fn wrong_faults_are_refused_with_what_is_right() {
    let panic = |faults: fn() -> Faults| {
        let panic = std::panic::catch_unwind(faults).unwrap_err();
        panic.downcast_ref::<String>().unwrap().clone()
    };
    assert_eq!(panic(|| Faults::none().loss(20.0)), "20 is no probability: one is from 0 to 1");
    assert_eq!(panic(|| Faults::none().duplication(-0.1)), "-0.1 is no probability: one is from 0 to 1");
    assert_eq!(panic(|| Faults::none().reordering(f64::NAN)), "NaN is no probability: one is from 0 to 1");
    assert_eq!(panic(|| Faults::none().delay(MS * 2..=MS)), "no delay is between 2ms and 1ms");
}
